"""The gate every request passes, outermost: who may ask for which address, from where, how much and how often.

Deny by default: what no row names is refused. One lookup of rights per request, none for assets; every answer leaves with
the security headers of api/headers.py, whatever went wrong inside.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Asgi

from api.errors import ApiError, error_of
from api.headers import Policy, secured
from api.limits import GATE_BOUNDS, GateLimits, RateLimiter, read_again, read_in_time, read_whole
from api.observed import ROW
from api.origin import SAFE, bad_disguise, bad_host, bad_origin, foreign_reader, peer_of
from api.refusals import refusal, sign_in_first
from api.routes import FORMS, ROOMS, ROUTES
from api.streams import RIGHTS, require_whole
from api.tables import TABLE_FORMATS
from auth import NotSignedIn
from auth.addresses import FORWARDED, place_of
from components.context import AppContext
from scope import Forbidden, Scope

log = logging.getLogger("api.gate")
# who may pass, beside the names of permissions
ANYONE, OWN_KEY, SIGNED_IN = "", "own key", "signed in"
ReadRights = Callable[[Request | None], Scope]
_PROXY_HEADERS = tuple(name.encode() for name in FORWARDED)  # as a server hands them on


@dataclass(frozen=True)
class Row:
    """Addresses of one kind. `path`: as routers write it; a last * stands for anything.

    kind: page (may redirect to sign-in), data, asset (no lookup, may be kept), stream (read by our own pages only);
    `whole` = only for rights over the whole province.
    """

    path: str
    who: str
    kind: str = "data"
    body_bytes: int = 0
    whole: bool = False

    def pattern(self) -> re.Pattern[str]:
        """What the path means; an item's id may hold anything but a slash, a {key:path} that too."""
        text = re.escape(self.path).replace(r"\{key:path\}", ".+").replace(r"\*", ".*")
        return re.compile(re.sub(r"(<\w+>|\\{\w+\\})", "[^/]+", text), re.DOTALL)


def own_rows(limits: GateLimits) -> tuple[Row, ...]:
    """Addresses that are neither pages nor rows of the API: the program's files, Dash's own."""
    return (
        Row("/assets/*", ANYONE, "asset"),
        Row("/_dash-component-suites/*", ANYONE, "asset"),
        Row("/_favicon.ico", ANYONE, "asset"),
        Row("/_dash-layout", SIGNED_IN),
        Row("/_dash-dependencies", SIGNED_IN),
        # each callback asks its own permission
        Row("/_dash-update-component", SIGNED_IN, body_bytes=limits.callback_bytes),
        Row("/_reload-hash", SIGNED_IN),
    )


def api_rows(limits: GateLimits) -> tuple[Row, ...]:
    """The rows of api.routes.ROUTES, and what lies beside them in their rooms, which answers 404 or 405."""
    rows = []
    for route in ROUTES:
        is_push, is_stream = route.path.startswith("/ingest/"), route.path.startswith("/live/")
        is_form = route.handler in FORMS  # shown by one route and sent to another: one address, one row
        row = Row(
            route.path, route.permission or (OWN_KEY if is_push else ANYONE),
            "page" if is_form else "stream" if is_stream else "data", limits.form_bytes if is_form else 0,
            whole=route.path == "/live/wall",
        )
        rows += [replace(row, path=f"{route.path}.{suffix}") for suffix in TABLE_FORMATS if route.has_tables] + [row]
    return (*dict.fromkeys(rows), *(Row(f"{room}/*", OWN_KEY if room == "/ingest" else SIGNED_IN) for room in ROOMS))


def page_rows(registry: Mapping[str, Mapping[str, Any]]) -> tuple[Row, ...]:
    """The rows of Dash's page registry. Raises ValueError for a page without a permission."""
    rows = []
    for name, page in registry.items():
        path = str(page.get("path_template") or page["path"])
        if not page.get("permission"):
            raise ValueError(f"the page {name} ({path}) names no permission")
        rows.append(Row(path, str(page["permission"]), "page", whole=path.startswith("/wall")))
    return tuple(rows)


