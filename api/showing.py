"""A row of the API's table of addresses, and how an answer about the city is given: after the audit trail tells of it.

Exports are kept with filter, form, rows and revision; records and citizens' words as the questions note them in City.sights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from api import parameters as known
from api.answers import Ask, Json
from api.errors import RETRY_AFTER_S, ApiError, dump
from api.parameters import Asked, Parameter, language_of
from api.tables import MEDIA_TYPES, Table, format_of, write_table
from components.audited import NotRecorded
from components.context import AppContext
from metrics.city import City
from metrics.city.sights import Sight, told_filter
from scope import Scope

PAPER_TYPES = {"pdf": "application/pdf", "xlsx": MEDIA_TYPES["xlsx"]}


@dataclass(frozen=True)
class File:
    """A file that is whole already. kind and subject name it in the audit trail."""

    name: str
    body: bytes
    kind: str
    subject: str


@dataclass(frozen=True)
class Route:
    """One address. `answer` reads the city (in a thread); `handler` names a method of the application's Api instead.

    Beside the row's own permission JSON takes api.read; `has_tables` = also as .csv, .xlsx, .parquet, which take export instead: who
    reads a list on a screen and may export takes its file along. `is_watched` = shows what the audit trail
    tells of, so the city is asked even for an unchanged answer. `is_tagged` = unchanged while the city's revision and clock are.
    `form` = it is always a File of this form (pdf, xlsx), which takes export.
    """

    path: str
    permission: str
    about: str
    answer: Callable[[Ask], Json | Table | File] | None = None
    handler: str = ""
    method: str = "GET"
    parameters: tuple[Parameter, ...] = ()
    has_tables: bool = False
    is_watched: bool = False
    is_tagged: bool = True
    form: str = ""


def show(context: AppContext, build: str, route: Route, request: Request, scope: Scope, suffix: str) -> Response:
    """One answer of the city: the ETag first, so that an unchanged one costs two small reads. Raises ApiError, Forbidden."""
    assert route.answer is not None
    asked = Asked(request.query_params.multi_items(), (*route.parameters, known.LANG, known.PROGRESS))
    lang = language_of(asked.text("lang"), request.headers.get("accept-language", ""), context.config.language)
    form = route.form or (format_of(suffix, request.headers.get("accept", "")) if route.has_tables else "json")
    scope.require("api.read" if form == "json" else "export")
    city = context.city(scope)
    headers = _headers(city, lang, _etag(build, city, scope, request, lang, form) if route.is_tagged else "")
    is_same = "ETag" in headers and headers["ETag"] in request.headers.get("if-none-match", "")
    if is_same and form != "json":
        city.sights.append(_export(route, asked, form, city, None))
    if not is_same or (route.is_watched and form == "json"):
        said = route.answer(Ask(city, asked, lang, form, request.path_params.get("key", "")))
        if isinstance(said, Table):
            return _file(context, route, request, asked, said, form, city, headers)
        if isinstance(said, File):
            return _paper(context, request, asked, said, form, city, headers)
    _keep(context, city, request)
    return Response(status_code=304, headers=headers) if is_same else Response(dump(said), 200, headers, MEDIA_TYPES["json"])


def _headers(city: City, lang: str, tag: str) -> dict[str, str]:
    return {
        **({"ETag": tag} if tag else {}),
        "X-Revision": str(city.revision),
        "Vary": "Accept, Accept-Language",
        "Cache-Control": "private, no-cache" if tag else "no-store",
        "Content-Language": lang,
        "X-Content-Type-Options": "nosniff",
    }


def _etag(build: str, city: City, scope: Scope, request: Request, lang: str, form: str) -> str:
    """Same address, rights, language, form, revision and clock: same answer."""
    rights = (sorted(scope.permissions), scope.agencies, scope.areas, sorted(scope.field_classes))
    parts = (build, str(request.url.query), request.url.path, lang, form, city.revision, city.as_of, rights)
    return f'W/"{city.revision}-{hashlib.blake2b(repr(parts).encode(), digest_size=9).hexdigest()}"'


def _file(
    context: AppContext, route: Route, request: Request, asked: Asked, table: Table, form: str, city: City, headers: dict[str, str]
) -> Response:
    """The whole file is written, then the trail tells of it with its rows, then it leaves."""
    count, exports, progress = [0], request.app.state.api.exports, (city.scope.actor, asked.text("progress"))

    def counted() -> Iterator[Sequence[Sequence[Any]]]:
        for chunk in table.rows():
            count[0] += len(chunk)
            exports.note(*progress, count[0])
            yield chunk

    path = write_table(replace(table, rows=counted), form, city.store.days.tz)
    exports.end(*progress)
    try:
        city.sights.append(_export(route, asked, form, city, count[0]))
        _keep(context, city, request)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    name = f"{table.name.replace(' ', '_')}-r{city.revision}.{form}"
    media = MEDIA_TYPES[form] + ("; charset=utf-8" if form == "csv" else "")
    own_tag = {"etag": headers["ETag"]} if "ETag" in headers else {}  # FileResponse would make one of the temporary file
    return FileResponse(
        path,
        headers={**headers, **own_tag},
        media_type=media,
        filename=name,
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


def _paper(
    context: AppContext, request: Request, asked: Asked, said: File, form: str, city: City, headers: dict[str, str]
) -> Response:
    told = {"form": form, "revision": city.revision, "filter": told_filter(asked.values, found=True)}
    city.sights.append(Sight("export", said.kind, said.subject, told))
    _keep(context, city, request)
    named = {"Content-Disposition": f'attachment; filename="{said.name}.{form}"'}
    return Response(said.body, 200, {**headers, **named}, PAPER_TYPES[form])


def _export(route: Route, asked: Asked, form: str, city: City, rows: int | None) -> Sight:
    """rows None = the caller had this file already and was told that it is unchanged."""
    told: dict[str, Any] = {"form": form, "revision": city.revision, "filter": told_filter(asked.values, found=rows != 0)}
    return Sight("export", route.path.rsplit("/", 1)[-1], "", {**told, **({"unchanged": True} if rows is None else {"rows": rows})})


def _keep(context: AppContext, city: City, request: Request) -> None:
    try:
        context.keep(city.sights, city.scope, request)
    except NotRecorded as fault:
        raise ApiError(
            503,
            "not_recorded",
            "the audit trail cannot be written at the moment, so nothing is shown",
            remedy="send the same request again after the time in Retry-After, or tell the operators",
            headers={"Retry-After": str(RETRY_AFTER_S)},
        ) from fault
