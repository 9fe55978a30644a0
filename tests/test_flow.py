"""One dossier from wire payload to pixel, through every room once, in the real processes: `cli.py run` and a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Pages
from tests.servers import Spawned, spawn_cli

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
CITY = """
[city]
name = "Tỉnh Thử"
[wall]
scenes = ["one_stop"]
[[feeds]]
key = "one_stop"
role = "one_stop"
protocol = "portal"
title = "Một cửa"
cadence_s = 4
username = "mot-cua"
password = "bi-mat-thu"
"""
OVERDUE = "#one_stop-dossiers_overdue-value"


def stamp(at: datetime) -> str:
    """The portal's date form."""
    return at.astimezone(TZ).strftime("%Y%m%d%H%M%S")


def dossier(number: int, due: datetime) -> dict[str, Any]:
    """A dossier in progress on the wire, with a person's data as they come."""
    received = due - timedelta(days=3)
    return {
        "MaHoSo": f"H99.1-261122-{number:04}", "MaTTHC": "1.004193", "TenTTHC": "Cấp giấy phép xây dựng", "MaLinhVuc": "XD",
        "TenLinhVuc": "Xây dựng", "KenhThucHien": "2", "ChuHoSo": "Nguyễn Thị Mẫu", "SoDienThoai": "0912345678",
        "NgayTiepNhan": stamp(received), "NgayHenTra": stamp(due), "TrangThaiHoSo": "4", "DonViXuLy": "Sở Xây dựng",
        "NgayKetThucXuLy": "", "DanhSachHoSoBoSung": [],
    }


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    (folder / "city.toml").write_text(CITY, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def program(city: Path) -> Iterator[Spawned]:
    """Web and ingest, as `make run` starts them."""
    running = spawn_cli("run", "--city", str(city / "city.toml"), "--store", f"sqlite:///{city / 'store.sqlite'}")
    yield running
    running.close()


class Portal:
    """The province's one-stop system, as the wire describes it."""

    def __init__(self, url: str, due: dict[str, str]) -> None:
        self.due = due  # of every dossier this program was sent, by whichever test
        self.http, self.url = httpx.Client(timeout=30, trust_env=False), f"{url}/ingest/one_stop"
        answer = self.http.post(f"{self.url}/login", json={"username": "mot-cua", "password": "bi-mat-thu"}).json()
        assert str(answer["error_code"]) in ("0", "00"), answer
        self.session = answer["session"]

    def send(self, *data: dict[str, Any]) -> dict[str, Any]:
        self.due.update((item["MaHoSo"], item["NgayHenTra"]) for item in data)
        body = {"session": self.session, "madonvi": "H99", "service": "DongBoHoSoMC", "isUpdating": "False", "data": list(data)}
        answer: dict[str, Any] = self.http.post(self.url, json=body).json()
        assert str(answer["error_code"]) in ("0", "00"), answer
        return answer

    def overdue(self) -> str:
        """How many of those it was sent are overdue by now, as the wall writes it."""
        return str(sum(due < stamp(datetime.now(TZ)) for due in self.due.values()))


@pytest.fixture(scope="module")
def due() -> dict[str, str]:
    return {}


@pytest.fixture
def portal(program: Spawned, due: dict[str, str]) -> Iterator[Portal]:
    found = Portal(program.url, due)
    yield found
    found.http.close()


def open_wall(page: Pages, program: Spawned, **options: Any) -> Page:
    opened = page((1920, 1080), reduced_motion="no-preference", **options)
    opened.goto(f"{program.url}/wall/one_stop?rotate=0")
    expect(opened.locator(".wall[data-seq]")).to_be_visible(timeout=20_000)
    return opened


def shown(opened: Page) -> int:
    """The overdue figure on the wall; -1 while it shows none."""
    words = opened.locator(OVERDUE).inner_text().replace(".", "")
    return int(words) if words.isdigit() else -1


def test_a_posted_dossier_changes_the_open_wall_without_reload(program: Spawned, portal: Portal, page: Pages) -> None:
    past = datetime.now(TZ) - timedelta(hours=1)
    portal.send(dossier(1, past))
    opened = open_wall(page, program)
    expect(opened.locator(OVERDUE)).to_have_text(portal.overdue(), timeout=20_000)  # what was posted before us has arrived
    before = shown(opened)
    opened.evaluate("() => { window.kept = true; }")
    portal.send(dossier(2, past), dossier(3, past))
    expect(opened.locator(OVERDUE)).to_have_text(str(before + 2))
    assert opened.evaluate("() => window.kept") is True


def test_no_row_arrives_the_clock_moves_and_overdue_rises_on_the_wall(program: Spawned, portal: Portal, page: Pages) -> None:
    portal.send(dossier(30, datetime.now(TZ) - timedelta(hours=1)))
    opened = open_wall(page, program)
    expect(opened.locator(OVERDUE)).to_have_text(portal.overdue(), timeout=20_000)  # what was posted before us has arrived
    before = shown(opened)
    portal.send(dossier(10, datetime.now(TZ) + timedelta(seconds=12)))
    expect(opened.locator(OVERDUE)).to_have_text(str(before + 1), timeout=45_000)


def test_screen_api_and_store_say_the_same_number(program: Spawned, portal: Portal, page: Pages) -> None:
    portal.send(dossier(31, datetime.now(TZ) - timedelta(hours=1)))
    opened = open_wall(page, program)
    expect(opened.locator(OVERDUE)).not_to_have_text("–", timeout=15_000)
    asked = {"keys": "dossiers_overdue", "period": "today"}
    answer = httpx.get(f"{program.url}/api/v1/kpis", params=asked, trust_env=False).json()
    expect(opened.locator(OVERDUE)).to_have_text(str(int(answer[0]["value"])), timeout=15_000)


def test_no_person_is_in_any_answer(program: Spawned, portal: Portal) -> None:
    portal.send(dossier(20, datetime.now(TZ) - timedelta(hours=1)))
    for path in ("/api/v1/dossiers", "/dossiers", "/api/v1/feeds", "/api/v1/kpis?period=today"):
        words = httpx.get(program.url + path, trust_env=False).text
        assert "Nguyễn Thị Mẫu" not in words and "0912345678" not in words, path


def test_a_wall_outlives_its_server(city: Path, page: Pages, spawn: Callable[..., Spawned]) -> None:
    """20 s without a server: the last frame stays, ages and marks go on, live again after the return (how soon: docs/performance.md)."""
    folder = city / "outage"
    folder.mkdir()
    store = ("--city", str(city / "city.toml"), "--store", f"sqlite:///{folder / 'store.sqlite'}")
    first = spawn("run", *store)
    portal = Portal(first.url, {})
    portal.send(dossier(1, datetime.now(TZ) - timedelta(hours=1)))
    portal.http.close()
    away = ("ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_INCOMPLETE_CHUNKED", "ERR_EMPTY_RESPONSE")
    opened = open_wall(page, first, allow=away)
    expect(opened.locator(OVERDUE)).to_have_text("1", timeout=15_000)
    port = first.url.rsplit(":", 1)[1]
    first.kill()
    opened.wait_for_timeout(20_000)
    expect(opened.locator(".tile[data-fresh=stale], .tile[data-fresh=dead]")).not_to_have_count(0)
    expect(opened.locator(OVERDUE)).to_have_text("1")
    expect(opened.locator(".wall-connection")).not_to_contain_text("Trực tiếp")
    spawn("run", *store, "--port", port, serves=False)
    opened.wait_for_function(
        f"() => fetch('http://127.0.0.1:{port}/readyz').then((r) => r.ok, () => false)", timeout=60_000, polling=200
    )
    expect(opened.locator(".wall-connection")).to_contain_text("Trực tiếp", timeout=20_000)
