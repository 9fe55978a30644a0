"""Attack: statements, wildcards, templates, markup, paths and monsters in every place a request has for a value."""

from __future__ import annotations

import json
import pkgutil
import socket
from importlib import import_module
from itertools import product
from typing import Any

import pytest

import callbacks
from api.routes import ROUTES
from api.tables import TABLE_FORMATS
from callbacks import desk
from components.desk_links import View
from metrics.city.findings import signals
from metrics.city.numbers import definitions
from metrics.city.weekly import asking
from metrics.kpis import SUBJECTS, kpi
from scope import ROLES
from tests.attacks.conftest import World, ask, fill
from text import t

SQL = ("' OR '1'='1", "'; DROP TABLE core_dossier; --", "x' UNION SELECT password_hash FROM ops_user --", '" OR ""="', "\\' OR 1=1 --")
WILD = ("%", "_", "*", "%%%", "[a-z]%")
ODD = ("\0", "9" * 400, "-1", "1e400", "NaN", "٣", "\udcff", "😀" * 50, "\u202e", "\r\nSet-Cookie: a=b", " ")
CODE = (
    "{{7*7}}", "${7*7}", "<script>alert(1)</script>", "javascript:alert(1)", "../../../etc/passwd", "..%2f..%2fapp.py", "$(id)", "%s%n{0}",
)
ALL = (*SQL, *WILD, *ODD, *CODE)
FEW = (*SQL[:2], *WILD[:2], *ODD, CODE[2])
# what an engine itself may take another way; the rest is refused or meant before one is asked, whichever it is
OF_ENGINES = (*SQL[:2], WILD[0], *ODD[:4], ODD[6])
HOSTILE = (SQL[0], "\0", "9" * 400)  # what a page's address is tried with
READS = tuple(route for route in ROUTES if route.answer)
PLACES = [(route, parameter.name) for route in READS for parameter in route.parameters]
# a made-up value of these means no row at all; of the others it may be refused, or mean nothing
NARROWING = ("q", "agency", "area", "domain", "category", "procedure", "channel", "feed", "station", "property", "kind")
NAMES = (
    "state", "status", "procedure", "channel", "period", "q", "agency", "area", "domain", "feed", "late_rule", "cursor", "kind",
    "category", "lang", "property", "actor", "action", "since",
)
# forms whose lines always stand, and what would be in them if rows had come; the catalogue is searched in words, "%" is one of them
STANDING = {
    "/api/v1/form-06a": ("in_hand", "received_online", "finished", "in_progress"), "/api/v1/score": ("n",), "/api/v1/catalogue": (),
}
# answers of many figures: one figure of each room of SQL stands for all of them once the first value was tried on the whole
ONE_OF_EACH = {
    "/api/v1/kpis": "dossiers_overdue,reports_overdue,vn_aqi,feeds_fresh_pct", "/api/v1/signals": "dossiers_received,reports_received",
}
# and of the pages that draw every figure
SOME = {key: kpi(key) for key in ("dossiers_overdue", "dossiers_received", "reports_overdue", "vn_aqi", "feeds_fresh_pct")}
PAGES = tuple(
    page for row in pkgutil.iter_modules(callbacks.__path__) for page in getattr(import_module(f"callbacks.{row.name}"), "PAGES", ())
)
ITEMS = {"dossier": "/dossiers/one_stop~H0", "report": "/reports/feedback~R0", "station": "/stations/air~S", "feed": "/feeds/one_stop"}


def someone(permission: str) -> str:
    """A role that has it."""
    return next(role.key for role in reversed(ROLES) if permission in role.permissions)


def draw_some_figures(patch: pytest.MonkeyPatch) -> None:
    """From here on the pages of every KPI draw SOME; KPIs by name stay all known."""
    patch.setattr(definitions, "SUBJECTS", {name: tuple(row for row in rows if row.key in SOME) for name, rows in SUBJECTS.items()})
    patch.setattr(desk, "GROUPS", tuple((group, keys[:1]) for group, keys in desk.GROUPS))
    for room in (signals, asking):
        patch.setattr(room, "KPIS", tuple(SOME.values()))


