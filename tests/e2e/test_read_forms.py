"""Grouped, ordered, hybrid and sampled reads and aggregates, over growing and sealed rows in two shards."""
import collections

import numpy as np
import pytest
from pymilvus import AnnSearchRequest, DataType, RRFRanker, WeightedRanker
from pymilvus.exceptions import MilvusException

from e2e.schemas import make, simple_schema
from harness import reference

DIM, ROWS = 8, 600
VECTORS = reference.vectors(ROWS, DIM, seed=3)
OTHERS = reference.vectors(ROWS, DIM, seed=4)
QUERIES = reference.vectors(2, DIM, seed=5)


def row(i):
    """Row i: 20 groups of text, 3 values and nulls, prices that repeat, a JSON document."""
    return {"id": i, "vector": VECTORS[i].tolist(), "other": OTHERS[i].tolist(), "group": f"g{i % 20}",
            "few": None if i % 10 == 0 else i % 3, "price": float(i * 7 % 50), "doc": {"a": {"b": i % 5}, "s": f"s{i % 4}"}}


@pytest.fixture(scope="module")
def filled(client, module_name):
    schema = simple_schema(dim=DIM)
    schema.add_field("other", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("group", DataType.VARCHAR, max_length=8)
    schema.add_field("few", DataType.INT8, nullable=True)
    schema.add_field("price", DataType.DOUBLE)
    schema.add_field("doc", DataType.JSON)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="L2")
    index.add_index("other", index_type="FLAT", metric_type="IP")
    client.create_collection(module_name, schema=schema, index_params=index, num_shards=2, consistency_level="Strong")
    client.insert(module_name, [row(i) for i in range(400)])
    client.flush(module_name)
    client.insert(module_name, [row(i) for i in range(400, ROWS)])
    return module_name


def nearest(query, count=ROWS):
    return np.argsort(((VECTORS[:count] - query) ** 2).sum(axis=1), kind="stable").tolist()


def grouped(query, key, groups, size):
    """What a grouped search answers: groups in the order of their best row."""
    found = collections.OrderedDict()
    for i in nearest(query):
        group = found.setdefault(key(i), []) if len(found) < groups or key(i) in found else []
        if len(group) < size:
            group.append(i)
    return [i for group in list(found.values())[:groups] for i in group]


@pytest.mark.parametrize("field, key", [
    ("group", lambda i: i % 20),
    ("few", lambda i: None if i % 10 == 0 else i % 3),
    ('doc["a"]["b"]', lambda i: i % 5),
])
@pytest.mark.parametrize("size", [1, 4])
def test_groups(client, filled, field, key, size):
    hits = client.search(filled, QUERIES.tolist(), anns_field="vector", limit=3, group_by_field=field, group_size=size, strict_group_size=True)
    for query, one in zip(QUERIES, hits):
        assert [h["id"] for h in one] == grouped(query, key, 3, size)


def test_fewer_groups_than_asked_for_are_all_there_are(client, filled):
    hits = client.search(filled, QUERIES[:1].tolist(), anns_field="vector", limit=50, group_by_field="group", group_size=2, strict_group_size=True)[0]
    assert len(hits) == 40


def test_an_offset_skips_groups(client, filled):
    hits = client.search(filled, QUERIES[:1].tolist(), anns_field="vector", limit=2, offset=3, group_by_field="group")[0]
    assert [h["id"] for h in hits] == grouped(QUERIES[0], lambda i: i % 20, 5, 1)[3:]


def test_search_order_sorts_the_nearest(client, filled):
    hits = client.search(filled, QUERIES[:1].tolist(), anns_field="vector", limit=10, offset=5, output_fields=["price"],
                         order_by_fields=[{"field": "price", "order": "desc"}, {"field": 'doc["a"]["b"]', "order": "asc"}])[0]
    best = nearest(QUERIES[0])[:15]
    assert [h["id"] for h in hits] == sorted(best, key=lambda i: (-row(i)["price"], i % 5))[5:]


def hybrid_lists(limit):
    l2 = [(i, float(((VECTORS[i] - QUERIES[0]) ** 2).sum())) for i in nearest(QUERIES[0])[:limit]]
    ip = sorted(((i, float(OTHERS[i] @ QUERIES[1])) for i in range(ROWS)), key=lambda hit: -hit[1])[:limit]
    return l2, ip


def parts(limit):
    return [AnnSearchRequest([QUERIES[0].tolist()], "vector", {}, limit), AnnSearchRequest([QUERIES[1].tolist()], "other", {}, limit)]


def test_hybrid_search_by_ranks(client, filled):
    scores = collections.Counter()
    for hits in hybrid_lists(30):
        for rank, (i, _) in enumerate(hits, 1):
            scores[i] += 1 / (60 + rank)
    want = sorted(scores, key=lambda i: (-round(scores[i], 9), i))
    got = client.hybrid_search(filled, parts(30), RRFRanker(), limit=10, offset=2, output_fields=["group"])[0]
    assert [h["id"] for h in got] == want[2:12]
    assert all(abs(h["distance"] - scores[h["id"]]) < 1e-6 and h["entity"]["group"] == f"g{h['id'] % 20}" for h in got)


