#!/usr/bin/env python3
"""The same random filters to two servers: equal rows, or a line that says where they differ.

    tests/differential/filters.py URI OTHER [--filters N] [--seed S] [--no-nulls]

URI and OTHER are what MilvusClient takes: http://host:port, or the file of a milvus-lite database (FILE.db). Both get a collection
of the same rows; each filter is a query of ids. Prints every filter that one answers otherwise than the other, then
`N equal, N differ, N refused by one, N refused by both`. Exit 1 when one differs. docs/user/differences.md says which is right.
"""
import json
import random
import sys

from pymilvus import DataType, MilvusException

from servers import begin

NAME = "elanus_differential"
ROWS = 400
WORDS = ["", "a", "ab", "abc", "b%", "a_c", "zzz", "中a", "100%", "apple pie"]
DOCUMENTS = [
    {}, {"a": 1, "b": "x", "c": [1, 2, "x", True]}, {"a": 1.0, "b": None, "c": [], "d": {"e": 3}}, {"a": -5, "b": "ab", "d": {"e": "deep"}},
    {"a": "1", "c": [1, 2]}, {"a": True, "b": 2.5, "c": [[1, 2], 3]}, {"b": "abc", "c": ["x", "y"]},
]
INTS = [-128, -7, -1, 0, 1, 2, 3, 5, 100, 127]
REALS = [-1.5, 0.0, 0.5, 1.0, 2.0, 1e10]
NUMBERS = {"i8": INTS, "i16": INTS, "i32": INTS, "i64": [*INTS, 2**53, 2**53 + 1], "f": REALS, "d": REALS}


def rows(rng, nulls):
    def maybe(value):
        return None if nulls and rng.random() < 0.2 else value
    for i in range(ROWS):
        yield {"id": i, "vector": [float(i), 1.0], "flag": maybe(rng.random() < 0.5), **{k: maybe(rng.choice(v)) for k, v in NUMBERS.items()},
               "s": maybe(rng.choice(WORDS)), "j": rng.choice(DOCUMENTS), "ints": maybe([rng.choice(INTS) for _ in range(rng.randrange(4))]),
               "words": maybe([rng.choice(WORDS) for _ in range(rng.randrange(4))]), **{k: v for k, v in rng.choice(DOCUMENTS).items() if k in "ab"}}


def fill(client, data, nulls):
    client.drop_collection(NAME)
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    more = {"nullable": True} if nulls else {}
    schema.add_field("flag", DataType.BOOL, **more)
    for name, kind in zip(NUMBERS, [DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64, DataType.FLOAT, DataType.DOUBLE]):
        schema.add_field(name, kind, **more)
    schema.add_field("s", DataType.VARCHAR, max_length=100, **more)
    schema.add_field("j", DataType.JSON)
    schema.add_field("ints", DataType.ARRAY, element_type=DataType.INT64, max_capacity=10, **more)
    schema.add_field("words", DataType.ARRAY, element_type=DataType.VARCHAR, max_length=100, max_capacity=10, **more)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="L2")
    client.create_collection(NAME, schema=schema, index_params=index, consistency_level="Strong")
    client.insert(NAME, data)
    client.load_collection(NAME)


