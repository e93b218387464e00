"""Load and release: states, progress, and reads before, during and after."""
import pytest
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
