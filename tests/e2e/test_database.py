"""Databases."""
import re

import pytest
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from e2e.conftest import unique
from e2e.schemas import DIM, make, simple_schema
from harness import reference

pytestmark = pytest.mark.not_lite("has one database")
VECTORS = reference.vectors(10, DIM)


@pytest.fixture
def database(client):
    name = unique("db")
    client.create_database(name)
    yield name
    if name in client.list_databases():
        inside = MilvusClient_of(client, name)
        for collection in inside.list_collections():
            inside.drop_collection(collection)
        client.drop_database(name)


@pytest.fixture
def inside(uri, database):
    return MilvusClient(uri, db_name=database)


def MilvusClient_of(client, name):
    return MilvusClient(client._config.uri if hasattr(client, "_config") else client.uri, db_name=name)


def test_it_is_listed_and_described(client, database):
    assert "default" in client.list_databases() and database in client.list_databases()
    assert client.describe_database(database)["name"] == database


def test_collections_of_one_name_in_two_databases_are_two(client, inside, name):
    make(client, name, simple_schema(), consistency_level="Strong")
    make(inside, name, simple_schema(), consistency_level="Strong")
    client.insert(name, [{"id": 1, "vector": VECTORS[0].tolist()}])
    inside.insert(name, [{"id": 2, "vector": VECTORS[0].tolist()}, {"id": 3, "vector": VECTORS[1].tolist()}])
    assert [r["id"] for r in client.query(name, filter="id >= 0")] == [1]
    assert [r["id"] for r in inside.query(name, filter="id >= 0")] == [2, 3]
    inside.drop_collection(name)
    assert client.has_collection(name) and not inside.has_collection(name)


def test_use_database_switches_the_client(uri, client, database, name):
    own = MilvusClient(uri)
    own.use_database(database)
    own.create_collection(name, schema=simple_schema())
    assert own.list_collections() == [name] and not client.has_collection(name)
    own.drop_collection(name)


def test_only_an_empty_one_is_dropped(client, inside, database, name):
    inside.create_collection(name, schema=simple_schema())
    with pytest.raises(MilvusException, match="not empty, must drop all collections before drop database"):
        client.drop_database(database)
    inside.drop_collection(name)
    client.drop_database(database)
    assert database not in client.list_databases()


def test_the_same_name_again_is_refused(client, database):
    with pytest.raises(MilvusException, match=f"database already exist: {database}"):
        client.create_database(database)


def test_the_default_one_stays(client):
    with pytest.raises(MilvusException, match="can not drop default database"):
        client.drop_database("default")


@pytest.mark.parametrize("bad, text", [("1a", "the first character of a database name must be an underscore or letter"),
                                       ("a-b", "database name can only contain numbers, letters and underscores"),
                                       ("d" * 256, "the length of a database name must be less than 255 characters")])
def test_bad_names_are_refused(client, bad, text):
    with pytest.raises(MilvusException, match=text):
        client.create_database(bad)


@pytest.mark.not_lite("no properties")
@pytest.mark.parametrize("unknown", ["%$#", " ", "nowhere"])
def test_altering_one_that_is_not_there_names_it(client, unknown):
    with pytest.raises(MilvusException, match=re.escape(f"database not found[database={unknown}]")):
        client.alter_database_properties(unknown, {"database.replica.number": 2})
    with pytest.raises(MilvusException, match=re.escape(f"database not found[database={unknown}]")):
        client.drop_database_properties(unknown, ["database.replica.number"])
