"""Merges on request: what is planned, how far it is, what stays as it was."""
import time

import numpy as np
import pytest
from pymilvus import DataType, MilvusException

from e2e.test_http import post
from harness import reference

DIM = 8
VECTORS = reference.vectors(3000, DIM)


def rows(first, count, **more):
    return [{"id": i, "vector": VECTORS[i].tolist(), **more} for i in range(first, first + count)]


def sealed(client, name):
    return sorted(s.segment_id for s in client.list_persistent_segments(name))


def wait(client, job, timeout=60):
    end = time.monotonic() + timeout
    while client.get_compaction_state(job) != "Completed":
        assert time.monotonic() < end, f"job {job} does not end"
        time.sleep(0.05)


def made(client, name, **options):
    client.create_collection(name, dimension=DIM, metric_type="L2", consistency_level="Strong", **options)
    return name


def plans_of(client, job):
    return client.get_compaction_plans(job).plans


def test_segments_become_one_and_rows_stay(client, name):
    made(client, name)
    for first in (0, 1000, 2000):
        client.insert(name, rows(first, 1000))
        client.flush(name)
    client.delete(name, ids=[5, 1005])
    before = client.search(name, [VECTORS[17].tolist()], limit=20)
    job = client.compact(name)
    assert job > 0
    wait(client, job)
    plan, = plans_of(client, job)
    after = sealed(client, name)
    assert len(after) == 1 and plan.targets == after, (plan, after)
    assert plan.sources
    assert plan.trigger_id == job and plan.state.name == "Completed" and plan.compaction_type.name == "MixCompaction"
    assert client.describe_collection(name)["collection_id"] == plan.collection_id
    assert client.query(name, filter="", output_fields=["count(*)"])[0]["count(*)"] == 2998
    assert [r["id"] for r in client.query(name, filter="id in [5, 1005, 6]")] == [6]
    assert [h["id"] for h in client.search(name, [VECTORS[17].tolist()], limit=20)[0]] == [h["id"] for h in before[0]]


def test_a_lone_segment_is_done_at_once(client, name):
    made(client, name)
    client.insert(name, rows(0, 100))
    client.flush(name)
    only = sealed(client, name)
    job = client.compact(name)
    assert job > 0 and client.get_compaction_state(job) == "Completed"
    plan, = plans_of(client, job)
    assert plan.sources == only and plan.targets == only == sealed(client, name)


def test_nothing_to_merge_is_minus_one(client, name):
    made(client, name)
    assert client.compact(name) == -1
    client.insert(name, rows(0, 10))  # not flushed: growing
    assert client.compact(name) == -1
    assert client.compact(name, is_l0=True) == -1
    client.flush(name)
    assert client.compact(name, is_clustering=True) == -1, "there is no clustering key"
    assert client.compact(name, is_l0=True) == -1
    assert client.get_compaction_state(-1) == "Completed"


def test_an_unknown_job_is_completed_as_in_milvus(client):
    assert client.get_compaction_state(12345) == "Completed"
    assert plans_of(client, 12345) == []


def test_clustering_with_a_key(client, name):
    schema = client.create_schema()
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    schema.add_field("age", DataType.INT64, is_clustering_key=True)
    client.create_collection(name, schema=schema)
    for first in (0, 50):
        client.insert(name, rows(first, 50, age=first))
        client.flush(name)
    job = client.compact(name, is_clustering=True)
    assert job > 0
    wait(client, job)
    assert [p.compaction_type.name for p in plans_of(client, job)] == ["ClusteringCompaction"]
    assert len(sealed(client, name)) == 1


def test_partitions_are_merged_apart(client, name):
    made(client, name)
    client.create_partition(name, "other")
    for first in (0, 100):
        client.insert(name, rows(first, 50))
        client.insert(name, rows(first + 50, 50), partition_name="other")
        client.flush(name)
    job = client.compact(name)
    wait(client, job)
    plans = plans_of(client, job)
    assert len(plans) == 2 and len({p.partition_id for p in plans}) == 2
    assert len(sealed(client, name)) == 2
    assert client.query(name, filter="", output_fields=["count(*)"], partition_names=["other"])[0]["count(*)"] == 100


def test_the_target_size(client, name):
    made(client, name)
    for first in (0, 50):
        client.insert(name, rows(first, 50))
        client.flush(name)
    with pytest.raises(MilvusException) as refused:
        client.compact(name, target_size=512)
    assert refused.value.code == 1100
    assert "targetSize 512 MB should be greater than or equal to configMaxSize 1024 MB" in refused.value.message
    job = client.compact(name, target_size=(1 << 63) // (1 << 20))
    assert job > 0
    wait(client, job)
    assert len(sealed(client, name)) == 1


def test_optimize(client, name):
    made(client, name)
    for first in (0, 50):
        client.insert(name, rows(first, 50))
        client.flush(name)
    result = client.optimize(name, timeout=60)
    assert result.status == "success" and result.compaction_id > 0
    assert len(sealed(client, name)) == 1


def test_missing_collections_are_said(client):
    with pytest.raises(MilvusException, match="collection not found") as refused:
        client.compact("there_is_none")
    assert refused.value.code == 100


def test_deletes_while_it_runs_stay_deleted(client, name):
    made(client, name)
    for first in (0, 1000, 2000):
        client.insert(name, rows(first, 1000))
        client.flush(name)
    rng = np.random.default_rng(7)
    gone = set()
    job = client.compact(name)
    while True:
        ended = client.get_compaction_state(job) == "Completed"
        ids = [int(i) for i in rng.integers(0, 3000, 20)]
        client.delete(name, ids=ids)
        gone |= set(ids)
        if ended:
            break
    left = {r["id"] for r in client.query(name, filter="id >= 0", limit=4000)}
    assert left == set(range(3000)) - gone


def test_over_rest(server, client, name):
    if server is None:
        pytest.skip("needs a server of its own")
    made(client, name)
    for first in (0, 50):
        client.insert(name, rows(first, 50))
        client.flush(name)
    job = post(server, "collections/compact", {"collectionName": name})["data"]["compactionID"]
    assert job > 0
    wait(client, job)
    state = post(server, "collections/get_compaction_state", {"jobID": job})["data"]
    assert state == {"compactionID": job, "state": "Completed", "executingPlanNumber": 0, "timeoutPlanNumber": 0, "completedPlanNumber": 1}
    assert post(server, "collections/compact", {"collectionName": "there_is_none"})["code"] == 100
