"""Filters, aggregates and orders beside DuckDB, on the same columns, in one interleaved run.

    compare.py [--rows 1000000] [--rounds 7] [--cores 1] [--bench build/release/bench/query/query_bench] [--dir DIR]

Needs duckdb and numpy (an environment of their own). Both run in a process of their own with one thread; what counts is CPU time. Each
round asks both every question, as often as fills about 50 ms; the table has the median of a round's CPU a question and of the ratio
within rounds. With --cores N both use N threads, and what counts is the time that passes. Both parse the text every time. DuckDB has its table in memory, with an index on k and on s in the rows that say so.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

# name, indexed, ours (kind, filter), theirs
QUESTIONS = [
    ("one comparison, half the rows", False, ("count", "a < 500"), "select count(*) from t where a < 500"),
    ("three comparisons", False, ("count", "a < 500 and b >= 250000 and c < 0.5"), "select count(*) from t where a < 500 and b >= 250000 and c < 0.5"),
    ("a range of keys", False, ("count", "500000 <= id < 501000"), "select count(*) from t where id >= 500000 and id < 501000"),
    ("`or` of two comparisons", False, ("count", "a == 7 or b < 1000"), "select count(*) from t where a = 7 or b < 1000"),
    ("text equal, scanned", False, ("count", "s == 'word00123'"), "select count(*) from t where s = 'word00123'"),
    ("text like 'word001%', scanned", False, ("count", "s like 'word001%'"), "select count(*) from t where s like 'word001%'"),
    ("one of 100 numbers, scanned", False, ("count", "k in [{k100}]"), "select count(*) from t where k in ({k100})"),
    ("one number by an index", True, ("count", "k == {k1}"), "select count(*) from t where k = {k1}"),
    ("one of 10 numbers by an index", True, ("count", "k in [{k10}]"), "select count(*) from t where k in ({k10})"),
    ("one of 100 numbers by an index", True, ("count", "k in [{k100}]"), "select count(*) from t where k in ({k100})"),
    ("text equal by an index", True, ("count", "s == 'word00123'"), "select count(*) from t where s = 'word00123'"),
    ("count, sum, max over 100 groups", False, ("group", "-"), "select g, count(*), sum(a), max(b) from t group by g"),
    ("the same of a tenth of the rows", False, ("group", "a < 100"), "select g, count(*), sum(a), max(b) from t where a < 100 group by g"),
    ("the same by text, 100,000 groups", False, ("words", "-"), "select s, count(*), sum(a), max(b) from t group by s"),
    ("by two columns, 100,000 groups", False, ("pairs", "-"), "select g, a, count(*), sum(a), max(b) from t group by g, a"),
    ("count, sum, min, max, avg of all rows", False, ("total", "-"), "select count(*), sum(a), min(c), max(b), avg(c) from t"),
    ("first 10 by c", False, ("order", "-"), "select id from t order by c limit 10"),
    ("first 10 by c of a tenth", False, ("order", "a < 100"), "select id from t where a < 100 order by c limit 10"),
    ("first 10,000 by c", False, ("most", "-"), "select id from t order by c limit 10000"),
    ("first 10 by text", False, ("text", "-"), "select id from t order by s, id limit 10"),
]


def make(rows, directory):
    """The columns as files, made once; returns the column of the numbers that are looked for."""
    places = os.path.join(directory, "p")
    if os.path.exists(places) and os.path.getsize(places) == 16 * rows:
        return np.fromfile(os.path.join(directory, "k"), dtype=np.int64)
    random = np.random.default_rng(5)
    columns = {
        "id": np.arange(rows, dtype=np.int64),
        "a": random.integers(0, 1000, rows, dtype=np.int64),
        "b": random.integers(0, 1_000_000, rows, dtype=np.int32),
        "c": random.random(rows),
        "k": random.permutation(np.arange(rows, dtype=np.int64) * 1_000_003),
        "g": random.integers(0, 100, rows, dtype=np.int32),
    }
    words = random.integers(0, 100_000, rows)
    columns["p"] = np.stack([random.uniform(-180, 180, rows), random.uniform(-85, 85, rows)], axis=1)
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "s"), "w") as out:
        for first in range(0, rows, 100_000):
            out.write("\n".join(np.char.mod("word%05d", words[first : first + 100_000])) + "\n")
    for name, values in columns.items():
        values.tofile(os.path.join(directory, name))
    return columns["k"]


class Ours:
    def __init__(self, bench, directory, rows, indexed, cores=1):
        self.process = subprocess.Popen([bench, directory, str(rows), str(int(indexed)), str(cores)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ready(self):
        return self.process.stdout.readline().strip()

    def ask(self, question, repeat):
        self.process.stdin.write(f"{repeat} {question[0]} {question[1]}\n")
        self.process.stdin.flush()
        check, seconds = map(float, self.process.stdout.readline().split())
        return check, seconds / repeat


def serve_duckdb(directory, rows, indexed, cores):
    """The other process: the same protocol, over DuckDB."""
    import duckdb

    con = duckdb.connect()
    con.execute(f"set threads = {cores}")
    clock = time.process_time if cores == 1 else time.monotonic
    kinds = {"id": np.int64, "a": np.int64, "b": np.int32, "c": np.float64, "k": np.int64, "g": np.int32}
    columns = {name: np.fromfile(os.path.join(directory, name), dtype=kind) for name, kind in kinds.items()}
    columns["s"] = np.array(open(os.path.join(directory, "s")).read().split("\n")[:-1], dtype=object)
    con.register("columns", columns)
    con.execute("create table t as select * from columns")
    if indexed:
        con.execute("create index by_k on t (k)")
        con.execute("create index by_s on t (s)")
    del columns
    print("ready", duckdb.__version__, flush=True)
    for line in sys.stdin:
        repeat, text = line.rstrip("\n").split(" ", 1)
        start = clock()
        for _ in range(int(repeat)):
            answer = con.execute(text).fetchall()
        seconds = clock() - start
        print(len(answer) if "group by" in text else answer[0][0], seconds, flush=True)


class Theirs:
    def __init__(self, directory, rows, indexed, cores):
        self.process = subprocess.Popen([sys.executable, __file__, "--serve", str(int(indexed)), "--dir", directory, "--rows", str(rows), "--cores", str(cores)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    ready = Ours.ready

    def ask(self, question, repeat):
        self.process.stdin.write(f"{repeat} {question}\n")
        self.process.stdin.flush()
        check, seconds = map(float, self.process.stdout.readline().split())
        return check, seconds / repeat


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--bench", default="build/release/bench/query/query_bench")
    parser.add_argument("--dir", default=os.path.join(tempfile.gettempdir(), "elanus-bench-query"), help="of the columns' files; one a size")
    return parser


def main():
    parser = arguments()
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--serve")
    options = parser.parse_args()
    if options.serve is not None:
        return serve_duckdb(options.dir, options.rows, options.serve == "1", options.cores)

    numbers = make(options.rows, options.dir)
    picks = [int(k) for k in numbers[:: options.rows // 100][:100]]
    texts = {"k1": str(picks[3]), "k10": ", ".join(map(str, picks[:10])), "k100": ", ".join(map(str, picks))}
    rows = []
    for indexed in (False, True):
        ours = Ours(options.bench, options.dir, options.rows, indexed, options.cores)
        theirs = Theirs(options.dir, options.rows, indexed, options.cores)
        print(f"indexes {indexed}: {ours.ready()}; duckdb {theirs.ready()}", flush=True)
        questions = []
        for name, with_index, (kind, own), other in QUESTIONS:
            if with_index != indexed:
                continue
            fill = lambda text: text.replace("{k100}", texts["k100"]).replace("{k10}", texts["k10"]).replace("{k1}", texts["k1"])
            own, other = (kind, fill(own)), fill(other)
            a, b = ours.ask(own, 1), theirs.ask(other, 1)
            assert a[0] == b[0], f"{name}: {a[0]} and {b[0]}"
            repeat = [max(1, min(2000, int(0.05 / max(ours.ask(own, 1)[1], 1e-6)))), max(1, min(2000, int(0.05 / max(theirs.ask(other, 1)[1], 1e-6))))]
            questions.append((name, own, other, repeat, []))
        for _ in range(options.rounds):
            for _, own, other, repeat, results in questions:
                results.append((ours.ask(own, repeat[0])[1], theirs.ask(other, repeat[1])[1]))
        for name, _, _, _, results in questions:
            rows.append((name, statistics.median(r[0] for r in results), statistics.median(r[1] for r in results), statistics.median(r[0] / r[1] for r in results)))
        for side in (ours, theirs):
            side.process.stdin.close()
            side.process.wait()
    time_of = "ms CPU" if options.cores == 1 else f"ms on {options.cores} cores"
    print(f"\n| {options.rows:,} rows | Elanus, {time_of} | DuckDB, {time_of} | Elanus : DuckDB |\n| --- | --- | --- | --- |")
    for name, own, other, ratio in rows:
        print(f"| {name} | {own * 1e3:.4g} | {other * 1e3:.4g} | {ratio:.3g} |")


if __name__ == "__main__":
    main()
