"""Pushes over real HTTP on both engines: keys, portal sessions, limits, rejects, replay, garbage."""

from __future__ import annotations

import gzip
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from api.errors import ApiError
from api.ingest import kind_of
from api.limits import Limits, RateLimiter, inflate, read_json
from api.routes import mount
from auth import make_feed_key, scope_reader
from components.context import AppContext
from config import Config, FeedConfig
from store.days import instant
from store.engine import Store, open_store
from store.keys import PROGRAM, add_key, check_key, digest, list_keys, revoke_key
from store.migrate import migrate
from tests.servers import LiveServer

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
LIMITS = Limits(body_bytes=200_000, inflated_bytes=500_000, depth=12, items=2000, rate_per_s=1000, burst=100_000)
CONFIG = Config(
    name="T",
    feeds=(
        FeedConfig("one_stop", "one_stop", "portal", username="adapter", password="mật khẩu", personal=("ChuHoSo",)),
        FeedConfig(
            "desk",
            "one_stop",
            "csv",
            fields={
                "source_id": {"from": "id", "required": True},
                "received_at": {"from": "received", "date": ["iso"]},
                "agency": {"from": "agency"},
            },
        ),
        FeedConfig("reports", "feedback", "open311"),
        FeedConfig("air", "sensors", "sensorthings"),
        FeedConfig("map", "areas", "geojson"),
        FeedConfig("off", "feedback", "open311", enabled=False),
    ),
)


@dataclass
class Gate:
    """A running ingest over one store; `moment` is its clock."""

    url: str
    store: Store
    keys: dict[str, str]
    moment: datetime = NOW

    def post(self, feed: str, body: Any, *, key: str | None = None, **options: Any) -> httpx.Response:
        """Push; a key of the feed unless another is given ('' = none). Bytes go as they are, the rest as JSON."""
        headers = {"Authorization": f"Bearer {self.keys[feed] if key is None else key}"} if key != "" else {}
        headers |= options.pop("headers", {})
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
        return httpx.post(f"{self.url}/ingest/{feed}", content=content, headers=headers, timeout=60, **options)

    def count(self, table: str) -> int:
        with self.store.reading() as connection:
            return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def open_gate(live_server: Callable[..., LiveServer], url: str, limits: Limits = LIMITS) -> Gate:
    """Ingest alone, on a migrated store, with one key per feed."""
    store = open_store(url, TZ)
    migrate(store)
    keys = {feed.key: make_feed_key() for feed in CONFIG.feeds}
    for feed, key in keys.items():
        add_key(store, feed, key, "test", PROGRAM, instant(NOW))
    gate = Gate("", store, keys)
    server = FastAPI()
    clock = lambda: gate.moment  # noqa: E731  a clock the test can set
    context = AppContext(CONFIG, store, clock, scope_reader(CONFIG, store, clock))
    mount(server, context, build_frame=lambda city, lang: {}, limits=limits)
    gate.url = live_server(server).url
    return gate


@pytest.fixture
def gate(live_server: Callable[..., LiveServer], engine_url: str) -> Iterator[Gate]:
    """A fresh gate, once on each engine."""
    gate = open_gate(live_server, engine_url)
    yield gate
    gate.store.dispose()


@pytest.fixture
def sqlite_gate(live_server: Callable[..., LiveServer], sqlite_database: str) -> Iterator[Gate]:
    gate = open_gate(live_server, sqlite_database)
    yield gate
    gate.store.dispose()


def wire(number: int, **values: str) -> dict[str, str]:
    """A dossier as the portal format sends it."""
    return {
        "MaHoSo": f"H99-261102-{number:04}",
        "MaTTHC": "1.1",
        "MaLinhVuc": "L1",
        "NgayTiepNhan": "20261102080000",
        "NgayHenTra": "20261112170000",
        "TrangThaiHoSo": "4",
        "DonViXuLy": "Sở A",
        "ChuHoSo": "Nguyễn Văn Kín",
        **values,
    }


def envelope(*items: Any, session: str = "", **values: Any) -> dict[str, Any]:
    return {"session": session, "madonvi": "H99", "service": "DongBoHoSoMC", "isUpdating": "False", "data": list(items), **values}


