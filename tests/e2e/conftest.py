"""Fixtures: one server a worker process for most tests, clients on it, names nobody else uses, servers of one's own."""
import os
import re
import sys
import uuid
from pathlib import Path

import pytest
from pymilvus import MilvusClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from harness.server import Server  # noqa: E402

OTHER = os.environ.get("ELANUS_E2E_URI", "")  # another server, or a milvus-lite file: what the tests are checked against
LITE = OTHER.endswith(".db")
CONFIG = os.environ.get("ELANUS_E2E_CONFIG", "")  # YAML for every server of the run; a test's own keys come after it


def pytest_configure(config):
    config.addinivalue_line("markers", "own_server: starts servers of its own; not run against ELANUS_E2E_URI")
    config.addinivalue_line("markers", "not_lite(reason): milvus-lite does not do this; not run against it")


def pytest_collection_modifyitems(items):
    for item in items:
        if OTHER and item.get_closest_marker("own_server"):
            item.add_marker(pytest.mark.skip(reason="needs a server of its own"))
        lite = item.get_closest_marker("not_lite")
        if LITE and lite:
            item.add_marker(pytest.mark.skip(reason=f"milvus-lite: {lite.args[0]}"))


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The default server; None when ELANUS_E2E_URI names another."""
    if OTHER:
        yield None
        return
    running = Server(tmp_path_factory.mktemp("elanus") / "data", config=CONFIG)
    running.start()
    yield running
    code = running.stop()
    assert code == 0, f"the server ended with {code}:\n{running.log_tail()}"


@pytest.fixture(scope="session")
def uri(server):
    return server.uri if server else OTHER


@pytest.fixture(scope="session")
def client(uri):
    made = MilvusClient(uri)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _server_survives(request, server):
    """Whatever a test sends, the server goes on."""
    yield
    if server is not None:
        assert server.alive(), f"the server died in {request.node.name}:\n{server.log_tail(60)}"


def unique(text: str) -> str:
    return f"{re.sub(r'[^A-Za-z0-9_]', '_', text)[:60]}_{uuid.uuid4().hex[:8]}"


@pytest.fixture
def name(request, client):
    """A collection name of this test's own; the collection is dropped afterwards."""
    made = unique(request.node.name)
    yield made
    client.drop_collection(made)


@pytest.fixture(scope="module")
def module_name(request, client):
    """The same for a collection that the tests of a file share; they may not change it."""
    made = unique(request.module.__name__)
    yield made
    client.drop_collection(made)


@pytest.fixture
def server_factory(tmp_path):
    """Makes servers with a data folder of their own: server_factory(config="yaml text"); stopped afterwards."""
    made = []

    def make(config: str = "", data: str = "data", **more) -> Server:
        one = Server(tmp_path / data, config=CONFIG + config, **more)
        made.append(one)
        return one

    yield make
    for one in made:
        one.kill()
