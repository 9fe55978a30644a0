"""The addresses of lists of rows: dossiers, reports, readings, stations; each with the filter of its page and files of the same rows."""

from __future__ import annotations

from api import alike, answers, bottlenecks, explore, places, risk
from api import parameters as known
from api.parameters import Parameter
from api.showing import Route

LISTED = (*known.PAGING, known.HEADERS)
_READING_FILTERS = (
    known.PERIOD,
    Parameter("station", "station id"),
    Parameter("property", "property key, e.g. pm25"),
    known.AREA,
    known.FEED,
)
_STATIONS = (*known.STATION_FILTERS, known.STATION_SORT, known.HEADERS)
_REPORTS = (*known.REPORT_FILTERS, known.REPORT_SORT, *LISTED)

ROW_ROUTES: tuple[Route, ...] = (
    Route(
        "/api/v1/dossiers",
        "see.dossiers",
        "dossiers of a filter",
        answers.answer_dossiers,
        has_tables=True,
        parameters=(*known.DOSSIER_FILTERS, known.DOSSIER_SORT, *LISTED),
    ),
    Route(
        "/api/v1/bottlenecks", "see.dossiers", "where the time of procedures goes: per step, in work and in waiting, in loops",
        bottlenecks.answer_bottlenecks, has_tables=True, parameters=bottlenecks.FILTERS,
    ),
    Route(
        "/api/v1/at-risk", "see.dossiers", "open dossiers by the chance that they miss their due date, and how that is judged",
        risk.answer_at_risk, has_tables=True, parameters=(*risk.FILTERS, *LISTED),
    ),
    Route(
        "/api/v1/dossiers/{key:path}",
        "see.dossiers",
        "one dossier with steps, stops and versions",
        answers.answer_dossier,
        is_watched=True,
        parameters=(known.FEED, known.LATE_RULE),
    ),
    # points with what the lists tell of them
    Route("/api/v1/reports.geojson", "see.reports", "citizen reports of a filter as points", answers.answer_reports, parameters=_REPORTS,
          form="geojson"),
    Route("/api/v1/stations.geojson", "see.stations", "stations of a filter as points", answers.answer_stations, parameters=_STATIONS,
          form="geojson"),
    Route("/api/v1/exports/{key}", "export", "how many rows of a file being written are in it", handler="exported"),
    Route(
        "/api/v1/reports",
        "see.reports",
        "citizen reports of a filter",
        answers.answer_reports,
        has_tables=True,
        is_watched=True,
        parameters=_REPORTS,
    ),
    *alike.ROUTES,
    *places.ROUTES,
    *explore.ROUTES,
    Route(
        "/api/v1/reports/{key:path}",
        "see.reports",
        "one report with its versions",
        answers.answer_report,
        is_watched=True,
        parameters=(known.FEED,),
    ),
    Route(
        "/api/v1/readings",
        "see.stations",
        "readings as measured, oldest first",
        answers.answer_readings,
        has_tables=True,
        parameters=(*_READING_FILTERS, *LISTED),
    ),
    Route(
        "/api/v1/stations",
        "see.stations",
        "stations with their newest values",
        answers.answer_stations,
        has_tables=True,
        parameters=_STATIONS,
    ),
)
