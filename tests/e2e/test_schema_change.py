"""Fields that go and come while a collection is loaded."""

import pytest
from pymilvus import DataType, FieldSchema, MilvusClient, MilvusException
from pymilvus.client.prepare import Prepare

ROWS = [{"id": i, "v": [float(i), 0.0], "n": i * 10, "tag": f"t{i}"} for i in range(5)]


def make(client, name, dynamic=False, **options):
    schema = client.create_schema(enable_dynamic_field=dynamic)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("v", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("n", DataType.INT64)
    schema.add_field("tag", DataType.VARCHAR, max_length=16)
    index = client.prepare_index_params()
    index.add_index("v", index_type="HNSW", metric_type="L2")
    index.add_index("tag", index_type="INVERTED")
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong", **options)


def fails(code, text):
    return pytest.raises(MilvusException, match=f"(?s){code}.*{text}")


@pytest.mark.parametrize("flushed", [True, False])
def test_a_dropped_field_is_gone_from_every_read_and_write(client, name, flushed):
    make(client, name)
    client.insert(name, ROWS)
    if flushed:
        client.flush(name)
    client.drop_collection_field(name, "tag")
    fields = [field["name"] for field in client.describe_collection(name)["fields"]]
    assert fields == ["id", "v", "n"]
    assert client.list_indexes(name) == ["v"]
    assert list(client.query(name, filter="n == 30", output_fields=["*"])) == [{"id": 3, "v": [3.0, 0.0], "n": 30}]
    hit = client.search(name, data=[[2.0, 0.0]], limit=1, output_fields=["*"])[0][0]
    assert hit["entity"] == {"id": 2, "v": [2.0, 0.0], "n": 20}
    with fails(1100, "field tag not exist"):
        client.query(name, filter='tag == "t1"', output_fields=["id"])
    with fails(1100, "field tag not exist"):
        client.query(name, filter="id >= 0", output_fields=["tag"])
    client.insert(name, [{"id": 9, "v": [9.0, 0.0], "n": 90}])
    client.flush(name)
    client.compact(name)
    assert [row["n"] for row in client.query(name, filter="n >= 40", output_fields=["n"])] == [40, 90]


def test_a_field_of_the_same_name_has_none_of_the_old_values(client, name):
    make(client, name)
    client.insert(name, ROWS[:3])
    client.flush(name)
    client.insert(name, ROWS[3:])
    client.drop_collection_field(name, "tag")
    client.add_collection_field(name, "tag", DataType.INT64, nullable=True)
    assert [row["tag"] for row in client.query(name, filter="id >= 0", output_fields=["tag"])] == [None] * 5
    client.insert(name, [{"id": 9, "v": [9.0, 0.0], "n": 90, "tag": 7}])
    assert list(client.query(name, filter="tag == 7", output_fields=["id"])) == [{"id": 9}]
    client.release_collection(name)
    client.load_collection(name)
    assert [row["tag"] for row in client.query(name, filter="id < 9", output_fields=["tag"])] == [None] * 5


def alter(client, name, **change):
    """What pymilvus sends of an index beside a field only through a function field."""
    request = Prepare.alter_collection_schema_request(name, **change)
    handler = client._get_connection()
    return handler._stub.AlterCollectionSchema(request).alter_status


@pytest.mark.not_lite("no schema changes")
def test_a_field_comes_with_its_index_or_not_at_all(client, name):
    make(client, name)
    client.insert(name, ROWS)
    number = FieldSchema("weight", DataType.INT64, nullable=True)
    assert alter(client, name, field_schema=number, index_name="by_weight", index_extra_params={"index_type": "STL_SORT"}).code == 0
    assert client.describe_index(name, "by_weight")["index_type"] == "STL_SORT"
    document = FieldSchema("doc", DataType.JSON, nullable=True)
    path = {"index_type": "INVERTED", "params": {"json_path": 'doc["a"]', "json_cast_type": "double"}}
    assert alter(client, name, field_schema=document, index_extra_params=path).code == 0
    assert client.describe_index(name, "doc/a")["json_path"] == 'doc["a"]'
    client.insert(name, [{"id": 9, "v": [9.0, 0.0], "n": 90, "tag": "t", "weight": 5, "doc": {"a": 2}}])
    client.flush(name)
    assert [r["id"] for r in client.query(name, filter='weight == 5 and doc["a"] == 2')] == [9]
    wrong = alter(client, name, field_schema=FieldSchema("more", DataType.INT64, nullable=True), index_extra_params={"index_type": "TRIE"})
    assert wrong.code == 1100 and "TRIE are only supported on varchar field" in wrong.reason
    taken = alter(client, name, field_schema=FieldSchema("more", DataType.INT64, nullable=True), index_name="by_weight", index_extra_params={"index_type": "STL_SORT"})
    assert taken.code == 1100 and "at most one distinct index is allowed per field" in taken.reason
    assert [f["name"] for f in client.describe_collection(name)["fields"]] == ["id", "v", "n", "tag", "weight", "doc"]


@pytest.mark.own_server
def test_a_dropped_field_stays_gone_after_a_restart(server_factory, name):
    server = server_factory()
    server.start()
    client = MilvusClient(server.uri)
    make(client, name)
    client.insert(name, ROWS)
    client.drop_collection_field(name, "tag")
    client.drop_collection_field(name, "n")
    client.close()
    server.kill()
    server.start()
    client = MilvusClient(server.uri)
    client.add_collection_field(name, "n", DataType.INT64, nullable=True)
    rows = list(client.query(name, filter="id < 2", output_fields=["*"]))
    assert rows == [{"id": 0, "v": [0.0, 0.0], "n": None}, {"id": 1, "v": [1.0, 0.0], "n": None}]
    client.close()


def test_dynamic_keys_of_before_stay_hidden_when_they_are_allowed_again(client, name):
    make(client, name, dynamic=True)
    client.insert(name, [dict(row, extra=row["id"]) for row in ROWS])
    client.flush(name)
    client.alter_collection_properties(name, {"dynamicfield.enabled": False})
    assert client.describe_collection(name)["enable_dynamic_field"] is False
    assert "extra" not in client.query(name, filter="id == 1", output_fields=["*"])[0]
    with fails(1100, "field extra not exist"):
        client.query(name, filter="extra == 1", output_fields=["id"])
    client.alter_collection_properties(name, {"dynamicfield.enabled": True})
    client.insert(name, [dict(ROWS[0], id=8, extra=1)])
    assert list(client.query(name, filter="extra == 1", output_fields=["id"])) == [{"id": 8}]


def test_what_a_collection_needs_is_not_dropped(client, name):
    make(client, name)
    for field, text in [
        ("id", "cannot drop primary key field: id"),
        ("v", "cannot drop the last vector field: v"),
        ("nothing", "field not found: nothing"),
        ("$meta", r"field not found: \$meta"),
    ]:
        with fails(1100, text):
            client.drop_collection_field(name, field)
    assert len(client.describe_collection(name)["fields"]) == 4
