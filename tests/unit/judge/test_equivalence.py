"""Verdicts on pairs of answers: what made each rule necessary, and what must never be merged."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasonlite.judge import algebra, equivalence
from reasonlite.judge.equivalence import compare

EQUAL = [
    # wrappers, spacing, sizes, signs
    ("$42$", "42", "text"),
    (r"\(x+1\)", "x+1", "text"),
    (r"\left( \frac{1}{2} \right)", r"\frac12", "text"),
    (r"\dfrac{1}{2}", r"\tfrac{1}{2}", "text"),
    (r"\frac{1}{3}", "1/3", "text"),
    (r"\frac3{4}", "0.75", "number"),
    (r"\displaystyle 5", "5", "text"),
    ("−5", "-5", "text"),
    ("5.", "5", "text"),
    (r"\boxed{7}", "7", "text"),
    (r"\\frac{1}{5}", r"\frac{1}{5}", "text"),
    ("√53", r"\sqrt{53}", "text"),
    ("12π", r"12\pi", "text"),
    (r"3\cosx", r"3\cos x", "text"),
    ("ｆ", "ｆ", "text"),
    # numbers
    ("1000", "1,000.0", "number"),
    ("7,425,000", "7425000", "text"),
    ("1 000", "1000", "text"),
    (r"14{,}916", "14916", "text"),
    (r"11,\! 111,\! 100", "11111100", "text"),
    ("1.2e3", r"1.2\times 10^3", "number"),
    ("2^10", "1024", "number"),
    ("-.5", r"-\frac{1}{2}", "number"),
    (r"3\frac{1}{2}", "7/2", "number"),
    ("3 1/2", "3.5", "number"),
    (r"0.\overline{3}", r"\frac13", "number"),
    (r"\sqrt{16}", "4", "number"),
    ("5!", "120", "number"),
    (r"\binom{5}{2}", "10", "number"),
    (r"\lfloor 3.7 \rfloor", "3", "number"),
    ("twenty-five", "25", "text"),
    ("0.08333", r"\frac{1}{12}", "rounded"),
    ("16386.16", r"10000\left(\frac{41}{40}\right)^{20}", "rounded"),
    ("1.41421", r"\sqrt{2}", "rounded"),
    ("2,74", "2.74", "decimal comma"),
    ("004", "4", "text"),
    # money, percent, degrees, units
    (r"\$16386.17", "16386.17", "text"),
    ("1,000.99€", "1000.99", "text"),
    (r"28\%", "28 percent", "text"),
    (r"28\%", "28", "percent"),
    (r"50\%", "0.5", "percent"),
    (r"90^\circ", "90", "unit"),
    ("90°", r"90^{\circ}", "text"),
    (r"90^\circ", r"\frac{\pi}{2}", "value"),
    ("90 degrees", r"90^\circ", "text"),
    (r"15\mbox{ cm}^2", "15", "unit"),
    ("125 miles", r"125\text{ mile}", "text"),
    ("1 m", "1 m", "text"),
    (r"1\text{ m}", r"100\text{ cm}", "number"),
    (r"2\text{ hours}", r"120\text{ minutes}", "number"),
    (r"60\text{ miles per hour}", "60", "unit"),
    (r"5\pi\text{ cm}^2", r"5\pi", "unit"),
    (r"5\text{ square units}", "5", "text"),
    ("9 (apples)", "9", "unit"),
    ("About 30.12 miles per hour", "30.12", "unit"),
    # names
    ("x=5", "5", "name"),
    ("5 = x", "x = 5", None),
    (r"x \approx 600", "600", "name"),
    ("x = 5 + 5 + 1 = 11", "11", None),
    (r"x=1/3\approx 0.3", "1/3", None),
    ("f(x)=2x", "2x", None),
    ("|AB|=1", "1", None),
    ("n=5", "k=5", None),
    (r"S_{MBCN}:S=7:32", "7:32", None),
    ("(p,q)=(3,2)", "(3,2)", None),
    # expressions
    (r"\frac{x+2}{7}", r"\frac{x}{7}+\frac{2}{7}", "value"),
    (r"\tan^2(y)+1", r"\sec^2(y)", "value"),
    (r"\sin^{-1} x", r"\arcsin x", "text"),
    (r"2\sin b\cos a", r"\sin(a+b)-\sin(a-b)", "value"),
    (r"(x-1)(x+1)", "x^2-1", "value"),
    (r"\frac{5\sqrt{42}}{27}", r"\frac{10\sqrt{10.5}}{27}", "value"),
    (r"\log_2 8", "3", "value"),
    ("np.arcsin(10/13)", r"\arcsin \frac{10}{13}", "text"),
    ("-1./3", r"-\frac13", "number"),
    (r"\approx 8.24 \text{ mph}", "8.24", None),
    (r"\frac{\mathrm{gb}}{f}", r"\frac{bg}{f}", "value"),
    (r"y^{\prime}+ry", "ry+y'", "value"),
    (r"m_{\max}=n^2", "n^2", None),
    (r"\lambda_{\text{red}}/\sqrt2", r"\frac{\lambda_{\text{red}}}{\sqrt{2}}", "text"),
    (r"\frac{\log 8}{\log 2}", "3", "value"),
    (r"e^{i\pi}", "-1", "value"),
    (r"\sqrt[3]{x}^2", r"x^{2/3}", "value"),
    (r"\sin 18^\circ", r"\frac{\sqrt5-1}{4}", "value"),
    (r"1-\frac1e", r"\frac{e-1}{e}", "value"),
    ("abc", "abc", "text"),
    (r"|x-1|", r"|1-x|", "value"),
    (r"\frac{\pi r}{h+r}", r"\pi r/(r+h)", "value"),
    # lists, sets, tuples
    ("1,2", "2, 1", "structure"),
    (r"1 \text{ and } 2", "1,2", "text"),
    ("(11,7)or(7,11)", r"(7,11),\ (11,7)", "structure"),
    (r"\{0.5, 0.2\}", r"\{\frac12, \frac15\}", "structure"),
    (r"\{1,2,2\}", r"\{2,1\}", "structure"),
    (r"1\pm\sqrt{19}", r"1-\sqrt{19}, 1+\sqrt{19}", "structure"),
    (r"\{1\pm\sqrt5,-2\}", r"\{-2, 1+\sqrt5, 1-\sqrt5\}", "structure"),
    ("(1,3)", "{1,3}", "brackets"),
    (r"\langle 1,2 \rangle", "(1,2)", "structure"),
    ("[1,2,3]", "(1,2,3)", "structure"),
    (r"\{5\}", "5", "structure"),
    ("x=1 or x=2", "x=2, x=1", "structure"),
    ("AB=4,CD=5", "4, 5", "name"),
    ("k=45, n=2", "n=2, k=45", "structure"),
    (r"x_1=3,x_2=4", "4,3", "name"),
    ("p=5,q=2;p=7,q=2", "(5,2),(7,2)", "structure"),
    (r"p=5, q=2 \text{ and } p=7, q=2", "(7,2),(5,2)", "structure"),
    ("(0;0;6)", "(0,0,6)", "text"),
    ("1:2", "2:4", "number"),
    ("1:2:3", "2:4:6", "structure"),
    (r"(1,\frac92)", "(1,4.5)", "structure"),
    # intervals and inequalities
    (r"x \in [-2,7]", r"-2 \le x \le 7", None),
    (r"(-793, 10)", "-793<a<10", None),
    ("x>=5", r"[5,\infty)", None),
    (r"x \ge 5", r"5 \leq x", None),
    ("-x>-1", "x<1", None),
    ("0<f(x)<1", "(0,1)", None),
    (r"1\leq|z|\leq\frac32", r"[-\frac32,-1]\cup[1,\frac32]", None),
    (r"x \neq 3", r"(-\infty,3)\cup(3,\infty)", "name"),
    ("x > 2", "a > 2", "name"),
    (r"\mathbb{R} \setminus \{3\}", r"x != 3", None),
    (r"[0,1]\cup[1,2]", r"x\in[0,2]", None),
    (r"\{x \mid x > 3\}", r"(3,\infty)", None),
    (r"\{x|-2\leq x < 1\}", "[-2,1)", None),
    (r"]0,1[", r"(0,1)", "text"),
    (r"x<-1 \text{ or } x>1", r"(-\infty,-1)\cup(1,+\infty)", None),
    (r"(0.6,2.6667]", r"(\frac35,\frac83]", "rounded"),
    (r"f(4)>f(1)", "f(1)<f(4)", None),
    # equations
    ("2x+4y-3=0", r"y=-\frac12x+\frac34", "relation"),
    (r"x^2/4+y^2/3=1", r"x^2/16+y^2/12=1/4", "relation"),
    # matrices
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\left[\begin{array}{cc}1 & 2 \\3 & 4\end{array}\right]", "text"),
    (r"\begin{pmatrix}\frac12\\1\end{pmatrix}", r"\begin{bmatrix}0.5\\1\end{bmatrix}", "structure"),
    (r"\begin{pmatrix}1\\2\end{pmatrix}", "(1,2)", "vector"),
    (
        r"\begin{pmatrix}1&0\\0&1\end{pmatrix}+\begin{pmatrix}1&0\\0&1\end{pmatrix}",
        r"\begin{pmatrix}2&0\\0&2\end{pmatrix}",
        "structure",
    ),
    # words, choices, dates, times, bases
    (r"\text{Evelyn}", "evelyn", "words"),
    (r"\text{(C)}", "C", "choice"),
    ("(C) Cecile", "C", "choice"),
    (r"\textbf{(B)}", "(B)", "choice"),
    ("no solution", r"\emptyset", "text"),
    ("no real solutions", "none", "text"),
    ("the empty set", r"\varnothing", "text"),
    ("all real numbers", r"(-\infty,\infty)", "interval"),
    ("Yes", r"\text{yes}", "words"),
    ("March 5, 2024", "5 March 2024", "date"),
    ("March 5", "March 5th", "date"),
    ("10:30 AM", r"10:30\text{ a.m.}", "time"),
    ("14:30", "2:30 PM", "time"),
    ("2:30", "2:30 p.m.", "time"),
    ("204_5", "204", "base"),
    (r"+\infty", r"\infty", "text"),
]

DIFFERENT = [
    (r"I(0) e^{-t/RC}", "0"),
    ("(-3,3)", "x=-3 or x=3"),
    ("5", "6"),
    ("1.5", "1.50001"),
    ("3.14", r"\pi"),
    ("0.33", r"\frac13"),
    ("0.3333", "0.33333"),
    ("100000000000000000000000000000000000000001", "100000000000000000000000000000000000000000"),
    (r"10^{100}", r"10^{100}+1"),
    ("32, 349", "32349"),
    ("(1,234)", "1234"),
    ("-5", "5"),
    ("2", r"\frac{1+\sqrt5}{2}"),
    (r"1-\frac1e", r"1+\frac1e"),
    ("x+2n+1", "x+1"),
    (r"1\sqrt{19}", "1"),
    (r"4", r"4\sqrt2"),
    ("(1,2)", "(2,1)"),
    ("(3,1)", "{1,3}"),
    ("[1,2]", "(1,2)"),
    (r"\{1,2\}", r"\{1,2,3\}"),
    (r"\{1,2\}", "(1,2)"),
    ("1,2", "1,2,3"),
    ("1", "1,2"),
    ("x=1,y=2", "x=2,y=1"),
    ("7=11a+c", "11a+c"),
    ("a+3z=0", "0"),
    ("2x+z=1", "1"),
    ("x=5", "y=5"),
    ("x=5", "x=6"),
    ("2x+4y=3", "2x+4y=5"),
    ("x>5", "x<5"),
    (r"x \geq 5", "x>5"),
    (r"[0,1)", "[0,1]"),
    (r"(-\infty,3)", r"(3,\infty)"),
    (r"[-3,2]", r"(-\infty,-3]\cup[2,\infty)"),
    (r"\infty", r"-\infty"),
    (r"\infty", "5"),
    (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&2\\3&5\end{pmatrix}"),
    (r"\begin{pmatrix}1&2\end{pmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}"),
    ("A", "B"),
    ("(A) Cecile", "C"),
    ("A and B", "A"),
    ("A, B, C", "A"),
    ("(A) and (C)", "(A)"),
    ("(A), (C)", "(A)"),
    ("A or B", "B"),
    ("d", r"\text{E}"),
    ("Evelyn", "Carla"),
    ("yes", "no"),
    ("odd", "even"),
    (r"5\text{ cm}", r"5\text{ m}"),
    (r"5\text{ hours}", r"5\text{ minutes}"),
    (r"28\%", "29"),
    ("1112112_3", "1112122_3"),
    ("10:30 AM", "10:30 PM"),
    ("March 5", "March 6"),
    ("2,74", "274.0"),
    ("no solution", "0"),
    (r"\sqrt{x}", "x"),
    ("1:2:3", "1:2:4"),
]

UNDECIDED = [
    ("the set of all primes", "all prime numbers", "words"),
    (r"\log 2", r"\ln 2", "the base of log is not said"),
    (r"\ln x^2", r"2\ln x", "equal where both are defined"),
    (r"5\text{ apples}", r"5\text{ pears}", "units"),
    ("12^{", "12", "not understood: it ends too early"),
    ("AB=4,CD=5", "5, 4", "the order of named values"),
    ("204_5", "54", "base"),
    (r"0,3,6,\ldots,6048", r"0,3,6,9,\ldots,6048", "a list that is not written out"),
    ("5 if n is even", "5", "not understood: a condition in words"),
]


@pytest.mark.parametrize(("left", "right", "method"), EQUAL)
def test_equal(left, right, method):
    found = compare(left, right)
    assert found.verdict == "equal", found
    assert method is None or found.method == method
    assert compare(right, left) == found


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_different(left, right):
    assert compare(left, right).verdict == "different", compare(left, right)
    assert compare(right, left) == compare(left, right)


@pytest.mark.parametrize(("left", "right", "reason"), UNDECIDED)
def test_undecided_with_its_reason(left, right, reason):
    assert (compare(left, right).verdict, compare(left, right).method) == ("undecided", reason)


def test_the_peer_is_asked_only_for_what_the_grammar_does_not_know(monkeypatch):
    asked = []
    monkeypatch.setattr(algebra, "equal", lambda first, second: asked.append((first, second)) or (True, "algebra"))
    for left, right, _ in EQUAL + UNDECIDED:
        compare(left, right)
    assert asked == []
    assert compare(r"\sum_{k=1}^{n} k", r"\frac{n(n+1)}{2}").method == "algebra"
    assert len(asked) == 1


# what holds no value: the demo's student learned to write the first of them
EMPTY = [
    r"\boxed{}",
    "{}",
    "()",
    "[]",
    r"\{\}",
    r"\text{}",
    r"\frac{}{}",
    r"\sqrt{}",
    "$$",
    ",",
    ";",
    "{,}",
    r"\emptyset",
    "",
    " ",
]


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize(
    "value", ["17", "x", "(1,2)", "1,2", r"\{1\}", r"\{1,2\}", "[0,1)", "x=5", "yes", "A", "5 cm", "x>3"]
)
def test_nothing_equals_no_value(empty, value):
    assert compare(empty, value).verdict != "equal"


HOSTILE = [
    *("9^{9^{9^{9}}}", "((((9!)!)!)!)!", "(x+1)^{10^{9}}", r"\frac{1}{0}", "\x00", "\ud800", "\u202e5", "{" * 100_000),
    *(r"\frac{" * 100_000 + "1" + "}" * 100_000, "(" * 1_900, "-" * 1_900 + "5", "1/" * 900 + "1", "9" * 1_000_000),
    *(r"\begin{pmatrix}" + "&".join("1" * 900) + r"\end{pmatrix}", r"\binom{10^{30}}{10^{29}}", r"\sin(10^{10^{10}})"),
    *(r"\sqrt[0]{5}", "0^{-1}", r"\log_1 5", "x!" * 500, "!" * 1_500, "|" * 1_500, "^" * 1_500, "_" * 1_500),
    *("1_" * 700, "1+" * 900 + "1", r"\text{" * 500, "$" * 1_999, r"\left" * 300, ",".join("1" * 900), r"\pm" * 600),
    *("1:" * 800 + "1", "10^{-999999999}", "é" * 1_000, "٣", "1e999", r"\boxed{" * 300, "{1," * 300, r"\{" * 400),
    *(r"\sqrt" * 400, "9^" * 400 + "9", "f(" * 400),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_answers_end_and_are_not_equal_to_seventeen(text):
    assert compare(text, "17").verdict in {"different", "undecided"}
    assert not compare(text, "17").method.startswith("failed")
    assert compare(text, text).verdict == "equal"
    assert compare(text, text + "+1").verdict in {"different", "undecided"}


MATH = st.text(alphabet=r"0123456789xyn+-*/^_=<>(){}[]|.,;:!% \fracsqtpei$&", max_size=25)


@settings(max_examples=300, deadline=None)
@given(MATH, MATH)
def test_every_pair_has_the_same_verdict_in_both_orders_and_every_answer_equals_itself(left, right):
    equivalence.algebra.equal, kept = (lambda first, second: (None, "not asked")), equivalence.algebra.equal
    try:
        assert compare(left, right) == compare(right, left)
        assert not compare(left, right).method.startswith("failed")
        assert compare(left, left).verdict == "equal"
        assert compare(left, " " + left + " ").verdict == "equal"
    finally:
        equivalence.algebra.equal = kept


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="xy+-*/^_=<>(){}[]|.,;:!% \\fracsqtpeiboxd$&", max_size=25))
def test_what_has_no_digit_is_not_a_number(text):
    assert compare(text, "17").verdict != "equal"


@settings(max_examples=200, deadline=None)
@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6))
def test_fractions_are_compared_exactly(left, right):
    first, second = rf"\frac{{{left.numerator}}}{{{left.denominator}}}", f"{right.numerator}/{right.denominator}"
    assert compare(first, second).verdict == ("equal" if left == right else "different")


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**12), 10**12))
def test_thousands_separators_do_not_change_a_number(value):
    for text in (f"{value:,}", f"{value:,}".replace(",", "{,}"), f"{value:,}".replace(",", r",\!"), f"{value}.0"):
        assert compare(text, str(value)).verdict == "equal"


EXPRESSIONS = st.recursive(
    st.sampled_from(["x", "y", "2", "3", r"\pi", "7"]),
    lambda inner: st.tuples(
        st.sampled_from(["({}+{})", "({}-{})", r"{} \cdot {}", r"\frac{{{}}}{{{}}}"]), inner, inner
    ).map(lambda parts: parts[0].format(*parts[1:])),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, EXPRESSIONS)
def test_sums_and_products_commute_and_adding_one_makes_a_difference(left, right):
    for first, second in (
        (f"({left})+({right})", f"({right})+({left})"),
        (f"({left})({right})", rf"({right})\times({left})"),
        (f"({left})-({right})", f"-(({right})-({left}))"),
    ):
        assert compare(first, second).verdict != "different", (first, second)
    assert compare(left, f"({left})+1").verdict != "equal"
