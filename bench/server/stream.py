#!/usr/bin/env python3
"""Searches beside a steady stream of inserts: QPS, p99 and recall against those of the quiet server.

    build/venv/bin/python bench/server/stream.py --seconds 600
Loads --base rows of a synthetic 768-d set (bench/ann/data.py), waits for their index, measures searches by 8 clients (bench/replay, no search
parameters: the server's own choice of effort); then inserts --rate rows a second for --seconds and measures the same searches once every --every
seconds, --stretch seconds long each; then, when all is indexed, the quiet server again at the size that the stream left. Recall is that of a
Strong search of 100 queries against brute force over the rows acknowledged before it. `cpu_us` is all of the server's CPU time, inserts and
merges too, by the searches answered.
"""
import argparse
import json
import shutil
import signal
import statistics
import sys
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
from pymilvus import DataType

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "ann")]
import data as synthetic_data  # noqa: E402
import servers  # noqa: E402
import wire  # noqa: E402

DIM, K, BATCH = 768, 10, 100


class Writer(threading.Thread):
    """Inserts rows in order at a rate; `acknowledged` of them are in."""

    def __init__(self, uri: str, rows: np.ndarray, first: int, rate: float):
        super().__init__(daemon=True)
        self.uri, self.rows, self.first, self.rate = uri, rows, first, rate
        self.acknowledged, self.late, self.done = first, 0.0, threading.Event()

    def run(self) -> None:
        client, began = wire.connect(self.uri), time.monotonic()
        for start in range(self.first, len(self.rows), BATCH):
            due = began + (start - self.first) / self.rate
            time.sleep(max(0.0, due - time.monotonic()))
            self.late = max(self.late, time.monotonic() - due)
            insert(client, self.rows, start, min(start + BATCH, len(self.rows)))
            self.acknowledged = min(start + BATCH, len(self.rows))
            if self.done.is_set():
                return
        self.done.set()


def segments(port: int) -> int:
    """How many a search asks, growing ones too."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as reply:
        return sum(int(line.split()[-1]) for line in reply.read().decode().splitlines() if line.startswith("elanus_segments{"))


def insert(client, rows: np.ndarray, start: int, end: int) -> None:
    client.insert(wire.COLLECTION, [{"id": i, "vector": rows[i]} for i in range(start, end)])


def create(client) -> None:
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="AUTOINDEX", metric_type="COSINE")
    client.create_collection(wire.COLLECTION, schema=schema, index_params=indexes, consistency_level="Bounded")


def until_indexed(client, rows: int) -> None:
    while True:
        about = client.describe_index(wire.COLLECTION, "vector")
        if int(about["pending_index_rows"]) == 0 and int(about["indexed_rows"]) >= rows:
            return
        time.sleep(0.5)


def recall(client, unit: np.ndarray, queries: np.ndarray, acknowledged) -> float:
    rows = acknowledged()
    hits = client.search(wire.COLLECTION, queries.tolist(), limit=K, consistency_level="Strong", search_params={"metric_type": "COSINE"})
    found = 0
    for query, got in zip(queries, hits):
        ids = [hit["id"] for hit in got]
        # A row inserted while the search was on its way counts with those it was measured against.
        truth = np.argpartition(-(unit[:max(rows, max(ids) + 1)] @ query), K)[:K]
        found += len(set(ids) & set(truth.tolist()))
    return found / (K * len(queries))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path.home() / ".cache" / "elanus-bench"
    parser.add_argument("--base", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--every", type=float, default=30)
    parser.add_argument("--stretch", type=float, default=8)
    parser.add_argument("--port", type=int, default=21930)
    parser.add_argument("--out", type=Path, default=cache / "stream")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped below
    args.out.mkdir(parents=True, exist_ok=True)
    total = args.base + int(args.rate * args.seconds)
    print(f"making {total:,} vectors", flush=True)
    vectors = synthetic_data.synthetic(total + 1000)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    base, queries = vectors[:total], vectors[total:]
    server = servers.Elanus(cache, args.port, args.out)
    server.wipe()
    server.start()
    table = []
    try:
        client = wire.connect(server.uri)
        create(client)
        for start in range(0, args.base, 1000):
            insert(client, base, start, min(start + 1000, args.base))
        client.flush(wire.COLLECTION)
        until_indexed(client, args.base)
        requests = args.out / "search.requests"
        options = dict(limit=K, consistency_level="Bounded", search_params={"metric_type": "COSINE"})
        wire.record_searches(server.uri, queries, options, requests)

        def stretch(name: str, acknowledged) -> None:
            got = wire.replay(server, "Search", requests, 8, args.stretch)
            row = dict(when=name, rows=acknowledged(), qps=got["qps"], p99_ms=got["p99_ms"], cpu_us=got["server_cpu_us"],
                       segments=segments(args.port + 1), recall=recall(client, base, queries[:100], acknowledged), memory_mb=server.resident_bytes() / 1e6)
            table.append(row)
            print("  ".join(f"{k} {v:.3f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)

        for _ in range(3):
            stretch("quiet", lambda: args.base)
        writer = Writer(server.uri, base, args.base, args.rate)
        writer.start()
        began = time.monotonic()
        while not writer.done.is_set():
            time.sleep(max(0.0, args.every - args.stretch))
            stretch(f"{time.monotonic() - began:.0f} s", lambda: writer.acknowledged)
        writer.join()
        print(f"latest insert began {writer.late:.1f} s after its time", flush=True)
        client.flush(wire.COLLECTION)
        until_indexed(client, total)
        time.sleep(5)
        for _ in range(3):
            stretch("after", lambda: total)
    finally:
        server.kill()
        shutil.rmtree(server.home, ignore_errors=True)
    (args.out / "stream.json").write_text(json.dumps(table, indent=1))
    def mean(rows: list) -> float:
        return statistics.median(row["qps"] for row in rows)

    beside = [row for row in table if row["when"].endswith(" s")]
    quiet, after = (mean([row for row in table if row["when"] == when]) for when in ("quiet", "after"))
    late = beside[-max(1, len(beside) // 4):]  # while it had about as many rows as afterwards
    print(f"QPS quiet {quiet:.0f}, streaming {mean(beside):.0f} ({mean(beside) / quiet:.2f}); its last quarter {mean(late):.0f}, "
          f"quiet with all rows {after:.0f} ({mean(late) / after:.2f}); least recall {min(r['recall'] for r in table):.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
