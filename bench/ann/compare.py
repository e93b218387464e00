"""Ours beside the libraries one could pick instead, in one interleaved run.

    compare.py DATA [--ann-bench BINARY] [--only ours-hnsw,scann,...] [--rounds 5] [--k 10] [--batch 100 [--threads 2]]

DATA is the prefix of the files that data.py wrote. Needs numpy and the peers one wants to see
(hnswlib, faiss-cpu, scann, usearch, rabitqlib, pyvsag). Every system is built once with settings fixed for the data set.
Each round asks all systems at all widths, one query at a time on one thread, and counts the process'
CPU time; the cost of an empty call through Python is taken off the peers', ours runs in a process of
its own (ann_bench --serve). Recall and the median time come from the second half of the queries; the
first half warms up. The table interpolates log(QPS) on each system's Pareto front. With --batch every
system gets so many queries in one call, with --threads on so many threads, and then the time that passes
counts: nothing else may run.
"""

import argparse
import json
import statistics
import subprocess
import time

import numpy as np

RECALLS = (0.90, 0.95, 0.99)


def read(path, kind=np.float32):
    rows, columns = np.fromfile(path, dtype=np.uint32, count=2)
    return np.fromfile(path, dtype=kind, offset=8).reshape(rows, columns)


class Ours:
    def __init__(self, data, options, widths, binary, load):
        self.widths = widths
        half = read(data + ".query").shape[1] // 2
        options = {key: half if value == "half" else value for key, value in options.items()}
        command = [binary, data + ".base", data + ".query", "--serve", "1"]
        command += ["--batch", str(load.batch), "--search-threads", str(load.threads)]
        command += [text for pair in options.items() for text in ("--" + pair[0], str(pair[1]))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.about = json.loads(self.process.stdout.readline())

    def run(self, width, k, first, count):
        self.process.stdin.write(f"{first} {count} {k} {width}\n")
        self.process.stdin.flush()
        recall, seconds = map(float, self.process.stdout.readline().split())
        return recall, seconds


class Peer:
    """A library behind search(queries, k, width) -> ids of each; build(base) before. One query is a row of its own."""

    def __init__(self, data, widths, load):
        self.widths, self.load, self.threads = widths, load, load.threads
        self.queries, self.truth = read(data + ".query"), read(data + ".truth", np.int32)
        base = read(data + ".base")
        start = time.process_time()
        self.build(base)
        self.about = {"build_cpu_s": time.process_time() - start}

    def run(self, width, k, first, count):
        self.prepare(width, k)
        queries = self.queries[first : first + count]
        calls = [queries[i : i + self.load.batch] for i in range(0, count, self.load.batch)]
        clock = time.process_time if self.threads == 1 else time.perf_counter
        start = clock()
        found = [self.search(call, k, width) for call in calls]
        took = clock() - start
        start = clock()
        for call in calls:
            self.nothing(call, k, width)
        took -= clock() - start
        truth = self.truth[first : first + count, :k]
        rows = (row for call in found for row in call)
        hits = sum(len(set(map(int, f)) & set(map(int, t))) for f, t in zip(rows, truth))
        return hits / truth.size, took

    def prepare(self, width, k):
        pass

    def nothing(self, queries, k, width):
        return ()


class Hnswlib(Peer):
    def build(self, base):
        import hnswlib

        self.index = hnswlib.Index("ip", base.shape[1])
        self.index.init_index(len(base), M=16, ef_construction=200, random_seed=1)
        self.index.set_num_threads(1)
        self.index.add_items(base)

    def prepare(self, width, k):
        self.index.set_ef(max(width, k))

    def search(self, queries, k, width):
        return self.index.knn_query(queries, k, num_threads=self.threads)[0]


class Usearch(Peer):
    def build(self, base):
        from usearch.index import Index

        self.index = Index(ndim=base.shape[1], metric="ip", dtype="f32", connectivity=16, expansion_add=200)
        self.index.add(np.arange(len(base)), base, threads=1)

    def prepare(self, width, k):
        self.index.expansion_search = max(width, k)

    def search(self, queries, k, width):
        return self.index.search(queries, k, threads=self.threads).keys.reshape(len(queries), -1)


class Faiss(Peer):
    """IVF-PQ FastScan, two dimensions a code, exact refinement; width = (nprobe, rows refined / k)."""

    factory = None

    def build(self, base):
        import faiss

        faiss.omp_set_num_threads(1)
        self.faiss = faiss
        rotated = (base.shape[1] + 63) // 64 * 64
        text = self.factory.format(lists=1024, parts=base.shape[1] // 2, rotated=rotated)
        self.index = faiss.index_factory(base.shape[1], text, faiss.METRIC_INNER_PRODUCT)
        self.index.train(base)
        self.index.add(base)

    def prepare(self, width, k):
        self.faiss.omp_set_num_threads(self.threads)
        if "RFlat" in self.factory:
            self.index.k_factor = width[1]
            self.faiss.extract_index_ivf(self.index.base_index).nprobe = width[0]
        elif "HNSW" in self.factory:
            self.index.hnsw.efSearch = width
        else:
            self.index.nprobe = width

    def search(self, queries, k, width):
        return self.index.search(queries, k)[1]


class Scann(Peer):
    """Tree with SOAR, two dimensions a code, exact reordering; width = (leaves, rows reordered)."""

    def build(self, base):
        import scann

        leaves = 2000 if len(base) > 200_000 else 1000
        self.index = (
            scann.scann_ops_pybind.builder(base, 10, "dot_product")
            .tree(leaves, 100, training_sample_size=min(len(base), 250_000), soar_lambda=1.5, overretrieve_factor=1.8)
            .score_ah(2, anisotropic_quantization_threshold=0.2, training_sample_size=100_000)
            .reorder(100)
            .set_n_training_threads(1)
            .build()
        )

    def prepare(self, width, k):
        self.index.set_num_threads(self.threads)

    def search(self, queries, k, width):
        options = {"pre_reorder_num_neighbors": width[1], "leaves_to_search": width[0]}
        if len(queries) == 1:
            return [self.index.search(queries[0], k, **options)[0]]
        if self.threads == 1:
            return self.index.search_batched(queries, k, **options)[0]
        return self.index.search_batched_parallel(queries, k, **options)[0]


class SymphonyQg(Peer):
    """rabitqlib's packed graph; distances between unit vectors order them as products do."""

    def build(self, base):
        import rabitqlib

        self.index = rabitqlib.SymqgIndex(base.shape[1], 32, "l2")
        self.index.build(base, 200, 1)

    def search(self, queries, k, width):
        return self.index.search(queries, k, max(width, k), self.threads)[0]


class RabitqIvf(Peer):
    def build(self, base):
        import faiss
        import rabitqlib

        faiss.omp_set_num_threads(1)
        lists = 1024
        kmeans = faiss.Kmeans(base.shape[1], lists, niter=10, seed=1)
        kmeans.train(base)
        nearest = kmeans.index.search(base, 1)[1][:, 0].astype(np.uint32)
        self.index = rabitqlib.IvfIndex(base.shape[1], len(base), lists, 7, "l2")
        self.index.build(base, kmeans.centroids, nearest, 1)

    def search(self, queries, k, width):
        return self.index.search(queries, k, width)[0]


class Vsag(Peer):
    """HGraph on SQ8 codes, exact reordering."""

    def build(self, base):
        import pyvsag

        quantized = {"base_quantization_type": "sq8", "use_reorder": True, "precise_quantization_type": "fp32"}
        about = {"dtype": "float32", "metric_type": "ip", "dim": base.shape[1]}
        about["index_param"] = quantized | {"max_degree": 32, "ef_construction": 200}
        self.index = pyvsag.Index("hgraph", json.dumps(about))
        self.index.build(base.reshape(-1), np.arange(len(base)), *base.shape)

    def prepare(self, width, k):
        self.parameters = json.dumps({"hgraph": {"ef_search": max(width, k)}})

    def search(self, queries, k, width):
        return [self.index.knn_search(query, k, self.parameters)[0] for query in queries]


def peer(base_class, **values):
    return type(base_class.__name__, (base_class,), values)


EF = (10, 13, 16, 24, 40, 60, 80, 120, 160, 200, 300, 400, 600, 800, 1200)
PROBES = ((4, 8), (8, 8), (12, 8), (16, 10), (24, 10), (32, 10), (48, 16), (64, 16), (100, 24), (150, 32), (300, 40))
LEAVES = ((4, 40), (8, 50), (12, 60), (18, 80), (25, 100), (35, 130), (50, 160), (75, 200), (100, 250), (150, 300), (250, 400))
NPROBE = (4, 8, 16, 24, 32, 48, 64, 96, 128, 200, 300)
REORDER = ((4, 40), (8, 50), (12, 60), (18, 80), (25, 100), (35, 120), (50, 150), (75, 180), (100, 220), (150, 300), (250, 400))
COARSE = ((8, 150), (16, 250), (32, 400), (64, 600), (100, 800), (150, 1200), (300, 2000))
FINE = ((8, 20), (16, 25), (24, 30), (32, 30), (48, 40), (64, 40), (100, 60), (150, 80), (300, 100))
GATHERED = (500, 1000, 2000, 4000, 8000, 16000)
# For a hundred neighbours: every number of lists with several of rows measured exactly, the same for both.
MANY = [(lists, rows) for lists in (18, 25, 35, 50, 75, 100, 150, 250) for rows in (150, 220, 320, 450, 700)]
OURS = {
    "ours-hnsw": ({"kind": "hnsw", "bits": 4, "m": 16, "efc": 200}, EF),  # half bytes, as the server asks for
    "ours-hnsw-sq8": ({"kind": "hnsw", "bits": 8, "m": 16, "efc": 200}, EF),
    "ours-scann": ({"kind": "scann", "nlist": 2000}, [f"{p}/{r}" for p, r in REORDER]),
    "ours-ivf-pq": ({"kind": "ivfpq", "nlist": 1024}, [f"{p}/{r}" for p, r in REORDER]),
    "ours-auto": ({"kind": "auto", "bits": 4, "m": 18, "efc": 240}, ("0",)),
    "ours-ivf-pq8": ({"kind": "coded", "codec": "pq", "bits": 8, "parts": "half", "nlist": 1024}, [f"{p}/{r}" for p, r in FINE]),
    "ours-rabitq1": ({"kind": "coded", "codec": "rabitq", "bits": 1, "nlist": 1024}, [f"{p}/{r}" for p, r in COARSE]),
    "ours-rabitq4": ({"kind": "coded", "codec": "rabitq", "bits": 4, "nlist": 1024}, [f"{p}/{r}" for p, r in FINE]),
    "ours-ivf-sq4": ({"kind": "coded", "codec": "packed", "bits": 4, "nlist": 1024}, [f"{p}/{r}" for p, r in FINE]),
    "ours-hnsw-sq6": ({"kind": "hnsw", "codec": "packed", "bits": 6, "m": 16, "efc": 200}, EF),
    "ours-hnsw-pq": ({"kind": "hnsw", "codec": "pq", "parts": "half", "m": 16, "efc": 200}, EF),
    "ours-rnsg": ({"kind": "nsg"}, EF),
    "ours-annoy": ({"kind": "forest", "trees": 20}, GATHERED),
    "ours-ivf-flat": ({"kind": "ivf", "nlist": 1024}, NPROBE),
}
PEERS = {
    "scann": (Scann, LEAVES),
    "hnswlib": (Hnswlib, EF),
    "usearch": (Usearch, EF),
    "symphonyqg": (SymphonyQg, EF),
    "rabitqlib-ivf7": (RabitqIvf, NPROBE),
    "vsag-hgraph": (Vsag, EF),
    "faiss-ivf-pqfs": (peer(Faiss, factory="IVF{lists},PQ{parts}x4fs,RFlat"), PROBES),
    "faiss-hnsw-sq8": (peer(Faiss, factory="HNSW16_SQ8"), EF),
    "faiss-ivf-flat": (peer(Faiss, factory="IVF{lists},Flat"), NPROBE),
    "faiss-ivf-pq8": (peer(Faiss, factory="IVF{lists},PQ{parts},RFlat"), [(p, r / 10) for p, r in FINE]),
    "faiss-rabitq1": (peer(Faiss, factory="RR{rotated},IVF{lists},RaBitQfs,RFlat"), [(p, r / 10) for p, r in COARSE]),
    "faiss-rabitq4": (peer(Faiss, factory="RR{rotated},IVF{lists},RaBitQfs4,RFlat"), [(p, r / 10) for p, r in FINE]),
    "faiss-ivf-sq4": (peer(Faiss, factory="IVF{lists},SQ4,RFlat"), [(p, r / 10) for p, r in FINE]),
    "faiss-ivf-sq8": (peer(Faiss, factory="IVF{lists},SQ8"), NPROBE),
}


def at_recall(curve, recall):
    """QPS at a recall, between the neighbours on the Pareto front; nothing beyond its end."""
    front = []
    for point in sorted(curve, key=lambda p: -p[1]):
        if not front or point[0] > front[-1][0]:
            front.append(point)
    for low, high in zip(front, front[1:]):
        if low[0] < recall <= high[0]:
            part = (recall - low[0]) / (high[0] - low[0])
            return float(np.exp(np.log(low[1]) * (1 - part) + np.log(high[1]) * part))
    return front[0][1] if front and front[0][0] >= recall else None


def draw(curves, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.figure(figsize=(8, 5))
    for name, curve in curves.items():
        points = sorted(p for p in curve if p[0] > 0.8)
        style = "-" if name.startswith("ours") else "--"
        pyplot.plot([p[0] for p in points], [p[1] for p in points], style, marker=".", label=name)
    pyplot.yscale("log")
    pyplot.xlabel("recall")
    pyplot.ylabel("queries a CPU second, one thread")
    pyplot.legend()
    pyplot.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data")
    parser.add_argument("--ann-bench", default="build/release/bench/ann/ann_bench")
    parser.add_argument("--only")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--picture")
    arguments = parser.parse_args()
    wanted = arguments.only.split(",") if arguments.only else [*OURS, *PEERS]
    systems = {}
    for name in wanted:
        if name in OURS:
            options, widths = OURS[name]
            if arguments.k >= 100 and name == "ours-scann":
                widths = [f"{lists}/{rows}" for lists, rows in MANY]
            systems[name] = Ours(arguments.data, options, widths, arguments.ann_bench, arguments)
        else:
            kind, widths = PEERS[name]
            if arguments.k >= 100 and kind is Scann:
                widths = MANY
            systems[name] = kind(arguments.data, widths, arguments)
        print(name, systems[name].about, flush=True)

    half = len(read(arguments.data + ".query")) // 2
    recalls, times = {}, {}
    for name, system in systems.items():
        for width in system.widths:
            system.run(width, arguments.k, 0, half)
    for _ in range(arguments.rounds):
        for name, system in systems.items():
            for width in system.widths:
                recall, seconds = system.run(width, arguments.k, half, half)
                recalls[name, width] = recall
                times.setdefault((name, width), []).append(seconds)
    curves = {}
    for (name, width), seconds in times.items():
        qps = half / statistics.median(seconds)
        curves.setdefault(name, []).append((recalls[name, width], qps))
        print(f"{name:16} {str(width):>10} recall {recalls[name, width]:.4f} QPS {qps:9.0f}")
    columns = [{n: at_recall(c, r) for n, c in curves.items()} for r in RECALLS]
    best = [max((v for n, v in c.items() if v and not n.startswith("ours")), default=None) for c in columns]
    print("| system | " + " | ".join(f"QPS at {r:.2f} (x best peer)" for r in RECALLS) + " |")
    print("|---|" + "---|" * len(RECALLS))
    for name in curves:
        cells = []
        for column, top in zip(columns, best):
            value = column[name]
            ratio = f" ({value / top:.2f})" if value and top else ""
            cells.append(f"{value:,.0f}{ratio}" if value else "-")
        print(f"| {name} | " + " | ".join(cells) + " |")
    if arguments.picture:
        draw(curves, arguments.picture)


if __name__ == "__main__":
    main()
