"""The servers that are compared, as processes: start, stop, kill; their CPU, memory and disk from /proc and the file system."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import List, Optional

import grpc
from pymilvus.grpc_gen import milvus_pb2

ROOT = Path(__file__).resolve().parents[2]
TICK = os.sysconf("SC_CLK_TCK")


class Server:
    """One server on a data folder of its own. Subclasses say how it starts."""

    name = ""

    def __init__(self, cache: Path, port: int, data: Path):
        self.home, self.port = data / self.name, port
        self.process: Optional[subprocess.Popen] = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        """Installs what the server needs; quick when it is there."""

    def command(self) -> List[str]:
        raise NotImplementedError

    def wipe(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)

    def start(self, timeout: float = 300) -> float:
        """Seconds until a client's first call is answered."""
        self.home.mkdir(parents=True, exist_ok=True)
        if self.answers("ShowCollections", b"") is not None:
            raise RuntimeError(f"port {self.port} has a server already; give another --port")
        began = time.monotonic()
        with (self.home.parent / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.home)
        while time.monotonic() - began < timeout:
            if self.serves():
                return time.monotonic() - began
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}; see {self.home.parent / (self.name + '.log')}")
            time.sleep(0.002)
        raise RuntimeError(f"{self.name} did not answer within {timeout} s")

    def serves(self) -> bool:
        reply = self.answers("ShowCollections", b"")
        if reply is None:
            return False
        status = milvus_pb2.ShowCollectionsResponse.FromString(reply).status
        return not status.error_code and not status.code  # it says so while it is starting

    def answers(self, method: str, request: bytes) -> Optional[bytes]:
        """The reply to a request over a connection of its own, or None while there is none. Not through pymilvus, which keeps connections and waits
        ever longer before it tries a broken one again."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            with grpc.insecure_channel(f"127.0.0.1:{self.port}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
                return channel.unary_unary(f"/milvus.proto.milvus.MilvusService/{method}")(request, timeout=5)
        except (OSError, grpc.RpcError):
            return None

    def stop(self) -> float:
        """Seconds from SIGTERM until every process of it is gone."""
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        self.wait()
        return time.monotonic() - began

    def kill(self) -> None:
        if self.process is not None:
            self.signal(signal.SIGKILL)
            self.wait()

    def signal(self, number: int) -> None:
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def wait(self, timeout: float = 120) -> None:
        began = time.monotonic()
        try:
            self.process.wait(timeout)
            while self.pids() and time.monotonic() - began < timeout:
                time.sleep(0.01)
        finally:
            for pid in self.pids():
                os.kill(pid, signal.SIGKILL)
        self.process = None

    def pids(self) -> List[int]:
        """Every live process of the session that start() opened."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                except OSError:
                    continue
                if int(fields[3]) == self.process.pid and fields[0] != "Z":
                    found.append(int(entry.name))
        return found

    def cpu_seconds(self) -> float:
        total = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICK

    def resident_bytes(self) -> int:
        """Anonymous and file pages in memory: what a container is charged for."""
        total = 0
        for pid in self.pids():
            total += int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024
        return total

    def disk_bytes(self) -> int:
        return sum(f.stat().st_blocks * 512 for f in self.data_folder().rglob("*") if f.is_file() and not f.is_symlink())

    def data_folder(self) -> Path:
        return self.home


class Elanus(Server):
    name = "elanus"

    def command(self) -> List[str]:
        return [str(ROOT / "build" / "release" / "elanus"), "serve", "--data", str(self.home / "data"), "--host", "127.0.0.1", "--port", str(self.port),
                "--metrics-port", str(self.port + 1)]


class Milvus23(Server):
    """The real server, from the PyPI package milvus 2.3.5, with its defaults."""

    name = "milvus"

    def __init__(self, cache: Path, port: int, data: Path):
        super().__init__(cache, port, data)
        self.venv = cache / "milvus-2.3.5"

    def prepare(self) -> None:
        if not (self.venv / "bin" / "milvus-server").exists():
            print("installing Milvus 2.3.5 (57 MB)", flush=True)
            subprocess.run([sys.executable, "-m", "venv", str(self.venv)], check=True)
            subprocess.run([str(self.venv / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", "milvus==2.3.5"], check=True)

    def command(self) -> List[str]:
        return [str(self.venv / "bin" / "milvus-server"), "--data", str(self.home), "--proxy-port", str(self.port)]

    def data_folder(self) -> Path:
        return self.home / "data"  # beside it lie its binaries and logs

    def stop(self) -> float:
        """The wrapper ends at SIGINT and takes the server along."""
        began = time.monotonic()
        os.kill(self.process.pid, signal.SIGINT)
        self.wait()
        return time.monotonic() - began


KINDS = {kind.name: kind for kind in (Elanus, Milvus23)}
