"""Makes the web application: server, pages, callbacks, API. Nothing happens at import; everything it needs is an argument."""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import dash
from dash import Dash, html, set_props
from dash.backends._fastapi import reset_current_request, set_current_request
from fastapi import FastAPI, Request, Response
from starlette.middleware import Middleware

import callbacks
from api.gate import Gate, api_rows, once, own_rows, page_rows
from api.headers import Policy, style_sources
from api.limits import GATE_BOUNDS, GateLimits
from api.refusals import DashFaults
from api.routes import mount
from auth import scope_reader
from components import theme
from components.context import AppContext
from components.faults import told
from config import Config
from store.engine import Store
from text import t

log = logging.getLogger("app")
ROOT = Path(__file__).resolve().parent
FAULT = "app-fault"
GRID_SCRIPT = re.compile(r'<script src="/_dash-component-suites/dash_ag_grid/[^"]+"></script>\s*')
INDEX = """<!DOCTYPE html>
<html lang="__LANG__">
<head>{%metas%}<meta name="viewport" content="width=device-width, initial-scale=1"><title>{%title%}</title>{%favicon%}
<style>__TOKENS__</style>{%css%}</head>
<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>"""


def make_app(config: Config, store: Store, *, now: Callable[[], datetime], limits: GateLimits = GATE_BOUNDS) -> Dash:
    """The whole application over one city and its store; `app.server` is the ASGI application."""
    server = FastAPI(title=t("app.name", config.language), openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app = Dash(
        "app", server=server, use_pages=True, pages_folder=str(ROOT / "pages"), assets_folder=str(ROOT / "assets"),
        compress=True, serve_locally=True, suppress_callback_exceptions=True, update_title="",
        title=t("app.name", config.language), enable_mcp=False,
        on_error=lambda fault: _told(config, fault),
        index_string=INDEX.replace("__LANG__", config.language).replace("__TOKENS__", theme.css()),
    )
    _close_websockets(app, server)
    context = AppContext(config, store, now, once(scope_reader(config, store, now)))
    app.layout = html.Div([dash.page_container, html.Div(id=FAULT, role="alert")], className="app")
    for found in pkgutil.iter_modules(callbacks.__path__):
        importlib.import_module(f"callbacks.{found.name}").register(app, context)
    mount(server, context)
    _serve_pages(app, server)
    _guard(app, server, context, limits)
    return app


def _close_websockets(app: Dash, server: FastAPI) -> None:
    """No second door to the callbacks, and no worker for it in every browser (the policy would refuse that worker aloud)."""
    app.backend.websocket_capability = False
    server.router.routes[:] = [route for route in server.router.routes if getattr(route, "path", "") != "/_dash-ws-callback"]


def _guard(app: Dash, server: FastAPI, context: AppContext, limits: GateLimits) -> None:
    """Put the gate around everything but the clock of requests, which counts the gate's refusals too."""
    is_https = context.config.web.public_url.startswith("https://")
    policy = Policy(lambda: tuple(app.csp_hashes()), style_sources(theme.css()), is_https)
    rows = (*own_rows(limits), *api_rows(limits), *page_rows(dash.page_registry))
    server.add_middleware(Gate, context=context, rows=rows, policy=policy, limits=limits)
    server.user_middleware.insert(0, server.user_middleware.pop(1))
    server.user_middleware.append(Middleware(DashFaults))


def _told(config: Config, fault: Exception) -> None:
    """A callback failed: nothing on the page changes, and the reader is told so."""
    words = " ".join(told(log, "a callback", fault, config.language))
    set_props(FAULT, {"children": html.P(words, className="d-notice d-notice-fault")})


def _serve_pages(app: Dash, server: FastAPI) -> None:
    """Answer every page address with Dash's index; comes last, so that all other routes win. The gate lets only pages come here.

    Dash would do it itself on start-up, with 200 for anything and for the app made last in this process.
    """
    async def page(request: Request) -> Response:
        token = set_current_request(request)
        try:
            await _ready(app)
            index = app.index()
            return Response(_without_grid(index) if request.url.path.startswith("/wall") else index, media_type="text/html")
        finally:
            reset_current_request(token)

    server.router.routes[:] = [route for route in server.router.routes if getattr(route, "path", "") != "/"]
    server.add_api_route("/{path:path}", page, methods=["GET", "HEAD"], include_in_schema=False)


def _without_grid(index: str) -> str:
    """The index without the script of the lists' grid (a third of a megabyte on the wire): no scene has a list of rows."""
    return GRID_SCRIPT.sub("", index)


async def _ready(app: Dash) -> None:
    """What Dash does before its first own request: read assets, wire the pages' router. The index needs both."""
    for hook in app.backend._before_request_funcs:
        if inspect.iscoroutinefunction(hook):
            await hook()
        else:
            hook()


if __name__ == "__main__":
    importlib.import_module("cli").cli(["run"])
