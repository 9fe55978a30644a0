"""The read side of the API over real HTTP: figures, lists, exports, errors, rights."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import openpyxl
import pyarrow.parquet
import pytest
from fastapi import FastAPI

from api.routes import ROUTES, mount
from api.tables import Column, csv_cell, format_of
from auth import NotLocal, scope_for, scope_reader
from components.context import AppContext
from metrics.kpis import KPI_BY_KEY
from scope import DEMO_SCOPE, Scope
from store.days import instant
from store.engine import Store, open_store
from tests.servers import LiveServer
from tests.small_city import CONFIG, NASTY, NOW, TZ, at, open_filled


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def served(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[httpx.Client]:
    """A client of the API over a filled store that no test writes to, once on each engine."""
    store = open_filled(request.param, make_database)
    server = serve(lambda app: LiveServer(app).start(), store)
    with httpx.Client(base_url=server.url) as client:
        yield client
    server.stop()
    store.dispose()


@pytest.fixture
def store(make_database: Callable[..., str]) -> Iterator[Store]:
    store = open_filled("sqlite", make_database)
    yield store
    store.dispose()


def serve(live_server: Callable[..., LiveServer], store: Store, scope: Scope | None = None) -> LiveServer:
    """The API alone on a real port; `scope` = whoever asks has these rights."""
    server = FastAPI()
    local = scope_reader(CONFIG, store, lambda: NOW)
    context = AppContext(CONFIG, store, lambda: NOW, (lambda request: scope) if scope else local)
    mount(server, context, build_frame=lambda city, lang: {"props": {}, "ages": {}})
    return live_server(server)


# --- over HTTP --------------------------------------------------------------------------------------------


def test_kpis_answer_exactly_the_contract(served: httpx.Client) -> None:
    answer = served.get(
        "/api/v1/kpis", params={"keys": "dossiers_overdue,dossiers_on_time_pct", "period": "2026-11", "lang": "en"}
    )
    rows = answer.json()
    assert [list(row) for row in rows] == [
        [
            "key",
            "label",
            "value",
            "measure_unit",
            "n",
            "as_of",
            "target",
            "previous",
            "delta",
            "verdict",
            "coverage",
            "late_rule",
            "revision",
            "comparison",
        ]
    ] * 2
    assert rows[0]["comparison"] == {
        "period": "2026-11-01..2026-11-20", "previous_period": "2026-10-01..2026-10-20", "how": "previous", "aligned": "part",
        "working_days": 15.0, "previous_working_days": 14.0, "delta_pct": None, "withheld": None,
    }
    assert (rows[0]["value"], rows[0]["label"], rows[0]["late_rule"]) == (2, "Overdue in progress", "late_instant")
    assert rows[1]["target"] == 99.0 and rows[0]["as_of"] == "2026-11-20T10:00:00+07:00"
    assert answer.headers["x-revision"] == str(rows[0]["revision"])


def test_a_kpi_stands_beside_the_same_period_a_year_earlier_when_asked(served: httpx.Client) -> None:
    asked = {"keys": "dossiers_received", "period": "2026-W46", "compare": "last_year"}
    told = served.get("/api/v1/kpis", params=asked).json()[0]["comparison"]
    assert (told["previous_period"], told["how"], told["aligned"]) == ("2025-W46", "last_year", "weekday")
    assert served.get("/api/v1/kpis", params={**asked, "compare": "best"}).status_code == 400


def test_without_keys_all_kpis_are_told_and_labels_follow_the_reader(served: httpx.Client) -> None:
    assert [row["key"] for row in served.get("/api/v1/kpis").json()] == list(KPI_BY_KEY)
    labels = {
        lang: served.get("/api/v1/kpis", headers={"Accept-Language": lang}).json()[0]["label"]
        for lang in ("en-US", "fr, vi;q=0.5")
    }
    assert labels == {"en-US": "Dossiers received", "fr, vi;q=0.5": "Hồ sơ tiếp nhận"}


def test_series_add_up_to_the_kpi(served: httpx.Client) -> None:
    by_day = served.get("/api/v1/series", params={"key": "dossiers_received", "by": "day", "period": "2026-11"}).json()
    assert sum(point["value"] or 0 for point in by_day["points"]) == 10
    by_agency = served.get("/api/v1/series", params={"key": "dossiers_received", "by": "agency", "period": "2026-11"}).json()
    assert {point["group"]: point["value"] for point in by_agency["points"]} == {"H99.1": 9, "H99.14": 1}


def test_lists_are_paged_with_the_count_of_all(served: httpx.Client) -> None:
    first = served.get("/api/v1/dossiers", params={"state": "open", "limit": 4}).json()
    assert (first["total"], first["count"]) == (6, 4)
    second = served.get("/api/v1/dossiers", params={"state": "open", "limit": 4, "cursor": first["next"]}).json()
    assert (second["count"], second["next"]) == (2, None)
    assert first["items"][0]["due_at"] == "2026-11-10T09:00:00+07:00"


def test_one_row_answers_under_its_id(served: httpx.Client) -> None:
    assert served.get("/api/v1/dossiers/H99-0001").json()["versions"][1]["changes"][0]["after"] == "2026-11-27T09:00:00+07:00"
    assert served.get("/api/v1/reports/R1").json()["description"] == "@SUM(A1)"
    lost = served.get("/api/v1/dossiers/none")
    assert (lost.status_code, lost.json()["error"]["code"]) == (404, "not_found")


def test_readings_stations_and_feeds_answer(served: httpx.Client) -> None:
    readings = served.get("/api/v1/readings", params={"property": "pm25", "limit": 3}).json()
    assert [row["value"] for row in readings["items"]] == [10, 11, 12]
    rest = served.get("/api/v1/readings", params={"property": "pm25", "cursor": readings["next"]}).json()
    assert [row["value"] for row in rest["items"]] == [13, 14, 15, 16, 17]
    assert served.get("/api/v1/stations").json()["items"][0]["values"][0]["value"] == 17
    assert [row["key"] for row in served.get("/api/v1/feeds").json()["items"]] == ["one_stop", "feedback", "air"]


@pytest.mark.parametrize("path", ["kpis", "series", "dossiers", "reports", "readings", "stations", "feeds"])
@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_every_list_is_exported_in_every_form(served: httpx.Client, path: str, form: str) -> None:
    params = {"key": "dossiers_open"} if path == "series" else {}
    listed = served.get(f"/api/v1/{path}", params=params).json()
    count = len(listed if isinstance(listed, list) else listed.get("points", listed.get("items")))
    answer = served.get(f"/api/v1/{path}.{form}", params=params)
    assert answer.status_code == 200, answer.text
    assert len(rows_of(form, answer.content)) - (form != "parquet") == count > 0


def rows_of(form: str, content: bytes) -> list[Any]:
    if form == "csv":
        assert content.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    if form == "xlsx":
        return list(openpyxl.load_workbook(io.BytesIO(content)).active.values)
    return pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()


def test_an_export_has_exactly_the_rows_of_the_filter(served: httpx.Client) -> None:
    answer = served.get("/api/v1/dossiers", params={"state": "overdue"}, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    header, *rows = rows_of("csv", answer.content)
    assert [row[header.index("source_id")] for row in rows] == ["H99-0002", "H99-0011"]


def test_formulas_leave_as_text(served: httpx.Client) -> None:
    header, *rows = rows_of("csv", served.get("/api/v1/dossiers.csv").content)
    assert {row[header.index("domain_name")] for row in rows} == {"'" + NASTY}
    book = openpyxl.load_workbook(io.BytesIO(served.get("/api/v1/dossiers.xlsx").content)).active
    cell = book.cell(2, [column.value for column in book[1]].index("domain_name") + 1)
    assert (cell.value, cell.data_type) == (NASTY, "s")


@pytest.mark.parametrize("value", ["=1", "+1", "-1", "@a", "\t=1", "\r=1"])
def test_csv_text_that_starts_like_a_formula_is_marked(value: str) -> None:
    assert csv_cell(value, Column("x"), TZ) == "'" + value
    assert csv_cell(-1.5, Column("x", "number"), TZ) == -1.5


def test_labels_of_a_file_come_in_the_language_asked_for(served: httpx.Client) -> None:
    header = rows_of("csv", served.get("/api/v1/dossiers.csv?headers=labels&lang=vi").content)[0]
    assert header[1] == "Mã hồ sơ" and "Hẹn trả" in header


def test_instants_in_parquet_are_exact_and_utc(served: httpx.Client) -> None:
    row = next(r for r in rows_of("parquet", served.get("/api/v1/dossiers.parquet").content) if r["source_id"] == "H99-0002")
    assert instant(row["due_at"]) == at(10)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("text/csv", "csv"),
        ("application/json, text/csv;q=0.5", "json"),
        ("text/csv;q=0.5, application/vnd.apache.parquet", "parquet"),
        ("text/html,*/*;q=0.8", "json"),
        ("text/csv;q=x", "json"),
        ("", "json"),
    ],
)
def test_the_form_follows_the_accept_header(accept: str, form: str) -> None:
    assert format_of("", accept) == form


def test_an_unchanged_answer_is_not_sent_again(served: httpx.Client) -> None:
    first = served.get("/api/v1/kpis")
    again = served.get("/api/v1/kpis", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert served.get("/api/v1/kpis?lang=en", headers={"If-None-Match": first.headers["etag"]}).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "code", "field"),
    [
        ("/api/v1/kpis?keys=nonsense", 400, "unknown_kpi", "keys"),
        ("/api/v1/kpis?colour=red", 400, "unknown_parameter", "colour"),
        ("/api/v1/kpis?period=never", 400, "bad_parameter", "period"),
        ("/api/v1/kpis?late_rule=x", 400, "bad_parameter", "late_rule"),
        ("/api/v1/kpis?period=2026-11&period=2026-10", 400, "bad_parameter", "period"),
        ("/api/v1/kpis?agency=%00", 400, "bad_parameter", "agency"),
        ("/api/v1/series?key=dossiers_open&by=moon", 400, "bad_parameter", "by"),
        ("/api/v1/series", 400, "unknown_kpi", "key"),
        ("/api/v1/series?key=reports_open&by=domain", 400, "bad_parameter", "by"),
        ("/api/v1/dossiers?limit=1001", 400, "bad_parameter", "limit"),
        ("/api/v1/dossiers?status=x", 400, "bad_parameter", "status"),
        ("/api/v1/dossiers?cursor=x", 400, "bad_parameter", "cursor"),
        ("/api/v1/dossiers?state=gone", 400, "bad_parameter", "state"),
        ("/api/v1/readings?period=2026", 400, "bad_parameter", "period"),
        ("/api/v1/readings?cursor=1", 400, "bad_parameter", "cursor"),
        ("/api/v2/kpis", 404, "not_found", "path"),
        ("/live/x", 404, "not_found", "path"),
    ],
)
def test_faults_are_told_with_field_and_remedy(served: httpx.Client, path: str, status: int, code: str, field: str) -> None:
    answer = served.get(path)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (status, code, field)
    assert error["message"] and error["remedy"]


def test_unknown_filters_name_the_known_ones(served: httpx.Client) -> None:
    assert "late_rule" in served.get("/api/v1/kpis?colour=red").json()["error"]["remedy"]


def test_another_method_is_refused_by_name(served: httpx.Client) -> None:
    answer = served.post("/api/v1/kpis")
    assert (answer.status_code, answer.json()["error"]["code"], answer.headers["allow"]) == (405, "method", "GET")


def test_openapi_describes_the_parameters_without_a_page_from_outside(served: httpx.Client) -> None:
    paths = served.get("/api/openapi.json").json()["paths"]
    assert {row["name"] for row in paths["/api/v1/kpis"]["get"]["parameters"]} >= {
        "keys",
        "period",
        "agency",
        "area",
        "late_rule",
    }
    assert set(paths) >= {route.path.replace(":path", "") for route in ROUTES if route.answer}


def test_health_ready_and_metrics(served: httpx.Client) -> None:
    assert served.get("/healthz").json()["status"] == "ok"
    assert served.get("/readyz").status_code == 200
    served.get("/api/v1/kpis")
    told = served.get("/metrics").text
    for line in (
        'toancanh_ingested_rows_total{feed="one_stop"} 15.0',
        'toancanh_fold_backlog_rows{topic="dossiers"} 0.0',
        "toancanh_store_up 1.0",
        'toancanh_revision{topic="dossiers"}',
        "toancanh_clock_lag_seconds 0.0",
        'toancanh_http_seconds_count{group="api",method="GET"',
    ):
        assert line in told


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_empty_database_is_not_ready(live_server: Callable[..., LiveServer], make_database: Callable[..., str], kind: str) -> None:
    store = open_store(make_database(kind), TZ)
    url = serve(live_server, store).url
    assert (httpx.get(f"{url}/healthz").status_code, httpx.get(f"{url}/readyz").status_code) == (200, 503)
    assert httpx.get(f"{url}/api/v1/kpis").json()["error"]["code"] == "store_away"
    assert "toancanh_store_up 0.0" in httpx.get(f"{url}/metrics").text
    store.dispose()


def test_a_store_that_is_away_is_told_with_503(live_server: Callable[..., LiveServer], tmp_path: Any) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'missing' / 'x.sqlite'}", TZ)
    url = serve(live_server, store).url
    for path in ("/readyz", "/api/v1/kpis", "/api/v1/dossiers.csv"):
        answer = httpx.get(url + path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_away")
        assert int(answer.headers["retry-after"]) > 0
    assert "toancanh_store_up 0.0" in httpx.get(f"{url}/metrics").text


# --- rights -----------------------------------------------------------------------------------------------


def test_every_route_but_health_and_ingest_needs_a_permission(
    live_server: Callable[..., LiveServer],
    store: Store,
) -> None:
    url = serve(live_server, store, Scope(actor="nobody")).url
    free = {"/healthz", "/readyz", "/ingest/{feed}", "/ingest/{feed}/login", "/sign-in", "/sign-out", "/first-run", "/account"}
    assert {route.path for route in ROUTES if not route.permission} == free
    for route in ROUTES:
        if route.permission:
            for suffix in ("", ".csv") if route.has_tables else ("",):
                answer = httpx.get(url + route.path.replace("{key:path}", "x") + suffix)
                assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


def test_a_reader_without_export_gets_no_file(live_server: Callable[..., LiveServer], store: Store) -> None:
    reader = Scope(frozenset({"api.read", "see.dossiers"}), None, None, frozenset({"public"}))
    url = serve(live_server, store, reader).url
    assert httpx.get(f"{url}/api/v1/dossiers").status_code == 200
    assert httpx.get(f"{url}/api/v1/dossiers.csv").status_code == 403
    assert httpx.get(f"{url}/api/v1/dossiers", headers={"Accept": "text/csv"}).status_code == 403


@pytest.mark.parametrize(
    ("host", "client", "extra", "welcome"),
    [
        ("127.0.0.1:8050", "127.0.0.1", {}, True),
        ("localhost", "::1", {}, True),
        ("[::1]:8050", "::1", {}, True),
        ("LOCALHOST:1", "::ffff:127.0.0.1", {}, True),
        ("rebound.example:8050", "127.0.0.1", {}, False),
        ("127.0.0.1", "10.0.0.7", {}, False),
        ("", "127.0.0.1", {}, False),
        ("localhost.evil.example", "127.0.0.1", {}, False),
        ("localhost", "", {}, False),
        ("localhost", "127.0.0.1", {"forwarded": "for=10.0.0.7"}, False),
        ("localhost", "127.0.0.1", {"x-forwarded-for": "10.0.0.7"}, False),
        ("localhost", "127.0.0.1", {"x-forwarded-host": "ioc.example.vn"}, False),
        ("localhost", "127.0.0.1", {"x-forwarded-proto": "https"}, False),
        ("localhost", "127.0.0.1", {"x-real-ip": "10.0.0.7"}, False),
    ],
)
def test_only_this_machine_by_its_own_name_enters_without_sign_in(
    host: str,
    client: str,
    extra: dict[str, str],
    welcome: bool,
) -> None:
    if welcome:
        assert scope_for({"host": host, **extra}, client, CONFIG) == DEMO_SCOPE
    else:
        with pytest.raises(NotLocal):
            scope_for({"host": host, **extra}, client, CONFIG)


def test_a_rebound_name_is_refused_over_http(served: httpx.Client) -> None:
    for path in ("/api/v1/kpis", "/live/wall", "/metrics", "/api/openapi.json"):
        assert served.get(path, headers={"Host": "evil.example"}).status_code == 403
