"""Load and release: states, progress, and reads before, during and after."""
import pytest
from pymilvus import DataType
from pymilvus.exceptions import MilvusException

from e2e.schemas import DIM, make, simple_schema
from harness import reference

VECTORS = reference.vectors(200, DIM)


def rows(ids):
    return [{"id": i, "vector": VECTORS[i].tolist()} for i in ids]


def state(client, name, **more):
    return str(client.get_load_state(name, **more)["state"])


@pytest.mark.not_lite("states differ")
def test_states_from_created_to_dropped(client, name):
    client.create_collection(name, schema=simple_schema())
    assert state(client, name) == "NotLoad"
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="FLAT", metric_type="L2")
    client.create_index(name, indexes)
    client.load_collection(name)
    assert state(client, name) == "Loaded"
    client.release_collection(name)
    assert state(client, name) == "NotLoad"
    client.drop_collection(name)
    assert state(client, name) == "NotExist"


@pytest.mark.not_lite("other texts")
def test_without_an_index_it_cannot_be_loaded(client, name):
    client.create_collection(name, schema=simple_schema())
    with pytest.raises(MilvusException, match=rf"index not found\[collection={name}\]"):
        client.load_collection(name)
    with pytest.raises(MilvusException, match=rf"index not found\[collection={name}\]"):
        client.load_partitions(name, ["none"])
    indexes = client.prepare_index_params()
    indexes.add_index("id", index_type="STL_SORT")
    client.create_index(name, indexes)
    with pytest.raises(MilvusException, match=r"there is no vector index on field: \[vector\], please create index firstly"):
        client.load_collection(name)


@pytest.mark.not_lite("other texts")
def test_no_partitions_at_all_cannot_be_loaded(client, name):
    make(client, name, simple_schema())
    with pytest.raises(MilvusException, match="due to no partition specified"):
        client.load_partitions(name, [])


@pytest.mark.not_lite("other texts")
def test_reads_before_load_are_refused(client, name):
    client.create_collection(name, schema=simple_schema())
    client.insert(name, rows(range(5)))
    with pytest.raises(MilvusException, match="collection not loaded"):
        client.search(name, [VECTORS[0].tolist()])
    with pytest.raises(MilvusException, match="collection not loaded"):
        client.query(name, filter="id >= 0")


@pytest.mark.parametrize("flushed", [False, True])
def test_rows_written_before_during_and_after_load_are_found(client, name, flushed):
    make(client, name, simple_schema(), consistency_level="Strong")
    client.release_collection(name)
    client.insert(name, rows(range(50)))
    if flushed:
        client.flush(name)
    client.load_collection(name)
    client.insert(name, rows(range(50, 100)))
    assert [r["id"] for r in client.query(name, filter="id >= 0", output_fields=["id"])] == list(range(100))
    reference.assert_exact(client.search(name, VECTORS[:3].tolist(), limit=10), reference.nearest("L2", VECTORS[:3], VECTORS[:100], 10))


@pytest.mark.not_lite("other texts")
def test_after_release_reads_are_refused_and_after_load_they_answer_again(client, name):
    make(client, name, simple_schema(), consistency_level="Strong")
    client.insert(name, rows(range(50)))
    client.flush(name)
    for _ in range(3):
        client.release_collection(name)
        with pytest.raises(MilvusException, match="collection not loaded"):
            client.search(name, [VECTORS[0].tolist()])
        client.delete(name, ids=[49])
        client.load_collection(name)
        assert client.query(name, filter="", output_fields=["count(*)"])[0]["count(*)"] == 49


def test_load_and_release_twice_are_as_once(client, name):
    make(client, name, simple_schema())
    client.load_collection(name)
    client.load_collection(name)
    client.release_collection(name)
    client.release_collection(name)


