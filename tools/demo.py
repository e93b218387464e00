"""./demo once the packages are there: build, start, load, show. Run by build/venv/bin/python."""
import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from showing.progress import Bar, Failure, bold  # noqa: E402

COLLECTION = "words"
ALL_WORDS = 400_000
LAYOUT = 1  # of demo-data/: raise it when the collection changes, and the demo loads anew
BATCH = 5000
FREE_BYTES_NEEDED = 1_500_000_000


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./demo", description="Elanus with 400,000 word vectors: builds, starts, loads, shows.")
    parser.add_argument("--words", type=int, default=ALL_WORDS, help="how many of the most frequent words (default 400000; 20000 is quick)")
    parser.add_argument("--port", type=int, default=19530)
    parser.add_argument("--metrics-port", type=int, default=9091)
    parser.add_argument("--uri", help="show on a server that runs already; nothing is built or started")
    parser.add_argument("--fresh", action="store_true", help="throw demo-data/ away first")
    args = parser.parse_args()
    if not 2000 <= args.words <= ALL_WORDS:
        parser.error("--words takes 2000 to 400000")
    return args


# --- the server ------------------------------------------------------------------------------------------------------

class Server:
    def __init__(self, program: Path, data: Path, port: int, metrics_port: int):
        for what, number in (("port", port), ("metrics-port", metrics_port)):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", number))
                except OSError:
                    raise Failure(f"port {number} is taken: stop what runs there, or choose another with ./demo --{what} N")
        self.log = data.parent / "server.log"
        command = [str(program), "serve", "--data", str(data), "--host", "127.0.0.1", "--port", str(port), "--metrics-port", str(metrics_port)]
        began = time.monotonic()
        with self.log.open("w") as out:
            # In a group of its own: Ctrl-C at the terminal reaches the demo alone, which then stops the server properly.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        while True:
            if self.process.poll() is not None or time.monotonic() - began > 30:
                last = (self.log.read_text(errors="replace").strip().splitlines() or ["no output"])[-1]
                self.stop()
                raise Failure(f"the server did not start ({last[:200]}); its log is {self.log.relative_to(ROOT)}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.002)
        print(f"  {'server ready':22} {f'port {port}':24} {time.monotonic() - began:6.3f} s")

    def resident_bytes(self) -> int:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) * 1024

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def bytes_of(folder: Path) -> int:
    """Blocks in use, so that log files made ahead count for what they take."""
    return sum(f.stat().st_blocks * 512 for f in folder.rglob("*") if f.is_file())


# --- loading ---------------------------------------------------------------------------------------------------------

def load(client, data) -> None:
    from pymilvus import DataType
    client.drop_collection(COLLECTION)
    schema = client.create_schema(auto_id=False, description="GloVe 6B: English words by frequency")
    schema.add_field("rank", DataType.INT64, is_primary=True)
    schema.add_field("word", DataType.VARCHAR, max_length=256)
    schema.add_field("length", DataType.INT32)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=data.vectors.shape[1])
    indexes = client.prepare_index_params()
    indexes.add_index("vector", index_type="AUTOINDEX", metric_type="COSINE")
    client.create_collection(COLLECTION, schema=schema, index_params=indexes, consistency_level="Strong")
    total = len(data.words)
    with Bar("loading words", total, "words") as bar:
        for start in range(0, total, BATCH):
            rows = [{"rank": int(data.ranks[i]), "word": data.words[i], "length": len(data.words[i]), "vector": data.vectors[i]}
                    for i in range(start, min(start + BATCH, total))]
            client.insert(COLLECTION, rows)
            bar.to(start + len(rows))
    with Bar("building the index", total, "rows indexed") as bar:
        client.flush(COLLECTION)
        while True:
            about = client.describe_index(COLLECTION, "vector")
            if about["state"] == "Failed":
                raise Failure(f"the index build failed: {about.get('index_state_fail_reason')}")
            bar.to(int(about["indexed_rows"]))
            if about["state"] == "Finished" and int(about["pending_index_rows"]) == 0:
                return
            time.sleep(0.2)


# --- showing ---------------------------------------------------------------------------------------------------------

def show(client, data) -> None:
    place = {w: i for i, w in enumerate(data.words)}
    search = dict(output_fields=["word"], consistency_level="Strong")

    def words_of(hits) -> str:
        return ", ".join(f"{h['entity']['word']} {h['distance']:.2f}" for h in hits)

    print(bold("\nNearest words"))
    for word in [w for w in ("paris", "guitar", "seventeen", "gracefully", "quantum") if w in place][:4]:
        hits = client.search(COLLECTION, [data.vectors[place[word]]], limit=6, **search)[0]
        print(f"  {word:14} {words_of([h for h in hits if h['entity']['word'] != word][:5])}")

    print(bold("\nArithmetic"))
    for plus, minus, also in (("king", "man", "woman"), ("paris", "france", "japan"), ("walked", "walk", "swim")):
        if all(w in place for w in (plus, minus, also)):
            v = data.vectors[place[plus]] - data.vectors[place[minus]] + data.vectors[place[also]]
            hits = client.search(COLLECTION, [v], limit=3, filter=f"word not in ['{plus}', '{minus}', '{also}']", **search)[0]
            print(f"  {f'{plus} - {minus} + {also}':26} {words_of(hits)}")

    print(bold("\nWith a filter"))
    for word, text in (("music", "length <= 4"), ("music", f"rank > {int(data.ranks[-1]) // 2}"), ("water", 'word like "un%"')):
        if word in place:
            hits = client.search(COLLECTION, [data.vectors[place[word]]], limit=5, filter=text, **search)[0]
            print(f"  {f'{word}, {text}':26} {words_of(hits)}")


