"""The writers: threads that insert, upsert, delete, flush and change the catalogue until the server is gone."""
import random
import threading
from typing import Optional

from pymilvus import DataType, MilvusClient

from ledger import DIM, Catalogue, Ledger, row

COLLECTION = "crash"
WRITES = {"insert", "upsert", "delete", "delete by filter", "DDL insert"}
KEYS_PER_WRITER = 10**9
ROWS_LIVE_MAX = 1200  # a writer: above it deletes come before inserts, so that a check reads every row in little time
ONCE = {"retry_times": 0}  # a retried insert would be a second insert


def schema():
    made = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    made.add_field("id", DataType.INT64, is_primary=True)
    made.add_field("version", DataType.INT64)
    made.add_field("text", DataType.VARCHAR, max_length=64)
    made.add_field("vector", DataType.FLOAT_VECTOR, dim=DIM)
    return made


def index(client):
    made = client.prepare_index_params()
    made.add_index("vector", index_type="HNSW", metric_type="L2", params={"M": 8, "efConstruction": 64})
    return made


class Worker(threading.Thread):
    """Runs steps until told to stop or until the server no longer answers."""

    def __init__(self, client: MilvusClient, seed: int):
        super().__init__(daemon=True)
        self.client, self.random, self.stop = client, random.Random(seed), threading.Event()
        self.busy: Optional[str] = None  # the request under way: what a kill interrupts
        self.failed: Optional[BaseException] = None
        self.refused = 0

    def run(self):
        try:
            while not self.stop.is_set() and self.step():
                pass
        except BaseException as error:  # a bug of this test: the run must not go green over it
            self.failed = error

    def send(self, book, kind: str, call) -> bool:
        """Sends one request that `book` has begun. False when the connection is lost: its fate is then unknown."""
        self.busy = kind
        try:
            call()
            book.acknowledge()
            return True
        except Exception as error:
            if lost(error):
                return False
            self.refused += 1
            self.last_refusal = f"{kind}: {error}"
            book.refuse()
            return True
        finally:
            self.busy = None


def lost(error: Exception) -> bool:
    """True when the server is gone and the request may or may not have been carried out; False when it said no."""
    text = str(error)
    return any(mark in text for mark in ("UNAVAILABLE", "failed to connect", "Connection", "Socket closed", "CANCELLED", "server unavailable",
                                         "closed channel", "DEADLINE_EXCEEDED"))


class Writer(Worker):
    def __init__(self, client, number: int, ledger: Ledger, seed: int):
        super().__init__(client, seed)
        self.number, self.ledger = number, ledger

    def fresh(self, count: int):
        """Keys never used before; the counter lives with the ledger and outlives the server's crashes."""
        start = getattr(self.ledger, "next", self.number * KEYS_PER_WRITER)
        self.ledger.next = start + count
        return range(start, start + count)

    def step(self) -> bool:
        live, chance = self.ledger.live, self.random.random()
        if len(live) > ROWS_LIVE_MAX:
            chance = 0.85
        batch = self.random.choice((1, 1, 10, 50, 200))
        if chance < 0.55 or not live:
            return self.write("insert", {k: 1 for k in self.fresh(batch)})
        some = self.random.sample(sorted(live), min(len(live), batch))
        if chance < 0.75:
            after = {k: live[k] + 1 for k in some[: max(1, len(some) // 2)]}
            after.update({k: 1 for k in self.fresh(batch - len(after))})
            return self.write("upsert", after)
        if chance < 0.95 or len(live) < 20:
            if len(live) > ROWS_LIVE_MAX:
                some = self.random.sample(sorted(live), 400)
            after = {k: None for k in some}
            self.ledger.begin("delete", after)
            return self.send(self.ledger, "delete", lambda: self.client.delete(COLLECTION, ids=list(after), **ONCE))
        keys = sorted(live)
        start = self.random.randrange(len(keys) - 10)
        low, high = keys[start], keys[start + 10]
        self.ledger.begin("delete by filter", {k: None for k in keys[start:start + 10]})
        return self.send(self.ledger, "delete by filter", lambda: self.client.delete(COLLECTION, filter=f"id >= {low} and id < {high}", **ONCE))

    def write(self, kind: str, after: dict) -> bool:
        rows = [row(k, v) for k, v in after.items()]
        self.ledger.begin(kind, after)
        return self.send(self.ledger, kind, lambda: getattr(self.client, kind)(COLLECTION, rows, **ONCE))


class Definer(Worker):
    """DDL: collections made, filled, partitioned, aliased and dropped again, under few names, so that names come back."""

    NAMES = ["ddl_a", "ddl_b", "ddl_c"]

    def __init__(self, client, catalogue: Catalogue, seed: int):
        super().__init__(client, seed)
        self.catalogue = catalogue

    def step(self) -> bool:
        if self.random.random() < 0.3:
            self.busy = "flush"
            try:  # the request alone: the client's wait for its end is not what is tested
                self.client._get_connection().flush([COLLECTION], _async=True, **ONCE)
            except Exception as error:
                return not lost(error)
            finally:
                self.busy = None
            return True
        name = self.random.choice(self.NAMES)
        state = self.catalogue.now.get(name)
        client = self.client
        if state is None:
            return self.ddl("create collection", name, ((("_default",), ()), 0),
                            lambda: client.create_collection(name, schema=schema(), consistency_level="Strong", **ONCE))
        (partitions, aliases), rows = state
        choice = self.random.choice(("drop", "partition", "alias", "insert", "insert"))
        if choice == "drop" and not aliases:
            return self.ddl("drop collection", name, None, lambda: client.drop_collection(name, **ONCE))
        if choice == "partition":
            if "p" in partitions:
                return self.ddl("drop partition", name, (((("_default",)), aliases), rows), lambda: client.drop_partition(name, "p", **ONCE))
            return self.ddl("create partition", name, ((("_default", "p"), aliases), rows), lambda: client.create_partition(name, "p", **ONCE))
        if choice == "alias" or aliases:
            if aliases:
                return self.ddl("drop alias", name, ((partitions, ()), rows), lambda: client.drop_alias(aliases[0], **ONCE))
            alias = f"{name}_alias"
            return self.ddl("create alias", name, ((partitions, (alias,)), rows), lambda: client.create_alias(name, alias, **ONCE))
        data = [row(rows + i, 1) for i in range(10)]
        return self.ddl("insert", name, ((partitions, aliases), rows + 10), lambda: client.insert(name, data, **ONCE))

    def ddl(self, kind: str, name: str, after, call) -> bool:
        self.catalogue.begin(kind, name, after)
        return self.send(self.catalogue, f"DDL {kind}", call)
