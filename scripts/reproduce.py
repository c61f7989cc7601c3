"""Run a release again in a folder of its own, and say of each output whether it came out the same.

The environment is set up from the release's own lock, unless it is the one that runs this program. All of an
experiment is run where it asks for nothing from a hub or a user's files, else the figures of published numbers alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from reasonlite.audit import reproducing
from reasonlite.audit.manifest import read_lock
from reasonlite.core import cli, errors
from reasonlite.core.errors import UserError


def main(argv: Sequence[str] | None = None) -> int:
    parser = cli.parser(__doc__)
    parser.add_argument("release", type=Path, help="archive made by release.py build")
    parser.add_argument("--into", type=Path, help="folder to make; default: the archive's name without its ending")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="CPU cores to use")
    parser.add_argument("--targets", nargs="+", help="what to run; default: all, or published")
    arguments = parser.parse_args(argv)
    into = arguments.into or Path(arguments.release.name.removesuffix(".tar.gz"))
    unpacked = reproducing.unpack(arguments.release, into)
    print(f"{arguments.release}: unpacked into {into}", flush=True)
    for line in unpacked.lacking:
        print(f"not here: {line}")
    run(unpacked, arguments.targets or unpacked.targets, arguments.cores)
    kinds = reproducing.write(unpacked, into / "reproduced.txt")
    sys.stdout.write(reproducing.report(unpacked, kinds))
    print(f"report: {into / 'reproduced.txt'}")
    return int("different" in kinds.values())


def run(unpacked: reproducing.Unpacked, targets: Sequence[str], cores: int) -> None:
    """Run the release's own Snakemake on its own config; its log stays in the folder."""
    line = ["snakemake", "--cores", str(cores), "--configfile", unpacked.config, "--", *targets]
    around = dict(os.environ)
    around.pop("PYTHONPATH", None)
    if not same_environment(unpacked):
        role = unpacked.lock.stem
        if role not in ("cpu", "cuda"):
            todo = "build the container of envs/rocm.def, and run the release in it by hand"
            raise UserError(f"needs the environment of {unpacked.lock}, a container", where=unpacked.folder, todo=todo)
        print(f"the release's environment is set up from {unpacked.lock}", flush=True)
        if subprocess.run(["make", "setup", f"ROLE={role}"], cwd=unpacked.folder, env=around).returncode:
            raise UserError("its environment could not be set up", where=unpacked.folder, todo="see above")
        around["PATH"] = f"{(unpacked.folder / '.venv' / 'bin').resolve()}{os.pathsep}{around['PATH']}"
    else:
        around["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{around['PATH']}"
    if subprocess.run(line, cwd=unpacked.folder, env=around).returncode:
        raise UserError(
            "its workflow ended with an error", where=unpacked.folder, todo="see above; what was made stays"
        )


def same_environment(unpacked: reproducing.Unpacked) -> bool:
    """Whether this program runs in the environment of the release's lock."""
    root = Path(__file__).parents[1]
    own, theirs = root / unpacked.lock, unpacked.folder / unpacked.lock
    installed = (root / ".venv" / f"installed-{unpacked.lock.stem}").is_file()
    return installed and own.is_file() and theirs.is_file() and read_lock(own)[0] == read_lock(theirs)[0]


if __name__ == "__main__":
    errors.run_main(main)
