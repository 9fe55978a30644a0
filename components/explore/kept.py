"""What readers take along from /explore: saved views, links that stay as they are, files of the table. And what is said after a step."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from components.desk_table import EXPORTS
from components.explore.state import PATH, State, canonical, filters_told, here, main_period, own_filters
from metrics.city import City
from metrics.city.shown import Shown
from metrics.city.views import LONGEST, SavedView
from store.days import moment
from text import t
from text.formats import instant

DO, VIEWS, SAID, NAME, RENAME, SHARED, DRAWN = (
    "explore-do",
    "explore-views",
    "explore-said",
    "explore-view-name",
    "explore-view-rename",
    "explore-view-shared",
    "explore-drawn",
)


def do_id(do: str, number: int | str = 0) -> dict[str, str]:
    """Id of the button that takes a step."""
    return {"type": DO, "do": do, "id": str(number)}


def kept(city: City, state: State, views: Sequence[SavedView]) -> Component:
    """The three things at the right of the heading."""
    lang = state.lang
    parts = [
        _menu(t("explore.views", lang), [html.Div(views_list(state, views, city), id=VIEWS), _save(city, lang)], "views"),
        _menu(t("explore.links", lang), _links(city, state), "links"),
        _menu(t("desk.export", lang), _files(city, state), "files") if city.scope.permits("export") else None,
    ]
    return html.Div([part for part in parts if part is not None], className="d-x-kept")


def _menu(words: str, children: Sequence[Component], name: str) -> Component:
    return html.Details(
        [html.Summary(words, className="d-button"), html.Div(list(children), className="d-x-menu")],
        className="d-x-drop",
        id=f"explore-{name}-menu",
    )


def views_list(state: State, views: Sequence[SavedView], city: City, editing: int = 0) -> Component:
    """The reader's own views, then those that others share."""
    lang = state.lang
    if not views:
        return html.P(t("explore.no_views", lang), className="d-quiet")
    return html.Ul([html.Li(_view(state, one, city, is_edited=one.id == editing)) for one in views], className="d-x-views")


def _view(state: State, one: SavedView, city: City, *, is_edited: bool) -> list[Component]:
    lang = state.lang
    if is_edited:
        box = dcc.Input(
            id={"type": RENAME, "id": str(one.id)},
            value=one.name,
            maxLength=LONGEST,
            className="d-input",
            autoComplete="off",
            autoFocus=True,
        )
        return [box, _button(t("explore.save", lang), "rename", one.id)]
    on = {"aria-current": "page"} if one.query == canonical(state) else {}
    name = here(one.name, f"{PATH}?{one.query}" if one.query else PATH, "d-x-view", f"view:{one.id}", **on)
    if not one.is_own:
        owner = one.owner.partition(":")[2] or one.owner
        return [name, html.Span(t("explore.shared_by", lang, name=owner), className="d-quiet")]
    share = ("unshare" if one.is_shared else "share") if one.is_shared or city.scope.permits("share.views") else ""
    steps = [
        ("edit", t("explore.rename", lang)),
        *([(share, t(f"explore.do_{share}", lang))] if share else []),
        ("remove", t("explore.remove", lang)),
    ]
    marks = [html.Span(t("explore.shared", lang), className="d-mark")] if one.is_shared else []
    return [name, *marks, html.Span([_button(words, do, one.id) for do, words in steps], className="d-x-steps")]


def _button(words: str, do: str, number: int | str = 0, class_name: str = "d-x-step") -> Component:
    return html.Button(words, id=do_id(do, number), type="button", n_clicks=0, className=class_name)


def _save(city: City, lang: str) -> Component:
    """A name, whether others see it, the button."""
    box = dcc.Input(
        id=NAME, value="", maxLength=LONGEST, className="d-input", autoComplete="off", placeholder=t("explore.name_example", lang)
    )
    options = [{"label": t("explore.share_too", lang), "value": "1"}] if city.scope.permits("share.views") else []
    parts = [
        html.Label([html.Span(t("explore.save_as", lang), className="d-field-name"), box], className="d-field"),
        dcc.Checklist(id=SHARED, options=options, value=[], className="d-x-check"),
        _button(t("explore.save", lang), "save", 0, "d-button d-main-button"),
    ]
    return html.Div(parts, className="d-x-save")


