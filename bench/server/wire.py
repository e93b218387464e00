"""Requests as the bytes that pymilvus makes, sent again by bench/replay; recall out of the replies."""
import json
import logging
import struct
import subprocess
import time
from pathlib import Path
from typing import Callable, Iterable, List, NamedTuple

import numpy as np
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2

ROOT = Path(__file__).resolve().parents[2]
REPLAY = ROOT / "build" / "release" / "bench" / "replay" / "replay"
COLLECTION = "glove"


class Searches(NamedTuple):
    qps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float         # of the server, a query
    client_cpu_us: float  # of the client, a query
    recall: float
    short: int            # answers with fewer hits than there are


class _Caught(Exception):
    pass


def connect(uri: str) -> MilvusClient:
    """A client with a connection of its own: shared ones outlive the server they were made for."""
    return MilvusClient(uri, dedicated=True)


def options(k: int, ef: int, text: str = "", fields=()) -> dict:
    """A search's arguments for MilvusClient.search."""
    return dict(limit=k, filter=text, output_fields=list(fields), consistency_level="Bounded", search_params={"metric_type": "COSINE", "params": {"ef": ef}})


def _catch(uri: str, method: str, calls: Iterable[Callable[[MilvusClient], object]], path: Path) -> None:
    """Writes the requests that pymilvus would send for each call, by catching them at the stub; nothing is sent."""
    client, requests = connect(uri), []

    def catch(request, **_):
        requests.append(request.SerializeToString())
        raise _Caught

    client.describe_collection(COLLECTION)
    logger = logging.getLogger("pymilvus")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)  # it reports each caught request as a failure
    setattr(client._get_connection()._stub, method, catch)
    for number, call in enumerate(calls, 1):
        try:
            call(client)
        except Exception:
            if len(requests) != number:
                raise
    logger.setLevel(level)
    client.close()
    path.write_bytes(b"".join(struct.pack("<I", len(r)) + r for r in requests))


def record_searches(uri: str, queries: np.ndarray, arguments: dict, path: Path) -> None:
    _catch(uri, "Search", (lambda client, q=q: client.search(COLLECTION, [q], **arguments) for q in queries.tolist()), path)


def record_inserts(uri: str, batches: Iterable[List[dict]], path: Path) -> None:
    _catch(uri, "Insert", (lambda client, b=b: client.insert(COLLECTION, b) for b in batches), path)


def _messages(path: Path) -> List[bytes]:
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        size, = struct.unpack_from("<I", data, at)
        found.append(data[at + 4:at + 4 + size])
        at += 4 + size
    return found


def _is_right(reply: bytes, row: int) -> bool:
    return bool(reply) and list(milvus_pb2.SearchResults.FromString(reply).results.ids.int_id.data)[:1] == [row]


def until_right(server, request: Path, row: int, timeout: float) -> None:
    """Sends a recorded search again and again until its first hit is the row."""
    asked, = _messages(request)
    began = time.monotonic()
    while not _is_right(server.answers("Search", asked), row):
        if time.monotonic() - began > timeout:
            raise RuntimeError(f"{server.name} gave no right answer within {timeout} s")
        time.sleep(0.002)


def _ids(reply: bytes) -> List[int]:
    answer = milvus_pb2.SearchResults.FromString(reply)
    if not reply or answer.status.error_code or answer.status.code:
        raise RuntimeError(f"a search failed: {answer.status.reason or 'no reply'}")
    return list(answer.results.ids.int_id.data)


def replay(server, method: str, requests: Path, clients: int, seconds: float) -> dict:
    """What bench/replay measured, as it prints it."""
    command = [REPLAY, "--port", server.port, "--path", f"/milvus.proto.milvus.MilvusService/{method}", "--requests", requests,
               "--replies", requests.with_suffix(".replies"), "--clients", clients, "--seconds", seconds, "--server", server.process.pid]
    measured = json.loads(subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout)
    if measured["failed"]:
        raise RuntimeError(f"{server.name}: {measured['failed']} of {measured['calls']} calls failed")
    return measured


def search(server, requests: Path, expected: np.ndarray, clients: int, seconds: float) -> Searches:
    """Sends the recorded searches again; `expected` has the k right ids of each."""
    measured = replay(server, "Search", requests, clients, seconds)
    answers = [_ids(reply) for reply in _messages(requests.with_suffix(".replies"))]
    hits = sum(len(set(got) & set(want.tolist())) for got, want in zip(answers, expected))
    short = sum(len(got) < len(want) for got, want in zip(answers, expected))
    return Searches(measured["qps"], measured["p50_ms"], measured["p99_ms"], measured["server_cpu_us"], measured["client_cpu_us"], hits / expected.size, short)


def insert(server, requests: Path) -> int:
    """Sends the recorded inserts, one after the other; the number of rows that the server says it took."""
    replay(server, "Insert", requests, 1, 0)
    rows = 0
    for reply in map(milvus_pb2.MutationResult.FromString, _messages(requests.with_suffix(".replies"))):
        if reply.status.error_code or reply.status.code:
            raise RuntimeError(f"{server.name}: an insert failed: {reply.status.reason}")
        rows += reply.insert_cnt
    return rows
