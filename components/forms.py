"""The pages that work without scripts: sign-in, first run, account. Pure functions from values to HTML; every text in it is escaped.

They look like the desk (assets/desk.css, assets/forms.css); who may see them and what they do is in api/sign_in.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

from components.theme import css
from config import Config
from store.people import User
from store.sessions import Session
from text import LANGUAGES, t
from text.formats import age, instant

VOID = ("input", "link", "meta")
# how browsers and systems name themselves, the more telling first
BROWSERS = (
    ("Edg/", "Edge"), ("OPR/", "Opera"), ("coc_coc", "Coc Coc"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)
SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"))

# what to do after the first administrator is there: text, command
NEXT_STEPS = (
    ("next_users", "python cli.py user add NAME --role viewer"),
    ("next_display", "python cli.py user add wall-1 --role display"),
    ("next_keys", "python cli.py apikey add LABEL --role analyst"),
    ("next_network", ""),
)


class Html(str):
    """Text that is markup already."""


@dataclass(frozen=True)
class FormPage:
    """What every form page needs: its path and query without lang, the language, the CSRF token, what to say first.

    fault = why it was not done, said = what was.
    """

    config: Config
    path: str
    query: tuple[tuple[str, str], ...]
    lang: str
    csrf: str
    fault: str = ""
    said: str = ""

    def to(self, **query: str) -> str:
        """This page's address, with these values in its query."""
        return f"{self.path}?{urlencode({**dict(self.query), 'lang': self.lang, **query})}"


def el(tag: str, /, *children: str | Iterable[str], **attributes: str | bool) -> Html:
    """An element. Children that are no Html are escaped; class_ is class, aria_label aria-label; True = the bare attribute."""
    written = [
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for key, value in attributes.items()
        if value is not False
    ]
    start = f"<{tag}{''.join(written)}>"
    return Html(start if tag in VOID else f"{start}{_inner(children)}</{tag}>")


def _inner(children: Iterable[str | Iterable[str]]) -> str:
    flat = (part for child in children for part in ([child] if isinstance(child, str) else child))
    return "".join(part if isinstance(part, Html) else escape(part) for part in flat)


def page(view: FormPage, title: str, *body: str, wide: bool = False) -> str:
    """The whole document around a form."""
    config, lang = view.config, view.lang
    city = config.name_en if lang == "en" and config.name_en else config.name
    head = el(
        "head", el("meta", charset="utf-8"), el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="robots", content="noindex"), el("title", t("app.title", lang, page=title)), el("style", Html(css())),
        el("link", rel="icon", href="/_favicon.ico"),
        *(el("link", rel="stylesheet", href=f"/assets/{sheet}.css") for sheet in ("fonts", "desk", "forms")),
    )
    brand = el("span", t("app.name", lang), class_="d-product"), el("span", city, class_="d-city")
    bar = el(
        "header", el("div", el("a", *brand, class_="d-brand", href="/"), class_="d-bar-left"),
        el("div", _languages(view), class_="d-bar-right"), class_="d-bar",
    )
    told = [el("p", view.fault, class_="f-fault", role="alert")] if view.fault else []
    told += [el("p", view.said, class_="f-said", role="status")] if view.said else []
    main = el("main", el("h1", title), *told, *body, class_="d-main f-main f-wide" if wide else "d-main f-main")
    return "<!DOCTYPE html>" + el("html", head, el("body", el("div", bar, main, class_="desk", lang=lang)), lang=lang)


def _languages(view: FormPage) -> Html:
    links = [
        el("span", code.upper(), class_="d-lang d-on", lang=code)
        if code == view.lang
        else el("a", code.upper(), class_="d-lang", lang=code, href=view.to(lang=code), title=t(f"language.{code}", code))
        for code in LANGUAGES
    ]
    return el("span", links, class_="d-langs", role="group", aria_label=t("desk.language", view.lang))


def _form(view: FormPage, button: str, *fields: str, quiet: bool = False) -> Html:
    token = _hidden("csrf", view.csrf)
    submit = el("button", button, type="submit", class_="d-button" if quiet else "d-button f-button")
    return el("form", token, *fields, submit, method="post", action=view.to(), class_="f-form")


def _field(label: str, name: str, kind: str = "text", complete: str = "off", value: str = "", hint: str = "", focus: bool = False) -> Html:
    told = [el("small", hint, class_="f-hint", id=f"{name}-hint")] if hint else []
    box = el(
        "input", type=kind, name=name, id=name, value=value, autocomplete=complete, required=kind == "password" or name == "username",
        autofocus=focus, autocapitalize="none", spellcheck="false", maxlength="200", class_="f-input",
        **({"aria_describedby": f"{name}-hint"} if hint else {}),
    )
    return el("div", el("label", label, for_=name), box, *told, class_="f-field")


def _hidden(name: str, value: str) -> Html:
    return el("input", type="hidden", name=name, value=value)


# ---- the pages ------------------------------------------------------------------------------------------------------
def sign_in_page(view: FormPage, username: str = "") -> str:
    """User name and password; `username` as it was typed before."""
    lang = view.lang
    form = _form(
        view, t("sign_in.button", lang),
        _field(t("sign_in.username", lang), "username", complete="username", value=username, focus=not username),
        _field(t("sign_in.password", lang), "password", "password", "current-password", focus=bool(username)),
    )
    return page(view, t("sign_in.title", lang), form, el("p", t("sign_in.forgotten", lang), class_="f-hint"))