def once(read: ReadRights) -> ReadRights:
    """The same reader, asking at most once per request; what it raised is raised again."""

    def remembered(request: Request | None) -> Scope:
        if request is None:
            return read(None)
        known = request.scope.get(RIGHTS)
        if known is None:
            try:
                known = read(request)
            except Forbidden as no:
                known = no
            request.scope[RIGHTS] = known
        if isinstance(known, Forbidden):
            raise known
        found: Scope = known
        return found

    return remembered


class Gate:
    """ASGI middleware. `rows` in the order they are tried; `context.scope_of` should be a `once` reader."""

    def __init__(
        self, app: ASGIApp, context: AppContext, rows: Iterable[Row], policy: Policy, limits: GateLimits = GATE_BOUNDS
    ) -> None:
        self.app, self.context, self.policy, self.limits = app, context, policy, limits
        self.rows = [(row.pattern(), row) for row in rows]
        self._anonymous = RateLimiter(limits.anonymous, whose="without signing in, from this address")
        self._acting = RateLimiter(limits.acting, whose="of this caller")

    def row_of(self, path: str) -> Row | None:
        """The first row that names this path; None = refused."""
        return next((row for pattern, row in self.rows if pattern.fullmatch(path)), None)

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        """Pass on what may pass; answer the rest."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":  # nothing here speaks it, so nobody may
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._http(scope, receive, send)

    async def _http(self, scope: Asgi, receive: Receive, send: Send) -> None:
        request = Request(scope)
        row = self.row_of(page_path(scope)) or self.row_of(scope["path"])
        scope[ROW] = row.path if row else ""
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                kind = row.kind if row else "data"
                message = {**message, "headers": secured(
                    message.get("headers", ()), message["status"], self.policy, kind, scope["query_string"], scope["path"]
                )}
            await send(message)

        try:
            await self.app(scope, await self._let_in(request, row, receive), sending)
        except Exception as fault:
            if started:  # half an answer cannot be taken back; cutting it short says that it is not whole
                raise
            await self._refuse(request, row, fault, sending)

    async def _refuse(self, request: Request, row: Row | None, fault: Exception, send: Send) -> None:
        """The answer to a request that does not pass, or that failed inside."""
        as_page = row.kind == "page" if row else "text/html" in request.headers.get("accept", "")
        told = error_of(fault, f"{request.method[:10]} {row.path if row else 'an unknown address'}")
        if isinstance(fault, NotSignedIn) and as_page and request.method in ("GET", "HEAD"):
            answer = sign_in_first(fault.go_to, page_path(request.scope), request.url.query)
        else:
            lang = self.context.lang(request.query_params.get("lang"))
            answer = refusal(told, as_page=as_page, lang=lang, config=self.context.config)
        await answer(request.scope, _nothing, send)

    async def _let_in(self, request: Request, row: Row | None, receive: Receive) -> Receive:
        """The body of a request that may pass, else ApiError or Forbidden."""
        check_shape(request, self.limits)
        self._settle_peer(request)
        is_probe = row is not None and row.who == ANYONE and row.kind == "data"  # says nothing about the city
        if not is_probe and (fault := bad_host(request.headers.get("host", ""), self.context.config.web)):
            raise ApiError(421, "wrong_host", fault, field="host", remedy="ask for it by the address in [web] public_url")
        if row is None:
            self._anonymous.take(_address(request))
            raise ApiError(404, "not_found", "there is nothing at this address", field="path", remedy="see the documentation")
        if row.kind == "asset":
            return _without_body(request, receive)
        if row.who != OWN_KEY:
            check_origin(request, row)
            await self._check_rights(request, row)
        return await self._body(request, row, receive)

    def _settle_peer(self, request: Request) -> None:
        """Put the caller a trusted proxy speaks for in its place; nobody else may speak like a proxy."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        client = request.client.host if request.client else ""
        peer = peer_of(client, request.scope["scheme"], headers, self.context.config.web)
        if peer is None:
            raise ApiError(
                400, "forwarded", "the request was passed on by a proxy this server does not know", field="x-forwarded-for",
                remedy="name the proxy's address in [web] proxies of the city file",
            )
        request.scope["client"], request.scope["scheme"] = (peer.address, 0), peer.scheme
        request.scope["headers"] = [pair for pair in request.scope["headers"] if pair[0] not in _PROXY_HEADERS]

    async def _check_rights(self, request: Request, row: Row) -> None:
        """Raise unless the caller is one the row lets in; strangers and those who post are counted."""
        address = _address(request)
        if row.who == ANYONE:
            self._anonymous.take(address)
            return
        try:
            rights = await asyncio.to_thread(self.context.scope_of, request)
        except Forbidden:
            self._anonymous.take(address)
            raise
        if not rights.permissions:
            self._anonymous.take(address)
            raise NotSignedIn()
        if request.method not in SAFE:
            self._acting.take(f"{rights.actor} {address if rights.actor == 'demo' else ''}")
        if row.who != SIGNED_IN:
            rights.require(row.who)
        if row.whole:
            require_whole(rights)

    async def _body(self, request: Request, row: Row, receive: Receive) -> Receive:
        """What is let through of the body: for pushes a deadline (their size is theirs to check), else a small whole one."""
        if row.who == OWN_KEY:
            return read_in_time(receive, self.limits.push_s)
        if not row.body_bytes or request.method in SAFE:
            return _without_body(request, receive)
        wanted = "application/json" if row.kind == "data" else "application/x-www-form-urlencoded"
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != wanted:
            raise ApiError(415, "media_type", f"only {wanted} is read here", field="content-type", remedy=f"send {wanted}")
        body = await read_whole(receive, request.headers.get("content-length", ""), row.body_bytes, self.limits.body_s)
        return read_again(body, receive)


