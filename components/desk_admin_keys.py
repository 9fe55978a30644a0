"""The keys of feeds and of the API: lists and forms, drawn. Pure: keys -> components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from dash import html
from dash.development.base_component import Component

from components.desk_admin import (
    KEYS,
    NO_FAULT,
    Fault,
    Names,
    close,
    confirm,
    do,
    fault_line,
    limits_line,
    radio_field,
    reach_fields,
    role_options,
    sheet,
    text_field,
)
from components.desk_parts import state_mark
from components.desk_table import Column, table
from config import Config
from store.keys import ApiKey, FeedKey, NewApiKey
from text import t
from text.formats import MISSING, instant, number

Key = TypeVar("Key", FeedKey, ApiKey)
DAY_S = 86_400
GRACES = (0, 3600, DAY_S, 7 * DAY_S)
LIVES = (30, 90, 365, 0)  # days; 0 = until revoked
LIFE = 90


def keys_list(
    config: Config, lang: str, feed_keys: Sequence[FeedKey], api_keys: Sequence[ApiKey], names: tuple[Names, Names], now: int
) -> list[Component]:
    """API keys, then the keys of every feed; those that open nothing any more are folded away."""
    api = html.Section(
        [
            html.Div([html.H2(t("admin.api_keys", lang)), do(KEYS, "new_api", "", t("admin.do.new_api", lang))], className="d-above"),
            html.P(t("admin.api_keys_hint", lang), className="d-quiet"),
            *_both(config, lang, api_keys, "api", names, now),
        ],
        className="d-section",
    )
    return [api, *(_feed(config, lang, feed.key, feed.title or feed.key, feed_keys, names, now) for feed in config.feeds)]


def _feed(
    config: Config, lang: str, feed: str, title: str, feed_keys: Sequence[FeedKey], names: tuple[Names, Names], now: int
) -> Component:
    own = [key for key in feed_keys if key.feed == feed]
    button = do(KEYS, "new_feed", feed, t("admin.do.new_feed", lang), **{"aria-label": f"{t('admin.do.new_feed', lang)}: {title}"})
    head = html.Div([html.H2(t("admin.keys_of", lang, feed=title)), button], className="d-above")
    return html.Section([head, *_both(config, lang, own, "feed", names, now)], className="d-section", **{"data-feed": feed})


def _both(
    config: Config, lang: str, keys: Sequence[Key], kind: str, names: tuple[Names, Names], now: int
) -> list[Component]:
    """Keys that open, and folded those that do not."""
    open_, ended = [key for key in keys if key.opens(now)], [key for key in keys if not key.opens(now)]
    caption = t(f"admin.{kind}_keys", lang)
    parts: list[Component] = [html.P(t("admin.no_keys", lang), className="d-quiet")]
    if open_:
        parts = [table(_columns(config, lang, kind, names, now, open_=True), open_, caption)]
    if ended:
        words = t("admin.ended_keys", lang, n=number(len(ended), lang, 0))
        old = table(_columns(config, lang, kind, names, now, open_=False), ended, caption)
        parts.append(html.Details([html.Summary(words), old], className="d-waiting"))
    return parts


def _columns(
    config: Config, lang: str, kind: str, names: tuple[Names, Names], now: int, *, open_: bool
) -> tuple[Column[Key], ...]:
    def at(value: int | None) -> str:
        return instant(value, config.tz, lang)

    found = [Column[Key](t("admin.key", lang), lambda row: _named(row, lang), "main")]
    if kind == "api":
        found += [
            Column[Key](t("account.role", lang), lambda row: t(f"role.{getattr(row, 'role', '')}", lang)),
            Column[Key](
                t("admin.limits", lang),
                lambda row: limits_line(getattr(row, "agencies", None), getattr(row, "areas", None), names, lang), "wide",
            ),
        ]
    found += [
        Column[Key](t("admin.made", lang), lambda row: f"{at(row.created_at)} · {row.created_by or MISSING}", "time"),
        Column[Key](t("admin.state", lang), lambda row: _state(config, row, lang, now)),
    ]
    if open_:
        found.append(Column[Key](t("admin.actions", lang), lambda row: _actions(row, kind, lang), "wide"))
    return tuple(found)


def _named(row: FeedKey | ApiKey, lang: str) -> str:
    return f"{row.label or t('admin.unnamed', lang)} (#{row.id})"


def _state(config: Config, row: FeedKey | ApiKey, lang: str, now: int) -> Component:
    ends = [end for end in (row.revoked_at, getattr(row, "expires_at", None)) if end is not None]
    if not ends:
        return state_mark("fresh", t("admin.opens", lang))
    at = instant(min(ends), config.tz, lang)
    if min(ends) > now:
        return state_mark("late" if row.revoked_at else "fresh", t("admin.opens_until", lang, at=at))
    return state_mark("never", t("admin.ended_at", lang, at=at))


def _actions(row: FeedKey | ApiKey, kind: str, lang: str) -> Component:
    def step(what: str) -> Component:
        words = t(f"admin.do.{what}", lang)
        return do(KEYS, f"ask_{what}_{kind}", str(row.id), words, **{"aria-label": f"{words}: {_named(row, lang)}"})

    return html.Div([*([] if row.revoked_at else [step("rotate")]), step("revoke")], className="d-row-do")


# ---- forms ----------------------------------------------------------------------------------------------------------
def feed_key_form(lang: str, feed: str, title: str, fault: Fault = NO_FAULT, label: str = "") -> Component:
    """A new key of a feed: what it is for."""
    field = text_field(KEYS, "label", t("admin.label", lang), label, fault, t("admin.label_hint", lang), maxLength=80, autoFocus=True)
    buttons = [do(KEYS, "add_feed", feed, t("admin.do.add_key", lang), "main"), close(KEYS, t("admin.cancel", lang))]
    return sheet(t("admin.new_feed_key", lang, feed=title), [fault_line(fault), field], buttons)


def api_key_form(
    lang: str, new: NewApiKey, days: int, roles: Sequence[str], names: tuple[Names, Names], fault: Fault = NO_FAULT
) -> Component:
    """A new API key: what it is for, what it may, how long."""
    lives = [(str(day), t("admin.days", lang, n=day) if day else t("admin.no_end", lang), "") for day in LIVES]
    fields = [
        fault_line(fault),
        text_field(KEYS, "label", t("admin.label", lang), new.label, fault, t("admin.label_hint", lang), maxLength=80, autoFocus=True),
        radio_field(KEYS, "role", t("account.role", lang), role_options(roles, lang), new.role, fault),
        *reach_fields(KEYS, lang, *names, (new.agencies, new.areas), fault),
        radio_field(KEYS, "days", t("admin.life", lang), lives, str(days), fault),
    ]
    buttons = [do(KEYS, "add_api", "", t("admin.do.add_key", lang), "main"), close(KEYS, t("admin.cancel", lang))]
    return sheet(t("admin.new_api_key", lang), fields, buttons)


def rotate_sheet(lang: str, kind: str, number_: str, named: str) -> Component:
    """Asks how long the old key shall open beside the new one."""
    options = [(str(grace), t(f"admin.grace.{grace}", lang), "") for grace in GRACES]
    field = radio_field(KEYS, "grace", t("admin.grace_name", lang), options, str(DAY_S), NO_FAULT)
    return confirm(KEYS, lang, f"rotate_{kind}", number_, named, [field])
