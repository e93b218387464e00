"""The build on machines unlike the one that built it: processors without newer instructions, a folder copied elsewhere."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from pymilvus import MilvusClient

from e2e.schemas import DIM, make, simple_schema
from harness import reference
from harness.server import binary

QEMU = shutil.which("qemu-x86_64")
RELEASE = binary().parent.name == "release"  # a sanitizer's memory map does not fit into an emulated processor
pytestmark = [pytest.mark.own_server, pytest.mark.skipif(not RELEASE, reason="only what is shipped")]


def emulated(folder: Path, program: Path, cpu: str) -> Path:
    """A program that runs the given one on an emulated processor."""
    wrapper = folder / f"{program.name}-{cpu}"
    wrapper.write_text(f'#!/bin/sh\nexec "{QEMU}" -cpu {cpu} "{program}" "$@"\n')
    wrapper.chmod(0o755)
    return wrapper


# Westmere has SSE4.2 and no AVX; Haswell has AVX2 and no AVX-512.
@pytest.mark.skipif(not QEMU, reason="needs qemu-x86_64 (Debian: qemu-user)")
@pytest.mark.parametrize("cpu", ["Westmere", "Haswell"])
def test_kernels_are_right_on_an_older_processor(tmp_path, cpu):
    program = binary().parent / "src" / "simd" / "simd_test"
    if not program.exists():
        pytest.skip("simd_test is not built")
    done = subprocess.run([emulated(tmp_path, program, cpu), "--gtest_brief=1"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.skipif(not QEMU, reason="needs qemu-x86_64 (Debian: qemu-user)")
@pytest.mark.parametrize("cpu", ["Westmere", "Haswell"])
def test_server_answers_on_an_older_processor(server_factory, tmp_path, cpu):
    one = server_factory(program=emulated(tmp_path, binary(), cpu))
    one.start()
    client = MilvusClient(one.uri)
    vectors = reference.vectors(300, DIM)
    make(client, "c", simple_schema(dynamic=True), consistency_level="Strong")
    client.insert("c", [{"id": i, "vector": vectors[i].tolist(), "v": i} for i in range(300)])
    client.flush("c")
    found = client.search("c", vectors[:5].tolist(), limit=10)
    reference.assert_exact(found, reference.nearest("L2", vectors[:5], vectors, 10))
    assert one.alive()


def test_folder_copied_elsewhere_runs_with_its_own_libraries(server_factory, tmp_path):
    here = tmp_path / "copied"
    here.mkdir()
    shutil.copy2(binary(), here / "elanus")
    shutil.copytree(binary().parent / "lib", here / "lib")
    one = server_factory(program=here / "elanus")
    one.start()
    maps = Path(f"/proc/{one.process.pid}/maps").read_text()
    for library in os.listdir(here / "lib"):
        assert str(here / "lib" / library) in maps
    assert MilvusClient(one.uri).list_collections() == []
    assert one.stop() == 0
