"""An index on a struct's vectors: searches by lists and by element through it, against exact ones computed here."""
import time

import numpy as np
import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.client.embedding_list import EmbeddingList

from e2e.test_scalar_index import wait_built

pytestmark = pytest.mark.not_lite("no struct arrays")

DIM = 8
ROWS = 1500
RECALL = 0.9  # what an index chooses by itself aims at .95, and its seed is its id, another one in each run


def lists_of(rows, seed):
    """Of each row 0 to 5 vectors, around forty centres."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(40, DIM))
    return [(centres[random.integers(0, 40, n)] + random.normal(size=(n, DIM)) / 3).astype(np.float32) for n in random.integers(0, 6, rows)]


LISTS = lists_of(ROWS, 1)
QUERIES = [q[:3] for q in lists_of(60, 1)[20:] if len(q) >= 3]


def clips_of(row, lists=None):
    return [{"score": (row + i) % 10, "emb": v.tolist(), "mark": v.tolist()} for i, v in enumerate(LISTS[row] if lists is None else lists)]


def make(client, name, kind="HNSW", params=None, indexes=True):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    clip = client.create_struct_field_schema()
    clip.add_field("score", DataType.INT16)
    clip.add_field("emb", DataType.FLOAT_VECTOR, dim=DIM)
    clip.add_field("mark", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("clips", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=clip, max_capacity=8)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    both = client.prepare_index_params()
    both.add_index("vector", index_type="FLAT", metric_type="L2")
    both.add_index("clips[emb]", index_name="emb", index_type=kind, metric_type="MAX_SIM_COSINE", params=params or {})
    both.add_index("clips[mark]", index_name="mark", index_type=kind, metric_type="L2", params=params or {})
    client.create_collection(name, schema=schema, index_params=both if indexes else None, consistency_level="Strong")
    client.insert(name, [{"id": i, "vector": [i, 0], "clips": clips_of(i)} for i in range(ROWS)])
    client.flush(name)
    if not indexes:
        client.create_index(name, both)
        client.load_collection(name)
    wait_built(client, name, ["emb", "mark"])


@pytest.fixture(scope="module", params=["HNSW", "IVF_FLAT", "HNSW_SQ"])
def filled(client, module_name, request):
    name = f"{module_name}_{request.param}"
    make(client, name, request.param, {"IVF_FLAT": {"nlist": 32}}.get(request.param, {"M": 16, "efConstruction": 100}))
    yield name
    client.drop_collection(name)


def cosines(a, b):
    return (a / np.linalg.norm(a, axis=1, keepdims=True)) @ (b / np.linalg.norm(b, axis=1, keepdims=True)).T


def nearest_rows(query, k, rows):
    sums = {row: cosines(query, vectors).max(axis=1).sum() for row, vectors in rows.items() if len(vectors)}
    return sorted(sums, key=lambda row: -sums[row])[:k], sums


def nearest_elements(vector, k, keeps=lambda row, i: True):
    found = [(float(((v - vector) ** 2).sum()), row, i) for row, vectors in enumerate(LISTS) for i, v in enumerate(vectors) if keeps(row, i)]
    return sorted(found)[:k]


def by_lists(client, name, queries, limit, **more):
    return client.search(name, [EmbeddingList(list(q)) for q in queries], anns_field="clips[emb]", limit=limit,
                         search_params={"metric_type": "MAX_SIM_COSINE"}, **more)


def by_element(client, name, vectors, limit, **more):
    return client.search(name, [v.tolist() for v in vectors], anns_field="clips[mark]", limit=limit, search_params={"metric_type": "L2"}, **more)


def ways(client, name, field, data, metric):
    """How each segment was searched."""
    hits = client.search(name, data, anns_field=field, limit=3, search_params={"metric_type": metric, "explain": True})
    return {s["search"] for shard in hits[0][0]["entity"]["explain(*)"]["shards"] for s in shard["segments"] if s["rows"]}


def recall(client, name, rows, k=10, filter=""):
    found = by_lists(client, name, QUERIES, k, filter=filter)
    met = 0
    for query, hits in zip(QUERIES, found):
        wanted, sums = nearest_rows(query, k, rows)
        assert len(hits) == len(wanted) and [h["distance"] for h in hits] == sorted((h["distance"] for h in hits), reverse=True)
        for hit in hits:
            assert hit["distance"] == pytest.approx(sums[hit["id"]], abs=1e-4)
        met += len(set(wanted) & {h["id"] for h in hits})
    return met / (k * len(QUERIES))


def test_searches_by_lists_go_through_the_index(client, filled):
    assert "brute force" not in ways(client, filled, "clips[emb]", [EmbeddingList(list(QUERIES[0]))], "MAX_SIM_COSINE")
    assert recall(client, filled, dict(enumerate(LISTS))) >= RECALL
    kept = {row: vectors for row, vectors in enumerate(LISTS) if row % 7 == 3}
    assert recall(client, filled, kept, filter="id % 7 == 3") >= RECALL


def test_searches_by_element_go_through_the_index(client, filled):
    vectors = [q[0] for q in QUERIES]
    assert "brute force" not in ways(client, filled, "clips[mark]", [vectors[0].tolist()], "L2")
    for filter, keeps in (("", lambda row, i: True), ("id < 500", lambda row, i: row < 500),
                          ("element_filter(clips, $[score] == 4)", lambda row, i: (row + i) % 10 == 4)):
        met = 0
        for vector, hits in zip(vectors, by_element(client, filled, vectors, 10, filter=filter)):
            wanted = {(row, i): d for d, row, i in nearest_elements(vector, 10, keeps)}
            got = {(h["id"], h["offset"]): h["distance"] for h in hits}
            assert len(got) == 10 and all(keeps(*at) for at in got), filter
            for (row, i), distance in got.items():
                assert distance == pytest.approx(float(((LISTS[row][i] - vector) ** 2).sum()), rel=1e-3, abs=1e-3)
            met += len(wanted.keys() & got.keys())
        assert met >= RECALL * 10 * len(vectors), filter


def test_a_range_of_elements(client, filled):
    vector = QUERIES[0][0]
    inside = {(row, i) for d, row, i in nearest_elements(vector, 10**6) if 0.5 < d < 1.5}
    hits = client.search(filled, [vector.tolist()], anns_field="clips[mark]", limit=2000,
                         search_params={"metric_type": "L2", "params": {"radius": 1.5, "range_filter": 0.5}})[0]
    found = {(h["id"], h["offset"]) for h in hits}
    assert found <= inside and len(inside) >= 10 and len(found) >= RECALL * len(inside)


def test_writes_after_the_index_count(client, name):
    make(client, name, params={"M": 16, "efConstruction": 100}, indexes=False)
    rows = dict(enumerate(LISTS))
    best, _ = nearest_rows(QUERIES[0], 5, rows)
    client.delete(name, ids=best[:2])
    for row in best[:2]:
        rows[row] = []
    client.upsert(name, [{"id": best[2], "vector": [0, 0], "clips": clips_of(best[2], -QUERIES[0])}])
    rows[best[2]] = -QUERIES[0]
    client.insert(name, [{"id": ROWS, "vector": [0, 0], "clips": clips_of(0, QUERIES[0])}])
    rows[ROWS] = QUERIES[0]
    assert by_lists(client, name, QUERIES[:1], 1)[0][0]["id"] == ROWS
    assert recall(client, name, rows) >= RECALL
    client.flush(name)
    client.compact(name)
    wait_built(client, name, ["emb", "mark"])
    assert recall(client, name, rows) >= RECALL
    hits = by_element(client, name, [QUERIES[0][1]], 1)[0]
    assert (hits[0]["id"], hits[0]["offset"]) == (ROWS, 1) and hits[0]["distance"] == pytest.approx(0, abs=1e-6)


def until_indexed(client, name):
    """Files of an index are opened behind a load, which does not wait for them."""
    end = time.monotonic() + 30
    while ways(client, name, "clips[emb]", [EmbeddingList(list(QUERIES[0]))], "MAX_SIM_COSINE") != {"HNSW"}:
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.own_server
def test_it_survives_a_restart_and_a_release(server_factory):
    server = server_factory()
    server.start()
    client = MilvusClient(server.uri)
    make(client, "c", params={"M": 16, "efConstruction": 100})
    client.close()
    server.kill()
    server.start()
    client = MilvusClient(server.uri)
    until_indexed(client, "c")
    assert recall(client, "c", dict(enumerate(LISTS))) >= RECALL
    client.release_collection("c")
    client.load_collection("c")
    until_indexed(client, "c")
    assert recall(client, "c", dict(enumerate(LISTS))) >= RECALL
    client.close()
