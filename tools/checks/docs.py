"""Links and code fences of the Markdown pages."""
import re
from typing import List

from .tree import Problem, Tree

LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^\s*(```+|~~~+)(.*)$")


def anchors_of(text: str) -> set:
    """The anchors GitHub makes of a page's headings."""
    anchors = set()
    for line in text.splitlines():
        match = re.match(r"#{1,6}\s+(.*)", line)
        if match:
            heading = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda m: m.group(1) or "", match.group(1)).strip().lower()
            anchors.add(re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading)))
    return anchors


def check_links(tree: Tree) -> List[Problem]:
    problems = []
    known = set(tree.files)
    folders = {f.rsplit("/", n)[0] for f in known for n in range(1, f.count("/") + 1)}
    for path in tree.select(".md"):
        fence, opened = None, 0
        for number, line in enumerate(tree.lines(path), 1):
            match = FENCE.match(line)
            if match:
                if fence is None:
                    fence, opened = match.group(1)[:3], number
                elif match.group(1)[:3] == fence and not match.group(2).strip():
                    fence = None
                continue
            if fence is None:
                bare = re.sub(r"`[^`]*`", "", line)
                problems += _judge_links(tree, path, number, bare, known, folders)
        if fence is not None:
            problems.append(Problem(path, opened, "opens a code fence that nothing closes"))
    return problems


def _judge_links(tree: Tree, path: str, number: int, line: str, known: set, folders: set) -> List[Problem]:
    problems = []
    for match in LINK.finditer(line):
        target = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        resolved = _resolve(path, file) if file else path
        if resolved not in known and resolved.rstrip("/") not in folders:
            problems.append(Problem(path, number, f"links to {target}, which is not there"))
        elif anchor and resolved.endswith(".md") and anchor not in anchors_of(tree.text(resolved)):
            problems.append(Problem(path, number, f"links to {target}; the page has no such heading"))
    return problems


def _resolve(page: str, target: str) -> str:
    parts = [] if target.startswith("/") else page.split("/")[:-1]
    for part in target.strip("/").split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in (".", ""):
            parts.append(part)
    return "/".join(parts)
