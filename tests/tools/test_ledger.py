"""The crash test's book-keeping finds each kind of loss: otherwise a green crash test would say nothing."""
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "crash"))
from ledger import Catalogue, Ledger, vectors  # noqa: E402


@pytest.fixture
def ledger():
    made = Ledger()
    made.begin("insert", {k: 1 for k in range(10)})
    made.acknowledge()
    return made


def test_what_was_acknowledged_and_is_there_is_fine(ledger):
    assert ledger.settle({k: 1 for k in range(10)}) == []


def test_a_missing_row_is_found(ledger):
    assert "1 acknowledged rows are missing" in ledger.settle({k: 1 for k in range(9)})[0]


def test_a_row_that_came_back_is_found(ledger):
    ledger.begin("delete", {3: None})
    ledger.acknowledge()
    assert "deleted or never acknowledged" in ledger.settle({k: 1 for k in range(10)})[0]


def test_an_older_version_is_found(ledger):
    ledger.begin("upsert", {3: 2})
    ledger.acknowledge()
    assert "another version" in ledger.settle({k: 1 for k in range(10)})[0]


def test_a_refused_write_must_not_be_there(ledger):
    ledger.begin("insert", {100: 1})
    ledger.refuse()
    assert "never acknowledged" in ledger.settle({**{k: 1 for k in range(10)}, 100: 1})[0]


@pytest.mark.parametrize("came_through", [True, False])
def test_a_write_without_an_answer_is_whole_or_nothing_and_stays_so(ledger, came_through):
    before = {k: 1 for k in range(10)}
    after = {**{k: 1 for k in range(8)}, 8: 2, 100: 1}
    ledger.begin("upsert", {8: 2, 9: None, 100: 1})
    found, other = (after, before) if came_through else (before, after)
    assert ledger.settle(found) == []
    assert ledger.settle(found) == []
    assert ledger.settle(other) != [], "it may not change its mind"


def test_half_a_write_is_found(ledger):
    ledger.begin("insert", {100: 1, 101: 1})
    assert "there in part: 1 of them" in ledger.settle({**{k: 1 for k in range(10)}, 100: 1})[0]


def test_the_catalogue_is_held_to_the_same():
    book = Catalogue()
    book.begin("create", "a", (("_default",), 0))
    book.acknowledge()
    assert book.settle({"a": (("_default",), 0)}) == []
    book.begin("drop", "a", None)
    assert book.settle({}) == [] and book.settle({}) == []
    assert book.settle({"a": (("_default",), 0)}) != [], "a dropped collection came back"
    book.begin("create", "b", (("_default",), 0))
    assert "neither" in book.settle({"a": (("_default",), 0), "b": (("_default", "p"), 0)})[0]


def test_vectors_tell_keys_and_versions_apart():
    made = vectors(list(range(1000)) * 2, [1] * 1000 + [2] * 1000)
    assert made.dtype == np.float32 and len(np.unique(made, axis=0)) == 2000 and np.abs(made).max() <= 1
    assert (vectors([5], [7]) == vectors([5], [7])).all()