@pytest.mark.not_lite("no load by partition")
def test_partitions_are_loaded_by_name(client, name):
    make(client, name, simple_schema(), consistency_level="Strong")
    client.release_collection(name)
    client.create_partition(name, "a")
    client.insert(name, rows(range(10)), partition_name="a")
    client.load_partitions(name, ["a"])
    assert state(client, name, partition_name="a") == "Loaded"
    assert len(client.query(name, filter="id >= 0", partition_names=["a"])) == 10
    with pytest.raises(MilvusException, match="partition not loaded|not loaded"):
        client.query(name, filter="id >= 0", partition_names=["_default"])


@pytest.mark.not_lite("no such RPC")
def test_progress_is_100_when_loaded(client, name):
    make(client, name, simple_schema())
    client.insert(name, rows(range(50)))
    client.refresh_load(name)
    assert client.get_load_state(name).get("progress", 100) == 100


@pytest.mark.not_lite("no added fields")
@pytest.mark.parametrize("flushed", [False, True])
def test_a_vector_field_that_came_while_loaded_is_searched_after_a_load(client, name, flushed):
    make(client, name, simple_schema(), consistency_level="Strong")
    client.insert(name, [{"id": i, "vector": VECTORS[i].tolist()} for i in range(20)])
    if flushed:
        client.flush(name)
    client.add_collection_field(name, "later", DataType.FLOAT_VECTOR, dim=DIM, nullable=True)
    client.insert(name, [{"id": 20 + i, "vector": VECTORS[i].tolist(), "later": VECTORS[i].tolist()} for i in range(5)])
    assert [r["later"] is None for r in client.query(name, filter="id in [3, 21]", output_fields=["later"])] == [True, False]
    assert len(client.search(name, [VECTORS[3].tolist()], anns_field="vector", limit=3)[0]) == 3
    with pytest.raises(MilvusException, match="field index of the field: later is not loaded, please reload the collection"):
        client.search(name, [VECTORS[3].tolist()], anns_field="later", limit=3)
    params = client.prepare_index_params()
    params.add_index("later", index_type="HNSW", metric_type="L2")
    client.create_index(name, params)
    client.load_collection(name)
    hits = client.search(name, [VECTORS[3].tolist()], anns_field="later", limit=10)[0]
    assert hits[0]["id"] == 23 and sorted(h["id"] for h in hits) == [20, 21, 22, 23, 24]


@pytest.mark.not_lite("no added fields")
def test_an_index_on_a_field_that_came_later_is_finished(client, name):
    make(client, name, simple_schema(), consistency_level="Strong")
    rows = [{"id": i, "vector": VECTORS[i % 200].tolist()} for i in range(2000)]
    client.insert(name, rows)
    client.flush(name)
    client.add_collection_field(name, "later", DataType.FLOAT_VECTOR, dim=DIM, nullable=True)
    params = client.prepare_index_params()
    params.add_index("later", index_type="HNSW", metric_type="L2")
    client.create_index(name, params, timeout=60)
    assert client.describe_index(name, "later")["state"] == "Finished"


@pytest.mark.not_lite("no partial load")
def test_fields_that_were_not_loaded_are_read_and_their_vectors_not_searched(client, name):
    schema = simple_schema()
    schema.add_field("other", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("n", DataType.INT64)
    make(client, name, schema, fields=("vector", "other"), consistency_level="Strong")
    client.insert(name, [{"id": i, "vector": VECTORS[i].tolist(), "other": VECTORS[i + 1].tolist(), "n": i * 10} for i in range(20)])
    client.flush(name)
    client.release_collection(name)
    client.load_collection(name, load_fields=["id", "vector"])
    assert client.search(name, [VECTORS[3].tolist()], anns_field="vector", limit=1, output_fields=["n"])[0][0]["entity"] == {"n": 30}
    assert client.query(name, filter="n == 40", output_fields=["id", "n"]) == [{"id": 4, "n": 40}]
    with pytest.raises(MilvusException, match="field index of the field: other is not loaded, please reload the collection"):
        client.search(name, [VECTORS[3].tolist()], anns_field="other", limit=1)
