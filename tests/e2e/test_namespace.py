"""Collections with namespaces: every write says which one, every read sees one."""
import pytest
from pymilvus import AnnSearchRequest, DataType, MilvusException, RRFRanker
from pymilvus.client.prepare import Prepare
from pymilvus.grpc_gen import milvus_pb2 as milvus

pytestmark = pytest.mark.not_lite("no namespaces")


def create(client, name, properties=None, shards=1, **schema_args):
    schema = client.create_schema(enable_namespace=True, **schema_args)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("n", DataType.INT64)
    params = client.prepare_index_params()
    params.add_index("vector", index_type="HNSW", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=params, consistency_level="Strong", properties=properties, num_shards=shards)


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


PARTITIONS = {"namespace.mode": "partition"}


class Calls:
    """The calls about namespaces, which no method of pymilvus makes."""

    def __init__(self, client, collection):
        self.stub, self.collection = client._get_connection()._stub, collection

    def __getattr__(self, method):
        return lambda **args: getattr(self.stub, method)(getattr(milvus, f"{method}Request")(collection_name=self.collection, **args))


def test_namespaces_that_are_partitions(client, name):
    create(client, name, PARTITIONS)
    described = client.describe_collection(name)
    assert described["enable_namespace"] and described["properties"]["namespace.mode"] == "partition"
    assert "partitionkey.isolation" not in described["properties"]
    calls = Calls(client, name)
    for tenant in ("anna", "ben"):
        made = calls.CreateNamespace(namespace_name=tenant)
        assert made.status.code == 0 and made.namespace.namespace_name == tenant and made.namespace.state == "Ready"
    assert sorted(client.list_partitions(name)) == ["_default", "anna", "ben"]
    client.insert(name, rows(0, 20), namespace="anna")
    client.insert(name, rows(100, 20), namespace="ben")
    with pytest.raises(MilvusException, match="(?s)200.*partition not found"):
        client.insert(name, rows(200, 1), namespace="nobody")
    hits = client.search(name, [[100.0, 0.0]], limit=50, namespace="anna")[0]
    assert sorted(h["id"] for h in hits) == list(range(20))
    assert client.query(name, output_fields=["count(*)"], namespace="ben")[0]["count(*)"] == 20
    assert [r["id"] for r in client.query(name, filter="id in [3, 103]", namespace="ben")] == [103]
    parts = [AnnSearchRequest([[0.0, 0.0]], "vector", {}, limit=5), AnnSearchRequest([[110.0, 0.0]], "vector", {}, limit=5)]
    assert all(h["id"] >= 100 for h in client.hybrid_search(name, parts, RRFRanker(), limit=20, namespace="ben")[0])
    with pytest.raises(MilvusException, match="some of the provided primary key IDs do not exist"):
        client.search(name, ids=[105], limit=3, namespace="anna")
    with pytest.raises(MilvusException, match="namespace data is not set but namespace enabled"):
        client.search(name, [[0.0, 0.0]], limit=1)
    with pytest.raises(MilvusException, match='partition names .ben. mismatch namespace "anna"'):
        client.query(name, filter="id >= 0", partition_names=["ben"], namespace="anna")
    with pytest.raises(MilvusException, match="cannot alter namespace.mode after collection creation"):
        client.alter_collection_properties(name, {"namespace.mode": "partition_key"})


