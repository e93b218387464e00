#!/usr/bin/env python3
"""The crash test: writers write, the server is killed with SIGKILL, started again, and must owe nothing.

    build/venv/bin/python tests/crash/crash.py --cycles 50 [--seed N] [--keep]
After each start: every acknowledged row is there with its last version and content, no deleted row is back, no row is there twice,
a write without an answer is there whole or not at all, and the same as the last time; the same for collections, partitions and
aliases. Sizes are so small that flush, merge and index build happen all the time. Most kills are aimed: they wait until the phase that had
the fewest kills so far begins. Which phases a kill interrupted is read from the server's log (a `begin` without its `end`). Prints the
kills of each phase, and fails when a phase had none. A failing run keeps its data folder and log and prints their place.
"""
import argparse
import collections
import faulthandler
import json
import logging
import os
import random
import re
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]
from harness.client import connect  # noqa: E402
from harness.server import Server, ServerFailed  # noqa: E402
from ledger import Catalogue, Ledger, row, vectors  # noqa: E402
from workload import COLLECTION, KEYS_PER_WRITER, WRITES, Definer, Writer, index, schema  # noqa: E402

WRITERS = 3
READY_SECONDS_MAX = 5
LOGGED = ("flush", "publish", "merge", "build", "ddl", "recovery")  # the server logs `NAME begin` and `NAME end`
PHASES = ("append",) + LOGGED

# So small that a second of writing seals, merges and indexes segments, and old versions go at once.
CONFIG = """\
segment:
  growing_bytes: 131072
  flush_age_ms: 300
  merged_bytes_max: 4194304
  small_segments_max: 2
history:
  retention_ms: 1000
build:
  threads: 1
  settle_ms: 0
server:
  log_debug: 1
"""
logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs each lost connection at length


