"""What leaves an entry in the audit trail: pages, API answers, exports; and the page where auditors read it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

import httpx
import pytest
from dash import no_update
from fastapi import FastAPI
from playwright.sync_api import Page, expect
from sqlalchemy import text

import app as application
from api.routes import ROUTES, mount
from app import make_app
from callbacks import audit as audit_page
from callbacks import dossier, dossiers, feeds, report, reports
from components import audited
from components.context import AppContext
from components.desk_audit import kind_name, trail_table
from components.desk_links import read_view
from components.desk_shell import NAV
from components.desk_wiring import PageRow, fill
from metrics.city import City, audit, open_city
from metrics.city.audit import TrailFilter
from scope import DEMO_SCOPE, PERMISSIONS, Forbidden, Scope, scope_of
from store.audit import ACTIONS, AuditFilter, AuditRow, Entry, head, read, record
from store.days import instant
from store.engine import Store
from tests.drawn import nodes, words
from tests.servers import LiveServer
from tests.small_city import CONFIG, NOW, open_own
from text import t
from text.catalogue import catalogue

AUDITOR = scope_of("auditor", actor="user:kt")
ROWS = {row.name: row for module in (dossier, dossiers, report, reports, feeds, audit_page) for row in module.PAGES}


@pytest.fixture(params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    """A filled store of this test alone; the test runs once on each engine."""
    opened = open_own(request.param, make_database)
    yield opened
    opened.dispose()


@pytest.fixture
def lite(make_database: Callable[..., str]) -> Iterator[Store]:
    """The same on SQLite alone, where the engine makes no difference."""
    opened = open_own("sqlite", make_database)
    yield opened
    opened.dispose()


def context_of(store: Store, scope: Scope = DEMO_SCOPE) -> AppContext:
    return AppContext(CONFIG, store, lambda: NOW, lambda request: scope)


def client_of(live_server: Callable[..., LiveServer], store: Store, scope: Scope = DEMO_SCOPE) -> httpx.Client:
    """A client of the API for whom these rights hold."""
    server = FastAPI()
    mount(server, context_of(store, scope), build_frame=lambda city, lang: {"props": {}, "ages": {}})
    return httpx.Client(base_url=live_server(server).url)


def trail(store: Store) -> list[AuditRow]:
    """Oldest first."""
    return list(reversed(read(store, AuditFilter(), 100)))


def told(store: Store) -> list[tuple[str, str, str]]:
    return [(row.action, row.kind, row.subject) for row in trail(store)]


def show(context: AppContext, name: str, path: str, scope: Scope = DEMO_SCOPE, **query: str) -> Any:
    return fill(context, scope, ROWS[name], {"path": path, "query": query})[1]


def hide_trail(store: Store) -> None:
    """As after a full disk or a lost right: no entry can be written."""
    with store.writing() as connection:
        connection.execute(text("ALTER TABLE ops_audit RENAME TO hidden"))


# ---- pages --------------------------------------------------------------------------------------------------------------
def test_a_record_is_in_the_trail_once_it_was_shown(store: Store) -> None:
    context = context_of(store)
    show(context, "dossier", "/dossiers/one_stop~H99-0001")
    show(context, "report", "/reports/feedback~R1")
    assert told(store) == [("record.view", "dossier", "one_stop~H99-0001"), ("record.view", "report", "feedback~R1")]
    assert {(row.actor, row.at) for row in trail(store)} == {("demo", instant(NOW))}


def test_a_page_that_refreshes_is_one_view(lite: Store) -> None:
    context = context_of(lite)
    for _ in range(3):
        show(context, "dossier", "/dossiers/one_stop~H99-0001")
    assert head(lite).seq == 1


def test_what_was_not_shown_is_not_told(lite: Store) -> None:
    context = context_of(lite)
    show(context, "dossier", "/dossiers/one_stop~none")
    show(context, "dossier", "/dossiers/one_stop~H99-0001", scope_of("analyst", agencies=("H99.14",), actor="user:a"))
    show(context, "report", "/reports/feedback~R1", scope_of("viewer", actor="user:b"))
    show(context, "dossiers", "/dossiers")
    assert told(lite) == []


def test_a_list_that_shows_what_citizens_wrote_is_told_with_its_filter_but_no_words(lite: Store) -> None:
    context = context_of(lite)
    show(context, "reports", "/reports", state="open", agency="H99.1", q="R1")
    assert told(lite) == [("report_text.view", "report", "")]
    assert json.loads(trail(lite)[0].detail) == {"agency": "H99.1", "first": "feedback~R1", "q": True, "rows": 1, "state": "open"}


def test_a_list_without_citizens_words_leaves_no_entry(lite: Store) -> None:
    context = context_of(lite)
    show(context, "reports", "/reports", scope_of("leader", actor="user:l"))
    show(context, "reports", "/reports", q="nothing like it")
    assert told(lite) == []


def test_without_its_entry_nothing_is_shown(store: Store) -> None:
    context = context_of(store)
    hide_trail(store)
    for name, path in (("dossier", "/dossiers/one_stop~H99-0001"), ("report", "/reports/feedback~R1"), ("reports", "/reports")):
        shown = words(show(context, name, path))
        assert t("error.not_recorded", "vi") in shown
        assert "H99-0001" not in shown and "R1" not in shown and "@SUM" not in shown
    assert t("page.dossiers", "vi") in words(show(context, "dossiers", "/dossiers")), "what needs no entry is shown as ever"


def test_rejects_are_told_on_screen_and_as_a_file(lite: Store) -> None:
    with lite.writing() as connection:
        connection.execute(
            text(
                "INSERT INTO ops_reject (feed, digest, item, field, reason, payload, first_at, last_at, times, kind) "
                "VALUES ('one_stop', 'd', 'H99-9', 'due_at', 'bad_date', '{}', 1, 1, 1, '')"
            )
        )
    context = context_of(lite)
    show(context, "feed", "/feeds/one_stop")
    sights: list[Any] = []
    opened = [{"path": "/feeds/one_stop", "query": {"reason": "bad_date"}}]
    feeds.download_rejects(replace(context, sights=sights), DEMO_SCOPE, [1], opened)
    context.keep(sights, DEMO_SCOPE, None)
    assert told(lite) == [("rejects.view", "feed", "one_stop"), ("export", "rejects", "one_stop")]
    assert json.loads(trail(lite)[1].detail)["filter"] == {"reason": "bad_date"}


# ---- the API ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/api/v1/dossiers/H99-0001", [("record.view", "dossier", "one_stop~H99-0001")]),
        ("/api/v1/reports/R1", [("record.view", "report", "feedback~R1")]),
        ("/api/v1/reports?state=open", [("report_text.view", "report", "")]),
        ("/api/v1/dossiers", []),
        ("/api/v1/kpis", []),
        ("/api/v1/dossiers/none", []),
    ],
)
def test_records_and_citizens_words_are_told_of_api_answers(
    live_server: Callable[..., LiveServer], store: Store, address: str, expected: list[tuple[str, str, str]]
) -> None:
    with client_of(live_server, store) as client:
        client.get(address)
    assert told(store) == expected
    assert all((row.actor, row.address) == ("demo", "127.0.0.1") for row in trail(store))


EXPORTED = [route.path for route in ROUTES if route.has_tables and route.permission != "see.audit"]


@pytest.mark.parametrize("path", EXPORTED)
def test_every_export_is_told_with_filter_form_rows_and_revision(
    live_server: Callable[..., LiveServer], lite: Store, path: str
) -> None:
    query = {"/api/v1/series": "?key=dossiers_received&by=agency&period=2026-11", "/api/v1/readings": "?period=2026-11"}.get(path, "")
    with client_of(live_server, lite) as client:
        answers = [
            client.get(f"{path}.csv{query}"), client.get(f"{path}.xlsx{query}"), client.get(f"{path}.parquet{query}"),
            client.get(f"{path}{query}", headers={"Accept": "text/csv"}),
        ]
    assert [answer.status_code for answer in answers] == [200] * 4
    rows = len(list(csv.reader(io.StringIO(answers[0].text)))) - 1
    assert told(lite) == [("export", path.rsplit("/", 1)[1], "")] * 4
    details = [json.loads(row.detail) for row in trail(lite)]
    assert [detail["form"] for detail in details] == ["csv", "xlsx", "parquet", "csv"]
    assert {(detail["rows"], detail["revision"]) for detail in details} == {(rows, int(answers[0].headers["x-revision"]))}
    assert details[0]["filter"] == dict(httpx.QueryParams(query.removeprefix("?")))


def test_what_was_typed_to_search_is_never_kept(live_server: Callable[..., LiveServer], lite: Store) -> None:
    with client_of(live_server, lite) as client:
        client.get("/api/v1/reports.csv?q=R1&state=open")
        client.get("/api/v1/dossiers.csv?agency=0912345678")  # no agency of ours: who knows what it is
        client.get("/api/v1/reports?q=R1")
    details = [json.loads(row.detail) for row in trail(lite)]
    assert [detail.get("filter", detail).get("q") for detail in details] == [True, None, True]
    assert details[1]["filter"] == {"agency": True}


def test_an_unchanged_answer_is_a_view_and_an_unchanged_file_an_export(live_server: Callable[..., LiveServer], lite: Store) -> None:
    with client_of(live_server, lite) as first:
        tags = {path: first.get(path).headers["etag"] for path in ("/api/v1/dossiers/H99-0001", "/api/v1/reports.csv")}
    before = head(lite).seq
    with client_of(live_server, lite) as second:  # another process: it remembers nothing
        for path, tag in tags.items():
            answer = second.get(path, headers={"If-None-Match": tag})
            assert (answer.status_code, answer.content) == (304, b"")
    assert told(lite)[before:] == [("record.view", "dossier", "one_stop~H99-0001"), ("export", "reports", "")]
    assert json.loads(trail(lite)[-1].detail)["unchanged"] is True


@pytest.mark.parametrize("address", ["/api/v1/dossiers/H99-0001", "/api/v1/reports", "/api/v1/dossiers.csv", "/api/v1/kpis.parquet"])
def test_the_api_answers_503_when_the_trail_cannot_be_written(
    live_server: Callable[..., LiveServer], store: Store, address: str
) -> None:
    with client_of(live_server, store) as client:
        tag = client.get(address).headers["etag"]
    hide_trail(store)
    with client_of(live_server, store) as client:
        for headers in ({}, {"If-None-Match": tag}):
            answer = client.get(address, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_recorded")
            assert int(answer.headers["retry-after"]) > 0 and "H99-" not in answer.text


# ---- reading the trail --------------------------------------------------------------------------------------------------------
def city_of(store: Store, scope: Scope = AUDITOR) -> City:
    return open_city(store, CONFIG, scope, NOW)


def write(store: Store, count: int) -> None:
    for number in range(1, count + 1):
        record(store, Entry(instant(NOW) - number, f"user:u{number % 2}", "record.view", "dossier", f"one_stop~H99-{number:04}"))


@pytest.mark.parametrize("role", ["display", "viewer", "leader", "analyst", "operator", "feed_owner", "admin"])
def test_only_auditors_read_the_trail(lite: Store, role: str) -> None:
    city = city_of(lite, scope_of(role, actor="user:x"))
    for ask in (audit.read, audit.actors, audit.kinds, audit.length, audit.check, audit.last_check, lambda c: list(audit.every(c))):
        with pytest.raises(Forbidden):
            ask(city)


def test_an_auditor_of_one_agency_cannot_read_what_cannot_be_cut_by_agency(lite: Store) -> None:
    with pytest.raises(Forbidden):
        audit.read(city_of(lite, scope_of("auditor", agencies=("H99.1",))))


def test_pages_give_the_whole_trail_once(store: Store) -> None:
    write(store, 7)
    found, cursor = [], ""
    while True:
        page = audit.read(city_of(store), limit=3, cursor=cursor)
        found += [row.seq for row in page.rows]
        cursor = page.next_cursor
        if not cursor:
            break
    assert found == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "99999999999999999999", "²"])
def test_a_cursor_nobody_gave_is_refused(lite: Store, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        audit.read(city_of(lite), cursor=cursor)


def test_a_record_is_found_by_its_number_alone(lite: Store) -> None:
    write(lite, 3)
    for written in ("H99-0002", "one_stop~H99-0002"):
        assert [row.subject for row in audit.read(city_of(lite), TrailFilter(subject=written)).rows] == ["one_stop~H99-0002"]


def test_reading_the_trail_is_in_the_trail(lite: Store) -> None:
    context = context_of(lite, AUDITOR)
    show(context, "audit", "/audit", AUDITOR, actor="user:kt")
    assert told(lite) == [("audit.view", "audit", "")]
    assert json.loads(trail(lite)[0].detail) == {"actor": True}  # nothing was found: what was typed is not kept
    show(context, "audit", "/audit", AUDITOR, actor="user:kt")
    assert json.loads(trail(lite)[1].detail) == {"actor": "user:kt"}


def test_the_trail_is_exported_whole_and_tells_of_it(live_server: Callable[..., LiveServer], store: Store) -> None:
    write(store, 5)
    with client_of(live_server, store, AUDITOR) as client:
        listed = client.get("/api/v1/audit?limit=2").json()
        rest = client.get(f"/api/v1/audit?limit=2&cursor={listed['next']}").json()
        rows = list(csv.DictReader(io.StringIO(client.get("/api/v1/audit.csv?actor=user:u1").content.decode("utf-8-sig"))))
    assert [item["seq"] for item in listed["items"] + rest["items"]] == [5, 4, 3, 2]
    assert [row["seq"] for row in rows] == ["5", "3", "1"]
    assert told(store)[-1] == ("export", "audit", "")


def test_the_trail_is_never_answered_as_unchanged(live_server: Callable[..., LiveServer], lite: Store) -> None:
    with client_of(live_server, lite, AUDITOR) as client:
        answer = client.get("/api/v1/audit")
    assert "etag" not in answer.headers and answer.headers["cache-control"] == "no-store"


def test_a_check_says_how_far_the_chain_holds(store: Store) -> None:
    write(store, 4)
    context = context_of(store, AUDITOR)
    assert audit.last_check(city_of(store)) is None
    sights: list[Any] = []
    assert audit_page.verify_now(replace(context, sights=sights), AUDITOR, [None]) is no_update and sights == []
    assert audit_page.verify_now(replace(context, sights=sights), AUDITOR, [1]) is not no_update
    context.keep(sights, AUDITOR, None)
    found = audit.last_check(city_of(store))
    assert found is not None and (found.first, found.last, found.fault, found.actor) == (1, 4, "", "user:kt")
    assert t("audit.whole_hint", "vi") in words(show(context, "audit", "/audit", AUDITOR))


def test_a_check_names_the_row_somebody_tampered_with(lite: Store) -> None:
    write(lite, 4)
    with lite.writing() as connection:
        connection.execute(text("DROP TRIGGER ops_audit_no_UPDATE"))
        connection.execute(text("UPDATE ops_audit SET actor = 'user:nobody', detail = '{' WHERE seq = 3"))
    context, sights = context_of(lite, AUDITOR), list[Any]()
    audit_page.verify_now(replace(context, sights=sights), AUDITOR, [1])
    context.keep(sights, AUDITOR, None)
    found = audit.last_check(city_of(lite))
    assert found is not None and (found.fault, found.broken) == ("changed", 3)
    shown = show(context, "audit", "/audit", AUDITOR)
    assert t("audit.broken", "vi", n="3", fault=t("audit.fault.changed", "vi")) in words(shown)


def test_a_long_trail_is_checked_from_its_newest_rows(lite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "CHECKED_ROWS", 3)
    write(lite, 5)
    city = city_of(lite)
    audit.check(city)
    assert {name: city.sights[0].detail[name] for name in ("first", "last")} == {"first": 3, "last": 5}


# ---- the page -------------------------------------------------------------------------------------------------------------------
def test_every_action_fault_and_role_bound_word_has_a_text_in_both_languages() -> None:
    keys = [f"audit.action.{action}" for action in ACTIONS] + [f"audit.fault.{fault}" for fault in audit_faults()]
    assert [key for lang in ("vi", "en") for key in keys if key not in catalogue(lang)] == []


def audit_faults() -> tuple[str, ...]:
    return ("changed", "missing", "extra", "cut", "rewritten")


def test_an_entry_leads_to_its_record_only_for_those_who_may_see_it(lite: Store) -> None:
    write(lite, 1)
    record(lite, Entry(instant(NOW), "user:u1", "rejects.view", "feed", "one_stop"))
    seeing = Scope(frozenset(PERMISSIONS), None, None, frozenset({"public"}), "user:both")
    hrefs = {}
    for name, scope in (("auditor", AUDITOR), ("both", seeing)):
        city = city_of(lite, scope)
        view = read_view({"path": "/audit", "query": {}}, CONFIG, city.today)
        drawn = trail_table(city, view, audit.read(city).rows)
        hrefs[name] = sorted(str(node.href) for node in nodes(drawn) if getattr(node, "href", ""))
    assert hrefs == {"auditor": ["/feeds/one_stop"], "both": ["/dossiers/one_stop~H99-0001", "/feeds/one_stop"]}


def test_a_kind_the_program_no_longer_knows_is_shown_as_it_stands() -> None:
    assert (kind_name("dossier", "en"), kind_name("gone_kind", "en")) == ("Dossier", "gone_kind")


def test_the_bar_lists_only_what_its_reader_may_open(lite: Store) -> None:
    for role in ("viewer", "auditor", "analyst", "admin"):
        scope = scope_of(role, actor="user:x")
        bar = fill(context_of(lite, scope), scope, PageRow("any", "see.desk", lambda city, view: [], ()), {"path": "/", "query": {}})[0]
        shown = {str(node.href).partition("?")[0] for node in nodes(bar) if getattr(node, "className", "") == "d-nav-link"}
        assert shown & {row.path for row in NAV} == {row.path for row in NAV if scope.permits(row.permission)}, role
    assert [row.path for row in NAV if row.permission == "see.audit"] == ["/audit"]


def test_a_page_that_waits_for_a_writer_holds_up_nobody_else(
    lite: Store, live_server: Callable[..., LiveServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audited, "PATIENCE_S", 3.0)
    url = live_server(make_app(CONFIG, lite, now=lambda: NOW).server).url
    outputs = [{"id": f"dossier-{part}", "property": "children"} for part in ("bar", "body")]
    opened = {"path": "/dossiers/one_stop~H99-0001", "query": {}}
    asked = {
        "output": "..dossier-bar.children...dossier-body.children..", "outputs": outputs, "changedPropIds": [],
        "inputs": [
            {"id": {"type": "desk-opened", "page": "dossier"}, "property": "data", "value": opened},
            {"id": "dossier-refresh", "property": "data", "value": 0},
        ],
    }
    httpx.get(f"{url}/dossiers")
    with ThreadPoolExecutor(1) as other, lite.writing():
        page = other.submit(httpx.post, f"{url}/_dash-update-component", json=asked, headers={"Origin": url}, timeout=30)
        answered = 0
        while not wait((page,), timeout=0.05).done:  # no faster than the gate lets one address ask
            assert httpx.get(f"{url}/healthz", timeout=2).status_code == 200
            answered += 1
    assert answered > 10 and t("error.not_recorded", "vi") in page.result().json()["response"]["dossier-body"]["children"].__repr__()


def test_an_auditor_narrows_the_trail_and_verifies_it(
    lite: Store, live_server: Callable[..., LiveServer], page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lite, 60)
    monkeypatch.setattr(application, "scope_reader", lambda *_: lambda request: AUDITOR)
    shown = page((1440, 900))
    shown.goto(live_server(make_app(CONFIG, lite, now=lambda: NOW).server).url + "/audit")
    expect(shown.locator(".d-table tbody tr")).to_have_count(50)
    shown.get_by_role("link", name=t("desk.next_page", "vi")).click()
    expect(shown.locator(".d-table tbody tr")).to_have_count(10)
    shown.get_by_role("searchbox").fill("H99-0007")
    shown.get_by_role("searchbox").press("Enter")
    expect(shown.locator(".d-table tbody tr")).to_have_count(1)
    assert "subject=H99-0007" in shown.url
    shown.get_by_role("button", name=t("audit.verify", "vi")).click()
    expect(shown.locator("[data-chain=fresh]")).to_be_visible()
    expect(shown.locator(".d-table tbody tr")).to_have_count(1)
