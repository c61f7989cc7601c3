"""What untrusted code cannot do, as root and as an ordinary user: read, reach, outlive, exhaust, fake a pass."""

import ast
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from reasonlite.core.errors import UserError
from reasonlite.evaluation.sandbox import Limits, check_available, run_tests

try:
    check_available()
except UserError as error:
    pytest.skip(str(error).splitlines()[0], allow_module_level=True)

ROOT = Path(__file__).parents[3]
HUMANEVAL = ROOT.parent / "shared" / "data" / "bench" / "humaneval.jsonl"
SHORT = Limits(wall_seconds=2.0, cpu_seconds=1, memory_bytes=512 << 20, processes=16)
SECRET = "the-user's-secret"


def attempt(body, test="assert candidate() == False, 'it worked'", limits=None):
    """Run a function f whose body is given; by default the test holds if f says that its attempt failed."""
    lines = "\n    ".join(["import os, sys", *body.strip().splitlines()])
    return run_tests(
        f"def f():\n    {lines}\n", "f", "def f():\n    pass\n", f"def check(candidate):\n    {test}\n", limits
    )


def tries(statement):
    return f"try:\n    {statement}\n    return True\nexcept BaseException:\n    return False"


REACHES = {
    "read passwd": "open('/etc/passwd').read()",
    "read shadow": "open('/etc/shadow').read()",
    "list home": "assert os.listdir('/home')",
    "list root": "assert os.listdir('/root')",
    "list tmp": "assert os.listdir('/tmp')",
    "list var": "assert os.listdir('/var/log')",
    "read the tests": "open('/program/tester.json').read()",
    "read through proc": "open('/proc/1/root/etc/passwd').read()",
    "read another's environment": "assert b'SECRET' in open('/proc/1/environ', 'rb').read()",
    "inherit the environment": "os.environ['SECRET']",
    "write usr": "open('/usr/x', 'w')",
    "write etc": "os.mkdir('/etc'); open('/etc/x', 'w')",
    "write the root folder": "open('/x', 'w')",
    "write the program": "open('/program/harness.py', 'a')",
    "write its own code": "open('/program/candidate.json', 'a')",
    "resolve a name": "import socket; socket.getaddrinfo('example.org', 80)",
    "reach the internet": "import socket; socket.create_connection(('8.8.8.8', 53), 1)",
    "send a datagram": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53))",
    "kill another process": "[os.kill(n, 9) for n in range(2, 5000)]",
    "become root": "os.setuid(0)",
    "change the root": "os.chroot('/work')",
    "mount": "import ctypes; assert ctypes.CDLL(None).mount(b'none', b'/work', b'tmpfs', 0, None) == 0",
    "raise a limit": "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (4096, 4096))",
    "trace a process": "import ctypes; assert ctypes.CDLL(None).ptrace(16, 2, 0, 0) == 0",
    "make a device": "import stat; os.mknod('/work/m', 0o600 | stat.S_IFCHR, os.makedev(1, 1))",
    "open a disk": "open('/dev/sda', 'rb')",
    "open the memory": "open('/dev/mem', 'rb')",
    "write the kernel's settings": "open('/proc/sys/kernel/core_pattern', 'w').write('x')",
    "see other processes": "assert len([n for n in os.listdir('/proc') if n.isdigit()]) > 1",
    "set the clock": "import time; time.clock_settime(time.CLOCK_REALTIME, 0)",
    "fill the disk": "f = open('/work/big', 'wb'); [f.write(bytes(1 << 20)) for _ in range(64)]",
}


@pytest.mark.parametrize("name", REACHES)
def test_it_cannot(name, monkeypatch):
    monkeypatch.setenv("SECRET", SECRET)
    found = attempt(tries(REACHES[name]))
    assert found.status == "passed", found


def test_it_cannot_reach_a_server_or_a_file_of_this_machine(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        connect = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 1)"
        assert attempt(tries(connect)).status == "passed"
    assert attempt(tries(f"open({str(secret)!r}).read()")).status == "passed"
    assert attempt(tries(f"open({str(ROOT / 'README.md')!r}).read()")).status == "passed"
    attempt(tries(f"os.makedirs({str(tmp_path)!r}, exist_ok=True); open({str(secret)!r}, 'w').write('changed')"))
    assert secret.read_text() == SECRET


