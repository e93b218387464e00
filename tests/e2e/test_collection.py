"""Collections as objects: has, list, describe, rename, drop, statistics, properties of the schema form."""
import time

import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.exceptions import MilvusException

from e2e.conftest import LITE
from e2e.schemas import DIM, SCALARS, every_type_schema, make, simple_schema


def test_has_and_list_see_what_was_created_and_dropped(client, name):
    assert not client.has_collection(name)
    client.create_collection(name, schema=simple_schema())
    assert client.has_collection(name) and name in client.list_collections()
    client.drop_collection(name)
    assert not client.has_collection(name) and name not in client.list_collections()


def test_dropping_what_is_not_there_succeeds(client, name):
    client.drop_collection(name)


def test_describe_tells_every_field_as_it_was_declared(client, name):
    client.create_collection(name, schema=every_type_schema(description="all of them"), consistency_level="Strong")
    about = client.describe_collection(name)
    by_name = {f["name"]: f for f in about["fields"]}
    assert [f["name"] for f in about["fields"]] == ["id"] + [n for n, _, _ in SCALARS] + ["vector"]
    for field, kind, _ in SCALARS:
        assert by_name[field]["type"] == kind
    assert by_name["text"]["params"]["max_length"] in (64, "64")
    assert about["enable_dynamic_field"] is False
    assert about["description"] == "all of them" or LITE
    assert about["consistency_level"] == 0 or about.get("consistency_level_name") == "Strong"
    assert about["aliases"] == [] or about["aliases"] == ()
    assert about["collection_id"] > 0


@pytest.mark.not_lite("no field ids")
def test_field_ids_count_up_from_100(client, name):
    client.create_collection(name, schema=simple_schema())
    assert [f["field_id"] for f in client.describe_collection(name)["fields"]] == [100, 101]


def test_describe_tells_nullable_and_defaults(client, name):
    schema = simple_schema()
    schema.add_field("a", DataType.INT64, nullable=True)
    schema.add_field("b", DataType.VARCHAR, max_length=10, default_value="x")
    client.create_collection(name, schema=schema)
    by_name = {f["name"]: f for f in client.describe_collection(name)["fields"]}
    assert by_name["a"].get("nullable") is True
    assert by_name["b"].get("default_value") is not None
    assert not by_name["vector"].get("nullable")


@pytest.mark.not_lite("other properties")
def test_describe_tells_the_properties_that_every_collection_has(client, name):
    client.create_collection(name, schema=simple_schema(), properties={"collection.ttl.seconds": 60})
    about = client.describe_collection(name)
    assert about["properties"] == {"collection.ttl.seconds": "60", "timezone": "UTC", "max_field_id": "101", "namespace.sharding.enabled": "false"}
    assert about.get("schema_version", 0) == 0


@pytest.mark.not_lite("no time to live")
def test_rows_are_gone_when_they_outlive_the_collections_ttl(client, name):
    make(client, name, simple_schema(), consistency_level="Strong", properties={"collection.ttl.seconds": 1})
    client.insert(name, [{"id": i, "vector": [float(i)] * DIM} for i in range(10)])
    client.flush(name)
    client.insert(name, [{"id": i, "vector": [float(i)] * DIM} for i in range(10, 20)])

    def count():
        return client.query(name, output_fields=["count(*)"])[0]["count(*)"]

    until = time.monotonic() + 20
    while count() > 0:
        assert time.monotonic() < until, "rows outlived their collection's time to live"
        time.sleep(0.05)
    assert client.search(name, [[0.0] * DIM], limit=5) == [[]]
    assert client.get(name, ids=[3, 13]) == []
    assert client.query(name, filter="id >= 0", limit=5) == []
    client.alter_collection_properties(name, {"collection.ttl.seconds": 3600})
    assert count() == 20
    assert [hit["id"] for hit in client.search(name, [[0.0] * DIM], limit=2)[0]] == [0, 1]


@pytest.mark.not_lite("other texts")
class TestAlter:
    def test_a_field_that_is_not_there(self, client, name):
        client.create_collection(name, schema=simple_schema())
        with pytest.raises(MilvusException, match=f"field none does not exist in collection {name}"):
            client.alter_collection_field(name, "none", {"mmap.enabled": True})

    def test_what_takes_effect_at_load_only_before(self, client, name):
        make(client, name, simple_schema())
        for properties, text in [({"mmap.enabled": True}, "can not alter mmap properties if collection loaded"),
                                 ({"warmup.vectorField": "sync"}, "can not alter warmup properties if collection loaded")]:
            with pytest.raises(MilvusException, match=text):
                client.alter_collection_properties(name, properties)
        client.release_collection(name)
        client.alter_collection_properties(name, {"warmup.vectorField": "sync"})
        assert client.describe_collection(name)["properties"]["warmup.vectorField"] == "sync"
        with pytest.raises(MilvusException, match="invalid warmup policy"):
            client.alter_collection_properties(name, {"warmup.vectorField": "soon"})


@pytest.mark.not_lite("another text")
def test_describing_what_is_not_there_names_it(client, name):
    with pytest.raises(MilvusException, match=rf"can't find collection\[database=default\]\[collection={name}\]|collection not found.*{name}"):
        client.describe_collection(name)


@pytest.mark.not_lite("releases it")
def test_a_renamed_collection_keeps_its_rows(client, name):
    client.create_collection(name, dimension=4, consistency_level="Strong")
    client.insert(name, [{"id": 1, "vector": [1.0, 2, 3, 4]}])
    new = name + "_new"
    try:
        client.rename_collection(name, new)
        assert not client.has_collection(name) and client.has_collection(new)
        assert [r["id"] for r in client.get(new, [1])] == [1]
        client.create_collection(name, dimension=4)
        assert client.query(name, limit=10) == []
    finally:
        client.drop_collection(new)


