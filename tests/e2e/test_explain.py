"""EXPLAIN: what a read did, told to unmodified clients: `explain(*)` as a query's output field, `explain` as a search parameter, a REST route."""
import json
import urllib.request

import pytest
from pymilvus import DataType

from e2e.schemas import make, simple_schema
from e2e.test_scalar_index import wait_built

ROWS = 3000


@pytest.fixture(scope="module")
def filled(client, module_name):
    schema = simple_schema(dim=4)
    schema.add_field("n", DataType.INT64)
    schema.add_field("word", DataType.VARCHAR, max_length=16)
    make(client, module_name, schema, index="FLAT", metric="L2", load=True, consistency_level="Strong")
    client.insert(module_name, [{"id": i, "vector": [i, 0, 0, 0], "n": i % 100, "word": f"w{i}"} for i in range(ROWS)])
    client.flush(module_name)
    params = client.prepare_index_params()
    params.add_index("n", index_type="STL_SORT", index_name="by_n")
    client.create_index(module_name, params)
    wait_built(client, module_name, ["by_n"])
    client.insert(module_name, [{"id": ROWS + i, "vector": [0, 1, 0, 0], "n": 7, "word": "late"} for i in range(10)])
    return module_name


def segments(plan):
    return {s["state"]: s for shard in plan["shards"] for s in shard["segments"]}


def leaves(segment):
    return {leaf["predicate"]: leaf for leaf in segment["filter"]}


def test_a_query_tells_its_plan_when_that_is_its_output(client, filled):
    rows = client.query(filled, filter="n == 3 + 4 and word like 'w1%'", output_fields=["explain(*)"])
    assert len(rows) == 1
    plan = rows[0]["explain(*)"]
    assert plan["filter"] == "n == 7 and word like 'w1%'"
    found = segments(plan)
    by_index = leaves(found["sealed"])["n == 7"]
    assert by_index["by"] == "index" and by_index["estimated"] == pytest.approx(0.01)
    assert by_index["rows_asked"] == ROWS and by_index["rows_kept"] == 30 and by_index["actual"] == pytest.approx(0.01)
    scan = leaves(found["sealed"])["word like 'w1%'"]
    assert scan["by"] == "scan" and scan["rows_asked"] == 30 and scan["bytes"] > 0  # only rows that the index left
    kept = [i for i in range(ROWS) if i % 100 == 7 and str(i).startswith("1")]
    assert found["sealed"]["kept"] == scan["rows_kept"] == len(kept)
    assert found["sealed"]["rows"] == found["sealed"]["visible"] == ROWS
    assert leaves(found["growing"])["n == 7"]["by"] == "scan" and found["growing"]["kept"] == 0
    assert plan["us"] > 0 and found["sealed"]["filter_us"] > 0


def test_a_look_up_by_key_says_so(client, filled):
    plan = client.query(filled, filter="id in [1, 2, 99999]", output_fields=["explain(*)"])[0]["explain(*)"]
    assert segments(plan)["sealed"]["search"] == "keys" and segments(plan)["sealed"]["kept"] == 2


def test_a_search_tells_its_plan_as_its_only_hit(client, filled):
    hits = client.search(filled, [[0.0, 0, 0, 0], [1.0, 0, 0, 0]], limit=3, filter="n < 50", search_params={"metric_type": "L2", "explain": True})
    assert [len(h) for h in hits] == [1, 0]
    plan = hits[0][0]["entity"]["explain(*)"]
    found = segments(plan)
    assert plan["filter"] == "n < 50"
    assert found["sealed"]["kept"] == ROWS // 2 and found["growing"]["kept"] == 10
    for segment in found.values():
        assert segment["search"] == "brute force" and segment["search_us"] > 0
        assert 2 * segment["kept"] <= segment["distances"] == segment["exact"] <= 2 * segment["rows"]
    # without it the same search answers
    assert len(client.search(filled, [[0.0, 0, 0, 0]], limit=3, filter="n < 50", search_params={"explain": False})[0]) == 3


@pytest.mark.parametrize("kind, params", [("HNSW", {"M": 8, "efConstruction": 60}), ("IVF_FLAT", {"nlist": 32})])
def test_an_index_counts_what_it_compared_and_measured(client, name, kind, params):
    make(client, name, simple_schema(dim=4), index="FLAT", metric="L2", load=False, consistency_level="Strong")
    client.insert(name, [{"id": i, "vector": [i % 61, i % 53, i % 47, i % 43]} for i in range(ROWS)])
    client.flush(name)
    client.drop_index(name, "vector")
    index = client.prepare_index_params()
    index.add_index("vector", index_type=kind, metric_type="L2", params=params)
    client.create_index(name, index)
    wait_built(client, name, ["vector"])
    for _ in range(8):  # a collection that is loaded has its indexes
        client.release_collection(name)
        client.load_collection(name)
        hits = client.search(name, [[5.0, 5, 5, 5]], limit=5, search_params={"explain": True})
        segment = segments(hits[0][0]["entity"]["explain(*)"])["sealed"]
        assert segment["search"] == kind
    assert 5 <= segment["exact"] < segment["distances"] < ROWS


def test_the_rest_route_explains_searches_and_queries(uri, filled):
    def post(path, **body):
        request = urllib.request.Request(f"{uri}/v2/vectordb/entities/{path}", data=json.dumps({"collectionName": filled, **body}).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    query = post("explain", filter="n in [1, 2]")
    assert query["code"] == 0, query
    assert query["data"][0]["explain(*)"]["filter"] == "n in [1, 2]"
    search = post("explain", data=[[0, 0, 0, 0]], annsField="vector", filter="n < 5", limit=2)
    assert search["code"] == 0, search
    assert segments(search["data"][0]["explain(*)"])["sealed"]["kept"] == 150
    count = post("explain", filter="n == 7", outputFields=["count(*)"])
    assert segments(count["data"][0]["explain(*)"])["sealed"]["kept"] == 30
    assert post("query", filter="n == 7", outputFields=["count(*)"])["data"] == [{"count(*)": 40}]
