"""Every field type: what goes in comes out, in query, get and search, before and after a flush."""
import numpy as np
import pytest
from pymilvus import DataType
from pymilvus.exceptions import MilvusException

from e2e.schemas import DIM, SCALARS, every_type_row, every_type_schema, make, simple_schema
from harness import reference

ROWS = 300
NAMES = [n for n, _, _ in SCALARS]
VECTORS = reference.vectors(ROWS, DIM)


@pytest.fixture(scope="module", params=["growing", "flushed"])
def filled(request, client, module_name):
    if request.param == "growing":
        make(client, module_name, every_type_schema(), consistency_level="Strong")
        client.insert(module_name, [every_type_row(i, VECTORS[i]) for i in range(ROWS)])
    else:
        client.flush(module_name)
    return module_name


def same(got: dict, row: dict):
    assert got["id"] == row["id"]
    for field in NAMES:
        if field == "single":
            assert got[field] == pytest.approx(row[field], rel=1e-6)
        else:
            assert got[field] == row[field], field


def test_query_returns_each_value_as_inserted(client, filled):
    rows = client.query(filled, filter="id >= 0", output_fields=["*"])
    assert [r["id"] for r in rows] == list(range(ROWS)), "ascending by primary key"
    for got in rows:
        same(got, every_type_row(got["id"], VECTORS[got["id"]]))
        assert list(got["vector"]) == pytest.approx(VECTORS[got["id"]].tolist(), abs=0)


def test_get_returns_the_rows_of_the_keys(client, filled):
    rows = client.get(filled, ids=[5, 299, 17, 100000])
    assert sorted(r["id"] for r in rows) == [5, 17, 299]
    for got in rows:
        same(got, every_type_row(got["id"], VECTORS[got["id"]]))


@pytest.mark.not_lite("always returns all")
def test_search_returns_the_fields_asked_for_and_no_others(client, filled):
    for hit in client.search(filled, [VECTORS[3].tolist()], limit=3, output_fields=NAMES)[0]:
        assert set(hit["entity"]) == set(NAMES)
        same({"id": hit["id"], **hit["entity"]}, every_type_row(hit["id"], VECTORS[hit["id"]]))
    hit = client.search(filled, [VECTORS[3].tolist()], limit=1)[0][0]
    assert hit["id"] == 3 and hit["entity"] == {}


def test_search_returns_the_vector_when_asked(client, filled):
    hit = client.search(filled, [VECTORS[9].tolist()], limit=1, output_fields=["vector"])[0][0]
    assert list(hit["entity"]["vector"]) == pytest.approx(VECTORS[9].tolist(), abs=0)


def test_star_means_every_field(client, filled):
    hit = client.search(filled, [VECTORS[9].tolist()], limit=1, output_fields=["*"])[0][0]
    assert set(hit["entity"]) >= {*NAMES, "vector"}


def test_search_is_exact_over_every_row(client, filled):
    queries = reference.vectors(5, DIM, seed=11)
    reference.assert_exact(client.search(filled, queries.tolist(), limit=20), reference.nearest("L2", queries, VECTORS, 20))


def test_bounds_of_the_integer_types_come_back(client, name):
    make(client, name, every_type_schema(), consistency_level="Strong")
    low, high = every_type_row(0, VECTORS[0]), every_type_row(1, VECTORS[1])
    low.update(tiny=-128, small=-32768, medium=-2**31, large=-2**63, single=-3.0e38, double_=-1.7e308, text="")
    high.update(tiny=127, small=32767, medium=2**31 - 1, large=2**63 - 1, single=3.0e38, double_=1.7e308, text="x" * 64)
    client.insert(name, [low, high])
    got = client.query(name, filter="id in [0, 1]", output_fields=["*"])
    for one, want in zip(got, (low, high)):
        same(one, want)


