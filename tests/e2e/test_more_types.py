"""Arrays, times, shapes and texts: what goes in comes out, filters see them, before and after a flush."""
import pytest
from pymilvus import DataType, MilvusClient
from pymilvus.exceptions import MilvusException

from e2e.schemas import make, simple_schema

VECTOR = [0.0] * 8
ARRAYS = {
    "flags": (DataType.BOOL, [[True, False], [], [False]]),
    "tinies": (DataType.INT8, [[-128, 127], [], [3]]),
    "smalls": (DataType.INT16, [[-32768, 32767], [], [3]]),
    "mediums": (DataType.INT32, [[-2**31, 2**31 - 1], [], [3]]),
    "larges": (DataType.INT64, [[-2**63, 2**63 - 1], [], [3]]),
    "singles": (DataType.FLOAT, [[0.5, -1.25], [], [3.0, 492710.03125]]),
    "doubles": (DataType.DOUBLE, [[0.1, -1e300], [], [3.0]]),
    "words": (DataType.VARCHAR, [["red", "漢字", ""], [], ["blue"]]),
}


@pytest.fixture(scope="module", params=["growing", "flushed"])
def arrays(request, client, module_name):
    if request.param == "growing":
        schema = simple_schema()
        for field, (kind, _) in ARRAYS.items():
            schema.add_field(field, DataType.ARRAY, element_type=kind, max_capacity=8, nullable=True, **({"max_length": 16} if kind == DataType.VARCHAR else {}))
        make(client, module_name, schema, consistency_level="Strong")
        rows = [{"id": n, "vector": VECTOR, **{field: values[n] for field, (_, values) in ARRAYS.items()}} for n in range(3)]
        client.insert(module_name, [*rows, {"id": 3, "vector": VECTOR, **{field: None for field in ARRAYS}}])
    else:
        client.flush(module_name)
    return module_name


def ids(client, name, text):
    return [r["id"] for r in client.query(name, filter=text, output_fields=["id"])]


def test_arrays_come_back(client, arrays):
    rows = client.query(arrays, filter="id >= 0", output_fields=["*"])
    for n in range(3):
        for field, (_, values) in ARRAYS.items():
            assert list(rows[n][field]) == values[n], field
    assert all(rows[3][field] is None for field in ARRAYS)
    hit = client.search(arrays, [VECTOR], filter="id == 0", limit=1, output_fields=["words"])[0][0]
    assert list(hit["entity"]["words"]) == ["red", "漢字", ""]


@pytest.mark.parametrize("text, wanted", [
    ("larges[0] == 3", [2]), ("tinies[1] > 0", [0]), ("words[0] like 'b%'", [2]), ("array_contains(words, '漢字')", [0]),
    ("array_contains_all(mediums, [3])", [2]), ("ARRAY_CONTAINS_ANY(singles, [0.5, 7.0])", [0]), ("array_length(doubles) == 0", [1]),
    ("array_contains(singles, 492710.03520180425)", [2]),
    ("flags == [true, false]", [0]), ("words is null", [3]), ("not (larges[0] == 3)", [0]), ("larges[0] in [3, 4]", [2]),
])
def test_filters_see_elements(client, arrays, text, wanted):
    assert ids(client, arrays, text) == wanted


@pytest.mark.parametrize("field, value, text", [
    ("tinies", [128], r"the 0th element \(128\) out of range: \[-128, 127\]"),
    ("words", ["x" * 17], "exceeds max length"),
    ("larges", list(range(9)), r"the length \(9\) of 0th array exceeds max capacity \(8\)"),
])
def test_bad_arrays_are_refused(client, arrays, field, value, text):
    with pytest.raises(MilvusException, match=text):
        client.insert(arrays, [{"id": 9, "vector": VECTOR, **{f: None for f in ARRAYS}, field: value}])


