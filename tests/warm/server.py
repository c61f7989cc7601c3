"""A process that has imported what programs of the workflow need, and runs each in a copy of itself.

Tests start programs a thousand times, and importing vLLM alone takes longer than most of them work. Only libraries are
imported here: the project's own code is read anew by each program. The copies are ended when the one who asked for them
ends, and this process when the tests do.

Usage: server.py KIND ADDRESS OWNER
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import random
import runpy
import selectors
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

LIBRARY = [
    *("accelerate.commands.launch", "peft", "sympy", "matplotlib.pyplot", "pydantic", "yaml", "safetensors.torch"),
    *("torch.distributed.elastic.multiprocessing", "transformers.models.auto.modeling_auto", "transformers.trainer"),
    *("transformers.models.auto.tokenization_auto", "transformers.models.qwen2.modeling_qwen2"),
    *("transformers.models.llama.modeling_llama", "trl.trainer.sft_trainer", "trl.trainer.grpo_trainer", "datasets"),
]
MODULES = {
    "engine": ["pydantic", "yaml", "vllm", "vllm.entrypoints.llm"],
    "library": LIBRARY,
    "snakemake": ["pydantic", "yaml", "snakemake.cli", "snakemake.api", "snakemake.scheduling.milp", "pulp"],
}
# what the engine sets before it imports vLLM on a CPU (reasonlite.answers.engines.offline)
BEFORE = {
    "engine": {"TORCHDYNAMO_DISABLE": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_CPU_OMP_THREADS_BIND": "nobind",
               "VLLM_LOGGING_LEVEL": "WARNING", "VLLM_NO_USAGE_STATS": "1"},
}  # fmt: skip
Program = Callable[[], None]


class Copies:
    """The programs that run, by their connections and their processes."""

    def __init__(self, address: str, owner: int) -> None:
        self.address = address
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(f"{address}.new")
        self.listener.listen(64)
        Path(f"{address}.new").rename(address)
        self.owner = os.pidfd_open(owner)
        self.running: dict[int, tuple[socket.socket, int]] = {}
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.selector.register(self.owner, selectors.EVENT_READ, self.end)

    def serve(self) -> Program:
        """Returns in the copies only, with what each is to do."""
        while True:
            for key, _ in self.selector.select():
                program = key.data()
                if program is not None:
                    return program

    def end(self) -> None:
        for pid in self.running:
            _kill(pid)
        Path(self.address).unlink(missing_ok=True)
        os._exit(0)

    def accept(self) -> Program | None:
        connection, _ = self.listener.accept()
        length, fds, _, _ = socket.recv_fds(connection, 8, 3)
        data = b""
        while len(data) < int.from_bytes(length, "little"):
            received = connection.recv(2**17)
            if not received:  # ended before it had said all
                connection.close()
                return None
            data += received
        pid = os.fork()
        if not pid:
            self._leave(connection)
            return lambda: _become(json.loads(data), fds)
        for fd in fds:
            os.close(fd)
        with contextlib.suppress(OSError):  # by both, whoever comes first; it may have become another program by now
            os.setpgid(pid, pid)
        ended = os.pidfd_open(pid)
        self.running[pid] = (connection, ended)
        self.selector.register(ended, selectors.EVENT_READ, lambda: self.tell(pid))
        self.selector.register(connection, selectors.EVENT_READ, lambda: _kill(pid))
        connection.send(str(pid).encode())
        return None

    def tell(self, pid: int) -> None:
        """How a program ended, to the one who asked for it."""
        _, status = os.waitpid(pid, 0)
        connection, ended = self.running.pop(pid)
        self.selector.unregister(ended)
        self.selector.unregister(connection)
        os.close(ended)
        with contextlib.suppress(OSError):
            connection.send(str(os.waitstatus_to_exitcode(status)).encode())
        connection.close()

    def _leave(self, connection: socket.socket) -> None:
        """In a copy: nothing of the others."""
        self.selector.close()
        self.listener.close()
        connection.close()
        os.close(self.owner)
        for other, ended in self.running.values():
            other.close()
            os.close(ended)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _become(given: dict, fds: list[int]) -> None:
    """What Python does between its start and a program's first line."""
    os.setpgid(0, 0)
    for place, fd in enumerate(fds):
        os.dup2(fd, place)
        os.close(fd)
    os.chdir(given["folder"])
    program = given["arguments"][0] if given["program"] == "python" else given["program"]
    Path("/proc/self/comm").write_text(Path(program).stem)  # so that it is told apart from the others and from this one
    os.environ.clear()
    os.environ.update(given["environment"])
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [*(str(Path(path).absolute()) for path in paths), *sys.path]
    if given["program"] == "snakemake":
        from snakemake.cli import main

        sys.argv[:] = [str(Path(sys.executable).with_name("snakemake")), *given["arguments"]]
        main()
        return
    sys.argv[:] = given["arguments"]
    sys.path.insert(0, str(Path(program).resolve().parent))
    runpy.run_path(program, run_name="__main__")


def _ended(program: Program) -> int:
    """Run to the end and tidy up as Python does, without taking all libraries' objects apart one by one."""
    code: object = 0
    try:
        program()
    except SystemExit as exit_:
        code = exit_.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code or 0


def main() -> None:
    kind, address, owner = sys.argv[1:]
    os.environ.update(BEFORE.get(kind, {}))
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)  # seldom, as when our own programs start
    for module in MODULES[kind]:
        importlib.import_module(module)
    gc.freeze()
    gc.set_threshold(*usual)
    sys.path.pop(0)  # this file's folder
    assert not [name for name in sys.modules if name.split(".")[0] == "reasonlite"]
    program = Copies(address, int(owner)).serve()
    os._exit(_ended(program))


if __name__ == "__main__":
    main()
