"""How an indicator's value, rank, period and change are written. Pure: IndicatorItem -> text."""

from __future__ import annotations

import re
from datetime import date

from metrics.city.numbers.indicators import INDEX, IndicatorItem
from text import t
from text.formats import MISSING, day, delta, number, percent, period_label

_SIMPLE = re.compile(r"(\d{4})(?:-(?:(H[12])|(Q[1-4])|(\d{2})(-\d{2})?))?", re.ASCII)
_KINDS = ("year", "half", "quarter", "month", "day")


def name_of(item: IndicatorItem, lang: str) -> str:
    """The indicator's name in this language, as far as the source gives one."""
    return item.name_en if lang == "en" and item.name_en else item.name


def value_words(item: IndicatorItem, lang: str) -> str:
    """The value with its bound and unit: > 99%, 30/37 sản phẩm; words where the source has no number; a dash for nothing."""
    if item.value is None:
        return item.value_text or MISSING
    shown = number(item.value, lang)
    if item.share is not None:
        shown = f"{shown}/{number(item.denominator, lang)}"
    shown = f"{shown}%" if item.measure_unit == "%" else f"{shown} {item.measure_unit}".strip()
    return t(f"indices.bound_{item.bound}", lang, value=shown) if item.bound else shown


def rank_words(rank: int | None, denominator: int | None, lang: str) -> str:
    """6/19; of an unknown number 6/–."""
    return f"{number(rank, lang)}/{number(denominator, lang)}"


def share_words(rank: int | None, denominator: int | None, lang: str) -> str:
    """Where the rank stands among all, as a share; '' without a denominator."""
    return t("indices.top", lang, share=percent(100 * rank / denominator, lang, 0)) if rank and denominator else ""


def span_words(item: IndicatorItem, lang: str) -> str:
    """The period of a value: 2019, Quý III/2019, đến 15/10/2019."""
    return period_words(item.period, item.start_on, item.end_on, lang)


def period_words(period: str, start_on: date | None, end_on: date | None, lang: str) -> str:
    """The period as people write it; what is of no known form as it was sent."""
    simple = _SIMPLE.fullmatch(period)
    if simple:
        kind = _KINDS[next((4 - place for place, part in enumerate(reversed(simple.groups()[1:])) if part), 0)]
        if kind == "year":
            return simple[1]
        if kind == "half":
            return t("indices.half", lang, n="I" * int(simple[2][1]), year=simple[1])
        if start_on and end_on:
            return day(end_on, lang) if kind == "day" else period_label(kind, start_on, end_on, lang)
    first, dots, last = period.partition("..")
    if dots and not first:
        return t("indices.until", lang, end=day(end_on, lang) if end_on and "Q" in last else _short(last))
    return f"{_short(first)}–{_short(last)}" if dots else period


def _short(part: str) -> str:
    """A bound of a stretch: 2019, 09/2019, 15/10/2019."""
    return "/".join(reversed(part.split("-")))


def before_words(item: IndicatorItem, lang: str, *, with_value: bool = False) -> str:
    """Which period the change is against, and on request the value then; '' where it is not told."""
    if not item.change_from:
        return ""
    period = period_words(item.change_from, None, None, lang)
    if with_value and item.previous_value is not None and item.previous_period == item.change_from:
        return t("indices.versus_value", lang, value=number(item.previous_value, lang), period=period)
    return t("indices.versus", lang, period=period)


def change_words(item: IndicatorItem, lang: str) -> str:
    """The change with its sign and unit, of an index told by nothing else in places; '' where there is none."""
    if item.change is None:
        return ""
    if item.value is None and item.kind == INDEX:
        return t("indices.places_up" if item.change > 0 else "indices.places_down", lang, n=number(abs(item.change), lang))
    shown = delta(item.change, lang)
    return f"{shown} {t('indices.points', lang)}" if item.measure_unit == "%" else shown


def places_words(item: IndicatorItem, lang: str) -> str:
    """What became of the rank: places gained or lost among as many, else that the denominators differ; '' without a rank before."""
    rank, before = item.rank, item.previous_rank
    of, of_before = item.denominator, item.previous_denominator
    if rank is None or before is None:
        return ""
    if of != of_before or of is None:
        return t("indices.denominator_changed", lang, before=number(of_before, lang), now=number(of, lang))
    if rank == before:
        return t("indices.same_place", lang)
    return t("indices.places_up" if rank < before else "indices.places_down", lang, n=abs(rank - before))