class TestTimes:
    @pytest.fixture
    def times(self, client, name):
        schema = simple_schema()
        schema.add_field("at", DataType.TIMESTAMPTZ, nullable=True)
        schema.add_field("made", DataType.TIMESTAMPTZ, default_value="2020-01-01T00:00:00Z")
        make(client, name, schema, consistency_level="Strong", properties={"timezone": "Asia/Shanghai"})
        client.insert(name, [
            {"id": 0, "vector": VECTOR, "at": "2025-01-01T00:00:00Z", "made": "2025-01-01 08:00:00"},
            {"id": 1, "vector": VECTOR, "at": "2025-06-01 12:30:00.25", "made": None},
            {"id": 2, "vector": VECTOR, "at": None},
        ])
        return name

    def test_times_come_back_in_the_zone(self, client, times):
        for _ in range(2):
            rows = client.query(times, filter="id >= 0", output_fields=["at", "made"])
            assert [r["at"] for r in rows] == ["2025-01-01T08:00:00+08:00", "2025-06-01T12:30:00.25+08:00", None]
            assert [r["made"] for r in rows] == ["2025-01-01T08:00:00+08:00", "2020-01-01T08:00:00+08:00", "2020-01-01T08:00:00+08:00"]
            utc = client.query(times, filter="id == 1", output_fields=["at"], timezone="UTC")
            assert utc[0]["at"] == "2025-06-01T04:30:00.25Z"
            client.flush(times)

    def test_filters_compare_times(self, client, times):
        assert ids(client, times, "at > iso '2025-01-01T00:00:00Z'") == [1]
        assert ids(client, times, "at == ISO '2025-01-01 08:00:00'") == [0]
        assert ids(client, times, "at + INTERVAL 'P1M' <= ISO '2025-02-01T00:00:00Z'") == [0]
        assert ids(client, times, "at is null") == [2]

    def test_bad_times_are_refused(self, client, times):
        with pytest.raises(MilvusException, match="got invalid timestamptz string 'x': invalid timezone name"):
            client.insert(times, [{"id": 9, "vector": VECTOR, "at": "x"}])


class TestShapes:
    @pytest.fixture
    def shapes(self, client, name):
        schema = simple_schema()
        schema.add_field("shape", DataType.GEOMETRY, nullable=True)
        make(client, name, schema, consistency_level="Strong")
        return name

    def test_shapes_come_back(self, client, shapes):
        texts = ["POINT (30.25 -10)", "POLYGON ((0 0, 1 0, 1 1, 0 0))", "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 1))", "POINT EMPTY", None]
        client.insert(shapes, [{"id": n, "vector": VECTOR, "shape": text} for n, text in enumerate(texts)])
        for _ in range(2):
            assert [r["shape"] for r in client.query(shapes, filter="id >= 0", output_fields=["shape"])] == texts
            client.flush(shapes)

    @pytest.mark.parametrize("text", ["", "POINT ()", "POLYGON ((0 0, 1 1))", "LINESTRING (0 0)", "CIRCLE (1 1)"])
    def test_bad_shapes_are_refused(self, client, shapes, text):
        with pytest.raises(MilvusException, match="syntax error"):
            client.insert(shapes, [{"id": 1, "vector": VECTOR, "shape": text}])


def test_long_texts_come_back(client, name):
    schema = MilvusClient.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=8)
    schema.add_field("body", DataType.TEXT, nullable=True)
    make(client, name, schema, consistency_level="Strong")
    texts = ["", "漢" * 100_000, None]
    client.insert(name, [{"id": n, "vector": VECTOR, "body": text} for n, text in enumerate(texts)])
    for _ in range(2):
        assert [r["body"] for r in client.query(name, filter="id >= 0", output_fields=["body"])] == texts
        client.flush(name)
    with pytest.raises(MilvusException, match="exceeds max length"):
        client.insert(name, [{"id": 9, "vector": VECTOR, "body": "x" * (2 * 1024 * 1024 + 1)}])
