"""A struct array added to a collection that has rows: old rows are null, new ones are written, filtered and searched."""
import time

import pytest
from pymilvus import DataType, MilvusClient, MilvusException
from pymilvus.client.embedding_list import EmbeddingList

pytestmark = pytest.mark.not_lite("no struct arrays")


def plain(client, name):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    params = client.prepare_index_params()
    params.add_index("vector", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=params, consistency_level="Strong")


def clip_schema(client, *without):
    clip = client.create_struct_field_schema()
    clip.add_field("name", DataType.VARCHAR, max_length=20)
    clip.add_field("score", DataType.INT16)
    if "emb" not in without:
        clip.add_field("emb", DataType.FLOAT_VECTOR, dim=2)
    return clip


def ids(rows):
    return sorted(r["id"] for r in rows)


@pytest.fixture(params=["growing", "sealed"])
def old(request):
    return request.param


def with_clips(client, name, old):
    """Rows 1 and 2 from before the field, 3 (two elements), 4 (empty), 5 (null) and 6 (left out) from after."""
    plain(client, name)
    client.insert(name, [{"id": i, "vector": [float(i), 0.0]} for i in (1, 2)])
    if old == "sealed":
        client.flush(name)
    client.add_collection_struct_field(name, "clips", clip_schema(client), max_capacity=4)
    client.insert(name, [
        {"id": 3, "vector": [3.0, 0.0], "clips": [{"name": "a", "score": 1, "emb": [1.0, 0.0]}, {"name": "b", "score": 9, "emb": [0.0, 1.0]}]},
        {"id": 4, "vector": [4.0, 0.0], "clips": []}])
    client.insert(name, [{"id": 5, "vector": [5.0, 0.0], "clips": None}])
    client.insert(name, [{"id": 6, "vector": [6.0, 0.0]}])


def test_the_field_is_described(client, name):
    plain(client, name)
    client.add_collection_struct_field(name, "clips", clip_schema(client), max_capacity=4, desc="parts")
    clips = client.describe_collection(name)["fields"][2]
    assert (clips["name"], clips["type"], clips["element_type"]) == ("clips", DataType.ARRAY, DataType.STRUCT)
    assert clips["nullable"] is True and clips["params"]["max_capacity"] == 4 and clips["description"] == "parts"
    members = {f["name"]: f for f in clips["struct_fields"]}
    assert set(members) == {"name", "score", "emb"}
    assert members["emb"]["type"] == DataType.FLOAT_VECTOR and members["emb"]["params"]["dim"] == 2


def test_old_rows_are_null(client, name, old):
    with_clips(client, name, old)
    rows = {r["id"]: r["clips"] for r in client.query(name, filter="id > 0", output_fields=["clips"])}
    assert [rows[i] for i in (1, 2, 4, 5, 6)] == [None, None, [], None, None]
    assert [(c["name"], c["score"], c["emb"]) for c in rows[3]] == [("a", 1, [1.0, 0.0]), ("b", 9, [0.0, 1.0])]
    hits = client.search(name, [[1.0, 0.0]], anns_field="vector", limit=6, output_fields=["clips[score]"])[0]
    assert [h["entity"]["clips"] for h in hits] == [None, None, [{"score": 1}, {"score": 9}], [], None, None]


@pytest.mark.parametrize("filter, expected", [
    ("clips is null", [1, 2, 5, 6]),
    ("clips is not null", [3, 4]),
    ("match_any(clips, $[score] > 5)", [3]),
    ("not match_any(clips, $[score] > 5)", [4]),
    ("match_all(clips, $[score] > 5)", [4]),
    ("array_length(clips) == 0", [4]),
    ("array_contains(clips[name], 'b')", [3]),
    ("element_filter(clips, $[name] == 'b')", [3]),
])
def test_filters_over_old_and_new_rows(client, name, old, filter, expected):
    with_clips(client, name, old)
    assert ids(client.query(name, filter=filter)) == expected


def test_its_vectors_are_searched_after_the_next_load(client, name, old):
    with_clips(client, name, old)
    query = EmbeddingList([[0.0, 1.0]])
    with pytest.raises(MilvusException, match="is not loaded, please reload the collection"):
        client.search(name, [query], anns_field="clips[emb]", limit=5, search_params={"metric_type": "MAX_SIM_COSINE"})
    with pytest.raises(MilvusException, match="there is no vector index on field"):
        client.load_collection(name)
    params = client.prepare_index_params()
    params.add_index("clips[emb]", index_type="HNSW", metric_type="MAX_SIM_COSINE", params={"M": 8, "efConstruction": 64})
    client.create_index(name, params)
    client.load_collection(name)
    found = client.search(name, [query], anns_field="clips[emb]", limit=5, search_params={"metric_type": "MAX_SIM_COSINE"},
                          output_fields=["clips"])[0]
    assert [h["id"] for h in found] == [3] and len(found[0]["entity"]["clips"]) == 2
    client.upsert(name, [{"id": 1, "vector": [1.0, 0.0], "clips": [{"name": "z", "score": 3, "emb": [0.0, 2.0]}]}])
    client.flush(name)
    found = client.search(name, [query], anns_field="clips[emb]", limit=5, search_params={"metric_type": "MAX_SIM_COSINE"})[0]
    assert sorted(h["id"] for h in found) == [1, 3]


