"""Searches sent by pymilvus from several processes at once: QPS, latencies, recall, and the server's CPU meanwhile."""
import multiprocessing
import time
from typing import NamedTuple

import numpy as np

COLLECTION = "glove"


class Searches(NamedTuple):
    qps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float   # of the server, a query
    recall: float
    short: int      # answers with fewer hits than there are


def _client(uri, number, clients, queries, seconds, options, start, results):
    from pymilvus import MilvusClient
    client = MilvusClient(uri)
    mine = [[q] for q in queries[number::clients].tolist()]
    answers, latencies = {}, []
    for q in mine[:5]:
        client.search(COLLECTION, q, **options)
    start.wait()
    began = time.monotonic()
    n = 0
    while time.monotonic() - began < seconds:
        t = time.perf_counter()
        hits = client.search(COLLECTION, mine[n % len(mine)], **options)[0]
        latencies.append(time.perf_counter() - t)
        if n < len(mine):
            answers[number + n * clients] = [h["id"] for h in hits]
        n += 1
    results.put((n, time.monotonic() - began, latencies, answers))


def run(server, queries, expected, clients: int, seconds: float, ef: int, text: str = "", fields=()) -> Searches:
    options = dict(limit=expected.shape[1] if expected.shape[1] < 10 else 10, filter=text, output_fields=list(fields), consistency_level="Bounded",
                   search_params={"metric_type": "COSINE", "params": {"ef": ef}})
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(clients + 1), context.Queue()
    processes = [context.Process(target=_client, args=(server.uri, n, clients, queries, seconds, options, start, results)) for n in range(clients)]
    for process in processes:
        process.start()
    start.wait()
    cpu = server.cpu_seconds()
    answers, latencies, qps, count = {}, [], 0.0, 0
    for _ in processes:
        n, took, one, got = results.get()
        qps += n / took
        count += n
        latencies += one
        answers.update(got)
    cpu = server.cpu_seconds() - cpu
    for process in processes:
        process.join()
    wanted = expected[:, :10]
    hits = sum(len(set(ids) & set(wanted[q].tolist())) for q, ids in answers.items())
    short = sum(len(ids) < wanted.shape[1] for ids in answers.values())
    p50, p99 = np.percentile(np.array(latencies) * 1000, [50, 99])
    return Searches(qps, p50, p99, cpu / count * 1e6, hits / (len(answers) * wanted.shape[1]), short)


def recall_at(client, queries, expected, ef: int) -> float:
    found = 0
    for begin in range(0, len(queries), 100):
        batch = client.search(COLLECTION, queries[begin:begin + 100].tolist(), limit=10, consistency_level="Bounded",
                              search_params={"metric_type": "COSINE", "params": {"ef": ef}})
        found += sum(len({h["id"] for h in hits} & set(want.tolist())) for hits, want in zip(batch, expected[begin:begin + 100, :10]))
    return found / (len(queries) * 10)


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