def test_calls_about_namespaces(client, name):
    create(client, name, PARTITIONS)
    calls = Calls(client, name)
    names = [f"t{i:02}" for i in range(5)]
    for tenant in [*names, "other"]:
        assert calls.CreateNamespace(namespace_name=tenant).status.code == 0
    assert "namespace already exists" in calls.CreateNamespace(namespace_name="t01").status.reason
    assert "Invalid partition name" in calls.CreateNamespace(namespace_name="a b").status.reason
    page = calls.ListNamespaces(prefix="t", page_size=2)
    assert [n.namespace_name for n in page.namespaces] == ["t00", "t01"] and page.next_page_token == "2"
    page = calls.ListNamespaces(prefix="t", page_size=9, page_token="2")
    assert [n.namespace_name for n in page.namespaces] == ["t02", "t03", "t04"] and page.next_page_token == ""
    assert 'invalid namespace page token: "x"' in calls.ListNamespaces(page_token="x").status.reason
    assert "must be non-negative" in calls.ListNamespaces(page_size=-1).status.reason
    client.insert(name, rows(0, 7), namespace="t03")
    assert calls.GetNamespaceStats(namespace_name="t03").stats.approx_entity_count == 7
    assert "not supported yet" in calls.GetNamespaceStats(namespace_name="t03", exact=True).status.reason
    one = calls.DescribeNamespace(namespace_name="t02").namespace
    assert (one.collection_name, one.namespace_name) == (name, "t02") and one.created_timestamp > 0
    assert "namespace not found" in calls.DescribeNamespace(namespace_name="_default").status.reason
    assert calls.HasNamespace(namespace_name="t02").value and not calls.HasNamespace(namespace_name="none").value
    assert "please release it first" in calls.DropNamespace(namespace_name="t03").status.reason
    client.release_partitions(name, ["t03"])
    assert calls.DropNamespace(namespace_name="t03").namespace.namespace_name == "t03"
    assert not calls.HasNamespace(namespace_name="t03").value
    assert "namespace not found" in calls.DropNamespace(namespace_name="t03").status.reason


def test_calls_about_namespaces_kept_by_a_key(client, shared):
    reply = Calls(client, shared).ListNamespaces()
    assert reply.status.code == 1100
    assert "namespace APIs require collection with namespace enabled and namespace.mode=partition" in reply.status.reason


def sharded_tenants(client, name, flushed):
    """Six namespaces in shards of their own, the ith with the ids from 100 * i to 100 * i + 19."""
    create(client, name, {"namespace.sharding.enabled": "true"}, shards=3)
    tenants = [f"tenant {i}" for i in range(6)]
    for i, tenant in enumerate(tenants):
        client.insert(name, rows(100 * i, 20), namespace=tenant)
    if flushed:
        client.flush(name)
    return tenants


@pytest.mark.parametrize("flushed", [False, True])
def test_each_in_a_shard_of_its_own(client, name, flushed):
    tenants = sharded_tenants(client, name, flushed)
    assert client.describe_collection(name)["properties"]["namespace.sharding.enabled"] == "true"
    for i, tenant in enumerate(tenants):
        first = 100 * i
        hits = client.search(name, [[first + 3.2, 0.0]], limit=50, namespace=tenant)[0]
        assert hits[0]["id"] == first + 3 and sorted(h["id"] for h in hits) == list(range(first, first + 20))
        assert client.query(name, output_fields=["count(*)"], namespace=tenant)[0]["count(*)"] == 20
        assert client.search(name, ids=[first + 7], limit=1, namespace=tenant)[0][0]["id"] == first + 7
        client.insert(name, [{"id": first + 50, "vector": [9.0, 9.0], "n": 77}], namespace=tenant)
        assert [r["id"] for r in client.query(name, filter="n == 77", namespace=tenant)] == [first + 50]
        assert client.delete(name, filter=f"id == {first + 2}", namespace=tenant)["delete_count"] == 1
        assert client.query(name, output_fields=["count(*)"], namespace=tenant)[0]["count(*)"] == 20
    client.delete(name, filter="id in [5, 305]")
    assert [client.query(name, output_fields=["count(*)"], namespace=t)[0]["count(*)"] for t in tenants] == [19, 20, 20, 19, 20, 20]


def upsert(client, name, entities, tenant, **kwargs):
    """As pymilvus asks, but with the namespace, which it leaves out."""
    about = client.describe_collection(name)
    request = Prepare.row_upsert_param(name, entities, "", about["fields"], schema_timestamp=about["update_timestamp"], **kwargs)
    if tenant is not None:
        request.namespace = tenant
    return client._get_connection()._stub.Upsert(request)


