"""The wall in a real browser: size of letters, fit, live figures, ages, loss and return of the server, rotation.

`serve` stands before `page` in every test: pages close before their server does.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from app import make_app
from components.scale import ASPECT, CAP_HEIGHT_EM, HERO_ARCMIN, INCH_M, MINIMUM_ARCMIN
from config import WallConfig
from metrics.rollups import clock_step, drain
from store.engine import Store, open_store
from store.landing import Landing, land
from store.rows import DossierRow, Parsed, ReportRow
from tests.conftest import Pages
from tests.servers import LiveServer, postgres_server, restart, serve_asgi
from tests.wall_city import FEEDS, Clock, later, make_city, running_clock, sqlite_url, wall_config

SIZES = ((1920, 1080), (3840, 2160))
DRAWN = {"1080p": SIZES[0], "4k": SIZES[1], "1440x900": (1440, 900)}
SCENES = ("overview", "one_stop", "feedback", "environment")
VALUE = "#one_stop-dossiers_overdue-value"
# every visible text node: its words and the size of its letters in CSS px
TEXTS = """() => {
  const found = [];
  const walker = document.createTreeWalker(document.querySelector(".wall"), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, words = node.textContent.trim(), box = document.createRange();
    if (!words) continue;
    box.selectNodeContents(node);
    const style = getComputedStyle(node.parentElement);
    if (style.visibility !== "visible" || !box.getClientRects().length) continue;
    found.push([words, parseFloat(style.fontSize)]);
  }
  return found;
}"""
# wider than its box, or higher than a box that cuts
CLIPPED = """() => Array.from(document.querySelectorAll("[data-active] *, .wall-top, .wall-top *, .wall-foot, .wall-foot *"))
  .filter((e) => !e.closest(".leaflet-container") && e.clientWidth > 0 && getComputedStyle(e).display !== "inline")
  .filter((e) => e.scrollWidth > e.clientWidth + 1
    || (getComputedStyle(e).overflowY !== "visible" && e.scrollHeight > e.clientHeight + 1))
  .map((e) => `${e.className}: ${e.textContent.slice(0, 50)} ${e.scrollWidth}x${e.scrollHeight}`
    + ` in ${e.clientWidth}x${e.clientHeight}`)"""
# lines of text that lie on each other, inside one panel
CROWDED = """() => Array.from(document.querySelectorAll("[data-active] .tile, [data-active] .list-panel")).flatMap((panel) => {
  const lines = Array.from(panel.querySelectorAll(".tile-head, .tile-figure, .tile-line, .panel-title, .row, .panel-note"))
    .map((e) => [e, e.getBoundingClientRect()]).filter(([, r]) => r.height > 0);
  const outer = panel.getBoundingClientRect();
  return lines.filter(([, r], i) => r.bottom > outer.bottom + 1 || (i && r.top < lines[i - 1][1].bottom - 2))
    .map(([e]) => e.textContent);
})"""
PANELS = """() => Array.from(document.querySelectorAll(".scene[data-active] > *"))
  .map((e) => { const r = e.getBoundingClientRect(); return [e.id, r.left, r.top, r.right, r.bottom]; })"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a filled store, to be copied."""
    folder = tmp_path_factory.mktemp("wall")
    make_city(sqlite_url(folder), size=0.5).dispose()
    return folder / "store.sqlite"


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Iterator[Store]:
    (tmp_path / "store.sqlite").write_bytes(template.read_bytes())
    opened = open_store(sqlite_url(tmp_path), wall_config().tz)
    yield opened
    opened.dispose()


@pytest.fixture
def serve(store: Store, live_server: Callable[..., LiveServer]) -> Callable[..., LiveServer]:
    """serve(clock=..., **config changes) -> a running server of the whole application."""
    def start(clock: Clock | None = None, **changes: Any) -> LiveServer:
        return live_server(make_app(wall_config(**changes), store, now=clock or running_clock()).server)

    return start


def open_wall(
    page: Pages, server: LiveServer, path: str = "/wall", size: tuple[int, int] = SIZES[0], *, has_clock: bool = False, **options: Any,
) -> Page:
    """A page that shows the wall with its first frame applied. has_clock: its time runs, and the test may pass it faster."""
    opened = page(size, **options)
    if has_clock:
        opened.clock.install()
    opened.goto(f"{server.url}{path}")
    expect(opened.locator(".wall[data-seq]")).to_be_visible(timeout=20_000)
    expect(opened.locator(".scene[data-active] .tile-value").first).not_to_have_text("–", timeout=10_000)
    opened.evaluate("() => document.fonts.ready")
    return opened


