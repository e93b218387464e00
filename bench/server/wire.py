"""Search requests as the bytes that pymilvus makes, sent again by bench/replay; recall out of the replies."""
import json
import logging
import struct
import subprocess
from pathlib import Path
from typing import List, NamedTuple

import numpy as np
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2

ROOT = Path(__file__).resolve().parents[2]
REPLAY = ROOT / "build" / "release" / "bench" / "replay" / "replay"
METHOD = "/milvus.proto.milvus.MilvusService/Search"
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


def options(k: int, ef: int, text: str = "", fields=()) -> dict:
    """A search's arguments for MilvusClient.search."""
    return dict(limit=k, filter=text, output_fields=list(fields), consistency_level="Bounded", search_params={"metric_type": "COSINE", "params": {"ef": ef}})


def record(uri: str, queries: np.ndarray, arguments: dict, path: Path) -> None:
    """Writes what pymilvus would send for each query, by catching its requests at the stub; nothing is sent."""
    client, requests = MilvusClient(uri), []

    def catch(request, **_):
        requests.append(request.SerializeToString())
        raise _Caught

    client.describe_collection(COLLECTION)
    logger = logging.getLogger("pymilvus")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)  # it reports each caught request as a failure
    client._get_connection()._stub.Search = catch
    for number, query in enumerate(queries.tolist(), 1):
        try:
            client.search(COLLECTION, [query], **arguments)
        except Exception:
            if len(requests) != number:
                raise
    logger.setLevel(level)
    client.close()
    path.write_bytes(b"".join(struct.pack("<I", len(r)) + r for r in requests))


def _messages(path: Path) -> List[bytes]:
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        size, = struct.unpack_from("<I", data, at)
        found.append(data[at + 4:at + 4 + size])
        at += 4 + size
    return found


def _ids(reply: bytes) -> List[int]:
    answer = milvus_pb2.SearchResults.FromString(reply)
    if not reply or answer.status.error_code or answer.status.code:
        raise RuntimeError(f"a search failed: {answer.status.reason or 'no reply'}")
    return list(answer.results.ids.int_id.data)


def replay(server, requests: Path, expected: np.ndarray, clients: int, seconds: float) -> Searches:
    """Sends the requests again; `expected` has the k right ids of each."""
    replies = requests.with_suffix(".replies")
    command = [REPLAY, "--port", server.port, "--path", METHOD, "--requests", requests, "--replies", replies, "--clients", clients, "--seconds", seconds,
               "--server", server.process.pid]
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    measured = json.loads(done.stdout)
    if measured["failed"]:
        raise RuntimeError(f"{server.name}: {measured['failed']} of {measured['calls']} searches failed")
    answers = [_ids(reply) for reply in _messages(replies)]
    hits = sum(len(set(got) & set(want.tolist())) for got, want in zip(answers, expected))
    short = sum(len(got) < len(want) for got, want in zip(answers, expected))
    return Searches(measured["qps"], measured["p50_ms"], measured["p99_ms"], measured["server_cpu_us"], measured["client_cpu_us"], hits / expected.size, short)
