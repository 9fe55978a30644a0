"""The demo's citizen feedback server: Open311 GeoReport v2, JSON only, with the usual paging and updated_after extensions.

Source: https://wiki.open311.org/GeoReport_v2 (spans of at most 90 days; errors as an array of code and description).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson
from fastapi import APIRouter, Request, Response

from data_sources.demo import reports
from data_sources.demo.episodes import is_out
from data_sources.demo.story import Story, local_seconds

Clock = Callable[[], datetime]
MAX_SPAN = timedelta(days=90)
MAX_PAGE = 1000
DEFAULT_PAGE = 100


class Refused(Exception):
    """A request the server answers with an error: status code and text."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status, self.description = status, description


def json_answer(content: Any, status: int = 200) -> Response:
    """JSON bytes."""
    return Response(orjson.dumps(content), status, media_type="application/json")


def open311_router(story: Story, clock: Clock) -> APIRouter:
    """GET discovery.json, services.json, services/{code}.json, requests.json, requests/{ids}.json under /open311."""
    router = APIRouter(prefix="/open311")

    def answered(make: Callable[[], Any]) -> Response:
        if is_out(clock().timestamp() / 3600, story.birth_hour):
            return json_answer([{"code": 503, "description": "service under maintenance"}], 503)
        try:
            return json_answer(make())
        except Refused as fault:
            return json_answer([{"code": fault.status, "description": fault.description}], fault.status)

    @router.get("/discovery.json")
    def discovery(request: Request) -> Response:
        return json_answer(_discovery(str(request.base_url).rstrip("/")))

    @router.get("/services.json")
    def services() -> Response:
        return answered(lambda: [_service(c) for c in story.catalogue.categories])

    @router.get("/services/{code}.json")
    def service(code: str) -> Response:
        return answered(lambda: _definition(story, code))

    @router.get("/requests.json")
    def requests(request: Request) -> Response:
        return answered(lambda: _requests(story, clock(), dict(request.query_params)))

    @router.get("/requests/{ids}.json")
    def some(ids: str, request: Request) -> Response:
        return answered(lambda: _requests(story, clock(), {**request.query_params, "service_request_id": ids}))

    return router


def _discovery(base: str) -> dict[str, Any]:
    endpoint = {
        "specification": "http://wiki.open311.org/GeoReport_v2", "url": f"{base}/open311", "type": "production",
        "changeset": "2025-07-01T00:00:00+07:00", "formats": ["application/json"],
    }
    return {"changeset": "2025-07-01T00:00:00+07:00", "key_service": "", "contact": "Dữ liệu mô phỏng", "endpoints": [endpoint]}


def _service(category: Any) -> dict[str, Any]:
    return {
        "service_code": category.code, "service_name": category.name, "description": "; ".join(category.texts), "metadata": False,
        "type": "realtime", "keywords": "", "group": category.group,
    }


def _definition(story: Story, code: str) -> dict[str, Any]:
    if code not in {c.code for c in story.catalogue.categories}:
        raise Refused(404, f"service_code {code} was not found")
    return {"service_code": code, "attributes": []}


def _requests(story: Story, now: datetime, params: dict[str, str]) -> list[dict[str, Any]]:
    until = local_seconds(now)
    found = story.reports_until(until)
    rows = np.flatnonzero(_matches(story, found, until, now, params))
    size = min(_positive(params, "page_size", DEFAULT_PAGE), MAX_PAGE)
    first = (_positive(params, "page", 1) - 1) * size
    chosen = found.take(rows[first:first + size])
    extensions = params.get("extensions", "").lower() in ("true", "1")
    answer = reports.report_objects(chosen, until, story.catalogue, extensions=extensions)
    if "service_request_id" in params and not answer:
        raise Refused(404, "service_request_id was not found")
    return answer


def _matches(story: Story, found: reports.Reports, until: int, now: datetime, params: dict[str, str]) -> Any:
    if "service_request_id" in params:      # overrides all other arguments
        wanted = set(params["service_request_id"].split(","))
        ids = [reports.report_id(d, s) for d, s in zip(found.day.tolist(), found.sequence.tolist(), strict=True)]
        return np.array([key in wanted for key in ids], bool)
    mask = _in_span(found, now, params)
    updated = reports.updated_at(found, until)
    if "updated_after" in params:
        mask &= updated > local_seconds(_instant(params, "updated_after"))
    if "updated_before" in params:
        mask &= updated <= local_seconds(_instant(params, "updated_before"))
    if "status" in params:
        mask &= _has_status(found, until, params["status"].split(","))
    if "service_code" in params:
        codes = [c.code for c in story.catalogue.categories]
        mask &= np.isin(found.category, [codes.index(c) for c in params["service_code"].split(",") if c in codes])
    return mask


def _has_status(found: reports.Reports, until: int, wanted: list[str]) -> Any:
    if unknown := set(wanted) - {"open", "closed"}:
        raise Refused(400, f"status {', '.join(sorted(unknown))} is not open or closed")
    closed = np.isin(reports.stages(found, until), (3, 4))
    return (closed & ("closed" in wanted)) | (~closed & ("open" in wanted))


def _in_span(found: reports.Reports, now: datetime, params: dict[str, str]) -> Any:
    """Sent within start_date..end_date; without either, the last 90 days, unless changes are asked for."""
    if not {"start_date", "end_date"} & params.keys():
        if {"updated_after", "updated_before"} & params.keys():
            return np.ones(len(found), bool)
        return found.sent > local_seconds(now - MAX_SPAN)
    end = _instant(params, "end_date") if "end_date" in params else now
    start = _instant(params, "start_date") if "start_date" in params else end - MAX_SPAN
    if end < start:
        raise Refused(400, "end_date lies before start_date")
    if end - start > MAX_SPAN:
        raise Refused(400, "the span between start_date and end_date must be 90 days or less")
    return (found.sent >= local_seconds(start)) & (found.sent <= local_seconds(end))


def _instant(params: dict[str, str], name: str) -> datetime:
    """W3C time; a '+' that arrived as a space is mended, as many servers must."""
    try:
        at = datetime.fromisoformat(params[name].replace(" ", "+"))
    except ValueError as error:
        raise Refused(400, f"{name} is no W3C time with zone, e.g. 2026-11-20T00:00:00+07:00") from error
    if at.tzinfo is None:
        raise Refused(400, f"{name} lacks a zone, e.g. 2026-11-20T00:00:00+07:00")
    return at


def _positive(params: dict[str, str], name: str, default: int) -> int:
    text = params.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise Refused(400, f"{name} must be a whole number from 1")
    return int(text)