@pytest.mark.not_lite("objects only")
@pytest.mark.parametrize("value", [None, True, 5, -2.5, [], [1, "a", None], {}, {"a": {"b": [1, {"c": None}]}}, {"ключ": "значение", "q\"": "\\"}])
def test_any_json_value_comes_back(client, name, value):
    schema = simple_schema()
    schema.add_field("doc", DataType.JSON, nullable=True)
    make(client, name, schema, consistency_level="Strong")
    client.insert(name, [{"id": 1, "vector": VECTORS[0].tolist(), "doc": value}])
    assert client.get(name, 1)[0]["doc"] == value


@pytest.mark.not_lite("no key order")
def test_varchar_keys_come_back_in_byte_order(client, name):
    make(client, name, simple_schema(pk_type=DataType.VARCHAR, max_length=32), consistency_level="Strong")
    keys = ["b", "a", "ab", "Z", "é", "10", "9", "a b", "漢", "a\"b"]
    client.insert(name, [{"id": k, "vector": VECTORS[i].tolist()} for i, k in enumerate(keys)])
    got = [r["id"] for r in client.query(name, filter='id != ""', output_fields=["id"])]
    assert got == sorted(keys, key=lambda k: k.encode())
    assert [r["id"] for r in client.get(name, ["a b", "漢", "nope"])] == ["a b", "漢"]


def test_auto_ids_are_distinct_and_increase(client, name):
    make(client, name, simple_schema(auto_id=True), consistency_level="Strong")
    ids = []
    for n in range(3):
        ids += list(client.insert(name, [{"vector": VECTORS[n * 10 + i].tolist()} for i in range(10)])["ids"])
    assert len(set(ids)) == 30 and ids == sorted(ids)
    assert [r["id"] for r in client.query(name, filter="id > 0", output_fields=["id"])] == ids


@pytest.mark.not_lite("lets it pass")
def test_a_key_given_to_an_auto_id_collection_is_refused(client, name):
    make(client, name, simple_schema(auto_id=True))
    with pytest.raises(Exception, match="auto|Auto|primary"):
        client.insert(name, [{"id": 1, "vector": VECTORS[0].tolist()}])


class TestNullable:
    @pytest.fixture
    def filled(self, client, name):
        schema = simple_schema()
        for field, kind, extra in SCALARS:
            schema.add_field(field, kind, nullable=True, **extra)
        make(client, name, schema, consistency_level="Strong")
        rows = []
        for i in range(60):
            full = every_type_row(i, VECTORS[i])
            row = {k: (None if k in NAMES and (i + NAMES.index(k)) % 3 == 0 else v) for k, v in full.items()}
            if i % 10 == 9:
                row = {"id": i, "vector": row["vector"]}  # a missing nullable field is a null
            rows.append(row)
        client.insert(name, rows)
        return name, rows

    @pytest.mark.parametrize("flushed", [False, True])
    def test_nulls_come_back_as_none(self, client, filled, flushed):
        name, rows = filled
        if flushed:
            client.flush(name)
        for got, want in zip(client.query(name, filter="id >= 0", output_fields=["*"]), rows):
            for field in NAMES:
                expected = want.get(field)
                assert got[field] == (pytest.approx(expected) if isinstance(expected, float) else expected), (got["id"], field)

    @pytest.mark.parametrize("field", ["flag", "tiny", "large", "single", "double_", "text"])
    def test_is_null_and_is_not_null_split_the_rows(self, client, filled, field):
        name, rows = filled
        null = [r["id"] for r in client.query(name, filter=f"{field} is null", output_fields=["id"])]
        rest = [r["id"] for r in client.query(name, filter=f"{field} is not null", output_fields=["id"])]
        assert null == [r["id"] for r in rows if r.get(field) is None]
        assert sorted(null + rest) == list(range(60))

    def test_a_null_is_neither_equal_nor_unequal(self, client, filled):
        name, rows = filled
        equal = client.query(name, filter="medium == 5", output_fields=["id"])
        unequal = client.query(name, filter="medium != 5", output_fields=["id"])
        assert len(equal) + len(unequal) == sum(r.get("medium") is not None for r in rows)