def measure(client, data) -> None:
    import numpy as np
    from showing.words import nearest
    print(bold(f"\n{len(data.asked_words):,} words it has not seen, 10 nearest of each"))
    expected = nearest(data.asked_vectors, data.vectors, 10)
    queries = [[v.tolist()] for v in data.asked_vectors]
    for query in queries[:50]:
        client.search(COLLECTION, query, limit=10)
    seconds, found = [], 0
    began = time.monotonic()
    for query, want in zip(queries, expected):
        start = time.perf_counter()
        hits = client.search(COLLECTION, query, limit=10)[0]
        seconds.append(time.perf_counter() - start)
        found += len({h["rank"] if "rank" in h else h["id"] for h in hits} & set(data.ranks[want].tolist()))
    total = time.monotonic() - began
    p50, p99 = np.percentile(np.array(seconds) * 1000, [50, 99])
    print(f"  recall@10 {found / expected.size:.3f} against brute force; {len(queries) / total:,.0f} searches a second from this one Python client, "
          f"p50 {p50:.2f} ms, p99 {p99:.2f} ms")


def sizes(server: Server, folder: Path, rows: int, dim: int) -> None:
    raw = rows * dim * 4
    print(f"  memory {server.resident_bytes() / 1e6:,.0f} MB, disk {bytes_of(folder) / 1e6:,.0f} MB; the vectors alone are {raw / 1e6:,.0f} MB")


# --- the run ---------------------------------------------------------------------------------------------------------

def run(args: argparse.Namespace) -> None:
    from showing import build, words
    home = ROOT / "demo-data"
    if args.fresh:
        shutil.rmtree(home, ignore_errors=True)
    home.mkdir(exist_ok=True)
    stamp_file, stamp = home / "stamp.json", {"layout": LAYOUT, "words": args.words}
    try:
        ready = json.loads(stamp_file.read_text()) == stamp
    except (OSError, ValueError):
        ready = False
    if not ready and shutil.disk_usage(home).free < FREE_BYTES_NEEDED and not args.uri:
        raise Failure(f"the disk has {shutil.disk_usage(home).free / 1e9:.1f} GB free, the demo needs {FREE_BYTES_NEEDED / 1e9:.1f} GB: make room, or try ./demo --words 20000")

    program = None if args.uri else build.server(ROOT)
    with Bar("reading words") as bar:
        data = words.load(ROOT / "build" / "cache", args.words)
        bar.note = f"{len(data.words):,} + {len(data.asked_words):,} held out"
    store = home / "server"
    if not ready and not args.uri:
        stamp_file.unlink(missing_ok=True)
        shutil.rmtree(store, ignore_errors=True)

    server = None if args.uri else Server(program, store, args.port, args.metrics_port)
    try:
        from pymilvus import MilvusClient
        uri = args.uri or f"http://127.0.0.1:{args.port}"
        client = MilvusClient(uri)
        if not ready or args.uri:
            load(client, data)
            if server:
                stamp_file.write_text(json.dumps(stamp))
        show(client, data)
        measure(client, data)
        if server:
            sizes(server, store, len(data.words), data.vectors.shape[1])
            if sys.stdin.isatty() and sys.stdout.isatty():
                serve_on(server, uri, args)
        client.close()
    finally:
        if server:
            server.stop()


def serve_on(server: Server, uri: str, args: argparse.Namespace) -> None:
    print(bold("\nServing on") + f" {uri} (gRPC and REST), metrics on http://127.0.0.1:{args.metrics_port}/metrics. From another terminal:")
    print(f"""
    build/venv/bin/python
    >>> from pymilvus import MilvusClient
    >>> client = MilvusClient("{uri}")
    >>> client.query("{COLLECTION}", filter='word == "queen"', output_fields=["rank"])
""")
    print("Ctrl-C stops it; the data stays in demo-data/ for the next run.", flush=True)
    try:
        code = server.process.wait()
        raise Failure(f"the server ended with {code}; its log is {server.log.relative_to(ROOT)}")
    except KeyboardInterrupt:
        print("\rstopping")


def main() -> int:
    try:
        run(arguments())
        return 0
    except Failure as failure:
        problem = str(failure)
    except KeyboardInterrupt:
        problem = "stopped"
    except BrokenPipeError:  # what reads our lines went away: ./demo | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        problem = "the disk is full: make room and run ./demo again" if error.errno == 28 else str(error)
    except Exception as error:  # a server that answered with an error, or a bug: one line, and where to look
        if os.environ.get("ELANUS_DEMO_TRACE"):
            raise
        problem = f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else ''}; the server's log is demo-data/server.log"
    print(f"\ndemo: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
