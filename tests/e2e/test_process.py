"""The server as a process: start, stop, what it says, and that data outlives it."""
import os
import re
import signal
import subprocess
import time

import pytest
from pymilvus import MilvusClient, MilvusException

from e2e.schemas import DIM, make, simple_schema
from harness import reference
from harness.client import connect
from harness.server import ServerFailed, binary, free_port

pytestmark = pytest.mark.own_server
VECTORS = reference.vectors(500, DIM)


def fill(client, name="c", ids=range(200)):
    make(client, name, simple_schema(dynamic=True), consistency_level="Strong")
    client.insert(name, [{"id": i, "vector": VECTORS[i].tolist(), "v": i} for i in ids])


def ids_of(client, name="c"):
    return [r["id"] for r in client.query(name, filter="id >= 0", output_fields=["id"])]


def test_it_is_ready_quickly_and_says_so(server_factory):
    one = server_factory()
    assert one.start() < 1.0
    says = re.compile(rf"ready address=\S+:{one.port} .*version=\S+ ms=\d+")
    until = time.monotonic() + 10  # the port takes connections a moment before it is said
    while not says.search(one.log_path.read_text()) and time.monotonic() < until:
        time.sleep(0.01)
    assert says.search(one.log_path.read_text())


def test_sigterm_ends_it_with_0_within_5_seconds_under_load(server_factory):
    one = server_factory()
    one.start()
    client = MilvusClient(one.uri)
    fill(client)
    began = time.monotonic()
    assert one.stop(timeout=10) == 0
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("how", ["stop", "kill"])
@pytest.mark.parametrize("flushed", ["nothing", "half", "all"])
def test_rows_are_there_after_a_restart(server_factory, how, flushed):
    one = server_factory()
    one.start()
    client = MilvusClient(one.uri)
    fill(client, ids=range(100))
    if flushed in ("half", "all"):
        client.flush("c")
    client.insert("c", [{"id": i, "vector": VECTORS[i].tolist(), "v": i} for i in range(100, 200)])
    client.delete("c", ids=[5, 150])
    client.upsert("c", [{"id": 7, "vector": VECTORS[300].tolist(), "v": 700}])
    if flushed == "all":
        client.flush("c")
    client.close()
    getattr(one, how)()
    assert one.start() < 5
    client = MilvusClient(one.uri)
    assert str(client.get_load_state("c")["state"]) == "Loaded"
    left = [i for i in range(200) if i not in (5, 150)]
    assert ids_of(client) == left
    assert client.get("c", 7, output_fields=["v"])[0]["v"] == 700
    base = VECTORS.copy()
    base[7] = VECTORS[300]
    reference.assert_exact(client.search("c", VECTORS[:5].tolist(), limit=10), reference.nearest("L2", VECTORS[:5], base, 10, rows=left))


def test_a_client_reaches_a_server_that_comes_back_on_the_port_of_one_that_was_killed(server_factory):
    one = server_factory(port=free_port())
    for _ in range(3):  # calls that fail put the connection into a back-off, which must not outlive its server
        one.start()
        client = connect(one.uri)
        assert client.list_collections() == []
        one.kill()
        until = time.monotonic() + 1
        while time.monotonic() < until:
            with pytest.raises(MilvusException):
                client.list_collections(retry_times=0)
        client.close()


def test_catalogue_is_there_after_a_restart(server_factory):
    one = server_factory()
    one.start()
    client = MilvusClient(one.uri)
    fill(client)
    client.create_partition("c", "p")
    client.create_alias("c", "a")
    client.create_database("d")
    client.create_collection("gone", dimension=4)
    client.drop_collection("gone")
    before = client.describe_collection("c"), client.describe_index("c", "vector")
    client.close()
    one.kill()
    one.start()
    client = MilvusClient(one.uri)
    assert client.list_collections() == ["c"] and sorted(client.list_partitions("c")) == ["_default", "p"]
    assert client.list_aliases("c")["aliases"] == ["a"] and "d" in client.list_databases()
    after = client.describe_collection("c"), client.describe_index("c", "vector")
    assert after[0] == before[0]
    assert after[1]["index_type"] == before[1]["index_type"] and after[1]["metric_type"] == before[1]["metric_type"]


def test_ids_made_by_the_server_are_new_after_a_restart(server_factory):
    one = server_factory()
    one.start()
    client = MilvusClient(one.uri)
    make(client, "c", simple_schema(auto_id=True), consistency_level="Strong")
    first = list(client.insert("c", [{"vector": VECTORS[i].tolist()} for i in range(50)])["ids"])
    client.close()
    one.kill()
    one.start()
    client = MilvusClient(one.uri)
    second = list(client.insert("c", [{"vector": VECTORS[i].tolist()} for i in range(50)])["ids"])
    assert max(first) < min(second) and len(set(first + second)) == 100


def test_a_second_server_on_the_same_data_is_refused_by_name(server_factory):
    one, other = server_factory(), server_factory()
    one.start()
    with pytest.raises(ServerFailed) as caught:
        other.start()
    assert str(one.data) in str(caught.value) or "in use" in str(caught.value)
    assert one.alive()


def test_a_taken_port_is_one_clear_line(server_factory):
    one = server_factory()
    one.start()
    other = server_factory(data="other", port=one.port)
    done = subprocess.run([str(binary()), "serve", "--data", str(other.data), "--host", "127.0.0.1", "--port", str(one.port), "--metrics-port", "0"],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode != 0 and str(one.port) in done.stderr + done.stdout


@pytest.mark.parametrize("arguments", [["nonsense"], ["serve", "--nonsense"], ["serve", "--port", "text"], ["serve", "--config", "no_such_file.yaml"]])
def test_a_wrong_command_line_says_what_is_wrong_and_ends(tmp_path, arguments):
    done = subprocess.run([str(binary()), *arguments], capture_output=True, text=True, timeout=20, cwd=tmp_path)
    assert done.returncode not in (0, -signal.SIGABRT, -signal.SIGSEGV) and (done.stderr + done.stdout).strip()


def test_an_empty_server_is_small_and_idle(server_factory):
    one = server_factory()
    one.start()
    MilvusClient(one.uri).list_collections()
    with open(f"/proc/{one.process.pid}/status") as status:
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))
    sanitized = "asan" in str(binary()) or "tsan" in str(binary())
    assert sanitized or resident < 45 * 1024, f"{resident} kB resident"

    def ticks():
        with open(f"/proc/{one.process.pid}/stat") as stat:
            parts = stat.read().rsplit(")", 1)[1].split()
        return int(parts[11]) + int(parts[12])

    before = ticks()
    time.sleep(1.0)  # what is measured is a second of doing nothing
    assert ticks() - before <= os.sysconf("SC_CLK_TCK") // 20
