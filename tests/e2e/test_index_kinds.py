"""Every kind of index finds the nearest with each metric, exactly where it must and with recall where it may."""
import numpy as np
import pytest
from pymilvus import DataType

from e2e.schemas import make, simple_schema, wait_for_index
from harness import reference

DIM, ROWS = 32, 3000
VECTORS = reference.vectors(ROWS, DIM)
QUERIES = reference.vectors(20, DIM, seed=99)
KINDS = [
    ("FLAT", {}, {}),
    ("IVF_FLAT", {"nlist": 32}, {"nprobe": 24}),
    ("IVF_FLAT_CC", {"nlist": 32, "ssize": 64}, {"nprobe": 24}),
    ("IVF_SQ8", {"nlist": 32}, {"nprobe": 24}),
    ("IVF_PQ", {"nlist": 32, "m": 16, "nbits": 8}, {"nprobe": 24, "refine_k": 4.0}),
    ("SCANN", {"nlist": 32}, {"nprobe": 24, "reorder_k": 100}),
    ("IVF_RABITQ", {"nlist": 32, "rbq_bits": 4}, {"nprobe": 24, "refine_k": 10}),
    ("HNSW", {"M": 16, "efConstruction": 100}, {"ef": 100}),
    ("HNSW_SQ", {"M": 16, "efConstruction": 100, "sq_type": "SQ8"}, {"ef": 100}),
    ("HNSW_PQ", {"M": 16, "efConstruction": 100, "m": 16}, {"ef": 100, "refine_k": 4.0}),
    ("HNSW_PRQ", {"M": 16, "efConstruction": 100, "m": 8, "nrq": 2}, {"ef": 100, "refine_k": 8.0}),
    ("RNSG", {"out_degree": 32, "candidate_pool_size": 200, "search_length": 60, "knng": 40}, {"search_length": 120}),
    ("ANNOY", {"n_trees": 10}, {"search_k": 1500}),
    ("DISKANN", {"max_degree": 32, "search_list_size": 100}, {"search_list": 100}),
    ("SVS_VAMANA", {"svs_graph_max_degree": 32}, {}),
    ("GPU_CAGRA", {}, {}),
    ("AUTOINDEX", {}, {}),
]
METRICS = ["L2", "IP", "COSINE"]


def rows(vectors=VECTORS):
    return [{"id": i, "vector": v.tolist()} for i, v in enumerate(vectors)]


SCALARS = [("HNSW_SQ", {"M": 16, "sq_type": t}, {"ef": 100, "refine_k": 4.0}) for t in ("SQ4U", "SQ6", "FP16", "BF16")] + [
    ("IVF_SQ8", {"nlist": 32, "sq_type": t}, {"nprobe": 24, "refine_k": 4.0}) for t in ("SQ4", "SQ6")
]
WORDS = [("IVF_PQ", {"nlist": 32, "m": 16, "nbits": b}, {"nprobe": 24, "refine_k": 6.0}) for b in (4, 6, 9)] + [
    ("IVF_RABITQ_FASTSCAN", {"nlist": 32, "rbq_bits": b, "refine": "true", "refine_type": "FP32"}, {"nprobe": 24, "refine_k": k})
    for b, k in ((1, 16.0), (9, 2.0))  # a bit a dimension says little of 32 dimensions
]


