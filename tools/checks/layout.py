"""How files are laid out: size, opening comment, that each is part of the build, that scripts parse."""
import re
import subprocess
from typing import List

from .tree import INCLUDE, Problem, Tree

LINES_NEED_REASON = 600
LINES_MAX = 1000
CODE = (".cc", ".h", ".py", ".sh", ".cmake")


def _is_script(tree: Tree, path: str, interpreter: str) -> bool:
    """A file without a suffix whose first line names the interpreter: ./test, ./demo, tools/check."""
    name = path.rsplit("/", 1)[-1]
    return "." not in name.lstrip(".") and interpreter in (tree.lines(path) or [""])[0] and tree.text(path).startswith("#!")


def check_sizes(tree: Tree) -> List[Problem]:
    problems = []
    for path in tree.select(*CODE):
        lines = tree.lines(path)
        opening = "\n".join(lines[:30])
        if len(lines) > LINES_MAX:
            problems.append(Problem(path, LINES_MAX, f"has {len(lines)} lines; over {LINES_MAX} are refused: split it by concept"))
        elif len(lines) > LINES_NEED_REASON and "Long:" not in opening:
            problems.append(Problem(path, LINES_NEED_REASON, f"has {len(lines)} lines; over {LINES_NEED_REASON} need a `Long: reason` in the opening comment"))
    return problems


def check_openings(tree: Tree) -> List[Problem]:
    """A header says what it is; so does a .cc that has no header of its own. Tests speak through their names."""
    problems = []
    headers = set(tree.select(".h"))
    for path in tree.select(".cc", ".h", under="src/"):
        lines = tree.lines(path)
        if path.endswith("_test.cc") or path[:-len(".cc")] + ".h" in headers:
            continue
        if not lines or not lines[0].startswith(("//", "/*")):
            problems.append(Problem(path, 1, "opens without a comment: what it is, what always holds, who calls, threads"))
        if path.endswith(".h") and "#pragma once" not in lines:
            problems.append(Problem(path, 1, "has no #pragma once"))
    return problems


def check_listed(tree: Tree) -> List[Problem]:
    cmake = {f: re.sub(r"#.*", "", tree.text(f)) for f in tree.files if f.endswith("CMakeLists.txt")}
    included = set()
    for path in tree.select(".cc", ".h", ".inc"):
        for line in tree.lines(path):
            match = INCLUDE.match(line)
            if match:
                included.add(match.group(2))
    problems = []
    for path in tree.select(".cc", ".h", under="src/"):
        if path.endswith(".cc"):
            if not _named_in_cmake(cmake, path):
                problems.append(Problem(path, 0, "is in no CMakeLists.txt: list it or delete it"))
        elif path[len("src/"):] not in included:
            problems.append(Problem(path, 0, "is included by no file: dead"))
    return problems


def _named_in_cmake(cmake: dict, path: str) -> bool:
    """True when a CMakeLists.txt in one of the folders above names the file relative to itself."""
    folder = path
    while "/" in folder:
        folder = folder.rsplit("/", 1)[0]
        text = cmake.get(folder + "/CMakeLists.txt", "")
        relative = path[len(folder) + 1:]
        if re.search(rf"(?<![\w./-]){re.escape(relative)}(?![\w.-])", text):
            return True
    return False


def check_scripts(tree: Tree) -> List[Problem]:
    problems = []
    for path in tree.files:
        if path.endswith(".py") or _is_script(tree, path, "python"):
            try:
                compile(tree.text(path), path, "exec")
            except SyntaxError as error:
                problems.append(Problem(path, error.lineno or 0, f"does not parse: {error.msg}"))
        elif path.endswith(".sh") or _is_script(tree, path, "sh"):
            done = subprocess.run(["bash", "-n", path], cwd=tree.root, capture_output=True, text=True)
            if done.returncode:
                problems.append(Problem(path, 0, f"does not parse: {done.stderr.strip().splitlines()[0]}"))
    return problems
