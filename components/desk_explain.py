"""What stood out at a place and time, drawn: ranked things beside their own earlier weeks, and what else is known. Pure.

The words say "at the same time" and nothing of causes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from dash import html
from dash.development.base_component import Component

from components.charts import share_width
from components.desk_filters import period_name
from components.desk_links import View
from components.desk_parts import choices, facts, link, notice
from components.desk_table import Column, table
from metrics.city import City
from metrics.city.findings.coincident import LIMIT, Coincident, Explained
from metrics.city.findings.moments import Moment, shifted
from metrics.periods import days_of, weeks_of
from text import t
from text.formats import MISSING, day, instant, number

PARTS_OF_DAY = ("0..5", "6..11", "12..17", "18..23")
FULL = 12.0  # a standing that fills the bar
MOST_STEPS = 14  # days of a period that are offered one by one


def narrower(view: View, asked: Moment) -> Component | None:
    """The same place a step narrower, or a step earlier or later."""
    lang = view.lang
    if asked.period.days > 1:
        days = days_of(asked.period)[-MOST_STEPS:]
        options = [(_day_name(one, lang), view.here(period=one.isoformat(), hours=""), False) for one in days]
        return choices(t("explain.one_day", lang), options, "d-periods")
    own = view.get("hours")
    parts = [(t("explain.whole_day", lang), view.here(hours=""), not own)]
    parts += [(hours_words(one, lang), view.here(hours=one), own == one) for one in PARTS_OF_DAY]
    if own and own not in PARTS_OF_DAY:
        parts.append((hours_words(own, lang), view.here(), True))
    return choices(t("explain.hours", lang), parts, "d-periods")


def _day_name(one: date, lang: str) -> str:
    return f"{t(f'weekday_short.{one.isoweekday()}', lang)} {one.day:02}/{one.month:02}"


def weeks(view: View) -> Component:
    """The last weeks of a period that is too long to be asked about in one."""
    options = [(period_name(one, view.lang), view.here(period=one.text), False) for one in weeks_of(view.period, full_only=False)]
    return choices(t("explain.one_week", view.lang), options[-MOST_STEPS:], "d-periods")


def hours_words(hours: str, lang: str) -> str:
    """Hours as they are read: 14:00–17:59."""
    first, _, last = hours.partition("..")
    return t("explain.from_to", lang, first=first.zfill(2), last=(last or first).zfill(2))


def neighbours(view: View, asked: Moment, city: City) -> list[Component]:
    """The stretch before and the one after, as long as they are over."""
    step = asked.period.days
    before, after = shifted(asked, -step), shifted(asked, step)
    found = [link(t("explain.before", view.lang), view.here(period=before.period.text), "d-button")]
    if after.period.end_on < city.today:
        found.append(link(t("explain.after", view.lang), view.here(period=after.period.text), "d-button"))
    return found


def ranked(view: View, found: Explained, rows: Sequence[Coincident], caption: str) -> Component:
    """The things, most unusual first: what, how many, what is usual, on how much it rests."""
    lang = view.lang
    columns = [
        Column[Coincident](t("explain.what", lang), lambda row: _what(view, found, row), "main"),
        Column[Coincident](t("explain.value", lang), lambda row: value_words(row, lang), "number"),
        Column[Coincident](t("explain.usual", lang), lambda row: _usual(row, lang), "number"),
        Column[Coincident](t("explain.standing", lang), lambda row: _standing(row, lang), "wide"),
        Column[Coincident](t("explain.n", lang), lambda row: _rests(row, lang), "number"),
    ]
    return table(columns, rows, caption, lambda row: "unusual" if row.is_unusual else "usual")


def name_of(row: Coincident, lang: str) -> str:
    """A thing by its name: a category's own, a property's or a flow's."""
    if row.kind == "category":
        return t("explain.category", lang, name=row.name or t("explain.no_category", lang))
    if row.kind == "property":
        try:
            return t(f"property.{row.key}", lang)
        except KeyError:  # a feed may name properties nobody has words for
            return row.key
    return t(f"explain.{row.kind}.{row.topic}{f'_{row.key}' if row.key else ''}", lang)


