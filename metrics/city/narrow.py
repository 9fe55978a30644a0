"""Conditions every list shares: a period on a named day, source ids by their beginning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metrics.city import City
from metrics.periods import Period
from store.days import number_of


def period_condition(
    period: Period | None, period_on: str, own: str, is_now: bool, days: Mapping[str, str], values: dict[str, Any],
) -> str:
    """AND condition of a period on the named day; a state of now ignores a period nobody tied to a day."""
    if period_on and period_on not in days:
        raise ValueError(f"period_on: {period_on!r} is none of {', '.join(days)}")
    if period is None or (is_now and not period_on):
        return ""
    values.update(start_on=number_of(period.start_on), end_on=number_of(period.end_on))
    return f" AND d.{days[period_on or own]} BETWEEN :start_on AND :end_on"


def search_condition(city: City, search: str, values: dict[str, Any]) -> str:
    """AND condition for source ids beginning with the text; reached through the key (feed, source_id)."""
    if not search:
        return ""
    feeds = {f"feed_{n}": feed.key for n, feed in enumerate(city.config.feeds)}
    values.update(feeds)
    known = f"d.feed IN ({', '.join(':' + name for name in feeds)}) AND " if feeds else ""
    if city.store.is_sqlite:  # LIKE folds case there, so it cannot use the key
        values.update(search=search, search_end=search + "\U0010ffff")
        return f" AND {known}d.source_id >= :search AND d.source_id < :search_end"
    values["search"] = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return f" AND {known}d.source_id LIKE :search ESCAPE '\\'"
