"""A release signed with a key of the user's own, by ssh-keygen: the same keys that sign commits.

``ALLOWED``: a file of ssh-keygen's allowed signers, a line each: name, then the public key.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from reasonlite.core.errors import UserError

PURPOSE = "reasonlite-release"  # ssh-keygen's namespace: a signature for another purpose does not count


def sign(archive: Path, key: Path) -> Path:
    """Write ARCHIVE.sig beside an archive; the key's passphrase, if it has one, is asked by ssh-keygen."""
    signature = archive.with_name(f"{archive.name}.sig")
    for path in (archive, key):
        if not path.is_file():
            raise UserError("no such file", where=path)
    signature.unlink(missing_ok=True)  # or ssh-keygen would ask
    done = _run(["-Y", "sign", "-f", str(key), "-n", PURPOSE, str(archive)])
    if done.returncode or not signature.is_file():
        raise UserError(
            f"could not be used: {_last(done)}", where=key, todo="name a private key, as of ssh-keygen -t ed25519"
        )
    return signature


def check(archive: Path, allowed: Path) -> str:
    """The name of who signed an archive, of those allowed; a `UserError` says what does not fit."""
    signature = archive.with_name(f"{archive.name}.sig")
    for path, todo in (
        (signature, "ask for it where the release is from"),
        (allowed, "name a file of allowed signers"),
    ):
        if not path.is_file():
            raise UserError("no such file", where=path, todo=todo)
    found = _run(["-Y", "find-principals", "-s", str(signature), "-f", str(allowed)])
    names = found.stdout.split()
    if found.returncode or not names:
        todo = f"add the signer's public key to {allowed}, if you trust it"
        raise UserError(f"was signed by nobody in {allowed.name} ({_last(found)})", where=signature, todo=todo)
    with archive.open("rb") as content:
        line = ["-Y", "verify", "-f", str(allowed), "-I", names[0], "-n", PURPOSE, "-s", str(signature)]
        done = subprocess.run([_program(), *line], stdin=content, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"does not fit its signature ({_last(done)})", where=archive, todo="fetch both again")
    return names[0]


def _program() -> str:
    found = shutil.which("ssh-keygen")
    if found is None:
        raise UserError("is not installed", where="ssh-keygen", todo="install openssh-client")
    return found


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([_program(), *arguments], capture_output=True, text=True)


def _last(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"ssh-keygen ended with {done.returncode}"
