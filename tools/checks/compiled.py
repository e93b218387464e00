"""Checks that ask the compiler's tools: format, headers alone, clang-tidy, the symbols of the SIMD objects.

Headers alone and clang-tidy need the compile commands of build/release; without them they say so and judge nothing.
"""
import json
import re
import shlex
import shutil
import subprocess
from typing import Dict, List, Optional

from .tree import INCLUDE, Problem, Tree

FORMAT = "clang-format-19"
TIDY = "clang-tidy-19"
BUILD = "build/release"
DIAGNOSTIC = re.compile(r"^(.*?):(\d+):\d+: (?:error|warning): (.*)$")


def _compile_commands(tree: Tree) -> Dict[str, List[str]]:
    """Path from the root -> the compiler's arguments, without ccache, input and output."""
    file = tree.root / BUILD / "compile_commands.json"
    if not file.exists():
        return {}
    commands = {}
    for entry in json.loads(file.read_text()):
        path = entry["file"]
        prefix = str(tree.root) + "/"
        if path.startswith(prefix):
            args = shlex.split(entry["command"])
            if args[0].endswith("ccache"):
                args = args[1:]
            kept, skip = [], False
            for arg in args:
                if skip:
                    skip = False
                elif arg in ("-o", "-c", "-MF", "-MT", "-MQ"):
                    skip = arg != "-c"
                elif arg != path and arg not in ("-MD", "-MMD"):
                    kept.append(arg)
            commands[path[len(prefix):]] = kept
    return commands


def _diagnostics(tree: Tree, output: str, fallback: str) -> List[Problem]:
    problems = []
    for line in output.splitlines():
        match = DIAGNOSTIC.match(line)
        if match:
            path = match.group(1)
            prefix = str(tree.root) + "/"
            problems.append(Problem(path[len(prefix):] if path.startswith(prefix) else path, int(match.group(2)), match.group(3)))
    return problems or [Problem(fallback, 0, (output.strip().splitlines() or ["failed without a word"])[-1])]


def check_format(tree: Tree) -> List[Problem]:
    files = tree.select(".cc", ".h", ".proto")
    files = [f for f in files if f.endswith((".cc", ".h"))]
    if not shutil.which(FORMAT):
        return [Problem(FORMAT, 0, "is not installed: run tools/install-packages test")]

    def one(path: str) -> List[Problem]:
        done = subprocess.run([FORMAT, "--dry-run", "-Werror", path], cwd=tree.root, capture_output=True, text=True)
        if done.returncode == 0:
            return []
        first = _diagnostics(tree, done.stderr, path)[0]
        return [Problem(path, first.line, f"not formatted: run {FORMAT} -i {path}")]

    config = tree.text(".clang-format") if ".clang-format" in tree.files else ""
    return tree.check_changed("format", files, one, config)


def _first_include(tree: Tree, path: str) -> str:
    for line in tree.lines(path):
        match = INCLUDE.match(line)
        if match:
            return match.group(2)
    return ""


def check_headers(tree: Tree) -> List[Problem]:
    """A header that some listed .cc includes first has been compiled alone by the build; only the others are tried here.
    Own header first is therefore demanded: x.cc beside x.h must open with it."""
    commands = _compile_commands(tree)
    problems, proven = [], set()
    headers = set(tree.select(".h", under="src/"))
    for path in tree.select(".cc", under="src/"):
        first = "src/" + _first_include(tree, path)
        own = path[:-len(".cc")] + ".h"
        if own in headers and first != own:
            problems.append(Problem(path, 0, f'must include its own header "{own[len("src/"):]}" first'))
        if path in commands:
            proven.add(first)
    if not commands:
        print(f"check headers: {BUILD} is not configured; headers without a .cc of their own were not compiled")
        return problems

    def one(path: str) -> Optional[List[Problem]]:
        room = "/".join(path.split("/")[:2]) + "/"
        folder = path.rsplit("/", 1)[0] + "/"
        args = next((a for p, a in commands.items() if p.startswith(folder)), None) or \
            next((a for p, a in commands.items() if p.startswith(room)), None)
        if args is None:
            return None  # a room that this build does not make
        args = [a for n, a in enumerate(args) if not _names_pch(args, n)]
        # Included, not compiled as the main file: what a header defines for others is not unused.
        done = subprocess.run([*args, "-fsyntax-only", "-x", "c++", "-"], cwd=tree.root, capture_output=True, text=True,
                              input=f'#include "{path[len("src/"):]}"\n')
        return [] if done.returncode == 0 else _diagnostics(tree, done.stderr, path)[:3]

    return problems + tree.check_changed("headers", sorted(headers - proven), one, seen=tree.with_includes)


def _names_pch(args: List[str], n: int) -> bool:
    """True for the arguments by which CMake brings a precompiled header in: it would hide a missing include."""
    window = args[max(0, n - 3):n + 4]
    return any("cmake_pch" in a for a in window) and (args[n] in ("-Xclang", "-include-pch", "-include") or "cmake_pch" in args[n])


def check_tidy(tree: Tree) -> List[Problem]:
    commands = _compile_commands(tree)
    if not commands:
        print(f"check tidy: {BUILD} is not configured; nothing was looked at")
        return []
    if not shutil.which(TIDY):
        return [Problem(TIDY, 0, "is not installed: run tools/install-packages test")]
    # Tests are left to the compiler's warnings: they are half of the files and the bugs that tidy finds show in them at once.
    files = [f for f in tree.select(".cc", under="src/") if f in commands and not f.endswith("_test.cc")]

    def one(path: str) -> List[Problem]:
        done = subprocess.run([TIDY, "--quiet", "-p", BUILD, path], cwd=tree.root, capture_output=True, text=True)
        found = [line for line in done.stdout.splitlines() if DIAGNOSTIC.match(line)]
        if done.returncode == 0 and not found:
            return []
        return list(dict.fromkeys(_diagnostics(tree, done.stdout or done.stderr, path)))

    config = tree.text(".clang-tidy") if ".clang-tidy" in tree.files else ""

    def seen(path: str) -> str:
        return " ".join(commands[path]).replace(str(tree.root), "") + "\n" + tree.with_includes(path)

    return tree.check_changed("tidy", files, one, config, seen=seen)


def check_isa_objects(tree: Tree) -> List[Problem]:
    """An inline function compiled for AVX-512 in one object may be the copy that the linker keeps for everyone: the
    program would then die on a processor without it. So such objects define nothing that the linker could share."""
    problems = []
    for isa in ("avx2", "avx512", "neon"):
        for obj in sorted((tree.root / BUILD / "src" / "simd").glob(f"**/{isa}/*.o")):
            out = subprocess.run(["nm", "--defined-only", "-C", str(obj)], capture_output=True, text=True).stdout
            for line in out.splitlines():
                parts = line.split(maxsplit=2)
                if len(parts) == 3 and parts[1] in "WVuwv" and not parts[2].startswith("DW.ref."):
                    problems.append(Problem(str(obj.relative_to(tree.root)), 0, f"defines the weak symbol {parts[2]}: keep it static or in an anonymous namespace"))
    return problems
