"""The one filter grammar of screens, API, exports and links: text to Filter and back; metrics/city/lists/filters.py makes conditions of it.

Value of a field: `a,b` any of (agency and area: with all below; `=a` a alone) · `!a,b` none of · `-` missing · `!-` something there ·
`a..b`, `a..`, `..b` from, to, both included (numbers, yyyy-mm-dd days). A comma, a leading ! or a lone - of a code itself is written after
a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from metrics.city.lists.filter_fields import FIELD_BY_KEY, PERIOD_DAYS, Field
from metrics.city.lists.within import read_polygon
from metrics.periods import parse_period
from store.days import date_of, number_of

ANY, NONE, MISSING, PRESENT, RANGE = "any", "none", "missing", "present", "range"
MOST_VALUES = 200  # of one field
_BEYOND = ("period", "period_on", "q", "late_rule")  # parameters that narrow, and are no fields
_FLAGS = {"yes": 1, "no": 0, "1": 1, "0": 0, "true": 1, "false": 0}
Value = str | int | float
Bound = int | float | None


@dataclass(frozen=True)
class Term:
    """What one field must be. how: any | none of `values`; missing; present; range low..high (None = open). Days are day numbers."""

    field: str
    how: str
    values: tuple[Value, ...] = ()
    low: Bound = None
    high: Bound = None


@dataclass(frozen=True)
class Filter:
    """What rows of a topic are asked for. period = a text of parse_period; q = words, as written."""

    topic: str
    terms: tuple[Term, ...] = ()
    period: str = ""
    period_on: str = ""
    q: str = ""
    late_rule: str = ""

    def term(self, key: str) -> Term | None:
        """The term of a field; None where it is not narrowed."""
        return next((term for term in self.terms if term.field == key), None)

    def only(self, key: str) -> str:
        """The one value a field must have, '' where it may have several or any."""
        term = self.term(key)
        return str(term.values[0]) if term is not None and term.how == ANY and len(term.values) == 1 else ""

    def without(self, *keys: str) -> Filter:
        """The same without some fields, period, period_on, q or late_rule."""
        kept = tuple(term for term in self.terms if term.field not in keys)
        return replace(self, terms=kept, **{key: "" for key in keys if key in _BEYOND})


def parse(topic: str, given: Mapping[str, str]) -> Filter:
    """The filter these parameters mean; others than the grammar's are passed over.

    ValueError ("field: what is wrong; what to write instead") for a value its field cannot have.
    """
    known = FIELD_BY_KEY[topic]
    terms = tuple(_term(known[key], given[key].strip()) for key in known if given.get(key, "").strip())
    beyond = {key: given.get(key, "").strip() for key in _BEYOND}
    if beyond["period_on"] and beyond["period_on"] not in PERIOD_DAYS[topic]:
        raise ValueError(f"period_on: {beyond['period_on']!r} is none of {', '.join(PERIOD_DAYS[topic])}")
    return Filter(topic, terms, **beyond)


def told(chosen: Filter) -> Mapping[str, str]:
    """The filter as parameters, always the same way: what stands in URLs, saved views and the audit trail."""
    known = FIELD_BY_KEY[chosen.topic]
    found = {term.field: _written(known[term.field], term) for term in sorted(chosen.terms, key=lambda term: term.field)}
    found.update({key: getattr(chosen, key) for key in _BEYOND if getattr(chosen, key)})
    return found


def written(codes: Iterable[str], *, is_not: bool = False) -> str:
    """Codes as the value of a field: what a link to exactly these is made of. '' of none; the code '' is "missing" when alone."""
    values = list(dict.fromkeys(codes))
    if values == [""]:
        return "!-" if is_not else "-"
    return ("!" if is_not else "") + ",".join(_quoted(value) for value in values)


# ---- reading ----------------------------------------------------------------------------------------------------------
def _term(field: Field, text: str) -> Term:
    if text in ("-", "!-"):
        if field.kind in ("state", "choice"):
            raise _fault(field, text)
        return Term(field.key, MISSING if text == "-" else PRESENT)
    is_not, told_of = (True, text[1:].strip()) if text.startswith("!") else (False, text)
    if field.kind == "place":
        return Term(field.key, NONE if is_not else ANY, (read_polygon(told_of).text,))
    if ".." in told_of and field.kind in ("number", "day", "hour", "weekday") and not is_not:
        return _range(field, told_of)
    values = tuple(dict.fromkeys(_value(field, part) for part in _split(told_of)))
    if not values or len(values) > MOST_VALUES:
        raise ValueError(f"{field.key}: {text[:80]!r} names {len(values)} values; name 1 to {MOST_VALUES}")
    if field.kind == "day" and len(values) == 1 and not is_not:
        return Term(field.key, RANGE, (), values[0], values[0])  # type: ignore[arg-type]
    return Term(field.key, NONE if is_not else ANY, tuple(sorted(values, key=str)))


def _split(text: str) -> list[str]:
    """Parts between commas; after a backslash any letter stands for itself."""
    parts = re.findall(r"(?:\\.|[^,\\])+", text)
    return [found for part in parts if (found := re.sub(r"\\(.)", r"\1", part.strip()))]


def _value(field: Field, text: str) -> Value:
    if field.kind in ("state", "choice"):
        if text not in field.values:
            raise _fault(field, text)
        return text
    if field.kind == "flag":
        if text not in _FLAGS:
            raise _fault(field, text)
        return _FLAGS[text]
    return text if field.kind in ("code", "tree") else _number(field, text)


def _number(field: Field, text: str) -> int | float:
    try:
        if field.kind == "day":
            found: int | float = number_of(date.fromisoformat(text))
        else:
            found = float(text) if "." in text else int(text)
    except ValueError as fault:
        raise _fault(field, text) from fault
    is_clock = {"hour": 0 <= found <= 23, "weekday": 1 <= found <= 7}.get(field.kind, True)
    if not is_clock or abs(found) > 2**31 or found != found:
        raise _fault(field, text)
    return found


def _range(field: Field, text: str) -> Term:
    first, _, last = text.partition("..")
    low, high = (_number(field, part.strip()) if part.strip() else None for part in (first, last))
    if low is None and high is None:
        raise _fault(field, text)
    return Term(field.key, RANGE, (), low, high)


_WANTED = {
    "number": "write a number, numbers between commas, or from..to", "day": "write yyyy-mm-dd or from..to of such days",
    "hour": "write 0 to 23", "weekday": "write 1 (Monday) to 7", "flag": "write yes or no",
}


def _fault(field: Field, text: str) -> ValueError:
    wanted = f"one of {', '.join(field.values)}" if field.values else _WANTED.get(field.kind, "write codes between commas")
    return ValueError(f"{field.key}: {text[:80]!r} is not understood; {wanted}")


# ---- writing ----------------------------------------------------------------------------------------------------------
def _written(field: Field, term: Term) -> str:
    if term.how in (MISSING, PRESENT):
        return "-" if term.how == MISSING else "!-"
    if term.how == RANGE:
        low, high = (_shown(field, bound) for bound in (term.low, term.high))
        return low if low == high and field.kind == "day" else f"{low}..{high}"
    shown = (str(value) if field.kind == "place" else _shown(field, value) for value in term.values)
    return ("!" if term.how == NONE else "") + ",".join(shown)


def _shown(field: Field, value: Value | None) -> str:
    if value is None:
        return ""
    if field.kind == "day":
        return date_of(int(value)).isoformat()
    if field.kind == "flag":
        return "yes" if value else "no"
    return _quoted(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) and abs(value) < 1e5 else str(value)


def _quoted(code: str) -> str:
    plain = code.replace("\\", "\\\\").replace(",", "\\,")
    return "\\" + plain if plain.startswith("!") or plain == "-" else plain


def period_days(chosen: Filter, today: date) -> tuple[int, int] | None:
    """First and last day number of the filter's period; None without one. ValueError ("period: ...") listing the accepted forms."""
    if not chosen.period:
        return None
    try:
        found = parse_period(chosen.period, today)
    except ValueError as fault:
        raise ValueError(f"period: {fault}") from fault
    return number_of(found.start_on), number_of(found.end_on)
