"""GEOMETRY fields and the st_ functions."""
import pytest
from pymilvus import DataType, MilvusException

from e2e.test_scalar_index import wait_built

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


@pytest.fixture(scope="module", params=["RTREE", "AUTOINDEX"])
def places(client, module_name, request):
    """Points of a grid and one square, more rows than a segment must have for an index; answers before and after it is built."""
    name = f"{module_name}_places_{request.param}"
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("geo", DataType.GEOMETRY, nullable=True)
    params = client.prepare_index_params()
    params.add_index("vector", index_type="FLAT", metric_type="L2")
    client.create_collection(name, schema=schema, index_params=params, consistency_level="Strong")
    shapes = [f"POINT ({i % 50} {i // 50})" for i in range(2000)] + [SQUARE, None, "POLYGON EMPTY"]
    client.insert(name, [{"id": i, "vector": [i, 0], "geo": shape} for i, shape in enumerate(shapes)])
    growing = {text: keys_of(client, name, text) for text in PLACE_FILTERS}
    client.flush(name)
    sealed = {text: keys_of(client, name, text) for text in PLACE_FILTERS}
    params = client.prepare_index_params()
    params.add_index("geo", index_type=request.param, index_name="by_geo")
    client.create_index(name, params)
    described = wait_built(client, name, ["by_geo"])["by_geo"]
    yield name, request.param, described, growing, sealed
    client.drop_collection(name)


PLACE_FILTERS = [
    "st_within(geo, 'POLYGON ((1 1, 9 1, 9 9, 1 9, 1 1))')", "st_contains(geo, 'POINT (3 3)')", f"st_equals(geo, '{SQUARE}')",
    "st_intersects(geo, 'LINESTRING (0 0, 30 30)')", "st_touches(geo, 'LINESTRING (4 0, 4 9)')", "st_crosses(geo, 'LINESTRING (-1 2, 7 2)')",
    "st_overlaps(geo, 'POLYGON ((2 2, 6 2, 6 6, 2 6, 2 2))')", "st_dwithin(geo, 'POINT (20 20)', 250000)", "st_isvalid(geo)",
    "not st_intersects(geo, 'POLYGON ((-1 -1, 60 -1, 60 30, -1 30, -1 -1))')", "geo is null",
    "st_within(geo, 'POLYGON ((1 1, 9 1, 9 9, 1 9, 1 1))') and id > 200",
]


def keys_of(client, name, text):
    return [r["id"] for r in client.query(name, filter=text, output_fields=["id"])]


def test_an_index_of_shapes_changes_no_answer(client, places):
    name, kind, described, growing, sealed = places
    assert described["index_type"] == kind and described["indexed_rows"] == described["total_rows"] == 2003
    assert len(growing[PLACE_FILTERS[0]]) == 49 and len(growing[PLACE_FILTERS[7]]) > 10
    assert sealed == growing
    assert {text: keys_of(client, name, text) for text in PLACE_FILTERS} == growing
    client.release_collection(name)
    client.load_collection(name)
    assert {text: keys_of(client, name, text) for text in PLACE_FILTERS} == growing


def test_explain_says_that_boxes_came_first(client, places):
    plan = client.query(places[0], filter=PLACE_FILTERS[0], output_fields=["explain(*)"])[0]["explain(*)"]
    segment = plan["shards"][0]["segments"][0]
    leaf = segment["filter"][0]
    assert leaf["by"] == "index, then scan" and leaf["estimated"] < 0.1
    assert segment["kept"] == leaf["rows_kept"] == 49


@pytest.mark.parametrize("field, kind, text", [
    ("id", "RTREE", "RTREE index can only be built on geometry field"),
    ("geo", "INVERTED", "INVERTED are not supported on Geometry field"),
    ("geo", "STL_SORT", "STL_SORT are only supported on numeric, varchar or timestamptz field"),
    ("geo", "BITMAP", "bitmap index are only supported on bool, int, string and array field"),
    ("geo", "TRIE", "TRIE are only supported on varchar field"),
])
def test_indexes_that_do_not_fit_are_refused(client, name, field, kind, text):
    fill(client, name, "growing")
    client.release_collection(name)
    client.drop_index(name, "geo")
    params = client.prepare_index_params()
    params.add_index(field, index_type=kind)
    with pytest.raises(MilvusException, match=text):
        client.create_index(name, params)


@pytest.mark.parametrize("filter, text", [
    ("st_within(id, 'POINT (0 0)')", "spatial operation are only supported on geometry fields now"),
    ("st_within(geo, 'POINT (0')", "cannot parse expression"),
    ("st_dwithin(geo, 'LINESTRING (0 0, 1 1)', 5)", "only supports POINT geometry"),
    ("st_dwithin(geo, 'POINT (0 0)', -5)", "non-negative"),
    ("ST_CONTAIN(geo, 'POINT (0 0)')", r"function st_contain\(geometry, varChar\) not found"),
])
def test_wrong_functions(client, shapes, filter, text):
    with pytest.raises(MilvusException, match=text):
        client.query(shapes, filter=filter)
