"""What a person sees while waiting: a bar on a terminal, one line when done everywhere."""
import shutil
import sys
import time


class Failure(Exception):
    """Ends the demo with one clear line and the next step."""


def bold(text: str) -> str:
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


class Bar:
    """with Bar("loading words", total, "words") as bar: bar.to(done)"""

    def __init__(self, what: str, total: float = 0, unit: str = ""):
        self.what, self.total, self.unit = what, total, unit
        self.done, self.note = 0.0, ""
        self.began, self.drawn = time.monotonic(), 0.0
        self.live = sys.stdout.isatty()

    def __enter__(self) -> "Bar":
        self._draw()
        return self

    def to(self, done: float, note: str = "") -> None:
        self.done, self.note = done, note
        if time.monotonic() - self.drawn > 0.1:
            self._draw()

    def _draw(self) -> None:
        self.drawn = time.monotonic()
        if not self.live:
            return
        seconds = self.drawn - self.began
        if self.total:
            share = min(1.0, self.done / self.total)
            bar = "█" * int(share * 24) + "·" * (24 - int(share * 24))
            left = f", {seconds / share - seconds:.0f} s left" if share > 0.02 and seconds > 2 else ""
            text = f"  {self.what:22} {bar} {share:4.0%}{left}"
        else:
            text = f"  {self.what:22} {'.' * (1 + int(seconds * 2) % 24):24} {seconds:.0f} s"
        text += f"  {self.note}" if self.note else ""
        width = shutil.get_terminal_size().columns - 1
        print("\r" + text[:width].ljust(width), end="", flush=True)

    def __exit__(self, kind, value, trace) -> None:
        seconds = time.monotonic() - self.began
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            print("\r" + " " * width + "\r", end="")
        if kind is None:
            amount = f"{self.total:,.0f} {self.unit}" if self.total and self.unit else (self.note or "done")
            print(f"  {self.what:22} {amount:24} {seconds:6.1f} s", flush=True)
