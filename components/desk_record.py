"""What the pages of single records share: sections, where it came from, what its source changed, "not here". Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_parts import link, notice
from metrics.city import City
from metrics.city.records.history import Change, VersionItem
from text import t
from text.formats import MISSING, instant, number

NO_NAMES: Mapping[str, str] = MappingProxyType({})


def left(days: float | None, lang: str) -> str:
    """Working days left, signed; below zero they are days late."""
    return MISSING if days is None else t("desk.working_days", lang, n=number(days, lang, 1))


def due_words(city: City, lang: str, due_at: int, days_left: float | None) -> str:
    """When something is due, and how far that is in working days (None = it has ended)."""
    at = instant(due_at, city.config.tz, lang)
    if days_left is None:
        return t("holder.due", lang, at=at)
    return t("holder.due_left" if days_left >= 0 else "holder.due_over", lang, at=at, n=number(abs(days_left), lang, 1))


def channel_words(channel: str, lang: str) -> str:
    """By which way it came; a channel no text knows keeps the source's word."""
    try:
        return t(f"channel.{channel}", lang)
    except KeyError:
        return channel or MISSING


def version_list(
    city: City, lang: str, versions: tuple[VersionItem, ...], kind: str, names: Mapping[str, str] = NO_NAMES,
) -> Component | None:
    """What the source said each time: the fields that changed, before and after; newest first. kind: dossier | report.

    names: of agencies, by code.
    """
    rows = []
    for number_, version in reversed(list(enumerate(versions, 1))):
        changes = [html.Li(_change(city, lang, kind, change, names)) for change in version.changes]
        told = html.Ul(changes) if changes else html.Span(t("desk.first_version" if number_ == 1 else "desk.same_version", lang))
        rows.append(html.Li([html.Span(instant(version.landed_at, city.config.tz, lang), className="d-time"), told]))
    return html.Ol(rows, className="d-timeline d-versions") if rows else None


def _change(city: City, lang: str, kind: str, change: Change, names: Mapping[str, str]) -> list[Any]:
    name, sides = t(f"desk.field.{change.field}", lang), (change.before, change.after)
    known = names if change.field == "agency_code" else NO_NAMES
    before, after = (known.get(str(side)) or _value(city, lang, kind, change.field, side) for side in sides)
    return [html.B(name), ": ", before, " → ", after]


def _value(city: City, lang: str, kind: str, field: str, value: Any) -> str:
    if value is None or value == "":
        return MISSING
    if field.endswith("_at"):
        return instant(int(value), city.config.tz, lang)
    if field == "status":
        return t(f"{kind}_status.{value}", lang)
    if field == "channel":
        return channel_words(str(value), lang)
    if isinstance(value, bool) or field.startswith("is_"):
        return t("desk.yes" if value else "desk.no", lang)
    return str(value)


def feed_link(city: City, view: View, key: str) -> Component:
    """The feed something came from, by its title."""
    title = next((feed.title for feed in city.config.feeds if feed.key == key), "") or key
    return link(title, view.to(f"/feeds/{key}"))


def missing(view: View, path: str) -> Component:
    """What stands where an item is not there, or not for this reader."""
    return notice(
        t("error.not_found", view.lang),
        t("desk.not_found_hint", view.lang),
        link(t("desk.back", view.lang), view.to(path)),
        "fault",
    )


def section(title: str, body: Component | None, lang: str, empty: str) -> Component:
    """A part of a record page under its title; `empty` = the text key of what stands there when there is nothing."""
    shown = body if body is not None else html.P(t(empty, lang), className="d-quiet")
    return html.Section([html.H2(t(title, lang)), shown], className="d-section")