def login(gate: Gate, password: str = "mật khẩu") -> httpx.Response:
    return httpx.post(f"{gate.url}/ingest/one_stop/login", json={"username": "adapter", "password": password})


# --- who may push -----------------------------------------------------------------------------------------


def test_a_push_with_a_key_lands_and_a_replay_changes_nothing(gate: Gate) -> None:
    first = gate.post("one_stop", envelope(wire(1), wire(2))).json()
    assert (first["error_code"], first["items"], first["landed"], first["changed"], first["rejected"]) == ("0", 2, 2, 2, 0)
    again = gate.post("one_stop", envelope(wire(1), wire(2))).json()
    assert (again["landed"], again["changed"]) == (2, 0)
    assert gate.count("core_dossier") == gate.count("core_dossier_version") == 2
    assert again["revision"] > 0


@pytest.mark.parametrize("feed", [feed.key for feed in CONFIG.feeds if feed.enabled])
def test_without_a_key_nothing_lands_even_from_this_machine(sqlite_gate: Gate, feed: str) -> None:
    answer = sqlite_gate.post(feed, envelope(wire(1)), key="")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "no_key")
    assert sqlite_gate.count("core_dossier") == sqlite_gate.count("ops_reject") == 0


def test_another_feeds_key_a_wrong_one_and_a_revoked_one_are_refused(gate: Gate) -> None:
    revoke_key(gate.store, next(key.id for key in list_keys(gate.store) if key.feed == "reports"), PROGRAM, instant(NOW))
    for feed, key in (("one_stop", gate.keys["desk"]), ("one_stop", make_feed_key()), ("reports", gate.keys["reports"])):
        answer = gate.post(feed, envelope(wire(1)), key=key)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_key")


def test_the_key_may_stand_in_its_own_header(sqlite_gate: Gate) -> None:
    answer = sqlite_gate.post("one_stop", envelope(wire(1)), key="", headers={"X-Feed-Key": sqlite_gate.keys["one_stop"]})
    assert answer.json()["landed"] == 1


def test_keys_and_sessions_are_stored_as_digests_only(gate: Gate) -> None:
    session = login(gate).json()["session"]
    with gate.store.reading() as connection:
        kept = [
            *connection.execute(text("SELECT key_hash FROM ops_feed_key")).scalars(),
            *connection.execute(text("SELECT session_hash FROM ops_feed_session")).scalars(),
        ]
    assert digest(session) in kept and digest(gate.keys["desk"]) in kept
    assert not {session, *gate.keys.values()} & set(kept)
    assert check_key(gate.store, "desk", gate.keys["desk"], instant(NOW)) is not None
    assert len({make_feed_key() for _ in range(100)}) == 100 and len(make_feed_key()) >= 43


def test_the_portal_logs_in_and_pushes_with_its_session_until_it_expires(gate: Gate) -> None:
    answer = login(gate).json()
    assert answer["error_code"] == 0
    pushed = gate.post("one_stop", envelope(wire(1), session=answer["session"]), key="").json()
    assert (pushed["error_code"], pushed["landed"]) == ("0", 1)
    gate.moment = NOW + timedelta(hours=9)
    late = gate.post("one_stop", envelope(wire(2), session=answer["session"]), key="")
    assert (late.status_code, late.json()["error_code"]) == (401, "1")


def test_a_wrong_password_and_a_feed_without_login_give_no_session(sqlite_gate: Gate) -> None:
    assert login(sqlite_gate, "wrong").status_code == 403
    assert httpx.post(f"{sqlite_gate.url}/ingest/reports/login", json={"username": "", "password": ""}).status_code == 404
    for body in (b"[]", b"{}", b"garbage", b'{"username":1,"password":2}'):
        answer = httpx.post(f"{sqlite_gate.url}/ingest/one_stop/login", content=body)
        assert (answer.status_code, answer.json()["error_code"]) == (400, 1)


def test_an_unknown_feed_and_one_switched_off_say_so(sqlite_gate: Gate) -> None:
    assert sqlite_gate.post("nobody", [], key="x").json()["error"]["code"] == "unknown_feed"
    assert sqlite_gate.post("off", []).json()["error"]["code"] == "feed_off"
    assert httpx.get(f"{sqlite_gate.url}/ingest/desk").status_code == 404


# --- what lands -------------------------------------------------------------------------------------------


