"""The filter language against Python, on every column type, before and after a flush."""
import pytest
from pymilvus import DataType
from pymilvus.exceptions import MilvusException

from e2e.schemas import DIM, make, simple_schema
from harness import reference

ROWS = 200
VECTORS = reference.vectors(ROWS, DIM)


def row(i: int) -> dict:
    return {
        "id": i,
        "vector": VECTORS[i].tolist(),
        "flag": i % 2 == 0,
        "tiny": i % 100 - 50,
        "n": i * 10,
        "f": i / 4,
        "d": None if i % 9 == 0 else i / 3,
        "t": ["alpha", "beta", "gam_ma", "50%", "x'y"][i % 5] + str(i),
        "doc": {"a": i, "s": f"s{i % 7}", "deep": {"k": [i, i + 1], "b": i % 3 == 0}, **({"rare": 1.5} if i % 10 == 0 else {})},
        "dyn": i % 13,
    }


DATA = [row(i) for i in range(ROWS)]


@pytest.fixture(scope="module", params=["growing", "sealed"])
def filled(request, client, module_name):
    if request.param == "growing":
        schema = simple_schema(dynamic=True)
        for field, kind, more in (("flag", DataType.BOOL, {}), ("tiny", DataType.INT8, {}), ("n", DataType.INT64, {}), ("f", DataType.FLOAT, {}),
                                  ("d", DataType.DOUBLE, {"nullable": True}), ("t", DataType.VARCHAR, {"max_length": 32}), ("doc", DataType.JSON, {})):
            schema.add_field(field, kind, **more)
        make(client, module_name, schema, consistency_level="Strong")
        client.insert(module_name, DATA)
    else:
        client.flush(module_name)
    return module_name


