"""The state of a desk page is its query string: reading it, and building links that carry it on.

Pure text; knows no page content. A link keeps what the reader has chosen (period, agency, area, late rule, language)
and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import quote, unquote, urlencode

from config import LATE_RULES, Config
from metrics.comparison import HOWS
from metrics.periods import Period, parse_period
from text.catalogue import LANGUAGES

CARRIED = ("lang", "period", "agency", "area", "late_rule", "compare")  # what goes along when the reader moves to another page
PLACES = ("cursor", "before", "view", "day")  # where in a list, on a map or in time the reader is: means nothing once the filters change
MAX_VALUE = 500  # longer than any code, name, search or drawn polygon; a query string is written by strangers


@dataclass(frozen=True)
class View:
    """What the reader has chosen. `query` holds every parameter as given; `fault` says what of it could not be used."""

    path: str
    query: Mapping[str, str]
    lang: str
    period: Period
    fault: str = ""

    def get(self, name: str) -> str:
        """A parameter, '' when absent."""
        return self.query.get(name, "")

    def here(self, **changes: object) -> str:
        """This page with some parameters changed; '' or None takes one away. Back to the first rows unless the place is given."""
        kept = {name: value for name, value in self.query.items() if name not in PLACES}
        return _href(self.path, {**kept, **changes})

    def only(self, names: Iterable[str]) -> str:
        """The query string with these parameters alone, without its question mark: what an export is asked with."""
        return urlencode([(name, self.query[name]) for name in names if name in self.query])

    def to(self, path: str, **parameters: object) -> str:
        """Another page, carrying the reader's choices."""
        return _href(path, {**{name: self.query[name] for name in CARRIED if name in self.query}, **parameters})


def read_view(page: Mapping[str, Any] | None, config: Config, today: date, default_period: str = "today") -> View:
    """The view behind what a page's skeleton was opened with: {"path": ..., "query": {...}}.

    Any faulty part falls back and is named.
    """
    given = (page or {}).get("query") or {}
    query = {str(name): _text(value) for name, value in given.items() if _text(value)}
    lang = query["lang"] if query.get("lang") in LANGUAGES else config.language
    if query.get("late_rule") not in LATE_RULES:
        query.pop("late_rule", None)
    if query.get("compare") not in HOWS:
        query.pop("compare", None)
    asked, fault = query.get("period") or default_period, ""
    try:
        period = parse_period(asked, today)
    except ValueError:
        period, fault = parse_period(default_period, today), asked
    return View(str((page or {}).get("path") or "/"), query, lang, period, fault)


def item_path(page: str, feed: str, source_id: str) -> str:
    """The path of one item's page: its feed and id, each quoted, so that no character of an id can break it."""
    return f"{page}/{quote(feed, safe='')}~{quote(source_id, safe='')}"


def item_of(path: str) -> tuple[str, str]:
    """Feed and id of an item's page; ('', '') when the path names none."""
    feed, tilde, source_id = path.rstrip("/").rsplit("/", 1)[-1].partition("~")
    return (unquote(feed), unquote(source_id)) if tilde else ("", "")


def _text(value: object) -> str:
    """One value of a query parameter; the last of several, cut to a length any code or search fits in."""
    last = value[-1] if isinstance(value, list) and value else value
    return str(last if last is not None else "")[:MAX_VALUE].strip()


def _href(path: str, parameters: Mapping[str, object]) -> str:
    chosen = [(name, str(value)) for name, value in parameters.items() if value not in ("", None)]
    return quote(path, safe="/~%") + ("?" + urlencode(chosen) if chosen else "")
