"""The grammar of answers: from tokens to an expression.

Knows what tokens mean together; does not evaluate or compare anything. The parser descends
at most DEEPEST levels, so that no input overflows the stack.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from fractions import Fraction

from reasonlite.judge import programs, units, vocabulary
from reasonlite.judge.expressions import (
    Apply,
    Group,
    Matrix,
    Node,
    Number,
    Numeral,
    Quantity,
    Relation,
    Symbol,
    matrix_of,
)
from reasonlite.judge.latex import NotUnderstood, Token, Unknown, tokens

DEEPEST = 40  # levels of nesting; deeper answers are not understood
MOST_TOKENS = 1_500
_OF_SEVERAL = ("min", "max", "gcd", "lcm")


def parse(cleaned: str) -> Node:
    """The expression of a cleaned answer; NotUnderstood with the reason otherwise."""
    found = [part for token in tokens(cleaned) for part in _unglued(token)]
    if not found:
        raise NotUnderstood("nothing but marks")
    if len(found) > MOST_TOKENS:
        raise NotUnderstood("too long")
    return _Parser(found).answer()


def _unglued(token: Token) -> list[Token]:
    """A command and the letters that lost the space behind it: \\cosx."""
    if token.kind == "command" and token.value not in vocabulary.KNOWN and " " not in token.value:
        for length in range(len(token.value) - 1, 1, -1):
            if token.value[:length] in vocabulary.GLUED:
                return [token._replace(value=token.value[:length]), Token("letters", token.value[length:], False)]
    return [token]


class _Parser:
    def __init__(self, found: list[Token], depth: int = 0) -> None:
        self._tokens = found
        self._position = 0
        self._depth = depth
        self._bars = 0

    # -- tokens

    def _peek(self, ahead: int = 0) -> Token | None:
        position = self._position + ahead
        return self._tokens[position] if position < len(self._tokens) else None

    def _value(self, ahead: int = 0) -> str | None:
        """The next sign's or command's value; None for numbers, letters and text."""
        token = self._peek(ahead)
        return token.value if token and token.kind in ("sign", "command") else None

    def _take(self) -> Token:
        token = self._peek()
        if token is None:
            raise NotUnderstood("it ends too early")
        self._position += 1
        return token

    def _expect(self, value: str) -> None:
        if self._value() != value:
            raise NotUnderstood(f"no {value} where one is due")
        self._position += 1

    # -- lists and relations

    def answer(self) -> Node:
        node = self._list(None)
        if self._peek() is not None:
            raise NotUnderstood(f"stray {self._take().value[:20]!r}")
        return node

    def _list(self, end: str | None) -> Node:
        """Elements up to ``end``; one element stands for itself."""
        items, joins = [self._relation()], []
        while (join := self._separator()) is not None:
            if self._peek() is None or (end is not None and self._value() == end):
                break
            joins.append(join)
            items.append(self._relation())
        if len(items) == 1:
            return items[0]
        if ";" in joins and "," in joins:  # p=5, q=2; p=7, q=2
            parts = _parted(items, joins, ";")
            return Group("", "", tuple(part[0] if len(part) == 1 else Group("", "", part) for part in parts))
        words = {join for join in joins if join in ("or", "and")}
        if words and any(map(_is_condition, items)):
            return _joined(items, joins, words)
        return Group("", "", tuple(items))

    def _separator(self) -> str | None:
        token = self._peek()
        if token is None:
            return None
        kinds = {"sign": token.value if token.value in ",;" else "", "letters": token.value, "command": token.value}
        word = kinds.get(token.kind, token.value.strip(" ,").lower())
        if token.kind == "sign" and word:
            self._position += 1
            return self._separator() or word  # ", and"
        if word in vocabulary.CONNECTIVES:
            self._position += 1
            return vocabulary.CONNECTIVES[word]
        return None

    def _relation(self) -> Node:
        if self._value() in ("approx", "=", "simeq"):
            self._position += 1  # the left side is left out
        sides, operators = [self._sets()], []
        while (sign := vocabulary.RELATIONS.get(self._value() or "")) is not None:
            self._position += 1
            if sign in "<>" and self._value() == "=":
                self._position += 1
                sign += "="
            operators.append(sign)
            sides.append(self._sets())
        return Relation(tuple(operators), tuple(sides)) if operators else sides[0]

    def _sets(self) -> Node:
        node = self._ratio()
        while (head := vocabulary.SETS.get(self._value() or "")) is not None:
            self._position += 1
            node = Apply(head, (node, self._ratio()))
        return node

    def _ratio(self) -> Node:
        parts = [self._measured()]
        while self._value() in (":", "colon"):
            self._position += 1
            parts.append(self._measured())
        return Apply("ratio", tuple(parts)) if len(parts) > 1 else parts[0]

    def _measured(self) -> Node:
        """A sum and the unit behind it, with the words and powers that belong to the unit."""
        node = self._sum()
        words: list[str] = []
        while (token := self._peek()) is not None and _is_unit(token, follows=bool(words)):
            self._position += 1
            spelled = token.value if token.value in units.CERTAIN else token.value.lower()
            words += [vocabulary.UNIT_ALIASES.get(word, word) for word in spelled.strip(" .()").split()]
            if vocabulary.CONDITIONS & set(words):
                raise NotUnderstood("a condition in words")
            if self._value() == "^":
                self._position += 1
                words[-1] += f"^{self._index()}"
            if self._value() == "/":
                self._position += 1
                words.append("per")
        return Quantity(node, " ".join(words)) if words else node

    # -- arithmetic

    def _sum(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise NotUnderstood("nested too deeply")
        terms = [self._signed()]
        while (sign := self._value()) in ("+", "-", "pm", "mp"):
            self._position += 1
            term = self._product()
            terms.append(term if sign == "+" else Apply("neg" if sign == "-" else sign, (term,)))
        self._depth -= 1
        return Apply("add", tuple(terms)) if len(terms) > 1 else terms[0]

    def _signed(self) -> Node:
        sign = self._value()
        if sign in ("-", "+", "pm", "mp"):
            self._position += 1
            term = self._signed() if self._value() in ("-", "+") else self._product()
            return term if sign == "+" else Apply("neg" if sign == "-" else sign, (term,))
        return self._product()

    def _product(self) -> Node:
        node = self._power()
        while True:
            sign = self._value()
            if sign in ("*", "times", "cdot", "ast", "/", "div"):
                self._position += 1
                factor = self._signed() if self._value() in ("-", "+") else self._power()
                node = Apply("div", (node, factor)) if sign in ("/", "div") else _product(node, factor)
            elif self._starts_factor():
                token = self._peek()
                if token and token.kind == "number" and isinstance(node, (Number, Quantity)):
                    raise NotUnderstood("two numbers side by side")
                last, is_fraction = self._tokens[self._position - 1], self._value() in vocabulary.FRACTIONS
                factor = self._power()
                node = _mixed(node, factor) if last.kind == "number" and is_fraction else _product(node, factor)
            else:
                return node

    def _starts_factor(self) -> bool:
        token = self._peek()
        if token is None or token.kind == "number":
            return token is not None
        if token.kind == "letters":
            return token.value not in ("or", "and") and not _is_unit(token)
        if token.kind == "text":
            return not _is_unit(token) and re.fullmatch(r"\W*[A-Za-z]?\W*", token.value) is not None
        if token.kind == "command":
            return token.value in vocabulary.FACTORS or token.value.startswith("begin ")
        if token.value == "[":
            following = self._peek(1)
            return following is not None and following.value not in (",", ")", "]", "cup", "cap")
        return token.value in ("(", "{", "\\{") or (token.value == "|" and self._bars == 0)

    def _power(self) -> Node:
        node = self._postfix(self._primary())
        if self._value() == "^":
            self._position += 1
            exponent = self._script()
            if exponent == Symbol("circ"):
                return self._postfix(Quantity(node, "degree"))
            if exponent == Symbol("prime"):
                return self._postfix(_mark(node, "'"))
            node = self._postfix(Apply("pow", (node, exponent)))
        return node

    def _script(self) -> Node:
        """What follows ^ or _: a braced list, or one token with its sign."""
        if self._value() in ("-", "+"):
            sign = self._take().value
            node = self._script()
            return Apply("neg", (node,)) if sign == "-" else node
        token = self._peek()
        if token and token.kind == "letters" and len(token.value) > 1:
            return self._first_letter()
        return self._primary()

    def _index(self) -> str:
        """The text of a braced index, or of the one token that is the index."""
        token = self._take()
        if token.value != "{" or token.kind != "sign":
            return token.value
        parts: list[str] = []
        depth = 1
        while True:
            token = self._take()
            depth += {"{": 1, "}": -1}.get(token.value, 0) if token.kind == "sign" else 0
            if depth == 0:
                return "".join(parts)
            parts.append(token.value)

    def _postfix(self, node: Node) -> Node:
        while (token := self._peek()) is not None:
            if token.value == "degree" and token.kind == "command":
                self._position += 1
                node = Quantity(node, "degree")
            elif token.value in ("!", "\\%", "%", "'", "prime") and token.kind in ("sign", "command"):
                if token.value == "!" and self._value(1) == "=":
                    break
                self._position += 1
                node = _mark(node, token.value)
            elif token.value == "_" and token.kind == "sign":
                self._position += 1
                node = _indexed(node, self._index())
            else:
                break
        return node

    # -- primaries

    def _primary(self) -> Node:
        token = self._take()
        if token.kind == "number":
            return self._number(token)
        if token.kind == "letters":
            self._position -= 1
            return self._letters()
        if token.kind == "text":
            return self._wrapped(token)
        if token.kind == "command":
            return self._command(token.value)
        if token.value == "{":
            return self._bracketed("{", "}")
        if token.value in vocabulary.BRACKETS or token.value == "]":
            return self._bracketed(token.value, vocabulary.BRACKETS.get(token.value, "]"))
        if token.value == "...":
            return Symbol("dots")
        if token.value in ("|", "\\|"):
            self._bars += 1
            node = self._sum()
            self._expect(token.value)
            self._bars -= 1
            return Apply("abs", (node,))
        raise NotUnderstood(f"{token.value[:20]!r} where a value is due")

    def _number(self, token: Token) -> Node:
        places = len(token.value.partition(".")[2]) if "." in token.value and "e" not in token.value.lower() else None
        node = Number(Fraction(token.value.rstrip(".")), places)
        following = [self._peek(ahead) for ahead in range(4)]
        if self._value() in ("overline", "dot", "bar") and places is not None:
            repeated = next((part.value for part in following[1:3] if part and part.kind == "number"), "")
            self._position += 4 if self._value(1) == "{" else 2
            if not repeated.isdigit():
                raise NotUnderstood("a bar over something that is no number")
            return Number(node.value + Fraction(int(repeated), 10**places * (10 ** len(repeated) - 1)))
        upper, _, lower, *_ = following
        if upper and lower and upper.spaced and self._value(1) == "/" and places is None:
            proper = upper.value.isdecimal() and lower.value.isdecimal() and int(upper.value) < int(lower.value)
            if proper:  # 3 1/2
                self._position += 3
                return Number(node.value + Fraction(int(upper.value), int(lower.value)))
        return node

    def _letters(self) -> Node:
        """A function, a constant, or the first of some letters that are multiplied."""
        token = self._take()
        name = "pi" if token.value == "Pi" else vocabulary.ALIASES.get(token.value, token.value)
        name = vocabulary.SPELLINGS.get(name, name)
        if name in vocabulary.CONDITIONS:
            raise NotUnderstood("a condition in words")
        if self._value() in ("(", "[") and (programs.is_object(name) or name in vocabulary.MATRIX_CALLS):
            return self._called(name)
        if name in vocabulary.FUNCTIONS:
            return self._function(name)
        if name == "sqrt":
            if token.value == "Sqrt" and self._value() == "[":  # Mathematica's brackets hold no degree
                return Apply("root", (self._primary(), Number(Fraction(2))))
            return self._root()
        if name in vocabulary.SYMBOLS:
            return Symbol(name)
        if len(name) > 3 and not name.isupper():
            raise NotUnderstood("words")
        self._position -= 1
        return self._first_letter()

    def _called(self, name: str) -> Node:
        """A function with its arguments between brackets, as programs write it."""
        node = self._primary()
        arguments = node.items if isinstance(node, Group) else (node,)
        if name in vocabulary.MATRIX_CALLS:
            rows = arguments[0].items if len(arguments) == 1 and isinstance(arguments[0], Group) else arguments
            return _matrix_of([row.items if isinstance(row, Group) else (row,) for row in rows])
        found = programs.built(name, arguments)
        if found is None:
            raise NotUnderstood(f"{name} with {len(arguments)} arguments")
        return found

    def _first_letter(self) -> Node:
        token = self._take()
        if len(token.value) > 1:
            self._position -= 1
            self._tokens[self._position] = Token("letters", token.value[1:], False)
            return Symbol(token.value[0])
        following = self._peek()
        if self._value() == "(" and following and not following.spaced and token.value not in "ei":
            start = self._position
            self._position += 1
            argument = self._list(")")
            # f(x+1) is a value of f, and so is x(0); x(x+1) is a product
            if self._value() == ")" and (token.value in vocabulary.APPLIED or isinstance(argument, (Number, Symbol))):
                self._position += 1
                return Apply(f"call {token.value}", (argument,))
            self._position = start
        return Symbol(token.value)

    def _wrapped(self, token: Token) -> Node:
        """Text marks around a letter, a number or an expression change nothing."""
        content = token.value
        if re.fullmatch(r"[A-Za-z]", content):
            return Symbol(content)
        if not re.search(r"[A-Za-z]{2}", re.sub(r"\\[a-zA-Z]+", "", content)) and content:
            return _Parser(tokens(content), self._depth + 1).answer()
        raise NotUnderstood("words")

    def _command(self, name: str) -> Node:
        name = vocabulary.SPELLINGS.get(name, name)
        if name in vocabulary.FRACTIONS | vocabulary.BINOMIALS:
            head = "div" if name in vocabulary.FRACTIONS else "binom"
            return Apply(head, (self._argument(), self._argument()))
        if name == "sqrt":
            return self._root()
        if name in ("lvert", "vert", "lVert"):
            node = self._sum()
            if self._value() not in ("rvert", "vert", "rVert"):
                raise NotUnderstood("a bar is never closed")
            self._position += 1
            return Apply("abs", (node,))
        if name in vocabulary.FUNCTIONS:
            return self._function(name)
        if name in ("circ", "degree", "prime"):
            return Symbol("circ" if name == "degree" else name)
        if name in vocabulary.SYMBOLS or name in vocabulary.ALIASES:
            return Symbol(vocabulary.ALIASES.get(name, name))
        if name in vocabulary.DECORATIONS:
            node = self._argument()
            return Symbol("reals") if name == "mathbb" and node == Symbol("R") else node
        if name.startswith("begin "):
            return self._matrix(name.removeprefix("begin "))
        if name in vocabulary.BRACKETS:
            return self._bracketed(name, vocabulary.BRACKETS[name])
        raise Unknown(f"\\{name[:20]}")

    def _argument(self) -> Node:
        """A braced list, or one token; of a number only its first digit, as LaTeX has it."""
        token = self._peek()
        if token and token.kind == "number" and len(token.value) > 1 and token.value.isdigit():
            self._tokens[self._position] = Token("number", token.value[1:], False)
            return Number(Fraction(int(token.value[0])))
        if token and token.kind == "letters":
            return self._first_letter()
        return self._primary()

    def _root(self) -> Node:
        degree: Node = Number(Fraction(2))
        if self._value() == "[":
            self._position += 1
            degree = self._sum()
            self._expect("]")
        token = self._peek()
        radicand = self._first_letter() if token and token.kind == "letters" else self._primary()
        return Apply("root", (radicand, degree))

    def _function(self, name: str) -> Node:
        exponent = base = None
        while self._value() in ("^", "_"):
            if self._take().value == "^":
                exponent = self._script()
            else:
                base = self._script()
        if name in _OF_SEVERAL and self._value() not in ("(", "{", "[", "\\{", "lbrace"):
            raise NotUnderstood(f"{name} without brackets")  # min at x = 2 is no least value
        if name in _OF_SEVERAL or self._value() in ("(", "{", "["):
            argument = self._power_free_argument()
        else:
            argument = self._operand()
        arguments = (
            argument.items if isinstance(argument, Group) and (name in _OF_SEVERAL or name == "log") else (argument,)
        )
        if exponent == Apply("neg", (Number(Fraction(1)),)) and f"arc{name}" in vocabulary.FUNCTIONS:
            name, exponent = f"arc{name}", None
        node: Node = Apply(name, (*arguments, base) if base is not None else tuple(arguments))
        return Apply("pow", (node, exponent)) if exponent is not None else node

    def _power_free_argument(self) -> Node:
        return self._postfix(self._primary())

    def _operand(self) -> Node:
        """What a function without brackets takes: factors up to a sign or another function."""
        node = self._signed() if self._value() == "-" else self._power()
        while self._starts_factor() and self._value() not in vocabulary.FUNCTIONS and self._value() not in ("(", "["):
            token = self._peek()
            if token and token.kind == "letters" and token.value in vocabulary.FUNCTIONS:
                break
            node = _product(node, self._power())
        return node

    def _bracketed(self, opening: str, closing: str) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise NotUnderstood("nested too deeply")
        bars, self._bars = self._bars, int(opening == "\\{")  # the bar of {x | x > 3} opens no absolute value
        if self._value() == closing:
            if opening != "\\{":
                raise NotUnderstood("nothing between brackets")
            self._position += 1
            self._depth, self._bars = self._depth - 1, bars
            return Symbol("emptyset")
        node = self._list(closing)
        if opening == "\\{" and self._value() in ("|", "mid", "vert"):  # {x | x > 3}
            self._position += 1
            node = self._list(closing)
            self._expect(closing)
            self._depth, self._bars = self._depth - 1, bars
            return node
        found = self._take().value
        self._depth, self._bars = self._depth - 1, bars
        return _closed(opening, found, closing, node)

    def _matrix(self, name: str) -> Node:
        if name == "array" and self._value() == "{":
            while self._take().value != "}":
                pass
        if name not in vocabulary.MATRICES:
            raise Unknown(f"\\begin{{{name}}}")
        rows: list[tuple[Node, ...]] = []
        row: list[Node] = []
        while self._value() != f"end {name}":
            if self._value() == "&":
                self._position += 1
            elif self._value() == "\\\\":
                self._position += 1
                rows.append(tuple(row))
                row = []
            elif self._value() == "hline":
                self._position += 1
            else:
                row.append(self._relation())
        self._position += 1
        found = _matrix_of([part for part in (*rows, tuple(row)) if part])
        return Apply("det", (found,)) if name == "vmatrix" else found


def _closed(opening: str, found: str, closing: str, node: Node) -> Node:
    """A group by its brackets, or the element itself where brackets only hold it together."""
    items = node.items if isinstance(node, Group) and node.opening == "" else (node,)
    if opening in ("lfloor", "lceil") and found == closing:
        return Apply("floor" if opening == "lfloor" else "ceil", (node,))
    if opening == "{" and found == closing:
        return node
    if opening in ("\\{", "lbrace") and found in ("\\}", "rbrace"):
        return Group("{", "}", items)
    if opening == "langle" and found == "rangle":
        return Group("<", ">", items)
    if opening in "([]" and found in ")][" and (len(items) > 1 or found != closing):
        if opening == "]" or found == "[":  # the French open interval ]0,1[
            opening, found = "(" if opening == "]" else opening, ")" if found == "[" else found
        if found != vocabulary.BRACKETS[opening] and len(items) != 2:
            raise NotUnderstood("brackets that do not match")
        return Group(opening, found, items)
    if found != closing:
        raise NotUnderstood("brackets that do not match")
    return node


def _is_condition(node: Node) -> bool:
    return isinstance(node, Relation) or (isinstance(node, Apply) and node.head in ("or", "and"))


def _joined(items: list[Node], joins: list[str], words: set[str]) -> Node:
    """Conditions joined by one word, whatever commas stand between them, or by "or" between those joined by "and"."""
    if len(words) == 1:
        return Apply(next(iter(words)), tuple(items))
    if set(joins) != words:
        raise NotUnderstood("and, or and commas")
    parts = _parted(items, joins, "or")
    return Apply("or", tuple(part[0] if len(part) == 1 else Apply("and", part) for part in parts))


def _parted(items: Sequence[Node], joins: Sequence[str], at: str) -> list[tuple[Node, ...]]:
    """The items between one kind of what joins them."""
    starts = [0, *(number + 1 for number, join in enumerate(joins) if join == at), len(items)]
    return [tuple(items[start:stop]) for start, stop in itertools.pairwise(starts)]


def _matrix_of(rows: Sequence[Sequence[Node]]) -> Matrix:
    found = matrix_of(rows)
    if found is None:
        raise NotUnderstood("a matrix with rows of different length")
    return found


def _product(left: Node, right: Node) -> Node:
    factors = left.arguments if isinstance(left, Apply) and left.head == "mul" else (left,)
    return Apply("mul", (*factors, right))


def _mixed(left: Node, right: Node) -> Node:
    """A mixed number, if an integer stands before a proper fraction of integers; a product otherwise."""
    match left, right:
        case Number(whole, None), Apply("div", (Number(upper), Number(lower))) if 0 < upper < lower:
            if whole.denominator == 1:
                return Number(whole + upper / lower)
    return _product(left, right)


def _is_unit(token: Token, *, follows: bool = False) -> bool:
    """Whether a token is a unit or a word of one; letters count when they are a known unit or a long word."""
    if token.value in units.CERTAIN and token.kind in ("letters", "text"):
        return True
    word = token.value.lower().strip(" .()")
    if word in ("or", "and") or not re.fullmatch(r"[a-z][a-z./ -]*", word):
        return False
    if token.kind == "text":
        return len(word) > 1 or follows or word in ("m", "g", "s", "l", "h")
    known = word in vocabulary.UNITS or follows or (len(word) > 3 and word not in vocabulary.WORDS_OF_MATH)
    return token.kind == "letters" and known


def _mark(node: Node, mark: str) -> Node:
    if mark == "!":
        return Apply("factorial", (node,))
    if mark in ("'", "prime"):
        if isinstance(node, Symbol):
            return Symbol(node.name + "'")
        raise NotUnderstood("a prime after a value")
    return Quantity(node, "%")


def _indexed(node: Node, index: str) -> Node:
    if isinstance(node, Number) and node.places is None and index.isdecimal() and 2 <= int(index) <= 36:
        return Numeral(str(node.value), int(index)) if int(index) != 10 else node
    if isinstance(node, Symbol):
        return Symbol(f"{node.name}_{index}")
    raise NotUnderstood("an index after a value")
