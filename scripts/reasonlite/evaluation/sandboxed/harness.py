"""Inside the sandbox: the function under test in one process, its tests in another.

harness.py candidate|tester LIMITS PROGRAM   (LIMITS: JSON; PROGRAM: a file with the code)

The two speak JSON lines: the tester sends the arguments of a call, the candidate answers
with the result, made of plain types only. So the code under test never sees a test, an
expected value or the verdict; those stay in the tester, which reports on its error stream.
"""

import json
import os
import pathlib
import resource
import sys

LONGEST_LINE = 4_000_000


def confine(limits):
    """Give up root, then lower every limit; nothing run later can raise them."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(limits["uid"])
        os.setuid(limits["uid"])
    for name in ("CPU", "AS", "NPROC", "FSIZE", "NOFILE", "CORE"):
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limits[name], limits[name]))


def packed(value):
    """A value of plain types as JSON that keeps tuples, sets, bytes and every float apart."""
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value if kind is not int else {"int": str(value)}
    if kind is float:
        return {"float": value.hex()}
    if kind is complex:
        return {"complex": [value.real.hex(), value.imag.hex()]}
    if kind in (bytes, bytearray):
        return {"bytes": bytes(value).hex()}
    if kind in (list, tuple, set, frozenset):
        return {kind.__name__: [packed(item) for item in value]}
    if kind is dict:
        return {"dict": [[packed(key), packed(item)] for key, item in value.items()]}
    raise TypeError(f"a value of type {kind.__name__}")


def unpacked(value):
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "int":
        return int(content)
    if kind == "float":
        return float.fromhex(content)
    if kind == "complex":
        return complex(*map(float.fromhex, content))
    if kind == "bytes":
        return bytes.fromhex(content)
    if kind == "dict":
        return {unpacked(key): unpacked(item) for key, item in content}
    return {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[kind](map(unpacked, content))


def candidate(program):
    """Define the function, then answer calls until the input ends."""
    requests, answers = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nothing, stream)  # what the code prints or reads is none of the tester's business
    namespace: dict = {"__name__": "candidate"}
    try:
        exec(compile(program["code"], "candidate.py", "exec"), namespace)
        function = namespace[program["entry_point"]]
        print(json.dumps({"ready": True}), file=answers, flush=True)
    except BaseException as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:500]}), file=answers, flush=True)
        return
    for line in requests:
        try:
            reply = {"value": packed(function(*unpacked(json.loads(line))))}
        except BaseException as error:
            reply = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(reply), file=answers, flush=True)


class Failed(Exception):
    """The candidate gave no value: it raised, ended, or sent something else."""


def received():
    line = sys.stdin.readline(LONGEST_LINE)
    if not line.endswith("\n"):
        raise Failed("it ended before it answered" if len(line) < LONGEST_LINE else "its result is too long")
    try:
        reply = json.loads(line)
        if isinstance(reply, dict) and "error" in reply:
            raise Failed(str(reply["error"])[:500])
        return unpacked(reply["value"]) if "value" in reply else reply["ready"]
    except (ValueError, KeyError, TypeError, RecursionError, AttributeError, OverflowError):
        raise Failed("its result cannot be read") from None


def tester(program):
    """Run the tests against the candidate behind the pipes; the verdict is one JSON line on the error stream."""
    report = os.fdopen(os.dup(2), "w")

    def call(*arguments):
        print(json.dumps(packed(arguments)), file=sys.__stdout__, flush=True)
        return received()

    try:
        received()
        namespace: dict = {"__name__": "tests"}
        exec(compile(program["prompt"], "prompt.py", "exec"), namespace)  # helpers that tests may use
        namespace[program["entry_point"]] = call
        exec(compile(program["test"], "tests.py", "exec"), namespace)
        namespace["check"](call)
        verdict = {"status": "passed", "detail": ""}
    except Failed as error:
        verdict = {"status": "failed", "detail": str(error)}
    except AssertionError as error:
        verdict = {"status": "failed", "detail": f"a test does not hold: {error}"[:500]}
    except BrokenPipeError:
        verdict = {"status": "failed", "detail": "it ended before it was called"}
    except BaseException as error:
        verdict = {"status": "failed", "detail": f"{type(error).__name__}: {error}"[:500]}
    print(json.dumps(verdict), file=report, flush=True)


def main():
    role, limits, path = sys.argv[1:]
    program = json.loads(pathlib.Path(path).read_text(encoding="ascii"))
    confine(json.loads(limits))
    (candidate if role == "candidate" else tester)(program)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
