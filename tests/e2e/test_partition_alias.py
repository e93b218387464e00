"""Partitions and aliases."""
import pytest
from pymilvus import AnnSearchRequest, DataType, RRFRanker
from pymilvus.exceptions import MilvusException

from e2e.schemas import DIM, make, simple_schema
from harness import reference

VECTORS = reference.vectors(90, DIM)


@pytest.fixture
def made(client, name):
    """Three partitions of 30 rows: _default has 0..29, p1 has 30..59, p2 has 60..89."""
    make(client, name, simple_schema(), consistency_level="Strong")
    for partition, start in (("_default", 0), ("p1", 30), ("p2", 60)):
        if partition != "_default":
            client.create_partition(name, partition)
        client.insert(name, [{"id": i, "vector": VECTORS[i].tolist()} for i in range(start, start + 30)], partition_name=partition)
    return name


def ids_of(client, name, **more):
    return [r["id"] for r in client.query(name, filter="id >= 0", output_fields=["id"], **more)]


def test_list_and_has(client, made):
    assert sorted(client.list_partitions(made)) == ["_default", "p1", "p2"]
    assert client.has_partition(made, "p1") and not client.has_partition(made, "p3")


@pytest.mark.not_lite("partial partitions and aliases")
def test_creating_one_again_changes_nothing(client, made):
    client.create_partition(made, "p1")
    assert len(ids_of(client, made, partition_names=["p1"])) == 30


@pytest.mark.not_lite("partial partitions and aliases")
@pytest.mark.parametrize("flushed", [False, True])
def test_reads_keep_to_the_partitions_named(client, made, flushed):
    if flushed:
        client.flush(made)
    assert ids_of(client, made) == list(range(90))
    assert ids_of(client, made, partition_names=["p1"]) == list(range(30, 60))
    assert ids_of(client, made, partition_names=["p1", "p2"]) == list(range(30, 90))
    hits = client.search(made, VECTORS[:2].tolist(), limit=10, partition_names=["p2"])
    reference.assert_exact(hits, reference.nearest("L2", VECTORS[:2], VECTORS, 10, rows=range(60, 90)))
    assert client.query(made, filter="", output_fields=["count(*)"], partition_names=["_default"])[0]["count(*)"] == 30


@pytest.mark.not_lite("partial partitions and aliases")
def test_delete_keeps_to_its_partition(client, made):
    client.delete(made, filter="id >= 0", partition_name="p1")
    assert ids_of(client, made) == [*range(30), *range(60, 90)]


@pytest.mark.not_lite("partial partitions and aliases")
def test_a_dropped_partition_takes_its_rows_along(client, made):
    client.release_partitions(made, ["p1"])
    client.drop_partition(made, "p1")
    assert sorted(client.list_partitions(made)) == ["_default", "p2"]
    assert ids_of(client, made) == [*range(30), *range(60, 90)]
    client.create_partition(made, "p1")
    client.load_partitions(made, ["p1"])
    assert ids_of(client, made, partition_names=["p1"]) == []


def test_partition_statistics(client, made):
    client.flush(made)
    assert int(client.get_partition_stats(made, "p1")["row_count"]) == 30


@pytest.mark.not_lite("partial partitions and aliases")
def test_an_unknown_partition_is_named(client, made):
    with pytest.raises(MilvusException, match="partition.*nope"):
        ids_of(client, made, partition_names=["nope"])
    with pytest.raises(MilvusException, match="partition.*nope"):
        client.search(made, [VECTORS[0].tolist()], partition_names=["nope"])
    with pytest.raises(MilvusException, match="partition.*nope"):
        client.insert(made, [{"id": 1, "vector": VECTORS[0].tolist()}], partition_name="nope")


@pytest.mark.not_lite("other texts")
def test_the_default_partition_stays(client, made):
    with pytest.raises(MilvusException, match="default partition cannot be deleted"):
        client.drop_partition(made, "_default")


@pytest.mark.not_lite("no load by partition")
def test_a_loaded_partition_is_not_dropped(client, made):
    with pytest.raises(MilvusException, match="partition cannot be dropped, partition is loaded, please release it first"):
        client.drop_partition(made, "p1")


@pytest.mark.not_lite("checks names another way")
@pytest.mark.parametrize("bad", ["a b", "a/b", "x" * 256])
def test_bad_partition_names_are_refused(client, made, bad):
    with pytest.raises(MilvusException, match="Invalid partition name"):
        client.create_partition(made, bad)
    with pytest.raises(MilvusException, match="Invalid partition name"):
        client.has_partition(made, bad)