@pytest.mark.parametrize("flushed", [False, True])
@pytest.mark.parametrize("partial", [False, True])
def test_upserts_stay_in_their_namespace(client, name, flushed, partial):
    tenants = sharded_tenants(client, name, flushed)
    for i, tenant in enumerate(tenants):
        first = 100 * i
        # One that is there, which shall be another, and one that is not.
        entities = [{"id": first + 4, "n": 66}] if partial else [{"id": first + 4, "vector": [first + 70.0, 0.0], "n": 66}]
        reply = upsert(client, name, entities, tenant, partial_update=partial)
        assert reply.status.code == 0 and reply.upsert_cnt == 1, reply.status.reason
        assert upsert(client, name, [{"id": first + 60, "vector": [first + 60.0, 0.0], "n": 67}], tenant).status.code == 0
    for i, tenant in enumerate(tenants):
        first = 100 * i
        assert client.query(name, output_fields=["count(*)"], namespace=tenant)[0]["count(*)"] == 21
        changed = client.query(name, filter="n >= 66", output_fields=["n", "vector"], namespace=tenant)
        assert [(r["id"], r["n"]) for r in changed] == [(first + 4, 66), (first + 60, 67)]
        assert changed[0]["vector"] == [first + (4.0 if partial else 70.0), 0.0]
        hits = client.search(name, [[first + 100.0, 0.0]], limit=50, namespace=tenant)[0]
        assert [h["id"] for h in hits][:2] == ([first + 60, first + 19] if partial else [first + 4, first + 60]) and len(hits) == 21
    erased = Calls(client, name).Delete(expr="n == 66", namespace=tenants[2])
    assert erased.status.code == 0 and erased.delete_cnt == 1
    assert [client.query(name, output_fields=["count(*)"], namespace=t)[0]["count(*)"] for t in tenants] == [21, 21, 20, 21, 21, 21]


@pytest.mark.parametrize("sharding", ["true", "false"])
def test_an_upsert_names_its_namespace(client, name, sharding):
    create(client, name, {"namespace.sharding.enabled": sharding}, shards=3)
    row = {"id": 1, "vector": [1.0, 0.0], "n": 1}
    for partial in (False, True):
        reply = upsert(client, name, [row], None, partial_update=partial)
        assert reply.status.code == 1100 and "namespace data is not set but namespace enabled" in reply.status.reason
    assert upsert(client, name, [row], "anna").status.code == 0
    # What is not there yet needs all its fields, whoever else has a row of the key.
    for tenant in ("ben", "carl", "dora"):
        reply = upsert(client, name, [{"id": 1, "n": 2}], tenant, partial_update=True)
        assert reply.status.code != 0 and "vector" in reply.status.reason, tenant
    assert list(client.query(name, output_fields=["n"], filter="id == 1", namespace="anna")) == [{"id": 1, "n": 1}]


def test_shards_of_namespaces_are_chosen_once(client, name):
    with pytest.raises(MilvusException, match='invalid namespace.sharding.enabled value "1", valid values: .true,false.'):
        create(client, name, {"namespace.sharding.enabled": "1"})
    with pytest.raises(MilvusException, match='did you mean "namespace.sharding.enabled"'):
        create(client, name, {"Namespace.sharding.enabled": "true"})
    create(client, name)
    with pytest.raises(MilvusException, match="cannot alter namespace.sharding.enabled after collection creation"):
        client.alter_collection_properties(name, {"namespace.sharding.enabled": "true"})
    with pytest.raises(MilvusException, match="cannot delete namespace.sharding.enabled after collection creation"):
        client.drop_collection_properties(name, ["namespace.sharding.enabled"])


def test_an_unknown_mode_is_refused(client, name):
    with pytest.raises(MilvusException, match='invalid namespace.mode value "tenant"'):
        create(client, name, {"namespace.mode": "tenant"})