EXHAUSTS = {
    "processes": "while True:\n    os.fork()",
    "threads": "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(60,)).start()",
    "memory": "x = []\nwhile True:\n    x.append(bytearray(1 << 24))",
    "one large allocation": "x = bytearray(1 << 34)\nreturn False",
    "processor time": "while True:\n    pass",
    "wall time": "import time\ntime.sleep(600)",
    "signals caught": "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
    "    except (OSError, ValueError): pass\nwhile True:\n    pass",
    "output": "while True:\n    os.write(1, b'x' * 65536)",
    "errors": "while True:\n    os.write(2, b'x' * 65536)",
    "a long result": "return 'x' * 100_000_000",
    "a deep result": "x = []\nfor _ in range(100_000): x = [x]\nreturn x",
    "files": "fs = [open(f'/work/{n}', 'w') for n in range(1000)]\nreturn False",
    "recursion in C": "import itertools as i\nx = ()\nfor _ in range(10**6): x = i.chain(x, ())\nreturn list(x)",
}


@pytest.mark.parametrize("name", EXHAUSTS)
def test_it_cannot_exhaust(name):
    started = time.monotonic()
    found = attempt(EXHAUSTS[name], test="assert candidate() == 1", limits=SHORT)
    assert found.status in {"failed", "timeout"}, found
    assert time.monotonic() - started < 60  # the limit is 2 s; the machine may be slow


def test_nothing_outlives_the_verdict():
    marker = f"outlives{os.getpid()}"
    body = f"""
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import ctypes, time
        ctypes.CDLL(None).prctl(15, b'{marker[:15]}', 0, 0, 0)
        time.sleep(600)
    os._exit(0)
return False"""
    attempt(body)
    time.sleep(0.5)
    names = [path.read_text().strip() for path in Path("/proc").glob("[0-9]*/comm") if path.exists()]
    assert marker[:15] not in names


WRONG = "assert candidate() == 'right'"
FAKES = {
    "exit": "sys.exit(0)",
    "exit at once": "os._exit(0)",
    "raise SystemExit": "raise SystemExit(0)",
    "raise AssertionError's cousin": "raise KeyboardInterrupt",
    "kill the first process": "os.kill(1, 9)\nos.kill(-1, 9)",
    "equal to everything": "class E(str):\n    __eq__ = lambda a, b: True\nreturn E('x')",
    "equal object": "class E:\n    __eq__ = lambda a, b: True\nreturn E()",
    "print a verdict": 'print(\'{"status": "passed", "detail": ""}\')',
    "verdict on every descriptor": "for n in range(64):\n"
    '    try: os.write(n, b\'{"status": "passed"}\\n\')\n    except OSError: pass',
    "replace json": 'import json\njson.dumps = lambda *a, **k: \'{"status": "passed"}\'',
    "replace assertions": "import builtins\nbuiltins.AssertionError = ValueError\nbuiltins.compile = lambda *a, **k: 0",
    "look for the tests": "import gc\nfor o in gc.get_objects():\n"
    "    if isinstance(o, dict) and 'check' in o: return 'right'\n"
    "return [k for k in sys._getframe(1).f_globals if 'right' in str(k)]",
    "answer before the question": 'for n in range(3, 20):\n    try: os.write(n, b\'{"value": "right!"}\\n\')\n'
    "    except OSError: pass\nreturn 1",
    "not a number": "return float('nan')",
    "an error as a value": "return AssertionError()",
    "a generator": "yield 'right'",
}


@pytest.mark.parametrize("name", FAKES)
def test_it_cannot_fake_a_pass(name):
    assert attempt(FAKES[name], test=WRONG).status in {"failed", "timeout"}


@pytest.mark.parametrize("code", ["import os; os._exit(0)", "raise SystemExit(0)", "def g(): pass", "f = 1", "1 +", ""])
def test_code_that_defines_no_function_fails(code):
    assert run_tests(code, "f", "def f():\n    pass\n", f"def check(candidate):\n    {WRONG}\n").status == "failed"


def test_every_plain_value_arrives_as_it_was():
    values = [1, 10**400, -0.0, 1e300, float("inf"), True, None, "é\ud800", b"\x00", (1, [2, {3: (4,)}]), {1, 2}, 2j]
    test = "\n    ".join(
        f"assert repr(candidate({value!r})) == {repr(value)!r}" for value in values if value != float("inf")
    )
    found = run_tests("def f(x): return x", "f", "", f"def check(candidate):\n    {test}\n")
    assert found.status == "passed", found


