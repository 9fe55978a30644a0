"""The state of every feed, and the quarantine of one: what waits, why, and what to do. Pure: metrics.city.feeds -> components."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from dash import dcc, html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_parts import ago, facts, feed_state, heading, link
from components.desk_table import Column, table
from config import FeedConfig
from metrics.city import City
from metrics.city.feeds import FRESH, STATIC, FeedState, Losses, RejectCount, RejectItem
from text import t
from text.formats import MISSING, age, instant, number

DOWNLOAD, DOWNLOAD_ASKED = "desk-file", "desk-file-asked"
_SHORT = 120  # characters of a value or an error in a list; the whole stands in its title


def summary(states: Sequence[FeedState], lang: str) -> str:
    """How many feeds promised a cadence, how many keep it, how many promise none."""
    promised = [state for state in states if state.state != STATIC]
    fresh = sum(state.state == FRESH for state in promised)
    return t("desk.feeds_summary", lang, fresh=fresh, promised=len(promised), static=len(states) - len(promised))


def feed_list(city: City, view: View, states: Iterable[FeedState], counts: Iterable[RejectCount]) -> Component:
    """One row a feed, in the city file's order: rows keep their place, only their state moves."""
    by_feed: dict[str, list[RejectCount]] = {}
    for count in counts:
        by_feed.setdefault(count.feed, []).append(count)
    return html.Div([_feed(city, view, state, by_feed.get(state.key, [])) for state in states], className="d-feeds")


def _feed(city: City, view: View, state: FeedState, counts: Sequence[RejectCount]) -> Component:
    lang = view.lang
    head = html.Div(
        [
            html.H2(link(state.title, view.to(f"/feeds/{state.key}")), className="d-feed-name"),
            html.P(_kind(state, lang), className="d-quiet"),
        ],
        className="d-feed-head",
    )
    mark = html.Div(
        [feed_state(state.state, lang, state.through_at, state.cadence_s), " ", _since(city, state, lang)],
        className="d-feed-state",
        **{"data-feed": state.key},
    )
    parts: list[Component] = [html.Div([head, _figures(city, state, lang), mark], className="d-feed-row")]
    if state.error:
        at = instant(state.error_at, city.config.tz, lang)
        words = t("desk.last_error", lang, at=at, error=_short(state.error))
        parts.append(html.P(words, className="d-error", title=state.error))
    if counts:
        parts.append(_waiting(city, view, state, counts))
    return html.Article(parts, className="d-feed", **{"data-state": state.state})


def _kind(state: FeedState, lang: str) -> str:
    words = [t(f"feed_role.{state.role}", lang), t(f"feed_protocol.{state.protocol}", lang), state.owner]
    return " · ".join(word for word in words if word)


def _since(city: City, state: FeedState, lang: str) -> Component | str:
    if state.through_at is None:
        return ""
    return html.Span(["· ", ago(state.through_at, city.as_of, lang)], className="d-quiet")


def _figures(city: City, state: FeedState, lang: str) -> Component:
    """Newest event and last successful load are two things: a load may bring old news."""

    def when(at: int | None) -> Component | str:
        if at is None:
            return MISSING
        return html.Span([instant(at, city.config.tz, lang, today=city.today)], title=instant(at, city.config.tz, lang))

    rows = [
        (t("desk.newest_event", lang), when(state.newest_at)),
        (t("desk.last_load", lang), when(state.loaded_at)),
        (t("column.feed.cadence", lang), age(state.cadence_s, lang) if state.cadence_s else t("desk.no_cadence", lang)),
        (t("desk.landed", lang), number(state.landed, lang, 0)),
        (t("desk.waiting_rejects", lang), number(state.open_rejects, lang, 0)),
    ]
    return facts(rows, "d-feed-facts")


def _waiting(city: City, view: View, state: FeedState, counts: Sequence[RejectCount]) -> Component:
    """What waits in quarantine by reason and field, each with its remedy; folded until asked for."""
    lang = view.lang
    rows = [
        html.Li(
            [
                html.Div(
                    [
                        link(_reason(count.reason, lang), f"{view.to(f'/feeds/{state.key}', reason=count.reason)}"),
                        html.Code(count.field) if count.field else None,
                        html.B(number(count.count, lang, 0)),
                    ]
                ),
                html.P(remedy(count.reason, lang), className="d-quiet"),
            ]
        )
        for count in counts
    ]
    total = number(sum(count.count for count in counts), lang, 0)
    return html.Details(
        [html.Summary(t("desk.show_rejects", lang, n=total)), html.Ul(rows, className="d-reasons")], className="d-waiting"
    )


def remedy(reason: str, lang: str) -> str:
    """What to do about a reason; for one no text knows: look at the item itself."""
    try:
        return t(f"reject.{reason}.remedy", lang)
    except KeyError:
        return t("desk.unknown_remedy", lang)


def _reason(reason: str, lang: str) -> str:
    try:
        return t(f"reject.{reason}.label", lang)
    except KeyError:
        return reason


