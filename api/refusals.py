"""How the gate says no: a page in the product's look to who opened an address, JSON to everything else."""

from __future__ import annotations

import logging
from urllib.parse import quote

from dash.exceptions import PreventUpdate
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Asgi

from api.errors import ApiError, error_answer
from components import forms
from config import Config
from text import t

log = logging.getLogger("api.gate")
# what a reader can be told, by status; anything else is "server"
WORDS = {
    400: "bad_request", 401: "sign_in", 403: "forbidden", 404: "not_found", 405: "bad_request", 413: "bad_request",
    421: "wrong_host", 429: "too_many", 503: "busy",
}


def refusal(fault: ApiError, *, as_page: bool, lang: str, config: Config) -> Response:
    """The answer of a refusal."""
    return refusal_page(fault, lang, config) if as_page else error_answer(fault)


def sign_in_first(form: str, path: str, query: str) -> Response:
    """To the sign-in form (or another of ours), and from there back to this local address."""
    wanted = path + (f"?{query}" if query else "")
    return RedirectResponse(f"{form}?next={quote(wanted, safe='/')}" if wanted != "/" else form, 303)


def refusal_page(fault: ApiError, lang: str, config: Config) -> Response:
    """A page with the reason in the reader's words; never the path, the fault's own text or anything the sender wrote."""
    key = WORDS.get(fault.status, "server")
    lines = [t(f"error.{key}_hint", lang)]
    if fault.reference:
        lines.append(t("error.reference", lang, reference=fault.reference))
    home = forms.el("a", t("desk.nav_home", lang), href="/", class_="d-button")
    view = forms.FormPage(config, "/", (), lang, "")
    html = forms.page(view, t(fault.words or f"error.{key}", lang), *(forms.el("p", line) for line in lines), home)
    return Response(html, fault.status, dict(fault.headers), "text/html")


class DashFaults:
    """ASGI middleware inside Dash's own, which would answer 500 and say nothing to the log.

    Callbacks' own faults are answered before they come here: what comes is a request Dash could not make sense of.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        """Pass on; a malformed request is told so."""
        try:
            await self.app(scope, receive, send)
        except PreventUpdate:
            raise
        except Exception as fault:
            if scope["type"] != "http" or not scope["path"].startswith("/_dash-"):
                raise
            log.warning("a request to %s made no sense: %s", scope["path"][:60].encode(), type(fault).__name__)
            told = (
                ApiError(404, "not_found", "there is nothing at this address", remedy="reload the page")
                if scope["method"] in ("GET", "HEAD")
                else ApiError(400, "bad_callback", "this callback does not exist or was not sent whole", remedy="reload the page")
            )
            await error_answer(told)(scope, receive, send)