def test_hybrid_search_by_weights(client, filled):
    l2, ip = hybrid_lists(30)
    scores = collections.Counter()
    for i, d in l2:
        scores[i] += 0.4 * (1 - 2 * np.arctan(d) / np.pi)
    for i, s in ip:
        scores[i] += 0.6 * (0.5 + np.arctan(s) / np.pi)
    got = client.hybrid_search(filled, parts(30), WeightedRanker(0.4, 0.6), limit=10)[0]
    assert [h["id"] for h in got] == sorted(scores, key=lambda i: -scores[i])[:10]
    assert all(abs(h["distance"] - scores[h["id"]]) < 1e-5 for h in got)


def test_hybrid_search_groups(client, filled):
    got = client.hybrid_search(filled, parts(30), RRFRanker(), limit=5, group_by_field="group", output_fields=["group"])[0]
    assert len({h["entity"]["group"] for h in got}) == len(got) == 5


@pytest.mark.parametrize("text, message", [
    (dict(group_by_field="price"), "unsupported data type for group by: field price is a Double"),
    (dict(group_by_field="nope"), "groupBy field not found in schema: field not found[field=nope]"),
    (dict(group_by_field="group", group_size=11), "input group size:11 exceeds configured max group size:10"),
    (dict(group_by_field="group", search_params={"params": {"radius": 1}}), "Not allowed to do range-search when doing search-group-by"),
    (dict(order_by_fields=[{"field": "vector"}]), "order_by field 'vector' has unsortable type FloatVector"),
])
def test_search_forms_refuse(client, filled, text, message):
    with pytest.raises(MilvusException) as failure:
        client.search(filled, QUERIES[:1].tolist(), anns_field="vector", limit=3, **text)
    assert message in failure.value.message


def test_query_in_order_is_over_all_rows(client, filled):
    got = client.query(filled, filter="id < 500", output_fields=["price"], limit=20, offset=3,
                       order_by_fields=[{"field": "few", "order": "desc"}, {"field": "price", "order": "asc"}])
    rows = [row(i) for i in range(500)]
    rows.sort(key=lambda r: (r["few"] is not None, -(r["few"] or 0), r["price"], r["id"]))
    assert [r["id"] for r in got] == [r["id"] for r in rows[3:23]]


def test_aggregates(client, filled):
    got = client.query(filled, filter="id < 450", output_fields=["count(*)", "count(few)", "sum(few)", "avg(price)", "min(group)", "max(price)"])
    rows = [row(i) for i in range(450)]
    few = [r["few"] for r in rows if r["few"] is not None]
    assert dict(got[0]) == {"count(*)": 450, "count(few)": len(few), "sum(few)": sum(few),
                            "avg(price)": pytest.approx(sum(r["price"] for r in rows) / 450), "min(group)": "g0", "max(price)": 49.0}


def test_aggregates_by_group(client, filled):
    got = client.query(filled, filter="id < 450", output_fields=["few", "count(*)", "max(id)"], group_by_fields=["few"], limit=3,
                       order_by_fields=[{"field": "few", "order": "asc"}])
    want = collections.defaultdict(list)
    for i in range(450):
        want[row(i)["few"]].append(i)
    assert [dict(r) for r in got] == [{"few": k, "count(*)": len(want[k]), "max(id)": max(want[k])} for k in (0, 1, 2)]
    assert len(client.query(filled, filter="id < 450", output_fields=["few"], group_by_fields=["few"])) == 4


def test_a_sample_is_a_share_of_what_passes(client, filled):
    ids = [r["id"] for r in client.query(filled, filter="id < 400 and random_sample(0.25)", output_fields=["id"])]
    assert 97 <= len(ids) <= 100 and len(set(ids)) == len(ids) and max(ids) < 400  # floored in each segment
    again = {r["id"] for r in client.query(filled, filter="id < 400 and random_sample(0.25)", output_fields=["id"])}
    assert again != set(ids)
    assert client.query(filled, filter="random_sample(0.5)", output_fields=["count(*)"])[0]["count(*)"] in range(297, 301)
    with pytest.raises(MilvusException, match="the sample factor should be between 0 and 1"):
        client.query(filled, filter="random_sample(1)", output_fields=["id"])


@pytest.mark.parametrize("flushed", [False, True])
def test_a_cosine_range_up_to_one_has_every_row_near_itself(client, name, flushed):
    dim = 128
    schema = simple_schema(dim)
    make(client, name, schema, metric="COSINE", consistency_level="Strong")
    points = np.random.default_rng(4).random((200, dim)).astype(np.float32)  # some lengths round so that their cosine is over 1
    client.insert(name, [{"id": i, "vector": points[i].tolist()} for i in range(200)])
    if flushed:
        client.flush(name)
    found = client.search(name, points.tolist(), limit=200, search_params={"metric_type": "COSINE", "params": {"radius": 0.5, "range_filter": 1.0}})
    for i, hits in enumerate(found):
        assert hits[0]["id"] == i and max(h["distance"] for h in hits) <= 1.0
