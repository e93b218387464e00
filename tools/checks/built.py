"""Checks that ask the built server: the pages it prints, and what it needs from the machine it runs on.

Without build/release/elanus they say so and judge nothing.
"""
import re
import subprocess
from pathlib import Path
from typing import Dict, List, Optional

from .tree import Problem, Tree

BINARY = Path("build/release/elanus")
# page -> the command that prints it; README holds its text between two marks, the other pages are the text.
PRINTED = {"README.md": "rpcs", "docs/ops/config.md": "knobs"}
BEGIN, END = "<!-- printed by `elanus {}`: tools/print-docs writes it anew -->\n", "<!-- end -->\n"
# Part of every Debian 12. libstdc++ is shared because libsimdjson, which has no archive, uses it too.
SYSTEM = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6", "ld-linux-x86-64.so.2"}
# Debian has no archives of these: they lie in lib/ beside the binary.
TRAVELS = {"libsimdjson.so.14", "libgeos_c.so.1", "libgeos.so.3.11.1"}


def _absent(tree: Tree, check: str) -> bool:
    if (tree.root / BINARY).exists():
        return False
    print(f"check {check}: {BINARY} is not built; nothing was looked at")
    return True


def printed_page(text: str, page: str, output: str) -> Optional[str]:
    """What the page must hold; None when it has no place for it."""
    if page != "README.md":
        return output
    begin = BEGIN.format(PRINTED[page])
    if begin not in text or END not in text.split(begin, 1)[1]:
        return None
    before, rest = text.split(begin, 1)
    return before + begin + output + END + rest.split(END, 1)[1]


def outputs(root: Path) -> Dict[str, str]:
    """What the server prints for each page; empty when it does not know the command (an old build)."""
    return {page: subprocess.run([str(root / BINARY), command], capture_output=True, text=True).stdout
            for page, command in PRINTED.items()}


def check_printed(tree: Tree) -> List[Problem]:
    if _absent(tree, "printed"):
        return []
    problems = []
    for page, output in outputs(tree.root).items():
        text = tree.text(page) if page in tree.files else ""
        wanted = printed_page(text, page, output)
        if wanted is None:
            problems.append(Problem(page, 0, f"lacks the marks between which `elanus {PRINTED[page]}` belongs"))
        elif wanted != text:
            problems.append(Problem(page, 0, f"is not what `elanus {PRINTED[page]}` prints: run tools/print-docs"))
    return problems


def judge_linkage(dynamic: str, beside: List[str]) -> List[str]:
    """Judges the text of `readelf -d` and the names in lib/ beside the binary."""
    problems = []
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic))
    for name in sorted(needed - SYSTEM - TRAVELS):
        problems.append(f"needs {name}: link its archive (cmake/deps.cmake), or let it travel in lib/ when Debian has none")
    for name in sorted((needed & TRAVELS) - set(beside)):
        problems.append(f"needs {name}, which does not lie in lib/ beside it")
    for name in sorted(set(beside) - needed):
        problems.append(f"lib/{name} lies beside it, but it does not need it")
    paths = re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", dynamic)
    if needed & TRAVELS and paths != ["$ORIGIN/lib"]:
        problems.append(f"looks for libraries in {paths or 'no folder'}, not in $ORIGIN/lib")
    return problems


def check_linkage(tree: Tree) -> List[Problem]:
    if _absent(tree, "linkage"):
        return []
    dynamic = subprocess.run(["readelf", "-dW", str(tree.root / BINARY)], capture_output=True, text=True, check=True).stdout
    folder = tree.root / BINARY.parent / "lib"
    beside = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
    return [Problem(str(BINARY), 0, text) for text in judge_linkage(dynamic, beside)]
