"""Elements of struct arrays in hybrid searches and iterators: what a row's elements make it worth, and hits that are elements."""
import math

import pytest
from pymilvus import AnnSearchRequest, DataType, MilvusException, RRFRanker, WeightedRanker

pytestmark = pytest.mark.not_lite("no struct arrays")

# How near each element is to the query, by row.
SCORES = {1: [0.99, 0.10, 0.10, 0.10], 2: [0.80, 0.80, 0.80, 0.80], 3: [0.90, 0.90], 4: [0.95], 5: []}
QUERY = [1.0, 0.0]


def at(score):
    """A vector with this cosine to the query."""
    return [score, math.sqrt(1 - score * score)]


def make(client, name, metric="COSINE", key=DataType.INT64, row=lambda i: i):
    schema = client.create_schema()
    schema.add_field("id", key, is_primary=True, max_length=20)
    schema.add_field("n", DataType.INT64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    params = client.prepare_index_params()
    params.add_index("vector", index_type="FLAT", metric_type=metric)
    for struct in ("a", "b"):
        members = client.create_struct_field_schema()
        members.add_field("place", DataType.INT64)
        members.add_field("e", DataType.FLOAT_VECTOR, dim=2)
        members.add_field("f", DataType.FLOAT_VECTOR, dim=2)
        schema.add_field(struct, DataType.ARRAY, element_type=DataType.STRUCT, struct_schema=members, max_capacity=8)
        for member in ("e", "f"):
            params.add_index(f"{struct}[{member}]", index_type="HNSW", metric_type=metric, params={"M": 8, "efConstruction": 64})
    client.create_collection(name, schema=schema, index_params=params, consistency_level="Strong")

    def elements(scores):
        return [{"place": i, "e": at(s), "f": at(s)} for i, s in enumerate(scores)]

    rows = [{"id": row(i), "n": i % 2, "vector": at(0.5 + i / 10), "a": elements(s), "b": elements(s)} for i, s in SCORES.items()]
    client.insert(name, rows[:2])
    client.flush(name)
    client.insert(name, rows[2:])


@pytest.fixture(scope="module")
def filled(client, module_name):
    make(client, module_name)
    yield module_name
    client.drop_collection(module_name)


def part(field, scope=None, metric="COSINE", nq=1, limit=20, **more):
    params = {} if scope is None else {"element_scope": {"collapse": scope}}
    return AnnSearchRequest([QUERY] * nq, field, {"metric_type": metric, "params": {**params, **more}}, limit=limit)


def ids(hits):
    return [h["id"] for h in hits]


@pytest.mark.parametrize("scope, order", [
    (None, [1, 4, 3, 2]),
    ({"strategy": "max"}, [1, 4, 3, 2]),
    ({"strategy": "sum"}, [2, 3, 1, 4]),
    ({"strategy": "avg"}, [4, 3, 2, 1]),
    ({"strategy": "topk_sum", "topk": 2}, [3, 2, 1, 4]),
    ({"strategy": "topk_avg", "topk": 2}, [4, 3, 2, 1]),
    ({"strategy": "topk_sum", "topk": 10}, [2, 3, 1, 4]),
])
def test_elements_of_two_structs_become_rows(client, filled, scope, order):
    found = client.hybrid_search(filled, [part("a[e]", scope, nq=2), part("b[f]", scope, nq=2)], RRFRanker(60), limit=4, output_fields=["n", "a"])
    assert len(found) == 2
    for hits in found:
        assert ids(hits) == order
        for rank, hit in enumerate(hits):
            assert "offset" not in hit and hit["distance"] == pytest.approx(2 / (61 + rank), abs=1e-6)
            assert hit["entity"]["n"] == hit["id"] % 2 and len(hit["entity"]["a"]) == len(SCORES[hit["id"]])


def test_elements_beside_a_plain_vector_become_rows(client, filled):
    found = client.hybrid_search(filled, [part("a[e]", {"strategy": "sum"}), part("vector")], WeightedRanker(1.0, 0.5, norm_score=False), limit=5)[0]
    expected = {i: sum(s) + 0.5 * (0.5 + i / 10) for i, s in SCORES.items()}
    assert ids(found) == sorted(expected, key=lambda i: -expected[i])
    for hit in found:
        assert hit["distance"] == pytest.approx(expected[hit["id"]], abs=1e-5)


@pytest.mark.parametrize("ranker", [RRFRanker(60), WeightedRanker(0.5, 0.5)], ids=["rrf", "weighted"])
def test_parts_over_one_struct_fuse_elements(client, filled, ranker):
    wanted = sorted(((-s, i, e) for i, scores in SCORES.items() for e, s in enumerate(scores)))
    hits = client.hybrid_search(filled, [part("a[e]"), part("a[f]")], ranker, limit=6, output_fields=["n"])[0]
    assert [(h["id"], h["offset"]) for h in hits] == [(i, e) for _, i, e in wanted][:6]
    page = client.hybrid_search(filled, [part("a[e]"), part("a[f]")], ranker, limit=3, offset=2)[0]
    assert [(h["id"], h["offset"]) for h in page] == [(i, e) for _, i, e in wanted][2:5]
    ranged = client.hybrid_search(filled, [part("a[e]", radius=0.85), part("a[f]", radius=0.85)], ranker, limit=20)[0]
    assert {(h["id"], h["offset"]) for h in ranged} == {(i, e) for s, i, e in wanted if -s > 0.85}


def test_fused_elements_of_text_keys(client, name):
    make(client, name, key=DataType.VARCHAR, row=lambda i: f"doc/{i}")
    hits = client.hybrid_search(name, [part("a[e]"), part("a[f]")], RRFRanker(), limit=4)[0]
    assert [(h["id"], h["offset"]) for h in hits] == [("doc/1", 0), ("doc/4", 0), ("doc/3", 0), ("doc/3", 1)]


def test_fused_elements_in_groups_of_their_row(client, filled):
    hits = client.hybrid_search(filled, [part("a[e]"), part("a[f]")], RRFRanker(), limit=3, group_by_field="id")[0]
    assert [(h["id"], h["offset"]) for h in hits] == [(1, 0), (4, 0), (3, 0)]


@pytest.mark.parametrize("parts, more, text", [
    ((("a[e]", {"strategy": "topk_sum"}), ("b[e]",)), {}, "element_scope.collapse.topk is required for strategy topk_sum"),
    ((("a[e]", {"strategy": "topk_avg", "topk": 0}), ("b[e]",)), {}, "element_scope.collapse.topk must be positive"),
    ((("a[e]", {"strategy": "max", "topk": 1}), ("b[e]",)), {}, "element_scope.collapse.topk is only valid for topk strategies"),
    ((("a[e]", {"strategy": "median"}), ("b[e]",)), {}, "unsupported element_scope.collapse.strategy: median"),
    ((("a[e]", {"strategy": "max"}), ("a[f]",)), {}, "element_scope is not allowed for same-struct element-level hybrid search"),
    ((("vector", {"strategy": "max"}), ("a[f]",)), {}, "element_scope is only supported for element-level search"),
    ((("a[e]",), ("b[e]",)), {"group_by_field": "id"}, "group by search is only supported for same-struct element-level vector array fields"),
    ((("a[e]",), ("vector",)), {"group_by_field": "id"}, "group by search is only supported for same-struct element-level vector array fields"),
    ((("a[e]",), ("a[f]",)), {"group_by_field": "n"}, "only group by primary key is supported for same-struct element-level vector array fields"),
])
def test_what_a_hybrid_search_refuses(client, filled, parts, more, text):
    with pytest.raises(MilvusException, match=text) as caught:
        client.hybrid_search(filled, [part(*p) for p in parts], RRFRanker(), limit=3, **more)
    assert caught.value.code == 1100


def test_distances_are_not_summed(client, name):
    make(client, name, metric="L2")
    with pytest.raises(MilvusException, match="element_scope.collapse.strategy topk_sum is only supported"):
        client.hybrid_search(name, [part("a[e]", {"strategy": "topk_sum", "topk": 2}, "L2"), part("b[e]", None, "L2")], RRFRanker(), limit=3)
    found = client.hybrid_search(name, [part("a[e]", {"strategy": "avg"}, "L2"), part("b[e]", {"strategy": "avg"}, "L2")], RRFRanker(), limit=4)[0]
    assert ids(found) == [4, 3, 2, 1]


def drain(iterator):
    hits = []
    while page := iterator.next():
        hits.extend((h["id"], h["offset"], h["distance"]) for h in page)
    iterator.close()
    return hits


@pytest.mark.parametrize("batch", [1, 2, 5, 100])
def test_an_iterator_by_element_gives_each_element_once(client, filled, batch):
    wanted = sorted(((-s, i, e) for i, scores in SCORES.items() for e, s in enumerate(scores)))
    hits = drain(client.search_iterator(filled, [QUERY], batch_size=batch, anns_field="a[e]", search_params={"metric_type": "COSINE"}))
    assert sorted(h[:2] for h in hits) == sorted((i, e) for _, i, e in wanted)
    assert [h[2] for h in hits] == sorted((h[2] for h in hits), reverse=True)
    kept = drain(client.search_iterator(filled, [QUERY], batch_size=batch, anns_field="a[e]", search_params={"metric_type": "COSINE"},
                                        filter="element_filter(a, $[place] >= 1)"))
    assert sorted(h[:2] for h in kept) == sorted((i, e) for _, i, e in wanted if e >= 1)
    some = drain(client.search_iterator(filled, [QUERY], batch_size=batch, limit=3, anns_field="a[e]", search_params={"metric_type": "COSINE"}))
    assert [h[:2] for h in some] == [(1, 0), (4, 0), (3, 0)]


def test_members_are_sorted_and_filters_find_the_same(client, name):
    make(client, name)
    client.flush(name)
    before = ids(client.query(name, filter="match_any(a, $[place] == 2)"))
    params = client.prepare_index_params()
    params.add_index("a[place]", index_name="sorted", index_type="STL_SORT")
    client.create_index(name, params)
    assert client.describe_index(name, "sorted")["index_type"] == "STL_SORT"
    assert ids(client.query(name, filter="match_any(a, $[place] == 2)")) == before == [1, 2]


@pytest.mark.parametrize("batch", [1, 2, 3, 50])
@pytest.mark.parametrize("key", [DataType.INT64, DataType.VARCHAR], ids=["number", "text"])
def test_a_query_iterator_gives_each_kept_element_once(client, name, batch, key):
    make(client, name, key=key, row=(lambda i: f"k{i}") if key == DataType.VARCHAR else (lambda i: i))
    filter = "element_filter(a, $[place] != 1)"
    wanted = [(f"k{i}" if key == DataType.VARCHAR else i, e) for i, scores in sorted(SCORES.items()) for e in range(len(scores)) if e != 1]
    assert [(r["id"], r["offset"]) for r in client.query(name, filter=filter, output_fields=["id"])] == wanted
    found = []
    iterator = client.query_iterator(name, batch_size=batch, filter=filter, output_fields=["id", "a"])
    while page := iterator.next():
        found.extend((r["id"], r["offset"]) for r in page)
        assert len(page) <= batch and len(found) <= len(wanted) and all(r["a"][r["offset"]]["place"] != 1 for r in page)
    iterator.close()
    assert found == wanted
