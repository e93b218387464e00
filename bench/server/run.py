#!/usr/bin/env python3
"""Elanus beside the real Milvus 2.3 in one run: the same data, index parameters, recall and clients; a table of ratios.

    build/venv/bin/python bench/server/run.py                     every part that has no result yet, then the table
    build/venv/bin/python bench/server/run.py --parts search --rounds 3 --again
    build/venv/bin/python bench/server/run.py --rows 50000 --rounds 1 --seconds 3 --out /somewhere/quick
Parts: load (first start, ingest, index, sizes, the ef of each recall), search (interleaved rounds), write (one row, then a Strong search),
build (searches beside the build of another collection's index), restart (stop, start, kill -9), table. Each writes its values into --out as it ends and is skipped when they are there, unless --again; none takes
a quarter of an hour on two quiet cores. Only ratios within one run mean anything: times on a shared machine spread by a factor between rounds.
"""
import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from pymilvus import DataType, MilvusClient

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dataset  # noqa: E402
import python_clients  # noqa: E402
import report  # noqa: E402
import servers  # noqa: E402
import wire  # noqa: E402
from report import FILTERS  # noqa: E402
from wire import COLLECTION  # noqa: E402

BATCH = 5000
PROBE_ROW = 123  # a search for its vector must find it
INDEX = {"M": 16, "efConstruction": 200}
PARTS = ("load", "search", "write", "restart", "build", "table")
RECALLS = {".95": 0.95, ".99": 0.99}


class Values:
    """What one part measured of one server, in a file of its own."""

    def __init__(self, out: Path, part: str, server: str):
        self.path, self.server = out / f"{part}.{server}.json", server
        self.found = defaultdict(list)

    def there(self) -> bool:
        return self.path.exists()

    def say(self, what: str, value: float) -> None:
        self.found[what].append(value)
        print(f"  {self.server:7} {what:52} {value:12.3f}", flush=True)

    def save(self) -> None:
        self.path.write_text(json.dumps(self.found, indent=1))

    def one(self, what: str):
        return json.loads(self.path.read_text())[what][0]


