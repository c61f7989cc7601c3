"""A program in a pseudo-terminal: what its screen shows, and a recording of it.

    python tests/terminal.py docs/images/demo snakemake --configfile config/demo.yaml

writes a recording in asciinema's text format (.cast, eight times as fast) and the fullest screen as .svg.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import sys
import termios
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pyte

COLUMNS, ROWS = 110, 30
FASTER = 8  # a recording than what it shows


class Terminal:
    """A command under a pseudo-terminal of its own session; `screen` is what a user would see now."""

    def __init__(self, command: list[str], cwd: Path, environment: Mapping[str, str]) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.events: list[tuple[float, str]] = []
        self.written = ""  # everything, with control sequences
        self.code: int | None = None
        self._stream = pyte.Stream(self.screen)
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a program started in the background ignores it
            os.chdir(cwd)
            os.execvpe(command[0], command, {**environment, "TERM": "xterm-256color"})
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        pending = b""
        while True:
            try:
                data = os.read(self._fd, 65536)
            except OSError:  # the other side is closed
                break
            if not data:
                break
            text = (pending + data).decode("utf-8", errors="ignore")
            pending = b""
            with self._lock:
                self.written += text
                self.events.append((time.monotonic() - self._started, text))
                self._stream.feed(text)
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def lines(self) -> list[str]:
        """The screen's lines that are not empty."""
        with self._lock:
            return [line.rstrip() for line in self.screen.display if line.strip()]

    def wait_for(self, text: str, seconds: float = 1800) -> list[str]:
        """The screen as soon as it shows a text."""
        deadline = time.monotonic() + seconds
        while text not in "\n".join(shown := self.lines()):
            assert self.code is None and time.monotonic() < deadline, "\n".join(shown)
            time.sleep(0.05)
        return shown

    def interrupt(self) -> None:
        """Ctrl-C, as the terminal sends it: to every process in the foreground."""
        os.write(self._fd, b"\x03")

    def finish(self, seconds: float = 3600) -> int:
        self._reader.join(seconds)
        if self.code is None:
            os.killpg(self.pid, signal.SIGKILL)
            raise AssertionError(f"not done after {seconds} s: {self.written[-3000:]}")
        return self.code

    def recording(self) -> str:
        """Asciinema's text format, version 2."""
        head = {"version": 2, "width": COLUMNS, "height": ROWS, "env": {"TERM": "xterm-256color"}}
        events = (json.dumps([round(at / FASTER, 3), "o", text], ensure_ascii=False) for at, text in self.events)
        return "\n".join([json.dumps(head), *events, ""])


def drawn(screen: pyte.Screen, title: str) -> str:
    """A screen as an SVG picture."""
    from rich.console import Console
    from rich.text import Text

    console = Console(width=COLUMNS, record=True, file=io.StringIO(), legacy_windows=False)
    used = max((row for row in range(ROWS) if screen.display[row].strip()), default=0)
    for row in range(used + 1):
        line = Text()
        for column in range(COLUMNS):
            cell = screen.buffer[row][column]
            colour = f"#{cell.fg}" if len(cell.fg) == 6 and cell.fg != "yellow" else cell.fg
            colour = {"default": "", "brown": "yellow"}.get(colour, colour.replace("bright", "bright_"))
            line.append(cell.data, style=f"{'bold ' if cell.bold else ''}{colour}".strip())
        console.print(line, no_wrap=True, crop=True)
    return re.sub(r"@font-face \{[^}]*\}\s*", "", console.export_svg(title=title))  # no fonts from elsewhere


def told(screen: pyte.Screen) -> int:
    """How much a screen says of what runs: counts, and their paces."""
    return sum((" of " in line) + ("tokens/s" in line or "loss" in line) for line in screen.display)


def main() -> None:
    name, command = Path(sys.argv[1]), sys.argv[2:]
    terminal = Terminal(command, Path.cwd(), os.environ)
    fullest = ""
    most = 0
    while terminal.code is None:
        time.sleep(1)
        with terminal._lock:
            shown = told(terminal.screen)
            if shown >= most:  # the last of them: the first has hardly begun
                most, fullest = shown, drawn(terminal.screen, " ".join(command))
    recording = terminal.recording().replace(str(Path.cwd()), "reasonlite")
    name.with_suffix(".cast").write_text(recording, encoding="utf-8")
    name.with_suffix(".svg").write_text(fullest, encoding="utf-8")
    print("\n".join(terminal.lines()))
    sys.exit(terminal.code)


if __name__ == "__main__":
    main()