def settled_map(opened: Page) -> None:
    """Wait until the map has been fitted and its labels arranged: two pictures in a row are the same."""
    box, before = opened.locator(".scene[data-active] .map-box").first, b""
    for _ in range(20):
        picture = box.screenshot()
        if picture == before:
            return
        before = picture
        opened.wait_for_timeout(150)
    raise AssertionError("the map does not come to rest")


def arcmin(font_px: float, height_px: int, wall: WallConfig) -> float:
    """Size of capitals as the farthest viewer sees them."""
    height_m = wall.diagonal_in * INCH_M * ASPECT[1] / (ASPECT[0] ** 2 + ASPECT[1] ** 2) ** 0.5
    letter_m = font_px * CAP_HEIGHT_EM / height_px * height_m
    return letter_m / wall.distance_m * 180 / 3.141592653589793 * 60


@dataclass(frozen=True)
class Picture:
    """One scene as drawn: its words with their size, the hero's size, the page's size, what is cut or crowded, where the panels lie."""

    texts: list[tuple[str, float]]
    hero_px: float
    page_size: list[int]
    clipped: list[str]
    crowded: list[str]
    panels: list[list[Any]]


def look(opened: Page) -> Picture:
    """What is to be seen of the scene shown now."""
    page_size = opened.evaluate("() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    hero = opened.locator(".scene[data-active] .tile-hero .tile-value").first
    return Picture(
        opened.evaluate(TEXTS), hero.evaluate("e => parseFloat(getComputedStyle(e).fontSize)"), page_size, opened.evaluate(CLIPPED),
        opened.evaluate(CROWDED), opened.evaluate(PANELS),
    )


@pytest.fixture(scope="module")
def standing(template: Path) -> Iterator[LiveServer]:
    """A server for all who change nothing and ask for no time of day."""
    store = open_store(f"sqlite:///{template}", wall_config().tz)
    with serve_asgi(make_app(wall_config(), store, now=running_clock()).server) as server:
        yield server
    store.dispose()


@pytest.fixture(scope="module")
def seen(standing: LiveServer, browser: Browser) -> Callable[[str, str], dict[str, Picture]]:
    """seen(size, theme) -> scene -> Picture. A wall is opened once for each and walked by its arrow."""
    kept: dict[tuple[str, str], dict[str, Picture]] = {}

    def walk(size: str, theme: str) -> dict[str, Picture]:
        pages = Pages(browser)
        opened = open_wall(pages, standing, f"/wall?rotate=0&theme={theme}", DRAWN[size])
        found = {}
        for scene in SCENES:
            expect(opened.locator(".scene[data-active]")).to_have_attribute("data-scene", scene)
            found[scene] = look(opened)
            opened.keyboard.press("ArrowRight")
        pages.close()
        assert pages.faults == []
        return found

    def give(size: str, theme: str) -> dict[str, Picture]:
        if (size, theme) not in kept:
            kept[size, theme] = walk(size, theme)
        return kept[size, theme]

    return give


Seen = Callable[[str, str], dict[str, Picture]]
each_size = pytest.mark.parametrize("size", DRAWN)
each_theme = pytest.mark.parametrize("theme", ["dark", "light"])


@pytest.mark.parametrize("size", ["1080p", "4k"])
def test_every_word_can_be_read_from_the_farthest_seat(seen: Seen, size: str) -> None:
    wall, height = WallConfig(), DRAWN[size][1]
    for scene, picture in seen(size, "dark").items():
        assert len(picture.texts) > 30, scene
        assert [(words, px) for words, px in picture.texts if arcmin(px, height, wall) < MINIMUM_ARCMIN - 0.05] == [], scene
        assert arcmin(picture.hero_px, height, wall) >= HERO_ARCMIN - 0.1


@each_theme
@each_size
def test_nothing_scrolls_or_is_clipped(seen: Seen, size: str, theme: str) -> None:
    for scene, picture in seen(size, theme).items():
        assert all(drawn <= there for drawn, there in zip(picture.page_size, DRAWN[size], strict=True)), scene
        assert (picture.clipped, picture.crowded) == ([], []), scene


@each_theme
@each_size
def test_five_to_nine_panels_stand_side_by_side(seen: Seen, size: str, theme: str) -> None:
    for scene, picture in seen(size, theme).items():
        assert 5 <= len(picture.panels) <= 9, scene
        for i, (one, left, top, right, bottom) in enumerate(picture.panels):
            for other, l2, t2, r2, b2 in picture.panels[i + 1 :]:
                assert right <= l2 + 1 or r2 <= left + 1 or bottom <= t2 + 1 or b2 <= top + 1, f"{one} lies on {other}"


def test_1080p_and_4k_show_the_same_picture(seen: Seen) -> None:
    small, large = (seen(size, "dark")["overview"].panels for size in ("1080p", "4k"))
    for (one, *small_box), (other, *large_box) in zip(small, large, strict=True):
        assert one == other
        assert large_box == pytest.approx([2 * edge for edge in small_box], abs=2.5)


def test_a_commit_changes_the_card_without_a_reload(serve: Callable[..., LiveServer], page: Pages, store: Store) -> None:
    clock = running_clock()
    opened = open_wall(page, serve(clock), "/wall/one_stop")
    opened.evaluate("() => { window.sameDocument = true; }")
    before = int(opened.locator(VALUE).inner_text())
    late = DossierRow("late", agency="H99.1", status=4, received_at=later(days=-9), due_at=later(days=-2), version=1)
    land(store, Parsed(dossiers=(late,), item_count=1), Landing("one_stop", "one_stop", now=later()))
    expect(opened.locator(VALUE)).to_have_text(str(before + 1))
    assert opened.evaluate("() => window.sameDocument")
    assert opened.locator("#one_stop-dossiers_overdue .age").inner_text() == "vừa xong"


def test_passing_time_changes_the_card_without_a_row(serve: Callable[..., LiveServer], page: Pages, store: Store) -> None:
    opened = open_wall(page, serve(), "/wall/one_stop")
    before = int(opened.locator(VALUE).inner_text())
    clock_step(store, later(hours=9))
    drain(store, later(hours=9))
    expect(opened.locator(VALUE)).not_to_have_text(str(before))
    assert int(opened.locator(VALUE).inner_text()) > before


def test_the_map_is_drawn_and_redrawn(serve: Callable[..., LiveServer], page: Pages, store: Store) -> None:
    opened = open_wall(page, serve(), "/wall/feedback")
    settled_map(opened)
    box = opened.locator("#feedback-map")
    canvas = box.locator("canvas")
    count = "c => { const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; const s = new Set();" \
            " for (let i = 0; i < d.length; i += 64) s.add(d[i] + ',' + d[i+1] + ',' + d[i+2] + ',' + d[i+3]); return s.size; }"
    assert canvas.evaluate(count) > 4
    before = box.screenshot()
    rows = tuple(
        ReportRow(f"new{n}", category="HT02", status="new", received_at=later(days=-9), due_at=later(days=-3),
                  lon=107.1 + n / 100, lat=21.2, version=1)
        for n in range(20)
    )
    land(store, Parsed(reports=rows, item_count=20), Landing("feedback", "feedback", now=later()))
    expect(opened.locator("#feedback-reports_overdue-value")).not_to_have_text("0")
    deadline = time.monotonic() + 6
    while box.screenshot() == before and time.monotonic() < deadline:
        opened.wait_for_timeout(200)
    assert box.screenshot() != before


def test_the_last_frame_stays_and_ages_when_the_server_is_gone(serve: Callable[..., LiveServer], page: Pages) -> None:
    quick = tuple(replace(feed, cadence_s=90 if feed.cadence_s else None) for feed in FEEDS)
    server = serve(feeds=quick)
    opened = open_wall(page, server, "/wall/one_stop", has_clock=True, allow=(r"ERR_", r"Failed to load resource"))
    tile = opened.locator("#one_stop-dossiers_overdue")
    value = opened.locator(VALUE).inner_text()
    assert tile.get_attribute("data-fresh") == "late"  # spoke two minutes ago, promised each 90 s
    server.stop()
    expect(opened.locator("#wall-connection")).to_contain_text("Mất kết nối máy chủ")
    opened.clock.run_for(50_000)
    assert tile.get_attribute("data-fresh") == "late"
    opened.clock.run_for(15_000)  # nobody tells the page: its own clock makes the tile stale once 180 s have passed
    expect(tile).to_have_attribute("data-fresh", "stale")
    assert opened.locator(VALUE).inner_text() == value
    assert re.fullmatch(r"dữ liệu lúc 14:03 20/11", tile.locator(".tile-asof").inner_text())
    expect(opened.locator("#wall-feed-one_stop")).to_be_visible()
    clock = opened.locator("#wall-clock").inner_text()
    expect(opened.locator("#wall-clock")).not_to_have_text(clock)
    server.start()
    back = time.monotonic()
    expect(opened.locator(".wall[data-connection=live]")).to_be_visible(timeout=3_000)
    assert time.monotonic() - back < 3


def test_a_wall_whose_database_is_gone_does_not_call_itself_live(live_server: Callable[..., LiveServer], page: Pages) -> None:
    with postgres_server() as database:
        store = make_city(database.url(), size=0.02)
        opened = open_wall(page, live_server(make_app(wall_config(), store, now=running_clock()).server), "/wall/one_stop")
        value = opened.locator(VALUE).inner_text()
        expect(opened.locator(".feeds-fresh")).to_have_text("Mọi nguồn đều mới")
        restart(database, "stop")
        expect(opened.locator(".wall[data-connection=away]")).to_be_visible(timeout=10_000)
        expect(opened.locator("#wall-connection")).to_contain_text("Mất kết nối cơ sở dữ liệu")
        expect(opened.locator(".feeds-fresh")).to_have_text("")
        assert opened.locator(VALUE).inner_text() == value and opened.evaluate(CLIPPED) == []
        restart(database, "start")
        expect(opened.locator(".wall[data-connection=live]")).to_be_visible(timeout=20_000)
        opened.close()
        store.dispose()


def test_a_stale_wall_stays_readable_and_loses_its_colour(serve: Callable[..., LiveServer], page: Pages) -> None:
    opened = page(SIZES[0], allow=(r"ERR_", r"Failed to load resource"))
    opened.add_init_script("const real = performance.now.bind(performance); performance.now = () => real() + (window.skew || 0);")
    opened.goto(f"{serve().url}/wall/overview")
    expect(opened.locator(".wall[data-seq]")).to_be_visible(timeout=20_000)
    opened.context.set_offline(True)
    opened.evaluate("() => { window.skew = 50 * 60e3; }")  # nothing heard for so long: the line is taken for dead
    expect(opened.locator(".wall[data-connection=lost]")).to_be_visible(timeout=5_000)
    expect(opened.locator("#overview-map-heat")).to_have_attribute("data-fresh", "stale")
    expect(opened.locator("#overview-vn_aqi")).to_have_attribute("data-fresh", "fresh")  # hourly data are still good
    assert opened.evaluate(CLIPPED) == []
    assert opened.evaluate(CROWDED) == []
    mark = opened.locator("#overview-dossiers_overdue-verdict").evaluate("e => getComputedStyle(e, '::before').backgroundColor")
    calm = opened.locator("#overview-dossiers_overdue-spark").evaluate("e => getComputedStyle(e).backgroundColor")
    assert mark in (calm, "rgba(0, 0, 0, 0)")


def test_a_wrong_clock_of_the_kiosk_makes_nothing_stale(serve: Callable[..., LiveServer], page: Pages) -> None:
    server = serve()
    opened = page(SIZES[0])
    opened.add_init_script("const real = Date.now; Date.now = () => real() + 3 * 86400e3;")
    opened.goto(f"{server.url}/wall/one_stop")
    expect(opened.locator("#one_stop-dossiers_overdue")).to_have_attribute("data-fresh", "fresh", timeout=20_000)
    expect(opened.locator(".wall-clock")).to_contain_text("14:0")
    expect(opened.locator(".wall-offset")).to_contain_text("Đồng hồ máy trạm lệch")


def test_scenes_rotate_pause_and_follow_the_arrows(serve: Callable[..., LiveServer], page: Pages) -> None:
    opened = open_wall(page, serve(wall=WallConfig(dwell_s=60)), has_clock=True, reduced_motion="no-preference")
    shown = opened.locator(".scene[data-active]")
    first = shown.get_attribute("data-scene") or ""
    assert shown.evaluate("e => getComputedStyle(e).transitionDuration") == "0.6s"  # who asks for no stillness sees scenes fade
    opened.clock.run_for(61_000)
    expect(shown).to_have_attribute("data-scene", SCENES[(SCENES.index(first) + 1) % 4])
    opened.keyboard.press("Space")
    expect(opened.locator(".dwell .paused")).to_have_text("Đang dừng")
    for back in (0, 3):
        opened.keyboard.press("ArrowLeft")
        expect(shown).to_have_attribute("data-scene", SCENES[(SCENES.index(first) + back) % 4])
    opened.clock.run_for(90_000)  # longer than the dwell: paused stays paused
    expect(shown).to_have_attribute("data-scene", SCENES[(SCENES.index(first) + 3) % 4])
    assert opened.locator(".scene").count() == len(SCENES)


def test_a_pinned_scene_and_rotate_0_stay(serve: Callable[..., LiveServer], page: Pages) -> None:
    server = serve(wall=WallConfig(dwell_s=60))
    for path, scene in (("/wall/feedback", "feedback"), ("/wall?rotate=0", "overview")):
        opened = open_wall(page, server, path, has_clock=True)
        opened.clock.run_for(90_000)
        expect(opened.locator(".scene[data-active]")).to_have_attribute("data-scene", scene)


def test_the_strip_stands_on_every_scene(seen: Seen) -> None:
    for scene, picture in seen("1080p", "dark").items():
        said = [words for words, _ in picture.texts]
        for words in ("Tỉnh An Hải", "Trực tiếp", "Dữ liệu mô phỏng", r"bản \d+"):
            assert any(re.fullmatch(words, one) for one in said), (scene, words, said)


def test_a_scene_without_any_data_is_passed_over(live_server: Callable[..., LiveServer], page: Pages, tmp_path: Path) -> None:
    from store.migrate import migrate  # only here: a store with reports and nothing else

    made = open_store(sqlite_url(tmp_path), wall_config().tz)
    migrate(made)
    row = ReportRow("1", category="X", status="new", received_at=later(days=-1), due_at=later(days=1), version=1)
    land(made, Parsed(reports=(row,), item_count=1), Landing("feedback", "feedback", now=later()))
    server = live_server(make_app(wall_config(wall=WallConfig(dwell_s=5)), made, now=running_clock()).server)
    opened = page(SIZES[0])
    opened.goto(f"{server.url}/wall")
    expect(opened.locator("#scene-one_stop")).to_have_attribute("data-empty", "1", timeout=20_000)
    opened.keyboard.press("ArrowRight")
    expect(opened.locator(".scene[data-active]")).to_have_attribute("data-scene", "feedback")
    made.dispose()


def test_an_archive_says_so_and_does_not_age(serve: Callable[..., LiveServer], page: Pages) -> None:
    opened = open_wall(page, serve(as_of="2026-11-20T14:05:00+07:00", simulated=False), "/wall/one_stop")
    expect(opened.locator(".wall-marks")).to_have_text("Dữ liệu lưu trữ, tính đến 14:05 20/11/2026")
    expect(opened.locator("#one_stop-dossiers_overdue .age")).to_have_text("14:03 20/11")  # never a fresh-looking age


def test_less_motion_is_respected(standing: LiveServer, page: Pages) -> None:
    opened = open_wall(page, standing, "/wall/one_stop", reduced_motion="reduce")
    value = opened.locator(VALUE)
    value.evaluate("e => e.setAttribute('data-changed', '')")
    assert value.evaluate("e => getComputedStyle(e).animationName") == "none"
    assert opened.locator("#scene-one_stop").evaluate("e => getComputedStyle(e).transitionDuration") == "0s"


def test_the_wall_loads_little(standing: LiveServer, page: Pages) -> None:
    opened = page(SIZES[0])
    sizes: list[tuple[str, int]] = []
    opened.on("response", lambda r: sizes.append((r.url, int(r.headers.get("content-length", 0)))))
    opened.goto(f"{standing.url}/wall")
    expect(opened.locator(".wall[data-seq]")).to_be_visible(timeout=20_000)
    assert not [url for url, _ in sizes if "plotly" in url]
    assert sum(size for _, size in sizes) < 900_000


@pytest.mark.parametrize("path", ["/api/v9/nothing", "/assets/nothing.js", "/wall-nothing"])
def test_an_address_without_a_page_is_not_found(standing: LiveServer, path: str) -> None:
    assert httpx.get(f"{standing.url}{path}").status_code == 404


def test_a_scene_that_is_not_shown_here_says_so(standing: LiveServer, page: Pages) -> None:
    opened = page(SIZES[0])
    opened.goto(f"{standing.url}/wall/nowhere")
    expect(opened.locator(".wall-message")).to_have_text("Không tìm thấy nội dung này.", timeout=10_000)


