"""Which room may include which (src/ROOMS), and that each room says what it is."""
from typing import Dict, List, NamedTuple, Tuple

from .tree import INCLUDE, Problem, Tree

MAP = "src/ROOMS"
README_LINES_MAX = 40


class Map(NamedTuple):
    may_include: Dict[str, List[str]]           # room -> rooms, in the order of the file (lowest first)
    guarded: List[Tuple[str, List[str]]]        # header prefix -> the rooms, or folders of rooms, that may include it


def parse_map(tree: Tree) -> Tuple[Map, List[Problem]]:
    rooms, guarded, problems = {}, [], []
    for number, line in enumerate(tree.lines(MAP), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, colon, rest = line.partition(":")
        if not colon:
            problems.append(Problem(MAP, number, f"expected `room: rooms` or `! header: rooms`, got `{line}`"))
        elif name.startswith("!"):
            guarded.append((name[1:].strip(), rest.split()))
        else:
            for dep in rest.split():
                if dep not in rooms:  # the order of the file is what makes a cycle impossible to write down
                    problems.append(Problem(MAP, number, f"{name} names {dep}, which is not above it"))
            rooms[name] = rest.split()
    return Map(rooms, guarded), problems


def check_includes(tree: Tree) -> List[Problem]:
    rooms, problems = parse_map(tree)
    for path in tree.select(".h", ".cc", ".inc", under="src/"):
        room = path.split("/")[1]
        if room not in rooms.may_include:
            problems.append(Problem(path, 0, f"room {room} is not in {MAP}"))
            continue
        for number, line in enumerate(tree.lines(path), 1):
            match = INCLUDE.match(line)
            if match:
                problems += [Problem(path, number, text) for text in _judge(rooms, path, room, *match.groups())]
    return problems


def _judge(rooms: Map, path: str, room: str, quote: str, header: str) -> List[str]:
    folder = path[len("src/"):].rsplit("/", 1)[0]
    for prefix, allowed in rooms.guarded:
        if header.startswith(prefix) or header.endswith("/" + prefix):
            if not any(folder == a or folder.startswith(a + "/") for a in allowed):
                return [f"{header} may only be included by {', '.join(allowed)}"]
            return []
    if quote == "<":
        return []
    target = header.split("/")[0]
    if target == room:
        return []
    if target not in rooms.may_include:
        if header.endswith(".pb.h"):
            return []
        return [f'"{header}" is not a full path from src/ (own files) nor in angle brackets (outside libraries)']
    if target not in rooms.may_include[room]:
        return [f"{room} may not include {target} ({MAP}: {room}: {' '.join(rooms.may_include[room]) or 'nothing'})"]
    return []


def check_readmes(tree: Tree) -> List[Problem]:
    rooms, _ = parse_map(tree)
    present = {f.split("/")[1] for f in tree.select(".h", ".cc", under="src/")}
    problems = []
    for room in rooms.may_include:
        readme = f"src/{room}/README.md"
        if room not in present:
            continue
        if readme not in tree.files:
            problems.append(Problem(readme, 0, "missing: the question the room answers, its main types, its invariants, who calls it"))
        elif len(tree.lines(readme)) > README_LINES_MAX:
            problems.append(Problem(readme, README_LINES_MAX + 1, f"has more than {README_LINES_MAX} lines"))
    return problems
