#!/usr/bin/env python3
"""The same random calls to two servers: equal answers, or a line that says where they differ.

    tests/differential/calls.py URI OTHER [--calls N] [--seed S]

URI and OTHER are what MilvusClient takes: http://host:port, or the file of a milvus-lite database (FILE.db). Both get a collection of
the same rows (metrics L2, IP and COSINE on three vector fields with FLAT indexes, so that every search is exact); then searches with
filters, pages, ranges, groups, roundings and several queries, hybrid searches, queries with pages and output fields, counts, gets; now
and then an upsert or a delete goes to both. Rows by key, scores within 1e-4. Prints what differs, then the numbers. Exit 1 when one differs.
"""
import logging
import random
import sys

from pymilvus import AnnSearchRequest, DataType, MilvusException, RRFRanker, WeightedRanker

from servers import begin

NAME = "elanus_differential_calls"
ROWS = 500
DIM = 6
METRICS = {"near": "L2", "along": "IP", "turned": "COSINE"}
FILTERS = ["", "", "n < 40", "g == 3", 'tag in ["red", "blue"]', "n >= 20 and g != 1", "id % 7 == 0", 'tag like "b%"', "n > 1000"]


def row(rng, key):
    vectors = {name: [rng.gauss(0, 1) for _ in range(DIM)] for name in METRICS}
    return {"id": key, **vectors, "n": rng.randrange(100), "g": rng.randrange(8), "tag": rng.choice(["red", "blue", "green", "black"])}


def fill(client, data):
    client.drop_collection(NAME)
    schema = client.create_schema(enable_dynamic_field=True)
    schema.add_field("id", DataType.INT64, is_primary=True)
    index = client.prepare_index_params()
    for name, metric in METRICS.items():
        schema.add_field(name, DataType.FLOAT_VECTOR, dim=DIM)
        index.add_index(name, index_type="FLAT", metric_type=metric)
    schema.add_field("n", DataType.INT64)
    schema.add_field("g", DataType.INT64)
    schema.add_field("tag", DataType.VARCHAR, max_length=20)
    client.create_collection(NAME, schema=schema, index_params=index, consistency_level="Strong")
    client.insert(NAME, data)
    client.load_collection(NAME)


