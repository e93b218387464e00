"""Every part of ./test asks for something that is there: a long part must not find out after an hour that it never could."""
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import test as parts  # noqa: E402
from testing.counts import Counts  # noqa: E402


class Marks:
    """What was green already, and what became so."""

    def __init__(self, **done):
        self.green = dict(done)

    def done(self, name):
        return self.green.get(name)

    def mark(self, name, value):
        assert name not in self.green
        self.green[name] = value


@pytest.fixture
def commands(monkeypatch, tmp_path):
    """The commands that parts ask for; none is run, all end with an error."""
    asked = []

    def run(_, command, minutes, env=None):
        assert isinstance(command, list) and all(isinstance(word, str) for word in command), command
        assert 0 < minutes < 45, command
        asked.append(command)
        return 1

    monkeypatch.setattr(parts, "run", run)
    monkeypatch.setattr(parts, "build", lambda *_, **__: Counts(1, 0))
    monkeypatch.setattr(parts, "has_server", lambda _: True)
    monkeypatch.setattr(parts, "failure", lambda name, what: Counts(0, 1, notes=[what]))
    monkeypatch.setattr(parts, "LOGS", tmp_path)
    return asked


def units():
    for name in parts.SHORT.keys() - {"build", "unit"}:
        yield name, lambda name=name: parts.SHORT[name](Marks())
    for name in ("large_iterators", "sync_mutants"):
        yield name, lambda name=name: getattr(parts, name)()
    yield "sim", lambda: parts.crash_sim(parts.LONG_SIM_SEEDS)
    yield "kills", lambda: parts.crash(parts.LONG_CRASH_CHUNK)
    yield "fuzz", lambda: parts.fuzz(Marks())


@pytest.mark.parametrize("name, unit", list(units()), ids=[name for name, _ in units()])
def test_a_part_names_scripts_and_folders_that_are_there(commands, name, unit):
    assert unit().failed
    assert commands
    for command in commands:
        for word in command[1:]:
            assert len(word) > 1 or word.isdigit(), f"one letter of a text that should be a list: {command}"
            if word.startswith(("tests/", "tools/")):
                assert (ROOT / word).exists(), f"{word} is not there"


def test_a_part_that_was_stopped_goes_on_where_it_was():
    ran = []

    def one(name, **counts):
        return lambda: ran.append(name) or Counts(**counts)

    marks = Marks(a={"passed": 7})
    units = {"a": one("a"), "b": one("b", passed=3), "c": one("c", passed=1, failed=1), "d": one("d", passed=5)}
    counts = parts.in_turn(marks, Counts(1, 0), units)
    assert ran == ["b", "c"] and (counts.passed, counts.failed) == (12, 1)
    assert marks.green == {"a": {"passed": 7}, "b": {"passed": 3}}, "what failed is run again"
    counts = parts.in_turn(marks, Counts(1, 0), units, go_on=True)
    assert ran == ["b", "c", "c", "d"] and (counts.passed, counts.failed) == (17, 1)


@pytest.mark.parametrize("part", ["asan", "tsan", "crash"])
def test_the_long_parts_keep_what_was_green(monkeypatch, part):
    monkeypatch.setattr(parts, "build", lambda *_, **__: Counts(1, 0))
    for name in ("unit", "crash_sim", "e2e", "large_iterators", "sync_mutants", "crash"):
        monkeypatch.setattr(parts, name, lambda *_, **__: Counts(2, 0))
    marks = Marks()
    first = parts.LONG[part](marks)
    for name in ("unit", "crash_sim", "e2e", "large_iterators", "sync_mutants", "crash"):
        monkeypatch.setattr(parts, name, lambda *_, **__: Counts(0, 1))
    assert parts.LONG[part](marks) == first == Counts(1 + 2 * len(marks.green), 0)
