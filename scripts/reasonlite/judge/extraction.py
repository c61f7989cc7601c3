"""The final answer in a piece of text.

Knows where answers stand in a text; does not know whether two answers are equal. By
strength: a sentence that names its final answer after the last box, the last box (or the
boxes that one sentence joins), ``#### x`` (GSM8K's form) or a line ``A: x``, the field "answer" that ends a JSON
object, the words after "the answer is".
Text that has none of these has no answer, unless it is asked for as prose.
"""

from __future__ import annotations

import re

LONGEST = 2_000  # characters; a longer "answer" is prose
MOST_BOXES = 50  # looked at from the end, so that many unclosed boxes cost no more than a few
MOST_PHRASES = 200  # looked at from the end, for the same reason
LONGEST_JOIN = 60  # characters between two boxes of one answer

_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_EMPTY_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{\s*\}")
_BARE_BOX = re.compile(r"[^\s$\\{}]+")
_FINAL = re.compile(r"(?<=final)\s+answer\s+is\s*:?\s*", re.IGNORECASE)
_PHRASE = re.compile(
    r"(?:answer|result)\"?\s*(?:\*\*\s*)?"
    r"(?:(?:is|=|:|are|(?:should|must|would) be)\s*:?\s*(?:\*\*\s*)?(?:equal\s+to\s+)?|(?=\$|\\\(|\\\[))",
    re.IGNORECASE,
)
_FIELD = re.compile(r"answer\"\s*:\s*(\"(?:[^\"\\\n]|\\.){0,2000}\"|-?\d[\d.,]*)\s*,?\s*\}")
_HASHES = re.compile(r"^(?:####|A:)\s*(.+?)\s*$", re.MULTILINE)
_STOP = re.compile(r"<\|(?:im_start|im_end|endoftext|eot_id|end|return)\|>")
_SENTENCE_END = re.compile(
    r"\n|\"\s*[,}]|[.!?](?=\s|$|\*)|,?\s+(?:which|because|since|so|as|obtained|when|where)\s|,\s+(?:it|but|we|not)\s"
)
_FILLERS = re.compile(
    r"^(?:\s|[*:]|\\?\"|(?:for sure|definitely|clearly|simply|probably|therefore|thus|just)\b)+", re.IGNORECASE
)
_SUM = re.compile(r"^[\d\s.,$+*/×÷x()-]+(?:=[\d\s.,$+*/×÷x()-]+)+$")
_VALUED = re.compile(r"\d|\\(?!text|mathrm|mathbf)")
_OPEN_SUM = re.compile(r"[-+*/×÷=]\s*$")  # what stands between two prices is no formula: $105 - $90
_VERB = re.compile(r"\b(?:is|are|was|equals?|of|be|by|=)\s+(?!(?:the|a|an)\b)", re.IGNORECASE)
_MATH = re.compile(
    r"\$\$(.+?)\$\$|(?<![\\$\d])\$(?! ?\d[\d,.]* [a-z])((?:\\.|[^$\\\n]){1,500}?)\$|\\\((.+?)\\\)|\\\[(.+?)\\\]",
    re.DOTALL,
)
_FORMULAS = re.compile(  # one, or some with "and" between them, and a sign of percent behind
    rf"(?:{_MATH.pattern})(?:(?:,|\s*,?\s*(?:and|or))\s*(?:{_MATH.pattern}))*(?:\s*(?:\\?%|percent\b))?", re.DOTALL
)
_VALUE = re.compile(
    r"(?<![\w.,/\\^])[-+\u2212]?\d[\d,]*(?:\.\d+)?(?:\s?/\s?\d+)?(?:\s?\\?%)?(?:[a-z]{1,3}[²³])?(?![\w/^])"
    r"|(?<![\w\\])\([^()\n]{1,80},[^()\n]{1,80}\)"
)
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}(?![A-Za-z(])")
_CONNECTIVES = frozenset({"and", "or"})
_NOT_JOINED = frozenset(
    "is equals equivalently approximately thus so therefore hence which not but ie eg i e means".split()
)
_CHOICE = re.compile(
    r"^\s*\(?([A-J])\)?[.):]\s|\b(?:it's|it is|option|choice|choose|select|pick)\s+\(?([A-J])\)?(?![\w'])"
)


def extract(text: str, *, prose: bool = False) -> str | None:
    """The final answer in a piece of text, stripped; linear in the text's length.

    With ``prose``, a short text is its own answer, and of other text without any mark the last
    formula, value or choice is taken: for replies of models that were not asked for a box.
    """
    end, boxed = _boxed(text)
    found = _final_sentence(text, end) if boxed is not None else None
    if found and boxed and _VALUED.search(boxed) and not _VALUED.search(found):
        found = None  # "the final answer is clearly highlighted" says nothing of a number in a box
    found = found or boxed
    if found is None:
        hashes = _HASHES.findall(text) if "####" in text or "A:" in text else []
        found = hashes[-1] if hashes else _json_field(text)
        found = _after_phrase(text) if found is None else found
    if found is None:
        found = _unclosed(text)
    if found is None and prose:
        found = _of_prose(_before_stop(text))
    found = _EMPTY_BOX.sub("", found).strip() if found is not None else ""
    return found if 0 < len(found) <= LONGEST else None


# -- boxes


def last_boxed(text: str) -> str | None:
    """What the last balanced ``\\boxed{…}`` or ``\\fbox{…}`` holds, or the last few that belong together.

    Boxes belong together when only a comma, or up to five words with "and" or "or", stand between
    them; their contents are joined by commas. None if there is no box. Escaped braces do not
    count, and neither do boxes that are empty, never closed, or longer than LONGEST.
    """
    return _boxed(text)[1]


def _boxed(text: str) -> tuple[int, str | None]:
    """Where the last box ends and what it holds."""
    contents: list[str] = []
    last_end, following = -1, len(text)
    position = len(text)
    for _ in range(MOST_BOXES):
        position = max(text.rfind("\\boxed", 0, position), text.rfind("\\fbox", 0, position))
        if position < 0:
            break
        span = _content(text, position)
        if span is None:
            continue
        start, end, closed = span
        if contents and (closed > following or not _joined(text[closed:following])):
            break
        if not contents:
            last_end = closed
        if text[start:end].strip() not in contents:
            contents.insert(0, text[start:end].strip())
        following = position
    return last_end, ", ".join(contents) if contents else None


def _content(text: str, box: int) -> tuple[int, int, int] | None:
    """Start and end of the content of the box at a position, and where the box ends; None if it has none."""
    start = box + (6 if text.startswith("\\boxed", box) else 5)
    while text[start : start + 1].isspace():
        start += 1
    if text[start : start + 1] != "{":
        bare = _BARE_BOX.match(text, start)
        if bare is None:
            return None
        end = start + len(bare.group().rstrip(".,;"))
        return (start, end, end) if end > start else None
    depth, start = 1, start + 1
    for match in _BRACE.finditer(text, start, min(len(text), start + LONGEST + 1)):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if depth == 0:
            return (start, match.start(), match.end()) if text[start : match.start()].strip() else None
    return None


def _joined(gap: str) -> bool:
    """Whether two boxes with this text between them give one answer."""
    if len(gap) > LONGEST_JOIN:
        return False
    gap = re.sub(r"\\(?:text|mbox|mathrm)\s*\{([^{}]*)\}", r" \1 ", gap)
    gap = re.sub(r"\\(?:[()\[\],;!: ]|q?quad)|[$&]", " ", gap)
    gap = re.sub(r"[A-Za-z](?:_\{?\w+\}?)?\s*=\s*$", "", gap.strip())
    words = re.findall(r"[A-Za-z]+", gap)
    if not words:
        return re.fullmatch(r"[\s,;+\\]*", gap) is not None
    if "\\" in gap or "=" in gap or ". " in gap or len(words) > 5 or _NOT_JOINED & {word.lower() for word in words}:
        return False
    return bool(_CONNECTIVES & set(words))


def _unclosed(text: str) -> str | None:
    """The line behind a box that is never closed, in a text without any other mark of an answer."""
    start = text.rfind("\\boxed{")
    rest = text[start + len("\\boxed{") : start + LONGEST] if start >= 0 else ""
    rest = rest.strip()
    unclosed = rest and "\n" not in rest and len(rest) < 200 and rest.count("}") <= rest.count("{") < 20
    return rest if unclosed else None


# -- sentences


def _final_sentence(text: str, start: int) -> str | None:
    """The value of a sentence "the final answer is …" behind the last box."""
    tail = text[start:]
    if "final" not in tail and "Final" not in tail and "FINAL" not in tail:
        return None
    matches = list(_FINAL.finditer(tail))
    return _sentence(tail, matches[-1].end()) if matches else None


def _json_field(text: str) -> str | None:
    """The value of the last field "answer" that ends a JSON object, as prompts for structured replies want it."""
    position = len(text)
    for _ in range(MOST_PHRASES if '"' in text else 0):
        position = text.rfind('answer"', 0, position)
        if position < 0:
            break
        if match := _FIELD.match(text, position):
            value = match[1][1:-1] if match[1].startswith('"') else match[1].rstrip(",.")
            return _sentence(re.sub(r'\\(["\\/])', r"\1", value), 0)
    return None


def _after_phrase(text: str) -> str | None:
    """The value of the last sentence "the answer is …" or "answer: …"."""
    found = [match for word in ("answer", "result") if (match := _last_phrase(text, word))]
    return _sentence(text, max(match.end() for match in found)) if found else None


def _last_phrase(text: str, word: str) -> re.Match[str] | None:
    """The last place where a word begins the phrase; found from the end, a few spellings of the word at a time."""
    for spelling in (word, word.capitalize(), word.upper()):
        position = len(text)
        for _ in range(MOST_PHRASES):
            position = text.rfind(spelling, 0, position)
            if position < 0:
                break
            if match := _PHRASE.match(text, position):
                return match
    return None


def _sentence(text: str, start: int) -> str:
    """The answer in the sentence that begins at a position."""
    window = _FILLERS.sub("", _before_stop(text[start : start + LONGEST]))
    if window[:1] in ("$", "\\") and (formulas := _FORMULAS.match(window)):
        formula = formulas.group().strip("$ ")
        if not _OPEN_SUM.search(formula):
            return formula
    end = _SENTENCE_END.search(window)
    found = window[: end.start() if end else len(window)].strip(" *$:`\"'")
    if " " not in found:
        return found.rpartition("=")[2].strip("$") if "=" in found and _SUM.match(found) else found
    if choice := re.match(r"\(?([A-J])\)?,\s", found):
        return choice[1]
    if "=" in found and _SUM.match(found):  # "the answer is 27 + 9 = 36"
        return found.rpartition("=")[2].strip(" $")
    if len(_plain_words(found)) > 2 and not found[:1].isdigit():
        verbs = [match.end() for match in _VERB.finditer(found)]
        tail = found[verbs[-1] :].strip(" *$") if verbs else ""
        if tail and len(_plain_words(tail)) <= 2:
            return tail
        return _last_value(found) or found
    return found


def _before_stop(text: str) -> str:
    stop = _STOP.search(text, 1) if "<|" in text else None
    return text[: stop.start()] if stop else text


# -- prose


def _plain_words(text: str) -> list[str]:
    outside = _MATH.sub(" ", text)
    outside = re.sub(r"\\[a-zA-Z]+\s*(?:\{[^{}]*\})?", " ", outside)
    return [word for word in _WORD.findall(outside) if word.lower() not in _CONNECTIVES]


def _of_prose(text: str) -> str | None:
    tail = text[-4 * LONGEST :].strip()
    words = _plain_words(tail)
    opening = re.match(r"[A-Za-z']{2,}[\s:]", tail)
    if not words or (len(words) < 3 and not (opening and (_MATH.search(tail) or ":" in tail))):
        return tail
    if choices := list(_CHOICE.finditer(tail)):
        return choices[-1][1] or choices[-1][2]
    return _last_value(tail)


def _last_value(text: str) -> str | None:
    """The last formula with more than a name in it, or the last number or pair outside of formulas."""
    formulas = [
        match for match in _MATH.finditer(text) if re.search(r"[\d=<>]|\\[lgn]eq?|\\frac|\\sqrt|\\begin", match.group())
    ]
    outside = _MATH.sub(lambda match: " " * len(match.group()), text)
    values = list(_VALUE.finditer(outside))
    if values and (not formulas or values[-1].start() > formulas[-1].start()):
        return values[-1].group()
    if not formulas:
        return None
    rest = re.match(r"\s*(?:\\?%|percent\b)", text[formulas[-1].end() :])
    return next(group for group in formulas[-1].groups() if group) + (rest.group() if rest else "")
