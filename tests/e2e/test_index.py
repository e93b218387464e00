"""Indexes: create, describe, list, drop, and what is refused."""
import pytest
from pymilvus import DataType
from pymilvus.exceptions import MilvusException

from e2e.schemas import make, simple_schema, wait_for_index
from harness import reference

DIM, ROWS = 32, 3000
VECTORS = reference.vectors(ROWS, DIM)
QUERIES = reference.vectors(20, DIM, seed=99)
METRICS = ["L2", "IP", "COSINE"]


def rows(vectors=VECTORS):
    return [{"id": i, "vector": v.tolist()} for i, v in enumerate(vectors)]


def test_an_index_made_after_the_rows_is_used_by_the_next_load(client, name):
    client.create_collection(name, schema=simple_schema(dim=DIM), consistency_level="Strong")
    client.insert(name, rows(VECTORS[:500]))
    client.flush(name)
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="HNSW", metric_type="L2", params={"M": 8, "efConstruction": 64})
    client.create_index(name, indexes)
    client.load_collection(name)
    hits = client.search(name, QUERIES.tolist(), limit=5, search_params={"params": {"ef": 64}})
    assert reference.recall(hits, reference.nearest("L2", QUERIES, VECTORS[:500], 5)) >= 0.9


@pytest.mark.not_lite("no parameters")
def test_describe_tells_kind_metric_and_parameters(client, name):
    make(client, name, simple_schema(dim=DIM), metric="IP", index="HNSW", params={"M": 12, "efConstruction": 90})
    about = client.describe_index(name, "vector")
    assert (about["index_type"], about["metric_type"], about["field_name"], about["index_name"]) == ("HNSW", "IP", "vector", "vector")
    assert str(about["M"]) == "12" and str(about["efConstruction"]) == "90"


@pytest.mark.not_lite("no row counts")
def test_describe_reaches_finished_with_all_rows_indexed(client, name):
    make(client, name, simple_schema(dim=DIM), index="HNSW", params={"M": 8, "efConstruction": 64})
    client.insert(name, rows())
    client.flush(name)
    about = wait_for_index(client, name)
    assert (about["state"], about["total_rows"], about["indexed_rows"], about["pending_index_rows"]) == ("Finished", ROWS, ROWS, 0)


@pytest.mark.not_lite("names it after the field")
def test_a_named_index_is_listed_and_dropped_by_name(client, name):
    client.create_collection(name, schema=simple_schema(dim=DIM))
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_name="mine", index_type="FLAT", metric_type="L2")
    client.create_index(name, indexes)
    assert client.list_indexes(name) == ["mine"]
    client.drop_index(name, "mine")
    assert client.list_indexes(name) == []
    client.drop_index(name, "mine")


@pytest.mark.not_lite("one index a field, no texts")
class TestRefusals:
    def refused(self, client, name, text, **index):
        indexes = client.prepare_index_params()
        indexes.add_index(**{"field_name": "vector", "index_type": "HNSW", "metric_type": "L2", "params": {"M": 8, "efConstruction": 64}, **index})
        with pytest.raises(MilvusException, match=text):
            client.create_index(name, indexes)

    @pytest.fixture
    def made(self, client, name):
        client.create_collection(name, schema=simple_schema(dim=DIM))
        return name

    def test_a_second_other_index_on_the_field(self, client, made):
        indexes = client.prepare_index_params()
        indexes.add_index("vector", index_type="FLAT", metric_type="L2")
        client.create_index(made, indexes)
        client.create_index(made, indexes)  # the same again is no error
        self.refused(client, made, "at most one distinct index is allowed per field")

    def test_an_unknown_kind(self, client, made):
        self.refused(client, made, "invalid index type: NOPE|valid index", index_type="NOPE")

    @pytest.mark.parametrize("metric", ["NOPE", "HAMMING"])
    def test_a_metric_that_does_not_fit(self, client, made, metric):
        self.refused(client, made, f"metric type {metric}|does not support metric type: {metric}", metric_type=metric)

    def test_a_field_that_is_not_there(self, client, made):
        self.refused(client, made, "cannot create index on non-exist field: nope", field_name="nope")

    @pytest.mark.parametrize("params, text", [
        ({"M": 1, "efConstruction": 100}, r"param 'M' \(1\) should be in range \[2, 2048\]"),
        ({"M": 4096, "efConstruction": 100}, r"param 'M' \(4096\) should be in range \[2, 2048\]"),
        ({"M": 16, "efConstruction": 0}, r"param 'efConstruction' \(0\) should be in range \[1, 2147483647\]"),
        ({"M": "x", "efConstruction": 100}, "invalid integer value, key: 'M', value: 'x'|wrong data type in json"),
    ])
    def test_hnsw_parameters_out_of_range(self, client, made, params, text):
        self.refused(client, made, text, params=params)

    @pytest.mark.parametrize("nlist", [0, 65537])
    def test_ivf_parameters_out_of_range(self, client, made, nlist):
        self.refused(client, made, rf"param 'nlist' \({nlist}\) should be in range \[1, 65536\]", index_type="IVF_FLAT", params={"nlist": nlist})

    def test_dropping_the_vector_index_of_a_loaded_collection(self, client, name):
        make(client, name, simple_schema(dim=DIM))
        with pytest.raises(MilvusException, match="vector index cannot be dropped on loaded collection"):
            client.drop_index(name, "vector")

    def test_describing_an_index_that_is_not_there(self, client, made):
        assert client.list_indexes(made) == []
        assert client.describe_index(made, "vector") is None