def test_good_rows_land_and_each_bad_one_is_told_with_its_remedy(gate: Gate) -> None:
    answer = gate.post(
        "one_stop", envelope(wire(1), wire(2, NgayHenTra="tomorrow"), "text"), headers={"Accept-Language": "en"}
    ).json()
    assert (answer["error_code"], answer["items"], answer["landed"], answer["rejected"]) == ("0", 3, 1, 2)
    told = answer["rejects"][0]
    assert (told["item"], told["field"], told["reason"], told["value"]) == (
        "H99-261102-0002",
        "NgayHenTra",
        "bad_date",
        "tomorrow",
    )
    assert told["remedy"].startswith("Send dates as")
    assert "Kín" not in json.dumps(answer, ensure_ascii=False)
    with gate.store.reading() as connection:
        assert not any("Kín" in row for row in connection.execute(text("SELECT payload FROM ops_reject")).scalars())


def test_a_push_that_lands_nothing_is_an_error_to_the_portal(sqlite_gate: Gate) -> None:
    answer = sqlite_gate.post("one_stop", envelope(wire(1, NgayTiepNhan="x")))
    assert (answer.status_code, answer.json()["error_code"], answer.json()["rejected"]) == (200, "1", 1)


def test_steps_and_the_gateways_bare_array_land(gate: Gate) -> None:
    assert (
        httpx.post(
            f"{gate.url}/ingest/one_stop?service=DongBoHoSoMC&MaDinhDanhDV=H99",
            json=[wire(1)],
            headers={"X-Feed-Key": gate.keys["one_stop"]},
        ).json()["landed"]
        == 1
    )
    step = {"MaHoSo": "H99-261102-0001", "ThoiDiemXuLy": "20261103080000", "NoiDungXuLy": "Thẩm định", "TrangThai": "4"}
    assert gate.post("one_stop", envelope(step, service="CapNhatTienDoHoSoMC")).json()["landed"] == 1
    assert gate.count("core_dossier_step") == 1


def test_csv_lands_as_a_file_would_and_leaves_the_cursor_alone(gate: Gate) -> None:
    body = "id,received,agency\n1,2026-11-02T08:00:00+07:00,Sở A\n2,never,Sở B\n".encode()
    answer = gate.post("desk", body, headers={"Content-Type": "text/csv; charset=utf-8"}).json()
    assert (answer["items"], answer["landed"], answer["rejected"]) == (2, 1, 1)
    with gate.store.reading() as connection:
        assert connection.execute(text("SELECT cursor FROM ops_feed WHERE feed = 'desk'")).scalar() is None
    assert gate.post("desk", [{"id": "3", "received": "2026-11-02T08:00:00+07:00"}]).json()["landed"] == 1


def test_a_csv_body_that_cannot_be_read_is_told_without_our_paths(sqlite_gate: Gate) -> None:
    answer = sqlite_gate.post("desk", b"PK\x03\x04" + bytes(range(256)) * 4, headers={"Content-Type": "text/csv"})
    assert answer.status_code in (200, 400)
    assert "/tmp" not in answer.text and "toancanh-" not in answer.text


def test_reports_sensors_and_areas_are_pushed_as_json(gate: Gate) -> None:
    report = {
        "service_request_id": "1",
        "status": "open",
        "service_name": "rác",
        "requested_datetime": "2026-11-02T08:00:00+07:00",
    }
    assert gate.post("reports", {"service_requests": [report]}).json()["landed"] == 1
    thing = {
        "@iot.id": 1,
        "name": "S1",
        "Locations": [],
        "Datastreams": [
            {"@iot.id": 7, "name": "pm25", "unitOfMeasurement": {"symbol": "ug/m3"}, "ObservedProperty": {"name": "pm25"}}
        ],
    }
    assert gate.post("air", {"value": [thing]}).json()["landed"] == 2
    one = {"phenomenonTime": "2026-11-20T02:00:00Z", "result": 12.5, "Datastream": {"@iot.id": 7}}
    block = {"Datastream": {"@iot.id": 7}, "value": [{"phenomenonTime": "2026-11-20T01:00:00Z", "result": 11}]}
    assert gate.post("air", one).json()["landed"] == gate.post("air", block).json()["landed"] == 1
    square = {"type": "Polygon", "coordinates": [[[105, 21], [106, 21], [106, 22], [105, 21]]]}
    feature = {"type": "Feature", "properties": {"code": "1", "name": "A"}, "geometry": square}
    assert gate.post("map", {"type": "FeatureCollection", "features": [feature]}).json()["landed"] == 1
    assert (gate.count("core_report"), gate.count("core_reading"), gate.count("core_area")) == (1, 2, 1)


