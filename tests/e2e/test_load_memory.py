"""Memory of loaded collections: what fits is resident, what does not, or is asked to stay mapped, is read from its file."""
import time
import urllib.request

import numpy as np
import pytest
from pymilvus import MilvusClient

from e2e.schemas import make, simple_schema, wait_for_index
from harness import reference

DIM, ROWS = 64, 6000
VECTORS = reference.vectors(ROWS, DIM)
QUERIES = reference.vectors(20, DIM, seed=99)
RAW = ROWS * DIM * 4

pytestmark = [pytest.mark.own_server, pytest.mark.not_lite("it has no such limit")]


def memory(server, part):
    with urllib.request.urlopen(f"{server.metrics_uri}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f'elanus_memory_bytes{{part="{part}"}}'))


def memory_now(server, part):
    time.sleep(0.3)  # what a scrape reads is up to 0.2 s old
    return memory(server, part)


def started(server_factory, config=""):
    one = server_factory(config=config)
    one.start()
    return one, MilvusClient(one.uri)


def fill(client, name, index, properties=None, params=None):
    make(client, name, simple_schema(dim=DIM), metric="COSINE", index=index, params=params or {}, load=True, consistency_level="Strong")
    if properties:
        client.release_collection(name)
        client.alter_collection_properties(name, properties)
        client.load_collection(name)
    client.insert(name, [{"id": i, "vector": v.tolist()} for i, v in enumerate(VECTORS)])
    client.flush(name)
    wait_for_index(client, name)


def wait_until(true, seconds=30):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


def recall(client, name, **where):
    found = client.search(name, QUERIES.tolist(), limit=10, search_params={}, **where)
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    truth = np.argsort(-(QUERIES @ unit.T), axis=1)[:, :10]
    return np.mean([len({hit["id"] for hit in hits} & set(row.tolist())) / 10 for hits, row in zip(found, truth)])


def test_over_the_limit_vectors_stay_in_their_file_and_autoindex_is_small(server_factory):
    one, client = started(server_factory, f"load.memory_max: {RAW // 2}\n")
    fill(client, "tight", "AUTOINDEX")
    assert client.describe_index("tight", "vector")["chosen_index_type"] == "SCANN"
    assert memory(one, "vectors") == 0
    assert 0 < memory(one, "indexes") <= RAW // 2
    assert recall(client, "tight") >= 0.9
    client.release_collection("tight")
    client.load_collection("tight")
    assert recall(client, "tight") >= 0.9


def test_within_the_limit_all_is_resident(server_factory):
    one, client = started(server_factory, f"load.memory_max: {RAW * 3}\n")
    fill(client, "roomy", "AUTOINDEX")
    assert client.describe_index("roomy", "vector")["chosen_index_type"] == "HNSW"
    assert memory(one, "vectors") >= RAW
    assert recall(client, "roomy") >= 0.9


def test_what_did_not_fit_becomes_resident_when_there_is_room(server_factory):
    one, client = started(server_factory, f"load.memory_max: {RAW * 4}\n")
    fill(client, "first", "HNSW")
    fill(client, "second", "FLAT")
    both = memory(one, "vectors")
    assert both >= 2 * RAW
    fill(client, "third", "IVF_FLAT", params={"nlist": 32})
    assert memory(one, "vectors") < both + RAW  # mapped
    assert recall(client, "third") >= 0.5
    client.release_collection("second")
    wait_until(lambda: memory(one, "vectors") >= both)
    assert recall(client, "third") >= 0.5
    client.load_collection("second")
    assert recall(client, "second") == 1


def test_mmap_enabled_leaves_vectors_and_index_in_their_files(server_factory):
    one, client = started(server_factory)
    fill(client, "asked", "HNSW", properties={"mmap.enabled": "true"})
    assert memory(one, "vectors") == 0
    assert memory(one, "indexes") == 0
    assert recall(client, "asked") >= 0.9


def test_a_load_has_ended_when_all_is_in_memory(server_factory):
    one, client = started(server_factory)
    fill(client, "waited", "HNSW")
    client.create_partition("waited", "more")
    client.insert("waited", [{"id": ROWS + i, "vector": v.tolist()} for i, v in enumerate(VECTORS)], partition_name="more")
    client.flush("waited")
    wait_for_index(client, "waited")
    for _ in range(3):
        client.release_collection("waited")
        wait_until(lambda: memory(one, "vectors") == memory(one, "indexes") == 0)
        assert str(client.get_load_state("waited")["state"]) == "NotLoad"
        client.load_collection("waited")  # asks for the progress until it is 100
        assert str(client.get_load_state("waited")["state"]) == "Loaded"
        assert memory_now(one, "vectors") == 2 * RAW
        assert memory(one, "indexes") > 0
    client.refresh_load("waited")
    client.release_partitions("waited", ["more"])
    wait_until(lambda: memory(one, "vectors") == RAW)
    assert str(client.get_load_state("waited", partition_name="more")["state"]) == "NotLoad"
    assert str(client.get_load_state("waited", partition_name="_default")["state"]) == "Loaded"
    client.load_partitions("waited", ["more"])
    assert memory_now(one, "vectors") == 2 * RAW
    assert recall(client, "waited", partition_names=["_default"]) >= 0.9