def _links(city: City, state: State) -> list[Component]:
    """Three kinds: always the newest figures, as the city knew it now, exactly what is on the screen."""
    lang = state.lang
    at = moment(city.as_of).astimezone(city.config.tz)
    known = state.here(known_at=at.strftime("%Y-%m-%dT%H:%M"), period=state.period.text)
    return [
        _link_row(t("explore.link_live", lang), t("explore.link_live_hint", lang), html.Code(state.here(), className="d-x-url")),
        _link_row(
            t("explore.link_known", lang),
            t("explore.link_known_hint", lang, at=instant(city.as_of, city.config.tz, lang)),
            here(t("explore.link_open", lang), known, "d-button", "known"),
        ),
        _link_row(
            t("explore.link_shown", lang), t("explore.link_shown_hint", lang), _button(t("explore.link_keep", lang), "keep", 0, "d-button")
        ),
    ]


def _link_row(title: str, hint: str, action: Component) -> Component:
    return html.Div([html.B(title), html.P(hint, className="d-quiet"), action], className="d-x-link")


def _files(city: City, state: State) -> list[Component]:
    """Files of exactly the rows and totals of the shown table."""
    query = urlencode(export_parameters(state))
    links = [
        html.A(
            form.upper(),
            href=f"/api/v1/explore.{form}?{query}",
            className="d-button d-export",
            download="",
            title=t("desk.export", state.lang),
        )
        for form in EXPORTS
    ]
    return [html.P(t("explore.files_hint", state.lang), className="d-quiet"), html.Div(links, className="d-exports")]


def export_parameters(state: State) -> dict[str, str]:
    """The shown table as a question of the API: the same breakdown, period, comparison and filters."""
    own = own_filters(state)
    asked = {
        "measures": state.measure.key,
        "by": ",".join(one for one in (state.by, state.split) if one),
        "period": main_period(state).text,
        "compare": state.compare,
        "late_rule": state.late_rule,
        "top": str(state.cut) if state.cut else "",
        "lang": state.view.get("lang"),
        "known_at": state.view.get("known_at"),
        **{name: value for name, value in filters_told(state).items() if name not in own},
    }
    return {name: value for name, value in asked.items() if value}


def said(words: str, lang: str, action: Component | None = None) -> Component:
    """What a step did, with the way back."""
    parts = [html.Span(words), *([action] if action is not None else []), _button(t("explore.close", lang), "dismiss")]
    return html.Div(parts, className="d-said", role="status")


def undo(number: int, lang: str) -> Component:
    """Takes back the removal of a view."""
    return _button(t("explore.undo", lang), "restore", number, "d-button")


def shown_link(kept_: Shown, lang: str) -> Component:
    """The link to what was just kept."""
    href = f"{PATH}?shown={kept_.key}" + (f"&lang={lang}" if lang != "vi" else "")
    return html.A(href, href=href, className="d-x-url", id="explore-shown-link")


def marks(city: City, state: State, shown: Shown | None, why_not: Sequence[str]) -> list[Component]:
    """That these are not the newest figures, said before any of them."""
    lang, found = state.lang, []
    if shown is not None:
        who = shown.made_by.partition(":")[2] or shown.made_by
        at = instant(shown.made_at, city.config.tz, lang)
        live = here(t("explore.shown_live", lang), f"{PATH}?{shown.query}", "d-button", "live")
        found.append(
            html.Div(
                [html.B(t("explore.shown_mark", lang, at=at, who=who, revision=shown.revision)), live], className="d-x-mark", role="note"
            )
        )
    elif state.known_at is not None:
        at = instant(state.known_at, city.config.tz, lang)
        live = here(t("explore.shown_live", lang), state.here(known_at=""), "d-button", "live")
        words = t("explore.known_mark", lang, at=at) if not why_not else t("explore.known_not", lang, at=at)
        reasons = html.Ul([html.Li(t(why, lang)) for why in why_not]) if why_not else None
        found.append(html.Div([html.Div([html.B(words), *([reasons] if reasons else [])]), live], className="d-x-mark", role="note"))
    return found