def sign_out_page(view: FormPage, user: User) -> str:
    """One button, so that a link alone ends no session."""
    lang = view.lang
    words = el("p", t("sign_in.as", lang, username=user.username))
    return page(view, t("sign_in.out_title", lang), words, _form(view, t("sign_in.out", lang)))


def message_page(view: FormPage, title: str, words: str) -> str:
    """Something to read, nothing to fill in."""
    return page(view, title, el("p", words))


def first_run_page(view: FormPage, username: str = "", name: str = "") -> str:
    """The form that makes the first administrator."""
    lang = view.lang
    form = _form(
        view, t("first_run.button", lang),
        _field(t("sign_in.username", lang), "username", complete="username", value=username, focus=True),
        _field(t("account.name", lang), "name", complete="name", value=name),
        *_new_password(lang, "sign_in.password"),
    )
    return page(view, t("first_run.title", lang), el("p", t("first_run.about", lang)), form)


def first_run_done(view: FormPage, username: str) -> str:
    """What to do after the first administrator is there."""
    lang = view.lang
    steps = [el("li", t(f"first_run.{key}", lang), *([el("code", command)] if command else [])) for key, command in NEXT_STEPS]
    go = el("a", t("sign_in.title", lang), href=f"/sign-in?lang={lang}", class_="d-button f-button")
    return page(
        view, t("first_run.done_title", lang), el("p", t("first_run.done", lang, username=username)), el("p", go),
        el("h2", t("first_run.next", lang)), el("ol", steps, class_="f-steps"),
    )


def account_page(view: FormPage, user: User, sessions: Iterable[Session], own: str, now: int) -> str:
    """Who one is, the password, the open sessions; `own` = token hash of this one. A temporary password hides the rest."""
    lang = view.lang
    password = el("section", el("h2", t("account.change_password", lang)), _password_form(view, user), class_="f-card")
    title = t("account.title", lang)
    if user.is_temporary:
        return page(view, title, el("p", t("account.temporary", lang), class_="f-said"), _who(user, lang), password, wide=True)
    return page(view, title, _who(user, lang), password, _sessions(view, tuple(sessions), own, now), wide=True)


def _who(user: User, lang: str) -> Html:
    rows = (
        ("sign_in.username", user.username), ("account.name", user.name or "–"), ("account.role", t(f"role.{user.role}", lang)),
        ("account.agencies", _limits(user.agencies, lang)), ("account.areas", _limits(user.areas, lang)),
    )
    facts = [el("div", el("dt", t(key, lang)), el("dd", value)) for key, value in rows]
    out = el("p", el("a", t("sign_in.out", lang), href=f"/sign-out?lang={lang}", class_="d-button"))
    return el("section", el("dl", facts, class_="f-facts"), out, class_="f-card")


def _limits(codes: tuple[str, ...] | None, lang: str) -> str:
    return t("account.all", lang) if codes is None else ", ".join(codes) or t("account.none", lang)


def _password_form(view: FormPage, user: User) -> Html:
    """With the user name in a field nobody sees: password managers want to know whose it is."""
    lang = view.lang
    whose = el("input", type="text", value=user.username, autocomplete="username", hidden=True, readonly=True)
    old = _field(t("account.old_password", lang), "old", "password", "current-password")
    return _form(view, t("account.change_password", lang), whose, _hidden("do", "password"), old, *_new_password(lang))


def _new_password(lang: str, label: str = "account.new_password") -> tuple[Html, Html]:
    return (
        _field(t(label, lang), "password", "password", "new-password", hint=t("account.password_hint", lang)),
        _field(t("account.again", lang), "again", "password", "new-password"),
    )


def _sessions(view: FormPage, sessions: tuple[Session, ...], own: str, now: int) -> Html:
    lang = view.lang
    names = [t(f"account.{key}", lang) for key in ("browser", "address", "opened", "seen")]
    end = el("th", el("span", t("account.end", lang), class_="d-unseen"), scope="col")
    head = el("thead", el("tr", *(el("th", name, scope="col") for name in names), end))
    rows = [_session_row(view, session, own, names, now) for session in sessions]
    others = _form(view, t("account.end_others", lang), _hidden("do", "end_others"), quiet=True)
    table = el("div", el("table", head, el("tbody", rows), class_="d-table"), class_="d-table-box")
    return el(
        "section", el("h2", t("account.sessions", lang)), table, *([others] if len(sessions) > 1 else []), class_="f-sessions",
    )


def _session_row(view: FormPage, session: Session, own: str, names: list[str], now: int) -> Html:
    lang = view.lang
    values = (
        browser_name(session.browser) or t("account.unknown_browser", lang), session.address,
        instant(session.opened_at, view.config.tz, lang), age(max(0, now - session.seen_at) / 1e6, lang),
    )
    cells = [el("td", el("span", value), data_label=name) for name, value in zip(names, values, strict=True)]
    end = (
        el("span", t("account.this_one", lang), class_="d-quiet")
        if session.token_hash == own
        else _form(view, t("account.end", lang), _hidden("do", "end"), _hidden("session", session.token_hash[:16]), quiet=True)
    )
    return el("tr", *cells, el("td", end, data_label=""))


def browser_name(said: str) -> str:
    """Browser and system in a User-Agent, as people call them; '' when neither is known."""
    found = (next((name for mark, name in table if mark in said), "") for table in (BROWSERS, SYSTEMS))
    return " · ".join(name for name in found if name)
