"""Texts that models wrote, made safe to look at: escaped, bounded, odd characters by name, formulas set as MathML.

Everything here gives `Markup` or plain numbers in words; templates escape all else by themselves.
"""

from __future__ import annotations

import functools
import html
import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from markupsafe import Markup, escape

LONGEST = 20_000  # characters of one text on a page of many
FORMULAS = 200  # set in one text
FORMULA = 1_500  # characters of one formula
ANSWER = 300  # of a final answer that is one
NODES = 2_000  # elements of one formula
# between $$, $, \[ \] or \( \); a dollar before a space or after one is money
MATH = re.compile(
    r"\$\$(?P<a>[^$]{1,1500})\$\$|\\\[(?P<b>.{1,1500}?)\\\]|\\\((?P<c>.{1,1500}?)\\\)"
    r"|(?<![\\$])\$(?P<d>[^\s$](?:[^$\n]{0,1500}?[^\s$\\])?)\$(?!\d)",
    re.DOTALL,
)
BRACES = re.compile(r"[{}]")
BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
# a macro may stand for a thousand others; nobody who writes an answer needs one
DEFINES = re.compile(r"\\(?:[a-z]*def|(?:re)?new[a-z]+|provide[a-z]+|let|Declare[A-Za-z]+|loop|csname)(?![A-Za-z])")
# characters that change how others are shown, or show as nothing
ODD = re.compile(
    "([\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f])\\1*"
)
NAMED = Markup('<span class="odd" title="{}">{}</span>')
ELEMENTS = frozenset(
    "math mrow mi mn mo mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mtable mtr mtd mstyle"
    " mpadded mphantom menclose mmultiscripts mprescripts none merror".split()
)
ATTRIBUTES = frozenset(
    "accent accentunder columnalign columnlines display displaystyle fence form linebreak linethickness mathvariant"
    " movablelimits notation rowlines scriptlevel separator stretchy".split()
)
PLAIN = re.compile(r"[A-Za-z0-9 .+-]{1,40}")


def named(text: str) -> Markup:
    """Escaped, with each odd character by its code."""
    parts, place = [], 0
    for found in ODD.finditer(text):
        parts.append(escape(text[place : found.start()]))
        place = found.end()
        if found[0] == "\r" and text[place : place + 1] == "\n":
            continue
        code, times = f"U+{ord(found[0][0]):04X}", len(found[0])
        name = unicodedata.name(found[0][0], "control character").lower()
        parts.append(NAMED.format(name, f"{code} × {times:,}" if times > 1 else code))
    return Markup("").join([*parts, escape(text[place:])])


def set_text(text: str, most: int = LONGEST) -> Markup:
    """A text as a page shows it: formulas set where they are understood, cut where it is long."""
    shown, left = text[:most], max(len(text) - most, 0)
    parts, place = [], 0
    for start, end, formula, display in itertools.islice(_formulas(shown), FORMULAS):
        made = formula_of(formula, display=display)
        if made is not None:
            parts += [named(shown[place:start]), made]
            place = end
    parts.append(named(shown[place:]))
    if left:
        parts.append(Markup('<span class="rest">… {:,} more characters</span>').format(left))
    return Markup("").join(parts)


def _formulas(text: str) -> list[tuple[int, int, str, bool]]:
    """Where formulas stand: begin, end, formula, whether on a line of its own. A box outside of them is one too."""
    found = []
    for match in MATH.finditer(text):
        formula = next(group for group in match.groups() if group is not None)
        found.append((match.start(), match.end(), formula, match.lastgroup in {"a", "b"}))
    found += [(start, end, text[start:end], False) for start, end in _boxes(text)]
    kept: list[tuple[int, int, str, bool]] = []
    for entry in sorted(found, key=lambda entry: (entry[0], -entry[1])):
        if not kept or entry[0] >= kept[-1][1]:
            kept.append(entry)
    return kept


def _boxes(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of each \\boxed{…} whose braces close within a formula's length."""
    openings = {found.end() - 1: found.start() for found in BOXED.finditer(text)}
    waiting: list[tuple[int, int]] = []  # (begin, depth) of the boxes that are open
    depth = 0
    for brace in BRACES.finditer(text):
        if brace[0] == "{":
            depth += 1
            if brace.start() in openings:
                waiting.append((openings[brace.start()], depth))
            continue
        if waiting and waiting[-1][1] == depth:
            start, _ = waiting.pop()
            if brace.end() - start <= FORMULA:
                yield start, brace.end()
        depth = max(depth - 1, 0)


def set_answer(text: str) -> Markup:
    """A final answer: all of it is a formula if it looks like one; a program of several lines does not."""
    short = text.strip()
    if len(short) <= ANSWER and "\n" not in short and re.search(r"[\\^_{}]", short) and not MATH.search(short):
        made = formula_of(short)
        if made is not None:
            return made
    return set_text(short, 500)


@functools.lru_cache(maxsize=4096)
def formula_of(latex: str, *, display: bool = False) -> Markup | None:
    """A formula as MathML; None where it is not understood whole, too long, or defines something."""
    from latex2mathml.converter import convert_to_element

    if len(latex) > FORMULA or DEFINES.search(latex) or ODD.search(latex):
        return None
    try:
        element = convert_to_element(latex, display="block" if display else "inline")
        room = [NODES]
        made = _written(element, room)
    except Exception:  # whatever its parser stumbles over: the text is then shown as it stands
        return None
    return None if room[0] < 0 or re.search(r">\\[A-Za-z]+<", made) else Markup(made)


def _written(element: Element, room: list[int]) -> str:
    """An element by known names alone: the library hands links, styles and markup of a text on as they come."""
    room[0] -= 1
    if element.tag not in ELEMENTS or room[0] < 0:
        room[0] = -1
        return ""
    kept = [(name, value) for name, value in element.attrib.items() if name in ATTRIBUTES and PLAIN.fullmatch(value)]
    attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in kept)
    inner = html.escape(html.unescape(element.text or ""))
    inner += "".join(_written(child, room) + html.escape(html.unescape(child.tail or "")) for child in element)
    if element.tag == "math":  # what is copied is the source
        return f"<math{attributes}>{inner}</math>"
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>"


def number(value: Any, digits: int = 2) -> str:
    """A number for a cell: thousands apart, few digits; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.{digits}f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def share(value: float | None) -> str:
    """A share of one in per cent."""
    return "–" if value is None else f"{100 * value:.0f}%"


def size(value: float) -> str:
    """Bytes in words."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:,.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