class Calls:
    """Makes calls: a name to count them by, a line to print, a function of the client that answers in a form to compare."""

    def __init__(self, rng):
        self.rng = rng

    def vector(self):
        return [self.rng.gauss(0, 1) for _ in range(DIM)]

    def fields(self):
        return self.rng.choice([["g"], ["n"], ["n", "tag"], ["*"]])

    def hits(self, lists):
        keep = lambda entity: {k: v for k, v in entity.items() if k not in METRICS and k != "id"}
        return [[(hit["id"], hit["distance"], keep(hit["entity"])) for hit in hits] for hits in lists]

    def search(self):
        field = self.rng.choice(list(METRICS))
        args = {"data": [self.vector() for _ in range(self.rng.choice([1, 1, 3]))], "anns_field": field, "limit": self.rng.choice([1, 5, 20, 100]),
                "filter": self.rng.choice(FILTERS), "output_fields": self.fields(), "search_params": {"params": {}}}
        kind = self.rng.choice(["plain", "offset", "range", "group", "round"])
        if kind == "offset":
            args["search_params"]["offset"] = self.rng.choice([1, 7, 50])
        if kind == "range":
            low, high = sorted([self.rng.uniform(-2, 6), self.rng.uniform(-2, 6)])
            near, far = (low, high) if METRICS[field] == "L2" else (high, low)
            args["search_params"]["params"]["radius"] = far
            if self.rng.random() < 0.6:
                args["search_params"]["params"]["range_filter"] = near
        if kind == "group":
            args |= {"group_by_field": self.rng.choice(["g", "tag"]), "limit": self.rng.choice([2, 3, 4]), "group_size": self.rng.choice([1, 2, 3])}
            args["strict_group_size"] = self.rng.random() < 0.5
        if kind == "round":
            args["round_decimal"] = self.rng.choice([0, 2, 4])
        return f"search, {kind}", args, lambda client: self.hits(client.search(NAME, **args))

    def hybrid(self):
        parts = [(field, self.vector(), self.rng.choice([5, 20, 60]), self.rng.choice(FILTERS[:4])) for field in self.rng.sample(list(METRICS), 2)]
        weights = [round(self.rng.uniform(0.1, 1), 2) for _ in parts]
        ranker = self.rng.choice(["rrf", "weighted"])
        limit, fields = self.rng.choice([3, 10, 30]), self.fields()

        def ask(client):
            requests = [AnnSearchRequest([vector], field, {"metric_type": METRICS[field]}, limit=most, expr=text or None) for field, vector, most, text in parts]
            fuse = RRFRanker(60) if ranker == "rrf" else WeightedRanker(*weights)
            return self.hits(client.hybrid_search(NAME, requests, fuse, limit=limit, output_fields=fields))
        return f"hybrid, {ranker}", (parts, weights, limit), ask

    def query(self):
        args = {"filter": self.rng.choice(FILTERS[2:]), "output_fields": ["id", *self.fields()]}
        count = lambda client: client.query(NAME, filter=args["filter"], output_fields=["count(*)"])[0]["count(*)"]
        if self.rng.random() < 0.3:
            return "count", args, count
        # Which rows a page holds is the server's choice: a page is compared by its size and by rows that the filter keeps.
        if self.rng.random() < 0.4:
            page = {"limit": self.rng.choice([1, 10, 200]), "offset": self.rng.choice([0, 3, 60])}
            return "query, a page", args | page, lambda client: len(client.query(NAME, **args, **page))
        bare = lambda row: {k: v for k, v in row.items() if k not in METRICS}
        return "query", args, lambda client: sorted((bare(r) for r in client.query(NAME, **args)), key=lambda r: r["id"])

    def get(self):
        ids = [self.rng.randrange(-5, ROWS + 40) for _ in range(self.rng.randrange(1, 9))]
        return "get", ids, lambda client: sorted((r["id"], r["n"], r["tag"]) for r in client.get(NAME, ids, output_fields=["n", "tag"]))

    def write(self):
        if self.rng.random() < 0.4:
            text = f"id in {[self.rng.randrange(ROWS) for _ in range(3)]}" if self.rng.random() < 0.5 else f"n == {self.rng.randrange(100)} and g == 2"
            return "delete", text, lambda client: client.delete(NAME, filter=text) and None
        data = [row(self.rng, self.rng.randrange(ROWS + 30)) for _ in range(3)]
        data = list({r["id"]: r for r in data}.values())
        return "upsert", [r["id"] for r in data], lambda client: client.upsert(NAME, data)["upsert_count"]

    def one(self):
        return self.rng.choices([self.search, self.hybrid, self.query, self.get, self.write], [10, 4, 5, 2, 1])[0]()


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return abs(a - b) <= 1e-4 * max(1, abs(a))
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    return a == b


def answer(client, ask):
    try:
        return ask(client)
    except MilvusException as error:
        return str(error)


def main() -> int:
    args, clients = begin(__doc__, "calls")
    logging.disable(logging.CRITICAL)
    rng = random.Random(args.seed)
    data = [row(rng, key) for key in range(ROWS)]
    for client in clients:
        fill(client, data)
    calls = Calls(rng)
    table = {}
    for _ in range(args.calls):
        name, text, ask = calls.one()
        one, two = (answer(client, ask) for client in clients)
        refused = [isinstance(a, str) for a in (one, two)]
        result = "refused by both" if all(refused) else "refused by one" if any(refused) else "equal" if same(one, two) else "differ"
        table.setdefault(name, {}).setdefault(result, 0)
        table[name][result] += 1
        if result in ("differ", "refused by one"):
            print(f"{result}: {name} {str(text)[:600]}\n  {str(one)[:300]}\n  {str(two)[:300]}")
    for name, counts in sorted(table.items()):
        print(f"{name}: " + ", ".join(f"{count} {result}" for result, count in sorted(counts.items())))
    return 1 if any("differ" in counts for counts in table.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