def test_things_are_told_from_observations(gate_feed: FeedConfig = CONFIG.feeds[3]) -> None:
    assert kind_of(gate_feed, [{"@iot.id": 1, "Locations": []}]) == "things"
    assert kind_of(gate_feed, [{"result": 1}]) == kind_of(gate_feed, []) == "observations"


def test_gzip_is_read(gate: Gate) -> None:
    body = gzip.compress(json.dumps(envelope(wire(1))).encode()) + gzip.compress(b"  ", mtime=0)
    assert gate.post("one_stop", body, headers={"Content-Encoding": "gzip"}).json()["landed"] == 1


def test_pushes_side_by_side_all_land(gate: Gate) -> None:
    found: list[int] = []
    threads = [
        threading.Thread(
            target=lambda n=n: found.append(gate.post("one_stop", envelope(*(wire(n * 10 + i) for i in range(10)))).status_code)
        )
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 12
    assert gate.count("core_dossier") == 120


# --- limits -----------------------------------------------------------------------------------------------


def test_broken_json_is_told_with_its_position(sqlite_gate: Gate) -> None:
    error = sqlite_gate.post("reports", b'[\n{"a": 1,}]').json()["error"]
    assert error["code"] == "bad_json" and "line 2, column 8" in error["message"]
    assert sqlite_gate.post("one_stop", b"{").json()["error_code"] == "1"


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b" " * 200_001, {}, 413, "too_large"),
        (b"[" * 100 + b"]" * 100, {}, 400, "too_deep"),
        (b"7", {}, 400, "bad_body"),
        (b"[]", {"Content-Encoding": "br"}, 415, "encoding"),
        (b"[]", {"Content-Type": "text/csv"}, 415, "media_type"),
        (b"[]", {"Content-Type": "image/png"}, 415, "media_type"),
        (b"[]", {"Content-Type": "application/json; charset=utf-16"}, 415, "charset"),
        (b"plain", {"Content-Encoding": "gzip"}, 400, "bad_gzip"),
        (gzip.compress(b"[]", mtime=0)[:-4], {"Content-Encoding": "gzip"}, 400, "bad_gzip"),
        (gzip.compress(b" " * 600_000, mtime=0), {"Content-Encoding": "gzip"}, 413, "too_large"),
        (b"[" + b"1," * 2500 + b"1]", {}, 413, "too_many_items"),
        (b"\xff\xfe[]", {}, 400, "bad_json"),
    ],
)
def test_what_is_too_much_or_unreadable_is_refused(
    sqlite_gate: Gate, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = sqlite_gate.post("reports", body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["remedy"]


def test_a_body_of_no_stated_length_is_cut_at_the_limit(sqlite_gate: Gate) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 50_000_000:
            sent += 65_536
            yield b" " * 65_536

    headers = {"X-Feed-Key": sqlite_gate.keys["reports"]}
    try:
        answer = httpx.post(f"{sqlite_gate.url}/ingest/reports", content=endless(), headers=headers, timeout=30)
        assert answer.status_code == 413
    except httpx.TransportError:
        pass  # the server may close while the client is still sending
    assert sent < 50_000_000


def test_a_bomb_is_not_inflated_into_memory() -> None:
    with pytest.raises(ApiError, match="inflated"):
        inflate(gzip.compress(b"\0" * 50_000_000, mtime=0), 1_000_000)


def test_depth_costs_no_stack() -> None:
    with pytest.raises(ApiError):
        read_json(b"[" * 900 + b"]" * 900, LIMITS)
    with pytest.raises(ApiError):
        read_json(b"[" * 100_000, LIMITS)


def test_a_bucket_empties_and_fills_with_time() -> None:
    now = [0.0]
    limiter = RateLimiter(Limits(rate_per_s=2, burst=3), lambda: now[0])
    for _ in range(3):
        limiter.take("a")
    with pytest.raises(ApiError) as fault:
        limiter.take("a")
    assert (fault.value.status, fault.value.headers["Retry-After"]) == (429, "1")
    limiter.take("b")
    now[0] = 0.6
    limiter.take("a")


def test_a_key_that_pushes_too_fast_is_told_to_wait(live_server: Callable[..., LiveServer], sqlite_database: str) -> None:
    gate = open_gate(live_server, sqlite_database, replace(LIMITS, rate_per_s=0.01, burst=2))
    assert [gate.post("reports", []).status_code for _ in range(3)] == [200, 200, 429]
    assert gate.post("desk", []).status_code == 200
    gate.store.dispose()


def test_a_locked_store_is_told_with_503_and_the_push_can_be_repeated(sqlite_gate: Gate) -> None:
    path = str(sqlite_gate.store.engine.url.database)
    with sqlite_gate.store.reading() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=10")  # the pool's one idle connection
    blocker = sqlite3.connect(path, isolation_level=None)
    try:
        blocker.execute("BEGIN EXCLUSIVE")
        answer = sqlite_gate.post("one_stop", envelope(wire(1)))
        assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error_code"]) == (503, "store_away", "-1")
        assert int(answer.headers["retry-after"]) > 0
    finally:
        blocker.close()
    assert sqlite_gate.post("one_stop", envelope(wire(1))).json()["landed"] == 1


# --- garbage ----------------------------------------------------------------------------------------------

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["", "\0", "20261102080000", "99999999999999", "00000101000000", "2026-11-02", "NaN", "1e999", "H99-1", "\ud800"]
    )
)
_NAMES = st.sampled_from(
    [
        *wire(1),
        "NgayNopHoSo",
        "NgayTra",
        "NgayKetThucXuLy",
        "DanhSachHoSoBoSung",
        "NgayBoSung",
        "TaiLieuNop",
        "data",
        "service",
        "session",
        "service_request_id",
        "status",
        "requested_datetime",
        "lat",
        "long",
        "@iot.id",
        "name",
        "Datastreams",
        "Locations",
        "location",
        "result",
        "phenomenonTime",
        "Datastream",
        "value",
        "dataArray",
        "components",
        "unitOfMeasurement",
        "type",
        "properties",
        "geometry",
        "coordinates",
        "code",
        "id",
        "received",
        "agency",
        "features",
        "items",
        "succession",
        "isUpdating",
        "madonvi",
    ]
) | st.text(max_size=5)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=6), max_leaves=25
)
_ITEMS = st.lists(st.dictionaries(_NAMES, _VALUES, max_size=8) | _VALUES, max_size=4)
_KINDS = st.sampled_from(["", "DongBoHoSoMC", "CapNhatTienDoHoSoMC", "DongBoTrangThaiHoSo", "things", "observations", "stations"])


