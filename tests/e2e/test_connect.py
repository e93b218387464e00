"""What a client does first, and what it is told about calls that Elanus does not have."""
import re

import grpc
import pytest
from pymilvus import MilvusClient, connections, utility
from pymilvus.exceptions import MilvusException

pytestmark = pytest.mark.not_lite("no gRPC of its own")


def raw(server, method, request=b"", timeout=5, metadata=()):
    """Calls a method by name with request bytes, as a foreign client would."""
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        return channel.unary_unary(f"/milvus.proto.milvus.MilvusService/{method}")(request, timeout=timeout, metadata=metadata)


def test_the_version_is_a_version(client):
    assert re.match(r"v?\d+\.\d+", client.get_server_version())


def test_a_second_client_works_beside_the_first(client, uri):
    other = MilvusClient(uri)
    assert sorted(other.list_collections()) == sorted(client.list_collections())


def test_orm_connects_and_reports_the_version(uri):
    connections.connect("orm_connect", uri=uri)
    try:
        assert re.match(r"v?\d+\.\d+", utility.get_server_version(using="orm_connect"))
    finally:
        connections.disconnect("orm_connect")


@pytest.mark.own_server
def test_an_rpc_that_elanus_does_not_have_answers_unimplemented_with_its_name(server):
    with pytest.raises(grpc.RpcError) as caught:
        raw(server, "ListIndexedSegment")
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "ListIndexedSegment" in caught.value.details()


@pytest.mark.own_server
def test_a_method_nobody_knows_answers_unimplemented(server):
    with pytest.raises(grpc.RpcError) as caught:
        raw(server, "NoSuchMethod")
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.own_server
@pytest.mark.parametrize("method", ["Search", "Insert", "Query", "CreateCollection", "DescribeCollection", "Delete", "Upsert", "Connect"])
@pytest.mark.parametrize("body", [b"\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x00" * 100, b"\x0a\x05abc"])
def test_a_malformed_message_is_an_error_and_not_an_end(server, method, body):
    try:
        raw(server, method, body)
    except grpc.RpcError as error:
        assert error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNIMPLEMENTED)
    assert server.alive()


def test_a_wrong_database_is_named_by_the_first_call(uri):
    with pytest.raises(MilvusException, match=r"database not found\[database=no_such_db\]"):
        MilvusClient(uri, db_name="no_such_db").list_collections()
