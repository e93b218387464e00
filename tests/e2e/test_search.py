"""Search: against brute force over every request form, and Milvus' texts for what cannot be searched."""
import numpy as np
import pytest
from pymilvus import DataType
from pymilvus.exceptions import MilvusException

from e2e.schemas import make, simple_schema
from harness import reference

DIM, ROWS = 16, 1000
VECTORS = reference.vectors(ROWS, DIM, seed=1)
QUERIES = reference.vectors(10, DIM, seed=2)
GROUPS = [f"g{i % 7}" for i in range(ROWS)]


@pytest.fixture(scope="module", params=["growing", "sealed and growing"])
def filled(request, client, module_name):
    rows = 600 if request.param == "growing" else ROWS
    if request.param == "growing":
        schema = simple_schema(dim=DIM, dynamic=True)
        schema.add_field("n", DataType.INT32)
        schema.add_field("group", DataType.VARCHAR, max_length=8)
        make(client, module_name, schema, metric="L2", consistency_level="Strong")
        insert(client, module_name, range(600))
    else:
        client.flush(module_name)
        insert(client, module_name, range(600, ROWS))
    return module_name, rows


def insert(client, name, ids):
    client.insert(name, [{"id": i, "vector": VECTORS[i].tolist(), "n": i, "group": GROUPS[i], "extra": i % 3} for i in ids])


def test_many_queries_at_once(client, filled):
    name, rows = filled
    reference.assert_exact(client.search(name, QUERIES.tolist(), limit=10), reference.nearest("L2", QUERIES, VECTORS[:rows], 10))


@pytest.mark.parametrize("limit", [1, 3, 100, 599])
def test_limits(client, filled, limit):
    name, rows = filled
    reference.assert_exact(client.search(name, QUERIES[:2].tolist(), limit=limit), reference.nearest("L2", QUERIES[:2], VECTORS[:rows], limit))


def test_a_limit_beyond_the_rows_returns_them_all(client, filled):
    name, rows = filled
    hits = client.search(name, QUERIES[:1].tolist(), limit=5000)[0]
    assert len(hits) == rows and len({h["id"] for h in hits}) == rows


@pytest.mark.parametrize("offset", [1, 10, 95])
def test_an_offset_skips_the_best(client, filled, offset):
    name, rows = filled
    hits = client.search(name, QUERIES.tolist(), limit=5, offset=offset)
    reference.assert_exact(hits, [one[offset:] for one in reference.nearest("L2", QUERIES, VECTORS[:rows], offset + 5)])


@pytest.mark.parametrize("text, keep", [
    ("n < 100", lambda i: i < 100),
    pytest.param("n % 50 == 7", lambda i: i % 50 == 7, marks=pytest.mark.not_lite("no arithmetic")),
    ("n == 321", lambda i: i == 321),
    ("n > 100000", lambda i: False),
    ('group in ["g1", "g5"]', lambda i: i % 7 in (1, 5)),
    ('group == "g2" and n >= 50 or n == 3', lambda i: (i % 7 == 2 and i >= 50) or i == 3),
    ("extra == 1", lambda i: i % 3 == 1),
    ("not (n < 500)", lambda i: i >= 500),
    ("id in [1, 5, 7]", lambda i: i in (1, 5, 7)),
])
def test_a_filtered_search_is_exact_and_full(client, filled, text, keep):
    name, rows = filled
    allowed = [i for i in range(rows) if keep(i)]
    hits = client.search(name, QUERIES.tolist(), limit=10, filter=text)
    reference.assert_exact(hits, reference.nearest("L2", QUERIES, VECTORS[:rows], 10, rows=allowed))


def test_output_fields_belong_to_their_rows(client, filled):
    name, _ = filled
    for hits in client.search(name, QUERIES.tolist(), limit=20, output_fields=["n", "group", "extra", "vector"]):
        for h in hits:
            assert h["entity"]["n"] == h["id"] and h["entity"]["group"] == GROUPS[h["id"]] and h["entity"]["extra"] == h["id"] % 3
            assert list(h["entity"]["vector"]) == pytest.approx(VECTORS[h["id"]].tolist(), abs=0)


@pytest.mark.parametrize("level", ["Strong", "Session", "Bounded", "Eventually"])
def test_each_consistency_level_answers(client, filled, level):
    name, rows = filled
    hits = client.search(name, QUERIES.tolist(), limit=10, consistency_level=level)
    reference.assert_exact(hits, reference.nearest("L2", QUERIES, VECTORS[:rows], 10))


def test_the_field_and_metric_may_be_named(client, filled):
    name, rows = filled
    hits = client.search(name, QUERIES.tolist(), limit=10, anns_field="vector", search_params={"metric_type": "L2", "params": {}})
    reference.assert_exact(hits, reference.nearest("L2", QUERIES, VECTORS[:rows], 10))


def test_a_range_keeps_what_lies_between(client, filled):
    name, rows = filled
    exact = reference.scores("L2", QUERIES, VECTORS[:rows])
    near, far = float(np.quantile(exact, 0.02)), float(np.quantile(exact, 0.05))
    hits = client.search(name, QUERIES.tolist(), limit=500, search_params={"params": {"radius": far, "range_filter": near}})
    for q, one in enumerate(hits):
        want = {i for i in range(rows) if near <= exact[q][i] < far}
        assert {h["id"] for h in one} == want


