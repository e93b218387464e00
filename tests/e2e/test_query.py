"""query, get, count: what rows, in which order, with which fields."""
import pytest
from pymilvus import DataType
from pymilvus.exceptions import MilvusException

from e2e.schemas import DIM, make, simple_schema
from harness import reference

ROWS = 500
VECTORS = reference.vectors(ROWS, DIM)


@pytest.fixture(scope="module", params=["growing", "sealed and growing"])
def filled(request, client, module_name):
    def insert(ids):
        client.insert(module_name, [{"id": i, "vector": VECTORS[i].tolist(), "n": i % 10, "t": f"t{i}", "x": i * 2} for i in ids])

    if request.param == "growing":
        schema = simple_schema(dynamic=True)
        schema.add_field("n", DataType.INT64)
        schema.add_field("t", DataType.VARCHAR, max_length=16)
        make(client, module_name, schema, consistency_level="Strong")
        insert(range(0, ROWS, 2))
    else:
        client.flush(module_name)
        insert(range(1, ROWS, 2))
    return module_name, list(range(0, ROWS, 2 if request.param == "growing" else 1))


def ids_of(rows):
    return [r["id"] for r in rows]


@pytest.mark.not_lite("no key order")
def test_rows_come_in_key_order(client, filled):
    name, ids = filled
    assert ids_of(client.query(name, filter="id >= 0", output_fields=["id"])) == ids


@pytest.mark.not_lite("no key order")
@pytest.mark.parametrize("limit, offset", [(1, 0), (10, 0), (10, 5), (100, 200), (50, 10000), (16384, 0)])
def test_limit_and_offset_page_through_key_order(client, filled, limit, offset):
    name, ids = filled
    assert ids_of(client.query(name, filter="id >= 0", limit=limit, offset=offset, output_fields=["id"])) == ids[offset:offset + limit]


@pytest.mark.not_lite("no key order")
def test_without_a_filter_a_limit_is_enough(client, filled):
    name, ids = filled
    assert ids_of(client.query(name, limit=7)) == ids[:7]


@pytest.mark.not_lite("keeps no order of keys")
def test_the_key_is_always_there_and_only_what_is_asked_for(client, filled):
    name, ids = filled
    assert client.query(name, filter="id == 4", output_fields=["n"])[0] == {"id": 4, "n": 4}
    assert client.query(name, filter="id == 4", output_fields=["x", "t"])[0] == {"id": 4, "t": "t4", "x": 8}
    row = client.query(name, filter="id == 4")[0]
    assert set(row) == {"id", "vector", "n", "t", "x"}, "all fields when none is named"


def test_by_ids(client, filled):
    name, _ = filled
    assert sorted(ids_of(client.query(name, ids=[8, 2, 444, 99999]))) == [2, 8, 444]
    assert sorted(ids_of(client.get(name, [8, 2, 444, 99999]))) == [2, 8, 444]
    assert client.get(name, []) == []
    assert client.get(name, 99999) == []


@pytest.mark.parametrize("text, want", [("", lambda i: True), ("n == 3", lambda i: i % 10 == 3), ("n > 100", lambda i: False),
                                        ('t like "t1%"', lambda i: str(i).startswith("1")), ("x >= 100", lambda i: i >= 50)])
def test_count(client, filled, text, want):
    name, ids = filled
    assert client.query(name, filter=text, output_fields=["count(*)"]) == [{"count(*)": sum(map(want, ids))}]


@pytest.mark.not_lite("no templates")
def test_filter_values_may_come_as_parameters(client, filled):
    name, ids = filled
    got = client.query(name, filter="id in {ids} or t == {t}", filter_params={"ids": [2, 4], "t": "t8"}, output_fields=["id"])
    assert sorted(ids_of(got)) == [2, 4, 8]


@pytest.mark.not_lite("other texts")
@pytest.mark.parametrize("more, text", [
    (dict(), "empty expression should be used with limit"),
    (dict(filter="id >= 0", limit=0), r"limit \[0\] is invalid"),
    (dict(filter="id >= 0", limit=-1), r"limit \[-1\] is invalid"),
    (dict(filter="id >= 0", limit=10, offset=-1), r"offset \[-1\] is invalid, should be gte than 0"),
    (dict(filter="id >= 0", limit=16385), r"\(offset\+limit\) should be in range \[1, 16384\], but got 16385"),
    (dict(filter="id >= 0", limit=16384, offset=1), r"\(offset\+limit\) should be in range \[1, 16384\], but got 16385"),
    (dict(filter="", output_fields=["count(*)"], limit=3), "count entities with pagination is not allowed"),
    (dict(filter="id >", limit=3), "failed to create query plan: cannot parse expression: id >"),
    (dict(filter="n", limit=3), "predicate is not a boolean expression: n"),
    (dict(filter="t == 3", limit=3), "comparisons between VarChar and Int64 are not supported"),
])
def test_refusals(client, filled, more, text):
    with pytest.raises(MilvusException, match=text):
        client.query(filled[0], **more)


@pytest.mark.not_lite("other texts")
def test_an_unknown_field_without_dynamic_fields_is_named(client, name):
    make(client, name, simple_schema())
    with pytest.raises(MilvusException, match="field nope not exist"):
        client.query(name, filter="nope == 1")
    with pytest.raises(MilvusException, match="field nope not exist"):
        client.query(name, filter="id == 1", output_fields=["nope"])
