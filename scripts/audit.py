"""What is in a results folder, what changed in it and why, and whether it still is what its manifest says.

audit.py manifest FOLDER             bring FOLDER/manifest.json up to date (every run of the workflow does)
audit.py diff FOLDER                 what changed since the manifest before, inside each output, and why
audit.py diff OLD NEW                the same of two: results folders, releases, manifest files, or REVISION:PATH in git
audit.py verify MANIFEST [FOLDER]    what is missing, altered, cut off, extra or out of date
audit.py trace PATH [--row ID]       how an output, or one row in it, came to be
audit.py check-text TEXT WHERE       do the numbers that a paper quotes still stand in the tables
audit.py macros WHERE                the results as LaTeX macros
audit.py prov WHERE                  the whole run as W3C PROV, in JSON
audit.py explain WHERE "MODEL BENCHMARK METRIC"   all that one number rests on, on one page
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from reasonlite.audit import changes, manifest, sides, verifying
from reasonlite.audit.store import Store
from reasonlite.core import cli, errors, files
from reasonlite.core.errors import UserError

FORMATS = ("text", "markdown", "json", "html")
# what --fail-on takes for a difference
FAILURES = {"never": set(), "changed": {"added", "removed", "changed"}, "any": set(changes.KINDS)}


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    return int(arguments.run(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(__doc__)
    parser.add_argument("--root", type=Path, default=Path(), help="where the workflow runs; default: here")
    commands = parser.add_subparsers(dest="command", required=True)
    write = commands.add_parser("manifest", help="bring a results folder's manifest up to date")
    write.add_argument("folder", type=Path)
    write.add_argument("--lock", type=Path, help="lock of the environment; default: the one before")
    write.add_argument("--full", action="store_true", help="read every file again, whatever its size and time")
    write.add_argument("--tell", action="store_true", help="and say what changed since the manifest before")
    write.set_defaults(run=_manifest)
    diff = commands.add_parser("diff", help="what changed, inside it, and why")
    diff.add_argument("old", help="results folder, release, manifest or REVISION:PATH; alone: a results folder")
    diff.add_argument("new", nargs="?", help="the same; without it the folder's manifest before is compared")
    diff.add_argument("--format", choices=FORMATS, default="text")
    diff.add_argument("--output", type=Path, help="file to write; default: the terminal")
    diff.add_argument("--fail-on", choices=FAILURES, default="never", help="exit with 1 for such a difference")
    diff.set_defaults(run=_diff)
    verify = commands.add_parser("verify", help="compare a results folder with its manifest")
    verify.add_argument("manifest", type=Path, help="manifest, or results folder with one")
    verify.add_argument("folder", type=Path, nargs="?", help="results folder; default: where the manifest lies")
    verify.add_argument("--cached", action="store_true", help="trust size, time and inode of what was read before")
    verify.set_defaults(run=_verify)
    trace = commands.add_parser("trace", help="how an output or a row came to be")
    trace.add_argument("path", type=Path, help="an output: results/EXPERIMENT/…")
    trace.add_argument("--row", help="id of an answer or a problem, or a table's leading cells: final,aime24")
    trace.add_argument("--graph", type=Path, help="svg file to draw it in")
    trace.set_defaults(run=_trace)
    quoted = commands.add_parser("check-text", help="do the numbers that a paper quotes still stand in the tables")
    quoted.add_argument("text", type=Path, nargs="+", help="LaTeX or Markdown")
    quoted.add_argument("where", help="results folder or release")
    quoted.set_defaults(run=_check_text)
    macros = commands.add_parser("macros", help="the results as LaTeX macros")
    macros.add_argument("where", help="results folder or release")
    macros.add_argument("--output", type=Path, required=True, help="file to write, such as numbers.tex")
    macros.set_defaults(run=_macros)
    prov = commands.add_parser("prov", help="the whole run as W3C PROV, in JSON")
    prov.add_argument("where", help="results folder, release or manifest")
    prov.add_argument("--output", type=Path, help="file to write; default: the terminal")
    prov.set_defaults(run=_prov)
    explain = commands.add_parser("explain", help="one number of a table, and all that it rests on, on one page")
    explain.add_argument("where", help="results folder or release")
    explain.add_argument("claim", help="cells that name the row, such as: final aime24 avg@16")
    explain.add_argument(
        "--table", default="tables/results.csv", help="csv table; a figure's points are its table's rows"
    )
    explain.add_argument("--format", choices=("markdown", "html"), default="markdown")
    explain.add_argument("--output", type=Path, help="file to write; default: the terminal")
    explain.set_defaults(run=_explain)
    return parser


def _manifest(arguments: argparse.Namespace) -> int:
    written = manifest.write(arguments.folder, arguments.root, lock=arguments.lock, trust_cache=not arguments.full)
    print(f"{arguments.folder / manifest.NAME}: {'written' if written else 'unchanged'}")
    if arguments.tell and Store(arguments.folder).history():
        old, new = sides.before(arguments.folder), sides.open_side(str(arguments.folder), arguments.root)
        sys.stdout.write(_told(changes.compare(old.manifest, new.manifest), old, new))
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    root = arguments.root
    new = sides.open_side(arguments.new or arguments.old, root)
    if arguments.new is None and new.folder is None:
        raise UserError("is not a results folder", where=arguments.old, todo="name one, or two manifests")
    old = sides.open_side(arguments.old, root) if arguments.new else sides.before(Path(arguments.old))
    difference = changes.compare(old.manifest, new.manifest)
    text = _told(difference, old, new, arguments.format)
    if arguments.output:
        files.write_text(arguments.output, text)
    else:
        sys.stdout.write(text)
    return int(any(change.kind in FAILURES[arguments.fail_on] for change in difference.changes))


def _told(difference: changes.Difference, old: sides.Side, new: sides.Side, form: str = "text") -> str:
    from reasonlite.audit import telling  # loads Polars, which an unchanged audit does not need

    stores = sides.stores_of([old, new])
    told = telling.look(difference, old, new, stores)
    forms = {"text": telling.text, "markdown": telling.markdown, "json": telling.as_json, "html": telling.html}
    return forms[form](difference, told, telling.sources(difference, old, new, stores))


def _verify(arguments: argparse.Namespace) -> int:
    path = arguments.manifest / manifest.NAME if arguments.manifest.is_dir() else arguments.manifest
    read = manifest.read(path)
    faults = verifying.verify(read, arguments.folder or path.parent, trust_cache=arguments.cached)
    for fault in faults:
        print(f"{fault.path}: {fault.what}")
    print(f"{len(read['outputs']):,} outputs in the manifest, {len(faults):,} faults")
    return int(bool(faults))


def _trace(arguments: argparse.Namespace) -> int:
    from reasonlite.audit import lineage

    found = lineage.open_lineage(arguments.path)
    for line in lineage.row(found, arguments.row) if arguments.row else lineage.tree(found):
        print(line)
    if arguments.graph:
        files.write_text(arguments.graph, lineage.drawing(found))
    return 0


def _check_text(arguments: argparse.Namespace) -> int:
    from reasonlite.audit import quoted

    side = sides.open_side(arguments.where, arguments.root)
    whole, faults = 0, []
    for path in arguments.text:
        count, found = quoted.check(side, path)
        whole, faults = whole + count, faults + found
    for fault in faults:
        print(fault)
    print(f"{whole:,} numbers quoted, {len(faults):,} not as in the tables")
    return int(bool(faults))


def _macros(arguments: argparse.Namespace) -> int:
    from reasonlite.audit import quoted

    files.write_text(arguments.output, quoted.macros(sides.open_side(arguments.where, arguments.root)))
    return 0


def _prov(arguments: argparse.Namespace) -> int:
    from reasonlite.audit import prov

    found = prov.document(sides.open_side(arguments.where, arguments.root).manifest)
    if arguments.output:
        files.write_json(arguments.output, found)
    else:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    return 0


def _explain(arguments: argparse.Namespace) -> int:
    from reasonlite.audit import dossier, dossier_forms

    side = sides.open_side(arguments.where, arguments.root)
    found = dossier.explain(side, shlex.split(arguments.claim), arguments.table)
    text = {"markdown": dossier_forms.markdown, "html": dossier_forms.html}[arguments.format](found)
    if arguments.output:
        files.write_text(arguments.output, text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    errors.run_main(main)
