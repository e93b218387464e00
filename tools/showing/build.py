"""Builds the release server, and only that, with a bar; says what is wrong in one line when it cannot."""
import os
import re
import subprocess
from pathlib import Path

from .progress import Bar, Failure


def server(root: Path) -> Path:
    log = root / "build" / "demo-build.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "CCACHE_BASEDIR": str(root), "CCACHE_NOHASHDIR": "1", "CCACHE_SLOPPINESS": "pch_defines,time_macros"}
    if not (root / "build" / "release" / "build.ninja").exists():
        with Bar("configuring"), log.open("w") as out:
            code = subprocess.run(["cmake", "--preset", "release"], cwd=root, stdout=out, stderr=subprocess.STDOUT, env=env).returncode
        if code:
            raise Failure(f"cmake could not configure ({_cause(log)}); the whole text is in {log.relative_to(root)}")
    with Bar("building the server") as bar, log.open("a") as out:
        process = subprocess.Popen(["ninja", "-C", "build/release", "elanus"], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
        for line in process.stdout:
            out.write(line)
            match = re.match(r"\[(\d+)/(\d+)\]", line)
            if match:
                bar.total = int(match.group(2))
                bar.unit = "steps"
                bar.to(int(match.group(1)))
        out.flush()
        if process.wait():
            raise Failure(f"the build failed ({_cause(log)}); the whole text is in {log.relative_to(root)}")
    return root / "build" / "release" / "elanus"


def _cause(log: Path) -> str:
    text = log.read_text(errors="replace")
    for pattern in (r"No space left on device", r"(?:fatal )?error: .*", r"CMake Error.*\n?.*", r"Killed.*", r"FAILED: .*"):
        match = re.search(pattern, text)
        if match:
            return " ".join(match.group(0).split())[:160]
    return (text.strip().splitlines() or ["no output"])[-1][:160]