def quoted(value: str) -> bytes:
    """As it can stand in a query; lone surrogates as the bytes they are."""
    return "".join(f"%{byte:02x}" for byte in value.encode("utf-8", "surrogateescape")).encode()


@pytest.mark.parametrize(("route", "name"), PLACES, ids=[f"{route.path}-{name}" for route, name in PLACES])
def test_no_value_of_a_filter_brings_rows_or_breaks_the_api(both: World, route: Any, name: str) -> None:
    path = route.path.replace("{key:path}", "H0-zagin-zarin")
    faults = []
    with both.client("auditor" if "audit" in path else "operator") as client:
        for value in FEW if both.store.is_sqlite else OF_ENGINES:
            figures = ONE_OF_EACH.get(path) if value != FEW[0] and name != "keys" else None
            answer = client.get(f"{path}?{name}={quoted(value).decode()}" + (f"&keys={figures}" if figures else ""))
            if answer.status_code not in (200, 400, 404):
                faults.append((value, answer.status_code, answer.text[:200]))
            if answer.status_code == 200 and route.form:  # a file: what is in it is tests/test_brief_files.py's
                continue
            said = answer.json()
            if answer.status_code == 200 and name in NARROWING and isinstance(said, dict) and value.strip():
                shows = STANDING.get(route.path)
                came = [row for row in said.get("items", ()) if shows is None or any(row.get(one) for one in shows)]
                if came:
                    faults.append((value, "rows came", came[:1]))
            if "Traceback" in answer.text or "sqlite" in answer.text.lower() or "psycopg" in answer.text.lower():
                faults.append((value, "internals", answer.text[:200]))
            if answer.headers["content-type"] != "application/json" or "set-cookie" in answer.headers:
                faults.append((value, "headers", dict(answer.headers)))
    assert not faults
    with both.client("operator") as client:
        assert client.get("/api/v1/dossiers").json()["total"] > 0, "the table is still there"


@pytest.mark.parametrize("route", [route for route in READS if "{" in route.path], ids=lambda route: route.path)
def test_no_id_in_a_path_reaches_another_row(both: World, route: Any) -> None:
    with both.client("operator") as client:
        for value in ALL:
            answer = client.get(route.path.replace("{key:path}", quoted(value).decode()))
            # a path that is only blank is the list itself
            assert answer.status_code in (400, 404), (value, answer.status_code, answer.text[:200])