class TestAlias:
    @pytest.fixture
    def alias(self, client, made):
        alias = made + "_alias"
        client.create_alias(made, alias)
        yield alias
        client.drop_alias(alias)

    def test_it_stands_for_the_collection(self, client, made, alias):
        assert client.has_collection(alias)
        assert client.describe_collection(alias)["collection_name"] == made
        assert ids_of(client, alias) == list(range(90))
        client.insert(alias, [{"id": 1000, "vector": VECTORS[0].tolist()}])
        client.delete(alias, ids=[0])
        assert ids_of(client, made) == [*range(1, 90), 1000]
        assert client.search(alias, [VECTORS[5].tolist()], limit=1)[0][0]["id"] == 5

    @pytest.mark.not_lite("partial partitions and aliases")
    def test_it_is_listed_and_described(self, client, made, alias):
        assert alias in client.list_aliases(made)["aliases"]
        about = client.describe_alias(alias)
        assert about["alias"] == alias and about["collection_name"] == made
        assert alias in client.describe_collection(made)["aliases"]

    def test_it_can_be_moved_to_another_collection(self, client, made, alias):
        other = made + "_other"
        make(client, other, simple_schema(), consistency_level="Strong")
        client.insert(other, [{"id": 5, "vector": VECTORS[0].tolist()}])
        try:
            client.alter_alias(other, alias)
            assert ids_of(client, alias) == [5]
        finally:
            client.alter_alias(made, alias)
            client.drop_collection(other)

    @pytest.mark.not_lite("other texts")
    def test_what_an_alias_cannot_do(self, client, made, alias):
        with pytest.raises(MilvusException, match=f"cannot drop the collection via alias = {alias}"):
            client.drop_collection(alias)
        with pytest.raises(MilvusException, match="alias and collection name conflict"):
            client.create_alias(made, made)
        with pytest.raises(MilvusException, match=r"alias not found\[database=default\]\[alias=no_such_alias\]"):
            client.describe_alias("no_such_alias")
        other = made + "_other"
        client.create_collection(other, schema=simple_schema())
        try:
            with pytest.raises(MilvusException, match=f"{alias} is alias to another collection: {made}: alias already exist"):
                client.create_alias(other, alias)
        finally:
            client.drop_collection(other)

    @pytest.mark.not_lite("other texts")
    def test_a_collection_with_an_alias_is_dropped_only_without_it(self, client, made, alias):
        with pytest.raises(MilvusException, match="alias"):
            client.drop_collection(made)
        assert client.has_collection(made)


@pytest.mark.not_lite("no isolation")
def test_isolated_keys_are_searched_one_at_a_time(client, name):
    schema = simple_schema()
    schema.add_field("tenant", DataType.VARCHAR, max_length=20, is_partition_key=True)
    make(client, name, schema, consistency_level="Strong", properties={"partitionkey.isolation": "true"}, num_partitions=4)
    client.insert(name, [{"id": i, "vector": VECTORS[i].tolist(), "tenant": f"t{i % 3}"} for i in range(60)])

    def search(filter):
        return [h["id"] for h in client.search(name, [VECTORS[0].tolist()], filter=filter, limit=60)[0]]

    assert sorted(search('tenant == "t1"')) == list(range(1, 60, 3))
    assert sorted(search('tenant == "t1" and id < 10')) == [1, 4, 7]
    for filter, text in (("", "partition key not found in expr"), ("id < 10", "partition key not found in expr"),
                         ('tenant in ["t1", "t2"]', "partition key isolation does not support IN"),
                         ('tenant == "t1" or id == 3', "partition key isolation does not support OR"),
                         ('tenant > "t1"', "partition key isolation does not support GreaterThan")):
        with pytest.raises(MilvusException, match=text):
            search(filter)
        part = AnnSearchRequest([VECTORS[0].tolist()], "vector", {"metric_type": "L2"}, limit=5, expr=filter)
        with pytest.raises(MilvusException, match=text):
            client.hybrid_search(name, [part, part], RRFRanker(), limit=5)
    part = AnnSearchRequest([VECTORS[0].tolist()], "vector", {"metric_type": "L2"}, limit=5, expr='tenant == "t2"')
    assert {h["id"] % 3 for h in client.hybrid_search(name, [part, part], RRFRanker(), limit=5)[0]} == {2}
    assert client.query(name, filter="id < 10", output_fields=["count(*)"])[0]["count(*)"] == 10, "a query is not isolated"
