"""What all pages share: their addresses, the templates, and the words in an address."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2

from reasonlite.browse import charts, showing, states
from reasonlite.browse.folder import Folder, Missing
from reasonlite.core.errors import UserError
from reasonlite.core.pace import duration

# of static pages; where they are opened as files their origin is none, and 'self' does not name it
POLICY = (
    "default-src 'none'; style-src 'self' file:; script-src 'self' file:; img-src 'self' file:; base-uri 'none';"
    " form-action 'none'"
)
# folders of which one has to be there for a view to show anything
PARTS = {
    "problems": ("problems/shards",),
    "benchmarks": ("evaluation",),
    "training": ("training", "curriculum", "logs/train"),
    "states": (".audit/history",),
    "live": ("logs", "journals"),
}
PAGE = 50  # problems of a page
Context = dict[str, Any]
PAGES = Path(__file__).parent / "pages"


class Ask:
    """What an address asks for; every state of a view is in it."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs = [(name, value) for name, value in pairs if value != ""]

    def one(self, name: str, default: str = "") -> str:
        """The last value of a name."""
        return next((value for key, value in reversed(self.pairs) if key == name), default)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.pairs if key == name]

    def whole(self, name: str, default: int = 0) -> int:
        """A number that is not negative; the default for anything else."""
        text = self.one(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default

    def page(self, rows: int, size: int) -> tuple[int, int]:
        """The page asked for, from 1, and how many there are of ``size`` rows each; the last one for any beyond."""
        pages = max(1, -(-rows // size))
        return min(max(self.whole("page", 1), 1), pages), pages

    def but(self, **changed: Any) -> list[tuple[str, str]]:
        """The same with some names set anew, or taken out (None)."""
        kept = [(name, value) for name, value in self.pairs if name not in changed]
        return kept + [(name, str(value)) for name, value in changed.items() if value is not None]


Link = Callable[[str, list[tuple[str, str]]], str | None]


def address(view: str, pairs: list[tuple[str, str]]) -> str:
    """The address of a view on the server, relative to any other."""
    return f"{'./' if view == 'overview' else view}{'?' if pairs else ''}{urlencode(pairs)}"


@dataclass
class Site:
    """Pages over one folder. ``link`` gives a view's address, None where there is no such page."""

    folder: Folder
    root: Path
    against: str | None = None
    link: Link = address
    fixed: bool = False  # static files: no forms, nothing that changes
    sample: str = ""  # what an export leaves out
    chosen: dict[str, list[str]] | None = None  # problems with a page of their own: training's (""), a benchmark's

    def __post_init__(self) -> None:
        loader = jinja2.FileSystemLoader(PAGES)
        self._pages = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._pages.filters |= {
            "named": showing.named,
            "set": showing.set_text,
            "answer": showing.set_answer,
            "number": showing.number,
            "share": showing.share,
            "size": showing.size,
            "duration": duration,
            "moment": moment,
            "verdict": states.plain,
        }
        self._pages.globals |= {
            "to": self.to,
            "again": self.again,
            "origin": self.origin,
            "bars": charts.bars,
            "in_words": charts.in_words,
            "lines": charts.lines,
            "fixed": self.fixed,
        }

    def to(self, view: str, **names: Any) -> str | None:
        """The address of a view; names that are None are left out."""
        return self.link(view, [(name, str(value)) for name, value in names.items() if value not in (None, "")])

    def again(self, view: str, ask: Ask, **changed: Any) -> str | None:
        """The address of the same view with some of its state changed."""
        return self.link(view, ask.but(**changed))

    def origin(self, path: str, row: str | None = None) -> str | None:
        """The address of the page that says what an output was made from; None where no manifest knows it."""
        manifest = self.folder.manifest()
        known = manifest is not None and path in manifest["outputs"]
        return self.to("origin", path=path, row=row) if known else None

    def render(self, view: str, context: dict[str, Any]) -> str:
        """A whole page; ``context`` is what the view gave."""
        shared = {
            "view": view,
            "name": self.folder.name,
            "complaints": self.folder.complaints(),
            "sample": self.sample,
            "policy": POLICY if self.fixed else "",
            "filled": self._filled(),
        }
        return self._pages.get_template(f"{view}.html").render(shared | context)

    def _filled(self) -> set[str]:
        """Views that have something to show."""
        there = {view for view, parts in PARTS.items() if any((self.folder.path / part).is_dir() for part in parts)}
        return there | ({"states"} if self.against is not None else set())

    def states(self) -> states.States:
        """The comparison with the other state, made once for each manifest."""
        manifest = self.folder.path / "manifest.json"
        if self.folder.stamp(manifest) is None:
            raise Missing("there is no manifest yet: it is written when a run ends")
        history = self.folder.files(".audit/history/*.json")
        other = [Path(self.against), Path(self.against) / "manifest.json"] if self.against else history
        stamp = tuple((str(path), self.folder.stamp(path)) for path in [manifest, *other])

        def make() -> states.States | str:
            try:
                return states.compare(self.folder.path, self.against, self.root)
            except UserError as error:
                return str(error)

        found = self.folder.cached("states", stamp, make)
        if isinstance(found, str):
            raise Missing(found)
        return found


def moment(seconds: float) -> str:
    """A time for reading, in this machine's zone."""
    return datetime.datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
