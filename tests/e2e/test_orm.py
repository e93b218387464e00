"""The ORM classes of pymilvus: connections, Collection, Partition, Index, utility."""
import pytest
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections, utility
from pymilvus.exceptions import MilvusException

from e2e.schemas import DIM
from harness import reference

pytestmark = pytest.mark.not_lite("no server to connect to")
VECTORS = reference.vectors(100, DIM)


@pytest.fixture(scope="module", autouse=True)
def connected(uri):
    connections.connect("default", uri=uri)
    yield
    connections.disconnect("default")


@pytest.fixture
def collection(name):
    schema = CollectionSchema([FieldSchema("id", DataType.INT64, is_primary=True), FieldSchema("t", DataType.VARCHAR, max_length=32),
                               FieldSchema("vector", DataType.FLOAT_VECTOR, dim=DIM)], description="orm")
    made = Collection(name, schema, consistency_level="Strong")
    made.insert([list(range(100)), [f"t{i}" for i in range(100)], VECTORS.tolist()])
    return made


def test_a_collection_from_columns_to_search(collection):
    assert collection.description == "orm" and collection.primary_field.name == "id"
    collection.flush()
    assert collection.num_entities == 100
    collection.create_index("vector", {"index_type": "HNSW", "metric_type": "L2", "params": {"M": 8, "efConstruction": 64}})
    assert collection.has_index() and collection.index().params["index_type"] == "HNSW"
    collection.load()
    found = collection.search(VECTORS[:3].tolist(), "vector", {"metric_type": "L2", "params": {"ef": 100}}, limit=5, output_fields=["t"])
    for q, (hits, want) in enumerate(zip(found, reference.nearest("L2", VECTORS[:3], VECTORS, 5))):
        assert list(hits.ids) == [r for r, _ in want]
        assert hits[0].entity.get("t") == f"t{q}"
    assert [r["id"] for r in collection.query("id < 3", output_fields=["t"])] == [0, 1, 2]
    assert collection.delete("id in [0, 1]").delete_count == 2
    assert [r["id"] for r in collection.query("id < 3", output_fields=["t"])] == [2]
    collection.upsert([[2], ["new"], [VECTORS[50].tolist()]])
    assert collection.query("id == 2", output_fields=["t"])[0]["t"] == "new"
    collection.release()
    with pytest.raises(MilvusException, match="collection not loaded"):
        collection.query("id < 3")
    collection.drop_index()
    assert not collection.has_index()


def test_utility_sees_collections_and_load_states(collection, name):
    assert utility.has_collection(name) and name in utility.list_collections()
    collection.create_index("vector", {"index_type": "FLAT", "metric_type": "IP", "params": {}})
    assert str(utility.load_state(name)) == "NotLoad"
    collection.load()
    assert str(utility.load_state(name)) == "Loaded"
    assert utility.loading_progress(name)["loading_progress"] == "100%"
    progress = utility.index_building_progress(name)
    assert progress["total_rows"] >= progress["indexed_rows"]
    utility.drop_collection(name)
    assert not utility.has_collection(name)


def test_partitions_as_objects(collection):
    partition = collection.create_partition("p")
    partition.insert([[1000], ["p"], [VECTORS[0].tolist()]])
    collection.create_index("vector", {"index_type": "FLAT", "metric_type": "L2", "params": {}})
    collection.load()
    assert [p.name for p in collection.partitions] == ["_default", "p"] and collection.has_partition("p")
    assert [r["id"] for r in partition.query("id >= 0")] == [1000]
    collection.release()
    partition.drop()
    assert not collection.has_partition("p")


def test_iterators(collection):
    collection.create_index("vector", {"index_type": "FLAT", "metric_type": "L2", "params": {}})
    collection.load()
    ids, iterator = [], collection.query_iterator(batch_size=7, expr="id >= 0")
    while page := iterator.next():
        ids += [r["id"] for r in page]
    assert ids == list(range(100))
    ids, iterator = [], collection.search_iterator([VECTORS[0].tolist()], "vector", {"metric_type": "L2", "params": {}}, batch_size=9)
    while page := iterator.next():
        ids += page.ids()
    assert sorted(ids) == list(range(100)) and ids[0] == 0


def test_a_collection_with_another_schema_is_refused(collection, name):
    other = CollectionSchema([FieldSchema("id", DataType.INT64, is_primary=True), FieldSchema("vector", DataType.FLOAT_VECTOR, dim=DIM + 1)])
    with pytest.raises(MilvusException):
        Collection(name, other)
