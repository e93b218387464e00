"""query_iterator and search_iterator: a whole collection, each row once, whatever happens meanwhile."""
import numpy as np
import pytest
from pymilvus import DataType

from e2e.schemas import DIM, make, simple_schema
from harness import reference

ROWS = 3000
VECTORS = reference.vectors(ROWS, DIM)
VECTORS[1000:1100] = VECTORS[0]  # a hundred rows at the same distance from everywhere


def rows(ids):
    return [{"id": i, "vector": VECTORS[i % ROWS].tolist(), "n": i % 10} for i in ids]


@pytest.fixture
def filled(client, name):
    schema = simple_schema()
    schema.add_field("n", DataType.INT32)
    make(client, name, schema, consistency_level="Strong")
    client.insert(name, rows(range(0, ROWS, 2)))
    client.flush(name)
    client.insert(name, rows(range(1, ROWS, 2)))
    return name


def drain(iterator, between=None):
    ids, pages = [], 0
    while True:
        page = iterator.next()
        if not page:
            iterator.close()
            return ids
        ids += [r["id"] for r in page]
        pages += 1
        if between:
            between(pages)


@pytest.mark.not_lite("no key order")
@pytest.mark.parametrize("batch", [7, 100, 1000, 5000])
def test_a_query_iterator_returns_every_row_once_in_key_order(client, filled, batch):
    assert drain(client.query_iterator(filled, batch_size=batch, output_fields=["id"])) == list(range(ROWS))


@pytest.mark.not_lite("no key order")
def test_a_query_iterator_keeps_to_its_filter_and_limit(client, filled):
    assert drain(client.query_iterator(filled, batch_size=50, filter="n == 3", output_fields=["n"])) == list(range(3, ROWS, 10))
    assert drain(client.query_iterator(filled, batch_size=50, limit=120, output_fields=["n"])) == list(range(120))


@pytest.mark.not_lite("no snapshot")
def test_a_query_iterator_sees_the_rows_of_its_start(client, filled):
    def disturb(page):
        client.insert(filled, rows([ROWS + page]))
        client.delete(filled, ids=[ROWS - 1 - page])
        client.upsert(filled, rows([page * 2]))
        if page % 3 == 0:
            client.flush(filled)

    assert drain(client.query_iterator(filled, batch_size=200, output_fields=["id"]), disturb) == list(range(ROWS))


@pytest.mark.parametrize("batch", [50, 1000])
@pytest.mark.parametrize("metric", ["L2", "IP", "COSINE"])
def test_a_search_iterator_returns_every_row_once_nearest_first(client, name, metric, batch):
    make(client, name, simple_schema(), metric=metric, consistency_level="Strong")
    plain = reference.vectors(1500, DIM, seed=5)
    client.insert(name, [{"id": i, "vector": v.tolist()} for i, v in enumerate(plain)])
    query = reference.vectors(1, DIM, seed=6)
    iterator = client.search_iterator(name, query.tolist(), batch_size=batch, search_params={"metric_type": metric})
    seen, scores = [], []
    while page := iterator.next():
        seen += [h["id"] for h in page]
        scores += [h["distance"] for h in page]
    iterator.close()
    assert len(seen) == len(set(seen)) == 1500
    exact = reference.scores(metric, query, plain)[0]
    assert scores == pytest.approx([exact[i] for i in seen], rel=1e-4, abs=1e-4)
    steps = np.diff(scores)
    assert (steps >= -1e-5).all() if metric == "L2" else (steps <= 1e-5).all()


@pytest.mark.not_lite("skips ties")
def test_a_search_iterator_returns_rows_of_equal_distance_each_once(client, filled):
    query = reference.vectors(1, DIM, seed=6)
    seen = drain(client.search_iterator(filled, query.tolist(), batch_size=30, search_params={"metric_type": "L2"}))
    assert sorted(seen) == list(range(ROWS))


@pytest.mark.not_lite("no snapshot")
def test_a_search_iterator_sees_the_rows_of_its_start(client, filled):
    def disturb(page):
        client.insert(filled, rows([ROWS + page]))
        client.delete(filled, ids=[page * 7])

    query = reference.vectors(1, DIM, seed=6)
    seen = drain(client.search_iterator(filled, query.tolist(), batch_size=300, search_params={"metric_type": "L2"}), disturb)
    assert sorted(seen) == list(range(ROWS))


def test_a_search_iterator_keeps_to_its_filter_and_limit(client, filled):
    query = reference.vectors(1, DIM, seed=6)
    seen = drain(client.search_iterator(filled, query.tolist(), batch_size=40, filter="n == 4", search_params={"metric_type": "L2"}))
    assert sorted(seen) == list(range(4, ROWS, 10))
    assert len(drain(client.search_iterator(filled, query.tolist(), batch_size=40, limit=100, search_params={"metric_type": "L2"}))) == 100


@pytest.mark.not_lite("skips ties")
def test_pages_of_a_search_iterator_keep_to_their_size_where_rows_tie(client, name):
    schema = simple_schema()
    make(client, name, schema, consistency_level="Strong")
    rng = np.random.default_rng(8)
    points = rng.integers(0, 2, (1000, DIM)).astype(np.float32)  # distances are few whole numbers
    client.insert(name, [{"id": i, "vector": points[i].tolist()} for i in range(1000)])
    ties = np.unique((points ** 2).sum(axis=1), return_counts=True)[1].max()
    batch = int(ties) + 10
    iterator, sizes, ids = client.search_iterator(name, [[0.0] * DIM], batch_size=batch, search_params={"metric_type": "L2"}), [], []
    while page := iterator.next():
        sizes.append(len(page))
        ids += [r["id"] for r in page]
    assert sorted(ids) == list(range(1000))
    assert max(sizes) <= batch, sizes
