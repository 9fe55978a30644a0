"""Every address of the API in one table, each with the permission it needs; and `mount`, which hangs them into a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from api import answers, one_stop
from api import parameters as known
from api.briefs import answer_briefs, answer_draft, answer_issued
from api.build import build_id
from api.definitions import answer_catalogue
from api.errors import ApiError, dump, error_answer, error_of, store_away
from api.exports import Exports
from api.indicators import PARAMETERS as INDICATOR_FILTERS
from api.indicators import answer_indicators
from api.ingest import Door
from api.limits import BOUNDS, Limits
from api.live import EASY, FrameBuilder, Hub, Pace
from api.noted import ANNOTATION_FILTERS, FOLLOWUP_FILTERS, answer_annotations, answer_followups
from api.observed import Observed, TimedRequests
from api.parameters import Parameter
from api.row_routes import LISTED as _LISTED
from api.row_routes import ROW_ROUTES
from api.showing import PAPER_TYPES, Route, show
from api.sign_in import DONE, SHOWN, Forms
from api.signals import answer_signals
from api.tables import TABLE_FORMATS
from api.unusual import HOURS, KEY, OFFICE, RULE, answer_explain, answer_gaming
from api.weekly import answer_tables, answer_weekly
from components.context import AppContext
from store.migrate import current_revision

# says nothing about the city, or checks a feed key itself
ANYONE = ""

_FIGURES = (known.PERIOD, known.AGENCY, known.AREA, known.DOMAIN, known.CATEGORY, known.LATE_RULE)
_OF_DOSSIERS = (known.AGENCY, known.AREA, known.DOMAIN, known.LATE_RULE)
_BY = Parameter("by", "grouping", ("day", "week", "month", "agency", "area", "domain", "category"))

ROUTES: tuple[Route, ...] = (
    Route("/healthz", ANYONE, "200 while the process answers", handler="healthz"),
    Route("/readyz", ANYONE, "200 when the store answers and is migrated, else 503", handler="readyz"),
    Route("/metrics", "see.feeds", "Prometheus text", handler="metrics"),
    Route("/api/openapi.json", "api.read", "this document", handler="openapi"),
    Route(
        "/api/v1/kpis",
        "see.desk",
        "KPI values over a period",
        answers.answer_kpis,
        has_tables=True,
        parameters=(Parameter("keys", "KPI keys, separated by commas; default all"), *_FIGURES, known.COMPARE),
    ),
    Route(
        "/api/v1/series",
        "see.desk",
        "one KPI along time or across groups",
        answers.answer_series,
        has_tables=True,
        parameters=(Parameter("key", "KPI key"), _BY, *_FIGURES),
    ),
    Route(
        "/api/v1/catalogue",
        "see.desk",
        "every KPI's definition, targets, owner and lineage",
        answer_catalogue,
        has_tables=True,
        parameters=known.CATALOGUE_FILTERS,
    ),
    Route(
        "/api/v1/signals",
        "see.desk",
        "signal or noise of KPIs in the newest full week, with control limits and baseline",
        answer_signals,
        parameters=(Parameter("keys", "KPI keys, separated by commas; default all that have weeks"), *_FIGURES),
    ),
    Route(
        "/api/v1/gaming",
        "see.dossiers",
        "signs worth a second look in how things are ended, beside what chance explains; with office the rows behind one",
        answer_gaming,
        has_tables=True,
        parameters=(known.PERIOD, known.AGENCY, RULE, OFFICE, known.HEADERS),
    ),
    Route(
        "/api/v1/explain",
        "see.desk",
        "what was unlike earlier weeks at a place and time, most unusual first; at the same time, never a cause",
        answer_explain,
        has_tables=True,
        parameters=(KEY, known.PERIOD, HOURS, known.AGENCY, known.AREA, known.HEADERS),
    ),
    Route(
        "/api/v1/weekly",
        "see.desk",
        "the leaders' week: sentences with their figures, tables, signals, feeds left out",
        answer_weekly,
        parameters=(known.PERIOD,),
    ),
    Route(
        "/api/v1/weekly/tables",
        "see.desk",
        "the tables of the leaders' week, or one of them",
        answer_tables,
        has_tables=True,
        parameters=(known.PERIOD, Parameter("key", "table key; default all, as a file then a cell a line"), known.HEADERS),
    ),
    *(
        Route(f"/api/v1/weekly.{form}", "export", f"a draft of the brief of a week as {form}", answer_draft, parameters=(known.PERIOD,),
              is_tagged=False, form=form)
        for form in PAPER_TYPES
    ),
    Route(
        "/api/v1/followups", "see.desk", "what was promised in weekly meetings, with its history", answer_followups,
        has_tables=True, parameters=FOLLOWUP_FILTERS,
    ),
    Route(
        "/api/v1/annotations", "see.desk", "what people said about figures", answer_annotations,
        has_tables=True, parameters=ANNOTATION_FILTERS,
    ),
    Route(
        "/api/v1/briefs",
        "see.desk",
        "issued briefs, newest first",
        answer_briefs,
        has_tables=True,
        parameters=(Parameter("week", "a week, e.g. 2026-W46"), known.HEADERS),
    ),
    *(
        Route(f"/api/v1/briefs/{{key}}.{form}", "export", f"a brief as it was issued, {form}", answer_issued, is_tagged=False, form=form)
        for form in PAPER_TYPES
    ),
    Route(
        "/api/v1/score",
        "see.desk",
        "the score of Decision 766: every indicator with its rate and points",
        one_stop.answer_score,
        has_tables=True,
        parameters=(known.PERIOD, known.AGENCY),
    ),
    Route(
        "/api/v1/form-06a",
        "see.desk",
        "form II.06a by domain or agency, with totals",
        one_stop.answer_form,
        has_tables=True,
        parameters=(known.PERIOD, Parameter("by", "grouping", ("domain", "agency")), *_OF_DOSSIERS),
    ),
    *ROW_ROUTES,
    Route(
        "/api/v1/indicators",
        "see.desk",
        "indices, plans and other figures that arrive finished",
        answer_indicators,
        has_tables=True,
        parameters=INDICATOR_FILTERS,
    ),
    Route(
        "/api/v1/feeds",
        "see.feeds",
        "feeds with state and age",
        answers.answer_feeds,
        has_tables=True,
        parameters=(known.HEADERS,),
    ),
    Route(
        "/api/v1/audit",
        "see.audit",
        "the audit trail, newest first",
        answers.answer_audit,
        has_tables=True,
        is_watched=True,
        is_tagged=False,
        parameters=(*known.AUDIT_FILTERS, *_LISTED),
    ),
    Route("/live/wall", "see.wall", "server-sent events: the wall's frames", handler="wall"),
    Route("/live/ticks", "see.desk", "server-sent events: revisions of topics", handler="ticks"),
    Route("/ingest/{feed}", ANYONE, "push into a feed, with a feed key or a portal session", handler="push", method="POST"),
    Route("/ingest/{feed}/login", ANYONE, "the portal format's login", handler="login", method="POST"),
    # these ask themselves who is there: they are for those who are not, or not quite, signed in
    Route("/sign-in", ANYONE, "the sign-in form", handler="show_sign_in"),
    Route("/sign-in", ANYONE, "sign in", handler="do_sign_in", method="POST"),
    Route("/sign-out", ANYONE, "the sign-out button", handler="show_sign_out"),
    Route("/sign-out", ANYONE, "sign out", handler="do_sign_out", method="POST"),
    Route("/first-run", ANYONE, "the first administrator's form, while there are no users", handler="show_first_run"),
    Route("/first-run", ANYONE, "make the first administrator", handler="do_first_run", method="POST"),
    Route("/account", ANYONE, "one's own account", handler="show_account"),
    Route("/account", ANYONE, "change one's password, end one's sessions", handler="do_account", method="POST"),
)
ROOMS = ("/api", "/ingest", "/live")
FORMS = (*SHOWN, *DONE)


class Api:
    """The API of one application: its door, hub and counters, and how a request becomes an answer."""

    def __init__(self, context: AppContext, build_frame: FrameBuilder, limits: Limits, pace: Pace) -> None:
        self.context = context
        self.observed = Observed(context.store, context.config, context.now)
        self.build = build_id(context)
        self.door = Door(context, self.observed, limits)
        self.hub = Hub(context, self.observed, build_frame, self.build, pace)
        self.forms = Forms(context)
        self.server: FastAPI | None = None
        self.exports = Exports()

    def endpoint(self, route: Route, suffix: str = "") -> Callable[[Request], Awaitable[Response]]:
        """The ASGI endpoint of a row: rights first, then the answer; every fault becomes JSON."""

        async def serve(request: Request) -> Response:
            try:
                if route.permission == ANYONE:
                    return await self._own(route, request)
                scope = self.context.scope_of(request)
                scope.require(route.permission)
                if route.handler:
                    return await self._own(route, request)
                return await asyncio.to_thread(show, self.context, self.build, route, request, scope, suffix)
            except Exception as fault:  # nothing may leave as a stack trace
                if route.handler in FORMS:  # people read these: the gate says it as a page
                    raise
                return error_answer(error_of(fault, f"{request.method} {route.path}"))

        serve.__name__ = (route.path.strip("/").replace("/", "_").replace("{", "").replace("}", "") or "root") + suffix
        return serve

    async def _own(self, route: Route, request: Request) -> Response:
        if route.handler in FORMS:
            return await self.forms.answer(route.handler, request)
        if route.handler in ("push", "login"):
            answer: Response = await getattr(self.door, route.handler)(request)
            return answer
        if route.handler in ("wall", "ticks"):
            if request.method == "HEAD":  # may I have it? A stream's refusal is not told to scripts
                return Response(status_code=204, headers={"Cache-Control": "no-store"})
            lang = self.context.lang(request.query_params.get("lang"))
            stream: Response = getattr(self.hub, route.handler)(request, lang)
            return stream
        found: Response = await asyncio.to_thread(getattr(self, route.handler), request)
        return found

    # ---- the process ------------------------------------------------------------------------------------------------
    def healthz(self, request: Request) -> Response:
        """The process answers."""
        return Response(
            dump({"status": "ok", "build": self.build}), media_type="application/json", headers={"Cache-Control": "no-store"}
        )

    def readyz(self, request: Request) -> Response:
        """The store answers and is migrated."""
        with self.context.store.reading() as connection:
            revision = current_revision(connection)
        if revision is None:
            away = store_away()
            raise ApiError(
                503,
                "not_migrated",
                "the database is empty: it has not been migrated",
                remedy="cli.py upgrade",
                headers=away.headers,
            )
        return Response(
            dump({"status": "ready", "schema": revision}), media_type="application/json", headers={"Cache-Control": "no-store"}
        )

    def metrics(self, request: Request) -> Response:
        """Prometheus text."""
        return Response(self.observed.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def exported(self, request: Request) -> Response:
        """How far a file of this caller's is."""
        told = self.exports.told(self.context.scope_of(request).actor, request.path_params["key"])
        return Response(dump(told), media_type="application/json", headers={"Cache-Control": "no-store"})

    def openapi(self, request: Request) -> Response:
        """FastAPI's own document."""
        assert self.server is not None
        return Response(dump(self.server.openapi()), media_type="application/json")

    def lost(self, request: Request) -> Response:
        """An address of ours that does not exist, or exists for another method."""
        names = {route.path: route.method for route in ROUTES}
        wanted = names.get(request.url.path)
        if wanted and request.method not in (wanted, "HEAD"):
            return error_answer(
                ApiError(
                    405, "method", f"{request.method} is not answered here", remedy=f"use {wanted}", headers={"Allow": wanted}
                )
            )
        near = ", ".join(route.path for route in ROUTES if route.path.startswith(ROOMS))
        return error_answer(
            ApiError(404, "not_found", "there is nothing at this address", field="path", remedy=f"there are: {near}")
        )


