"""Stand for a program that a warm process runs: pass on what it is given, its signals and how it ends.

What no warm process has the libraries of starts as usual. Imports little, because each import is paid each time.
"""

import fcntl
import json
import os
import signal
import socket
import sys
from pathlib import Path

KINDS = {"engine": {"generate_answers", "adjudicate"}}  # of our scripts; all others are of the kind library


def kind_of(program: str, arguments: list[str]) -> str | None:
    """Which warm process has the libraries of a command line; None if none has."""
    if program == "snakemake":
        return "snakemake"
    script = Path(arguments[0] if arguments else "")
    if script.suffix != ".py":  # python -c, -m and the like
        return None
    return next((kind for kind, scripts in KINDS.items() if script.stem in scripts), "library")


def connected(kind: str) -> socket.socket:
    """A connection to the warm process of a kind, which is started where there is none."""
    address = Path(os.environ["WARM_FOLDER"]) / kind
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with address.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            connection.connect(str(address))
        except (FileNotFoundError, ConnectionRefusedError):  # not begun yet, or ended
            address.unlink(missing_ok=True)
            begin(kind, address)
            connection.connect(str(address))
    return connection


def begin(kind: str, address: Path) -> None:
    """Start the warm process, and wait until it can be asked."""
    import subprocess
    import time

    line = [os.environ["WARM_PYTHON"], str(Path(__file__).with_name("server.py")), kind, str(address)]
    with address.with_suffix(".log").open("ab") as log:
        begun = subprocess.Popen(
            [*line, os.environ["WARM_OWNER"]],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    while not address.exists():
        if begun.poll() is not None:
            sys.exit(f"the warm process of {kind} could not start: see {log.name}")
        time.sleep(0.05)


def run(kind: str, program: str, arguments: list[str]) -> None:
    """Have it run in a copy of the warm process; ends as that one ended."""
    connection = connected(kind)
    given = {"program": program, "arguments": arguments, "folder": str(Path.cwd()), "environment": dict(os.environ)}
    data = json.dumps(given).encode()
    socket.send_fds(connection, [len(data).to_bytes(8, "little")], [0, 1, 2])
    for start in range(0, len(data), 2**16):
        connection.send(data[start : start + 2**16])
    child = int(connection.recv(64))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGURG, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, lambda number, _: os.kill(child, number))
    ended = connection.recv(64)
    if not ended:
        os._exit(70)  # the warm process itself was ended, and all that it had begun with it
    code = int(ended)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def main() -> None:
    program, *arguments = sys.argv[1:]
    kind = kind_of(program, arguments)
    if kind is None:
        python = os.environ["WARM_PYTHON"]
        os.execv(python, [python, *arguments])
    run(kind, program, arguments)


if __name__ == "__main__":
    main()
