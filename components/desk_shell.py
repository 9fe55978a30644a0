"""The frame of every desk page: top bar, main part, foot.

`page` is the skeleton a page file shows; `bar` what a callback fills in.

Ids are made by the functions here; the address (URL) is shared by all pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_parts import link, skeleton
from config import Config
from metrics.city import City
from text import LANGUAGES, t
from text.formats import instant

URL = "desk-url"
OPENED = "desk-opened"


@dataclass(frozen=True)
class NavRow:
    """One place in the bar; readers without the permission do not see it. whole = nor those whose rights have limits.

    group = the text key of the entry it is folded under, '' = none.
    """

    path: str
    label: str
    permission: str
    whole: bool = False
    group: str = ""


ANALYSIS = "desk.nav_analysis"


NAV = (
    NavRow("/", "desk.nav_home", "see.desk"),
    NavRow("/weekly", "desk.nav_weekly", "see.desk"),
    NavRow("/dossiers", "desk.nav_dossiers", "see.dossiers"),
    NavRow("/reports", "desk.nav_reports", "see.reports"),
    NavRow("/stations", "desk.nav_stations", "see.stations"),
    # what asks further: each page adds its row here
    NavRow("/explore", "page.explore", "see.dossiers", group=ANALYSIS),
    NavRow("/map", "page.map", "see.desk", group=ANALYSIS),
    NavRow("/hotspots", "page.hotspots", "see.reports", group=ANALYSIS),
    NavRow("/duplicates", "page.duplicates", "see.reports", group=ANALYSIS),
    NavRow("/at-risk", "page.at_risk", "see.dossiers", group=ANALYSIS),
    NavRow("/bottlenecks", "page.bottlenecks", "see.dossiers", group=ANALYSIS),
    NavRow("/gaming", "page.gaming", "see.dossiers", group=ANALYSIS),
    NavRow("/explain", "page.explain", "see.desk", group=ANALYSIS),
    NavRow("/signals", "desk.nav_signals", "see.desk", group=ANALYSIS),
    NavRow("/feeds", "desk.nav_feeds", "see.feeds"),
    NavRow("/indices", "desk.nav_indices", "see.desk"),
    NavRow("/kpis", "desk.nav_kpis", "see.desk"),
    NavRow("/wall", "desk.nav_wall", "see.wall", whole=True),
    NavRow("/audit", "desk.nav_audit", "see.audit", whole=True),
    NavRow("/admin", "desk.nav_admin", "manage.users", whole=True),
)


def bar_id(page: str) -> str:
    """Id of a page's top bar."""
    return f"{page}-bar"


def body_id(page: str) -> str:
    """Id of what a page's callback fills."""
    return f"{page}-body"


def opened_id(page: str) -> dict[str, str]:
    """Id of the store that holds the path and query a page was opened with."""
    return {"type": OPENED, "page": page}


def refresh_id(page: str) -> str:
    """Id of the store that assets/desk.js counts up when the page's figures are to be fetched again."""
    return f"{page}-refresh"


def language_of(query: Mapping[str, Any]) -> str:
    """The language a page's skeleton speaks: the query's, else Vietnamese; the city's own comes with the data."""
    asked = str(query.get("lang", ""))
    return asked if asked in LANGUAGES else LANGUAGES[0]


def page(name: str, path: str, query: Mapping[str, Any], blocks: int = 8) -> Component:
    """The skeleton of a desk page: no data, only where data will stand.

    The query goes into a store, which the page's callback reads.
    """
    lang = language_of(query)
    return html.Div(
        [
            dcc.Location(id=URL, refresh="callback-nav"),
            dcc.Store(id=opened_id(name), data={"path": path, "query": dict(query)}),
            dcc.Store(id=refresh_id(name), data=0),
            html.A(t("app.skip_to_content", lang), href=f"#{body_id(name)}", className="d-skip"),
            html.Header(html.Div(className="d-bar-bone"), id=bar_id(name), className="d-bar"),
            html.Main(skeleton(lang, blocks), id=body_id(name), className="d-main", tabIndex="-1"),
        ],
        className="desk",
        lang=lang,
    )


def bar(city: City, view: View) -> list[Component]:
    """Province, what kind of data this is, where one can go, the time, the language."""
    lang = view.lang
    name = city.config.name_en if lang == "en" and city.config.name_en else city.config.name
    brand = html.Div(
        [
            link(
                [html.Span(t("app.name", lang), className="d-product"), html.Span(name, className="d-city")],
                view.to("/"),
                "d-brand",
            ),
            *marks(city, lang),
        ],
        className="d-bar-left",
    )
    wide = html.Nav(_links(city, view), className="d-nav d-nav-wide", **{"aria-label": t("nav.label", lang)})
    narrow = html.Details(
        [
            html.Summary(t("desk.menu", lang)),
            html.Nav([*_links(city, view), *_who(city, lang)], className="d-nav", **{"aria-label": t("nav.label", lang)}),
        ],
        className="d-nav-narrow",
    )
    clock = html.Span(
        instant(city.as_of, city.config.tz, lang),
        className="d-clock",
        title=t("desk.clock_hint", lang, zone=city.config.timezone),
    )
    side = html.Span([clock, html.Span(_who(city, lang), className="d-who")], className="d-side")
    return [brand, wide, html.Div([side, _languages(view), narrow], className="d-bar-right")]


