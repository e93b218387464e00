"""Schemas that several files use, the one way a test makes a collection, and the wait for its index."""
import time

from pymilvus import DataType, MilvusClient

DIM = 8

# one of each scalar type of the contract: name, type, extra arguments
SCALARS = [
    ("flag", DataType.BOOL, {}),
    ("tiny", DataType.INT8, {}),
    ("small", DataType.INT16, {}),
    ("medium", DataType.INT32, {}),
    ("large", DataType.INT64, {}),
    ("single", DataType.FLOAT, {}),
    ("double_", DataType.DOUBLE, {}),
    ("text", DataType.VARCHAR, {"max_length": 64}),
    ("doc", DataType.JSON, {}),
]


def every_type_schema(**more):
    schema = MilvusClient.create_schema(**{"auto_id": False, "enable_dynamic_field": False, **more})
    schema.add_field("id", DataType.INT64, is_primary=True)
    for name, kind, extra in SCALARS:
        schema.add_field(name, kind, **extra)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    return schema


def every_type_row(n: int, vector) -> dict:
    return {
        "id": n,
        "flag": n % 2 == 0,
        "tiny": n % 256 - 128,
        "small": n * 7 % 65536 - 32768,
        "medium": n * 1000003 % 2**32 - 2**31,
        "large": n * 1000000007 - 2**40,
        "single": n / 4,
        "double_": n / 3,
        "text": f"text {n} äöü 漢字"[: 40],
        "doc": {"n": n, "even": n % 2 == 0, "name": f"d{n}", "list": [n, n + 1], "deep": {"k": n % 5}},
        "vector": [float(x) for x in vector],
    }


def make(client, name, schema, metric="L2", index="FLAT", params=None, fields=("vector",), load=True, **more):
    """Creates, indexes and loads a collection with one index kind on the given vector fields."""
    if not load:
        client.create_collection(name, schema=schema, **more)
        return
    indexes = client.prepare_index_params()
    for field in fields:
        indexes.add_index(field, index_type=index, metric_type=metric, params=params or {})
    client.create_collection(name, schema=schema, index_params=indexes, **more)


def simple_schema(dim=DIM, dynamic=False, **pk):
    schema = MilvusClient.create_schema(auto_id=pk.pop("auto_id", False), enable_dynamic_field=dynamic)
    schema.add_field("id", pk.pop("pk_type", DataType.INT64), is_primary=True, **pk)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dim)
    return schema


def wait_for_index(client, name, index="vector", seconds=120):
    """Until all flushed rows have their index: a search before that is exact whatever the type."""
    for _ in range(20 * seconds):
        about = client.describe_index(name, index)
        if about["state"] == "Finished" and about["pending_index_rows"] == 0:
            return about
        time.sleep(0.05)
    raise AssertionError(about)
