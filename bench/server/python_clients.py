"""Searches sent by pymilvus from several processes at once, the way a user meets the server: QPS and latency."""
import multiprocessing
import time
from typing import NamedTuple

import numpy as np

import wire
from wire import COLLECTION


class Searches(NamedTuple):
    qps: float
    p99_ms: float


def _client(uri, number, clients, queries, seconds, arguments, start, results):
    from pymilvus import MilvusClient
    client = MilvusClient(uri)
    mine = [[q] for q in queries[number::clients].tolist()]
    latencies = []
    for q in mine[:5]:
        client.search(COLLECTION, q, **arguments)
    start.wait()
    began = time.monotonic()
    n = 0
    while time.monotonic() - began < seconds:
        t = time.perf_counter()
        client.search(COLLECTION, mine[n % len(mine)], **arguments)
        latencies.append(time.perf_counter() - t)
        n += 1
    results.put((n / (time.monotonic() - began), latencies))


def run(server, queries, clients: int, seconds: float, arguments: dict) -> Searches:
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(clients + 1), context.Queue()
    processes = [context.Process(target=_client, args=(server.uri, n, clients, queries, seconds, arguments, start, results)) for n in range(clients)]
    for process in processes:
        process.start()
    start.wait()
    latencies, qps = [], 0.0
    for _ in processes:
        rate, one = results.get()
        qps += rate
        latencies += one
    for process in processes:
        process.join()
    return Searches(qps, float(np.percentile(np.array(latencies) * 1000, 99)))


def recall_at(client, queries, expected, ef: int) -> float:
    found = 0
    for begin in range(0, len(queries), 100):
        batch = client.search(COLLECTION, queries[begin:begin + 100].tolist(), **wire.options(expected.shape[1], ef))
        found += sum(len({h["id"] for h in hits} & set(want.tolist())) for hits, want in zip(batch, expected[begin:begin + 100]))
    return found / expected.size


def least_ef(client, queries, expected, recall: float) -> int:
    """The smallest ef that reaches the recall, to a fortieth: both servers are then compared at the recall, not at the parameter."""
    low, high = 10, 10
    while recall_at(client, queries, expected, high) < recall and high < 4096:
        low, high = high, high * 2
    while high - low > max(1, high // 40):
        middle = (low + high) // 2
        if recall_at(client, queries, expected, middle) >= recall:
            high = middle
        else:
            low = middle
    return high
