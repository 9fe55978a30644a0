"""The closed list of mapping transforms and what each does to one value. No conditions, no expressions, no code.

A step takes one raw value and gives (value, reason): value None = missing; a reason = why the row is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from data_sources.instants import instant_reader
from data_sources.redact import redact, redact_code

MAX_PATTERN = 200  # letters of a regular expression in a city file
MAX_SEARCHED = 2000  # letters of a value it is tried on
Outcome = tuple[Any, str | None]
Step = Callable[[Any], Outcome]


@dataclass(frozen=True)
class Transform:
    """One key of a mapping row: its TOML type (text, texts, table, flag ...) and what it does."""

    key: str
    kind: str
    does: str


# In the order they act. docs/feeds.md has one row for each (tests/test_mapping.py compares).
TRANSFORMS = (
    Transform("from", "text", "the source field; a dotted path reaches into nested JSON"),
    Transform("first", "texts", "the first of several fields that is not empty"),
    Transform("join", "texts", "several fields put together; empty ones are left out"),
    Transform("sep", "text", "what stands between joined fields"),
    Transform("const", "any", "the same value on every row"),
    Transform("start", "text", "the instant of row 0, for files without a time column"),
    Transform("step_s", "number", "seconds from one row to the next"),
    Transform("missing", "texts", "values that mean: not known"),
    Transform("sentinel", "texts", "values that mean: the device failed; the row is refused"),
    Transform("extract", "text", "the first group of a regular expression"),
    Transform("split", "text", "cut at this mark"),
    Transform("part", "whole", "which piece of the split, from 0; -1 is the last"),
    Transform("fold", "flag", "small letters, no accents, no UBND or Phường in front"),
    Transform("lookup", "table", "folded name to value; a name not listed stays as sent"),
    Transform("codes", "table", "code table; a code not listed is refused unless there is a default"),
    Transform("default", "any", "the value for codes and names not listed"),
    Transform("date", "texts", "date formats, tried in order"),
    Transform("zone", "text", "zone of times that carry no offset"),
    Transform("number", "text", "a number with this decimal mark"),
    Transform("bool", "texts", "the values that mean yes; all others mean no"),
    Transform("scale", "number", "multiply (unit conversion)"),
    Transform("offset", "number", "then add (unit conversion)"),
    Transform("range", "pair", "refuse numbers outside [min, max]"),
    Transform("text_max", "whole", "cut text to this many letters; an id that is longer is refused"),
    Transform("required", "flag", "refuse the row when the value is missing"),
    Transform("class", "text", "what the field is: public, free_text; a personal one is refused (docs/privacy.md)"),
)

# Words in front of a place's name. Without accents they may be part of the name (Phương Liễu), so then only behind UBND.
_OFFICE = re.compile(
    r"^(?:(?:ubnd|ủy ban nhân dân|uỷ ban nhân dân)\b\s*"
    r"(?:tinh|thanh pho|quan|huyen|thi xa|thi tran|phuong|xa|dac khu)\s+|(?:ubnd|ủy ban nhân dân|uỷ ban nhân dân)\b\s*)?"
    r"(?:(?:tỉnh|thành phố|quận|huyện|thị xã|thị trấn|phường|xã|đặc khu)\s+|(?:tp|tx|tt|q|h|p|x)\.\s*|(?:tp|tx)\s+)?"
)
_SPACES = re.compile(r"\s+")
_YES = frozenset({"1", "true", "yes", "y", "t", "có", "co"})
_NO = frozenset({"0", "false", "no", "n", "f", "không", "khong"})
_NUMBERS = {
    mark: re.compile(
        rf"[+-]?(?:\d{{1,3}}(?:[{thousands} \u00a0\u202f]\d{{3}})+(?:[{mark}]\d*)?|\d+(?:[{mark}]\d*)?|[{mark}]\d+)"
        r"(?:[eE][+-]?\d{1,3})?",
        re.ASCII,
    )
    for mark, thousands in ((".", ","), (",", "."))
}
_PLAIN_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)


@lru_cache(maxsize=65_536)
def fold_name(text: str) -> str:
    """A name for comparing: small letters, no accents (đ = d), single blanks, no UBND, Phường, TP. in front."""
    whole = _SPACES.sub(" ", unicodedata.normalize("NFC", text).casefold()).strip()
    bare = _OFFICE.sub("", whole, count=1) or whole
    letters = unicodedata.normalize("NFD", bare.replace("đ", "d"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def as_text(raw: Any) -> str | None:
    """The value as stripped text; None for a list, a table, or text no database takes (NUL, half letters)."""
    if isinstance(raw, (Mapping, list, tuple)):
        return None
    try:
        text = raw.strip() if isinstance(raw, str) else str(raw)
        if not text.isascii():
            text.encode()
    except ValueError:  # a lone surrogate, or a number of more than 4300 digits
        return None
    return None if "\0" in text else text


def read_number(raw: Any, mark: str) -> float | None:
    """The number in `raw` (thousands marks removed), or None; NaN and infinity are no numbers."""
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        try:
            found = float(raw)
        except OverflowError:
            return None
        return found if found - found == 0 else None
    if not isinstance(raw, str):
        return None
    text = raw.strip()
    if mark == "." and _PLAIN_NUMBER.fullmatch(text):
        return float(text)
    if not _NUMBERS[mark].fullmatch(text):
        return None
    for thousands in (",."[mark == ","], " ", "\u00a0", "\u202f"):
        text = text.replace(thousands, "")
    found = float(text.replace(",", "."))
    return found if found - found == 0 else None


def text_step(raw: Any) -> Outcome:
    """Stripped text; a list, a table or unusable letters are refused."""
    if type(raw) is str and raw.isascii() and "\0" not in raw:
        return raw.strip() or None, None  # nearly every value: keep it quick
    text = as_text(raw)
    return (text or None, None) if text is not None else (None, "bad_text")


def missing_step(values: Sequence[str]) -> Step:
    """None for values that mean: not known."""
    listed = frozenset(values)
    return lambda raw: (None, None) if raw in listed else (raw, None)


def sentinel_step(values: Sequence[str]) -> Step:
    """Refuses values that mean: the device failed. Numbers are compared as numbers (-999 = -999.0)."""
    listed = frozenset(values)
    numbers = frozenset(number for value in values if (number := read_number(value, ".")) is not None)

    def step(raw: Any) -> Outcome:
        bad = raw in listed or (numbers and read_number(raw, ".") in numbers)
        return (None, "sentinel") if bad else (raw, None)

    return step


def extract_step(pattern: str) -> Step:
    """The first group of the pattern (the whole match without groups); missing when it does not occur."""
    compiled = re.compile(pattern)
    group = 1 if compiled.groups else 0

    def step(raw: Any) -> Outcome:
        match = compiled.search(raw[:MAX_SEARCHED])
        return (match[group] or None, None) if match else (None, None)

    return step


def split_step(mark: str, part: int) -> Step:
    """One piece of a divided text; missing when there are fewer pieces."""

    def step(raw: Any) -> Outcome:
        pieces = raw.split(mark)
        return (pieces[part].strip() or None, None) if -len(pieces) <= part < len(pieces) else (None, None)

    return step


def fold_step(raw: Any) -> Outcome:
    """The folded name."""
    return fold_name(raw) or None, None


def lookup_step(table: Mapping[str, Any], default: Any) -> Step:
    """The value listed for the folded name; else the default; else the text as sent (it shows as unmapped)."""
    folded = {fold_name(name): value for name, value in table.items()}
    return lambda raw: (folded.get(fold_name(raw), raw if default is None else default), None)


def codes_step(table: Mapping[str, Any], default: Any, folds: bool) -> Step:
    """The value listed for the code; else the default; else refused."""
    listed = {fold_name(code): value for code, value in table.items()} if folds else dict(table)

    def step(raw: Any) -> Outcome:
        if raw in listed:
            return listed[raw], None
        return (None, "unknown_code") if default is None else (default, None)

    return step


def date_step(formats: Sequence[str], zone: ZoneInfo) -> Step:
    """Microseconds since 1970 UTC."""
    read = instant_reader(formats, zone)

    def step(raw: Any) -> Outcome:
        found = read(raw)
        return (None, "bad_date") if found is None else (found, None)

    return step


def number_step(
    mark: str, scale: float | None, offset: float | None, limits: Sequence[float] | None, whole: bool
) -> Step:
    """A number, converted and then checked; `whole` gives an int and refuses fractions."""

    def step(raw: Any) -> Outcome:
        found = read_number(raw, mark)
        if found is None and isinstance(raw, str) and not raw.strip():
            return None, None
        if found is None or (whole and found != int(found)):
            return None, "bad_number"
        if scale is not None:
            found *= scale
        if offset is not None:
            found += offset
        if limits is not None and not limits[0] <= found <= limits[1]:
            return None, "out_of_range"
        return (int(found) if whole else found), None

    return step


def bool_step(yes: Sequence[str]) -> Step:
    """True or False. With a list its values mean True, all others False; without: the usual words, else refused."""
    listed = frozenset(value.casefold() for value in yes)

    def step(raw: Any) -> Outcome:
        word = str(raw).casefold()
        if listed:
            return word in listed, None
        if word in _YES or word in _NO:
            return word in _YES, None
        return None, "bad_bool"

    return step


def redact_step(raw: Any) -> Outcome:
    """Words without phones, e-mails, ids and house numbers."""
    return (redact(raw) if isinstance(raw, str) else raw), None


def redact_code_step(raw: Any) -> Outcome:
    """A code, redacted where it is none."""
    return (redact_code(raw) if isinstance(raw, str) else raw), None


def text_max_step(limit: int, is_key: bool) -> Step:
    """Text cut to `limit` letters; a key is refused instead, for a cut key names another thing."""

    def step(raw: Any) -> Outcome:
        if not isinstance(raw, str) or len(raw) <= limit:
            return raw, None
        return (None, "too_long") if is_key else (raw[:limit], None)

    return step