def marks(city: City, lang: str) -> list[Component]:
    """Marks no screen may leave out: simulated, dates moved, archive."""
    config, found = city.config, []
    if config.simulated:
        found.append(html.Span(t("app.simulated", lang), className="d-mark", title=t("app.simulated_hint", lang)))
    if config.shift_to_now:
        found.append(html.Span(t("desk.shifted", lang), className="d-mark", title=t("desk.shifted_hint", lang)))
    if is_archive(config):
        at = instant(city.as_of, config.tz, lang)
        found.append(html.Span(t("desk.archive_at", lang, at=at), className="d-mark", title=t("desk.archive_hint", lang)))
    return found


def is_archive(config: Config) -> bool:
    """True when the city's clock stands still: nothing ages on its screens."""
    return bool(config.as_of) and not config.shift_to_now


def frame(
    page_name: str, city: City, view: View, children: Sequence[Component | None], topics: tuple[str, ...], *, auto: bool
) -> Component:
    """The filled body: its content, the button that fetches new data, and the foot that says which data these are.

    auto: the page fetches by itself, at most every 30 s; otherwise rows stay until the reader asks.
    """
    told = {
        "data-refresh": refresh_id(page_name),
        "data-revisions": " ".join(f"{topic}:{city.revisions.get(topic, 0)}" for topic in topics),
        "data-server-at": str(city.as_of),
        "data-frozen": "1" if is_archive(city.config) else "",
        "data-auto": "1" if auto else "",
        "data-lang": view.lang,
        **{f"data-age-{key[0]}": t(f"age.{key}", view.lang, n="{n}") for key in ("seconds", "minutes", "hours", "days")},
    }
    button = html.Button(
        t("desk.new_data", view.lang), className="d-new", title=t("desk.new_data_hint", view.lang), hidden=True, type="button"
    )
    lost = html.P(t("desk.offline", view.lang), className="d-lost", hidden=True, role="status")
    return html.Div(
        [lost, button, *(child for child in children if child is not None), foot(city, view)],
        className="d-content",
        lang=view.lang,
        **told,
    )


def foot(city: City, view: View) -> Component:
    """As-of, revision, zone: what a print or a picture of this page needs to be checked later."""
    lang = view.lang
    words = [
        t("desk.as_of", lang, at=instant(city.as_of, city.config.tz, lang)),
        t("desk.revision", lang, revision=city.revision),
        t("desk.zone", lang, zone=city.config.timezone),
    ]
    return html.Footer([html.Span(word) for word in words], className="d-foot")


def _links(city: City, view: View) -> list[Component]:
    """The places of the bar; those of a group stand in one disclosure where its first one would."""
    found: list[Component] = []
    grouped: dict[str, list[Component]] = {}
    for row in NAV:
        if not city.scope.permits(row.permission) or (row.whole and city.scope.is_limited):
            continue
        if row.group and row.group not in grouped:
            grouped[row.group] = []
            is_here = any(_is_here(view, other) for other in NAV if other.group == row.group)
            summary = html.Summary(t(row.group, view.lang), className="d-nav-fold")
            inside = html.Div(grouped[row.group], className="d-nav-inside")
            found.append(html.Details([summary, inside], className="d-nav-group d-here" if is_here else "d-nav-group"))
        (grouped[row.group] if row.group else found).append(_place(row, view))
    return found


def _is_here(view: View, row: NavRow) -> bool:
    return view.path == row.path or (row.path != "/" and view.path.startswith(f"{row.path}/"))


def _place(row: NavRow, view: View) -> Component:
    """The wall is a page of its own kind and loads anew; the section one is in is marked."""
    words = t(row.label, view.lang)
    if row.path == "/wall":
        return html.A(words, href=row.path, className="d-nav-link")
    here = _is_here(view, row)
    # dcc.Link takes no aria attributes: the mark sits on a wrapper
    return html.Span(
        link(words, view.to(row.path), "d-nav-link"), className="d-here" if here else "", **({"aria-current": "page"} if here else {})
    )


def _who(city: City, lang: str) -> list[Component]:
    """Who is signed in, with the way to the account and out; without any users the way to make the first one."""
    kind, _, name = city.scope.actor.partition(":")
    if kind == "user":
        return [
            html.A(name, href=f"/account?lang={lang}", className="d-nav-link", title=t("sign_in.bar_account", lang, username=name)),
            html.A(t("sign_in.out", lang), href=f"/sign-out?lang={lang}", className="d-nav-link"),
        ]
    if kind == "demo":
        words = t("sign_in.bar_none", lang)
        return [html.A(words, href=f"/first-run?lang={lang}", className="d-nav-link", title=t("sign_in.bar_set_up", lang))]
    return []


def _languages(view: View) -> Component:
    options = [
        html.Span(code.upper(), className="d-lang d-on", lang=code, title=t(f"language.{code}", view.lang))
        if code == view.lang
        else link(code.upper(), view.here(lang=code), "d-lang", title=t(f"language.{code}", code))
        for code in LANGUAGES
    ]
    return html.Span(options, className="d-langs", role="group", **{"aria-label": t("desk.language", view.lang)})