def _what(view: View, found: Explained, row: Coincident) -> Component:
    lang = view.lang
    href = rows_href(view, found, row)
    parts: list[Component] = [link(name_of(row, lang), href) if href else html.Span(name_of(row, lang))]
    if row.distance_km is not None:
        parts.append(html.Span(t("explain.nearby", lang, km=number(row.distance_km, lang, 0)), className="d-quiet"))
    if row.is_own:
        parts.append(html.Span(t("explain.own", lang), className="d-quiet"))
    return html.Div(parts)


def rows_href(view: View, found: Explained, row: Coincident) -> str:
    """Where the rows behind a thing are listed; '' where no list shows exactly them."""
    if found.asked is None:
        return ""
    chosen = {"period": found.asked.period.text, "area": view.get("area"), "agency": view.get("agency")}
    hours = {"hour": found.asked.hours} if found.asked.has_hours else {}
    if row.topic == "reports" and (row.kind == "category" or row.key == "received"):
        return view.to("/reports", **chosen, **hours, state="received", category=row.key if row.kind == "category" else "")
    if (row.topic, row.key) == ("reports", "closed"):
        return view.to("/reports", **chosen, state="finished")
    if row.topic == "dossiers" and row.key in ("received", "finished", "refused"):
        return view.to("/dossiers", **chosen, state=row.key)
    if row.topic == "readings" and row.distance_km is None:
        return view.to("/stations", area=view.get("area"), period="", property=row.key if row.kind == "property" else "")
    return ""


def value_words(row: Coincident, lang: str) -> str:
    """The value with its unit; a count without decimals."""
    is_count = row.kind != "property"
    return f"{number(row.value, lang, 0 if is_count else None)} {row.measure_unit}".strip()


def _usual(row: Coincident, lang: str) -> str:
    if row.usual is None:
        return MISSING
    decimals = 0 if row.kind != "property" else None
    low, high = number(row.low, lang, decimals), number(row.high, lang, decimals)
    return t("explain.usual_of", lang, value=number(row.usual, lang, decimals), low=low, high=high)


def _standing(row: Coincident, lang: str) -> Component:
    """The standing as a bar and a word; a sign says above or below what is usual."""
    if row.standing is None:
        return html.Span(t("explain.too_few", lang, n=row.earlier), className="d-quiet")
    side = "above" if row.standing > 0 else "below"
    word = t(f"explain.{side}" if row.is_unusual else "explain.as_usual", lang)
    bar = html.Span(className=f"d-odd-bar d-odd-{side}", style={"width": share_width(min(abs(row.standing), FULL), FULL)})
    hint = t("explain.standing_hint", lang, limit=number(LIMIT, lang, 0))
    shown = html.Span(f"{word} · {number(abs(row.standing), lang, 1)}", title=hint)
    return html.Span([html.Span(bar, className="d-odd", **{"aria-hidden": "true"}), shown], className="d-odd-cell")


def _rests(row: Coincident, lang: str) -> str:
    return t("explain.rests", lang, n=number(row.n, lang, 0), weeks=row.earlier)


def known(city: City, view: View, found: Explained) -> Component | None:
    """Days off, what people wrote, silent feeds; None where nothing of the kind is known."""
    lang, tz = view.lang, city.config.tz
    rows = [(t("explain.day_off", lang), f"{on[8:10]}/{on[5:7]}/{on[:4]} {name}".strip()) for on, name in found.off]
    rows += [(t("explain.said", lang), f"“{one.body}” ({one.said_by.partition(':')[2] or one.said_by})") for one in found.said]
    for one in found.silent:
        until = instant(one.until_at, tz, lang) if one.until_at is not None else t("explain.still", lang)
        words = t("explain.silent_of", lang, title=one.title, since=instant(one.from_at, tz, lang), until=until)
        rows.append((t("explain.silent", lang), words))
    return facts(rows) if rows else None


def span_words(asked: Moment, lang: str) -> str:
    """The stretch as it is read: its days, its hours."""
    last = asked.period.start_on + timedelta(days=asked.period.days - 1)
    days = day(asked.period.start_on, lang) + (f"–{day(last, lang)}" if asked.period.days > 1 else "")
    return f"{days}, {hours_words(asked.hours, lang)}" if asked.has_hours else days


def nothing(lang: str) -> Component:
    """Nothing stood out: which is an answer."""
    return notice(t("explain.nothing", lang), t("explain.nothing_hint", lang))
