"""Units of measurement: their spellings, products and powers, and how many of one another has.

Does not know where in an answer a unit stands; what is no known unit is kept as words.
"""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction

_PREFIXES = {"n": -9, "µ": -6, "m": -3, "c": -2, "d": -1, "": 0, "k": 3, "M": 6, "G": 9, "T": 12}
_PREFIX_WORDS = {"nano": "n", "micro": "µ", "milli": "m", "centi": "c", "deci": "d", "kilo": "k", "mega": "M"}
_METRIC = {  # symbol: its name, and what it measures
    **{"m": ("meter", "length"), "g": ("gram", "mass"), "L": ("liter", "volume"), "s": ("second", "time")},
    **{"Pa": ("pascal", "pressure"), "J": ("joule", "energy"), "W": ("watt", "power"), "N": ("newton", "force")},
    **{"V": ("volt", "voltage"), "A": ("ampere", "current"), "Hz": ("hertz", "frequency"), "cal": ("calorie", "heat")},
    **{"eV": ("electronvolt", "electron energy"), "mol": ("mole", "amount"), "bar": ("bar", "bar"), "F": ("farad", "")},
    **{"C": ("coulomb", "charge"), "T": ("tesla", "field"), "K": ("kelvin", "temperature"), "Ω": ("ohm", "resistance")},
}
_KNOWN: dict[str, tuple[str, Fraction]] = {  # what it measures, and how much of that
    **{"minute": ("time", Fraction(60)), "hour": ("time", Fraction(3_600)), "day": ("time", Fraction(86_400))},
    **{"inch": ("imperial", Fraction(1)), "foot": ("imperial", Fraction(12)), "yard": ("imperial", Fraction(36))},
    **{"mile": ("imperial", Fraction(63_360)), "cent": ("money", Fraction(1)), "dollar": ("money", Fraction(100))},
}
_ALIASES = {
    **{"feet": "foot", "ft": "foot", "inches": "inch", "in": "inch", "hr": "hour", "min": "minute", "sec": "s"},
    **{"h": "hour", "l": "L", "litre": "L", "metre": "m", "yd": "yard", "mi": "mile", "yr": "year", "lbs": "lb"},
    **{"ml": "mL", "Å": "angstrom", "sq": "square", "celsius": "degC", "fahrenheit": "degF", "um": "µm", "μm": "µm"},
    **{"degc": "degC", "degf": "degF", "mole": "mol", "amp": "A"},
}
for _symbol, (_name, _what) in _METRIC.items():
    for _prefix, _power in _PREFIXES.items():
        _KNOWN.setdefault(_prefix + _symbol, (_what or _name, Fraction(10) ** _power))
    _ALIASES[_name] = _symbol
    for _word, _prefix in _PREFIX_WORDS.items():
        _ALIASES[_word + _name] = _prefix + _symbol
        if _name in ("meter", "liter"):
            _ALIASES[_word + _name[:-2] + "re"] = _prefix + _symbol
# behind a number these letters are no product of names: "5 mg" may be, so it is not here
CERTAIN = frozenset(
    "kPa MPa GPa hPa Pa kHz MHz GHz Hz keV MeV GeV eV kJ MJ kcal cal kW MW GW kWh kV kN mol mmol atm bar mbar torr "
    "Torr mL dL nm µm Å ppm ppb rpm dB".split()
)
_POWERS = {"square": 2, "cubic": 3}
_BEHIND = {"squared": 2, "cubed": 3}
_PLAIN = {"unit", "unit^2", "unit^3"}


def unit(words: str) -> str:
    """A unit in its usual form, factors in the alphabet's order: "square meters" and "m^2" are one.

    Words that are no unit keep their order, in the singular; "square units" are nothing.
    """
    factors = _factors(words)
    if factors is None:
        return " ".join(_singular(word) for word in words.replace(".", "").split())
    text = " ".join(name if power == 1 else f"{name}^{power}" for name, power in sorted(factors.items()))
    return "" if text in _PLAIN else text


def scale(left: str, right: str) -> Fraction | None:
    """How many of the unit ``right`` one ``left`` has; None if they do not measure the same, or are not known."""
    first, second = _measure(left), _measure(right)
    return first[1] / second[1] if first is not None and second is not None and first[0] == second[0] else None


def _measure(text: str) -> tuple[dict[str, int], Fraction] | None:
    """Dimensions with their powers, and the size."""
    dimensions, size = Counter[str](), Fraction(1)
    for name, power in (_factors(text) or {}).items():
        if name not in _KNOWN:
            return None
        dimensions[_KNOWN[name][0]] += power
        size *= _KNOWN[name][1] ** power
    return (dict(dimensions), size) if dimensions else None


def _singular(word: str) -> str:
    stem = word if word in _ALIASES or word in _KNOWN else re.sub(r"(?<=[a-z]{2})s$", "", word)
    return _ALIASES.get(stem, stem)


def _factors(words: str) -> dict[str, int] | None:
    """Units with their powers; None if a factor is no single word, as in "positive integers"."""
    found = Counter[str]()
    sign, following = 1, 1
    parts = re.sub(r"([/·*])", r" \1 ", words.replace(".", "")).split()
    for part in parts:
        stem, _, power = part.partition("^")
        if part in ("/", "per"):
            sign = -1
        elif part in ("·", "*"):
            pass
        elif stem in _POWERS or _ALIASES.get(stem) == "square":
            following = _POWERS.get(stem, 2)
        elif part in _BEHIND and found:
            last = next(reversed(found))
            found[last] *= _BEHIND[part]
        elif not re.fullmatch(r"-?\d+", power or "1"):
            return None
        else:
            name = _singular(stem)
            if found and not (name in _KNOWN or sign < 0 or following > 1 or power):
                return None  # words side by side
            found[name] += sign * following * int(power or 1)
            sign, following = 1, 1
    return dict(found)
