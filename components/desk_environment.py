"""What the station pages say beyond values: flagged readings, alarm levels, rain classes, limits of air, hours with data. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

from components.desk_table import Column, table
from metrics.city.measured.air import Exceedance
from metrics.city.measured.devices import Uptime
from metrics.city.measured.stations import FlaggedReading
from metrics.city.measured.water import RainDay, WaterLevel
from metrics.water import RAIN_CLASSES
from text import t
from text.formats import instant, number, percent

FLAGS_LISTED = 6


def flag_words(flag: str, lang: str) -> Component:
    """Why a reading is not believed, as a mark."""
    return html.Span([html.B("⚑ ", **{"aria-hidden": "true"}), t(f"flag.{flag}", lang)], className="d-flag", title=t("flag.hint", lang))


def flag_list(found: Sequence[FlaggedReading], measure_unit: str, tz: ZoneInfo, lang: str) -> Component | None:
    """The newest flagged readings in words, and how many there are; None without any."""
    if not found:
        return None
    rows: list[Component] = [
        html.Li([instant(row.observed_at, tz, lang), f": {number(row.value, lang, 1)} {measure_unit} ", flag_words(row.flag, lang)])
        for row in found[:FLAGS_LISTED]
    ]
    heading = html.P(t("flag.count", lang, n=number(len(found), lang, 0)), className="d-quiet")
    return html.Div([heading, html.Ul(rows, className="d-flag-list")])


def water_words(level: WaterLevel, lang: str) -> Component:
    """The state of a level in words, marked as how dangerous it is; a level not believed or too old has none."""
    if level.state is None:
        return html.Span(t("water_state.unknown", lang), className="d-quiet")
    return html.Span(t(f"water_state.{level.state}", lang), className="d-water", **{"data-water": level.state.replace("_", "-")})


def water_detail(level: WaterLevel, lang: str) -> Component:
    """State, and the three alarm levels with where they come from."""
    alarm = level.alarm
    shown = {name: f"{number(bound, lang, 2)} {alarm.measure_unit}" for name, bound in (
        ("one", alarm.alarm_1), ("two", alarm.alarm_2), ("three", alarm.alarm_3))}
    words = t("water_state.levels", lang, **shown)
    source = f"{alarm.source} · " if alarm.source else ""
    checked = "" if alarm.verified else t("catalogue.unverified", lang)
    return html.Div([water_words(level, lang), html.P(words, className="d-quiet"), html.P(f"{source}{checked}", className="d-quiet")])


def rain_words(day: RainDay, lang: str) -> Component:
    """Rain of 24 hours and its class in words."""
    shown = f"{number(day.mm, lang, 1)} mm"
    if day.rain is None:
        return html.Span(t("rain_class.unknown", lang, mm=shown, n=number(day.hours, lang, 0)), className="d-quiet")
    verified = "" if all(row.verified for row in RAIN_CLASSES) else f" · {t('catalogue.unverified', lang)}"
    return html.Span(f"{t(f'rain_class.{day.rain.key}', lang)}, {t('rain_class.sum', lang, mm=shown)}{verified}")


def uptime_words(found: Iterable[Uptime], lang: str) -> str:
    """Share of the hours with data, of all datastreams of a station."""
    rows = list(found)
    expected = sum(row.expected for row in rows)
    heard = sum(row.heard for row in rows)
    if not expected:
        return t("uptime.unknown", lang)
    return t(
        "uptime.share", lang, share=percent(100 * heard / expected, lang, 1), heard=number(heard, lang, 0), n=number(expected, lang, 0)
    )


def limits_table(rows: Sequence[Exceedance], names: dict[str, str], lang: str) -> Component:
    """Means against limits: what, over how long, limit, judged, above."""
    columns = (
        Column[Exceedance](t("limit.property", lang), lambda row: names.get(row.property, row.property), "main"),
        Column[Exceedance](t("limit.averaging", lang), lambda row: t(f"averaging.{row.averaging}", lang)),
        Column[Exceedance](
            t("limit.value", lang), lambda row: f"{number(row.limit.value, lang, 0)} {row.limit.measure_unit}", "number"
        ),
        Column[Exceedance](t("limit.above", lang), lambda row: number(row.above, lang, 0), "number"),
        Column[Exceedance](t("limit.judged", lang), lambda row: number(row.judged, lang, 0), "number"),
        Column[Exceedance](
            t("limit.source", lang),
            lambda row: row.limit.source + ("" if row.limit.verified else f" · {t('catalogue.unverified', lang)}"), "wide",
        ),
    )
    return table(columns, rows, t("limit.title", lang), lambda row: "late" if row.above else "fresh")
