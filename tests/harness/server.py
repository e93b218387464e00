"""An Elanus server as a child process on a free port, with its own data folder: start, stop, kill, start again."""
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Optional

ROOT = Path(__file__).resolve().parents[2]


class ServerFailed(Exception):
    pass


def binary() -> Path:
    return Path(os.environ.get("ELANUS_BINARY", ROOT / "build" / "release" / "elanus"))


def free_port() -> int:
    """A port that was free a moment ago. Another process may take it first: Server.start tries again with the next."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    def __init__(self, data: Path, config: str = "", program: Optional[Path] = None, port: int = 0):
        self.data, self.program = Path(data), program or binary()
        self.port, self.metrics_port = port, 0
        self._fixed_port = port
        self.log_path = self.data.parent / (self.data.name + ".log")
        self.config_path = None
        if config:
            self.config_path = self.data.parent / (self.data.name + ".yaml")
            self.config_path.write_text(config)
        self.process: Optional[subprocess.Popen] = None

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def metrics_uri(self) -> str:
        return f"http://127.0.0.1:{self.metrics_port}"

    def start(self, timeout: float = 30) -> float:
        """Starts the server and returns the seconds until it accepted a connection."""
        assert self.process is None, "already running"
        for _ in range(5):
            self.port = self._fixed_port or free_port()
            self.metrics_port = free_port()
            command = [str(self.program), "serve", "--data", str(self.data), "--host", "127.0.0.1", "--port", str(self.port),
                       "--metrics-port", str(self.metrics_port)]
            if self.config_path:
                command += ["--config", str(self.config_path)]
            began = time.monotonic()
            with self.log_path.open("ab") as log:
                self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            while time.monotonic() - began < timeout:
                if self.process.poll() is not None:
                    break
                try:
                    socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                    return time.monotonic() - began
                except OSError:
                    time.sleep(0.002)
            else:
                self.kill()
                raise ServerFailed(f"not ready after {timeout} s; its log ends with:\n{self.log_tail()}")
            code, self.process = self.process.returncode, None
            tail = self.log_tail()
            if self._fixed_port or "in use" not in tail.lower():
                raise ServerFailed(f"ended with {code} before it was ready; its log ends with:\n{tail}")
        raise ServerFailed("found no free port in five tries")

    def kill(self) -> None:
        """SIGKILL: nothing is flushed, nothing is said goodbye to."""
        if self.process is not None:
            self.kill_now()
            self.process.wait()
            self.process = None

    def kill_now(self) -> None:
        """Only sends SIGKILL, from any thread; kill() or a failing start() cleans up."""
        process = self.process
        if process is not None:
            process.send_signal(signal.SIGKILL)

    def stop(self, timeout: float = 20) -> int:
        """SIGTERM; returns the exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"did not stop within {timeout} s of SIGTERM; its log ends with:\n{self.log_tail()}")
        self.process = None
        return code

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def log_tail(self, lines: int = 20) -> str:
        if not self.log_path.exists():
            return "(no log)"
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])
