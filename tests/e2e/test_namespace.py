"""Collections with namespaces: every write says which one, every read sees one."""
import pytest
from pymilvus import AnnSearchRequest, DataType, MilvusException, RRFRanker

pytestmark = pytest.mark.not_lite("no namespaces")


def create(client, name, **schema_args):
    schema = client.create_schema(enable_namespace=True, **schema_args)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("n", DataType.INT64)
    params = client.prepare_index_params()
    params.add_index("vector", index_type="HNSW", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=params, consistency_level="Strong")


def rows(first, count):
    return [{"id": i, "vector": [float(i), 0.0], "n": i % 5} for i in range(first, first + count)]


@pytest.fixture(scope="module", params=["growing", "sealed"])
def shared(client, module_name, request):
    """20 rows for each of two tenants; its tests only read."""
    name = f"{module_name}_{request.param}"
    create(client, name)
    client.insert(name, rows(0, 20), namespace="anna")
    client.insert(name, rows(100, 20), namespace="ben")
    if request.param == "sealed":
        client.flush(name)
    yield name
    client.drop_collection(name)


def test_the_description_shows_namespaces_and_hides_their_field(client, shared):
    described = client.describe_collection(shared)
    assert described["enable_namespace"]
    assert [f["name"] for f in described["fields"]] == ["id", "vector", "n"]
    assert described["properties"]["partitionkey.isolation"] == "true"


def test_a_read_sees_its_namespace_alone(client, shared):
    hits = client.search(shared, [[100.0, 0.0]], limit=50, namespace="anna")[0]
    assert sorted(h["id"] for h in hits) == list(range(20)) and hits[0]["id"] == 19
    hits = client.search(shared, [[0.0, 0.0]], limit=3, filter="n == 1", namespace="ben")[0]
    assert [h["id"] for h in hits] == [101, 106, 111]
    assert client.query(shared, output_fields=["count(*)"], namespace="ben")[0]["count(*)"] == 20
    assert [r["id"] for r in client.query(shared, filter="id in [3, 103]", namespace="ben")] == [103]
    assert [r["id"] for r in client.query(shared, limit=2, namespace="ben")] == [100, 101]
    assert client.query(shared, filter="id >= 0", namespace="nobody") == []
    near = client.search(shared, ids=[105], limit=3, namespace="ben")[0]
    assert [h["id"] for h in near][0] == 105 and all(h["id"] >= 100 for h in near)
    with pytest.raises(MilvusException, match="some of the provided primary key IDs do not exist"):
        client.search(shared, ids=[105], limit=3, namespace="anna")
    row = client.query(shared, filter="id == 3", output_fields=["*"], namespace="anna")[0]
    assert set(row) == {"id", "vector", "n"}


def test_a_hybrid_search_too(client, shared):
    parts = [AnnSearchRequest([[0.0, 0.0]], "vector", {}, limit=5), AnnSearchRequest([[110.0, 0.0]], "vector", {}, limit=5)]
    found = client.hybrid_search(shared, parts, RRFRanker(), limit=20, namespace="ben")[0]
    assert found and all(h["id"] >= 100 for h in found)


def test_none_named(client, shared):
    with pytest.raises(MilvusException, match="namespace data is not set but namespace enabled"):
        client.insert(shared, rows(200, 1))
    with pytest.raises(MilvusException, match="namespace data is not set but namespace enabled"):
        client.search(shared, [[0.0, 0.0]], limit=1)
    with pytest.raises(MilvusException, match="namespace data is not set but namespace enabled"):
        client.query(shared, filter="id == 1")


def test_named_where_there_are_none(client, name):
    client.create_collection(name, dimension=2, consistency_level="Strong")
    with pytest.raises(MilvusException, match="namespace data is set but namespace disabled"):
        client.insert(name, [{"id": 1, "vector": [0.0, 0.0]}], namespace="anna")
    with pytest.raises(MilvusException, match="namespace data is set but namespace disabled"):
        client.search(name, [[0.0, 0.0]], limit=1, namespace="anna")
    with pytest.raises(MilvusException, match="namespace data is set but namespace disabled"):
        client.query(name, filter="id == 1", namespace="anna")


def test_with_a_dynamic_field_after_a_restart_of_the_load(client, name):
    create(client, name, enable_dynamic_field=True)
    client.insert(name, [{**r, "tag": "x"} for r in rows(0, 3)], namespace="anna")
    client.insert(name, [{**r, "tag": "y"} for r in rows(10, 3)], namespace="ben")
    client.flush(name)
    client.release_collection(name)
    client.load_collection(name)
    assert [r["tag"] for r in client.query(name, filter="tag in ['x', 'y']", output_fields=["tag"], namespace="ben")] == ["y"] * 3
    client.delete(name, filter="id in [0, 10]")
    assert [r["id"] for r in client.query(name, filter="id >= 0", namespace="anna")] == [1, 2]
    assert [r["id"] for r in client.query(name, filter="id >= 0", namespace="ben")] == [11, 12]


def test_another_partition_key_is_refused(client, name):
    schema = client.create_schema(enable_namespace=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("team", DataType.VARCHAR, max_length=16, is_partition_key=True)
    with pytest.raises(MilvusException, match="namespace is not supported with partition key mode"):
        client.create_collection(name, schema=schema)