class Filters:
    def __init__(self, rng, nulls):
        self.rng, self.nulls = rng, nulls

    def of(self, *choices):
        return self.rng.choice(choices)

    def number(self, name):
        return json.dumps(self.rng.choice(NUMBERS.get(name, INTS)))

    def word(self):
        return json.dumps(self.rng.choice(WORDS), ensure_ascii=False)

    def listed(self, make, most=4):
        return "[" + ", ".join(make() for _ in range(self.rng.randrange(1, most))) + "]"

    def path(self):
        return self.of('j["a"]', 'j["b"]', 'j["c"][0]', 'j["d"]["e"]', 'j["zz"]', "a", "b", '$meta["a"]')

    def leaf(self):
        compare = self.of("==", "!=", "<", "<=", ">", ">=")
        name = self.of(*NUMBERS)
        whole = self.of("i8", "i16", "i32", "i64")
        kinds = [
            lambda: f"{name} {compare} {self.number(name)}",
            lambda: f"{self.number(name)} {compare} {name}",
            lambda: f"s {compare} {self.word()}",
            lambda: f"flag {self.of('==', '!=')} {self.of('true', 'false')}",
            lambda: f"{whole} {self.of('in', 'not in')} {self.listed(lambda: self.number(whole))}",
            lambda: f"s {self.of('in', 'not in')} {self.listed(self.word)}",
            lambda: f"{self.of(-9, 0, 1)} {self.of('<', '<=')} {name} {self.of('<', '<=')} {self.of(2, 50, 1000)}",
            lambda: f"s like {self.of('%r', '%r')}" % self.of("a%", "%a", "%b%", "a_c", "ab", "%"),
            lambda: f"{whole} {self.of('+', '-', '*', '/', '%')} {self.of(1, 2, 3, 7)} {compare} {self.of(-3, 0, 1, 2, 10)}",
            lambda: f"{whole} {compare} {self.of('i8', 'i16', 'i32', 'i64')}",
            lambda: f"{self.path()} {compare} {self.of(self.number('i8'), self.word(), '2.5')}",
            lambda: f"{self.path()} in {self.listed(lambda: self.of(self.number('i8'), self.word()))}",
            lambda: f"exists {self.of('j[%r]' % 'a', 'j[%r]' % 'c', 'b')}".replace("'", '"'),
            lambda: f'json_contains(j["c"], {self.of(1, 2, 3, json.dumps("x"))})',
            lambda: f"json_contains_{self.of('all', 'any')}(j[\"c\"], {self.listed(lambda: self.of('1', '2', json.dumps('x')))})",
            lambda: f"array_contains(ints, {self.number('i8')})",
            lambda: f"array_contains_{self.of('all', 'any')}(words, {self.listed(self.word)})",
            lambda: f"array_length(ints) {compare} {self.of(0, 1, 2, 3)}",
            lambda: f"ints[{self.of(0, 1, 2)}] {compare} {self.number('i8')}",
        ]
        if self.nulls:
            kinds.append(lambda: f"{self.of('flag', 's', 'ints', *NUMBERS)} {self.of('is null', 'is not null')}")
        return self.rng.choice(kinds)()

    def tree(self, depth):
        if depth == 0 or self.rng.random() < 0.3:
            return self.leaf()
        if self.rng.random() < 0.2:
            return f"not ({self.tree(depth - 1)})"
        return f"({self.tree(depth - 1)}) {self.of('and', 'or')} ({self.tree(depth - 1)})"


def answer(client, text):
    try:
        return sorted(row["id"] for row in client.query(NAME, filter=text, output_fields=["id"]))
    except MilvusException as error:
        return str(error)


def main() -> int:
    args, clients = begin(__doc__, "filters", ("--no-nulls", "for servers without nullable fields"))
    rng, nulls = random.Random(args.seed), not args.no_nulls
    data = list(rows(rng, nulls))
    for client in clients:
        fill(client, data, nulls)
    made = Filters(rng, nulls)
    equal = differ = by_one = by_both = 0
    for _ in range(args.filters):
        text = made.tree(rng.randrange(3))
        one, two = (answer(client, text) for client in clients)
        refused = isinstance(one, str), isinstance(two, str)
        if all(refused):
            by_both += 1
        elif any(refused):
            by_one += 1
            print(f"refused by {args.uri if refused[0] else args.other}: {text}\n  {(one if refused[0] else two)[:300]}")
        elif one == two:
            equal += 1
        else:
            differ += 1
            only = [sorted(set(a) - set(b))[:5] for a, b in ((one, two), (two, one))]
            print(f"differ: {text}\n  {len(one)} and {len(two)} rows; only the first has {only[0]}, only the second {only[1]}")
    print(f"{equal} equal, {differ} differ, {by_one} refused by one, {by_both} refused by both")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
