"""Qdrant's engine in a process of its own, in the peer's environment: one call as a line of JSON in, its answer as one out. Started by qdrant.py."""
import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

import qdrant_edge as q

import dataset

K = 10


class Shard:
    def __init__(self, args):
        self.data = dataset.load(args.cache, args.rows)
        self.vectors = [v.tolist() for v in self.data.queries]
        self.expected = {}
        self.folder = args.out / "data" / args.name
        self.coded = "int8" in args.name
        self.resident_before = self.resident()
        if args.again:
            codes = q.ScalarQuantizationConfig(type=q.ScalarType.Int8, quantile=0.99, memory=q.Memory.Pinned) if self.coded else None
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            self.shard = q.EdgeShard.create(str(self.folder), q.EdgeConfig(
                vectors=q.EdgeVectorParams(size=dataset.DIM, distance=q.Distance.Cosine), hnsw_config=q.HnswIndexConfig(m=16, ef_construct=200, full_scan_threshold=10),
                quantization_config=codes, optimizers=q.EdgeOptimizersConfig(default_segment_number=1, max_segment_size=10**9, indexing_threshold=1000), max_search_threads=1))
        else:
            self.shard = q.EdgeShard.load(str(self.folder))

    @staticmethod
    def resident() -> int:
        """Pages of mapped files count: they are its vectors."""
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def load(self) -> dict:
        data, rows = self.data, len(self.data.base)
        cpu = time.process_time()
        for first in range(0, rows, 2000):
            last = min(rows, first + 2000)
            points = [q.Point(id=i, vector=v, payload={"part": part, "word": word})
                      for i, v, part, word in zip(range(first, last), data.base[first:last].tolist(), data.parts[first:last].tolist(), data.words[first:last])]
            self.shard.update(q.UpdateOperation.upsert_points(points))
        self.shard.update(q.UpdateOperation.create_field_index("part", q.PayloadSchemaType.Integer))
        while self.shard.optimize():
            pass
        self.shard.flush()
        cpu = time.process_time() - cpu
        self.shard.close()
        return {"cpu": cpu, "disk": sum(p.stat().st_blocks * 512 for p in self.folder.rglob("*") if p.is_file())}

    def memory(self) -> dict:
        return {"bytes": self.resident() - self.resident_before, "segments": self.shard.info().segments_count}

    def search(self, ef: int, below: int, rounds: int) -> dict:
        if below not in self.expected:
            self.expected[below] = self.data.nearest(K, below)
        part = q.Filter(must=[q.FieldCondition(key="part", range=q.RangeFloat(lt=below))]) if below < 1000 else None
        codes = q.QuantizationSearchParams(rescore=True, oversampling=2.0) if self.coded else None
        params = q.SearchParams(hnsw_ef=ef, quantization=codes)
        asked = [q.SearchRequest(query=q.Query.Nearest(v), limit=K, filter=part, params=params) for v in self.vectors]
        cpu = time.process_time()
        for _ in range(rounds):
            found = [self.shard.search(request) for request in asked]
        cpu = (time.process_time() - cpu) / (rounds * len(asked))
        want = self.expected[below]
        right = sum(len({hit.id for hit in hits} & set(ids.tolist())) for hits, ids in zip(found, want))
        return {"recall": right / want.size, "cpu": cpu, "short": sum(len(hits) < want.shape[1] for hits in found)}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", required=True, help="with int8 in it: codes")
    parser.add_argument("--again", action="store_true", help="a new, empty shard")
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    shard = Shard(parser.parse_args())
    for line in sys.stdin:
        call = json.loads(line)
        print(json.dumps(getattr(shard, call.pop("call"))(**call)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
