"""bloom_match and roaring_match: sets that a client builds and sends as bytes, beside the same sets as lists."""
import random

import pytest
from pymilvus import DataType
from pymilvus.exceptions import MilvusException

from e2e.membership import bloom, roaring, xxh64
from e2e.schemas import DIM, make, simple_schema
from harness import reference

ROWS = 600
VECTORS = reference.vectors(ROWS, DIM)
RANDOM = random.Random(11)
OWNERS = [RANDOM.randrange(-2**63, 2**63) for _ in range(60)]
DATA = [{
    "id": i,
    "vector": VECTORS[i].tolist(),
    "tiny": i % 256 - 128,
    "owner": None if i % 7 == 0 else OWNERS[i % len(OWNERS)],
    "name": f"user-{i % 50} äöü",
    "doc": [{"by": OWNERS[i % len(OWNERS)]}, {"by": f"user-{i % 50} äöü"}, {"by": 5.0}, {"by": None}, {}][i % 5],
    "dyn": i % 40,
} for i in range(ROWS)]
MEMBERS = OWNERS[:25]
NAMES = [f"user-{i} äöü" for i in range(0, 50, 3)]


def make_filled(client, name):
    schema = simple_schema(dynamic=True)
    schema.add_field("tiny", DataType.INT8)
    schema.add_field("owner", DataType.INT64, nullable=True)
    schema.add_field("name", DataType.VARCHAR, max_length=64)
    schema.add_field("doc", DataType.JSON)
    make(client, name, schema, consistency_level="Strong")
    client.insert(name, DATA)


@pytest.fixture(scope="module", params=["growing", "sealed"])
def filled(request, client, module_name):
    if request.param == "growing":
        make_filled(client, module_name)
    else:
        client.flush(module_name)
    return module_name


def ids(client, name, text, **values):
    return sorted(row["id"] for row in client.query(name, filter=text, filter_params=values, output_fields=["id"]))


def test_the_hash_is_the_published_one():
    assert xxh64(b"") == 0xEF46DB3751D8E999
    assert xxh64(b"a") == 0xD24EC4F1A98C6E5B


@pytest.mark.not_lite("no bytes in templates")
@pytest.mark.parametrize("text, match", [
    ("roaring_match(owner, {numbers})", lambda r: r["owner"] in MEMBERS),
    ("not roaring_match(owner, {numbers})", lambda r: r["owner"] is not None and r["owner"] not in MEMBERS),
    ("roaring_match(tiny, {few})", lambda r: r["tiny"] in (-128, -1, 0, 127)),
    ("roaring_match(id, {few}) or name == 'user-1 äöü'", lambda r: r["id"] in (0, 127) or r["id"] % 50 == 1),
    ("bloom_match(owner, {numbers_bloom})", lambda r: r["owner"] in MEMBERS),
    ("not bloom_match(owner, {numbers_bloom})", lambda r: r["owner"] is not None and r["owner"] not in MEMBERS),
    ("bloom_match(name, {names_bloom}) and id < 300", lambda r: r["name"] in NAMES and r["id"] < 300),
    ("bloom_match(doc['by'], {numbers_bloom})", lambda r: r["doc"].get("by") in MEMBERS),
    ("bloom_match(doc['by'], {names_bloom})", lambda r: r["doc"].get("by") in NAMES),
    ("not bloom_match(doc['by'], {names_bloom})", lambda r: r["doc"].get("by") is not None and r["doc"]["by"] not in NAMES),
    ("bloom_match(dyn, {few_bloom})", lambda r: r["dyn"] in (0, 127)),
    ("bloom_match(owner, {nothing})", lambda r: False),
])
def test_members_are_found_under_either_polarity(client, filled, text, match):
    values = {"numbers": roaring(MEMBERS), "few": roaring([-128, -1, 0, 127]), "numbers_bloom": bloom(MEMBERS), "names_bloom": bloom(NAMES),
              "few_bloom": bloom([-128, -1, 0, 127]), "nothing": bloom([], 1)}
    wanted = [r["id"] for r in DATA if match(r)]
    used = {name: value for name, value in values.items() if "{" + name + "}" in text}
    assert ids(client, filled, text, **used) == wanted
    got = client.query(filled, filter=text, filter_params=used, output_fields=["count(*)"])
    assert got[0]["count(*)"] == len(wanted)


@pytest.mark.not_lite("no bytes in templates")
def test_a_search_stays_within_a_set(client, filled):
    hits = client.search(filled, [VECTORS[5].tolist()], limit=20, filter="roaring_match(owner, {set})", filter_params={"set": roaring(MEMBERS)},
                         output_fields=["owner"])
    nearest = reference.nearest("L2", VECTORS[5:6], VECTORS, ROWS)[0]
    wanted = [i for i, _ in nearest if DATA[i]["owner"] in MEMBERS][:20]
    assert [hit["id"] for hit in hits[0]] == wanted


@pytest.mark.not_lite("no bytes in templates")
@pytest.mark.parametrize("text, values, what", [
    ("bloom_match(owner)", {}, r"bloom_match requires exactly 2 arguments: bloom_match\(field, \{blob\}\), got 1"),
    ("bloom_match(owner, [1])", {}, r"the second argument of bloom_match must be a \{template\} placeholder carrying a client pre-built filter blob"),
    ("bloom_match(owner, {s})", {"s": bloom(["a"])}, "was built from the utf8 value domain but field .Int64. requires the int64 domain"),
    ("bloom_match(owner, {s})", {"s": 5}, r"the value of bloom_match template variable \{s\} must be a client pre-built filter blob \(bytes\)"),
    ("bloom_match(vector, {s})", {"s": bloom([1])}, "bloom_match only supports INT8/INT16/INT32/INT64/VARCHAR fields and JSON paths"),
    ("roaring_match(name, {s})", {"s": roaring([1])}, "roaring_match only supports INT8/INT16/INT32/INT64 fields"),
    ("roaring_match(owner, {s})", {"s": roaring([1])[:-1]}, "roaring_match bitmap blob is invalid: roaring bitmap body length 33 does not match header value 34|"
     "body length"),
    ("owner == {s}", {"s": b"abc"}, "a bytes template value can only be used as the bloom_match or roaring_match filter argument"),
])
def test_a_wrong_set_is_refused_with_the_reason(client, filled, text, values, what):
    with pytest.raises(MilvusException, match=what) as caught:
        client.query(filled, filter=text, filter_params=values, limit=5)
    assert caught.value.code == 1100
    assert "failed to create query plan: cannot parse expression: " + text in caught.value.message


@pytest.mark.not_lite("no bytes in templates")
def test_only_an_exact_set_may_say_what_is_deleted(client, name):
    make_filled(client, name)
    with pytest.raises(MilvusException, match="bloom_match is approximate and cannot be used in delete expressions") as caught:
        client.delete(name, filter="bloom_match(owner, {set})", filter_params={"set": bloom(MEMBERS)})
    assert caught.value.code == 1100
    gone = client.delete(name, filter="roaring_match(owner, {set})", filter_params={"set": roaring(MEMBERS)})
    wanted = [r["id"] for r in DATA if r["owner"] in MEMBERS]
    assert gone["delete_count"] == len(wanted)
    assert ids(client, name, "id >= 0") == [r["id"] for r in DATA if r["id"] not in wanted]
