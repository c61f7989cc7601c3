"""Gather a run into an archive that others can cite and check, and publish its data and models.

release.py build --config config/demo.yaml            writes results/EXPERIMENT/release.tar.gz
release.py verify FILE [--signers ALLOWED]             checks an archive anywhere, and who signed it
release.py sign FILE --key KEY                         signs it with an SSH key of yours, in FILE.sig
release.py upload --config C --dataset OWNER/NAME      lists what would be sent; --send sends it
release.py upload --config C --model OWNER/NAME --stage final
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reasonlite.audit import hub, release, signing
from reasonlite.browse import export
from reasonlite.browse.folder import Folder
from reasonlite.browse.site import Site
from reasonlite.config.experiment import Config, Experiment, load_config
from reasonlite.core import cli, errors


def main(argv: Sequence[str] | None = None) -> int:
    parser = cli.parser(__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="write the archive")
    build.add_argument("--config", type=Path, required=True, help="the experiment")
    build.add_argument("--output", type=Path, help="default: release.tar.gz in the results folder")
    build.add_argument("--problems", type=int, default=100, help="problems with a page of their own; 0: no pages")
    build.set_defaults(run=_build)
    verify = commands.add_parser("verify", help="check an archive")
    verify.add_argument("archive", type=Path)
    verify.add_argument("--signers", type=Path, help="ssh-keygen's file of allowed signers; FILE.sig has to fit one")
    verify.set_defaults(run=_verify)
    sign = commands.add_parser("sign", help="sign an archive with an SSH key")
    sign.add_argument("archive", type=Path)
    sign.add_argument("--key", type=Path, required=True, help="private key, such as ~/.ssh/id_ed25519")
    sign.set_defaults(run=_sign)
    upload = commands.add_parser("upload", help="what would go to the hub; with --send it goes there")
    upload.add_argument("--config", type=Path, required=True, help="the experiment")
    target = upload.add_mutually_exclusive_group(required=True)
    target.add_argument("--dataset", help="OWNER/NAME for the training data")
    target.add_argument("--model", help="OWNER/NAME for a stage's model")
    upload.add_argument("--stage", help="the stage, with --model")
    upload.add_argument("--private", action="store_true")
    upload.add_argument("--send", action="store_true", help="send it; without this nothing leaves the machine")
    upload.set_defaults(run=_upload)
    arguments = parser.parse_args(argv)
    if arguments.command == "upload" and bool(arguments.model) != bool(arguments.stage):
        parser.error("--model and --stage go together")
    return int(arguments.run(arguments))


def _experiment(path: Path) -> tuple[Experiment, Path]:
    config = load_config(path)
    return config, Path("results") / config.experiment


def _build(arguments: argparse.Namespace) -> int:
    config, results = _experiment(arguments.config)
    output = arguments.output or results / "release.tar.gz"
    with tempfile.TemporaryDirectory() as scratch:
        pages = Path(scratch) / "pages" if arguments.problems else None
        if pages is not None:
            export.write(Site(Folder(results), Path()), pages, arguments.problems)
        count = release.build(results, Path(), config, arguments.config, output, pages)
    print(f"{output}: {count:,} files; check it anywhere with: make verify RELEASE={output}")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    count, faults = release.verify(arguments.archive)
    for fault in faults:
        print(f"{fault.path}: {fault.what}")
    if arguments.signers:
        print(f"signed by {signing.check(arguments.archive, arguments.signers)}")
    print(f"{count:,} files, {len(faults):,} faults")
    return int(bool(faults))


def _sign(arguments: argparse.Namespace) -> int:
    print(f"{signing.sign(arguments.archive, arguments.key)}: give it out beside the archive")
    return 0


def _upload(arguments: argparse.Namespace) -> int:
    config, results = _experiment(arguments.config)
    if not isinstance(config, Config):
        todo = "release.py build makes an archive of its tables and figures"
        raise errors.UserError("trains nothing, so it has no data and no models", where=arguments.config, todo=todo)
    kind, repo = ("model", arguments.model) if arguments.model else ("dataset", arguments.dataset)
    files = list(hub.plan(results, config, arguments.stage))
    for name, content in files:
        size = content.stat().st_size if isinstance(content, Path) else len(content.encode())
        print(f"{size:>15,} bytes  {name}")
    if arguments.send:
        print(f"sent: {hub.send(repo, kind, files, arguments.private)}")
    else:
        print(f"nothing was sent; with --send these {len(files):,} files go to the {kind} {repo}")
    return 0


if __name__ == "__main__":
    errors.run_main(main)