@pytest.mark.not_lite("other parameter checks")
class TestSearchParameters:
    def test_another_metric_than_the_index_has(self, client, name):
        make(client, name, simple_schema(dim=DIM), metric="COSINE")
        client.insert(name, rows(VECTORS[:10]))
        with pytest.raises(MilvusException, match=r"metric type not match: invalid parameter\[expected=COSINE\]\[actual=IP\]"):
            client.search(name, QUERIES[:1].tolist(), search_params={"metric_type": "IP"})

    def test_an_ef_below_k(self, client, name):
        make(client, name, simple_schema(dim=DIM), index="HNSW", params={"M": 8, "efConstruction": 64}, consistency_level="Strong")
        client.insert(name, rows(VECTORS[:200]))
        client.flush(name)
        with pytest.raises(MilvusException, match=r"ef\(5\) should be larger than k\(10\)"):
            client.search(name, QUERIES[:1].tolist(), limit=10, search_params={"params": {"ef": 5}})
        for loose in ({"search_params": {"params": {"ef": 5, "radius": 1e9}}},
                      {"search_params": {"params": {"ef": 5}}, "group_by_field": "id"}):
            assert len(client.search(name, QUERIES[:1].tolist(), limit=10, **loose)[0]) == 10

    def test_an_nprobe_out_of_range(self, client, name):
        make(client, name, simple_schema(dim=DIM), index="IVF_FLAT", params={"nlist": 8}, consistency_level="Strong")
        client.insert(name, rows(VECTORS[:200]))
        client.flush(name)
        with pytest.raises(MilvusException, match=r"param 'nprobe' \(0\) should be in range \[1, 65536\]"):
            client.search(name, QUERIES[:1].tolist(), limit=10, search_params={"params": {"nprobe": 0}})


@pytest.mark.not_lite("no JSON path indexes")
class TestJsonPathIndex:
    @staticmethod
    def add(client, name, field, path, kind="INVERTED", cast="DOUBLE", **more):
        indexes = client.prepare_index_params()
        indexes.add_index(field, index_type=kind, params={"json_cast_type": cast, "json_path": path}, **more)
        client.create_index(name, indexes)

    @pytest.mark.parametrize("dynamic", [False, True])
    def test_paths_of_one_field_are_indexed_each_by_its_own_name(self, client, name, dynamic):
        schema = simple_schema(dim=DIM, dynamic=dynamic)
        if not dynamic:
            schema.add_field("doc", DataType.JSON)
        make(client, name, schema, consistency_level="Strong")
        client.insert(name, [{**row, "doc": {"a": {"b": row["id"]}}} for row in rows(VECTORS[:20])])
        prefix = "$meta/doc" if dynamic else "doc"
        for path, named in [("doc['a']['b']", "/a/b"), ("doc['a']", "/a"), ("doc", ""), ("doc['a'][0]", "/a/0")]:
            self.add(client, name, "doc", path)
            self.add(client, name, "doc", path)
            about = client.describe_index(name, prefix + named)
            assert (about["json_path"], about["json_cast_type"], about["index_type"], about["field_name"]) == (path, "DOUBLE", "INVERTED", "doc")
        assert len(client.list_indexes(name)) == 5
        assert [r["id"] for r in client.query(name, filter="doc['a']['b'] > 17")] == [18, 19]
        client.drop_index(name, prefix + "/a")
        assert len(client.list_indexes(name)) == 4

    @pytest.mark.parametrize("path, kind, cast, text", [
        ("doc['a']", "INVERTED", "INT8", "json_cast_type INT8 is not supported"),
        ("doc['a']", "TRIE", "VARCHAR", "TRIE are only supported on varchar field"),
        ("1", "INVERTED", "DOUBLE", "cannot parse identifier: 1"),
        ("/", "STL_SORT", "DOUBLE", "mismatched input '/'"),
    ])
    def test_what_is_no_path_or_no_cast_is_refused(self, client, name, path, kind, cast, text):
        schema = simple_schema(dim=DIM)
        schema.add_field("doc", DataType.JSON)
        make(client, name, schema)
        with pytest.raises(MilvusException, match=text):
            self.add(client, name, "doc", path, kind, cast)

    def test_a_path_has_one_index_and_a_name_one_path(self, client, name):
        make(client, name, simple_schema(dim=DIM, dynamic=True))
        self.add(client, name, "doc", "doc['a']", index_name="one")
        with pytest.raises(MilvusException, match="at most one distinct index is allowed per field"):
            self.add(client, name, "doc", "doc['b']", index_name="one")
        with pytest.raises(MilvusException, match="creating multiple indexes on same field is not supported"):
            self.add(client, name, "doc", "doc['a']", index_name="two")
