"""REST v2 on the gRPC port, and the metrics port."""
import json
import socket
import urllib.error
import urllib.request

import pytest

from harness import reference

pytestmark = pytest.mark.own_server
VECTORS = reference.vectors(50, 4)


def post(server, path, body, raw=None, timeout=10):
    data = raw if raw is not None else json.dumps(body).encode()
    request = urllib.request.Request(f"{server.uri}/v2/vectordb/{path}", data=data, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.loads(answer.read())


def get(uri, timeout=5):
    with urllib.request.urlopen(uri, timeout=timeout) as answer:
        return answer.status, answer.read().decode()


@pytest.fixture
def made(server, name):
    assert post(server, "collections/create", {"collectionName": name, "dimension": 4, "metricType": "L2", "params": {"consistencyLevel": "Strong"}})["code"] == 0
    answer = post(server, "entities/insert", {"collectionName": name, "data": [{"id": i, "vector": VECTORS[i].tolist(), "color": f"c{i % 3}"} for i in range(50)]})
    assert answer["code"] == 0 and answer["data"]["insertCount"] == 50 and answer["data"]["insertIds"] == list(range(50))
    return name


def test_collections_are_listed_and_described(server, made):
    assert made in post(server, "collections/list", {})["data"]
    about = post(server, "collections/describe", {"collectionName": made})["data"]
    assert about["collectionName"] == made and [f["name"] for f in about["fields"]] == ["id", "vector"]
    assert about["load"] == "LoadStateLoaded" and about["indexes"][0]["metricType"] == "L2"


def test_search_query_get_delete(server, made):
    hits = post(server, "entities/search", {"collectionName": made, "data": [VECTORS[7].tolist()], "annsField": "vector", "limit": 3, "outputFields": ["color"]})
    want = reference.nearest("L2", VECTORS[7:8], VECTORS, 3)[0]
    assert [h["id"] for h in hits["data"]] == [r for r, _ in want] and hits["data"][0]["color"] == "c1"
    assert [h["distance"] for h in hits["data"]] == pytest.approx([s for _, s in want], abs=1e-4)
    rows = post(server, "entities/query", {"collectionName": made, "filter": "id < 3", "outputFields": ["id", "color"]})["data"]
    assert rows == [{"id": i, "color": f"c{i}"} for i in range(3)]
    assert [r["id"] for r in post(server, "entities/get", {"collectionName": made, "id": [4, 2], "outputFields": ["id"]})["data"]] == [2, 4]
    assert post(server, "entities/delete", {"collectionName": made, "filter": "id in [0, 1]"})["code"] == 0
    rows = post(server, "entities/query", {"collectionName": made, "filter": "id < 3", "outputFields": ["id"]})["data"]
    assert [r["id"] for r in rows] == [2]


def test_what_rest_wrote_grpc_reads_and_the_other_way(server, client, made):
    assert client.get(made, 5)[0]["color"] == "c2"
    client.insert(made, [{"id": 100, "vector": [9.0, 9, 9, 9], "color": "new"}])
    assert post(server, "entities/get", {"collectionName": made, "id": 100})["data"][0]["color"] == "new"


CLIP_FIELDS = [{"fieldName": "name", "dataType": "Array", "elementDataType": "VarChar", "elementTypeParams": {"max_length": "20"}},
               {"fieldName": "score", "dataType": "Array", "elementDataType": "Int16"},
               {"fieldName": "emb", "dataType": "ArrayOfVector", "elementDataType": "FloatVector", "elementTypeParams": {"dim": "2"}}]
CLIPS = {1: [{"name": "a", "score": 1, "emb": [1.0, 0.0]}, {"name": "b", "score": 9, "emb": [0.0, 1.0]}], 2: [],
         3: [{"name": "c", "score": 5, "emb": [0.6, 0.8]}]}


@pytest.fixture
def clips(server, name):
    schema = {"fields": [{"fieldName": "id", "dataType": "Int64", "isPrimary": True},
                         {"fieldName": "vector", "dataType": "FloatVector", "elementTypeParams": {"dim": "2"}},
                         {"fieldName": "tags", "dataType": "Array", "elementDataType": "Int64", "nullable": True, "elementTypeParams": {"max_capacity": "4"}}],
              "structFields": [{"fieldName": "clips", "nullable": True, "typeParams": {"max_capacity": "4"}, "fields": CLIP_FIELDS}]}
    answer = post(server, "collections/create", {"collectionName": name, "schema": schema, "params": {"consistencyLevel": "Strong"}, "indexParams": [
        {"fieldName": "vector", "indexType": "FLAT", "metricType": "L2"}, {"fieldName": "clips[emb]", "indexType": "HNSW", "metricType": "MAX_SIM_COSINE"}]})
    assert answer["code"] == 0, answer
    rows = [{"id": i, "vector": [float(i), 0.0], "tags": [i], "clips": c} for i, c in CLIPS.items()]
    answer = post(server, "entities/insert", {"collectionName": name, "data": [*rows, {"id": 4, "vector": [4.0, 0.0], "clips": None}]})
    assert answer["code"] == 0 and answer["data"]["insertCount"] == 4, answer
    return name


def test_structs_over_rest(server, client, clips):
    about = post(server, "collections/describe", {"collectionName": clips})["data"]
    assert [s["name"] for s in about["structFields"]] == ["clips"]
    assert [(f["name"], f["elementType"]) for f in about["structFields"][0]["fields"]] == [("name", "VarChar"), ("score", "Int16"), ("emb", "FloatVector")]
    rows = post(server, "entities/query", {"collectionName": clips, "filter": "id > 0", "outputFields": ["id", "clips"]})["data"]
    assert [r["id"] for r in rows] == [1, 2, 3, 4] and rows[0]["clips"] == CLIPS[1] and rows[1]["clips"] == [] and rows[3]["clips"] is None
    assert [c["name"] for c in client.get(clips, 1, output_fields=["clips"])[0]["clips"]] == ["a", "b"]
    hits = post(server, "entities/search", {"collectionName": clips, "annsField": "clips[emb]", "data": [[[0.0, 1.0], [1.0, 0.0]]], "limit": 5,
                                            "outputFields": ["clips"]})["data"]
    assert [h["id"] for h in hits] == [1, 3] and hits[1]["clips"][0]["name"] == "c"
    assert hits[0]["distance"] == pytest.approx(2, abs=1e-5) and hits[1]["distance"] == pytest.approx(1.4, abs=1e-5)
    assert [r["id"] for r in post(server, "entities/query", {"collectionName": clips, "filter": "match_any(clips, $[score] > 4)"})["data"]] == [1, 3]


def test_upserts_of_structs_and_field_ops_over_rest(server, clips):
    new = [{"name": "z", "score": 2, "emb": [0.5, 0.5]}]
    assert post(server, "entities/upsert", {"collectionName": clips, "data": [{"id": 1, "vector": [9.0, 9.0], "clips": new}]})["code"] == 0
    assert post(server, "entities/upsert", {"collectionName": clips, "partialUpdate": True, "data": [{"id": 3, "clips": new}]})["code"] == 0
    answer = post(server, "entities/upsert", {"collectionName": clips, "data": [{"id": 2, "tags": [7, 8]}], "fieldOps": [{"fieldName": "tags", "op": "ARRAY_APPEND"}]})
    assert answer["code"] == 0 and answer["data"]["upsertIds"] == [2]
    rows = {r["id"]: r for r in post(server, "entities/query", {"collectionName": clips, "filter": "id > 0"})["data"]}
    assert rows[1]["clips"] == new and rows[1]["vector"] == [9, 9] and rows[1]["tags"] is None
    assert rows[3]["clips"] == new and rows[3]["vector"] == [3, 0] and rows[3]["tags"] == [3]
    assert rows[2]["tags"] == [2, 7, 8] and rows[2]["clips"] == []
    answer = post(server, "entities/upsert", {"collectionName": clips, "data": [{"id": 2, "tags": [9, 9]}], "fieldOps": [{"fieldName": "tags", "op": "ARRAY_APPEND"}]})
    assert answer["code"] != 0 and "exceeds max_capacity" in answer["message"]
    bad = post(server, "entities/upsert", {"collectionName": clips, "data": [{"id": 1, "vector": [0.0, 0.0], "clips": [{"name": "z", "score": 2}]}]})
    assert bad["code"] == 1804 and "clips[emb]" in bad["message"]


def test_a_struct_is_added_over_rest(server, made):
    schema = {"fieldName": "clips", "dataType": "Array", "elementDataType": "Struct", "nullable": True, "typeParams": {"max_capacity": "4"}, "fields": CLIP_FIELDS}
    assert post(server, "collections/struct_fields/add", {"collectionName": made, "schema": schema})["code"] == 0
    again = post(server, "collections/struct_fields/add", {"collectionName": made, "schema": schema})
    assert again["code"] == 1100 and "duplicated field name clips" in again["message"]
    assert post(server, "entities/query", {"collectionName": made, "filter": "id == 1", "outputFields": ["clips"]})["data"] == [{"id": 1, "clips": None}]
    assert post(server, "collections/fields/add", {"collectionName": made, "schema": {"fieldName": "late", "dataType": "Int64", "nullable": True}})["code"] == 0
    assert post(server, "entities/query", {"collectionName": made, "filter": "late is null", "limit": 2, "outputFields": ["late"]})["data"][0]["late"] is None


def test_a_dropped_collection_is_gone(server, made):
    assert post(server, "collections/drop", {"collectionName": made})["code"] == 0
    assert made not in post(server, "collections/list", {})["data"]


@pytest.mark.parametrize("path, body, code", [
    ("collections/describe", {"collectionName": "no_such_collection"}, 100),
    ("collections/describe", {}, 1802),
    ("entities/query", {"collectionName": "no_such_collection", "filter": "id > 0"}, 100),
    ("collections/list", {"dbName": "no_such_db"}, 800),
])
def test_errors_come_in_the_body_with_milvus_codes(server, path, body, code):
    answer = post(server, path, body)
    assert answer["code"] == code and answer["message"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[1, 2", b"\xff\xfe", b'"text"', b"{" * 5000])
def test_a_body_that_is_not_json_is_refused(server, raw):
    assert post(server, "collections/list", None, raw=raw)["code"] == 1801


def test_an_unknown_route_is_404(server):
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(server, "nothing/here", {})
    assert caught.value.code == 404


@pytest.mark.parametrize("path", ["healthz", "livez"])
def test_health(server, path):
    status, text = get(f"{server.metrics_uri}/{path}")
    assert status == 200 and "OK" in text.upper()


def test_metrics_are_prometheus_text_and_count_requests(server, client, made):
    def searches():
        lines = get(f"{server.metrics_uri}/metrics")[1].splitlines()
        samples = [line for line in lines if line and not line.startswith("#")]
        assert samples and all(len(line.rsplit(" ", 1)) == 2 and float(line.rsplit(" ", 1)[1]) is not None for line in samples)
        return sum(float(s.rsplit(" ", 1)[1]) for s in samples if "Search" in s and ("count" in s or "total" in s) and "bucket" not in s)

    before = searches()
    client.search(made, [VECTORS[0].tolist()])
    assert searches() > before


@pytest.mark.parametrize("garbage", [b"\x00" * 64, b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff", b"P", bytes(range(256)) * 40])
def test_garbage_on_the_port_hurts_nobody(server, client, garbage):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as s:
        s.sendall(garbage)
        client.list_collections()
    client.list_collections()


def test_a_client_that_hangs_half_way_does_not_hold_up_others(server, client):
    held = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(50)]
    try:
        for n, s in enumerate(held):
            s.sendall(b"POST /v2/vectordb/collections/list HTTP/1.1\r\nContent-Length: 100\r\n\r\n{" if n % 2 else b"P")
        for _ in range(5):
            client.list_collections()
            assert post(server, "collections/list", {})["code"] == 0
    finally:
        for s in held:
            s.close()
