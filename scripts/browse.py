"""Look at a run's problems, answers, benchmarks, training and changes in a web browser; also while it goes on.

browse.py results/demo                      opens a page on this machine; Ctrl-C ends it
browse.py results/demo --against OLD        and compares with a results folder, manifest, REVISION:PATH or release
browse.py results/demo --export FOLDER      writes the pages as files that need no server

Nothing is written to the results, and no lock is held. On a cluster, forward the port:
ssh -L 8765:127.0.0.1:8765 LOGIN-NODE, and open the address that is printed there.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from reasonlite.browse.folder import Folder
from reasonlite.browse.site import Site
from reasonlite.core import cli, errors


def main(argv: Sequence[str] | None = None) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("results", type=Path, help="results folder of an experiment")
    parser.add_argument("--against", help="another state to compare with; default: the manifest before")
    parser.add_argument("--root", type=Path, default=Path(), help="where the workflow runs; default: here")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; default: this machine alone")
    parser.add_argument("--port", type=int, default=8765, help="default: 8765; 0 takes a free one")
    parser.add_argument("--no-open", action="store_true", help="print the address and open no browser")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="write static pages there")
    parser.add_argument("--problems", type=int, default=500, help="at most so many problems' pages; default: 500")
    arguments = parser.parse_args(argv)
    site = Site(Folder(arguments.results), arguments.root, arguments.against)
    if arguments.export:
        from reasonlite.browse import export

        count, told = export.write(site, arguments.export, arguments.problems)
        print(f"{arguments.export / 'index.html'}: {count:,} pages{f'; {told}' if told else ''}")
        return
    serve(site, arguments)


def serve(site: Site, arguments: argparse.Namespace) -> None:
    """Answer until Ctrl-C."""
    import uvicorn

    from reasonlite.browse import app

    listener = _listener(arguments.host, arguments.port)
    host, port = arguments.host, listener.getsockname()[1]
    shown = "127.0.0.1" if host in {"0.0.0.0", "::"} else host
    token = app.new_token()
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/?token={token}"
    hosts = ["127.0.0.1", "localhost", "[::1]", shown]
    if host not in {"127.0.0.1", "localhost", "::1"}:
        hosts += [socket.gethostname(), socket.getfqdn()]
        print("warning: whoever can reach this port and has the address reads these results", file=sys.stderr)
    print(f"{arguments.results}: {address}\nCtrl-C ends it.", flush=True)
    screen = sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
    if screen and not arguments.no_open:
        webbrowser.open(address)
    settings = uvicorn.Config(app.application(site, token, hosts), log_level="warning", access_log=False)
    uvicorn.Server(settings).run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        todo = "choose another with --port, or --port 0 for a free one"
        raise errors.UserError(f"cannot be listened on ({error.strerror})", where=f"{host}:{port}", todo=todo) from None
    listener.listen(128)
    return listener


if __name__ == "__main__":
    errors.run_main(main)