def mount(
    server: FastAPI,
    context: AppContext,
    *,
    build_frame: FrameBuilder | None = None,
    limits: Limits = BOUNDS,
    pace: Pace = EASY,
) -> Api:
    """Hang every row of ROUTES into the server; the Api (its hub and counters) is returned and kept as server.state.api."""
    api = Api(context, build_frame or _scenes(), limits, pace)
    api.server = server
    server.router.routes[:] = [row for row in server.router.routes if getattr(row, "path", "") != "/api/openapi.json"]
    for route in ROUTES:
        _add(server, api, route)
    for room in ROOMS:
        server.add_api_route(
            f"{room}/{{rest:path}}",
            _in_thread(api.lost),
            include_in_schema=False,
            methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"],
        )
    server.add_middleware(TimedRequests, observed=api.observed)
    server.state.api = api
    return api


def _scenes() -> FrameBuilder:
    from components.scenes import build_frame  # needs the whole of plotly; tests of the API alone bring their own

    return build_frame


def _in_thread(work: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        return work(request)

    return serve


def _add(server: FastAPI, api: Api, route: Route) -> None:
    methods = [route.method] + (["HEAD"] if route.method == "GET" else [])
    if route.has_tables:
        for suffix in TABLE_FORMATS:  # before the plain address, whose last part might swallow them
            server.add_api_route(f"{route.path}.{suffix}", api.endpoint(route, suffix), methods=methods, include_in_schema=False)
    server.add_api_route(
        route.path,
        api.endpoint(route),
        methods=methods[:1],
        summary=route.about,
        name=route.path,
        response_class=Response,
        include_in_schema=route.handler not in FORMS,
        openapi_extra={"parameters": [_described(row) for row in (*route.parameters, known.LANG)]} if route.answer else None,
    )
    if len(methods) > 1:
        server.add_api_route(route.path, api.endpoint(route), methods=methods[1:], include_in_schema=False)


def _described(row: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if row.one_of:
        schema["enum"] = list(row.one_of)
    return {"name": row.name, "in": "query", "required": False, "description": row.about, "schema": schema}
