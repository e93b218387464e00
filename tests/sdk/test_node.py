"""The Node SDK against the real server. Its packages go to build/node; without a registry the test says so and skips."""
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent / "node"
MODULES = HERE.parents[2] / "build" / "node"


@pytest.fixture(scope="module")
def modules():
    lock = (HERE / "package-lock.json").read_text()
    stamp = MODULES / "stamp"
    if not stamp.exists() or stamp.read_text() != lock:
        if not shutil.which("npm"):
            pytest.skip("npm is not installed")
        MODULES.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(HERE / file, MODULES / file)
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=MODULES, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"cannot install the Node SDK: {done.stderr.strip().splitlines()[-1:]}")
        stamp.write_text(lock)
    return MODULES


def test_a_node_application_works_from_connecting_to_dropping(modules, uri):
    shutil.copy(HERE / "smoke.js", modules / "smoke.js")
    done = subprocess.run(["node", "smoke.js", uri.split("//")[1]], cwd=modules, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0 and done.stdout.strip().endswith("ok"), done.stdout + done.stderr
