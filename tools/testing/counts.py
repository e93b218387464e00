"""How many tests passed and failed, read from the reports of the runners."""
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path
from typing import List


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    notes: List[str] = field(default_factory=list)

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped, self.notes + other.notes)

    def line(self, name: str, seconds: float, remark: str = "") -> str:
        what = f"{self.passed} passed" + (f", {self.failed} FAILED" if self.failed else "") + (f", {self.skipped} skipped" if self.skipped else "")
        return f"{name:12} {what:36} {remark or f'{seconds:.1f} s'}"


def from_gtest(report: Path) -> Counts:
    """GoogleTest's --gtest_output=json:FILE."""
    counts = Counts()
    for suite in json.loads(report.read_text()).get("testsuites", []):
        for test in suite["testsuite"]:
            if test.get("failures"):
                counts.failed += 1
                counts.notes.append(f"    {suite['name']}.{test['name']} failed")
            elif test.get("status") == "RUN" and test.get("result") != "SKIPPED":
                counts.passed += 1
            else:
                counts.skipped += 1
    return counts


def from_junit(report: Path) -> Counts:
    """pytest's --junitxml=FILE. A test with an error in its teardown has two entries of one name: it failed once."""
    outcome = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        kinds = {child.tag for child in case}
        this = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        if outcome.get(name) != "failed":
            outcome[name] = this
    counts = Counts()
    for name, this in outcome.items():
        setattr(counts, this, getattr(counts, this) + 1)
        if this == "failed":
            counts.notes.append(f"    {name} failed")
    return counts


def from_json(report: Path) -> Counts:
    """Our own runners' {passed, failed}."""
    data = json.loads(report.read_text())
    return Counts(data["passed"], data["failed"])
