"""Scalar indexes: built with the sealed segments, described by what is built, and with them every filter keeps the rows that it keeps without."""
import random
import time

import pytest
from pymilvus import DataType

from e2e.schemas import make, simple_schema

ROWS = 3000
RANDOM = random.Random(5)
WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "be", "", "al%", "ab_c"]


def row(i: int) -> dict:
    pick = RANDOM.random
    return {
        "id": i,
        "vector": [pick(), pick(), pick(), pick()],
        "flag": i % 3 == 0,
        "n": RANDOM.randrange(500),
        "price": None if i % 7 == 0 else RANDOM.randrange(1000) / 4,
        "word": None if i % 11 == 0 else RANDOM.choice(WORDS) + (str(i % 40) if i % 2 else ""),
        "unique": f"key-{RANDOM.randrange(10**9)}",
        "numbers": [RANDOM.randrange(20) for _ in range(i % 5)],
        "tags": [RANDOM.choice(WORDS) for _ in range(i % 4)],
        "doc": RANDOM.choice([{"a": i % 50}, {"a": i / 8}, {"a": "x"}, {"a": [1, i % 9, "y"]}, {"b": f"text {i % 17}"}, {}]),
        "dyn": i % 23,
    }


FILTERS = [
    "flag == true", "not (flag == true)", "n == 7", "n != 7", "n in [1, 2, 3, 499, 9999]", "n not in [1, 2]", "100 <= n < 120", "n > 490 or n < 3",
    "price == 10.25", "price < 3", "price != 10.25", "price is null", "not (price < 200)", "price in [1.25, 2.5, 7]",
    "word == 'beta'", "word like 'be%'", "word like '%a1%'", "word like 'al\\\\%%'", "word in ['', 'alpha', 'nowhere']", "word >= 'gamma'",
    "word not in ['alpha']", "not (word like 'a%')", "word like '%ph_2%'",
    "unique like 'key-12%'", "unique like '%777%'", "unique < 'key-2'",
    "array_contains(numbers, 3)", "not array_contains(numbers, 3)", "array_contains_all(numbers, [1, 2])",
    "array_contains_any(tags, ['alpha', 'ab_c'])", "array_contains(tags, 'nowhere')",
    "doc['a'] == 3", "doc['a'] < 2.5", "doc['a'] != 3", "not (doc['a'] == 3)", "doc['a'] == 'x'", "doc['a'] in [1, 2, 3]", "doc['a'] in [1, 'x']",
    "doc['b'] like '%t 1%'", "json_contains(doc['a'], 1)", "exists doc['a']", "dyn == 5", "dyn > 20", "$meta['dyn'] in [1, 2]",
    "n == 7 and word like 'a%'", "n < 5 and price > 100 and flag == true", "(n == 7 or unique like 'key-9%') and flag == false",
]
INDEXES = [
    ("id", "STL_SORT", {}), ("flag", "BITMAP", {}), ("n", "STL_SORT", {}), ("price", "INVERTED", {}), ("word", "TRIE", {}),
    ("unique", "NGRAM", {"min_gram": 2, "max_gram": 3}), ("numbers", "BITMAP", {}), ("tags", "INVERTED", {}),
    ("doc", "INVERTED", {"json_path": "doc['a']", "json_cast_type": "DOUBLE"}),
    ("doc", "NGRAM", {"json_path": "doc['b']", "json_cast_type": "VARCHAR", "min_gram": 2, "max_gram": 4}),
    ("dyn", "AUTOINDEX", {"json_path": "dyn", "json_cast_type": "DOUBLE"}),
]


def answers(client, name):
    """Of each filter: the keys it keeps, their number as count(*) says it, and the first three."""
    found = {}
    for text in FILTERS:
        keys = sorted(r["id"] for r in client.query(name, filter=text, output_fields=["id"]))
        count = client.query(name, filter=text, output_fields=["count(*)"])[0]["count(*)"]
        first = [r["id"] for r in client.query(name, filter=text, output_fields=["id"], limit=3)]
        assert count == len(keys) and first == keys[:3], text
        found[text] = keys
    return found


def wait_built(client, name, indexes):
    end = time.monotonic() + 60
    while True:
        described = {i: client.describe_index(name, i) for i in indexes}
        if all(d["state"] == "Finished" and d["pending_index_rows"] == 0 for d in described.values()):
            return described
        assert time.monotonic() < end, described
        time.sleep(0.05)


@pytest.fixture(scope="module")
def filled(client, module_name):
    schema = simple_schema(dim=4, dynamic=True)
    for field, kind, more in (
        ("flag", DataType.BOOL, {}), ("n", DataType.INT32, {}), ("price", DataType.FLOAT, {"nullable": True}),
        ("word", DataType.VARCHAR, {"max_length": 64, "nullable": True}), ("unique", DataType.VARCHAR, {"max_length": 64}),
        ("numbers", DataType.ARRAY, {"element_type": DataType.INT64, "max_capacity": 8}),
        ("tags", DataType.ARRAY, {"element_type": DataType.VARCHAR, "max_capacity": 8, "max_length": 32}), ("doc", DataType.JSON, {}),
    ):
        schema.add_field(field, kind, **more)
    make(client, module_name, schema, index="FLAT", metric="L2", load=True, consistency_level="Strong")
    data = [row(i) for i in range(ROWS)]
    client.insert(module_name, data)
    return module_name


def test_a_filter_keeps_the_same_rows_growing_sealed_and_indexed(client, filled):
    growing = answers(client, filled)
    assert sum(map(len, growing.values())) > ROWS
    client.flush(filled)
    assert answers(client, filled) == growing

    params = client.prepare_index_params()
    for number, (field, kind, more) in enumerate(INDEXES):
        params.add_index(field, index_type=kind, index_name=f"index_{number}", params=more)
    client.create_index(filled, params)
    described = wait_built(client, filled, [f"index_{n}" for n in range(len(INDEXES))])
    for number, (_, kind, _) in enumerate(INDEXES):
        assert described[f"index_{number}"]["index_type"] == kind
        assert described[f"index_{number}"]["indexed_rows"] == described[f"index_{number}"]["total_rows"] == ROWS
    assert answers(client, filled) == growing

    # what is written afterwards is not in the indexes, and what is deleted is
    client.delete(filled, filter="n == 7 or id < 40")
    client.insert(filled, [row(i) for i in range(ROWS, ROWS + 50)])
    changed = answers(client, filled)
    assert changed["n == 7"] == [i for i in changed["n == 7"] if i >= ROWS] and changed != growing
    client.flush(filled)
    assert answers(client, filled) == changed

    client.release_collection(filled)
    client.load_collection(filled)
    assert answers(client, filled) == changed
    for number in range(len(INDEXES)):
        client.drop_index(filled, f"index_{number}")
    assert answers(client, filled) == changed


def test_a_search_keeps_to_a_filter_that_an_index_answers(client, name):
    schema = simple_schema(dim=4)
    schema.add_field("n", DataType.INT64)
    make(client, name, schema, index="FLAT", metric="L2", load=True, consistency_level="Strong")
    client.insert(name, [{"id": i, "vector": [i, 0, 0, 0], "n": i % 100} for i in range(2000)])
    client.flush(name)
    params = client.prepare_index_params()
    params.add_index("n", index_type="STL_SORT", index_name="by_n")
    client.create_index(name, params)
    wait_built(client, name, ["by_n"])
    hits = client.search(name, [[0.0, 0, 0, 0]], limit=5, filter="n in [3, 50]", output_fields=["n"])[0]
    assert [h["id"] for h in hits] == [3, 50, 103, 150, 203]
