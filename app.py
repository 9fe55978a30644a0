"""Makes the web application: server, pages, callbacks, API. Nothing happens at import; everything it needs is an argument."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import dash
from dash import Dash, html
from dash.backends._fastapi import reset_current_request, set_current_request
from fastapi import FastAPI, Request, Response

import callbacks
from api.routes import mount
from auth import scope_reader
from components import theme
from components.context import AppContext
from config import Config
from store.engine import Store
from text import t

ROOT = Path(__file__).resolve().parent
# answered with 404 instead of the page skeleton when nothing is there: a wrong API address must not look healthy
NOT_PAGES = ("/api", "/assets", "/ingest", "/live", "/_dash", "/healthz", "/readyz", "/metrics")
INDEX = """<!DOCTYPE html>
<html lang="__LANG__">
<head>{%metas%}<meta name="viewport" content="width=device-width, initial-scale=1"><title>{%title%}</title>{%favicon%}
<style>__TOKENS__</style>{%css%}</head>
<body>{%app_entry%}<footer>{%config%}{%scripts%}{%renderer%}</footer></body>
</html>"""


def make_app(config: Config, store: Store, *, now: Callable[[], datetime]) -> Dash:
    """The whole application over one city and its store; `app.server` is the ASGI application."""
    server = FastAPI(title=t("app.name", config.language), openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app = Dash(
        "app", server=server, use_pages=True, pages_folder=str(ROOT / "pages"), assets_folder=str(ROOT / "assets"),
        compress=True, serve_locally=True, suppress_callback_exceptions=True, update_title="",
        title=t("app.name", config.language), enable_mcp=False,
        index_string=INDEX.replace("__LANG__", config.language).replace("__TOKENS__", theme.css()),
    )
    context = AppContext(config, store, now, scope_reader(config, store, now))
    app.layout = html.Div(dash.page_container, className="app")
    for found in pkgutil.iter_modules(callbacks.__path__):
        importlib.import_module(f"callbacks.{found.name}").register(app, context)
    mount(server, context)
    _serve_pages(app, server)
    return app


def _serve_pages(app: Dash, server: FastAPI) -> None:
    """Answer every page address with Dash's index, unknown ones with 404; comes last, so that all other routes win.

    Dash would do it itself on start-up, with 200 for anything and for the app made last in this process.
    """
    async def page(request: Request) -> Response:
        path = request.url.path
        token = set_current_request(request)
        try:
            await _ready(app)
            found = _is_page(app, path)
            if not found and path.startswith(NOT_PAGES):
                return Response(status_code=404)
            return Response(app.index(), 200 if found else 404, _headers(app), media_type="text/html")
        finally:
            reset_current_request(token)

    server.router.routes[:] = [route for route in server.router.routes if getattr(route, "path", "") != "/"]
    server.add_api_route("/{path:path}", page, methods=["GET", "HEAD"], include_in_schema=False)


async def _ready(app: Dash) -> None:
    """What Dash does before its first own request: read assets, wire the pages' router. The index needs both."""
    for hook in app.backend._before_request_funcs:
        if inspect.iscoroutinefunction(hook):
            await hook()
        else:
            hook()


def _is_page(app: Dash, path: str) -> bool:
    """Is there a page at this address?"""
    wanted = path.strip("/").split("/")
    for row in dash.page_registry.values():
        pattern = (row.get("path_template") or row["path"]).strip("/").split("/")
        if len(pattern) == len(wanted) and all(p == w or p.startswith("<") for p, w in zip(pattern, wanted, strict=True)):
            return True
    return False


def _headers(app: Dash) -> dict[str, str]:
    """No outside script, style, frame or picture; the inline scripts Dash itself writes are named by hash."""
    scripts = " ".join(("'self'", *app.csp_hashes()))
    return {
        "Content-Security-Policy": (
            f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
            "worker-src 'self' blob:; connect-src 'self' ws: wss:; font-src 'self' data:; object-src 'none'; base-uri 'self'; "
            "frame-ancestors 'none'"
        ),
        "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
    }


if __name__ == "__main__":
    importlib.import_module("cli").cli(["run"])
