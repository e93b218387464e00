"""Every part of ./test asks for something that is there: a long part must not find out after an hour that it never could."""
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import test as parts  # noqa: E402
from testing.counts import Counts  # noqa: E402


class NothingDone:
    def done(self, _):
        return None

    def mark(self, *_):
        raise AssertionError("nothing ran")


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
        yield name, lambda name=name: parts.SHORT[name](NothingDone())
    for name in ("large_iterators", "sync_mutants"):
        yield name, lambda name=name: getattr(parts, name)()
    yield "sim", lambda: parts.crash_sim(parts.LONG_SIM_SEEDS)
    yield "kills", lambda: parts.crash(parts.LONG_CRASH_CHUNK)
    yield "fuzz", lambda: parts.fuzz(NothingDone())


@pytest.mark.parametrize("name, unit", list(units()), ids=[name for name, _ in units()])
def test_a_part_names_scripts_and_folders_that_are_there(commands, name, unit):
    assert unit().failed
    assert commands
    for command in commands:
        for word in command[1:]:
            assert len(word) > 1 or word.isdigit(), f"one letter of a text that should be a list: {command}"
            if word.startswith(("tests/", "tools/")):
                assert (ROOT / word).exists(), f"{word} is not there"
