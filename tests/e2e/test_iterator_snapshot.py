"""Iterators over a collection that is written, flushed, merged, indexed and killed meanwhile show exactly the rows of their start.

ELANUS_ITERATOR_ROWS sets the size: 20,000 rows here, 100,000 in `./test crash`.
"""
import os
import threading
import time

import numpy as np
import pytest
from pymilvus import MilvusClient

from e2e.schemas import DIM, make, simple_schema
from harness import reference
from harness.server import free_port

ROWS = int(os.environ.get("ELANUS_ITERATOR_ROWS", "20000"))
EQUAL = ROWS // 10  # rows with one vector: they are equally far from everywhere
BATCH = max(1000, ROWS // 20)
CONFIG = """\
segment:
  growing_bytes: 262144
  flush_age_ms: 100
  small_segments_max: 2
build:
  threads: 1
server:
  log_debug: 1
"""
pytestmark = pytest.mark.own_server


def rows(ids, vectors):
    return [{"id": int(i), "vector": v.tolist()} for i, v in zip(ids, vectors)]


class Disturber(threading.Thread):
    """Inserts, upserts, deletes and flushes until stopped or the server is gone."""

    def __init__(self, client, name, round_):
        super().__init__(daemon=True)
        self.client, self.name, self.round = client, name, round_
        self.random = np.random.default_rng(round_)
        self.stop, self.done, self.failed = threading.Event(), 0, None

    def run(self):
        try:
            while not self.stop.is_set():
                self.step()
                self.done += 1
        except Exception as error:
            self.failed = error

    def finish(self):
        self.stop.set()
        self.join()
        assert self.failed is None, self.failed
        assert self.done > 0

    def step(self):
        n = 200
        fresh = ROWS * (2 + self.round) + self.done * n
        self.client.insert(self.name, rows(range(fresh, fresh + n), self.random.standard_normal((n, DIM)).astype(np.float32)))
        some = self.random.choice(ROWS, n, replace=False)
        self.client.upsert(self.name, rows(some[: n // 2], self.random.standard_normal((n // 2, DIM)).astype(np.float32)))
        self.client.delete(self.name, ids=some[n // 2:].tolist())
        if self.done % 20 == 10:
            self.client.flush(self.name)


@pytest.fixture
def filled(server_factory):
    server = server_factory(config=CONFIG, port=free_port())  # the port stays: a client comes back to it after a restart
    server.start()
    client = MilvusClient(server.uri)
    make(client, "c", simple_schema(), index="HNSW", params={"M": 8, "efConstruction": 40}, consistency_level="Strong")
    vectors = reference.vectors(ROWS, DIM, seed=11)
    vectors[ROWS - EQUAL:] = vectors[0]
    for first in range(0, ROWS, 5000):
        client.insert("c", rows(range(first, min(first + 5000, ROWS)), vectors[first:first + 5000]))
    yield server, client, vectors
    client.close()


def wait_for_jobs(server, seconds=12):
    """Until flush, merge and index build have each ended; on a busy machine, where they run last, not for ever."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        log = server.log_path.read_text(errors="replace")
        if all(f" {job} end" in log for job in ("flush", "merge", "build")):
            return
        time.sleep(0.01)
    assert " flush end" in log


def drain(server, iterator, client):
    """Every row of the iterator, while the collection changes; in the middle the server is killed and started again."""
    disturber = Disturber(client, "c", 0)
    disturber.start()
    found, pages = [], 0
    while page := iterator.next():
        found += page
        pages += 1
        if pages == 7:
            wait_for_jobs(server)
        if pages == 8:
            disturber.finish()  # its client would wait long for a server that is gone; kills under writers are the crash test's
            server.kill()
            server.start()
            disturber = Disturber(client, "c", 1)
            disturber.start()
    iterator.close()
    disturber.finish()
    assert pages > 8, "it was over before the restart"
    return found


def test_a_query_iterator_shows_the_rows_of_its_start(filled):
    server, client, vectors = filled
    iterator = client.query_iterator("c", batch_size=BATCH, output_fields=["id", "vector"])
    found = drain(server, iterator, client)
    assert [r["id"] for r in found] == list(range(ROWS))
    assert (np.array([r["vector"] for r in found], np.float32) == vectors).all(), "a row of another version"


def test_a_search_iterator_shows_the_rows_of_its_start(filled):
    server, client, vectors = filled
    query = reference.vectors(1, DIM, seed=12)
    iterator = client.search_iterator("c", query.tolist(), batch_size=BATCH, search_params={"metric_type": "L2"})
    found = drain(server, iterator, client)
    ids, distances = [h["id"] for h in found], np.array([h["distance"] for h in found])
    assert len(ids) == ROWS and sorted(ids) == list(range(ROWS))
    exact = ((vectors[ids].astype(np.float64) - query[0]) ** 2).sum(axis=1)
    assert np.abs(distances - exact).max() <= 1e-4 * max(1.0, exact.max()), "a row of another version"
    assert (np.diff(distances) >= -1e-5).all()