@pytest.mark.parametrize("kind, build, search", SCALARS + WORDS)
def test_each_codec_finds_the_nearest_and_tells_true_scores(client, name, kind, build, search):
    make(client, name, simple_schema(dim=DIM), metric="COSINE", index=kind, params=build, load=True, consistency_level="Strong")
    client.insert(name, rows())
    client.flush(name)
    wait_for_index(client, name)
    hits = client.search(name, QUERIES.tolist(), limit=10, search_params={"params": search})
    assert reference.recall(hits, reference.nearest("COSINE", QUERIES, VECTORS, 10)) >= 0.9
    exact = reference.scores("COSINE", QUERIES, VECTORS)
    for q, one in enumerate(hits):
        assert len(one) == 10
        for h in one:
            assert h["distance"] == pytest.approx(exact[q][h["id"]], rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("kind, build, search", [k for k in KINDS if k[0] in ("HNSW_PQ", "IVF_RABITQ", "SCANN", "RNSG", "ANNOY")])
def test_ranges_groups_and_pages_go_through_every_structure(client, name, kind, build, search):
    schema = simple_schema(dim=DIM)
    schema.add_field("group", DataType.INT64)
    make(client, name, schema, metric="L2", index=kind, params=build, load=True, consistency_level="Strong")
    client.insert(name, [{**row, "group": row["id"] % 7} for row in rows()])
    client.flush(name)
    wait_for_index(client, name)
    query, exact = QUERIES[0].tolist(), np.sort(reference.scores("L2", QUERIES, VECTORS)[0])
    params = {"radius": float(exact[20]), "range_filter": float(exact[5])}
    inside = client.search(name, [query], limit=50, search_params={"params": params})[0]
    assert all(params["range_filter"] <= h["distance"] < params["radius"] for h in inside)
    assert len(inside) >= 13
    grouped = client.search(name, [query], limit=5, group_by_field="group", group_size=2, output_fields=["group"], search_params={"params": search})[0]
    assert len({h["entity"]["group"] for h in grouped}) == 5
    pages = client.search_iterator(name, data=[query], batch_size=100, limit=300, search_params={"params": {}})
    met = []
    while page := pages.next():
        met += [(h["distance"], h["id"]) for h in page]
    pages.close()
    assert len(met) == 300 and [d for d, _ in met] == sorted(d for d, _ in met)
    assert len({i for _, i in met}) == 300
    found = client.search(name, [query], limit=10, filter="group == 3", search_params={"params": search})[0]
    assert len(found) == 10 and all(h["id"] % 7 == 3 for h in found)


@pytest.mark.parametrize("kind, build, search", KINDS, ids=[k for k, _, _ in KINDS])
def test_each_kind_finds_the_nearest_with_each_metric(client, name, kind, build, search):
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    indexes = client.prepare_index_params()
    for metric in METRICS:
        schema.add_field(metric, DataType.FLOAT_VECTOR, dim=DIM)
        indexes.add_index(metric, index_type=kind, metric_type=metric, params=build)
    client.create_collection(name, schema=schema, index_params=indexes, consistency_level="Strong")
    client.insert(name, [{"id": i, **dict.fromkeys(METRICS, v)} for i, v in enumerate(VECTORS)])
    client.flush(name)
    for metric in METRICS:
        about = wait_for_index(client, name, metric)
        assert about.get("chosen_index_type") == ("HNSW" if kind == "AUTOINDEX" else None)  # of so few rows
        hits = client.search(name, QUERIES.tolist(), anns_field=metric, limit=10, search_params={"metric_type": metric, "params": search})
        expected = reference.nearest(metric, QUERIES, VECTORS, 10)
        if kind == "FLAT":
            reference.assert_exact(hits, expected)
        assert reference.recall(hits, expected) >= 0.9, metric
        exact = reference.scores(metric, QUERIES, VECTORS)
        for q, one in enumerate(hits):
            assert len(one) == 10
            distances = [h["distance"] for h in one]
            assert distances == sorted(distances, reverse=metric != "L2")
            for h in one:  # whatever row is returned, its score is the true one
                assert h["distance"] == pytest.approx(exact[q][h["id"]], rel=1e-3, abs=1e-3)


def brain_bytes(vectors):
    """Floats cut to bfloat16, and as floats again."""
    cut = vectors.view(np.uint32) & 0xFFFF0000
    return [(row >> 16).astype("<u2").tobytes() for row in cut], cut.view(np.float32)


def elements(kind):
    """Rows as a client sends them, and as the numbers they are."""
    if kind == DataType.BFLOAT16_VECTOR:
        return brain_bytes(VECTORS)
    as_sent = VECTORS.astype(np.float16) if kind == DataType.FLOAT16_VECTOR else np.clip(np.round(VECTORS * 40), -128, 127).astype(np.int8)
    return list(as_sent), as_sent.astype(np.float32)


@pytest.mark.parametrize("index", ["HNSW", "HNSW_SQ", "IVF_FLAT", "SCANN", "AUTOINDEX"])
@pytest.mark.parametrize("kind", [DataType.FLOAT16_VECTOR, DataType.BFLOAT16_VECTOR, DataType.INT8_VECTOR], ids=["half", "brain", "int8"])
def test_indexes_over_halves_and_bytes_find_the_nearest(client, name, index, kind):
    if kind == DataType.INT8_VECTOR and index in ("IVF_FLAT", "SCANN"):
        pytest.skip("Milvus has no lists over int8")
    sent, numbers = elements(kind)
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", kind, dim=DIM)
    make(client, name, schema, metric="COSINE", index=index, params={}, load=True, consistency_level="Strong")
    client.insert(name, [{"id": i, "vector": v} for i, v in enumerate(sent)])
    client.flush(name)
    hits = client.search(name, sent[:20], anns_field="vector", limit=10, search_params={})
    assert reference.recall(hits, reference.nearest("COSINE", numbers[:20], numbers, 10)) >= 0.9
    exact = reference.scores("COSINE", numbers[:20], numbers)
    for q, one in enumerate(hits):
        for h in one:
            assert h["distance"] == pytest.approx(exact[q][h["id"]], rel=1e-3, abs=1e-3)
