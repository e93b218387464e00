"""What ./test runs once the packages are there: the parts, one line each, and the closing count over all of them."""
import argparse
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict, List, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent))
from checks import tree  # noqa: E402
from testing.counts import Counts, from_gtest, from_json, from_junit  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "test-logs"
STATE = ROOT / "build" / "test-state.json"
PYTHON = str(ROOT / "build" / "venv" / "bin" / "python")
CORES = os.cpu_count() or 1
LONGEST = "index_test"  # of the unit tests

SHORT_CRASH_CYCLES = 50
LONG_CRASH_CYCLES, LONG_CRASH_CHUNK = 1000, 100
SHORT_SIM_SEEDS, LONG_SIM_SEEDS, SANITIZED_SIM_SEEDS = 500, 10_000, 200
FUZZ_SECONDS = int(os.environ.get("ELANUS_FUZZ_SECONDS", "300"))


def environment() -> Dict[str, str]:
    """Paths relative to the tree in ccache's keys, so that a clone elsewhere on the machine finds what this one compiled; and what the thread
    sanitizer need not say."""
    return {**os.environ, "CCACHE_BASEDIR": str(ROOT), "CCACHE_NOHASHDIR": "1",
            "CCACHE_SLOPPINESS": "pch_defines,time_macros", "PYTHONDONTWRITEBYTECODE": "1",
            "TSAN_OPTIONS": f"suppressions={ROOT}/tests/tsan.supp"}


