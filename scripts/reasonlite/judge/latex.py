"""Tokens of an answer written in LaTeX or plain text.

Knows how answers are written; does not know what they mean. One pass over the text, no
recursion, so that neither deep nor long input can hang or overflow it.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from fractions import Fraction
from typing import Literal, NamedTuple

from reasonlite.judge.vocabulary import NAMES, UNITS, WORDS_OF_MATH

Kind = Literal["number", "letters", "command", "text", "sign"]


class Token(NamedTuple):
    """One token. ``spaced``: white space stands before it; ``value`` of a command has no backslash."""

    kind: Kind
    value: str
    spaced: bool


class NotUnderstood(ValueError):
    """The text is not an answer this grammar knows; the message says why."""


class Unknown(NotUnderstood):
    """Well formed as far as it goes, with a construct that this grammar leaves to computer algebra."""


# figures and signs that Unicode has above and below the line; 1/2 and its like
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱ", "0123456789+-=()ni", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚₛₜₓ", "0123456789+-=()aehijklmnopstx", strict=True))
_SCRIPTS = [
    (re.compile(f"[{''.join(map(re.escape, table))}]+"), sign, str.maketrans(table))
    for table, sign in ((_RAISED, "^"), (_LOWERED, "_"))
]
_MARK = "[\u2460-\u2473\u24b6-\u24cf]"  # ① to ⑳, Ⓐ to Ⓩ: the marks of choices
_CIRCLED = re.compile(f"{_MARK}+")
_SEPARATED = re.compile(f"(?<={_MARK})[,;、 ]+(?={_MARK})")


def _fraction(code: int) -> str:
    """The fraction that a character is."""
    value = Fraction(unicodedata.numeric(chr(code))).limit_denominator(10)
    return f"\\frac{{{value.numerator}}}{{{value.denominator}}}"


_UNESCAPED = {"\x0c": "f", "\x08": "b"}  # "\frac" and "\begin" written in a string that takes \f and \b for characters
_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2013\u2014\uff0d", "-"),
        **dict.fromkeys("\u00a0\u2009\u202f\u3000\t\n\r", " "),
        **dict.fromkeys(
            "\x00\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
        ),
        **dict.fromkeys("\u2032\u2019", "'"),
        **{chr(code): _fraction(code) for code in (*range(0xBC, 0xBF), *range(0x2150, 0x215F))},
        **dict.fromkeys("°º", "^{\\circ}"),
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
        "\u2044": "/",
        "\uff0c": ",",
        "\uff1b": ";",
        "\uff1a": ":",
        "\uff08": "(",
        "\uff09": ")",
    }
    | {
        sign: f" \\{name} "
        for sign, name in {
            **{"×": "times", "·": "cdot", "⋅": "cdot", "÷": "div", "±": "pm", "∓": "mp", "∞": "infty", "√": "sqrt"},
            **{"≤": "le", "⩽": "le", "≥": "ge", "⩾": "ge", "≠": "ne", "≈": "approx", "∪": "cup", "∩": "cap"},
            **{"∈": "in", "∅": "emptyset", "∖": "setminus", "→": "to", "⇒": "Rightarrow", "∨": "lor", "∧": "land"},
            **{"π": "pi", "α": "alpha", "β": "beta", "γ": "gamma", "θ": "theta", "λ": "lambda", "φ": "phi"},
            **{"ω": "omega", "ℝ": "reals", "⌊": "lfloor", "⌋": "rfloor", "⟨": "langle", "⟩": "rangle"},
        }.items()
    }
)
_TEXT = "text|textbf|textit|textrm|textnormal|textsf|texttt|mbox|hbox|mathrm|mathbf|mathit|mathsf|operatorname|bf|rm"
_DROPPED = (
    r"\\(?:left|right|displaystyle|textstyle|limits|nolimits|big|Big|bigg|Bigg|bigl|bigr|Bigl|Bigr|biggl|biggr)(?![a-zA-Z])"
    r"|(?<!\\)\\[()\[\]]|\\?\$|[€£¥]|\*\*|\\phantom\{[^{}]*\}|<\|[a-z_]+\|>.*"
)
_REPAIRS = [
    # what stands behind a point belongs to SymPy's names, of which the grammar reads letters alone
    (re.compile(r"\bInterval\.(?=(?:open|Lopen|Ropen)\b)"), "Interval"),
    (re.compile(r"\bS\.(?=(?:Reals|EmptySet|Infinity|Pi)\b)"), ""),
    # Python's and SymPy's power between two operands; elsewhere two stars are a mark of bold type
    (re.compile(r"(?<=[\w)\]}]) ?\*\* ?(?=[\w(\\{+-])(?!.*\*\*$)"), "^"),
    # SymPy's and Python's connectives between comparisons: (0 < x) & (x < 1)
    (re.compile(r"(?<=\)) ?&&? ?(?=\([^()&]*[<>=]|(?:Eq|Ne)\()(?!.*\\end)"), r" \\land "),
    (re.compile(r"(?<=\)) ?\|\|? ?(?=\([^()|]*[<>=]|(?:Eq|Ne)\()(?!.*\\end)"), r" \\lor "),
    (re.compile(_DROPPED, re.DOTALL), ""),
    (
        re.compile(r"(?:\^ *\{? *\\circ *\}?|\\degree) *(?:\\(?:text|mathrm|rm) *\{? *)?([CF])(?![A-Za-z])\}?"),
        r" \\text{deg\1}",
    ),
    (re.compile(r"(?<=[\d)\]}])(or|and)(?=[\\(A-Za-z\d\[])"), r" \\text{\1} "),
    # an unmistakable thousands separator
    (re.compile(r"(?<=\d)(?:,\\!\s*|\s*\{,\s*\}\s*|\\!,|\\!|,\\,)(?=\d{3})"), "\u066c"),
    (re.compile(r"(?<!\\)\\!"), ""),
    (re.compile(r"\\(?:qquad|quad(?=[a-z]?(?:_|\b))|enspace|thinspace|hspace\{[^{}]*\})|(?<!\\)\\[ ,:;>]|~"), " "),
    (re.compile(r"(?<=\d) ?(min|sec)$"), r" \\text{\1}"),
    (re.compile(r"^(?:about|approximately|approx\.|roughly|exactly) (?=\S)", re.IGNORECASE), ""),
    (re.compile(r"\b(?:np|math|sympy|sp)\.(?=[a-zA-Z])"), ""),
    (re.compile(r"(?<![\w)}\]])%(?=(?:pi|e|i|phi)\b)"), ""),  # Maxima's constants
]
_WORDS_BEHIND = re.compile(r"(?<=[\d}]) *\( ?([A-Za-z]+(?:[ .'-]+[A-Za-z]+){0,8}) ?\)$")  # 9 (apples)
_SPACED_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?: \d{3})+(?![\d,])")
_COMMA_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<wrapped>\\(?P<font>" + _TEXT + r")\s*\{)|\\(?P<edge>begin|end)\s*\{(?P<name>[a-zA-Z]+\*?)\}"
    r"|\\(?P<command>[a-zA-Z]+)|(?P<number>\d[\d\u066c]*\.(?=\\(?:overline|dot|bar)\b)|"
    r"\d+\.(?=[-/*+)])|(?:\d[\d\u066c]*(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,3}(?![\d.a-zA-Z]))?)|(?P<letters>[^\W\d_]+)"
    r"|(?P<sign>\\\\|\\[{}%|]|<=|>=|!=|==|:=|\.\.\.|.)",
    re.DOTALL,
)


def clean(text: str) -> str:
    """The text without what does not change its meaning: math marks, sizes, spacing, currency signs."""
    text = re.sub(r"(?<=\d)\s?(c?m|km|ft|in)([²³])$", r" \\text{\1}\2", text.strip())
    text = re.sub(r"\\?([\x08\x0c])(?=[a-z])", lambda match: "\\" + _UNESCAPED[match[1]], text)
    if not text.isascii():
        text = _from_unicode(text)
    if "\\begin" not in text:
        text = re.sub(r"\\\\(?=[a-zA-Z{},;!])", r"\\", text)  # backslashes escaped twice
    for pattern, replacement in _REPAIRS:
        text = pattern.sub(replacement, text)
    text = _WORDS_BEHIND.sub(_as_words, text)
    text = re.sub(r"\s+", " ", text).strip()
    while text.endswith((".", ",", ";", ":", "\\")) and not text.endswith("..."):
        text = text[:-1].rstrip()
    return text


def _as_words(match: re.Match[str]) -> str:
    """What stands between brackets behind a number as text, if a word of it is language: not 3 (x - y), 2 (cos x)."""
    is_language = any(len(word) > 3 and word not in WORDS_OF_MATH for word in re.findall("[A-Za-z]+", match[1]))
    return f" \\text{{{match[1]}}}" if is_language else match.group()


def _from_unicode(text: str) -> str:
    """Signs and figures that only Unicode has, as LaTeX writes them."""
    text = _CIRCLED.sub(_uncircled, _SEPARATED.sub("", text))
    text = text.replace("℃", "°C").replace("℉", "°F")
    for pattern, sign, table in _SCRIPTS:
        text = pattern.sub(functools.partial(_script, sign, table), text)
    return text.translate(_CHARACTERS)


def _script(sign: str, table: dict[int, str], match: re.Match[str]) -> str:
    return f"{sign}{{{match.group().translate(table)}}}"


def _uncircled(match: re.Match[str]) -> str:
    return ", ".join(unicodedata.normalize("NFKC", mark) for mark in match.group())


def tokens(cleaned: str) -> list[Token]:
    """The tokens of a cleaned text; NotUnderstood for wrapped text that is never closed."""
    cleaned = _join_thousands(cleaned)
    found: list[Token] = []
    position, spaced = 0, False
    while position < len(cleaned):
        match = _TOKEN.match(cleaned, position)
        if match is None:  # cannot happen: the last alternative takes any character
            raise NotUnderstood(f"no token at {cleaned[position : position + 20]!r}")
        position = match.end()
        kind = "wrapped" if match["wrapped"] else match.lastgroup
        if kind == "space":
            spaced = True
            continue
        if kind == "wrapped":
            end = _closing_brace(cleaned, position)
            content = cleaned[position:end].strip()
            is_product = match["font"].startswith("math") and len(content) == 2 and content not in UNITS
            # in an upright font "min" and "sec" are minutes and seconds, unless they are said to be operators
            is_name = content in NAMES and (match["font"] == "operatorname" or content not in ("min", "sec"))
            is_letters = is_name or (is_product and content.isalpha())
            found.append(Token("letters" if is_letters else "text", content, spaced))
            position = end + 1
        elif match["edge"]:
            found.append(Token("command", f"{match['edge']} {match['name']}", spaced))
        elif kind == "number":
            found.append(Token("number", match["number"].replace("\u066c", ""), spaced))
        else:
            found.append(Token(kind, match[kind], spaced))  # type: ignore[arg-type,index]
        spaced = False
    return found


def _closing_brace(text: str, start: int) -> int:
    depth = 1
    for position in range(start, len(text)):
        if text[position] in "{}" and text[position - 1] != "\\":
            depth += 1 if text[position] == "{" else -1
            if depth == 0:
                return position
    raise NotUnderstood("a brace is never closed")


def _join_thousands(text: str) -> str:
    """Mark the commas and spaces that group digits by thousands.

    Inside brackets a comma separates elements, (1,234) is a pair, unless elsewhere in the text a
    comma with a space does that, or a group begins with 0: (1,000).
    """
    text = _SPACED_THOUSANDS.sub(lambda match: match.group().replace(" ", "\u066c"), text)
    bracketed = text.startswith(("(", "[", "\\{", "{")) or re.search(r"[(\[{][^)\]}]*\d,\d{3}", text) is not None
    separated = ", " in text or ";" in text

    def mark(match: re.Match[str]) -> str:
        groups = match.group().split(",")[1:]
        if bracketed and not separated and not any(group.startswith("0") for group in groups):
            return match.group()
        return match.group().replace(",", "\u066c")

    return _COMMA_THOUSANDS.sub(mark, text)
