"""st_ filters over places, with an index, without, and beside shapely's STRtree, in one interleaved run.

    shapes.py [--rows 1000000] [--rounds 7] [--bench build/release/bench/query/query_bench] [--dir DIR]

Needs numpy and shapely (an environment of their own: GEOS and its packed tree, as a yardstick). Elanus runs in two processes of one
thread, whose answers must be equal to one another and to shapely's; what counts is CPU time, for Elanus with parsing. shapely knows
no distance on the globe: st_dwithin has no peer here.
"""

import os
import statistics
import sys
import time

import numpy as np
import shapely
from compare import Ours, arguments, make


def ring(x, y, half, corners):
    """A polygon around a place, a star with an even number of corners."""
    turns = np.arange(corners) * 2 * np.pi / corners
    far = half * np.where(np.arange(corners) % 2 == 0, 1, 0.5)
    return shapely.Polygon(np.stack([x + far * np.cos(turns), y + far * np.sin(turns)], axis=1))


# name, predicate, shape or metres
QUESTIONS = [
    ("st_within a box of 0.01 % of the map", "within", shapely.box(10, 20, 13, 22)),
    ("st_within a box of 1 %", "within", shapely.box(-50, -10, -14, 7)),
    ("st_within a box of a quarter", "within", shapely.box(-90, -45, 90, 40)),
    ("st_within a star of 40 corners, 0.5 %", "within", ring(40, 30, 16, 40)),
    ("st_within a star of 1,000 corners, 0.5 %", "within", ring(40, 30, 16, 1000)),
    ("st_intersects a line of 3 pieces", "intersects", shapely.LineString([(-5, -5), (0, 4), (9, 2), (14, 14)])),
    ("st_intersects a triangle of 0.1 %", "intersects", shapely.Polygon([(100, 10), (112, 10), (106, 20)])),
    ("st_equals a place", "equals", None),
    ("st_dwithin 100 km", "dwithin", 100_000),
    ("st_dwithin 1,000 km", "dwithin", 1_000_000),
]


# the same, seen from the shape; of two points, who meet are equal
ASKED = {"within": "contains", "intersects": "intersects", "equals": "intersects"}


def main():
    options = arguments().parse_args()
    make(options.rows, options.dir)
    scan, tree = (Ours(options.bench, options.dir, options.rows, indexed) for indexed in (False, True))
    print(f"scan {scan.ready()}; index {tree.ready()}; shapely {shapely.__version__}, GEOS {shapely.geos_version_string}", flush=True)
    places = np.fromfile(os.path.join(options.dir, "p")).reshape(-1, 2)
    points = shapely.points(places)
    peer = shapely.STRtree(points)
    peer.query(points[0])  # it is built by the first question

    def ask_peer(predicate, shape, repeat):
        start = time.process_time()
        for _ in range(repeat):
            found = peer.query(shape, predicate=ASKED[predicate])
        return len(found), (time.process_time() - start) / repeat

    print(f"\n| {options.rows:,} places | rows | scan, ms CPU | index, ms CPU | scan : index | shapely STRtree, ms CPU | index : shapely |\n| --- | --- | --- | --- | --- | --- | --- |")
    for name, predicate, shape in QUESTIONS:
        if predicate == "dwithin":
            text = f"st_dwithin(p, 'POINT (8.5 47.4)', {shape})"
        else:
            shape = points[options.rows // 3] if shape is None else shape
            text = f"st_{predicate}(p, '{shapely.to_wkt(shape, rounding_precision=-1)}')"
        sides = [lambda n: scan.ask(("count", text), n), lambda n: tree.ask(("count", text), n)]
        if predicate != "dwithin":
            sides.append(lambda n: ask_peer(predicate, shape, n))
        first = [side(1) for side in sides]
        assert len({count for count, _ in first}) == 1, f"{name}: {first}"
        repeats = [max(1, min(2000, int(0.05 / max(side(1)[1], 1e-6)))) for side in sides]
        rounds = [[side(n)[1] for side, n in zip(sides, repeats)] for _ in range(options.rounds)]
        middle = [statistics.median(r[i] for r in rounds) * 1e3 for i in range(len(sides))]
        beside = statistics.median(r[0] / r[1] for r in rounds)
        ours = f"| {name} | {first[0][0]:,.0f} | {middle[0]:.4g} | {middle[1]:.4g} | {beside:.3g} |"
        print(ours + (f" {middle[2]:.4g} | {statistics.median(r[1] / r[2] for r in rounds):.3g} |" if len(sides) == 3 else " | |"), flush=True)
    for side in (scan, tree):
        side.process.stdin.close()
        side.process.wait()


if __name__ == "__main__":
    sys.exit(main())
