"""Rows that do not fit: Milvus' text, nothing half written, and the server goes on."""
import math

import numpy as np
import pytest
from pymilvus import DataType
from pymilvus.exceptions import MilvusException
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from e2e.schemas import make, simple_schema

DIM = 4
pytestmark = pytest.mark.not_lite("other texts")


@pytest.fixture(scope="module")
def collection(client, module_name):
    schema = simple_schema(dim=DIM)
    schema.add_field("tiny", DataType.INT8, nullable=True)
    schema.add_field("f", DataType.FLOAT, nullable=True)
    schema.add_field("t", DataType.VARCHAR, max_length=8, nullable=True)
    schema.add_field("doc", DataType.JSON, nullable=True)
    make(client, module_name, schema, consistency_level="Strong")
    client.insert(module_name, [{"id": 0, "vector": [0.0] * DIM}])
    return module_name


@pytest.fixture
def made(client, collection):
    yield collection
    assert client.query(collection, filter="", output_fields=["count(*)"])[0]["count(*)"] == 1, "nothing of a refused request was written"


def good(i, **more):
    return {"id": i, "vector": [1.0] * DIM, **more}


@pytest.mark.parametrize("operation", ["insert", "upsert"])
@pytest.mark.parametrize("bad, text", [
    ({"vector": [1.0] * (DIM - 1)}, r"of float data should divide the dim\(4\)|dim"),
    ({"vector": [1.0] * (DIM * 2)}, r"dim|num_rows"),
    ({"vector": []}, "dim|num_rows|float data"),
    ({"vector": [1.0, math.nan, 0, 0]}, "value 'NaN' is not a number or infinity"),
    ({"vector": [1.0, math.inf, 0, 0]}, r"value '\+?Inf' is not a number or infinity"),
    ({"vector": [1.0, -math.inf, 0, 0]}, "value '-Inf' is not a number or infinity"),
    ({"f": math.nan}, "value 'NaN' is not a number or infinity"),
    ({"tiny": 128}, r"\(128\) out of range: \[-128, 127\]"),
    ({"tiny": -129}, r"\(-129\) out of range: \[-128, 127\]"),
    ({"t": "123456789"}, "length of varchar field t exceeds max length"),
    ({"t": "äöüßä"}, "length of varchar field t exceeds max length"),
    ({"doc": {"a": "x" * 70000}}, r"json field \(doc\) exceeds max length"),
])
def test_a_bad_value_refuses_the_whole_request(client, made, operation, bad, text):
    with pytest.raises(MilvusException, match=text):
        getattr(client, operation)(made, [good(1), {**good(2), **bad}, good(3)])


@pytest.mark.parametrize("bad", [{"tiny": "text"}, {"t": 5}, {"id": "text"}, {"id": None}, {"vector": "text"}, {"vector": None}, {"unknown": 1}])
def test_a_value_of_the_wrong_type_is_refused(client, made, bad):
    with pytest.raises(Exception):
        client.insert(made, [good(1), {**good(2), **bad}])


def test_a_missing_field_is_refused(client, made):
    with pytest.raises(Exception, match="vector"):
        client.insert(made, [{"id": 1}])


def test_into_a_collection_that_is_not_there(client, made):
    with pytest.raises(MilvusException, match="can't find collection|collection not found"):
        client.insert("no_such_collection", [good(1)])
    with pytest.raises(MilvusException, match="can't find collection|collection not found"):
        client.delete("no_such_collection", ids=[1])


# --- requests that pymilvus would not build ---

def raw_insert(server, name, columns, num_rows, method="Insert"):
    import grpc
    request = milvus_pb2.InsertRequest(collection_name=name, fields_data=columns, num_rows=num_rows)
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        reply = channel.unary_unary(f"/milvus.proto.milvus.MilvusService/{method}", request_serializer=lambda m: m.SerializeToString(),
                                    response_deserializer=milvus_pb2.MutationResult.FromString)(request, timeout=10)
    return reply


def column(name, values):
    return schema_pb2.FieldData(type=DataType.INT64, field_name=name, scalars=schema_pb2.ScalarField(long_data=schema_pb2.LongArray(data=values)))


def vector_column(values, dim=DIM, name="vector"):
    return schema_pb2.FieldData(type=DataType.FLOAT_VECTOR, field_name=name,
                                vectors=schema_pb2.VectorField(dim=dim, float_vector=schema_pb2.FloatArray(data=values)))


