"""Fills the page of keys, feeds' and the API's, and takes the steps of its buttons, as callbacks/admin.py does for users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash
from dash.development.base_component import Component

from auth import admin
from callbacks.admin import Done, Step, Take, hand, lang_of, names_of, parts_of, rows, take
from components.context import AppContext
from components.desk_admin import KEYS, confirm, said, secret, shell
from components.desk_admin_keys import DAY_S, GRACES, LIFE, LIVES, api_key_form, feed_key_form, keys_list, rotate_sheet
from components.desk_links import View
from components.desk_wiring import PageRow, bind_callback, bind_page
from metrics.city import City
from scope import Scope
from store.days import DAY
from store.keys import NewApiKey
from store.rights import PeopleFault
from text import t


def draw_page(city: City, view: View) -> list[Component | None]:
    """The page without its lists, which a callback of its own fills and renews."""
    return shell(view, KEYS, parts_of(city), t("admin.keys_lead", view.lang), None)


def list_keys(context: AppContext, scope: Scope, opened: Mapping[str, Any], changed: int) -> list[Component]:
    """Every key as the store has them now."""
    own, city = hand(context, scope), context.city(scope)
    feed_keys, api_keys = admin.list_feed_keys(own), admin.list_api_keys(own)
    return keys_list(context.config, lang_of(context, city, opened), feed_keys, api_keys, names_of(city), own.now)


# ---- steps ----------------------------------------------------------------------------------------------------------
def _title(step: Step) -> str:
    found = next((feed for feed in step.admin.config.feeds if feed.key == step.who), None)
    return (found.title or found.key) if found else step.who


def _new_feed(step: Step) -> Done:
    return Done(feed_key_form(step.lang, step.who, _title(step)))


def _add_feed(step: Step) -> Done:
    try:
        key = admin.add_feed_key(step.admin, step.who, step.text("label"))
    except PeopleFault as no:
        return Done(feed_key_form(step.lang, step.who, _title(step), step.fault(no), step.text("label")))
    return _shown(step, t("admin.feed_key_added", step.lang, feed=_title(step)), key, "feed")


def _new_api(step: Step) -> Done:
    return Done(api_key_form(step.lang, NewApiKey("", "analyst"), LIFE, admin.KEY_ROLES, step.names()))


def _add_api(step: Step) -> Done:
    agencies, areas = step.limits()
    days = int(step.text("days")) if step.text("days") in map(str, LIVES) else LIFE
    ends = step.admin.now + days * DAY if days else None
    new = NewApiKey(step.text("label"), step.text("role"), agencies, areas, ends)
    try:
        key = admin.add_api_key(step.admin, new)
    except PeopleFault as no:
        return Done(api_key_form(step.lang, new, days, admin.KEY_ROLES, step.names(), step.fault(no)))
    return _shown(step, t("admin.api_key_added", step.lang, label=new.label), key, "api")


def _shown(step: Step, title: str, key: str, kind: str) -> Done:
    return Done(secret(KEYS, step.lang, title, key, t(f"admin.key_hint.{kind}", step.lang)), True)


def _asks_rotate(kind: str) -> Take:
    return lambda step: Done(rotate_sheet(step.lang, kind, step.who, f"#{step.who}"))


def _asks_revoke(kind: str) -> Take:
    return lambda step: Done(confirm(KEYS, step.lang, f"revoke_{kind}", step.who, f"#{step.who}"))


def _rotates(kind: str) -> Take:
    def rotate(step: Step) -> Done:
        grace = int(step.text("grace")) if step.text("grace") in map(str, GRACES) else DAY_S
        work = admin.rotate_feed_key if kind == "feed" else admin.rotate_api_key
        return _shown(step, t("admin.rotated", step.lang, who=step.who), work(step.admin, _number(step), grace), kind)

    return rotate


def _revokes(kind: str) -> Take:
    def revoke(step: Step) -> Done:
        (admin.revoke_feed_key if kind == "feed" else admin.revoke_api_key)(step.admin, _number(step))
        return Done(said(KEYS, step.lang, t("admin.revoked", step.lang, who=step.who)), True)

    return revoke


def _number(step: Step) -> int:
    if not (step.who.isascii() and step.who.isdecimal() and len(step.who) < 16):
        raise PeopleFault("admin.key_gone")
    return int(step.who)


STEPS: Mapping[str, Take] = {
    "new_feed": _new_feed, "add_feed": _add_feed, "new_api": _new_api, "add_api": _add_api, "close": lambda step: Done(),
    "ask_rotate_feed": _asks_rotate("feed"), "rotate_feed": _rotates("feed"), "ask_rotate_api": _asks_rotate("api"),
    "rotate_api": _rotates("api"), "ask_revoke_feed": _asks_revoke("feed"), "revoke_feed": _revokes("feed"),
    "ask_revoke_api": _asks_revoke("api"), "revoke_api": _revokes("api"),
}


def take_keys(context: AppContext, scope: Scope, presses: Sequence[int], *rest: Any) -> Any:
    """A step with keys."""
    return take(STEPS, KEYS, context, scope, *rest)


PAGES = (PageRow("admin_keys", "manage.keys", draw_page, ()),)
CALLBACKS = rows(KEYS, list_keys, take_keys)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
    for row in CALLBACKS:
        bind_callback(app, context, row)