CASES = [
    # comparison, every type
    ("flag == true", lambda r: r["flag"]),
    ("flag != true", lambda r: not r["flag"]),
    ("tiny < -40", lambda r: r["tiny"] < -40),
    ("tiny >= 49", lambda r: r["tiny"] >= 49),
    ("tiny < 1000", lambda r: True),
    ("n == 500", lambda r: r["n"] == 500),
    ("n != 500", lambda r: r["n"] != 500),
    ("500 < n", lambda r: r["n"] > 500),
    ("f == 2.5", lambda r: r["f"] == 2.5),
    ("f > 10", lambda r: r["f"] > 10),
    ("d <= 1.0", lambda r: r["d"] is not None and r["d"] <= 1.0),
    ('t == "alpha0"', lambda r: r["t"] == "alpha0"),
    ("t == 'beta1'", lambda r: r["t"] == "beta1"),
    ('t > "beta"', lambda r: r["t"] > "beta"),
    ('t == "x\'y4"', lambda r: r["t"] == "x'y4"),
    ("n == 0x64", lambda r: r["n"] == 100),
    # ranges
    ("100 < n <= 300", lambda r: 100 < r["n"] <= 300),
    ("300 >= n > 100", lambda r: 100 < r["n"] <= 300),
    ('"a" <= t < "b"', lambda r: "a" <= r["t"] < "b"),
    # two columns
    ("tiny < n", lambda r: r["tiny"] < r["n"]),
    ("f > n", lambda r: r["f"] > r["n"]),
    # in
    ("n in [10, 20, 35, 1990]", lambda r: r["n"] in (10, 20, 35, 1990)),
    ("n not in [10, 20]", lambda r: r["n"] not in (10, 20)),
    ("n in []", lambda r: False),
    ('t in ["alpha5", "beta6", "nope"]', lambda r: r["t"] in ("alpha5", "beta6")),
    ("flag in [false]", lambda r: not r["flag"]),
    # like
    ('t like "alpha%"', lambda r: r["t"].startswith("alpha")),
    ('t like "%9"', lambda r: r["t"].endswith("9")),
    ('t like "%a1%"', lambda r: "a1" in r["t"]),
    ('t like "beta_"', lambda r: r["t"].startswith("beta") and len(r["t"]) == 5),
    ('t like "50\\\\%%"', lambda r: r["t"].startswith("50%")),
    ('t like "gam\\\\_%"', lambda r: r["t"].startswith("gam_")),
    ('not (t like "alpha%")', lambda r: not r["t"].startswith("alpha")),
    # arithmetic
    ("n + 5 == 105", lambda r: r["n"] + 5 == 105),
    ("n - 5 > 1900", lambda r: r["n"] - 5 > 1900),
    ("n * 2 == 200", lambda r: r["n"] * 2 == 200),
    ("n / 3 == 33", lambda r: r["n"] // 3 == 33),
    ("n % 70 == 0", lambda r: r["n"] % 70 == 0),
    ("f * 4 >= 190", lambda r: r["f"] * 4 >= 190),
    ("n == 2 ** 2 * 25", lambda r: r["n"] == 100),
    ("n == 10 + 2 * 20", lambda r: r["n"] == 50),
    # and, or, not
    ("flag == true and n > 1000", lambda r: r["flag"] and r["n"] > 1000),
    ("flag == true && n > 1000 || t == 'beta1'", lambda r: r["flag"] and r["n"] > 1000 or r["t"] == "beta1"),
    ("n < 50 or n > 1950 and flag == true", lambda r: r["n"] < 50 or r["n"] > 1950 and r["flag"]),
    ("(n < 50 or n > 1950) and flag == true", lambda r: (r["n"] < 50 or r["n"] > 1950) and r["flag"]),
    ("not (n < 1000)", lambda r: not r["n"] < 1000),
    ("!(n < 1000)", lambda r: not r["n"] < 1000),
    ("not (n < 1000 and flag == true)", lambda r: not (r["n"] < 1000 and r["flag"])),
    ("n >= 0 and true", lambda r: True),
    ("true", lambda r: True),
    ("false", lambda r: False),
    # null
    ("d is null", lambda r: r["d"] is None),
    ("d is not null", lambda r: r["d"] is not None),
    ("d > 10 or d is null", lambda r: r["d"] is None or r["d"] > 10),
    ("not (d > 10)", lambda r: r["d"] is not None and not r["d"] > 10),
    ("d != 5.0", lambda r: r["d"] is not None and r["d"] != 5.0),
    ("d in [1.0, 2.0]", lambda r: r["d"] in (1.0, 2.0)),
    ("d not in [1.0, 2.0]", lambda r: r["d"] is not None and r["d"] not in (1.0, 2.0)),
    ("d > 10 and flag == true", lambda r: r["d"] is not None and r["d"] > 10 and r["flag"]),
    # JSON
    ('doc["a"] < 20', lambda r: r["doc"]["a"] < 20),
    ("doc['a'] == 7", lambda r: r["doc"]["a"] == 7),
    ('doc["a"] == 7.0', lambda r: r["doc"]["a"] == 7),
    ('doc["s"] == "s3"', lambda r: r["doc"]["s"] == "s3"),
    ('doc["s"] in ["s1", "s2"]', lambda r: r["doc"]["s"] in ("s1", "s2")),
    ('doc["deep"]["b"] == true', lambda r: r["doc"]["deep"]["b"]),
    ('doc["deep"]["k"][1] == 10', lambda r: r["doc"]["deep"]["k"][1] == 10),
    ('doc["s"] like "s%"', lambda r: True),
    ('doc["rare"] > 1', lambda r: "rare" in r["doc"]),
    ('not (doc["rare"] > 2)', lambda r: "rare" in r["doc"]),
    ('doc["rare"] != 3', lambda r: "rare" in r["doc"]),
    ('exists doc["rare"]', lambda r: "rare" in r["doc"]),
    ('not exists doc["rare"]', lambda r: "rare" not in r["doc"]),
    ('doc["rare"] is null', lambda r: "rare" not in r["doc"]),
    ('doc["s"] > 3', lambda r: False),
    ('doc["a"] + 1 == 8', lambda r: r["doc"]["a"] == 7),
    ('json_contains(doc["deep"]["k"], 7)', lambda r: 7 in r["doc"]["deep"]["k"]),
    ('json_contains_any(doc["deep"]["k"], [7, 100])', lambda r: {7, 100} & set(r["doc"]["deep"]["k"])),
    ('json_contains_all(doc["deep"]["k"], [7, 8])', lambda r: {7, 8} <= set(r["doc"]["deep"]["k"])),
    # dynamic field
    ("dyn == 5", lambda r: r["dyn"] == 5),
    ('$meta["dyn"] in [1, 2]', lambda r: r["dyn"] in (1, 2)),
    ("no_such_key == 5", lambda r: False),
    # keys
    ("id in [3, 5, 300]", lambda r: r["id"] in (3, 5)),
    ("id > 195", lambda r: r["id"] > 195),
    ("10 <= id < 20 and flag == true", lambda r: 10 <= r["id"] < 20 and r["flag"]),
    # case of keywords
    ("n < 50 OR n > 1950 AND NOT (flag == TRUE)", lambda r: r["n"] < 50 or r["n"] > 1950 and not r["flag"]),
    ("n IN [10, 20]", lambda r: r["n"] in (10, 20)),
    ("d IS NULL", lambda r: r["d"] is None),
]

UNKNOWN_TO_LITE = {"n == 0x64", "100 < n <= 300", "300 >= n > 100", '"a" <= t < "b"', "n / 3 == 33", "n % 70 == 0", "n == 2 ** 2 * 25", "d not in [1.0, 2.0]",
                   'doc["s"] in ["s1", "s2"]', '$meta["dyn"] in [1, 2]', "10 <= id < 20 and flag == true"}


@pytest.mark.parametrize("text, keep", [
    pytest.param(*case, id=case[0], marks=pytest.mark.not_lite("not in its language") if case[0] in UNKNOWN_TO_LITE else ()) for case in CASES])
def test_it_keeps_the_rows_that_python_keeps(client, filled, text, keep):
    got = sorted(r["id"] for r in client.query(filled, filter=text, output_fields=["id"], limit=1000))
    assert got == [r["id"] for r in DATA if keep(r)]


def test_a_long_list_and_a_long_chain(client, filled):
    many = list(range(0, 4000, 7))
    got = sorted(r["id"] for r in client.query(filled, filter=f"n in {many}", output_fields=["id"]))
    assert got == [r["id"] for r in DATA if r["n"] in many]
    chain = " or ".join(f"n == {i * 20}" for i in range(300))
    assert sorted(r["id"] for r in client.query(filled, filter=chain, output_fields=["id"])) == list(range(0, ROWS, 2))


@pytest.mark.not_lite("other texts")
@pytest.mark.parametrize("text, what", [
    ("n >", "cannot parse expression: n >"),
    ("n > > 5", "cannot parse expression: n > > 5"),
    ("(n > 5", r"cannot parse expression: \(n > 5"),
    ("n > 5)", "cannot parse expression"),
    ('t == "open', "cannot parse expression"),
    ("n", "predicate is not a boolean expression: n"),
    ("n + 5", "predicate is not a boolean expression"),
    ("t > 5", "comparisons between VarChar and Int64 are not supported"),
    ("n == 1.5", "cannot cast value to Int64"),
    ('n in ["a"]', r"in list cannot be casted to Int64"),
    ("n in 5", "the right-hand side of 'in' must be a list"),
    ("n like \"a%\"", "like operation on non-string or no-json field is unsupported"),
    ("not n", "not op can only be applied on boolean expression|not can only apply on boolean"),
    ("n and n", "'and' can only be used between boolean expressions|and can only apply on boolean"),
    ("n == {x}", r"the value of expression template variable name \{x\} is not found"),
    ("n / 0 == 1", "division or modulus by zero|divide by zero"),
    ("n == 99999999999999999999", "out of range"),
])
def test_what_does_not_parse_or_bind_is_refused_with_the_reason(client, filled, text, what):
    with pytest.raises(MilvusException, match=what):
        client.query(filled, filter=text, limit=5)
