"""A hub of models and data sets on loopback, in the real one's protocol, for the hub's real client.

It serves files of a folder, asks for a token where a repository is gated, and may break off in the middle.
"""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """``folder`` holds owner/name/files; ``gated`` repositories want ``token``; ``breaks`` are still to break off."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder, self.gated, self.token = folder, set[str](), "hf_a_secret_word"
        self.breaks, self.sent = 0, dict[str, int]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        parts = urllib.parse.unquote(self.path.split("?")[0]).strip("/").split("/")
        listing = parts[0] == "api"
        parts = [part for part in parts if part not in ("api", "models", "datasets")]
        repo, name = "/".join(parts[:2]), "/".join(parts[4:])
        folder = self.server.folder / repo
        if not folder.is_dir():
            return self._refuse(401, "RepoNotFound")
        if listing:
            return self._list(folder)
        if repo in self.server.gated and self.headers.get("authorization") != f"Bearer {self.server.token}":
            return self._refuse(401 if "authorization" not in self.headers else 403, "GatedRepo")
        if parts[3] != COMMIT:
            return self._refuse(404, "RevisionNotFound")
        return self._send(folder / name, name, body)

    def _list(self, folder: Path) -> None:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        text = json.dumps(
            [
                {"type": "file", "path": str(path.relative_to(folder)), "size": path.stat().st_size, "oid": _oid(path)}
                for path in files
            ]
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _refuse(self, code: int, reason: str) -> None:
        self.send_response(code)
        self.send_header("x-error-code", reason)
        self.send_header("content-length", "0")
        self.end_headers()

    def _send(self, path: Path, name: str, body: bool) -> None:
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("etag", f'"{_oid(path)}"')
        self.send_header("x-repo-commit", COMMIT)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if not body:
            return
        if self.server.breaks > 0 and len(content) > 1000:
            self.server.breaks -= 1
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        self.server.sent[name] = self.server.sent.get(name, 0) + 1
        self.wfile.write(content)


def _oid(path: Path) -> str:
    return hashlib.sha1(path.read_bytes()).hexdigest()


@contextmanager
def serving(folder: Path) -> Iterator[Hub]:
    hub = Hub(folder)
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