def check_shape(request: Request, limits: GateLimits) -> None:
    """Raise ApiError for a request line or headers beyond their bounds, or that pretend to be another request."""
    scope = request.scope
    pairs = scope["headers"]
    if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > limits.path_bytes:
        raise ApiError(414, "address_too_long", "the address is too long", field="path", remedy="ask for less at once")
    if len(pairs) > limits.headers or sum(len(name) + len(value) for name, value in pairs) > limits.header_bytes:
        raise ApiError(431, "headers_too_large", "the headers are too large", remedy="send fewer headers")
    if sum(name == b"host" for name, _ in pairs) != 1 or "\0" in scope["path"]:
        raise ApiError(400, "bad_request", "the request is malformed", remedy="send one Host and a plain address")
    if fault := bad_disguise(request.headers):
        raise ApiError(400, "disguise", fault, remedy="send the request you mean")


def check_origin(request: Request, row: Row) -> None:
    """Raise ApiError 403 unless our own page, or a program with a key, sent a request that changes or streams something."""
    has_key = request.headers.get("authorization", "").lower().startswith("bearer ")
    fault = bad_origin(request.method, request.headers, has_key=has_key)
    if not fault and row.kind == "stream" and foreign_reader(request.headers):
        fault = "another site's page wants to read this"
    if fault:
        raise ApiError(403, "origin", fault, field="origin", remedy="open the page of this server and try again", words="error.origin")


def _without_body(request: Request, receive: Receive) -> Receive:
    """For requests that have none. Raises ApiError 413 for one all the same."""
    length = request.headers.get("content-length", "0")
    if length != "0" or "transfer-encoding" in request.headers:
        raise ApiError(
            413, "no_body", "no body is read here", field="body", remedy="send none", headers={"Connection": "close"}
        )
    return receive


def page_path(scope: Asgi) -> str:
    """The path as it was written: an id in it may hold a quoted slash, which is no step of the path."""
    raw = scope.get("raw_path")
    return raw.decode("latin-1") if raw else str(scope["path"])


def _address(request: Request) -> str:
    """What requests are counted by: an address, or the network one IPv6 host has."""
    return place_of(request.client.host if request.client else "")


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