def run(name: str, command: List[str], minutes: float, env: Optional[Dict[str, str]] = None) -> int:
    """Runs a command with its output in build/test-logs/NAME.log; a command over its time is killed with its children."""
    log = LOGS / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                   env={**environment(), **(env or {})}, start_new_session=True)
        try:
            return process.wait(minutes * 60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            out.write(f"\nstopped after {minutes:g} minutes\n".encode())
            return 124
        except BaseException:
            os.killpg(process.pid, 9)
            raise


def tail(name: str, lines: int = 25) -> str:
    text = (LOGS / f"{name}.log").read_text(errors="replace").rstrip().splitlines()
    return "\n".join("    " + line[:240] for line in text[-lines:])


def failure(name: str, what: str) -> Counts:
    return Counts(0, 1, notes=[f"{what}; build/test-logs/{name}.log ends with", tail(name)])


# --- parts -----------------------------------------------------------------------------------------------------------

def targets(preset: str) -> List[str]:
    out = subprocess.run(["ninja", "-C", f"build/{preset}", "-t", "targets", "all"], cwd=ROOT, capture_output=True, text=True).stdout
    return [line.split(":")[0] for line in out.splitlines()]


def build(preset: str, minutes: float = 40, everything: bool = False) -> Counts:
    log = f"build-{preset}"
    if run(log, ["cmake", "--preset", preset], 5) != 0:
        return failure(log, f"cmake --preset {preset} failed")
    wanted = [t for t in ("elanus", "unit_tests", "crash_sim") if t in targets(preset)]
    if run(log, ["ninja", "-C", f"build/{preset}", *([] if everything else wanted)], minutes) != 0:
        return failure(log, f"the {preset} build failed")
    return Counts(1, 0)


def unit(preset: str = "release", minutes: float = 10) -> Counts:
    shown = subprocess.run(["ctest", "--test-dir", f"build/{preset}", "--show-only=json-v1"], cwd=ROOT, capture_output=True, text=True)
    tests = [t for t in json.loads(shown.stdout)["tests"] if t.get("command")]

    # The longest one goes first and in parts, so that no core waits for it at the end.
    jobs = [(t, f"{t['name']}-{part}", {"GTEST_TOTAL_SHARDS": str(CORES), "GTEST_SHARD_INDEX": str(part)})
            for t in tests if t["name"] == LONGEST for part in range(CORES)]
    jobs += [(t, t["name"], {}) for t in tests if t["name"] != LONGEST]

    def one(job: tuple) -> Counts:
        test, name, env = job
        report = LOGS / f"{preset}-{name}.json"
        report.unlink(missing_ok=True)
        code = run(f"{preset}-{name}", [*test["command"], f"--gtest_output=json:{report}"], minutes, env)
        counts = from_gtest(report) if report.exists() else Counts()
        if code != 0 and counts.failed == 0:  # died half-way: its report is missing or says nothing of it
            return counts + failure(f"{preset}-{name}", f"{name} ended with {code}")
        if counts.failed:
            counts.notes.append(tail(f"{preset}-{name}"))
        return counts

    with ThreadPoolExecutor(CORES) as pool:
        return sum(pool.map(one, jobs), Counts())


def pytest(name: str, paths: List[str], minutes: float, env: Optional[Dict[str, str]] = None, workers: int = CORES, extra: List[str] = ()) -> Counts:
    report = LOGS / f"{name}.xml"
    report.unlink(missing_ok=True)
    command = [PYTHON, "-m", "pytest", *paths, "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *extra]
    if workers > 1:
        command += ["-n", str(workers), "--dist", "loadfile"]
    code = run(name, command, minutes, env)
    counts = from_junit(report) if report.exists() else Counts()
    if code != 0 and counts.failed == 0:
        return counts + failure(name, f"pytest {' '.join(paths)} ended with {code}")
    if counts.failed:
        counts.notes.append(tail(name))
    return counts


def tools_tests() -> Counts:
    return pytest("tools", ["tests/tools"], 2, workers=1)


def check(names: List[str] = (), fresh: bool = False, minutes: float = 30) -> Counts:
    report = LOGS / "check.json"
    report.unlink(missing_ok=True)
    code = run("check", [sys.executable, "tools/check", "--json", str(report), *(["--fresh"] if fresh else []), *names], minutes)
    counts = from_json(report) if report.exists() else Counts()
    if code != 0 and counts.failed == 0:
        return counts + failure("check", f"tools/check ended with {code}")
    if counts.failed:
        counts.notes.append(tail("check", 40))
    return counts


def server(preset: str) -> Dict[str, str]:
    return {"ELANUS_BINARY": str(ROOT / "build" / preset / "elanus")}


def has_server(preset: str) -> bool:
    return (ROOT / "build" / preset / "elanus").exists()


def e2e(preset: str = "release", minutes: float = 15) -> Counts:
    if not has_server(preset):
        return Counts(skipped=1)
    return pytest(f"e2e-{preset}", ["tests/e2e"], minutes, server(preset)) + \
        pytest(f"sdk-{preset}", ["tests/sdk"], 5, server(preset), workers=1)


# What crosses the boundary between the roles in every way: DDL, writes, each kind of read.
COPIED = ["collection", "partition_alias", "index", "load", "write", "types", "filter", "query", "search", "iterator", "consistency"]


def copied() -> Counts:
    """The same server with every call between roles sent through its byte form, as in a cluster."""
    if not has_server("release"):
        return Counts(skipped=1)
    env = {**server("release"), "ELANUS_E2E_CONFIG": "service.copy_calls: 1\n"}
    return pytest("copied", [f"tests/e2e/test_{name}.py" for name in COPIED], 10, env)


def crash(cycles: int, seed: Optional[int] = None, minutes: float = 44) -> Counts:
    if not has_server("release"):
        return Counts(skipped=1)
    report = LOGS / "crash.json"
    report.unlink(missing_ok=True)
    command = [PYTHON, "tests/crash/crash.py", "--cycles", str(cycles), "--json", str(report)]
    code = run("crash", command + (["--seed", str(seed)] if seed is not None else []), minutes, server("release"))
    counts = from_json(report) if report.exists() else Counts()
    if code != 0 and counts.failed == 0:
        counts = counts + failure("crash", f"the crash test ended with {code}")
    elif counts.failed:
        counts.notes.append(tail("crash", 40))
    return counts


def crash_sim(seeds: int, preset: str = "release", minutes: float = 20) -> Counts:
    """Power losses on a simulated disk: one seed is one test."""
    report = LOGS / "crash-sim.json"
    report.unlink(missing_ok=True)
    # More jobs than cores: a seed mostly waits for threads of its own to take turns, which takes long on a busy machine.
    command = [f"build/{preset}/tests/crash/crash_sim", "--seeds", str(seeds), "--jobs", str(4 * CORES), "--json", str(report)]
    code = run("crash-sim", command, minutes)
    counts = from_json(report) if report.exists() else Counts()
    if code != 0 and counts.failed == 0:
        counts = counts + failure("crash-sim", f"the crash simulation ended with {code}")
    elif counts.failed:
        counts.notes.append(tail("crash-sim", 60))
    return counts


def large_iterators() -> Counts:
    return pytest("iterators", ["tests/e2e/test_iterator_snapshot.py"], 15, {**server("release"), "ELANUS_ITERATOR_ROWS": "100000"}, workers=1,
                  extra=["--timeout=400"])


def sync_mutants() -> Counts:
    """Each sync of the storage code left out in turn: some crash test must turn red."""
    report = LOGS / "sync-mutants.json"
    report.unlink(missing_ok=True)
    code = run("sync-mutants", [PYTHON, "tests/crash/sync_mutants.py", "--seeds", str(SHORT_SIM_SEEDS), "--json", str(report)], 30)
    counts = from_json(report) if report.exists() else Counts()
    if code != 0 and counts.failed == 0:
        return counts + failure("sync-mutants", f"the run over syncs left out ended with {code}")
    if counts.failed:
        counts.notes.append(tail("sync-mutants", 30))
    return counts


def in_turn(progress: "Progress", counts: Counts, units: Dict[str, Callable[[], Counts]], go_on: bool = False) -> Counts:
    """Adds what each unit counts, or counted when it was green for this very tree; stops at the first failure unless told to go on."""
    for name, unit_of_part in units.items():
        if counts.failed and not go_on:
            break
        done = progress.done(name)
        ran = Counts(done["passed"], 0) if done else unit_of_part()
        if not ran.failed and not done:
            progress.mark(name, {"passed": ran.passed})
        counts += ran
    return counts


def sanitized(preset: str) -> Callable[["Progress"], Counts]:
    def part(progress: "Progress") -> Counts:
        counts = build(preset)
        if counts.failed:
            return counts
        units = {"unit": lambda: unit(preset, 20), "sim": lambda: crash_sim(SANITIZED_SIM_SEEDS, preset), "e2e": lambda: e2e(preset, 25)}
        return in_turn(progress, counts, units, go_on=True)
    return part


def fuzz(progress: "Progress") -> Counts:
    counts = build("fuzz", everything=True)
    if counts.failed:
        return counts

    def one(name: str) -> Counts:
        if progress.done(name):
            return Counts(1, 0)
        corpus = ROOT / "build" / "fuzz-corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        command = [str(ROOT / "build" / "fuzz" / "fuzz" / name), str(corpus), f"-max_total_time={FUZZ_SECONDS}",
                   "-timeout=10", "-rss_limit_mb=4096", f"-artifact_prefix={LOGS}/{name}-", "-print_final_stats=1"]
        if run(name, command, FUZZ_SECONDS / 60 + 5) != 0:
            return failure(name, f"{name} found something")
        progress.mark(name)
        return Counts(1, 0)

    with ThreadPoolExecutor(CORES) as pool:
        return sum(pool.map(one, sorted(p.stem for p in (ROOT / "fuzz").glob("*_fuzz.cc"))), counts)


def long_crash(progress: "Progress") -> Counts:
    units = {"sim": lambda: crash_sim(LONG_SIM_SEEDS), "iterators": large_iterators, "sync-mutants": sync_mutants}
    units |= {str(chunk): lambda: crash(LONG_CRASH_CHUNK) for chunk in range(LONG_CRASH_CYCLES // LONG_CRASH_CHUNK)}
    return in_turn(progress, build("release"), units)


def short(part: Callable[[], Counts]) -> Callable[["Progress"], Counts]:
    return lambda progress: part()


SHORT = {
    "build": short(lambda: build("release")),
    "unit": short(unit),
    "tools": short(tools_tests),
    "check": short(check),
    "e2e": short(e2e),
    "copied": short(copied),
    "crash-sim": short(lambda: crash_sim(SHORT_SIM_SEEDS)),
    "crash-short": short(lambda: crash(SHORT_CRASH_CYCLES, minutes=5)),
}
LONG = {
    "asan": sanitized("asan"),
    "tsan": sanitized("tsan"),
    "fuzz": fuzz,
    "crash": long_crash,
    "tidy": short(lambda: check(["headers", "tidy"], fresh=True, minutes=44)),
    "gcc": short(lambda: build("gcc", everything=True)),
}


# --- the run ---------------------------------------------------------------------------------------------------------

class Progress:
    """What of a part was green for this very tree, so that a long run that was stopped goes on where it was."""

    _one_at_a_time = threading.Lock()

    def __init__(self, part: str, digest: str):
        self.part, self.digest = part, digest

    def _load(self) -> dict:
        try:
            state = json.loads(STATE.read_text())
        except (OSError, ValueError):
            state = {}
        return state if state.get("tree") == self.digest else {"tree": self.digest}

    def done(self, unit_name: str) -> Optional[dict]:
        return self._load().get(self.part, {}).get(unit_name)

    def mark(self, unit_name: str, value: Optional[dict] = None) -> None:
        with self._one_at_a_time:
            state = self._load()
            state.setdefault(self.part, {})[unit_name] = value or {"passed": 1}
            part = STATE.with_suffix(".part")
            part.write_text(json.dumps(state))
            part.replace(STATE)


def digest_of_tree() -> str:
    source = tree.Tree(ROOT)
    h = hashlib.sha256()
    for path in source.files:
        h.update(path.encode() + b"\0" + (ROOT / path).read_bytes() + b"\0")
    return h.hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(prog="./test", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"short: {' '.join(SHORT)}; long: {' '.join(LONG)}")
    parser.add_argument("--all", action="store_true", help="short and long parts; green ones of the same tree are not run again")
    args = parser.parse_args()
    known = {**SHORT, **LONG}
    for name in args.parts:
        if name not in known:
            parser.error(f"no part is called {name}; there are: {' '.join(known)}")
    names = args.parts or list(known if args.all else SHORT)

    os.chdir(ROOT)
    LOGS.mkdir(parents=True, exist_ok=True)
    digest = digest_of_tree()
    total = Counts()
    for name in names:
        progress = Progress(name, digest)
        before = progress.done("all") if args.all else None
        start = time.monotonic()
        counts = Counts(before["passed"], 0) if before else known[name](progress)
        if counts.passed + counts.failed + counts.skipped == 0:
            counts = Counts(0, 1, notes=[f"    {name} ran no test"])
        print(counts.line(name, time.monotonic() - start, "green already" if before else ""), flush=True)
        for note in counts.notes if counts.failed else ():
            print(note, flush=True)
        if not counts.failed and counts.passed:
            progress.mark("all", {"passed": counts.passed})
        total += counts
        if counts.failed and name == "build":
            break  # nothing after it would say anything new
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped")
        sys.exit(130)