class Bench:
    def __init__(self, args, data, expected):
        self.args, self.data, self.expected = args, data, expected
        self.servers = [servers.KINDS[name](args.cache, args.port + 100 * n, args.out / "data") for n, name in enumerate(args.servers.split(","))]

    def values(self, part: str, server) -> Values:
        return Values(self.args.out, part, server.name)

    def ef(self, server, recall: str) -> int:
        return int(self.values("load", server).one(f"ef for recall {recall}"))

    # ---- load

    def load(self) -> None:
        for server in self.servers:
            values = self.values("load", server)
            if values.there() and not self.args.again:
                continue
            server.wipe()
            values.say("first start", server.start())
            time.sleep(3)  # let it settle before seconds of doing nothing are measured
            cpu = server.cpu_seconds()
            time.sleep(10)
            values.say("CPU when idle", (server.cpu_seconds() - cpu) / 10 * 100)
            values.say("memory, empty", server.resident_bytes() / 1e6)
            self.ingest(server, values)
            self.settle(server)
            values.say("memory, loaded", server.resident_bytes() / 1e6)
            values.say("disk", server.disk_bytes() / 1e6)
            client = wire.connect(server.uri)
            for tag, recall in RECALLS.items():
                values.say(f"ef for recall {tag}", python_clients.least_ef(client, self.data.queries, self.expected[1000], recall))
            client.close()
            wire.record_searches(server.uri, self.data.base[PROBE_ROW:PROBE_ROW + 1], wire.options(1, 64), self.probe(server))
            server.stop()
            values.save()

    @staticmethod
    def settle(server) -> None:
        """Until the server has done nothing for two seconds: merges, and memory given back."""
        for _ in range(30):
            cpu = server.cpu_seconds()
            time.sleep(2)
            if server.cpu_seconds() - cpu < 0.1:
                return

    def batches(self, rows: int):
        for start in range(0, rows, BATCH):
            yield [{"id": i, "part": int(self.data.parts[i]), "word": self.data.words[i][:100], "vector": self.data.base[i]}
                   for i in range(start, min(start + BATCH, rows))]

    @staticmethod
    def begin_index(client: MilvusClient, name: str) -> None:
        """Does not wait for it, as create_index does unless told."""
        indexes = client.prepare_index_params()
        indexes.add_index("vector", index_type="HNSW", metric_type="COSINE", params=INDEX)
        client.create_index(name, indexes, sync=False)

    @staticmethod
    def indexed(client: MilvusClient, name: str, rows: int) -> bool:
        about = client.describe_index(name, "vector")
        return about["state"] == "Finished" and int(about["pending_index_rows"]) == 0 and int(about["indexed_rows"]) >= rows

    @staticmethod
    def create(client: MilvusClient, name: str) -> None:
        schema = client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("part", DataType.INT64)
        schema.add_field("word", DataType.VARCHAR, max_length=512)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dataset.DIM)
        client.create_collection(name, schema=schema, consistency_level="Bounded")

    def python_inserts(self, client: MilvusClient, values: Values) -> None:
        """A part of the rows through pymilvus itself, into a collection that is dropped again."""
        self.create(client, "by_python")
        batches = list(self.batches(min(50_000, len(self.data.base))))
        began = time.monotonic()
        for batch in batches:
            client.insert("by_python", batch)
        values.say("rows inserted through pymilvus", sum(map(len, batches)) / (time.monotonic() - began))
        client.drop_collection("by_python")

    def ingest(self, server, values: Values) -> None:
        client, rows = wire.connect(server.uri), len(self.data.base)
        self.python_inserts(client, values)
        self.create(client, COLLECTION)
        inserts = self.args.out / f"{server.name}-insert.requests"
        wire.record_inserts(server.uri, self.batches(rows), inserts)
        began, cpu = time.monotonic(), server.cpu_seconds()
        taken = wire.insert(server, inserts)
        if taken != rows:
            raise RuntimeError(f"{server.name} took {taken} of {rows} rows")
        values.say("all rows inserted", time.monotonic() - began)
        inserts.unlink()
        client.flush(COLLECTION)
        self.begin_index(client, COLLECTION)
        while not self.indexed(client, COLLECTION, rows):
            time.sleep(0.2)
        values.say("all rows indexed", time.monotonic() - began)
        client.load_collection(COLLECTION)
        values.say("CPU until indexed", server.cpu_seconds() - cpu)
        client.close()

    # ---- search

    def search(self) -> None:
        for number in range(self.args.rounds):
            left = [s for s in self.servers if self.args.again or not self.values(f"search-{number}", s).there()]
            if not left:
                continue
            print(f"round {number + 1} of {self.args.rounds}", flush=True)
            for server in left:
                self.running(server)
                values = self.values(f"search-{number}", server)
                self.replayed(server, values)
                self.through_python(server, values)
                values.say("memory, after the searches", server.resident_bytes() / 1e6)
                values.save()

    def replayed(self, server, values: Values) -> None:
        k = self.expected[1000].shape[1]
        for tag in RECALLS:
            got = self.replay(server, tag, wire.options(k, self.ef(server, tag)), 8)
            values.say(f"server CPU a query, recall {tag}, 8 clients", got.cpu_us)
            values.say(f"QPS, recall {tag}, 8 clients", got.qps)
            values.say(f"p99, recall {tag}, 8 clients", got.p99_ms)
            values.say(f"recall reached for {tag}", got.recall)
            values.say("CPU a query of the client itself", got.client_cpu_us)
        ef = self.ef(server, ".95")
        values.say("QPS, recall .95, 1 client", self.replay(server, ".95", wire.options(k, ef), 1).qps)
        values.say("QPS, recall .95, 1 client, word returned", self.replay(server, "word", wire.options(k, ef, fields=("word",)), 1).qps)
        for share, below in FILTERS.items():
            got = self.replay(server, f"part{below}", wire.options(k, ef, f"part < {below}"), 8, below)
            values.say(f"QPS, filtered to {share}, 8 clients", got.qps)
            values.say(f"recall, filtered to {share}", got.recall)
            values.say(f"answers with fewer rows than asked, {share}", got.short)
            values.say(f"server CPU a query, filtered to {share}", got.cpu_us)

    def replay(self, server, name: str, arguments: dict, clients: int, below: int = 1000) -> wire.Searches:
        requests = self.args.out / f"{server.name}-{name}.requests"
        if not requests.exists() or self.values("load", server).path.stat().st_mtime > requests.stat().st_mtime:
            wire.record_searches(server.uri, self.data.queries, arguments, requests)
        return wire.search(server, requests, self.expected[below], clients, self.args.seconds)

    def through_python(self, server, values: Values) -> None:
        arguments = wire.options(self.expected[1000].shape[1], self.ef(server, ".95"))
        got = python_clients.run(server, self.data.queries, 8, self.args.seconds, arguments)
        values.say("QPS through pymilvus, recall .95, 8 clients", got.qps)
        values.say("p99 through pymilvus, recall .95, 8 clients", got.p99_ms)
        values.say("QPS through pymilvus, recall .95, 1 client", python_clients.run(server, self.data.queries, 1, self.args.seconds, arguments).qps)

    # ---- write

    def write(self) -> None:
        for server in self.servers:
            values = self.values("write", server)
            if values.there() and not self.args.again:
                continue
            self.running(server)
            client, times = wire.connect(server.uri), []
            for n in range(30):
                vector = np.random.default_rng(n).standard_normal(dataset.DIM).astype(np.float32) * 50
                began = time.perf_counter()
                client.insert(COLLECTION, [{"id": 10**9 + n, "part": 5000, "word": "new", "vector": vector}])
                found = client.search(COLLECTION, [vector.tolist()], limit=1, consistency_level="Strong", search_params={"metric_type": "COSINE", "params": {"ef": 16}})
                times.append(time.perf_counter() - began)
                if found[0][0]["id"] != 10**9 + n:
                    raise RuntimeError(f"{server.name}: a Strong search did not see the row inserted before it")
            client.delete(COLLECTION, ids=[10**9 + n for n in range(30)])
            client.close()
            values.say("one row inserted, then seen by a Strong search, p50", statistics.median(times) * 1000)
            values.save()

    # ---- build

    def build(self) -> None:
        """Searches while the server builds an index of another collection with the same rows; quiet ones before and after, in the same minutes."""
        k = self.expected[1000].shape[1]
        for server in self.servers:
            values = self.values("build", server)
            if values.there() and not self.args.again:
                continue
            self.running(server)
            self.settle(server)

            def searches(when: str) -> None:
                for clients in (1, 8):
                    got = self.replay(server, ".95", wire.options(k, self.ef(server, ".95")), clients)
                    values.say(f"p99, {clients} client{'s'[:clients - 1]}, {when}", got.p99_ms)
                    values.say(f"QPS, {clients} client{'s'[:clients - 1]}, {when}", got.qps)

            client, rows = wire.connect(server.uri), len(self.data.base)
            searches("quiet")
            self.create(client, "beside")
            for batch in self.batches(rows):
                client.insert("beside", batch)
            client.flush("beside")
            self.begin_index(client, "beside")
            searches("beside a build")
            if self.indexed(client, "beside", rows):
                raise RuntimeError(f"{server.name} had built its index before the searches ended: give fewer --seconds or more --rows")
            while not self.indexed(client, "beside", rows):
                time.sleep(0.5)
            client.drop_collection("beside")
            client.close()
            self.settle(server)
            searches("quiet")
            values.save()

    # ---- restart

    def restart(self) -> None:
        for server in self.servers:
            values = self.values("restart", server)
            if values.there() and not self.args.again:
                continue
            self.running(server)
            for _ in range(self.args.restarts):
                values.say("stop", server.stop())
                values.say("restart until the first right answer", self.start_and_ask(server))
                server.kill()
                values.say("restart after kill -9 until the first right answer", self.start_and_ask(server))
            server.stop()
            values.save()

    def running(self, server) -> None:
        if server.process is None:
            self.start_and_ask(server)

    def start_and_ask(self, server) -> float:
        """Seconds from the start until a search for a stored vector returns its row."""
        began = time.monotonic()
        server.start()
        wire.until_right(server, self.probe(server), PROBE_ROW, timeout=300)
        return time.monotonic() - began

    def probe(self, server) -> Path:
        return self.args.out / f"{server.name}-probe.requests"

    def table(self) -> None:
        found = {}
        for server in self.servers:
            mine = found[server.name] = defaultdict(list)
            for path in sorted(self.args.out.glob(f"*.{server.name}.json")):
                for what, numbers in json.loads(path.read_text()).items():
                    mine[what] += numbers
        print("\n" + report.table(found))

    def stop_all(self) -> None:
        for server in self.servers:
            if server.process is not None:
                server.kill()