class TestDefaults:
    def test_a_missing_or_null_field_takes_its_default(self, client, name):
        schema = simple_schema()
        schema.add_field("n", DataType.INT64, default_value=42)
        schema.add_field("t", DataType.VARCHAR, max_length=16, default_value="none")
        schema.add_field("f", DataType.FLOAT, default_value=1.5)
        schema.add_field("b", DataType.BOOL, default_value=True)
        schema.add_field("both", DataType.INT32, default_value=np.int32(7), nullable=True)
        make(client, name, schema, consistency_level="Strong")
        client.insert(name, [{"id": 1, "vector": VECTORS[0].tolist()}])
        client.insert(name, [{"id": 2, "vector": VECTORS[1].tolist(), "n": None, "t": None, "f": None, "b": None, "both": None}])
        client.insert(name, [{"id": 3, "vector": VECTORS[2].tolist(), "n": 1, "t": "x", "f": 2.5, "b": False, "both": 3}])
        rows = client.query(name, filter="id > 0", output_fields=["*"])
        for row in rows[:2]:
            assert (row["n"], row["t"], row["f"], row["b"], row["both"]) == (42, "none", 1.5, True, 7), row
        assert (rows[2]["n"], rows[2]["t"], rows[2]["f"], rows[2]["b"], rows[2]["both"]) == (1, "x", 2.5, False, 3)


@pytest.fixture(scope="module")
def dynamic(client, module_name):
    name = module_name + "_dyn"
    make(client, name, simple_schema(dynamic=True), consistency_level="Strong")
    client.insert(name, [{"id": i, "vector": VECTORS[i].tolist(), **({"n": i, "tag": f"t{i % 4}", "deep": {"k": [i]}} if i % 5 else {})} for i in range(50)])
    yield name
    client.drop_collection(name)


class TestDynamicField:
    def test_unknown_keys_are_kept(self, client, dynamic):
        row = client.get(dynamic, 7, output_fields=["*"])[0]
        assert (row["n"], row["tag"], row["deep"]) == (7, "t3", {"k": [7]})

    def test_a_key_that_a_row_lacks_is_left_out(self, client, dynamic):
        rows = client.query(dynamic, filter="id in [5, 6]", output_fields=["n", "tag"])
        assert "n" not in rows[0] and rows[1]["n"] == 6

    @pytest.mark.parametrize("text", ['n > 40', '$meta["n"] > 40', 'tag == "t2" and n > 40', 'deep["k"][0] > 40'])
    def test_filters_reach_them(self, client, dynamic, text):
        got = [r["id"] for r in client.query(dynamic, filter=text, output_fields=["id"])]
        assert got == [i for i in range(41, 50) if i % 5 and ("t2" not in text or i % 4 == 2)]

    @pytest.mark.not_lite("the client decides")
    def test_without_it_an_unknown_key_is_refused(self, client, name):
        make(client, name, simple_schema())
        with pytest.raises(MilvusException, match="unexpected field `?extra|dynamic"):
            client.insert(name, [{"id": 1, "vector": VECTORS[0].tolist(), "extra": 1}])


@pytest.mark.not_lite("no ttl_field")
@pytest.mark.parametrize("flushed", [False, True])
def test_rows_live_until_the_time_in_their_ttl_field(client, name, flushed):
    schema = simple_schema()
    schema.add_field("until", DataType.TIMESTAMPTZ, nullable=True)
    make(client, name, schema, consistency_level="Strong", properties={"ttl_field": "until"})
    times = ["2001-01-01T00:00:00Z", "2901-01-01T00:00:00+08:00", None]
    client.insert(name, [{"id": i, "vector": [float(i)] * DIM, "until": times[i % 3]} for i in range(30)])
    if flushed:
        client.flush(name)
    alive = [i for i in range(30) if i % 3]
    assert client.query(name, filter="", output_fields=["count(*)"])[0]["count(*)"] == 20
    assert [r["id"] for r in client.query(name, filter="id >= 0")] == alive
    assert [r["id"] for r in client.query(name, filter="id > 3 and id < 9")] == [4, 5, 7, 8]
    assert [r["id"] for r in client.get(name, ids=[0, 1, 2, 3])] == [1, 2]
    assert sorted(h["id"] for h in client.search(name, [[0.0] * DIM], limit=30)[0]) == alive