@pytest.mark.own_server
@pytest.mark.parametrize("columns, num_rows", [
    ([column("id", [1, 2]), vector_column([1.0] * DIM)], 2),
    ([column("id", [1]), vector_column([1.0] * DIM * 2)], 2),
    ([column("id", [1]), vector_column([1.0] * (DIM + 1))], 1),
    ([column("id", [1]), vector_column([1.0] * 8, dim=8)], 1),
    ([column("id", [1]), vector_column([1.0] * DIM, dim=0)], 1),
    ([column("id", [1]), vector_column([1.0] * DIM, dim=-1)], 1),
    ([column("id", [1])], 1),
    ([vector_column([1.0] * DIM)], 1),
    ([column("id", [1]), column("id", [2]), vector_column([1.0] * DIM)], 1),
    ([column("id", [1]), column("nope", [2]), vector_column([1.0] * DIM)], 1),
    ([column("id", []), vector_column([])], 0),
    ([], 0),
    ([], 5),
    ([column("id", [1]), vector_column([1.0] * DIM)], 4000000000),
    ([schema_pb2.FieldData(field_name="id"), vector_column([1.0] * DIM)], 1),
    ([column("id", [1]), schema_pb2.FieldData(type=DataType.FLOAT_VECTOR, field_name="vector")], 1),
    ([column("id", [1]), vector_column([1.0] * DIM),
      schema_pb2.FieldData(type=DataType.INT8, field_name="tiny", valid_data=[True, False], scalars=schema_pb2.ScalarField(int_data=schema_pb2.IntArray(data=[1])))], 1),
    ([column("id", [1]), vector_column([1.0] * DIM),
      schema_pb2.FieldData(type=DataType.INT8, field_name="tiny", valid_data=[True], scalars=schema_pb2.ScalarField(int_data=schema_pb2.IntArray(data=[])))], 1),
    ([column("id", [1]), vector_column([1.0] * DIM),
      schema_pb2.FieldData(type=DataType.VARCHAR, field_name="t", scalars=schema_pb2.ScalarField(string_data=schema_pb2.StringArray(data=["a", "b"])))], 1),
    ([column("id", [1]), vector_column([1.0] * DIM),
      schema_pb2.FieldData(type=DataType.JSON, field_name="doc", scalars=schema_pb2.ScalarField(json_data=schema_pb2.JSONArray(data=[b"{"])))], 1),
])
def test_columns_that_disagree_are_refused(server, made, columns, num_rows):
    for method in ("Insert", "Upsert"):
        reply = raw_insert(server, made, columns, num_rows, method)
        assert reply.HasField("status") and reply.status.code != 0 and reply.status.reason, method


@pytest.mark.own_server
@pytest.mark.parametrize("group", [b"", b"\xff" * 20, common_pb2.PlaceholderGroup().SerializeToString(),
                                   common_pb2.PlaceholderGroup(placeholders=[common_pb2.PlaceholderValue(tag="$0", type=101, values=[b"\0" * 7])]).SerializeToString(),
                                   common_pb2.PlaceholderGroup(placeholders=[common_pb2.PlaceholderValue(tag="$0", type=100, values=[b"\0" * 16])]).SerializeToString(),
                                   common_pb2.PlaceholderGroup(placeholders=[common_pb2.PlaceholderValue(tag="$0", type=101, values=[b"\0" * 16, b"\0" * 12])]).SerializeToString(),
                                   common_pb2.PlaceholderGroup(placeholders=[common_pb2.PlaceholderValue(tag="$0", type=101, values=[np.array([np.nan] * 4, np.float32).tobytes()])]).SerializeToString()])
def test_query_vectors_that_are_none_are_refused(server, made, group):
    import grpc
    request = milvus_pb2.SearchRequest(collection_name=made, placeholder_group=group, nq=1, dsl_type=common_pb2.DslType.BoolExprV1,
                                       search_params=[common_pb2.KeyValuePair(key="topk", value="3")])
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        reply = channel.unary_unary("/milvus.proto.milvus.MilvusService/Search", request_serializer=lambda m: m.SerializeToString(),
                                    response_deserializer=milvus_pb2.SearchResults.FromString)(request, timeout=10)
    assert reply.HasField("status")
    assert reply.status.code != 0 or b"\xc0\x7f" in group, "a NaN query may also find nothing"


def test_a_message_above_the_limit_is_refused_with_the_known_text(client, made):
    rows = [good(i, doc={"a": "x" * 60000}) for i in range(2300)]
    with pytest.raises(Exception, match="message larger than max"):  # gRPC's own error, as with Milvus
        client.insert(made, rows)
