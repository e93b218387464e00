"""Plain slow answers to compare the server with: exact scores, nearest rows, and vectors that say whose they are."""
import numpy as np

LARGER_IS_NEARER = {"IP": True, "COSINE": True, "L2": False}


def vectors(count: int, dim: int, seed: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


def scores(metric: str, queries: np.ndarray, base: np.ndarray) -> np.ndarray:
    """float64[nq][n] as Milvus reports them: L2 is the squared distance."""
    q, b = np.asarray(queries, np.float64), np.asarray(base, np.float64)
    if metric == "COSINE":
        q = q / np.linalg.norm(q, axis=1, keepdims=True)
        b = b / np.linalg.norm(b, axis=1, keepdims=True)
    if metric == "L2":
        return ((q[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    return q @ b.T


def nearest(metric: str, queries: np.ndarray, base: np.ndarray, k: int, rows=None) -> list:
    """For each query the k nearest (row, score), nearest first; `rows` limits the candidates."""
    candidates = np.arange(len(base)) if rows is None else np.asarray(sorted(rows), dtype=np.int64)
    if len(candidates) == 0:
        return [[] for _ in queries]
    found = scores(metric, queries, np.asarray(base)[candidates])
    order = np.argsort(-found if LARGER_IS_NEARER[metric] else found, axis=1, kind="stable")[:, :k]
    return [[(int(candidates[j]), float(found[i, j])) for j in row] for i, row in enumerate(order)]


def assert_exact(hits: list, expected: list, places: float = 1e-4) -> None:
    """The hits are the expected rows with the expected scores; rows of nearly equal score may change places."""
    assert len(hits) == len(expected), f"{len(hits)} lists of hits for {len(expected)} queries"
    for got, want in zip(hits, expected):
        assert len(got) == len(want), f"{len(got)} hits, expected {len(want)}"
        for hit, (row, score) in zip(got, want):
            assert abs(hit["distance"] - score) <= places * max(1.0, abs(score)), f"score {hit['distance']}, expected {score}"
        ids, rows = [h["id"] for h in got], [r for r, _ in want]
        if ids != rows:
            by_row = dict(want)
            worst = want[-1][1]
            for h in got:  # a tie at the end of the list may have been cut the other way
                score = by_row.get(h["id"], worst)
                assert abs(h["distance"] - score) <= places * max(1.0, abs(score)), f"row {h['id']} is not among the nearest {rows}"
            assert len(set(ids)) == len(ids), f"a row twice: {ids}"


def recall(hits: list, expected: list) -> float:
    found = sum(len({h["id"] for h in got} & {r for r, _ in want}) for got, want in zip(hits, expected))
    return found / max(1, sum(len(want) for want in expected))