@pytest.fixture
def fuzzed(gate: Gate) -> Gate:
    return gate


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=_ITEMS, kind=_KINDS, feed=st.sampled_from([feed.key for feed in CONFIG.feeds if feed.enabled]))
def test_no_json_whatsoever_breaks_the_server(fuzzed: Gate, items: Any, kind: str, feed: str) -> None:
    body = envelope(*items, **({"service": kind} if kind.startswith(("Dong", "Cap")) else {})) if feed == "one_stop" else items
    content = json.dumps(body, ensure_ascii=True).replace("NaN", "null").replace("Infinity", "1e999").encode()
    answer = fuzzed.post(feed, content, params={"kind": kind})
    assert answer.status_code in (200, 400), answer.text
    told = answer.json()
    if answer.status_code == 200:
        assert told["rejected"] == len(told["rejects"])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.binary(max_size=300),
    media=st.sampled_from(["application/json", "text/csv", "", "x"]),
    feed=st.sampled_from([feed.key for feed in CONFIG.feeds if feed.enabled]),
    packed=st.sampled_from(["", "gzip"]),
)
def test_no_bytes_whatsoever_break_the_server(fuzzed: Gate, body: bytes, media: str, feed: str, packed: str) -> None:
    headers = {"Content-Type": media} | ({"Content-Encoding": packed} if packed else {})
    answer = fuzzed.post(feed, body, headers=headers)
    assert answer.status_code in (200, 400, 413, 415), answer.text
    assert answer.json()
