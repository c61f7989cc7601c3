"""The commands and words that the grammar of answers knows."""

from __future__ import annotations

from reasonlite.judge.programs import OBJECTS

FUNCTIONS = frozenset(
    "sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth sech csch arcsinh arccosh "
    "arctanh ln log lg exp min max gcd lcm floor ceil sgn".split()
)
# the same functions as other systems spell them
SPELLINGS = {
    **{f"a{name}": f"arc{name}" for name in "sin cos tan cot sec csc sinh cosh tanh".split()},
    **{"arsinh": "arcsinh", "arcosh": "arccosh", "artanh": "arctanh", "cosec": "csc", "arccosec": "arccsc"},
    **{"cosech": "csch", "ctg": "cot", "tg": "tan", "arctg": "arctan", "arcctg": "arccot"},
    **{"signum": "sgn", "sign": "sgn", "ceiling": "ceil", "Abs": "abs", "Max": "max", "Min": "min", "fabs": "abs"},
    **{"Floor": "floor", "Ceiling": "ceil", "Sqrt": "sqrt", "Exp": "exp", "Log": "log", "Ln": "ln"},
    **{name.capitalize(): name for name in "sin cos tan cot sec csc sinh cosh tanh coth sech csch".split()},
    **{f"Arc{name.capitalize()}": f"arc{name}" for name in "sin cos tan cot sec csc sinh cosh tanh".split()},
}
MATRIX_CALLS = frozenset({"matrix", "Matrix"})
SYMBOLS = frozenset(
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell pi infty reals "
    "emptyset hbar odot oplus otimes star dagger aleph partial nabla dots".split()
)
ALIASES = {"varnothing": "emptyset", "inf": "infty", "infinity": "infty", "oo": "infty", "oslash": "emptyset"}
ALIASES |= {"Infinity": "infty", "EmptySet": "emptyset", "Reals": "reals"}
ALIASES |= dict.fromkeys(["ldots", "cdots", "dotsc", "dotsb", "..."], "dots")
RELATIONS = {
    **{"=": "=", "==": "=", ":=": "=", "equiv": "=", "<": "<", "lt": "<", ">": ">", "gt": ">", "!=": "!="},
    **{"<=": "<=", "le": "<=", "leq": "<=", "leqslant": "<=", ">=": ">=", "ge": ">=", "geq": ">=", "geqslant": ">="},
    **{
        "ne": "!=",
        "neq": "!=",
        "approxeq": "approx",
        "approx": "approx",
        "simeq": "approx",
        "sim": "approx",
        "in": "in",
    },
}
DECORATIONS = frozenset(  # marks around a value that do not change it
    "overline vec overrightarrow overleftrightarrow hat bar widehat tilde dot ddot mathbb mathcal mathfrak boldsymbol "
    "bm underline angle triangle boxed fbox ensuremath".split()
)
APPLIED = frozenset("fghFGHPQWT")  # letters that are functions when a bracket follows at once
SETS = {"union": "union", "cup": "union", "cap": "intersection", "setminus": "without", "backslash": "without"}
BRACKETS = {
    "(": ")",
    "[": "]",
    "\\{": "\\}",
    "lbrace": "rbrace",
    "langle": "rangle",
    "lfloor": "rfloor",
    "lceil": "rceil",
}
FRACTIONS = frozenset({"frac", "dfrac", "tfrac", "cfrac"})
BINOMIALS = frozenset({"binom", "dbinom", "tbinom"})
MATRICES = frozenset("array matrix pmatrix bmatrix vmatrix Bmatrix smallmatrix".split())
FACTORS = SYMBOLS | FUNCTIONS | DECORATIONS | FRACTIONS | BINOMIALS | {"sqrt", "langle", "lfloor", "lceil", "lvert"}
KNOWN = FACTORS | frozenset(RELATIONS) | frozenset(BRACKETS) | frozenset(ALIASES) | frozenset(SETS)
KNOWN |= frozenset(
    "rbrace rangle rfloor rceil rvert vert lVert rVert mid colon times cdot div ast pm mp circ degree prime hline lor "
    "land vee wedge sum prod int iint lim forall exists".split()
)
GLUED = FUNCTIONS | frozenset(  # commands that are found at the start of an unknown one: \\pik
    "pi alpha beta gamma theta lambda phi omega infty angle triangle sqrt frac dfrac cdot times pm circ".split()
)
CONNECTIVES = {"or": "or", "and": "and", "lor": "or", "land": "and", "vee": "or", "wedge": "and"}
UNITS = frozenset(  # shorter words than these, or words that are also something else, need \\text
    "cm mm km kg ml mph ft lb lbs oz sq pct percent percentage degree degrees dollar dollars cent cents hour hours "
    "minute minutes second seconds day days week weeks month months year years inch inches foot feet mile miles meter "
    "meters metre metres yard yards unit units square cubic liter liters litres gallon gallons pound pounds people "
    "students points times ways am pm".split()
)
UNIT_ALIASES = {"percent": "%", "pct": "%", "percentage": "%", "degrees": "degree", "deg": "degree"}
NAMES = FUNCTIONS | frozenset(SPELLINGS) | frozenset(OBJECTS) | MATRIX_CALLS  # of functions, in any spelling
WORDS_OF_MATH = SYMBOLS | NAMES | frozenset(ALIASES) | {"sqrt", "frac"}
CONDITIONS = frozenset("if when for where mod then with such that is are otherwise while".split())
