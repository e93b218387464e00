#!/usr/bin/env python3
"""Leaves out each sync of the storage code in turn and shows that a crash test turns red.

    build/venv/bin/python tests/crash/sync_mutants.py [--seeds 500] [--only TEXT] [--json FILE]
Finds every call of Sync and SyncDir in the code that makes files durable, the calls of the kernel below them and RocksDB's option, and for
each: takes it out of a copy of the tree, builds, runs crash_sim until its first failing seed, and, when all of its seeds stay green,
the crash tests of the storage room. A sync that nothing misses fails the run: it is either redundant or not tested. Prints the table of docs/design/0004-crash-tests.md.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "build" / "sync-mutants"
PARTS = ["CMakeLists.txt", "CMakePresets.json", "api", "bench", "cmake", "fuzz", "src", "tests"]
# Where calls are looked for, and what a call is replaced by. The simulated disk is what is called, the tests are what must notice.
WATCHED = ["src/base/file_system.cc", "src/base/posix_file_system.cc", "src/storage", "src/worker", "src/coordinator"]
CALL = re.compile(r"(?<![\w:])(?:\w+(?:->|\.))?Sync(?:Dir)?\(|::f(?:data)?sync\(|\.sync = true")
STORAGE_TESTS = "FileLog*:DirectoryObjectStore*:RealSync*"


class Site(NamedTuple):
    path: str
    line: int
    start: int  # of the call in the file's text
    end: int
    call: str


def sites(root: Path) -> List[Site]:
    found = []
    for watched in WATCHED:
        paths = [root / watched] if watched.endswith(".cc") else sorted((root / watched).rglob("*.cc"))
        for path in paths:
            if path.name.endswith("_test.cc"):
                continue
            text = path.read_text()
            for match in CALL.finditer(text):
                before = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
                if before.rstrip().endswith("Status") or "//" in before:
                    continue  # a declaration or a comment
                end, depth = match.end(), match.group().endswith("(")
                while depth:
                    depth += {"(": 1, ")": -1}.get(text[end], 0)
                    end += 1
                found.append(Site(str(path.relative_to(root)), text.count("\n", 0, match.start()) + 1, match.start(), end, text[match.start():end]))
    return found


def nothing(call: str) -> str:
    return ".sync = false" if "=" in call else "0" if call.startswith("::") else "Status::Ok()"


def run(command: List[str], log: Path, minutes: float) -> int:
    environment = {**os.environ, "CCACHE_BASEDIR": str(COPY), "CCACHE_NOHASHDIR": "1", "CCACHE_SLOPPINESS": "pch_defines,time_macros"}
    with log.open("wb") as out:
        try:
            return subprocess.run(command, cwd=COPY, stdout=out, stderr=subprocess.STDOUT, timeout=minutes * 60, env=environment).returncode
        except subprocess.TimeoutExpired:
            return 124


def build(log: Path) -> None:
    if run(["ninja", "-C", "build/release", "crash_sim", "storage_test"], log, 30) != 0:
        sys.exit(f"the copy does not build; {log} says why")


def copy_tree() -> None:
    """Brings the copy to the state of the tree. A file that is the same is not touched, so that it is not built again; one that a
    stopped run left changed gets a new time with its old bytes, so that it is."""
    COPY.mkdir(parents=True, exist_ok=True)
    wanted = set()
    for part in PARTS:
        for source in [ROOT / part] if (ROOT / part).is_file() else (ROOT / part).rglob("*"):
            if not source.is_file():
                continue
            target = COPY / source.relative_to(ROOT)
            wanted.add(target)
            if not target.exists() or target.read_bytes() != source.read_bytes():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    for part in PARTS:
        for target in (COPY / part).rglob("*") if (COPY / part).is_dir() else ():
            if target.is_file() and target not in wanted:
                target.unlink()


def notices(seeds: int, logs: Path, number: int) -> str:
    """What turns red, or nothing."""
    log = logs / f"{number:02}-sim.log"
    code = run(["build/release/tests/crash/crash_sim", "--seeds", str(seeds), "--jobs", str(4 * (os.cpu_count() or 1)), "--quick"], log, 20)
    if code != 0:
        failed = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("seed ")]
        return "crash_sim, " + (failed[0] if failed else f"ended with {code}")
    log = logs / f"{number:02}-storage.log"
    if run(["build/release/src/storage/storage_test", f"--gtest_filter={STORAGE_TESTS}", "--gtest_fail_fast"], log, 10) != 0:
        failed = re.findall(r"FAILED  \] (\S+)", log.read_text(errors="replace"))
        return "storage_test, " + (failed[0] if failed else "which died")
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--only", default="", help="sites whose path:line contains this")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    copy_tree()
    logs = COPY / "logs"
    logs.mkdir(exist_ok=True)
    if run(["cmake", "--preset", "release"], logs / "cmake.log", 5) != 0:
        sys.exit(f"cmake failed; see {logs / 'cmake.log'}")
    build(logs / "build.log")
    if what := notices(args.seeds, logs, 0):
        sys.exit(f"the unchanged tree is red: {what}")

    unnoticed, seen = 0, 0
    print("| sync left out | what turns red |\n|---|---|", flush=True)
    for number, site in enumerate(sites(COPY), 1):
        name = f"{site.path}:{site.line}"
        if args.only not in name:
            continue
        path = COPY / site.path
        whole = path.read_text()
        try:
            path.write_text(whole[:site.start] + nothing(site.call) + whole[site.end:])
            build(logs / f"{number:02}-build.log")
            what = notices(args.seeds, logs, number)
        finally:
            path.write_text(whole)
        seen += 1
        unnoticed += not what
        print(f"| `{name}` `{' '.join(site.call.split())}` | {what or '**nothing**'} |", flush=True)
    if args.json:
        args.json.write_text(json.dumps({"passed": seen - unnoticed, "failed": unnoticed}))
    print(f"{seen - unnoticed} passed, {unnoticed} failed")
    return 1 if unnoticed or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