@pytest.mark.parametrize("form", TABLE_FORMATS)
def test_no_export_is_widened_by_a_wildcard(both: World, form: str) -> None:
    with both.client("operator") as client:
        empty = client.get(f"/api/v1/dossiers.{form}", params={"q": "there is no such number"})
        for value in (*WILD, *SQL[:2]):
            answer = client.get(f"/api/v1/dossiers.{form}", params={"q": value})
            assert answer.status_code in (200, 400) and len(answer.content) <= len(empty.content) + 200, value


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_value_in_a_pages_address_breaks_its_callback(both: World, page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All parameters at once, then alone each that this page asks its address for: the others reach its links only.

    What it asks for is noted while it is filled, so that a parameter nobody listed here is tried too. Every figure meets the first value;
    one of each room of SQL meets the others.
    """
    broken = (t("error.server", "vi"), json.dumps(t("error.server", "vi"))[1:-1])
    path = ITEMS.get(page.name, "/" if page.name == "desk" else f"/{page.name}")
    asked = {"lang", "period", "late_rule", "compare"}  # every page's: read as soon as it is opened
    get = View.get
    monkeypatch.setattr(View, "get", lambda view, name: (asked.add(name), get(view, name))[1])
    faults = []
    with both.client(someone(page.permission)) as client:

        def try_them(value: str, *names: str) -> None:
            answer = fill(client, page.name, path, **dict.fromkeys(names, value))
            if answer.status_code != 200 or any(words in answer.text for words in broken):
                faults.append((names, value[:20], answer.status_code))

        assert fill(client, page.name, path).status_code == 200
        for value in HOSTILE:
            try_them(value, *{*NAMES, *asked})
            draw_some_figures(monkeypatch)
        for name, value in product(sorted(asked), HOSTILE):
            try_them(value, name)
    assert not faults


@pytest.mark.parametrize("page", ["dossier", "report", "station", "feed"])
def test_no_id_in_a_pages_path_breaks_its_callback(both: World, page: str) -> None:
    with both.client("operator") as client:
        for value in (*SQL, *ODD, *CODE):
            wild = quoted(value).decode()
            for path in (f"/{page}s/one_stop~{wild}", f"/{page}s/{wild}", f"/{page}s/{wild}~{wild}"):
                answer = fill(client, page, path)
                assert answer.status_code == 200 and t("error.server", "vi") not in answer.text, (path, answer.status_code)


@pytest.mark.parametrize("value", [
    None, 7, [], {"$ne": ""}, "x", {"path": ["/"]}, {"path": "/", "query": "x"}, {"path": None, "query": None},
])
def test_a_callback_given_other_kinds_of_values_answers_calmly(both: World, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_some_figures(monkeypatch)
    with both.client("operator") as client:
        for page in (row.name for row in PAGES):
            body = {
                "output": f"..{page}-bar.children...{page}-body.children..",
                "outputs": [{"id": f"{page}-bar", "property": "children"}, {"id": f"{page}-body", "property": "children"}],
                "inputs": [{"id": {"type": "desk-opened", "page": page}, "property": "data", "value": value},
                           {"id": f"{page}-refresh", "property": "data", "value": value}],
                "state": [], "changedPropIds": [],
            }
            answer = client.post("/_dash-update-component", json=body)
            assert answer.status_code in (200, 204, 400), (page, answer.status_code)
            assert "Traceback" not in answer.text and ".py" not in answer.text


def test_a_callback_that_fails_tells_a_reference_that_the_log_has(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with world.client("operator") as client:
        answer = ask(client, "wall-page.children", [{"id": "wall-address", "property": "data", "value": 7}], [])
    told = answer.json()
    reference = told["sideUpdate"]["app-fault"]["children"]["props"]["children"].rpartition(" ")[2]
    assert told["response"] == {} and reference in caplog.text and "AttributeError" in caplog.text
    assert "AttributeError" not in answer.text and ".py" not in answer.text


@pytest.mark.parametrize("value", CODE)
def test_nothing_of_an_address_is_written_into_a_page(both: World, value: str) -> None:
    with both.client("operator", Accept="text/html") as client:
        for path in ("/dossiers", "/wall", "/account", "/sign-in", "/nothing"):
            answer = client.get(path, params={"q": value, "next": f"/{value}", "lang": value, "theme": value})
            assert "<script>alert(1)" not in answer.text and "49" not in answer.headers.get("location", "")
            assert 'href="javascript' not in answer.text.lower()


@pytest.mark.parametrize("path", [
    "/assets/../app.py", "/assets/..%2fapp.py", "/assets/%2e%2e/app.py", "/assets/..%5capp.py", "/assets/%2e%2e%2f%2e%2e%2fetc/passwd",
    "/assets//etc/passwd", "/assets/....//app.py", "/assets/desk.css%00.py", "/assets/.%2e/config.py", "/assets/fonts/../../app.py",
    "/_dash-component-suites/dash/../../../app.py", "/_dash-component-suites/dash/..%2f..%2fapp.py", "/_dash-component-suites/os/path.py",
    "/_dash-component-suites/../app.py", "/wall/..%2f..%2fapp.py", "/feeds/..%2f..%2fapp.py", "//etc/passwd", "/./app.py", "/app.py",
    "/.git/config", "/var/store.sqlite", "/static/../app.py", "/api/v1/../../app.py", "/api/v1/dossiers/..%2f..%2f..%2fapp.py",
])
def test_no_path_leads_out_of_the_rooms(world: World, path: str) -> None:
    with socket.create_connection(("127.0.0.1", world.port), timeout=30) as line:  # no client library tidies the path
        token = world.caller("operator").token
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{world.port}\r\nCookie: toancanh_session={token}\r\nConnection: close\r\n\r\n"
        line.sendall(head.encode())
        said = b"".join(iter(lambda: line.recv(65536), b""))
    status = int(said.split()[1])
    assert b"make_app" not in said and b"root:" not in said and b"[core]" not in said and b"SQLite format" not in said
    assert status in (400, 404) or (status == 200 and path.startswith(("/wall/", "/feeds/"))), status
