#!/usr/bin/env python3
"""Qdrant's engine beside Elanus: the same rows, queries and recalls; CPU time, memory and disk.

    build/venv/bin/python bench/server/qdrant.py --out WHERE-RUN-PY-PUT-ITS-RESULTS

No registry has Qdrant's server; the PyPI package qdrant-edge-py has its engine, called in process. So a query of Qdrant's is the engine on one thread
and its Python binding, without a network, and one of Elanus the whole server. Each round measures Elanus first, by bench/replay, then Qdrant; run.py's
load must have run in --out. Settings: HNSW m 16, ef_construct 200, one segment, an integer index on `part`; `qdrant` keeps floats, `qdrant-int8` their
int8 codes too and ranks twice as many as asked by floats at the end.
"""
import argparse
import json
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dataset  # noqa: E402
import run  # noqa: E402
from report import FILTERS  # noqa: E402

PACKAGE = "qdrant-edge-py==0.9.0"
K = 10
EF_MAX = 4000


class Peer:
    process = None

    def __init__(self, args, name: str, python: Path):
        self.args, self.name, self.python = args, name, python

    def ask(self, call: str, **arguments) -> dict:
        if self.process is None:
            again = ["--again"] if call == "load" else []
            program = [str(self.python), str(Path(__file__).with_name("qdrant_shard.py")), "--name", self.name, *again]
            command = [*program, "--rows", str(self.args.rows), "--cache", str(self.args.cache), "--out", str(self.args.out)]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(json.dumps({"call": call, **arguments}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self.process.wait()}")
        return json.loads(line)

    def least_ef(self, recall: float) -> int:
        low, high = K, 2 * K
        while self.ask("search", ef=high, below=1000, rounds=1)["recall"] < recall:
            low, high = high, 2 * high
            if low > EF_MAX:
                raise RuntimeError(f"{self.name} does not reach recall {recall}")
        while high - low > max(1, high // 40):
            middle = (low + high) // 2
            enough = self.ask("search", ef=middle, below=1000, rounds=1)["recall"] >= recall
            low, high = (low, middle) if enough else (middle, high)
        return high

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def python_of_peer(cache: Path) -> Path:
    python = cache / "qdrant-env" / "bin" / "python"
    if not python.exists():
        print("installing Qdrant's engine", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(cache / "qdrant-env")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", PACKAGE, "numpy"], check=True)
    return python


def load(args, peer: Peer) -> None:
    values, loaded = run.Values(args.out, "load", peer.name), peer.ask("load")
    values.say("CPU until indexed", loaded["cpu"])
    values.say("disk", loaded["disk"] / 1e6)
    peer.kill()  # what it needs to search is measured in a new process
    for tag, recall in run.RECALLS.items():
        values.say(f"ef for recall {tag}", peer.least_ef(recall))
    memory = peer.ask("memory")
    print(f"{peer.name}: {memory['segments']} segments")
    values.say("memory, loaded", memory["bytes"] / 1e6)
    values.save()


def compare(args) -> int:
    data = dataset.load(args.cache, args.rows)
    expected = {below: data.nearest(K, below) for below in (1000, *FILTERS.values())}
    beside = run.Bench(argparse.Namespace(**{**vars(args), "servers": "elanus"}), data, expected)
    elanus, = beside.servers
    peers = [Peer(args, name, python_of_peer(args.cache)) for name in ("qdrant", "qdrant-int8")]
    try:
        for peer in peers:
            if not run.Values(args.out, "load", peer.name).there():
                load(args, peer)
        for number in range(args.rounds):
            beside.running(elanus)
            mine = beside.values(f"search-beside-qdrant-{number}", elanus)
            beside.replayed(elanus, mine)
            mine.save()
            for peer in peers:
                values, loaded = (run.Values(args.out, part, peer.name) for part in (f"search-{number}", "load"))
                efs = {tag: int(loaded.one(f"ef for recall {tag}")) for tag in run.RECALLS}
                for tag, ef in efs.items():
                    values.say(f"server CPU a query, recall {tag}, 8 clients", peer.ask("search", ef=ef, below=1000, rounds=2)["cpu"] * 1e6)
                for share, below in FILTERS.items():
                    got = peer.ask("search", ef=efs[".95"], below=below, rounds=2)
                    values.say(f"server CPU a query, filtered to {share}", got["cpu"] * 1e6)
                    values.say(f"recall, filtered to {share}", got["recall"])
                    values.say(f"answers with fewer rows than asked, {share}", got["short"])
                values.save()
        beside.servers += peers
        beside.table()
    finally:
        for server in {*peers, elanus}:
            if server.process is not None:
                server.kill()
    return 0


def main() -> int:
    parser = run.arguments(__doc__, port=22530, seconds=5)
    parser.set_defaults(again=False)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return compare(args)


if __name__ == "__main__":
    sys.exit(main())
