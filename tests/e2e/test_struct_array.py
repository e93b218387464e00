"""Struct arrays: schema, rows in and out, filters of their elements, searches over their vectors."""
import math
import re

import pytest
from pymilvus import AnnSearchRequest, DataType, FieldOp, MilvusException, RRFRanker
from pymilvus.client.embedding_list import EmbeddingList

pytestmark = pytest.mark.not_lite("no struct arrays")

ROWS = [
    {"id": 1, "vector": [1.0, 0.0], "clips": [{"name": "a", "score": 1, "emb": [1.0, 0.0]}, {"name": "b", "score": 9, "emb": [0.0, 1.0]}]},
    {"id": 2, "vector": [0.0, 1.0], "clips": []},
    {"id": 3, "vector": [1.0, 1.0], "clips": [{"name": "b", "score": 5, "emb": [0.6, 0.8]}]},
    {"id": 4, "vector": [2.0, 1.0], "clips": [{"name": "c", "score": 5, "emb": [-1.0, 0.0]}, {"name": "c", "score": 7, "emb": [-0.8, 0.6]},
                                              {"name": "a", "score": 3, "emb": [0.0, -1.0]}]},
]


def make(client, name, metric="MAX_SIM_COSINE", nullable=False):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    clip = client.create_struct_field_schema()
    clip.add_field("name", DataType.VARCHAR, max_length=20)
    clip.add_field("score", DataType.INT16)
    clip.add_field("emb", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("clips", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=clip, max_capacity=4, nullable=nullable)
    params = client.prepare_index_params()
    params.add_index("vector", index_type="FLAT", metric_type="L2")
    params.add_index("clips[emb]", index_type="HNSW", metric_type=metric, params={"M": 8, "efConstruction": 64})
    client.create_collection(name, schema=schema, index_params=params, consistency_level="Strong")


@pytest.fixture(scope="module", params=["growing", "sealed", "both"])
def layout(request):
    return request.param


def fill(client, name, layout, rows=ROWS):
    client.insert(name, rows[:2])
    if layout != "growing":
        client.flush(name)
    client.insert(name, rows[2:])
    if layout == "sealed":
        client.flush(name)


@pytest.fixture(scope="module")
def clips(client, module_name, layout):
    """Filled once a layout; its tests only read."""
    made = f"{module_name}_{layout}"
    make(client, made)
    fill(client, made, layout)
    yield made
    client.drop_collection(made)


@pytest.fixture(scope="module")
def plain(client, module_name):
    """Empty; for what is refused."""
    make(client, f"{module_name}_plain")
    yield f"{module_name}_plain"
    client.drop_collection(f"{module_name}_plain")


def ids(rows):
    return [r["id"] for r in rows]


def test_the_schema_comes_back(client, name):
    make(client, name)
    described = client.describe_collection(name)
    assert [f["name"] for f in described["fields"]] == ["id", "vector", "clips"]
    clips = described["fields"][2]
    assert (clips["type"], clips["element_type"]) == (DataType.ARRAY, DataType.STRUCT)
    assert clips["params"]["max_capacity"] > 0
    assert [f["name"] for f in clips["struct_fields"]] == ["name", "score", "emb"]


def test_rows_come_back_as_they_went_in(client, clips):
    rows = client.query(clips, filter="id > 0", output_fields=["clips"])
    assert ids(rows) == [1, 2, 3, 4]
    for got, given in zip(rows, ROWS):
        assert len(got["clips"]) == len(given["clips"])
        for a, b in zip(got["clips"], given["clips"]):
            assert (a["name"], a["score"]) == (b["name"], b["score"])
            assert all(math.isclose(x, y, abs_tol=1e-6) for x, y in zip(a["emb"], b["emb"]))
    everything = client.query(clips, filter="id == 1", output_fields=["*"])[0]
    assert set(everything) == {"id", "vector", "clips"}
    part = client.query(clips, filter="id == 1", output_fields=["clips[score]"])[0]
    assert [c["score"] for c in part["clips"]] == [1, 9] and set(part["clips"][0]) == {"score"}


@pytest.mark.parametrize("filter, expected", [
    ("match_any(clips, $[name] == 'a')", [1, 4]),
    ("MATCH_ANY(clips, $[name] == 'b' and $[score] < 6)", [3]),
    ("match_all(clips, $[score] >= 3)", [2, 3, 4]),
    ("match_least(clips, $[name] == 'c', threshold=2)", [4]),
    ("match_most(clips, $[score] > 4, threshold=1)", [1, 2, 3]),
    ("match_exact(clips, $[score] in [5, 9], threshold=1)", [1, 3, 4]),
    ("match_exact(clips, $[name] like 'a%', threshold=0)", [2, 3]),
    ("not match_any(clips, $[name] == 'a')", [2, 3]),
    ("match_any(clips, $[name] == 'a') and id > 1", [4]),
    ("match_any(clips, $[score] + 1 == 10 or $[score] % 7 == 0)", [1, 4]),
    ("array_contains(clips[name], 'b')", [1, 3]),
    ("array_length(clips) == 2", [1]),
    ("array_length(clips[score]) > 1", [1, 4]),
    ("clips[0][score] == 5", [3, 4]),
    ("clips[1][name] == 'b'", [1]),
    ("clips is null", []),
    ("element_filter(clips, $[score] == 5)", [3, 4]),
    ("id > 3 and element_filter(clips, $[score] == 5)", [4]),
])
def test_filters(client, clips, filter, expected):
    assert sorted(set(ids(client.query(clips, filter=filter)))) == expected


def test_a_filter_of_elements_says_which(client, clips):
    rows = client.query(clips, filter="element_filter(clips, $[score] > 4)", output_fields=["id"])
    assert [(r["id"], r["offset"]) for r in rows] == [(1, 1), (3, 0), (4, 0), (4, 1)]


@pytest.mark.parametrize("filter, text", [
    ("match_any(clips, id == 1)", "must use element-level fields"),
    ("match_any(clips, match_all(clips, $[score] > 1))", "nested MATCH_ALL is not supported"),
    ("match_least(clips, $[score] > 1, threshold=0)", "count in MATCH_LEAST must be positive, got: 0"),
    ("match_most(clips, $[score] > 1, threshold=-1)", "extraneous input '-' expecting IntegerConstant"),
    ("$[score] > 1", "can only be used inside ElementFilter or MATCH_"),
    ("match_any(clips, $[nope] == 1)", "array field not found: clips.nope., error: field clips.nope. not exist"),
    ("element_filter(clips, $[score] > 1) or id == 1", "element filter expression"),
    ("not element_filter(clips, $[score] > 1)", "element filter expression"),
    ("array_length(clips[0][score]) == 1", r"mismatched input 'clips\[0\]\[score\]'"),
    ("match_any(vector, $[score] > 1)", "only supported on struct array fields"),
])
def test_wrong_filters(client, plain, filter, text):
    with pytest.raises(MilvusException, match=text):
        client.query(plain, filter=filter)


def max_sim(query, row, sim):
    return sum(max(sim(q, c["emb"]) for c in row["clips"]) for q in query)


SIMS = {
    "MAX_SIM_COSINE": lambda a, b: sum(x * y for x, y in zip(a, b)) / math.hypot(*a) / math.hypot(*b),
    "MAX_SIM_IP": lambda a, b: sum(x * y for x, y in zip(a, b)),
    "MAX_SIM_L2": lambda a, b: -sum((x - y) ** 2 for x, y in zip(a, b)),
}


@pytest.mark.parametrize("metric", list(SIMS))
def test_search_by_lists(client, name, metric, layout):
    make(client, name, metric)
    fill(client, name, layout)
    queries = [[[1.0, 0.1], [0.2, 1.0]], [[-1.0, 0.3]]]
    found = client.search(name, [EmbeddingList(q) for q in queries], anns_field="clips[emb]", limit=5,
                          search_params={"metric_type": metric}, output_fields=["clips[name]"])
    sign = -1 if metric == "MAX_SIM_L2" else 1
    for query, hits in zip(queries, found):
        wanted = sorted(((max_sim(query, r, SIMS[metric]), r["id"]) for r in ROWS if r["clips"]), reverse=True)
        assert [h["id"] for h in hits] == [i for _, i in wanted]
        assert all(math.isclose(h["distance"], sign * s, abs_tol=1e-5) for h, (s, _) in zip(hits, wanted))
    only = client.search(name, [EmbeddingList(queries[0])], anns_field="clips[emb]", limit=5,
                         search_params={"metric_type": metric}, filter="match_any(clips, $[name] == 'a')")
    assert sorted(h["id"] for h in only[0]) == [1, 4]


def test_search_by_element(client, name, layout):
    make(client, name, "COSINE")
    fill(client, name, layout)
    hits = client.search(name, [[0.0, 1.0]], anns_field="clips[emb]", limit=4, search_params={"metric_type": "COSINE"})[0]
    assert [(h["id"], h["offset"]) for h in hits] == [(1, 1), (3, 0), (4, 1), (1, 0)]
    assert math.isclose(hits[1]["distance"], 0.8, abs_tol=1e-5)
    hits = client.search(name, [[0.0, 1.0]], anns_field="clips[emb]", limit=4, search_params={"metric_type": "COSINE"},
                         filter="element_filter(clips, $[score] > 4)", output_fields=["clips"])[0]
    assert [(h["id"], h["offset"]) for h in hits] == [(1, 1), (3, 0), (4, 1), (4, 0)]
    hits = client.search(name, [[0.0, 1.0]], anns_field="clips[emb]", limit=2, search_params={"metric_type": "COSINE"},
                         group_by_field="id", group_size=2)[0]
    assert [(h["id"], h["offset"]) for h in hits] == [(1, 1), (1, 0), (3, 0)]


def test_wrong_searches(client, name):
    make(client, name)
    with pytest.raises(MilvusException, match="compares lists of vectors"):
        client.search(name, [[0.0, 1.0]], anns_field="clips[emb]")
    with pytest.raises(MilvusException, match="group by is not supported for multi-search-multi"):
        client.search(name, [EmbeddingList([[0.0, 1.0]])], anns_field="clips[emb]", group_by_field="id")
    with pytest.raises(MilvusException, match="element_filter is only supported for element-level search"):
        client.search(name, [EmbeddingList([[0.0, 1.0]])], anns_field="clips[emb]", filter="element_filter(clips, $[score] > 1)")
    with pytest.raises(MilvusException, match="dimension mismatch"):
        client.search(name, [EmbeddingList([[0.0, 1.0, 2.0]])], anns_field="clips[emb]")


def test_a_hybrid_search_over_both_kinds_of_vectors(client, clips):
    requests = [AnnSearchRequest([[1.0, 0.0]], "vector", {}, limit=4),
                AnnSearchRequest([EmbeddingList([[0.0, 1.0]])], "clips[emb]", {}, limit=4)]
    found = client.hybrid_search(clips, requests, RRFRanker(), limit=4)[0]
    assert found[0]["id"] == 1 and {h["id"] for h in found} == {1, 2, 3, 4}


def test_upserts_and_deletes_replace_whole_structs(client, name, layout):
    clips = name
    make(client, clips)
    fill(client, clips, layout)
    client.upsert(clips, [{"id": 1, "vector": [1.0, 0.0], "clips": [{"name": "z", "score": 2, "emb": [0.5, 0.5]}]}])
    client.delete(clips, filter="match_any(clips, $[score] == 7)")
    assert ids(client.query(clips, filter="id > 0")) == [1, 2, 3]
    assert ids(client.query(clips, filter="match_any(clips, $[name] == 'z')")) == [1]
    client.upsert(clips, [{"id": 3, "clips": [{"name": "y", "score": 1, "emb": [1.0, 0.0]}]}], partial_update=True)
    row = client.query(clips, filter="id == 3", output_fields=["*"])[0]
    assert [c["name"] for c in row["clips"]] == ["y"] and row["vector"] == [1.0, 1.0]


def test_a_nullable_struct(client, name, layout):
    make(client, name, nullable=True)
    fill(client, name, layout, [*ROWS[:1], {"id": 7, "vector": [0.0, 0.0], "clips": None}, *ROWS[1:]])
    rows = client.query(name, filter="id > 0", output_fields=["clips"])
    assert {r["id"]: r["clips"] is None for r in rows} == {1: False, 2: False, 3: False, 4: False, 7: True}
    assert ids(client.query(name, filter="clips is null")) == [7]
    assert ids(client.query(name, filter="clips is not null")) == [1, 2, 3, 4]
    assert ids(client.query(name, filter="match_all(clips, $[score] > 100)")) == [2]
    assert ids(client.query(name, filter="not match_any(clips, $[score] > 100)")) == [1, 2, 3, 4]


def test_wrong_rows_and_schemas(client, name):
    make(client, name)
    clip = {"name": "a", "score": 1, "emb": [1.0, 0.0]}
    with pytest.raises(MilvusException, match="exceeds max capacity"):
        client.insert(name, [{"id": 1, "vector": [0.0, 0.0], "clips": [clip] * 5}])
    with pytest.raises(MilvusException, match="exceeds max length"):
        client.insert(name, [{"id": 1, "vector": [0.0, 0.0], "clips": [{**clip, "name": "x" * 21}]}])
    for field in ("clips", "clips[name]"):
        with pytest.raises(MilvusException, match=re.escape(f'op ARRAY_APPEND is not supported for struct field "{field}"')):
            client.upsert(name, [{"id": 1, "clips": [clip]}], field_ops={field: FieldOp.array_append()})
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    inner = client.create_struct_field_schema()
    inner.add_field("emb", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("id2", DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=inner, max_capacity=5000)
    with pytest.raises(MilvusException, match="maximum capacity"):
        client.create_collection(f"{name}_b", schema=schema)