class Run:
    def __init__(self, seed: int, folder: Path):
        self.random = random.Random(seed)
        self.folder = folder
        self.server = Server(folder / "data", config=CONFIG)
        self.ledgers = [Ledger() for _ in range(WRITERS)]
        self.catalogue = Catalogue()
        self.kills = collections.Counter()
        self.problems = []
        self.rows_checked = self.refused = 0
        self.ready_seconds_max = 0.0

    # --- one cycle ---

    def cycle(self, number: int) -> None:
        if number and (self.rarest() == "recovery" or self.random.random() < 0.1):
            self.kill_in_recovery()
        seconds = self.server.start(timeout=120)
        self.ready_seconds_max = max(self.ready_seconds_max, seconds)
        if seconds > READY_SECONDS_MAX * overload():
            self.problems.append(f"cycle {number}: ready after {seconds:.1f} s")
        client = connect(self.server.uri)
        try:
            if number == 0:
                client.create_collection(COLLECTION, schema=schema(), index_params=index(client), consistency_level="Strong")
            else:
                self.problems += [f"cycle {number}: {p}" for p in self.verify(client)]
            self.write_and_kill(client)
        finally:
            client.close()
            self.server.kill()

    def rarest(self) -> str:
        return min(LOGGED, key=lambda phase: (self.kills[phase], self.random.random()))

    def kill_in_recovery(self) -> None:
        """Starts the server only to kill it while it recovers."""
        tail = LogTail(self.server.log_path)
        killer = threading.Thread(target=lambda: (tail.wait("recovery", 10), self.pause(), self.server.kill_now()))
        killer.start()
        try:
            self.server.start(timeout=120)
        except ServerFailed:
            pass
        killer.join()
        self.server.kill()
        tail.read()
        self.count_kill(set(), tail)

    def pause(self) -> None:
        """How far into a phase its kill comes."""
        time.sleep(self.random.choice((0, 0, 0.001, 0.003, 0.01)))

    def write_and_kill(self, client) -> None:
        workers = [Writer(client, n, ledger, self.random.getrandbits(32)) for n, ledger in enumerate(self.ledgers)]
        workers.append(Definer(client, self.catalogue, self.random.getrandbits(32)))
        tail = LogTail(self.server.log_path)
        for worker in workers:
            worker.start()
        time.sleep(self.random.uniform(0.05, 0.5))
        if self.random.random() < 0.7 and tail.wait(self.rarest(), 1.0):
            self.pause()
        busy = {w.busy for w in workers if w.busy}
        self.server.kill()
        tail.read()  # all it wrote before it died
        self.count_kill(busy, tail)
        for worker in workers:
            worker.stop.set()
        for worker in workers:
            worker.join(60)
            if worker.is_alive():
                self.problems.append("a client call did not return within 60 s of the kill")
            if worker.failed:
                raise worker.failed
            self.refused += worker.refused
            if worker.refused:
                self.problems.append(f"{worker.refused} requests refused, the last: {worker.last_refusal}")

    def count_kill(self, busy: set, tail: "LogTail") -> None:
        self.kills["total"] += 1
        self.kills["append"] += any(b in WRITES for b in busy)
        for phase in LOGGED:
            self.kills[phase] += tail.open[phase] > 0

    # --- what the server owes ---

    def verify(self, client) -> list:
        problems = []
        found = [dict() for _ in range(WRITERS)]
        iterator = client.query_iterator(COLLECTION, batch_size=5000, output_fields=["id", "version", "text", "vector"])
        rows = []
        while page := iterator.next():
            rows += page
        iterator.close()
        self.rows_checked += len(rows)
        keys = [r["id"] for r in rows]
        if len(set(keys)) != len(keys):
            problems.append(f"{len(keys) - len(set(keys))} rows were read twice")
        if keys != sorted(keys):
            problems.append("rows were not read in key order")
        if rows:
            got = np.array([r["vector"] for r in rows], np.float32)
            want = vectors(keys, [r["version"] for r in rows])
            wrong = [k for k, same in zip(keys, (got == want).all(axis=1)) if not same]
            wrong += [r["id"] for r in rows if r["text"] != f"{r['id']}:{r['version']}"]
            if wrong:
                problems.append(f"{len(wrong)} rows have fields of another row or version, for example {wrong[:5]}")
        for r in rows:
            found[r["id"] // KEYS_PER_WRITER][r["id"]] = r["version"]
        gone = [(k, v) for ledger in self.ledgers for k, v in list(ledger.live.items())]
        for ledger, mine in zip(self.ledgers, found):
            problems += ledger.settle(mine)
        count = client.query(COLLECTION, filter="", output_fields=["count(*)"])[0]["count(*)"]
        live = sum(len(ledger.live) for ledger in self.ledgers)
        if count != live:
            problems.append(f"count(*) is {count}, read were {live} rows")
        problems += self.verify_search(client, gone)
        problems += self.catalogue.settle(self.read_catalogue(client))
        return problems

    def verify_search(self, client, before: list) -> list:
        live = {k: v for ledger in self.ledgers for k, v in ledger.live.items()}
        sample = self.random.sample(sorted(live), min(20, len(live)))
        dead = [e for e in before if live.get(e[0]) != e[1]][:10]
        asked = [(k, live[k]) for k in sample] + dead
        if not asked:
            return []
        problems = []
        queries = vectors([k for k, _ in asked], [v for _, v in asked])
        hits = client.search(COLLECTION, queries.tolist(), limit=1, output_fields=["version"], search_params={"params": {"ef": 200}})
        for (key, version), one in zip(asked, hits):
            same = bool(one) and one[0]["id"] == key and one[0]["entity"]["version"] == version and one[0]["distance"] < 1e-6
            if same != (live.get(key) == version):
                problems.append(f"search for row {key} version {version} found {one[:1]}; " + ("it is live" if key in sample else "it is gone"))
        return problems

    def read_catalogue(self, client) -> dict:
        found = {}
        for name in client.list_collections():
            if name == COLLECTION:
                continue
            rows = int(client.get_collection_stats(name)["row_count"])
            found[name] = ((tuple(sorted(client.list_partitions(name))), tuple(client.list_aliases(name)["aliases"])), rows)
        return found


def overload() -> float:
    """How many processes share a core and its disk: what is promised of an idle machine takes this many times as long."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class LogTail:
    """Follows the server's log from now on: which phases have begun and not ended."""

    LINE = re.compile(rb"\b(%s) (begin|end)\b" % "|".join(LOGGED).encode())

    def __init__(self, path: Path):
        path.touch()
        self.file = path.open("rb")
        self.file.seek(0, 2)
        self.rest = b""
        self.open = collections.Counter()

    def read(self) -> set:
        """Takes in what is new; the phases that began in it."""
        lines = (self.rest + self.file.read()).split(b"\n")
        self.rest, began = lines.pop(), set()
        for line in lines:
            match = self.LINE.search(line)
            if match:
                phase, begins = match.group(1).decode(), match.group(2) == b"begin"
                self.open[phase] += 1 if begins else -1
                if begins:
                    began.add(phase)
        return began

    def wait(self, phase: str, seconds: float) -> bool:
        """Until `phase` begins; False when it does not in that time."""
        self.read()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if phase in self.read():
                return True
            time.sleep(0.0005)
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", action="store_true", help="keep the data folder of a green run too")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().getrandbits(32)
    folder = Path(tempfile.mkdtemp(prefix="elanus-crash-"))
    print(f"seed {seed}, {args.cycles} cycles, data in {folder}", flush=True)
    faulthandler.dump_traceback_later(60 + args.cycles * 60, exit=True)

    run, began, done = Run(seed, folder), time.monotonic(), 0
    try:
        for number in range(args.cycles):
            run.cycle(number)
            done = number + 1
            if run.problems:
                break
        if not run.problems:  # what the last kill left
            run.server.start()
            client = connect(run.server.uri)
            run.problems += run.verify(client)
            client.close()
    except ServerFailed as error:
        run.problems.append(f"cycle {done}: the server {error}")
    finally:
        run.server.kill()

    print(f"kills: {run.kills['total']}, of them " + ", ".join(f"{run.kills[p]} in {p}" for p in PHASES))
    acknowledged = collections.Counter()
    for book in (*run.ledgers, run.catalogue):
        acknowledged.update(book.acknowledged)
    print("acknowledged: " + ", ".join(f"{n} {k}" for k, n in sorted(acknowledged.items())))
    print(f"{run.rows_checked} rows checked, ready in at most {run.ready_seconds_max * 1000:.0f} ms, {time.monotonic() - began:.0f} s")
    never = [p for p in PHASES if not run.kills[p]]
    if never and args.cycles >= 30:
        run.problems.append(f"no kill fell into: {', '.join(never)}")
    for problem in run.problems:
        print(f"FAILED: {problem}")
    failed = 1 if run.problems else 0
    if failed or args.keep:
        print(f"kept: {folder} (data, log), seed {seed}")
    else:
        shutil.rmtree(folder)
    if args.json:
        args.json.write_text(json.dumps({"passed": done if not failed else max(0, done - 1), "failed": failed}))
    print(f"{done if not failed else max(0, done - 1)} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    sys.exit(main())
