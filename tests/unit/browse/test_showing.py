"""Texts that models wrote: formulas are set, everything else is shown as it stands, and nothing runs."""

import re
import time

import pytest
from small_run import HACK, HOSTILE

from reasonlite.browse.showing import FORMULA, LONGEST, formula_of, named, set_answer, set_text

TAG = re.compile(r"<[^>]*>")
KNOWN = re.compile(r"</?(?:span|math|m[a-z]+|none)(?: [a-z]+=\"[^\"<>]*\")*>")


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("show", [set_text, set_answer, named])
def test_no_markup_of_a_text_comes_through(text, show):
    started = time.monotonic()
    made = str(show(text))
    assert time.monotonic() - started < 60 and len(made) < 40 * len(text) + 10_000
    for tag in TAG.findall(made):
        assert KNOWN.fullmatch(tag), tag
        assert "href" not in tag and "style" not in tag and not re.search(r"\bon[a-z]+=", tag)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (r"so $\frac{1}{2}$ is it", "<mfrac>"),
        (r"\[ x^2 \]", '<math display="block">'),
        (r"The answer is \boxed{\frac{1}{2}}.", "<mfrac>"),
        (r"\(\sqrt{2}\)", "<msqrt>"),
        (r"$\boxed{7}$", "<menclose"),
    ],
)
def test_formulas_are_set(text, wanted):
    assert wanted in set_text(text)


@pytest.mark.parametrize(
    "text", ["It costs $5 and $6 more", r"$\foo{x}$", "$" + "x" * (FORMULA + 1) + "$", r"$\left( x$", "$$$$"]
)
def test_what_is_no_formula_or_not_understood_stands_as_it_is(text):
    assert "<math" not in set_text(text) and "".join(TAG.split(str(set_text(text)))) == text


def test_a_macro_is_not_expanded():
    assert formula_of(r"\def\a{xx}\a") is None and formula_of(r"\newcommand{\b}{y}\b") is None


def test_odd_characters_are_shown_by_their_codes():
    made = named("a\u202eb\x00c\r\nd\u200b")
    assert TAG.sub("", made) == "aU+202EbU+0000c\ndU+200B" and 'title="right-to-left override"' in made


def test_a_long_text_is_cut_and_says_so():
    assert f"… {5:,} more characters" in set_text("x" * (LONGEST + 5)) and HACK not in set_text("x" * LONGEST + HACK)
