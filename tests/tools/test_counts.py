"""./test counts what the runners report, and a runner that dies is a failure and not a silence."""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from testing.counts import Counts, from_gtest, from_junit  # noqa: E402


def test_gtest_report_counts_passed_failed_and_skipped(tmp_path):
    tests = [{"name": "A", "status": "RUN", "result": "COMPLETED"}, {"name": "B", "status": "RUN", "result": "COMPLETED", "failures": [{}]},
             {"name": "C", "status": "RUN", "result": "SKIPPED"}, {"name": "D", "status": "NOTRUN", "result": "SUPPRESSED"}]
    report = tmp_path / "r.json"
    report.write_text(json.dumps({"testsuites": [{"name": "S", "testsuite": tests}]}))
    counts = from_gtest(report)
    assert (counts.passed, counts.failed, counts.skipped) == (1, 1, 2)
    assert "S.B failed" in counts.notes[0]


def test_junit_report_counts_an_error_in_teardown_once(tmp_path):
    report = tmp_path / "r.xml"
    report.write_text('<testsuites><testsuite><testcase classname="m" name="a"/><testcase classname="m" name="a"><error/></testcase>'
                      '<testcase classname="m" name="b"/><testcase classname="m" name="c"><skipped/></testcase>'
                      '<testcase classname="m" name="d"><failure/></testcase></testsuite></testsuites>')
    counts = from_junit(report)
    assert (counts.passed, counts.failed, counts.skipped) == (1, 2, 1)


def test_counts_add_up():
    total = sum([Counts(1, 2, 3, ["x"]), Counts(4, 0, 0)], Counts())
    assert (total.passed, total.failed, total.skipped, total.notes) == (5, 2, 3, ["x"])
