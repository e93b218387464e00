"""GEOMETRY fields and the st_ functions."""
import pytest
from pymilvus import DataType, MilvusException

pytestmark = pytest.mark.not_lite("no st_ functions")

SHAPES = {
    1: "POINT (1 1)",
    2: "POINT (0 2)",
    3: "LINESTRING (-1 1, 5 1)",
    4: "POLYGON ((1 1, 2 1, 2 2, 1 2, 1 1))",
    5: "POLYGON ((2 2, 6 2, 6 6, 2 6, 2 2))",
    6: "POLYGON ((4 0, 8 0, 8 4, 4 4, 4 0))",
    7: None,
    8: "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))",
}
SQUARE = SHAPES[8]


def fill(client, name, layout):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("geo", DataType.GEOMETRY, nullable=True)
    params = client.prepare_index_params()
    params.add_index("vector", index_type="FLAT", metric_type="L2")
    params.add_index("geo", index_type="RTREE")
    client.create_collection(name, schema=schema, index_params=params, consistency_level="Strong")
    client.insert(name, [{"id": i, "vector": [float(i), 0.0], "geo": shape} for i, shape in SHAPES.items()])
    if layout == "sealed":
        client.flush(name)


@pytest.fixture(scope="module", params=["growing", "sealed"])
def shapes(client, module_name, request):
    """Filled once a layout; its tests only read."""
    name = f"{module_name}_{request.param}"
    fill(client, name, request.param)
    yield name
    client.drop_collection(name)


@pytest.mark.parametrize("filter, expected", [
    (f"st_within(geo, '{SQUARE}')", [1, 4, 8]),
    (f"ST_CONTAINS(geo, 'POINT (3 3)')", [5, 8]),
    (f"st_intersects(geo, '{SQUARE}')", [1, 2, 3, 4, 5, 6, 8]),
    (f"st_touches(geo, '{SQUARE}')", [2, 6]),
    (f"st_overlaps(geo, '{SQUARE}')", [5]),
    (f"st_crosses(geo, '{SQUARE}')", [3]),
    ("st_equals(geo, 'POLYGON ((4 4, 0 4, 0 0, 4 0, 4 4))')", [8]),
    ("st_dwithin(geo, 'POINT (1 1)', 160000)", [1, 2, 3, 4, 5, 8]),
    ("st_isvalid(geo)", [1, 2, 3, 4, 5, 6, 8]),
    (f"not st_intersects(geo, '{SQUARE}')", []),
    ("geo is null", [7]),
    (f"id > 3 and st_within(geo, '{SQUARE}')", [4, 8]),
])
def test_functions(client, shapes, filter, expected):
    assert [r["id"] for r in client.query(shapes, filter=filter)] == expected


def test_in_a_search_and_with_a_template(client, shapes):
    hits = client.search(shapes, [[0.0, 0.0]], limit=3, filter="st_within(geo, {where})", filter_params={"where": SQUARE},
                         output_fields=["geo"])[0]
    assert [h["id"] for h in hits] == [1, 4, 8]
    assert hits[0]["entity"]["geo"] == "POINT (1 1)"


@pytest.mark.parametrize("layout", ["growing", "sealed"])
def test_rows_are_deleted_by_their_shape(client, name, layout):
    fill(client, name, layout)
    client.delete(name, filter=f"st_touches(geo, '{SQUARE}')")
    assert [r["id"] for r in client.query(name, filter="id < 9")] == [1, 3, 4, 5, 7, 8]


@pytest.mark.parametrize("filter, text", [
    ("st_within(id, 'POINT (0 0)')", "spatial operation are only supported on geometry fields now"),
    ("st_within(geo, 'POINT (0')", "cannot parse expression"),
    ("st_dwithin(geo, 'LINESTRING (0 0, 1 1)', 5)", "only supports POINT geometry"),
    ("st_dwithin(geo, 'POINT (0 0)', -5)", "non-negative"),
])
def test_wrong_functions(client, shapes, filter, text):
    with pytest.raises(MilvusException, match=text):
        client.query(shapes, filter=filter)