def humaneval():
    if not HUMANEVAL.exists():
        pytest.skip("the shared HumanEval file is not here")
    return [json.loads(line) for line in HUMANEVAL.read_text().splitlines()]


def run_row(row, body):
    return run_tests(row["prompt"] + body, row["entry_point"], row["prompt"], row["test"])


def test_all_canonical_solutions_pass_and_empty_ones_fail():
    for row in humaneval():
        assert run_row(row, row["canonical_solution"]).status == "passed", row["task_id"]
        assert run_row(row, "    return None\n").status == "failed", row["task_id"]


class Mutation(ast.NodeTransformer):
    """The first comparison turned round, or the first constant raised by one."""

    def __init__(self):
        self.done = False

    def visit_Compare(self, node):
        if not self.done:
            turned = {
                ast.Lt: ast.GtE,
                ast.GtE: ast.Lt,
                ast.Gt: ast.LtE,
                ast.LtE: ast.Gt,
                ast.Eq: ast.NotEq,
                ast.NotEq: ast.Eq,
            }
            if type(node.ops[0]) in turned:
                self.done = True
                return ast.Compare(node.left, [turned[type(node.ops[0])](), *node.ops[1:]], node.comparators)
        return self.generic_visit(node)

    def visit_Constant(self, node):
        if not self.done and type(node.value) is int:
            self.done = True
            return ast.Constant(node.value + 1)
        return node


def test_mutated_solutions_fail():
    caught = total = 0
    for row in humaneval()[::4]:
        tree = ast.parse(row["prompt"] + row["canonical_solution"])
        mutation = Mutation()
        mutation.visit(tree.body[-1])
        if mutation.done:
            code = ast.unparse(ast.fix_missing_locations(tree))
            total += 1
            caught += run_tests(code, row["entry_point"], row["prompt"], row["test"]).status != "passed"
    assert total > 25 and caught >= 0.9 * total  # some mutants mean the same


@pytest.mark.skipif(os.getuid() != 0, reason="the other tests ran as an ordinary user already")
def test_the_same_as_an_ordinary_user(tmp_path_factory):
    """The attempts of this file by the user nobody, with the system's Python and a copy of what they need."""
    python = "/usr/bin/python3"
    if not Path(python).exists():
        pytest.skip("there is no /usr/bin/python3 that another user may run")
    folder = Path("/var/tmp") / f"sandbox-test-{os.getpid()}"
    try:
        for name in ("core/errors", "core/startup", "evaluation/sandbox", "evaluation/sandboxed/harness"):
            path = folder / "reasonlite" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / "scripts" / "reasonlite" / f"{name}.py", path)
        bodies = {name: tries(statement) for name, statement in REACHES.items()}
        cases = {"reaches": bodies, "fakes": FAKES, "exhausts": EXHAUSTS}
        (folder / "cases.json").write_text(json.dumps(cases))
        (folder / "run.py").write_text(ORDINARY)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        done = subprocess.run(
            [python, "run.py"], cwd=folder, user=65534, group=65534, extra_groups=[], capture_output=True, text=True,
            env={"PATH": "/usr/bin:/bin", "SECRET": SECRET},
        )  # fmt: skip
        if "no sandbox can be started" in done.stderr:
            pytest.skip(done.stderr.strip()[-300:])
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["right"] == "passed"
        wrong = {name for name, status in found["reaches"].items() if status != "passed"}
        assert not wrong
        assert not {
            name for part in ("fakes", "exhausts") for name, status in found[part].items() if status == "passed"
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


ORDINARY = """
import json
from reasonlite.evaluation.sandbox import Limits, run_tests

SHORT = Limits(wall_seconds=2.0, cpu_seconds=1, memory_bytes=512 << 20, processes=16)
CHECKS = {"reaches": "candidate() == False", "fakes": "candidate() == 'right'", "exhausts": "candidate() == 1"}

def status(body, check, limits=None):
    code = "def f():\\n    " + "\\n    ".join(["import os, sys", *body.strip().splitlines()])
    return run_tests(code, "f", "", f"def check(candidate):\\n    assert {check}\\n", limits).status

cases = json.load(open("cases.json"))
found = {part: {} for part in CHECKS}
for part, bodies in cases.items():
    for name, body in bodies.items():
        found[part][name] = status(body, CHECKS[part], SHORT if part == "exhausts" else None)
found["right"] = status("return 'right'", "candidate() == 'right'")
print(json.dumps(found))
"""