def test_a_partial_update_of_an_old_row_leaves_it_null(client, name, old):
    with_clips(client, name, old)
    client.upsert(name, [{"id": 2, "vector": [9.0, 0.0]}], partial_update=True)
    client.upsert(name, [{"id": 1, "clips": [{"name": "y", "score": 2, "emb": [1.0, 1.0]}]}], partial_update=True)
    rows = {r["id"]: r for r in client.query(name, filter="id < 3", output_fields=["*"])}
    assert rows[2]["clips"] is None and rows[2]["vector"] == [9.0, 0.0]
    assert [c["name"] for c in rows[1]["clips"]] == ["y"] and rows[1]["vector"] == [1.0, 0.0]


def test_rows_of_both_ages_are_merged(client, name):
    with_clips(client, name, "sealed")
    client.flush(name)
    job = client.compact(name)
    until = time.monotonic() + 30
    while client.get_compaction_state(job) != "Completed":
        assert time.monotonic() < until
        time.sleep(0.05)
    rows = {r["id"]: r["clips"] for r in client.query(name, filter="id > 0", output_fields=["clips"])}
    assert [None if r is None else len(r) for _, r in sorted(rows.items())] == [None, None, 2, 0, None, None]
    assert ids(client.query(name, filter="clips is null")) == [1, 2, 5, 6]


@pytest.mark.own_server
def test_it_survives_a_restart(server_factory):
    server = server_factory()
    server.start()
    client = MilvusClient(server.uri)
    with_clips(client, "c", "sealed")
    client.close()
    server.kill()
    server.start()
    client = MilvusClient(server.uri)
    rows = {r["id"]: r["clips"] for r in client.query("c", filter="id > 0", output_fields=["clips"])}
    assert [None if r is None else len(r) for _, r in sorted(rows.items())] == [None, None, 2, 0, None, None]
    client.insert("c", [{"id": 7, "vector": [7.0, 0.0], "clips": [{"name": "q", "score": 4, "emb": [1.0, 0.0]}]}])
    assert ids(client.query("c", filter="match_any(clips, $[score] == 4)")) == [7]
    client.close()


def test_what_cannot_be_added(client, name):
    plain(client, name)
    client.add_collection_struct_field(name, "clips", clip_schema(client, "emb"), max_capacity=4)
    for taken in ("clips", "vector"):
        with pytest.raises(MilvusException, match=f"duplicated field name {taken}"):
            client.add_collection_struct_field(name, taken, clip_schema(client, "emb"), max_capacity=4)
    with pytest.raises(MilvusException, match="not support to add system field, field name = RowID"):
        client.add_collection_struct_field(name, "RowID", clip_schema(client, "emb"), max_capacity=4)
    with pytest.raises(MilvusException, match=r"the maximum capacity specified for a Array should be in \(0, 4096\]"):
        client.add_collection_struct_field(name, "many", clip_schema(client, "emb"), max_capacity=5000)
    sparse = client.create_struct_field_schema()
    sparse.add_field("s", DataType.SPARSE_FLOAT_VECTOR)
    with pytest.raises(MilvusException, match="only fixed dimension vector types are supported"):
        client.add_collection_struct_field(name, "sparse", sparse, max_capacity=4)
    with pytest.raises(MilvusException, match="collection not found"):
        client.add_collection_struct_field(f"{name}_nowhere", "clips", clip_schema(client, "emb"), max_capacity=4)
    assert [f["name"] for f in client.describe_collection(name)["fields"]] == ["id", "vector", "clips"]


def test_what_is_said_of_a_struct_changes(client, name):
    plain(client, name)
    client.add_collection_struct_field(name, "clips", clip_schema(client, "emb"), max_capacity=4)
    client.release_collection(name)
    client.alter_collection_field(name, "clips", {"mmap_enabled": True, "field.description": "parts"})
    clips = client.describe_collection(name)["fields"][2]
    assert clips["description"] == "parts" and clips["params"]["max_capacity"] == 4
    client.alter_collection_field(name, "clips", {"mmap_enabled": False})
    client.load_collection(name)
    with pytest.raises(MilvusException, match="can not alter collection field properties if collection loaded"):
        client.alter_collection_field(name, "clips", {"mmap_enabled": True})
