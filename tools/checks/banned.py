"""Calls that have a replacement of ours, notes that say work is unfinished, and paths that exist on one machine only."""
import re
from typing import List

from .tree import Problem, Tree

# pattern, folders where it is allowed, what to use instead
CALLS = [
    (r"\bsleep_for\s*\(|\bsleep_until\s*\(|\busleep\s*\(|\bnanosleep\s*\(", ("src/base/",),
     "wait on a condition with a deadline (base/ executors and clock); a test waits for the event it means"),
    (r"\bsystem_clock\b|\bgettimeofday\s*\(|\btime\s*\(\s*(?:nullptr|NULL|0)\s*\)", ("src/base/",),
     "take a Clock (base/clock.h)"),
    (r"\bstd::thread\s*[({]|\bstd::jthread\s*[({]|\bstd::async\s*\(", ("src/base/",),
     "run it on a named, bounded executor of base/"),
    (r"\.detach\s*\(", ("src/base/",), "whoever starts a thread joins it"),
    (r"\bstd::regex\b|<regex>", (), "RE2: std::regex is slow and recurses without bound"),
    (r"(?<![\w:.])assert\s*\(|<cassert>", (), "ELANUS_CHECK (base/check.h): it stays on in release"),
    (r"\brand\s*\(\s*\)|\bstd::random_device\b", ("src/base/",), "take a seeded generator (base/)"),
    (r"\bstd::(?:cout|cerr)\b|\bprintf\s*\(", ("src/base/", "src/server/", "src/tool/", "bench/", "fuzz/"),
     "LogInfo and friends (base/log.h)"),
    (r"\busing namespace std;", (), "name what you use"),
]
NOTES = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
ALLOW = re.compile(r"check: allow ([\w, ]+): \S")


def strip_cpp(text: str) -> str:
    """The text without comments and with empty string literals; lines stay where they are."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)

    def replace(match: "re.Match") -> str:
        token = match.group(0)
        kept = '""' if token[0] in 'R"' else ("' '" if token[0] == "'" and not re.match(r"'\d", token) else "")
        if token[0] == "'" and len(token) > 8:  # a digit separator paired with a far quote: leave it alone
            return token
        return kept + "\n" * token.count("\n")

    return pattern.sub(replace, text)


def check_calls(tree: Tree) -> List[Problem]:
    problems = []
    for path in tree.select(".cc", ".h"):
        raw = tree.lines(path)
        bare = strip_cpp(tree.text(path)).split("\n")
        for pattern, allowed, instead in CALLS:
            if path.startswith(tuple(allowed)) and allowed:
                continue
            for number, line in enumerate(bare, 1):
                # An include names its header between quotes that strip_cpp empties: look at the raw line for those.
                text = raw[number - 1] if number <= len(raw) and line.lstrip().startswith("#include") else line
                match = re.search(pattern, text)
                if match and not _allowed_beside(raw, number):
                    problems.append(Problem(path, number, f"{match.group(0).strip()}: {instead}"))
    for path in tree.select(".cc", ".h", ".py", ".cmake", ".txt", ".proto", ".sh"):
        if path.startswith("tools/checks/"):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = NOTES.search(line)
            if match:
                problems.append(Problem(path, number, f"{match.group(0)}: do it, or file it; the tree holds no notes of unfinished work"))
    return problems


def _allowed_beside(lines: List[str], number: int) -> bool:
    """`// check: allow name: reason` on the line itself or the one above."""
    return any(ALLOW.search(lines[n - 1]) for n in (number, number - 1) if 1 <= n <= len(lines))


def check_paths(tree: Tree) -> List[Problem]:
    pattern = re.compile(r"(?<![\w.$})/-])/(?:work|tmp|root|home)/\w")
    problems = []
    for path in tree.files:
        if path.endswith((".png", ".svg", ".bin", ".golden")) or path == "LICENSE":
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = pattern.search(line)
            if match and "check: allow path" not in line:
                problems.append(Problem(path, number, f"names a path of one machine: {line.strip()[:80]}"))
    return problems
