"""Reads of an earlier state: `travel_timestamp`, which clients sent until 2.2 and the wire still has."""

import numpy as np
import pytest
from pymilvus.client.prepare import Prepare
from pymilvus.grpc_gen import milvus_pb2 as milvus

from e2e.schemas import make, simple_schema

pytestmark = pytest.mark.not_lite("no time travel")


@pytest.fixture
def history(client, name):
    """A collection and the time when it had rows 0 to 9; row 3 is deleted since, 4 changed, 10 new, and all of it flushed."""
    make(client, name, simple_schema(dim=2), index="FLAT", metric="L2", consistency_level="Strong")
    client.insert(name, [{"id": i, "vector": [float(i), 0.0]} for i in range(10)])
    then = client._get_connection()._stub.AllocTimestamp(milvus.AllocTimestampRequest()).timestamp
    client.delete(name, ids=[3])
    client.upsert(name, [{"id": 4, "vector": [40.0, 0.0]}])
    client.insert(name, [{"id": 10, "vector": [10.0, 0.0]}])
    client.flush(name)
    return name, then


def query(client, name, at, text="id >= 0"):
    request = milvus.QueryRequest(collection_name=name, expr=text, output_fields=["id"], travel_timestamp=at)
    reply = client._get_connection()._stub.Query(request)
    return reply.status, sorted(reply.fields_data[0].scalars.long_data.data) if reply.fields_data else []


def test_a_query_reads_what_was_there(client, history):
    name, then = history
    assert query(client, name, then)[1] == list(range(10))
    assert query(client, name, 0)[1] == query(client, name, 2**64 - 1)[1] == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert query(client, name, then, "id in [3, 10]")[1] == [3]


def test_a_search_finds_what_was_there(client, history):
    name, then = history
    request = Prepare.search_requests_with_expr(name, "vector", {"metric_type": "L2"}, 3, data=[np.array([3.6, 0.0], dtype=np.float32)])
    assert list(client._get_connection()._stub.Search(request).results.ids.int_id.data) == [5, 2, 6]
    request.travel_timestamp = then
    assert list(client._get_connection()._stub.Search(request).results.ids.int_id.data) == [4, 3, 5]


def test_too_far_back_is_refused(client, history):
    name, then = history
    status, _ = query(client, name, then - (7200 * 1000 << 18))
    assert status.code == 1100
    assert "only support to travel back to 3600s so far, but got 720" in status.reason
