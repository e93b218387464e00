"""create_collection(name, dimension=...): a schema, an index and a loaded collection from one call."""
import numpy as np
import pytest
from pymilvus.exceptions import MilvusException

from harness import reference


def test_it_has_the_documented_schema(client, name):
    client.create_collection(name, dimension=5)
    about = client.describe_collection(name)
    assert about["collection_name"] == name
    assert [f["name"] for f in about["fields"]] == ["id", "vector"]
    assert about["fields"][0]["is_primary"] and about["fields"][0]["type"].name == "INT64"
    assert about["fields"][1]["params"]["dim"] in (5, "5")
    assert about["enable_dynamic_field"] is True and about["auto_id"] is False
    assert client.list_indexes(name) == ["vector"]
    index = client.describe_index(name, "vector")
    assert index["metric_type"] == "COSINE" and index["index_type"] == "AUTOINDEX"


def test_it_is_loaded_and_searchable_at_once(client, name):
    client.create_collection(name, dimension=4)
    assert str(client.get_load_state(name)["state"]) == "Loaded"
    assert client.search(name, [[1.0, 0, 0, 0]])[0] == []


def test_inserted_rows_are_found_with_their_dynamic_fields(client, name):
    client.create_collection(name, dimension=8, consistency_level="Strong")
    vectors = reference.vectors(50, 8)
    answer = client.insert(name, [{"id": i, "vector": v.tolist(), "color": f"c{i % 3}", "n": i} for i, v in enumerate(vectors)])
    assert answer["insert_count"] == 50 and list(answer["ids"]) == list(range(50))
    hits = client.search(name, vectors[:3].tolist(), limit=5, output_fields=["color", "n"])
    reference.assert_exact(hits, reference.nearest("COSINE", vectors[:3], vectors, 5))
    for hit in hits[0]:
        assert hit["entity"] == {"color": f"c{hit['id'] % 3}", "n": hit["id"]}


@pytest.mark.not_lite("no VARCHAR auto id")
def test_a_string_key_with_auto_id_gets_ids(client, name):
    client.create_collection(name, dimension=4, id_type="string", max_length=64, auto_id=True, consistency_level="Strong")
    answer = client.insert(name, [{"vector": [0.1 * i, 1, 0, 0]} for i in range(10)])
    assert len(set(answer["ids"])) == 10 and all(isinstance(i, str) for i in answer["ids"])
    assert client.query(name, output_fields=["count(*)"])[0]["count(*)"] == 10


@pytest.mark.parametrize("metric", ["L2", "IP", "COSINE"])
def test_the_metric_is_the_one_asked_for(client, name, metric):
    client.create_collection(name, dimension=8, metric_type=metric, consistency_level="Strong")
    vectors = reference.vectors(100, 8, seed=3)
    client.insert(name, [{"id": i, "vector": v.tolist()} for i, v in enumerate(vectors)])
    queries = reference.vectors(4, 8, seed=4)
    reference.assert_exact(client.search(name, queries.tolist(), limit=7), reference.nearest(metric, queries, vectors, 7))


def test_field_names_can_be_chosen(client, name):
    client.create_collection(name, dimension=2, primary_field_name="key", vector_field_name="embedding", consistency_level="Strong")
    client.insert(name, [{"key": 7, "embedding": [1.0, 2.0]}])
    hit = client.search(name, [[1.0, 2.0]], limit=1)[0][0]
    assert hit["key"] == 7
    assert client.get(name, 7)[0]["embedding"] == pytest.approx([1.0, 2.0])


@pytest.mark.not_lite("refuses it")
def test_the_same_call_again_changes_nothing(client, name):
    client.create_collection(name, dimension=4)
    client.insert(name, [{"id": 1, "vector": [1.0, 2, 3, 4]}])
    client.create_collection(name, dimension=4)
    assert len(client.get(name, 1)) == 1


@pytest.mark.not_lite("replaces the collection")
def test_the_same_name_with_another_schema_is_refused(client, name):
    client.create_collection(name, dimension=4)
    with pytest.raises(MilvusException, match="create duplicate collection with different parameters, collection: " + name):
        client.create_collection(name, dimension=5)


@pytest.mark.parametrize("dim", [2, 3, 31, 768])
def test_dimensions_that_fit_no_register_are_exact(client, name, dim):
    client.create_collection(name, dimension=dim, metric_type="L2", consistency_level="Strong")
    vectors = reference.vectors(20, dim)
    client.insert(name, [{"id": i, "vector": v.tolist()} for i, v in enumerate(vectors)])
    reference.assert_exact(client.search(name, vectors[:5].tolist(), limit=20), reference.nearest("L2", vectors[:5], vectors, 20))


def test_numpy_vectors_are_taken_as_they_are(client, name):
    client.create_collection(name, dimension=4, consistency_level="Strong")
    client.insert(name, [{"id": i, "vector": np.full(4, i + 1, np.float32)} for i in range(3)])
    assert len(client.search(name, np.ones((1, 4), np.float32), limit=3)[0]) == 3
