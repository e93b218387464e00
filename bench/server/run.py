#!/usr/bin/env python3
"""Elanus beside the real Milvus 2.3 in one run: the same data, index parameters, recall and clients; a table of ratios.

    build/venv/bin/python bench/server/run.py                 GloVe-100, all rows, 3 interleaved rounds (about half an hour)
    build/venv/bin/python bench/server/run.py --rows 50000 --rounds 1 --seconds 3
Only ratios within one run mean anything: times on a shared machine spread by a factor between rounds. Everything is kept in
--cache (default ~/.cache/elanus-bench): the data set, Milvus' environment, the servers' data folders.
"""
import argparse
import json
import signal
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from pymilvus import DataType, MilvusClient

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dataset  # noqa: E402
import load  # noqa: E402
import servers  # noqa: E402
from load import COLLECTION  # noqa: E402

BATCH = 5000
INDEX = {"M": 16, "efConstruction": 200}
FILTERS = {"10 %": 100, "1 %": 10, "0.1 %": 1}

# measure, unit, larger is better, what the project aims at (ratio of Elanus to Milvus)
ROWS = [
    ("cpu a query, recall .95, 8 clients", "us", False, 1 / 4),
    ("cpu a query, recall .99, 8 clients", "us", False, 1 / 4),
    ("QPS, recall .95, 8 clients", "/s", True, 3),
    ("QPS, recall .99, 8 clients", "/s", True, 3),
    ("p99, recall .95, 8 clients", "ms", False, 1 / 4),
    ("QPS, recall .95, 1 client", "/s", True, 3),
    ("QPS, recall .95, 1 client, word returned", "/s", True, 3),
    ("QPS, filtered to 10 %", "/s", True, 3),
    ("recall, filtered to 10 %", "", True, None),
    ("QPS, filtered to 1 %", "/s", True, 3),
    ("recall, filtered to 1 %", "", True, None),
    ("QPS, filtered to 0.1 %", "/s", True, 3),
    ("recall, filtered to 0.1 %", "", True, None),
    ("one row inserted, then seen by a Strong search, p50", "ms", False, None),
    ("all rows inserted", "s", False, 1 / 3),
    ("all rows indexed", "s", False, 1 / 2),
    ("cpu until indexed", "s", False, None),
    ("memory, loaded", "MB", False, None),
    ("disk", "MB", False, None),
    ("stop", "s", False, None),
    ("restart until the first right answer", "s", False, None),
    ("restart after kill -9 until the first right answer", "s", False, None),
    ("first start", "s", False, None),
    ("memory, empty", "MB", False, None),
    ("cpu when idle", "% of a core", False, None),
]