def test_renaming_to_a_taken_name_is_refused(client, name):
    other = name + "_other"
    client.create_collection(name, schema=simple_schema())
    client.create_collection(other, schema=simple_schema())
    try:
        with pytest.raises(MilvusException, match="duplicated new collection name|already exist"):
            client.rename_collection(name, other)
    finally:
        client.drop_collection(other)


@pytest.mark.not_lite("lets it pass")
def test_renaming_to_itself_is_refused(client, name):
    client.create_collection(name, schema=simple_schema())
    with pytest.raises(MilvusException, match="collection name or database name should be different"):
        client.rename_collection(name, name)


def test_a_dropped_name_starts_empty_when_made_again(client, name):
    for _ in range(3):
        client.create_collection(name, dimension=4, consistency_level="Strong")
        assert client.query(name, output_fields=["count(*)"])[0]["count(*)"] == 0
        client.insert(name, [{"id": i, "vector": [1.0, 2, 3, float(i)]} for i in range(10)])
        assert client.query(name, output_fields=["count(*)"])[0]["count(*)"] == 10
        client.drop_collection(name)


def test_statistics_count_the_rows(client, name):
    client.create_collection(name, dimension=4)
    assert int(client.get_collection_stats(name)["row_count"]) == 0
    client.insert(name, [{"id": i, "vector": [1.0, 2, 3, float(i)]} for i in range(25)])
    client.flush(name)
    assert int(client.get_collection_stats(name)["row_count"]) == 25


def test_delete_by_filter_can_empty_a_collection(client, name):
    client.create_collection(name, dimension=4, consistency_level="Strong")
    client.insert(name, [{"id": i, "vector": [1.0, 2, 3, float(i)]} for i in range(25)])
    client.delete(name, filter="id >= 0")
    assert client.query(name, output_fields=["count(*)"])[0]["count(*)"] == 0


@pytest.mark.parametrize("bad, text", [
    ("1abc", "the first character of a collection name must be an underscore or letter"),
    ("a-b", "collection name can only contain numbers, letters and underscores"),
    ("a b", "collection name can only contain numbers, letters and underscores"),
    ("ä", "the first character of a collection name must be an underscore or letter"),
    ("x" * 256, "the length of a collection name must be less than 255 characters"),
])
@pytest.mark.not_lite("checks names another way")
def test_bad_names_are_refused_with_the_reason(client, bad, text):
    with pytest.raises(MilvusException, match=text):
        client.create_collection(bad, schema=simple_schema())
    with pytest.raises(MilvusException, match="Invalid collection name"):
        client.create_collection(bad, schema=simple_schema())


def test_a_name_of_255_characters_passes(client):
    long = "n" * 255
    client.create_collection(long, schema=simple_schema())
    try:
        assert client.has_collection(long)
    finally:
        client.drop_collection(long)


@pytest.mark.not_lite("other texts")
class TestSchemasThatAreRefused:
    def refused(self, client, name, schema, text):
        with pytest.raises(MilvusException, match=text):
            client.create_collection(name, schema=schema)
        assert not client.has_collection(name)

    def test_without_a_vector_field(self, client, name):
        schema = MilvusClient.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True)
        self.refused(client, name, schema, "schema does not contain vector field")

    def test_with_a_field_twice(self, client, name):
        schema = simple_schema()
        schema.add_field("vector", DataType.INT64)
        self.refused(client, name, schema, "duplicated field name")

    @pytest.mark.parametrize("dim", [1, 0, 32769])
    def test_with_a_dimension_out_of_range(self, client, name, dim):
        self.refused(client, name, simple_schema(dim=dim), r"invalid dimension: |dimension")

    def test_with_a_varchar_without_length(self, client, name):
        schema = simple_schema()
        schema.add_field("t", DataType.VARCHAR)
        self.refused(client, name, schema, r"type param\(max_length\) should be specified for the field\(t\)")

    @pytest.mark.parametrize("length", [0, 65536])
    def test_with_a_varchar_length_out_of_range(self, client, name, length):
        schema = simple_schema()
        schema.add_field("t", DataType.VARCHAR, max_length=length)
        self.refused(client, name, schema, r"the maximum length specified for the field\(t\) should be in \(0, 65535\]")

    @pytest.mark.parametrize("field", ["1a", "a-b", "a b"])
    def test_with_a_bad_field_name(self, client, name, field):
        schema = simple_schema()
        schema.add_field(field, DataType.INT64)
        self.refused(client, name, schema, "Invalid field name")

    def test_with_a_keyword_as_field_name(self, client, name):
        schema = simple_schema()
        schema.add_field("like", DataType.INT64)
        self.refused(client, name, schema, "keyword")

    def test_with_more_than_256_fields(self, client, name):
        schema = simple_schema()
        for n in range(256):
            schema.add_field(f"f{n}", DataType.INT64)
        self.refused(client, name, schema, "maximum field's number should be limited to 256")

    def test_with_a_nullable_key(self, client, name):
        schema = MilvusClient.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True, nullable=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=4)
        self.refused(client, name, schema, "primary field not support null")

    def test_with_a_default_of_another_type(self, client, name):
        schema = simple_schema()
        schema.add_field("n", DataType.INT64, default_value="x")
        self.refused(client, name, schema, r"type .* of field .* is not equal to the type|default_value")
