"""What the three lists of rows share: their filter from the URL, their order, how many they are, what is said where none can be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from components.desk_filters import select
from components.desk_links import View
from components.desk_parts import count_line, notice
from components.desk_table import Column
from metrics.city.lists.filter_grammar import Filter, parse, told
from metrics.city.lists.listed import SECONDS, TooManyToSort
from metrics.city.lists.row_orders import MOST_SORTED
from store.bounded import TookTooLong
from text import t
from text.formats import number


class Page(Protocol):
    """A page of rows, as dossiers.read and reports.read answer."""

    @property
    def total(self) -> int | None: ...
    @property
    def rows(self) -> Sequence[Any]: ...
    @property
    def coverage(self) -> str: ...


Found = TypeVar("Found", bound=Page)


def asked_of(view: View, topic: str, period: str = "") -> Filter:
    """The list's filter as the URL says; `period` stands in where it names none. ValueError names what it cannot mean."""
    return parse(topic, {**view.query, "period": view.period.text if view.get("period") else period})


def file_query(asked: Filter, sort: str) -> str:
    """What a file of exactly these rows is asked with."""
    return urlencode({**told(asked), **({"sort": sort} if sort else {})})


def read_rows(view: View, read: Callable[[str], Found]) -> tuple[Found | None, Component | None]:
    """The page `read(sort)` answers, and what must be said above it; None where nothing could be read in time."""
    lang = view.lang
    try:
        return _sorted(view, read)
    except TookTooLong as slow:
        words = t("desk.took_too_long", lang, seconds=number(slow.seconds, lang, 0))
        return None, notice(words, t("desk.took_too_long_hint", lang))


def _sorted(view: View, read: Callable[[str], Found]) -> tuple[Found, Component | None]:
    lang = view.lang
    try:
        return read(view.get("sort")), None
    except TooManyToSort as many:
        n = f"> {number(MOST_SORTED, lang, 0)}" if many.n is None else number(many.n, lang, 0)
        hint = t("desk.too_many_hint", lang, most=number(MOST_SORTED, lang, 0))
        return read(""), notice(t("desk.too_many_to_sort", lang, n=n), hint)


def counted(page: Page, lang: str) -> Component:
    """How many rows there are, and what that number stands on."""
    if page.total is None:
        shown = number(len(page.rows), lang, 0)
        words = t("desk.not_counted", lang, n=shown, seconds=number(SECONDS, lang, 0))
        return html.P(words, className="d-count", **{"aria-live": "polite"})
    covered = html.Span(t(f"desk.counted_{page.coverage}", lang), className="d-quiet d-covered", **{"data-coverage": page.coverage})
    return html.Div([count_line(len(page.rows), page.total, lang), covered], className="d-counted")


def order_field(view: View, columns: Sequence[Column[Any]]) -> Component | None:
    """The order as a field of its own: cards on a phone have no headings to press."""
    lang, options = view.lang, []
    for column in columns:
        if column.sort:
            options += [(column.sort, column.label), (f"-{column.sort}", t("desk.sort_down", lang, name=column.label))]
    return select(view, "sort", t("desk.sort", lang), dict(options).items(), t("desk.sort_own", lang))
