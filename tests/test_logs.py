"""Log lines and figures: one JSON object a line, every answer named, nothing secret or searched in them, the four signals there."""

from __future__ import annotations

import io
import json
import logging
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from app import make_app
from store.engine import open_store
from tests.servers import ROOT
from tests.small_city import CONFIG, NOW, TZ, open_filled
from upkeep.logs import ASKING, begin_request, form_of, masked, set_up

KEY = "tck_" + "aB3-" * 10
SIGNALS = (  # name of the metric family, as docs/operate.md names it
    "toancanh_http_seconds_count", "toancanh_http_in_flight", "toancanh_store_up", "toancanh_store_bytes", "toancanh_wal_bytes",
    "toancanh_disk_free_bytes", "toancanh_fold_backlog_rows", "toancanh_fold_lag_seconds", "toancanh_clock_lag_seconds",
    "toancanh_feed_age_seconds", "toancanh_feed_failing", "toancanh_ingested_rows_total", "toancanh_rejected_rows_total",
    "toancanh_open_rejects", "toancanh_audit_seq", "toancanh_sign_ins_15m", "toancanh_revision", "toancanh_frame_seconds_count",
    "toancanh_brief_mails_total",
)


@pytest.fixture
def written() -> Iterator[Callable[[str], io.StringIO]]:
    """written(form) -> what this process logs from now on; the loggers are as before afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level

    def start(form: str) -> io.StringIO:
        stream = io.StringIO()
        set_up(form, stream)
        return stream

    yield start
    root.handlers[:] = before
    root.setLevel(level)
    ASKING.set(None)


@pytest.fixture
def url(make_database: Callable[..., str], live_server: Callable[..., Any]) -> Iterator[str]:
    store = open_filled("sqlite", make_database)
    yield live_server(make_app(CONFIG, store, now=lambda: NOW).server).url
    store.dispose()


def test_a_json_line_is_one_object_with_utc_time_and_the_fields(written: Callable[[str], io.StringIO]) -> None:
    stream = written("json")
    begin_request("proxy-id-0001", lambda: "user:an")
    logging.getLogger("toancanh.x").info("hai\ndòng", extra={"feed": "air", "ms": 3.2})
    (line,) = stream.getvalue().splitlines()
    told = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told.pop("time"))
    assert told == {
        "level": "info", "logger": "toancanh.x", "message": "hai\ndòng", "request": "proxy-id-0001", "actor": "an", "ms": 3.2,
        "feed": "air",
    }


def test_a_plain_line_has_the_same_fields(written: Callable[[str], io.StringIO]) -> None:
    stream = written("text")
    begin_request("proxy-id-0001", lambda: "user:an")
    logging.getLogger("toancanh.x").warning("late", extra={"feed": "air"})
    assert re.fullmatch(r"\S+ \S+Z WARNING toancanh\.x late request=proxy-id-0001 actor=an feed=air\n", stream.getvalue())


def test_a_trace_stays_in_its_object(written: Callable[[str], io.StringIO]) -> None:
    stream = written("json")
    try:
        raise ValueError(f"password={KEY}")
    except ValueError:
        logging.getLogger("x").exception("it failed")
    (line,) = stream.getvalue().splitlines()
    assert "ValueError" in json.loads(line)["trace"]
    assert KEY not in line


@pytest.mark.parametrize("secret", (KEY, "hunter2secret", "dXNlcjpwYXNz"))
def test_what_stands_where_a_secret_stands_is_masked(secret: str) -> None:
    for line in (
        f"Authorization: Bearer {secret}", f"password: {secret}", f"token='{secret}'", f'{{"api_key": "{secret}"}}',
        f"cannot reach postgresql://u:{secret}@h/db", f"GET /dossiers?q={secret} 200", f"read http://source.vn/api?key={secret}&x=1",
    ):
        assert secret not in masked(line), line


@pytest.mark.parametrize("told", (KEY, "an.nguyen@example.gov.vn", "0912 345 678", "0912345678", "+84912345678", "001203004567"))
def test_keys_and_peoples_numbers_are_masked_wherever_they_stand(told: str) -> None:
    assert masked(f"rejected {told}.") == "rejected ***."


@pytest.mark.parametrize(
    "line",
    (
        "feed air: 1200 rows landed in 0.512 s", "revision 000123 of 2026-11-20 09:12:33", "toancanh.ingest turn failed",
        "answered 127.0.0.1:8050 /api/v1/kpis", "dossier H99.1-251120-0001",
    ),
)
def test_what_operators_need_is_left_as_it_is(line: str) -> None:
    assert masked(line) == line


def test_an_unknown_form_is_refused_and_the_environment_is_asked() -> None:
    assert (form_of({}), form_of({"TOANCANH_LOG": "json"}), form_of({"TOANCANH_LOG": "json"}, "text")) == ("text", "json", "text")
    with pytest.raises(ValueError, match="text, json"):
        set_up("xml")


def test_every_answer_has_the_id_of_its_line(url: str, written: Callable[[str], io.StringIO]) -> None:
    stream = written("json")
    plain = httpx.get(f"{url}/api/v1/kpis?keys=dossiers_open")
    own = httpx.get(f"{url}/api/v1/kpis?keys=nonsense", headers={"X-Request-Id": "from-the-proxy"})
    forged = httpx.get(f"{url}/api/v1/feeds", headers={"X-Request-Id": "two words"})
    lost = httpx.get(f"{url}/no/such/page")
    lines = {row["request"]: row for row in map(json.loads, stream.getvalue().splitlines()) if row["message"] == "answered"}
    told = lines[plain.headers["x-request-id"]]
    assert (told["route"], told["method"], told["status"], told["actor"]) == ("/api/v1/kpis", "GET", 200, "demo")
    assert told["ms"] > 0
    assert own.headers["x-request-id"] == "from-the-proxy" and lines["from-the-proxy"]["status"] == 400
    assert re.fullmatch(r"[0-9a-f]{16}", forged.headers["x-request-id"])
    assert lines[lost.headers["x-request-id"]]["route"] == "none"


def test_a_server_started_with_log_json_writes_nothing_else(sqlite_database: str, spawn: Callable[..., Any]) -> None:
    server = spawn("serve", "--store", sqlite_database, "--log", "json")
    httpx.get(f"{server.url}/dossiers")
    assert server.kill(signal.SIGTERM) is not None
    lines = [json.loads(line) for line in server.lines]
    assert "/dossiers" in [line.get("route") for line in lines]


def test_what_is_searched_for_is_in_no_line(url: str, written: Callable[[str], io.StringIO]) -> None:
    stream = written("json")
    httpx.get(f"{url}/api/v1/reports?text=NguyenVanAn&q=0912345678")
    httpx.get(f"{url}/reports?q=NguyenVanAn")
    assert "answered" in stream.getvalue()
    assert "NguyenVanAn" not in stream.getvalue() and "0912345678" not in stream.getvalue()


def test_the_four_signals_are_told_and_named_in_the_manual(url: str) -> None:
    httpx.get(f"{url}/dossiers")
    httpx.get(f"{url}/no/such/page")
    text = httpx.get(f"{url}/metrics").text
    manual = (ROOT / "docs" / "operate.md").read_text("utf-8")
    assert [name for name in SIGNALS if f"\n{name}" not in text] == []
    assert [name for name in SIGNALS if name.removesuffix("_count").removesuffix("_total") not in manual] == []
    assert 'toancanh_http_seconds_count{group="page",method="GET",route="/dossiers",status="200"}' in text
    assert 'toancanh_http_in_flight{group="metrics"} 1.0' in text


def test_what_strangers_ask_for_makes_no_new_label(url: str) -> None:
    def labels() -> set[str]:
        return set(re.findall(r'route="([^"]*)"', httpx.get(f"{url}/metrics").text))

    for number in range(3):
        httpx.get(f"{url}/nothing/{number}")
        httpx.get(f"{url}/api/v1/dossiers/x{number}?feed=one_stop")
        httpx.get(f"{url}/dossiers/x{number}")
        httpx.get(f"{url}/assets/x{number}.js")
    assert not any(re.search(r"x?\d$", label.removeprefix("/api/v1")) for label in labels()), labels()


def test_figures_of_people_come_from_the_trail(make_database: Callable[..., str], live_server: Callable[..., Any]) -> None:
    from store.audit import Entry, record  # what the other tests look at must not be written to
    from store.days import instant
    from store.migrate import migrate

    store = open_store(make_database("sqlite"), TZ)
    migrate(store)
    for action, seconds in (("sign_in.failed", 60), ("sign_in.failed", 120), ("sign_in.ok", 10), ("sign_in.failed", 3600)):
        record(store, Entry(instant(NOW) - seconds * 1_000_000, "user:an", action))
    text = httpx.get(f"{live_server(make_app(CONFIG, store, now=lambda: NOW).server).url}/metrics").text
    assert 'toancanh_sign_ins_15m{outcome="failed"} 2.0' in text
    assert 'toancanh_sign_ins_15m{outcome="ok"} 1.0' in text
    assert "toancanh_audit_seq 4.0" in text
    store.dispose()