@pytest.mark.not_lite("does not round")
@pytest.mark.parametrize("digits", [0, 2, 4])
def test_scores_are_rounded_when_asked(client, filled, digits):
    name, rows = filled
    hits = client.search(name, QUERIES.tolist(), limit=5, round_decimal=digits)
    for got, want in zip(hits, reference.nearest("L2", QUERIES, VECTORS[:rows], 5)):
        assert [h["distance"] for h in got] == pytest.approx([round(s, digits) for _, s in want], abs=1.01 * 10**-digits)


@pytest.mark.not_lite("no templates")
def test_filter_values_may_come_as_parameters(client, filled):
    name, rows = filled
    hits = client.search(name, QUERIES.tolist(), limit=10, filter="n > {low} and group in {groups}", filter_params={"low": 100, "groups": ["g0", "g3"]})
    allowed = [i for i in range(rows) if i > 100 and i % 7 in (0, 3)]
    reference.assert_exact(hits, reference.nearest("L2", QUERIES, VECTORS[:rows], 10, rows=allowed))


def test_a_large_batch_of_queries(client, filled):
    name, rows = filled
    queries = reference.vectors(1000, DIM, seed=5)
    reference.assert_exact(client.search(name, queries.tolist(), limit=3), reference.nearest("L2", queries, VECTORS[:rows], 3))


@pytest.mark.not_lite("other texts")
class TestRefusals:
    def refused(self, client, filled, text, data=None, **more):
        with pytest.raises(MilvusException, match=text):
            client.search(filled[0], data or QUERIES[:1].tolist(), **more)

    @pytest.mark.parametrize("limit", [0, -1, 16385])
    def test_a_limit_out_of_range(self, client, filled, limit):
        self.refused(client, filled, rf"topk \[{limit}\] is invalid, it should be in range \[1, 16384\], but got {limit}|limit", limit=limit)

    @pytest.mark.parametrize("offset", [-1, 16385])
    def test_an_offset_out_of_range(self, client, filled, offset):
        self.refused(client, filled, rf"offset \[{offset}\] is invalid, it should be in range \[1, 16384\]", offset=offset)

    def test_limit_and_offset_together_out_of_range(self, client, filled):
        self.refused(client, filled, r"should be in range \[1, 16384\]", limit=16384, offset=1)

    def test_more_queries_than_allowed(self, client, filled):
        self.refused(client, filled, r"nq \[16385\] is invalid, nq \(number of search vector per search request\) should be in range \[1, 16384\], but got 16385",
                     data=[[0.0] * DIM] * 16385, limit=1)

    @pytest.mark.parametrize("dim", [DIM - 1, DIM + 1, 2])
    def test_a_query_of_another_dimension(self, client, filled, dim):
        self.refused(client, filled, "vector dimension mismatch, expected vector size", data=[[0.5] * dim])

    def test_a_field_that_is_not_there(self, client, filled):
        self.refused(client, filled, r"fieldName\(nope\) not found|failed to get field schema by name", anns_field="nope")

    def test_a_field_that_is_no_vector(self, client, filled):
        self.refused(client, filled, r"field \(n\) to search is not of vector data type", anns_field="n")

    def test_a_filter_that_does_not_parse(self, client, filled):
        self.refused(client, filled, "failed to create query plan: cannot parse expression: n >", filter="n >")

    def test_a_collection_that_is_not_there(self, client):
        with pytest.raises(MilvusException, match=r"collection not found\[database=default\]\[collection=no_such_collection\]"):
            client.search("no_such_collection", QUERIES[:1].tolist())

    def test_a_range_the_wrong_way_round(self, client, filled):
        self.refused(client, filled, r"range_filter.*must be less than radius", search_params={"params": {"radius": 1.0, "range_filter": 2.0}})

    def test_rounding_out_of_range(self, client, filled):
        self.refused(client, filled, r"round_decimal.* 7 is illegal|round_decimal \[7\] is invalid", round_decimal=7)  # the client says it first


@pytest.fixture(scope="module")
def two_vectors(client, module_name):
    name = module_name + "_two"
    schema = simple_schema(dim=DIM)
    schema.add_field("other", DataType.FLOAT_VECTOR, dim=4)
    make(client, name, schema, metric="IP", fields=("vector", "other"), consistency_level="Strong")
    others = reference.vectors(200, 4, seed=8)
    client.insert(name, [{"id": i, "vector": VECTORS[i].tolist(), "other": others[i].tolist()} for i in range(200)])
    yield name, others
    client.drop_collection(name)


def test_each_of_two_vector_fields_is_searched_by_name(client, two_vectors):
    name, others = two_vectors
    reference.assert_exact(client.search(name, QUERIES.tolist(), anns_field="vector", limit=5), reference.nearest("IP", QUERIES, VECTORS[:200], 5))
    reference.assert_exact(client.search(name, others[:3].tolist(), anns_field="other", limit=5), reference.nearest("IP", others[:3], others, 5))


@pytest.mark.not_lite("picks one")
def test_with_two_vector_fields_one_must_be_named(client, two_vectors):
    with pytest.raises(MilvusException, match="multiple anns_fields exist, please specify a anns_field in search_params"):
        client.search(two_vectors[0], QUERIES[:1].tolist())
