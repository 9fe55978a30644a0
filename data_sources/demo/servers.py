"""One web application with the demo's three sources: feedback (Open311), sensors (SensorThings), areas (GeoJSON)."""

from __future__ import annotations

from datetime import date

from fastapi import FastAPI, Response

from data_sources.demo.geography import areas_geojson, geography
from data_sources.demo.open311 import Clock, Refused, json_answer, open311_router
from data_sources.demo.places import REFORM_ON
from data_sources.demo.sensorthings import sensorthings_router
from data_sources.demo.story import Story


def make_upstream(story: Story, clock: Clock) -> FastAPI:
    """The upstream application; nothing later than `clock()` is ever shown.

    /open311/..., /sta/v1.1/..., /areas.geojson (?at=yyyy-mm-dd: before 2025-07-01 the old communes; ?level=province),
    /context.geojson (background layer).
    """
    app = FastAPI(title="Demo upstream", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(open311_router(story, clock))
    app.include_router(sensorthings_router(story, clock))

    @app.get("/areas.geojson")
    def areas(at: str = "", level: str = "commune") -> Response:
        try:
            return json_answer(_areas(at, level))
        except Refused as fault:
            return json_answer({"error": fault.description}, fault.status)

    @app.get("/context.geojson")
    def context() -> Response:
        return json_answer(geography().context)

    return app


def _areas(at: str, level: str) -> dict[str, object]:
    try:
        is_old = bool(at) and date.fromisoformat(at) < date.fromisoformat(REFORM_ON)
    except ValueError as error:
        raise Refused(400, "at must be yyyy-mm-dd") from error
    if level == "province":
        return areas_geojson([geography().province])
    if level != "commune":
        raise Refused(400, "level must be province or commune")
    return areas_geojson(geography().old_communes if is_old else geography().communes)
