"""What a read must have seen, from two clients and under load."""
import threading

import pytest
from pymilvus import MilvusClient

from e2e.schemas import DIM, make, simple_schema
from harness import reference

VECTORS = reference.vectors(1000, DIM)
pytestmark = pytest.mark.not_lite("one process, no levels")


def rows(ids, **fields):
    return [{"id": i, "vector": VECTORS[i % 1000].tolist(), **fields} for i in ids]


def test_a_strong_read_of_another_client_sees_every_acknowledged_row(client, uri, name):
    make(client, name, simple_schema())
    other = MilvusClient(uri)
    for i in range(50):
        client.insert(name, rows([i]))
        assert len(other.query(name, filter=f"id == {i}", consistency_level="Strong")) == 1
        client.delete(name, ids=[i])
        assert other.query(name, filter=f"id == {i}", consistency_level="Strong") == []


def test_a_session_sees_its_own_writes(client, name):
    make(client, name, simple_schema())
    for i in range(50):
        client.insert(name, rows([i]))
        assert len(client.query(name, filter=f"id == {i}", consistency_level="Session")) == 1


@pytest.mark.parametrize("level", ["Bounded", "Eventually"])
def test_a_weaker_level_answers_and_never_mixes(client, name, level):
    make(client, name, simple_schema(), consistency_level=level)
    client.insert(name, rows(range(100)))
    got = [r["id"] for r in client.query(name, filter="id >= 0", output_fields=["id"])]
    assert got in ([], list(range(100))), "one insert is seen whole or not at all"


def test_an_upsert_is_seen_before_or_after_and_never_between(client, uri, name):
    """While one writer moves a row from value to value, a reader finds the row exactly once, and never goes back."""
    make(client, name, simple_schema(dynamic=True), consistency_level="Strong")
    client.insert(name, rows([1], v=0))
    stop, problems = threading.Event(), []

    def read():
        own, last = MilvusClient(uri), 0
        while not stop.is_set():
            found = own.query(name, filter="id == 1", output_fields=["v"], consistency_level="Strong")
            if len(found) != 1 or found[0]["v"] < last:
                problems.append(found)
            else:
                last = found[0]["v"]

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for v in range(1, 200):
        client.upsert(name, rows([1], v=v))
        if v % 50 == 0:
            client.flush(name)
    stop.set()
    for reader in readers:
        reader.join()
    assert problems == []


def test_writers_side_by_side_lose_nothing(client, uri, name):
    make(client, name, simple_schema(), consistency_level="Strong")

    def write(worker):
        own = MilvusClient(uri)
        for n in range(20):
            own.insert(name, rows(range(worker * 1000 + n * 10, worker * 1000 + n * 10 + 10)))

    workers = [threading.Thread(target=write, args=(w,)) for w in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert client.query(name, filter="", output_fields=["count(*)"])[0]["count(*)"] == 800
    assert [r["id"] for r in client.query(name, filter="id >= 0", output_fields=["id"])] == [w * 1000 + i for w in range(4) for i in range(200)]
