"""The rows of the table, in the order of the page, and the table itself out of measured values."""
import statistics
from typing import Dict, List

FILTERS = {"50 %": 500, "10 %": 100, "1 %": 10, "0.1 %": 1}  # share of the rows: `part` below

# measure, unit, what the project aims at: a ratio of Elanus to the first peer, or None
ROWS = [
    ("server CPU a query, recall .95, 8 clients", "us", "<= 1/8"),
    ("server CPU a query, recall .99, 8 clients", "us", "<= 1/8"),
    ("QPS, recall .95, 8 clients", "/s", ">= 5"),
    ("QPS, recall .99, 8 clients", "/s", ">= 5"),
    ("p99, recall .95, 8 clients", "ms", "<= 1/4"),
    ("QPS, recall .95, 1 client", "/s", ">= 3"),
    ("QPS, recall .95, 1 client, word returned", "/s", ">= 3"),
    *[row for share in FILTERS for row in ((f"QPS, filtered to {share}, 8 clients", "/s", ">= 3"),
                                           (f"recall, filtered to {share}", "", ">= .95"),
                                           (f"answers with fewer rows than asked, {share}", "", "0"),
                                           (f"server CPU a query, filtered to {share}", "us", ""))],
    ("QPS through pymilvus, recall .95, 8 clients", "/s", ""),
    ("p99 through pymilvus, recall .95, 8 clients", "ms", ""),
    ("QPS through pymilvus, recall .95, 1 client", "/s", ""),
    ("one row inserted, then seen by a Strong search, p50", "ms", "<= 10 ms"),
    *[(f"{what}, {clients}, {when}", unit, "<= 2 x quiet" if what == "p99" and when != "quiet" else "")
      for clients in ("1 client", "8 clients") for what, unit in (("p99", "ms"), ("QPS", "/s")) for when in ("quiet", "beside a build")],
    ("all rows inserted", "s", "<= 1/3"),
    ("rows inserted through pymilvus", "/s", ""),
    ("all rows indexed", "s", "<= 1/3"),
    ("CPU until indexed", "s", ""),
    ("memory, loaded", "MB", "<= 250 MB"),
    ("memory, after the searches", "MB", ""),
    ("disk", "MB", "<= 300 MB"),
    ("stop", "s", "<= 5 s"),
    ("restart until the first right answer", "s", "<= 1 s"),
    ("restart after kill -9 until the first right answer", "s", "<= 2 s"),
    ("first start", "s", "<= 0.1 s"),
    ("memory, empty", "MB", "<= 47 MB"),
    ("CPU when idle", "% of a core", "<= 0.1 %"),
    ("ef for recall .95", "", ""),
    ("ef for recall .99", "", ""),
    ("CPU a query of the client itself", "us", ""),
]


def _cell(value, unit: str) -> str:
    if value is None:
        return "-"
    digits = 0 if value >= 100 or value == int(value) else 3 if value < 1 else 1
    return f"{value:,.{digits}f} {unit}".strip()


def table(values: Dict[str, Dict[str, List[float]]]) -> str:
    """Medians of each server, and the first one's ratio to each other one."""
    names = list(values)
    heads = ["measure", *names, *[f"{names[0]} : {name}" for name in names[1:]], "aim"]
    lines = [heads, ["---"] * len(heads)]
    for what, unit, aim in ROWS:
        medians = [statistics.median(values[name][what]) if values[name].get(what) else None for name in names]
        if all(median is None for median in medians):
            continue
        ratios = [f"{medians[0] / other:.3g}" if medians[0] is not None and other else "" for other in medians[1:]]
        lines.append([what, *[_cell(median, unit) for median in medians], *ratios, aim])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