class Bench:
    def __init__(self, server, data, args):
        self.server, self.data, self.args = server, data, args
        self.values = defaultdict(list)
        self.ef = {}

    def say(self, what: str, value: float, unit: str = "") -> None:
        self.values[what].append(value)
        print(f"  {self.server.name:7} {what:52} {value:10.3f} {unit}", flush=True)

    def first_start(self) -> None:
        self.server.wipe()
        self.say("first start", self.server.start())
        time.sleep(2)  # let it settle before a second of doing nothing is measured
        cpu = self.server.cpu_seconds()
        time.sleep(5)
        self.say("cpu when idle", (self.server.cpu_seconds() - cpu) / 5 * 100)
        self.say("memory, empty", self.server.resident_bytes() / 1e6)

    def ingest(self) -> None:
        client = MilvusClient(self.server.uri)
        schema = client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("part", DataType.INT64)
        schema.add_field("word", DataType.VARCHAR, max_length=512)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dataset.DIM)
        client.create_collection(COLLECTION, schema=schema, consistency_level="Bounded")
        rows = [{"id": i, "part": int(p), "word": w[:100], "vector": v} for i, (p, w, v) in enumerate(zip(self.data.parts, self.data.words, self.data.base))]
        began, cpu = time.monotonic(), self.server.cpu_seconds()
        for start in range(0, len(rows), BATCH):
            client.insert(COLLECTION, rows[start:start + BATCH])
        self.say("all rows inserted", time.monotonic() - began)
        client.flush(COLLECTION)
        indexes = client.prepare_index_params()
        indexes.add_index("vector", index_type="HNSW", metric_type="COSINE", params=INDEX)
        client.create_index(COLLECTION, indexes)
        while True:
            about = client.describe_index(COLLECTION, "vector")
            if about["state"] == "Finished" and int(about["pending_index_rows"]) == 0 and int(about["indexed_rows"]) >= len(rows):
                break
            time.sleep(0.2)
        self.say("all rows indexed", time.monotonic() - began)
        client.load_collection(COLLECTION)
        self.say("cpu until indexed", self.server.cpu_seconds() - cpu)
        client.close()

    def tune(self, expected) -> None:
        client = MilvusClient(self.server.uri)
        for recall in (0.95, 0.99):
            self.ef[recall] = load.least_ef(client, self.data.queries, expected[1000], recall)
        client.close()
        print(f"  {self.server.name:7} ef {self.ef[0.95]} for recall .95, {self.ef[0.99]} for .99", flush=True)

    def searches(self, expected) -> None:
        seconds, ask = self.args.seconds, self.data.queries
        for recall, tag in ((0.95, ".95"), (0.99, ".99")):
            got = load.run(self.server, ask, expected[1000], 8, seconds, self.ef[recall])
            self.say(f"cpu a query, recall {tag}, 8 clients", got.cpu_us)
            self.say(f"QPS, recall {tag}, 8 clients", got.qps)
            if recall == 0.95:
                self.say("p99, recall .95, 8 clients", got.p99_ms)
        self.say("QPS, recall .95, 1 client", load.run(self.server, ask, expected[1000], 1, seconds, self.ef[0.95]).qps)
        self.say("QPS, recall .95, 1 client, word returned", load.run(self.server, ask, expected[1000], 1, seconds, self.ef[0.95], fields=("word",)).qps)
        for share, below in FILTERS.items():
            got = load.run(self.server, ask, expected[below], 8, seconds, self.ef[0.95], text=f"part < {below}")
            self.say(f"QPS, filtered to {share}", got.qps)
            self.say(f"recall, filtered to {share}", got.recall)
            if got.short:
                print(f"  {self.server.name:7} {got.short} answers had fewer rows than there are")

    def visibility(self) -> None:
        client, times = MilvusClient(self.server.uri), []
        for n in range(30):
            vector = np.random.default_rng(n).standard_normal(dataset.DIM).astype(np.float32) * 50
            began = time.perf_counter()
            client.insert(COLLECTION, [{"id": 10**9 + n, "part": 5000, "word": "new", "vector": vector}])
            found = client.search(COLLECTION, [vector.tolist()], limit=1, consistency_level="Strong", search_params={"metric_type": "COSINE", "params": {"ef": 16}})
            times.append(time.perf_counter() - began)
            if found[0][0]["id"] != 10**9 + n:
                raise RuntimeError(f"{self.server.name}: a Strong search did not see the row inserted before it")
        client.delete(COLLECTION, ids=[10**9 + n for n in range(30)])
        client.close()
        self.say("one row inserted, then seen by a Strong search, p50", statistics.median(times) * 1000)

    def sizes(self) -> None:
        self.say("memory, loaded", self.server.resident_bytes() / 1e6)
        self.say("disk", self.server.disk_bytes() / 1e6)

    def restarts(self) -> None:
        self.say("stop", self.server.stop())
        self.say("restart until the first right answer", self.start_and_ask())
        self.server.kill()
        self.say("restart after kill -9 until the first right answer", self.start_and_ask())

    def start_and_ask(self) -> float:
        began = time.monotonic()
        self.server.start()
        client = MilvusClient(self.server.uri)
        while time.monotonic() - began < 300:
            try:
                hits = client.search(COLLECTION, [self.data.base[123].tolist()], limit=1, timeout=10)[0]
                if hits and hits[0]["id"] == 123:
                    return time.monotonic() - began
            except Exception:
                time.sleep(0.02)
        raise RuntimeError(f"{self.server.name} gave no right answer within 300 s of its restart")


def table(benches) -> str:
    names = list(benches)
    lines = [f"| {'measure':51} | " + " | ".join(f"{n:>14}" for n in names) + " |  ratio | aim |", "|" + "---|" * (len(names) + 3)]
    for what, unit, _, aim in ROWS:
        values = [statistics.median(benches[n].values[what]) if benches[n].values[what] else None for n in names]
        ratio = f"{values[0] / values[1]:6.2f}" if len(values) == 2 and None not in values and values[1] else "      "
        cells = " | ".join(f"{'-' if v is None else f'{v:,.2f} {unit}':>14}" for v in values)
        lines.append(f"| {what:51} | {cells} | {ratio} | {'' if aim is None else f'{aim:.2f}'} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", default="elanus,milvus")
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "elanus-bench")
    parser.add_argument("--json", type=Path, help="also write every value there")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped below
    data = dataset.load(args.cache, args.rows)
    print(f"GloVe-100: {len(data.base):,} rows, {len(data.queries):,} queries; exact answers by brute force", flush=True)
    expected = {below: data.nearest(10, below) for below in (1000, *FILTERS.values())}

    benches = {}
    for number, name in enumerate(args.servers.split(",")):
        server = servers.KINDS[name](args.cache, 21530 + 100 * number)
        server.prepare()
        benches[name] = Bench(server, data, args)
    try:
        for bench in benches.values():
            bench.first_start()
            bench.ingest()
            bench.sizes()
            bench.tune(expected)
        for number in range(args.rounds):
            print(f"round {number + 1} of {args.rounds}", flush=True)
            for bench in benches.values():
                bench.searches(expected)
        for bench in benches.values():
            bench.visibility()
            bench.restarts()
    finally:
        for bench in benches.values():
            if bench.server.process is not None:
                bench.server.kill()
    print("\n" + table(benches))
    if args.json:
        args.json.write_text(json.dumps({name: bench.values for name, bench in benches.items()}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
