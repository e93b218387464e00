"""The tree of sources as the checks see it: tracked files, their text, and what was green when last looked at.

A file counts as tracked when git lists it or would list it (new and not ignored), so that a check speaks before the
commit. What was green is kept by content in build/check-cache.json: a check that costs time asks `changed()` first.
"""
import hashlib
import json
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Iterable, List, NamedTuple, Optional


INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Problem(NamedTuple):
    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}" if self.line else f"{self.path}: {self.text}"


class Tree:
    def __init__(self, root: Path, fresh: bool = False):
        self.root = Path(root)
        self._texts = {}
        self._direct = {}  # path -> the names it includes
        self._digests = {}
        self._cache_path = self.root / "build" / "check-cache.json"
        self._green = {}
        if not fresh and self._cache_path.exists():
            try:
                self._green = json.loads(self._cache_path.read_text())
            except ValueError:
                self._green = {}  # torn by an interrupted run: start over
        self.files = self._list_files()
        self._known = set(self.files)

    def _list_files(self) -> List[str]:
        try:
            out = subprocess.run(["git", "-C", str(self.root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                 check=True, capture_output=True).stdout
            names = [os.fsdecode(n) for n in out.split(b"\0") if n]
        except (OSError, subprocess.CalledProcessError):  # a tree without git, as in the tests of these checks
            names = [str(p.relative_to(self.root)) for p in self.root.rglob("*")]
        skip = ("build/", ".git/")
        return sorted({n for n in names if not n.startswith(skip) and (self.root / n).is_file()})

    def select(self, *suffixes: str, under: str = "") -> List[str]:
        return [f for f in self.files if f.startswith(under) and f.endswith(suffixes)]

    def text(self, path: str) -> str:
        if path not in self._texts:
            self._texts[path] = (self.root / path).read_text(encoding="utf-8", errors="replace")
        return self._texts[path]

    def lines(self, path: str) -> List[str]:
        return self.text(path).splitlines()

    def with_includes(self, path: str) -> str:
        """For `seen` of check_changed: the content of all that the file includes."""
        lines = []
        for file in self.included(path):
            if file not in self._digests:
                self._digests[file] = self.digest(file)
            lines.append(f"{file} {self._digests[file]}")
        return "\n".join(lines)

    def digest(self, path: str, *more: str) -> str:
        h = hashlib.sha256(self.text(path).encode())
        for text in more:
            h.update(b"\0" + text.encode())
        return h.hexdigest()

    def included(self, path: str) -> List[str]:
        """Every file of ours that the file sees through its includes, sorted. A generated *.pb.h stands for all of api/proto/."""
        seen, todo = set(), [path]
        while todo:
            for name in self._includes(todo.pop()):
                files = self.select(".proto", under="api/proto/") if name.endswith(".pb.h") else ["src/" + name]
                for file in files:
                    if file not in seen and file in self._known:
                        seen.add(file)
                        todo.append(file)
        return sorted(seen)

    def _includes(self, path: str) -> List[str]:
        if path not in self._direct:
            self._direct[path] = [m.group(2) for m in map(INCLUDE.match, self.lines(path)) if m]
        return self._direct[path]

    def check_changed(self, check: str, paths: Iterable[str], one: Callable[[str], Optional[List[Problem]]], *config: str,
                      seen: Callable[[str], str] = lambda path: "", workers: int = os.cpu_count() or 1) -> List[Problem]:
        """Runs `one` over the paths whose content, `config` or `seen` (what else the judgement of this path depends on)
        changed since they were last green; remembers the green ones.
        `one` returns None for a file that it could not judge: no problem, but not green either."""
        paths = list(paths)
        green = self._green.get(check, {})
        digests = {p: self.digest(p, *config, seen(p)) for p in paths}
        todo = [p for p in paths if green.get(p) != digests[p]]
        problems = []
        saved = time.monotonic()
        with ThreadPoolExecutor(workers) as pool:
            for path, found in zip(todo, pool.map(one, todo)):
                if found:
                    problems.extend(found)
                elif found is not None:
                    green[path] = digests[path]
                if time.monotonic() - saved > 10:  # a run that is stopped half-way does not begin again
                    self._green[check] = green
                    self._save()
                    saved = time.monotonic()
        self._green[check] = {p: d for p, d in green.items() if p in digests and d == digests[p]}
        self._save()
        return list(dict.fromkeys(problems))  # a header's problem shows up in each file that includes it

    def _save(self) -> None:
        self._cache_path.parent.mkdir(parents=True, exist_ok=True)
        part = self._cache_path.with_suffix(".part")
        part.write_text(json.dumps(self._green))
        part.replace(self._cache_path)
