"""What the server owes: for each key the version that must be there, and at most one write whose fate is unknown.

A ledger belongs to one writer thread, and its keys to nobody else, so no search is needed to know what may be read.
A write is acknowledged (it must hold), refused (it must not), or without an answer: then it holds whole or not at all, and what
it was the first time it is looked at, it stays.
"""
from dataclasses import dataclass, field
from typing import Dict, List, Optional

import numpy as np

DIM = 8


def vectors(keys, versions) -> np.ndarray:
    """float32[n][DIM] that says whose it is: a hash (splitmix64) of key, version and place, in [-1, 1)."""
    k = np.asarray(keys, np.int64).astype(np.uint64)[:, None]
    v = np.asarray(versions, np.int64).astype(np.uint64)[:, None]
    with np.errstate(over="ignore"):
        z = k * np.uint64(0x9E3779B97F4A7C15) + v * np.uint64(0xD1B54A32D192ED03) + np.arange(1, DIM + 1, dtype=np.uint64) * np.uint64(0x8CB92BA72F3D8DD7)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return ((z >> np.uint64(40)).astype(np.float32) / np.float32(2**23)) - np.float32(1)


def row(key: int, version: int) -> dict:
    return {"id": key, "version": version, "text": f"{key}:{version}", "vector": vectors([key], [version])[0].tolist()}


@dataclass
class Write:
    """One request: what each key it touches was before it, and is after it (None: not there)."""
    kind: str
    before: Dict[int, Optional[int]]
    after: Dict[int, Optional[int]]


@dataclass
class Ledger:
    live: Dict[int, int] = field(default_factory=dict)
    pending: Optional[Write] = None
    acknowledged: Dict[str, int] = field(default_factory=dict)

    def begin(self, kind: str, after: Dict[int, Optional[int]]) -> None:
        assert self.pending is None, "one write at a time"
        self.pending = Write(kind, {k: self.live.get(k) for k in after}, after)

    def acknowledge(self) -> None:
        self.acknowledged[self.pending.kind] = self.acknowledged.get(self.pending.kind, 0) + 1
        self._take(self.pending.after)

    def refuse(self) -> None:
        self.pending = None

    def _take(self, state: Dict[int, Optional[int]]) -> None:
        for key, version in state.items():
            if version is None:
                self.live.pop(key, None)
            else:
                self.live[key] = version
        self.pending = None

    def settle(self, found: Dict[int, int]) -> List[str]:
        """Compares with what was read (all keys of this writer); decides the fate of the pending write. Returns what is wrong."""
        problems = []
        if self.pending is not None:
            write = self.pending
            seen = {k: found.get(k) for k in write.after}
            if seen == write.after:
                self._take(write.after)
            elif seen == write.before:
                self._take(write.before)
            else:
                as_after = sum(seen[k] == write.after[k] != write.before[k] for k in seen)
                problems.append(f"a {write.kind} of {len(seen)} keys without an answer is there in part: {as_after} of them")
                self._take(seen)
        missing = [k for k in self.live if k not in found]
        extra = [k for k in found if k not in self.live]
        older = [k for k, v in self.live.items() if k in found and found[k] != v]
        if missing:
            problems.append(f"{len(missing)} acknowledged rows are missing, for example {missing[:5]}")
        if extra:
            problems.append(f"{len(extra)} rows are there that were deleted or never acknowledged, for example {extra[:5]}")
        if older:
            problems.append(f"{len(older)} rows have another version than the last acknowledged, for example "
                            f"{[(k, 'has', found[k], 'want', self.live[k]) for k in older[:3]]}")
        self.live = dict(found)  # report a problem once, not in each cycle after it
        return problems


@dataclass
class Catalogue:
    """The same for DDL: name -> what there is of it, as plain values; one statement at a time."""
    now: Dict[str, tuple] = field(default_factory=dict)
    pending: Optional[tuple] = None  # kind, name, value before, value after; None: no such collection
    acknowledged: Dict[str, int] = field(default_factory=dict)

    def begin(self, kind: str, name: str, after: Optional[tuple]) -> None:
        assert self.pending is None, "one statement at a time"
        self.pending = (kind, name, self.now.get(name), after)

    def acknowledge(self) -> None:
        kind, name, _, after = self.pending
        self.acknowledged[kind] = self.acknowledged.get(kind, 0) + 1
        self._take(name, after)

    def refuse(self) -> None:
        self.pending = None

    def _take(self, name: str, value: Optional[tuple]) -> None:
        if value is None:
            self.now.pop(name, None)
        else:
            self.now[name] = value
        self.pending = None

    def settle(self, found: Dict[str, tuple]) -> List[str]:
        problems = []
        if self.pending is not None:
            kind, name, before, after = self.pending
            seen = found.get(name)
            if seen in (before, after):
                self._take(name, seen)
            else:
                problems.append(f"a {kind} of {name} without an answer left {seen}, which is neither {before} nor {after}")
                self._take(name, seen)
        for name in sorted(set(self.now) | set(found)):
            if self.now.get(name) != found.get(name):
                problems.append(f"collection {name} is {found.get(name)}, acknowledged was {self.now.get(name)}")
        self.now = dict(found)
        return problems
