"""Every vector type: stored, returned and found by exact search, growing, flushed and after a restart."""
import numpy as np
import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.exceptions import MilvusException

from e2e.schemas import DIM

ROWS = 200
BITS = 16
DENSE = {"half": DataType.FLOAT16_VECTOR, "brain": DataType.BFLOAT16_VECTOR, "tiny": DataType.INT8_VECTOR}
# field: index type, metric
INDEXES = {"full": ("FLAT", "L2"), "half": ("HNSW", "COSINE"), "brain": ("IVF_FLAT", "IP"), "tiny": ("HNSW", "L2"), "bits": ("BIN_FLAT", "JACCARD"), "sparse": ("SPARSE_INVERTED_INDEX", "IP")}
RANDOM = np.random.default_rng(5)
FULL = RANDOM.standard_normal((ROWS, DIM)).astype(np.float32)
BYTES = RANDOM.integers(-128, 128, (ROWS, DIM)).astype(np.int8)
PACKED = RANDOM.integers(0, 256, (ROWS, BITS // 8)).astype(np.uint8)
SPARSE = [{int(k): float(v) for k, v in zip(RANDOM.choice(40, 5, replace=False), RANDOM.random(5).astype(np.float32) + 0.1)} for _ in range(ROWS)]


def brain(values: np.ndarray) -> np.ndarray:
    """The nearest bfloat16, ties to even, as float32."""
    bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)


def brain_bytes(values: np.ndarray) -> bytes:
    return (brain(values).view(np.uint32) >> 16).astype("<u2").tobytes()


def row(n: int) -> dict:
    return {"id": n, "full": FULL[n].tolist(), "half": FULL[n].astype(np.float16), "brain": brain_bytes(FULL[n]), "tiny": BYTES[n],
            "bits": PACKED[n].tobytes(), "sparse": SPARSE[n]}


def schema():
    made = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    made.add_field("id", DataType.INT64, is_primary=True)
    made.add_field("full", DataType.FLOAT_VECTOR, dim=DIM)
    for name, kind in DENSE.items():
        made.add_field(name, kind, dim=DIM)
    made.add_field("bits", DataType.BINARY_VECTOR, dim=BITS)
    made.add_field("sparse", DataType.SPARSE_FLOAT_VECTOR)
    return made


def create(client, name):
    indexes = client.prepare_index_params()
    for field, (kind, metric) in INDEXES.items():
        indexes.add_index(field, index_type=kind, metric_type=metric, params={})
    client.create_collection(name, schema=schema(), index_params=indexes, consistency_level="Strong")
    client.insert(name, [row(n) for n in range(ROWS)])


def distances(field: str) -> np.ndarray:
    """The score of every row with row 7 as the query."""
    if field == "bits":
        bits = np.unpackbits(PACKED, axis=1).astype(bool)
        return 1 - (bits & bits[7]).sum(1) / (bits | bits[7]).sum(1)
    if field == "sparse":
        return np.array([sum(v * one.get(k, 0) for k, v in SPARSE[7].items()) for one in SPARSE])
    rows = {"full": FULL, "half": FULL.astype(np.float16).astype(np.float64), "brain": brain(FULL), "tiny": BYTES.astype(np.float64)}[field].astype(np.float64)
    metric = INDEXES[field][1]
    if metric == "L2":
        return ((rows - rows[7]) ** 2).sum(1)
    products = rows @ rows[7]
    return products if metric == "IP" else products / np.linalg.norm(rows, axis=1) / np.linalg.norm(rows[7])


def check_search(client, name, field):
    scores = distances(field)
    ascending = INDEXES[field][1] in ("L2", "JACCARD")
    wanted = sorted(scores if ascending else -scores)[:10]
    hits = client.search(name, [row(7)[field]], anns_field=field, limit=10)[0]
    got = [hit["distance"] if ascending else -hit["distance"] for hit in hits]
    assert got == pytest.approx(wanted, rel=1e-3, abs=1e-3), field
    for hit in hits:
        assert hit["distance"] == pytest.approx(scores[hit["id"]], rel=1e-3, abs=1e-3)


def check_values(client, name):
    for got in client.query(name, filter="id in [0, 7, 199]", output_fields=["*"]):
        n = got["id"]
        assert list(got["full"]) == pytest.approx(FULL[n].tolist(), abs=0)
        assert bytes(got["half"][0]) == FULL[n].astype("<f2").tobytes()
        assert bytes(got["brain"][0]) == brain_bytes(FULL[n])
        assert bytes(got["tiny"][0]) == BYTES[n].tobytes()
        assert bytes(got["bits"][0]) == PACKED[n].tobytes()
        assert dict(got["sparse"]) == pytest.approx(SPARSE[n])


@pytest.fixture(scope="module", params=["growing", "flushed"])
def filled(request, client, module_name):
    if request.param == "growing":
        create(client, module_name)
    else:
        client.flush(module_name)
    return module_name


def test_values_come_back_as_inserted(client, filled):
    check_values(client, filled)


@pytest.mark.parametrize("field", list(INDEXES))
def test_search_is_exact(client, filled, field):
    check_search(client, filled, field)


def test_several_queries_are_answered_in_order(client, filled):
    for field in INDEXES:
        found = client.search(filled, [row(n)[field] for n in (3, 9, 27)], anns_field=field, limit=1)
        assert len(found) == 3
    found = client.search(filled, [SPARSE[3], {39: 0.0}, SPARSE[9]], anns_field="sparse", limit=5)
    assert found[0][0]["id"] == 3 and len(found[1]) == 0 and len(found[2]) == 5


def test_a_field_must_be_named_when_there_are_several(client, filled):
    with pytest.raises(MilvusException, match="multiple anns_fields exist, please specify a anns_field in search_params"):
        client.search(filled, [row(7)["full"]], limit=3)


def test_rows_are_searched_by_key(client, filled):
    for field in INDEXES:
        found = client.search(filled, ids=[7], anns_field=field, limit=3)
        assert len(found) == 1 and len(found[0]) == 3


def test_every_type_survives_a_restart(server_factory):
    server = server_factory()
    server.start()
    client = MilvusClient(server.uri)
    create(client, "kept")
    client.flush("kept")
    client.insert("kept", [dict(row(0), id=ROWS)])
    client.close()
    server.stop()
    server.start()
    client = MilvusClient(server.uri)
    assert client.query("kept", output_fields=["count(*)"])[0]["count(*)"] == ROWS + 1
    client.delete("kept", ids=[ROWS])
    check_values(client, "kept")
    for field in INDEXES:
        check_search(client, "kept", field)
    client.close()


@pytest.mark.parametrize("metric, wanted", [("HAMMING", lambda q, r: (q ^ r).sum()), ("JACCARD", lambda q, r: 1 - (q & r).sum() / (q | r).sum())])
def test_binary_metrics(client, name, metric, wanted):
    made = MilvusClient.create_schema()
    made.add_field("id", DataType.INT64, is_primary=True)
    made.add_field("bits", DataType.BINARY_VECTOR, dim=BITS)
    indexes = client.prepare_index_params()
    indexes.add_index("bits", index_type="BIN_IVF_FLAT", metric_type=metric, params={"nlist": 16})
    client.create_collection(name, schema=made, index_params=indexes, consistency_level="Strong")
    client.insert(name, [{"id": n, "bits": PACKED[n].tobytes()} for n in range(ROWS)])
    bits = np.unpackbits(PACKED, axis=1).astype(bool)
    for hit in client.search(name, [PACKED[7].tobytes()], limit=20)[0]:
        assert hit["distance"] == pytest.approx(wanted(bits[7], bits[hit["id"]]), abs=1e-6)


def test_structures_match_by_their_bits(client, name):
    made = MilvusClient.create_schema()
    made.add_field("id", DataType.INT64, is_primary=True)
    made.add_field("bits", DataType.BINARY_VECTOR, dim=8)
    indexes = client.prepare_index_params()
    indexes.add_index("bits", index_type="BIN_FLAT", metric_type="SUPERSTRUCTURE")
    client.create_collection(name, schema=made, index_params=indexes, consistency_level="Strong")
    client.insert(name, [{"id": n, "bits": bytes([n])} for n in range(16)])
    assert {hit["id"] for hit in client.search(name, [bytes([5])], limit=16)[0]} == {0, 1, 4, 5}


def test_floats_become_half_and_brain_floats(client, name):
    made = MilvusClient.create_schema()
    made.add_field("id", DataType.INT64, is_primary=True)
    made.add_field("half", DataType.FLOAT16_VECTOR, dim=2)
    indexes = client.prepare_index_params()
    indexes.add_index("half", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=made, index_params=indexes, consistency_level="Strong")
    client.insert(name, [{"id": 1, "half": [1.0, 0.1]}])
    hit = client.search(name, [[1.0, 0.1]], anns_field="half", limit=1, output_fields=["half"])[0][0]
    assert hit["distance"] == pytest.approx(0, abs=1e-6)
    assert bytes(hit["entity"]["half"]) == np.array([1.0, 0.1], dtype="<f2").tobytes()


@pytest.mark.parametrize("field, value, text", [
    ("half", b"123", "should divide"),
    ("half", np.array([np.inf] * DIM, dtype=np.float16), "is not a number or infinity"),
    ("bits", b"1", "should divide the dim"),
    ("sparse", {2**32 - 1: 1.0}, "less than 2\\^32-1"),
    ("sparse", {1: -1.0}, "negative value in sparse float vector"),
])
def test_bad_vectors_are_refused(client, filled, field, value, text):
    with pytest.raises(Exception, match=text):
        client.insert(filled, [dict(row(0), id=10**6, **{field: value})])
    assert client.query(filled, filter=f"id == {10**6}") == []


@pytest.mark.parametrize("kind, index, metric, text", [
    (DataType.INT8_VECTOR, "IVF_FLAT", "L2", "data type Int8Vector can't build with this index IVF_FLAT"),
    (DataType.FLOAT16_VECTOR, "BIN_FLAT", "L2", "data type Float16Vector can't build with this index BIN_FLAT"),
    (DataType.BINARY_VECTOR, "BIN_FLAT", "L2", "binary vector index does not support metric type: L2"),
    (DataType.BINARY_VECTOR, "BIN_IVF_FLAT", "SUBSTRUCTURE", r"metric type SUBSTRUCTURE not found or not supported, supported: \[HAMMING JACCARD\]"),
    (DataType.SPARSE_FLOAT_VECTOR, "SPARSE_INVERTED_INDEX", "L2", "only IP&BM25 is the supported metric type for sparse index"),
])
def test_an_index_fits_its_type(client, name, kind, index, metric, text):
    made = MilvusClient.create_schema()
    made.add_field("id", DataType.INT64, is_primary=True)
    made.add_field("v", kind, **({} if kind == DataType.SPARSE_FLOAT_VECTOR else {"dim": 8}))
    client.create_collection(name, schema=made)
    indexes = client.prepare_index_params()
    indexes.add_index("v", index_type=index, metric_type=metric)
    with pytest.raises(MilvusException, match=text):
        client.create_index(name, indexes)


@pytest.mark.parametrize("field", ["full", "half", "bits", "sparse"])
def test_rows_without_a_vector_are_never_hits(client, name, field):
    made = MilvusClient.create_schema()
    made.add_field("id", DataType.INT64, is_primary=True)
    kind = {"full": DataType.FLOAT_VECTOR, "half": DataType.FLOAT16_VECTOR, "bits": DataType.BINARY_VECTOR, "sparse": DataType.SPARSE_FLOAT_VECTOR}[field]
    extra = {} if field == "sparse" else {"dim": BITS if field == "bits" else DIM}
    made.add_field(field, kind, nullable=True, **extra)
    indexes = client.prepare_index_params()
    indexes.add_index(field, index_type="AUTOINDEX")
    client.create_collection(name, schema=made, index_params=indexes, consistency_level="Strong")
    client.insert(name, [{"id": n, field: None if n % 2 else row(n)[field]} for n in range(20)])
    for step in ("growing", "flushed"):
        hits = client.search(name, [row(4)[field]], limit=20, output_fields=[field])[0]
        assert hits and all(hit["id"] % 2 == 0 for hit in hits), step
        got = {r["id"]: r[field] for r in client.query(name, filter="id < 4", output_fields=[field])}
        assert got[1] is None and got[3] is None and got[0] is not None and got[2] is not None
        client.flush(name)
