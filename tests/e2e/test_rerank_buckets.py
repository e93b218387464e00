"""Boost functions and search aggregations."""
import math

import pytest
from pymilvus import DataType, Function, FunctionScore, FunctionType, MilvusException, SearchAggregation, TopHits

pytestmark = pytest.mark.not_lite("no boost functions, no search aggregation")

ROWS = [
    {"id": 1, "vector": [1.0, 0.0], "brand": "x", "price": 10},
    {"id": 2, "vector": [0.8, 0.6], "brand": "y", "price": 20},
    {"id": 3, "vector": [0.6, 0.8], "brand": "x", "price": None},
    {"id": 4, "vector": [0.0, 1.0], "brand": None, "price": 40},
]


@pytest.fixture(params=["COSINE", "L2"])
def metric(request):
    return request.param


@pytest.fixture
def shop(client, name, metric):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    schema.add_field("brand", DataType.VARCHAR, max_length=20, nullable=True)
    schema.add_field("price", DataType.INT64, nullable=True)
    params = client.prepare_index_params()
    params.add_index("vector", index_type="FLAT", metric_type=metric)
    client.create_collection(name, schema=schema, index_params=params)
    client.insert(name, ROWS[:2])
    client.flush(name)
    client.insert(name, ROWS[2:])
    return name


def boost(filter, weight, **more):
    params = {"reranker": "boost", "weight": weight, **more}
    if filter:
        params["filter"] = filter
    return Function("b", FunctionType.RERANK, input_field_names=[], output_field_names=[], params=params)


def found(client, shop, functions, **params):
    hits = client.search(shop, [[1.0, 0.0]], limit=4, ranker=FunctionScore(functions=functions, params=params),
                         consistency_level="Strong")[0]
    return [(h["id"], h["distance"]) for h in hits]


def close(pairs, expected):
    assert [p for p, _ in pairs] == [p for p, _ in expected]
    assert all(math.isclose(a, b, abs_tol=1e-5) for (_, a), (_, b) in zip(pairs, expected)), pairs


@pytest.mark.parametrize("metric", ["COSINE"], indirect=True)
def test_boosts_of_a_similarity(client, shop):
    even, high = boost("id in [2, 4]", 2.0), boost("id >= 3", 3.0)
    close(found(client, shop, [even]), [(2, 1.6), (1, 1.0), (3, 0.6), (4, 0.0)])
    close(found(client, shop, [even, high]), [(3, 1.8), (2, 1.6), (1, 1.0), (4, 0.0)])
    close(found(client, shop, [even, high], boost_mode="sum"), [(4, 6.0), (3, 3.6), (2, 2.8), (1, 1.0)])
    close(found(client, shop, [even, high], boost_mode="sum", function_mode="sum"),
          [(4, 5.0), (3, 3.6), (2, 2.8), (1, 1.0)])
    close(found(client, shop, [boost("id > 9", 5.0)]), [(1, 1.0), (2, 0.8), (3, 0.6), (4, 0.0)])


@pytest.mark.parametrize("metric", ["L2"], indirect=True)
def test_boosts_of_a_distance(client, shop):
    close(found(client, shop, [boost("id == 3", 0.25)]), [(1, 0.0), (3, 0.2), (2, 0.4), (4, 2.0)])
    close(found(client, shop, [boost("id == 3", 0.7)], boost_mode="sum"), [(1, 0.0), (3, 0.1), (2, 0.4), (4, 2.0)])


@pytest.mark.parametrize("metric", ["COSINE"], indirect=True)
def test_a_random_score_repeats(client, shop):
    fn = boost("", 1.0, random_score={"seed": 12, "field": "id"})
    first = found(client, shop, [fn], boost_mode="sum")
    assert first == found(client, shop, [fn], boost_mode="sum")
    client.flush(shop)
    assert first == found(client, shop, [fn], boost_mode="sum"), "whatever segments the rows lie in"
    base = {1: 1.0, 2: 0.8, 3: 0.6, 4: 0.0}
    assert all(0 <= d - base[i] < 1 for i, d in first)


@pytest.mark.parametrize("metric", ["L2"], indirect=True)
@pytest.mark.parametrize("function, text", [
    (boost("id > 1", "heavy"), "parse function scorer weight params failed"),
    (boost("no such @ filter", 1), "parse expr failed"),
    (Function("b", FunctionType.RERANK, input_field_names=[], output_field_names=[], params={"reranker": "boost"}),
     "must set weight params"),
])
def test_wrong_boosts(client, shop, function, text):
    with pytest.raises(MilvusException, match=text):
        found(client, shop, [function])
    with pytest.raises(MilvusException, match="segment scorer with group_by"):
        client.search(shop, [[1.0, 0.0]], group_by_field="brand", ranker=FunctionScore(functions=[boost("", 2)]))


@pytest.mark.parametrize("metric", ["L2"], indirect=True)
def test_buckets(client, shop):
    result = client.search(
        shop, [[1.0, 0.0], [0.0, 1.0]], limit=1, output_fields=["price", "id"], consistency_level="Strong",
        search_aggregation=SearchAggregation(
            fields=["brand"], size=3, order=[{"sum": "desc"}],
            metrics={"n": {"count": "*"}, "priced": {"count": "price"}, "sum": {"sum": "price"}, "near": {"min": "_score"}},
            top_hits=TopHits(size=2, sort=[{"price": "asc"}])))
    assert len(result.agg_buckets) == 2
    for buckets in result.agg_buckets:
        assert [b.key[0]["value"] for b in buckets] == [None, "y", "x"]
        assert [b.metrics["sum"] for b in buckets] == [40, 20, 10]
        assert [(b.count, b.metrics["n"], b.metrics["priced"]) for b in buckets] == [(1, 1, 1), (1, 1, 1), (2, 2, 1)]
        assert [h.pk for h in buckets[2].hits] == [1, 3]
        assert buckets[2].hits[0].fields == {"price": 10, "id": 1}
        assert buckets[2].hits[1].fields == {"id": 3}
    near = {b.key[0]["value"]: b.metrics["near"] for b in result.agg_buckets[0]}
    assert near["x"] == 0 and math.isclose(near["y"], 0.4, abs_tol=1e-6)


@pytest.mark.parametrize("metric", ["COSINE"], indirect=True)
def test_nested_buckets(client, shop):
    result = client.search(
        shop, [[1.0, 0.0]], limit=1, consistency_level="Strong",
        search_aggregation=SearchAggregation(
            fields=["brand"], size=2, order=[{"_count": "desc"}],
            sub_aggregation=SearchAggregation(fields=["price"], size=5, order=[{"_key": "asc"}], top_hits=TopHits(size=1))))
    (buckets,) = result.agg_buckets
    assert [b.key[0]["value"] for b in buckets] == ["x", "y"]
    assert [b.key[0]["value"] for b in buckets[0].sub_groups] == [None, 10]
    assert [h.pk for b in buckets[0].sub_groups for h in b.hits] == [3, 1]


@pytest.mark.parametrize("metric", ["L2"], indirect=True)
def test_wrong_buckets(client, shop):
    def refused(text, **search):
        with pytest.raises(MilvusException, match=text):
            client.search(shop, [[1.0, 0.0]], **search)
    refused("not found in schema", search_aggregation=SearchAggregation(fields=["nowhere"], size=1))
    refused("offset is not supported with search_aggregation", search_params={"offset": 1},
            search_aggregation=SearchAggregation(fields=["brand"], size=1))
    refused("result entries is too large", search_aggregation=SearchAggregation(fields=["brand"], size=100000))