def feed_head(city: City, view: View, state: FeedState, manifest: FeedConfig, lost: Losses) -> list[Component]:
    """One feed: its state, its manifest in words, what of it no figure counts, how to send again."""
    lang = view.lang
    back = link(t("desk.back_feeds", lang), view.to("/feeds"), "d-button")
    mark = html.Span([feed_state(state.state, lang, state.through_at, state.cadence_s), " ", _since(city, state, lang)])
    rows = [
        (t("column.feed.role", lang), t(f"feed_role.{state.role}", lang)),
        (t("column.feed.owner", lang), state.owner or MISSING),
        (t("column.feed.protocol", lang), t(f"feed_protocol.{state.protocol}", lang)),
        (t("column.feed.delivery", lang), t(f"feed_delivery.{manifest.delivery}", lang)),
        (t("column.feed.cadence", lang), age(state.cadence_s, lang) if state.cadence_s else t("desk.no_cadence", lang)),
        (t("desk.newest_event", lang), instant(state.newest_at, city.config.tz, lang)),
        (t("desk.last_load", lang), instant(state.loaded_at, city.config.tz, lang)),
        (t("desk.landed", lang), number(state.landed, lang, 0)),
        (t("desk.rejected_ever", lang), number(state.rejected, lang, 0)),
        (t("column.feed.licence", lang), manifest.licence or MISSING),
        *((t(f"desk.loss.{name}", lang), number(count, lang, 0)) for name, count in asdict(lost).items() if count),
    ]
    parts: list[Component] = [heading(t("page.feed", lang, name=state.title), mark, back), facts(rows, "d-facts-wide")]
    if state.error:
        parts.append(
            html.P(
                t("desk.last_error", lang, at=instant(state.error_at, city.config.tz, lang), error=state.error),
                className="d-error",
            )
        )
    parts.append(_resend(state, lang))
    return parts


def _resend(state: FeedState, lang: str) -> Component:
    pushed = state.protocol == "portal"
    steps = [
        t("desk.resend_fix", lang),
        t("desk.resend_push" if pushed else "desk.resend_pull", lang, feed=state.key),
        t("desk.resend_done", lang),
    ]
    return html.Details(
        [html.Summary(t("desk.resend", lang)), html.Ol([html.Li(step) for step in steps], className="d-steps")],
        className="d-waiting",
    )


def download_button(feed: str, lang: str) -> Component:
    """Asks for the rejects as a CSV file; the file comes through DOWNLOAD."""
    button = html.Button(
        t("desk.download_csv", lang), id={"type": DOWNLOAD_ASKED, "feed": feed}, type="button", className="d-button", n_clicks=0
    )
    return html.Div([button, dcc.Download(id=DOWNLOAD)], className="d-exports")


def reason_chips(view: View, counts: Sequence[RejectCount]) -> Component | None:
    """The reasons as links that narrow the list, each with its number."""
    lang, by_reason = view.lang, dict[str, int]()
    for count in counts:
        by_reason[count.reason] = by_reason.get(count.reason, 0) + count.count
    on = view.get("reason")
    options = [("", t("desk.all", lang), sum(by_reason.values()))]
    options += [(reason, _reason(reason, lang), n) for reason, n in by_reason.items()]
    links = [
        html.Span(f"{name} {number(n, lang, 0)}", className="d-choice d-on", **{"aria-current": "true"})
        if reason == on
        else link(f"{name} {number(n, lang, 0)}", view.here(reason=reason), "d-choice")
        for reason, name, n in options
    ]
    return (
        html.Div(links, className="d-choices", role="group", **{"aria-label": t("column.reject.reason", lang)})
        if by_reason
        else None
    )


def reject_table(city: City, view: View, items: Iterable[RejectItem]) -> Component:
    """The items in quarantine, newest first."""
    lang = view.lang

    def at(value: int) -> str:
        return instant(value, city.config.tz, lang)

    columns = (
        Column[RejectItem](t("column.reject.item", lang), lambda row: row.item or MISSING, "main"),
        Column[RejectItem](t("column.reject.reason", lang), lambda row: _reason(row.reason, lang), "short"),
        Column[RejectItem](t("column.reject.field", lang), lambda row: html.Code(row.field) if row.field else MISSING, "short"),
        Column[RejectItem](
            t("column.reject.value", lang), lambda row: html.Code(_short(row.value)) if row.value else MISSING, "wide"
        ),
        Column[RejectItem](t("column.reject.remedy", lang), lambda row: remedy(row.reason, lang), "wide"),
        Column[RejectItem](t("desk.times", lang), lambda row: number(row.times, lang, 0), "number"),
        Column[RejectItem](t("desk.first_seen", lang), lambda row: at(row.first_at), "time"),
        Column[RejectItem](t("desk.last_seen", lang), lambda row: at(row.last_at), "time"),
    )
    return table(columns, items, t("desk.rejects", lang))


def reject_rows(city: City, items: Iterable[RejectItem], lang: str) -> list[list[str]]:
    """The same items as lines of a file, headings first: item, field, reason, value, remedy, times, first and last seen."""
    names = (
        "column.reject.item",
        "column.reject.field",
        "column.reject.reason",
        "column.reject.value",
        "column.reject.remedy",
        "desk.times",
        "desk.first_seen",
        "desk.last_seen",
    )
    tz = city.config.tz
    lines = [
        [
            row.item,
            row.field,
            _reason(row.reason, lang),
            row.value,
            remedy(row.reason, lang),
            str(row.times),
            instant(row.first_at, tz, lang),
            instant(row.last_at, tz, lang),
        ]
        for row in items
    ]
    return [[t(name, lang) for name in names], *lines]


def _short(text: str) -> str:
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
