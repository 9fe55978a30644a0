"""Attack: cells that a spreadsheet would run, in every file that leaves."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO, StringIO

import httpx
import openpyxl
import pytest

from api.routes import ROUTES
from app import make_app
from metrics.rollups import clock_step, drain
from store.catalogue import put_agencies, put_categories
from store.days import DAY, HOUR
from store.engine import open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import AgencyRow, CategoryRow, DatastreamRow, DossierRow, Parsed, ReadingRow, Reject, ReportRow, StationRow
from tests.attacks.conftest import World, ask, opened
from tests.rights_city import AT, CONFIG, NOW, TZ, make_people
from tests.servers import serve_asgi

STARTS = ("=", "+", "-", "@", "\t=", "\r=", "\n=", "＝", "＋", "－", "＠")
CALL = 'cmd|" /C calc"!A0'
FILES = tuple(route for route in ROUTES if route.has_tables)


def evil(number: int) -> str:
    """A call behind one of the starts."""
    return STARTS[number % len(STARTS)] + CALL


@pytest.fixture(scope="module")
def calling(make_database: Callable[..., str]) -> Iterator[World]:
    """A world in which every word begins like a formula."""
    store = open_store(make_database("sqlite"), TZ)
    migrate(store)
    many = range(len(STARTS))
    store.write(lambda connection: put_agencies(connection, [AgencyRow(f"H99.{n}", evil(n)) for n in many]))
    store.write(lambda connection: put_categories(connection, [CategoryRow(evil(n), evil(n)) for n in many]))
    dossiers = tuple(
        DossierRow(f"{evil(n)}{n}", agency=f"H99.{n}", procedure_code=evil(n), procedure_name=evil(n), domain_code=evil(n),
                   domain_name=evil(n), status=4, received_at=AT - 9 * DAY, due_at=AT - HOUR, version=1)
        for n in many
    )
    reports = tuple(
        ReportRow(f"{evil(n)}{n}", evil(n), evil(n), agency=f"H99.{n}", status="new", channel=evil(n), received_at=AT - DAY,
                  description=evil(n), version=1)
        for n in many
    )
    rejects = tuple(Reject(evil(n), evil(n), "bad_date", evil(n), {"a": evil(n)}) for n in many)
    land(store, Parsed(dossiers=dossiers, rejects=rejects, item_count=9), Landing("one_stop", "one_stop", AT - HOUR))
    land(store, Parsed(reports=reports, item_count=9), Landing("feedback", "feedback", AT - HOUR))
    land(store, Parsed(
        stations=tuple(StationRow(f"{evil(n)}{n}", evil(n), "air") for n in many),
        datastreams=tuple(DatastreamRow(f"{evil(n)}{n}", f"{evil(n)}{n}", "pm25", "µg/m³", evil(n)) for n in many),
        readings=tuple(ReadingRow(f"{evil(n)}{n}", AT - 2 * HOUR, 1.0) for n in many), item_count=9,
    ), Landing("air", "sensors", AT - HOUR))
    clock_step(store, AT)
    drain(store, AT)
    people = make_people(store)
    app = make_app(replace(CONFIG, name=evil(0)), store, now=lambda: NOW)
    with serve_asgi(app.server) as live:
        yield World(live.url, app, store, people)
    store.dispose()


def client_of(world: World, path: str) -> httpx.Client:
    """Someone who may have the file."""
    return world.client("auditor" if "audit" in path else "operator")


def query_of(path: str) -> str:
    """What must be asked."""
    return {"/api/v1/series": "?key=dossiers_open&by=agency", "/api/v1/readings": "?period=2026-11-20"}.get(path, "")


def formulas(text: str) -> list[str]:
    """Cells of a CSV file that a spreadsheet would run."""
    rows = csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""))
    return [cell for row in rows for cell in row if cell.startswith(tuple("=+-@\t\r\n＝＋－＠")) and not _is_number(cell)]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("route", FILES, ids=lambda route: route.path)
def test_no_cell_of_a_csv_file_is_a_formula(calling: World, route: object) -> None:
    path = str(getattr(route, "path", ""))
    with client_of(calling, path) as client:
        for headers in ("", "labels"):
            if headers and "headers" not in [row.name for row in getattr(route, "parameters", ())]:
                continue
            query = query_of(path)
            answer = client.get(f"{path}.csv{query}{'&' if query else '?'}headers={headers}" if headers else f"{path}.csv{query}")
            assert answer.status_code == 200 and formulas(answer.content.decode("utf-8")) == []
    if path in ("/api/v1/dossiers", "/api/v1/reports", "/api/v1/stations"):
        assert f"'={CALL}".replace('"', '""') in answer.text, "the words are there, as text"


@pytest.mark.parametrize("route", FILES, ids=lambda route: route.path)
def test_no_cell_of_a_workbook_is_a_formula(calling: World, route: object) -> None:
    path = str(getattr(route, "path", ""))
    with client_of(calling, path) as client:
        answer = client.get(f"{path}.xlsx{query_of(path)}")
    book = openpyxl.load_workbook(BytesIO(answer.content))
    assert answer.status_code == 200
    assert [cell.coordinate for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f" or cell.hyperlink] == []


def test_no_cell_of_the_quarantines_file_is_a_formula(calling: World) -> None:
    asked = {"feed": "one_stop", "type": "desk-file-asked"}
    with calling.client("operator") as client:
        pressed = [[{"id": asked, "property": "n_clicks", "value": 1}]]
        answer = ask(client, "desk-file.data", pressed, [[opened("feed", "/feeds/one_stop", {})]])
    content = answer.json()["response"]["desk-file"]["data"]["content"]
    assert CALL in content.replace('""', '"') and formulas(content) == []


def test_a_files_name_is_ours(calling: World) -> None:
    with calling.client("operator") as client:
        said = client.get("/api/v1/dossiers.csv").headers["content-disposition"]
    assert said.startswith("attachment") and "/" not in said and CALL not in said