def build() -> None:
    """The server and the client, when their sources changed."""
    subprocess.run(["ninja", "-C", str(servers.ROOT / "build" / "release"), "elanus", "replay"], check=True, stdout=subprocess.DEVNULL)


def arguments(description: str, port: int, seconds: float = 8) -> argparse.ArgumentParser:
    """What each program that measures beside Elanus is told."""
    cache = Path.home() / ".cache" / "elanus-bench"
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=0, help="0: all 340,479")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=seconds, help="of each measured stretch of searches")
    parser.add_argument("--port", type=int, default=port)
    parser.add_argument("--cache", type=Path, default=cache, help="the data set and the peers' environments")
    parser.add_argument("--out", type=Path, default=cache / "results", help="values, recorded requests and the servers' data folders")
    return parser


def main() -> int:
    parser = arguments(__doc__, port=21530)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--servers", default="elanus,milvus", help="the first one is compared with each other one")
    parser.add_argument("--restarts", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="measure parts that have results too")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped below
    args.out.mkdir(parents=True, exist_ok=True)
    parts = args.parts.split(",")
    build()
    data = dataset.load(args.cache, args.rows)
    print(f"GloVe-100: {len(data.base):,} rows, {len(data.queries):,} queries; exact answers by brute force; {os.cpu_count()} cores", flush=True)
    expected = {below: data.nearest(10, below) for below in (1000, *FILTERS.values())}
    bench = Bench(args, data, expected)
    for server in bench.servers:
        server.prepare()
    try:
        for part in PARTS:
            if part in parts:
                getattr(bench, part)()
    finally:
        bench.stop_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
