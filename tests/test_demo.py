"""The demo province: the same from one seed, the size it promises, a map without gaps, rows as real systems send them."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import shapely

from data_sources.demo import dossiers, episodes, readings, reports
from data_sources.demo.catalogue import catalogue, write_catalogue_csvs
from data_sources.demo.dossier_wire import UNMAPPED_AGENCY, stamps
from data_sources.demo.dossiers import NEVER, status_at
from data_sources.demo.geography import areas_geojson, geography
from data_sources.demo.stations import stations, streams
from data_sources.demo.story import Story, build, local_seconds
from data_sources.demo.workdays import DAY_S, work_axis

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)          # Friday, 10:00 in the province
WIRE_FIELDS = {
    "MaHoSo", "MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "KenhThucHien", "ChuHoSo", "LoaiDoiTuong", "DinhDanhCHS", "Email",
    "SoDienThoai", "NgayNopHoSo", "NgayTiepNhan", "NgayHenTra", "NgayKetThucXuLy", "NgayTra", "TrangThaiHoSo", "HinhThuc",
    "DonViXuLy", "DanhSachLePhi", "DanhSachHoSoBoSung", "DanhSachGiayToKetQua", "TaiLieuNop",
}
STEP_FIELDS = {
    "MaHoSo", "NguoiXuLy", "ChucDanh", "ThoiDiemXuLy", "PhongBanXuLy", "NoiDungXuLy", "TrangThai", "NgayBatDau",
    "NgayKetThucTheoQuyDinh",
}


@pytest.fixture(scope="module")
def story() -> Story:
    return build(7, NOW)


@pytest.fixture(scope="module")
def objects(story: Story) -> list[object]:
    return [item for batch in story.dossier_batches(story.start, NOW, 5000) for item in batch]


# --- the map ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("which", ["communes", "old_communes"])
def test_areas_tile_the_province_without_gap_or_overlap(which: str) -> None:
    shapes = [area.geometry for area in getattr(geography(), which)]
    whole = shapely.union_all(shapes)
    assert shapely.coverage_is_valid(shapes)
    assert sum(shape.area for shape in shapes) == pytest.approx(whole.area, rel=1e-9)
    assert all(not part.interiors for part in shapely.get_parts(whole))


def test_there_are_fifty_communes_one_of_them_islands() -> None:
    communes = geography().communes
    islands = [area for area in communes if area.geometry.geom_type == "MultiPolygon"]
    assert (len(communes), len({area.code for area in communes}), len({area.name for area in communes})) == (50, 50, 50)
    assert [area.kind for area in islands] == ["đặc khu"]
    assert len(islands[0].geometry.geoms) >= 5


def test_every_commune_is_exactly_the_union_of_its_predecessors() -> None:
    old = {area.code: area for area in geography().old_communes}
    for area in geography().communes:
        before = shapely.union_all([old[code].geometry for code in area.predecessors])
        assert area.geometry.equals(before)
    assert sorted(old) == sorted(code for area in geography().communes for code in area.predecessors)


def test_a_commune_keeps_the_code_of_one_predecessor() -> None:
    assert all(area.code in area.predecessors for area in geography().communes)


def test_geojson_carries_names_in_both_languages() -> None:
    first = areas_geojson(geography().communes)["features"][0]
    assert {"code", "name", "fullName", "nameEn", "level", "parent", "validFrom", "predecessors"} <= first["properties"].keys()
    assert first["properties"]["nameEn"].isascii() and len(first["properties"]["code"]) == 5


def test_background_holds_sea_land_river_and_three_roads() -> None:
    kinds = [feature["properties"]["kind"] for feature in geography().context["features"]]
    assert sorted(kinds) == ["land", "river", "road", "road", "road", "sea"]


# --- the catalogues ---------------------------------------------------------------------------------------

def test_catalogues_have_the_promised_sizes() -> None:
    found = catalogue()
    assert (len(found.agencies), len(found.procedures), len(found.categories)) == (60, 300, 14)
    assert len({p.code for p in found.procedures}) == 300
    assert len({p.domain_code for p in found.procedures}) == 25
    assert (len(stations()), len(streams())) == (70, 220)


def test_agencies_form_one_tree() -> None:
    codes = {agency.code for agency in catalogue().agencies}
    assert [a.code for a in catalogue().agencies if a.parent_code not in codes] == ["H99"]


def test_catalogue_files_hold_one_row_for_each_entry(tmp_path: Path) -> None:
    texts = [path.read_text(encoding="utf-8") for path in write_catalogue_csvs(tmp_path)]
    counts = [len(list(csv.DictReader(text.splitlines()))) for text in texts]
    assert counts == [60, 300, 14]


# --- sizes and skews --------------------------------------------------------------------------------------

def test_ninety_days_have_the_promised_number_of_rows(story: Story, objects: list[object]) -> None:
    steps = sum(len(batch) for batch in story.progress_batches(story.start, NOW, 50_000))
    first, last = int(story.start.timestamp()) // 3600, int(NOW.timestamp()) // 3600
    numbers = readings.readings_grid(first, last, story.birth_hour, story.seed).values
    assert len(objects) == pytest.approx(54_000, rel=0.03)
    assert steps == pytest.approx(220_000, rel=0.03)
    assert len(story.reports_until(local_seconds(NOW))) == pytest.approx(6_000, rel=0.03)
    assert np.isfinite(numbers).sum() == pytest.approx(472_000, rel=0.03)


def test_on_time_share_is_high_and_one_agency_is_clearly_late(story: Story) -> None:
    until = local_seconds(NOW)
    found = story.dossiers_until(until)
    done = (found.ended <= until) & (found.ending == dossiers.NORMAL)
    on_time = found.ended <= found.due
    late_one = [a.name.endswith(dossiers.LATE_AGENCY) for a in story.catalogue.agencies].index(True)
    assert 0.955 < on_time[done].mean() < 0.975
    assert on_time[done & (found.agency == late_one)].mean() < 0.87


def test_most_dossiers_are_filed_online_and_on_working_days(story: Story) -> None:
    found = story.dossiers_until(local_seconds(NOW))
    rest = ~np.isin(found.day, work_axis(2026, 2026).days)        # 22/8/2026 is a Saturday worked for a holiday
    assert 0.7 < (found.channel == 2).mean() < 0.85
    assert 0.02 < rest.mean() < 0.08
    assert set(found.channel[rest].tolist()) == {2}


def test_every_status_occurs(story: Story) -> None:
    until = local_seconds(NOW)
    assert set(status_at(story.dossiers_until(until), until).tolist()) == set(range(1, 11))


def test_a_few_procedures_dominate(story: Story) -> None:
    counts = np.sort(np.bincount(story.dossiers_until(local_seconds(NOW)).procedure, minlength=300))[::-1]
    assert counts[:10].sum() > 0.4 * counts.sum()


def test_nothing_happens_before_what_it_follows(story: Story) -> None:
    found = story.dossiers_until(local_seconds(NOW))
    accepted = found.received < NEVER
    assert (found.received >= found.filed).all()
    assert (found.started >= found.received)[accepted].all()
    for asked, given in ((found.asked, found.given), (found.asked_again, found.given_again), (found.ended, found.returned)):
        assert (asked <= given).all()


# --- wire format ------------------------------------------------------------------------------------------

def test_every_sound_dossier_has_the_wire_fields_as_text(objects: list[object]) -> None:
    tables = [item for item in objects if isinstance(item, dict)]
    assert all(item.keys() >= WIRE_FIELDS for item in tables)
    dates = {item["NgayNopHoSo"] for item in tables if item["NgayNopHoSo"]}
    assert all(len(text) == 14 and datetime.strptime(text, "%Y%m%d%H%M%S") < datetime(2026, 11, 20, 10, 1) for text in dates)


def test_personal_fields_are_sent_so_that_stripping_can_be_proven(objects: list[object]) -> None:
    first = next(item for item in objects if isinstance(item, dict))
    assert all(first[name] for name in ("ChuHoSo", "SoDienThoai", "Email", "DinhDanhCHS"))


def test_about_three_in_a_thousand_rows_are_broken_in_many_ways(objects: list[object]) -> None:
    def is_broken(item: object) -> bool:
        if not isinstance(item, dict):
            return True
        dates = (item["NgayTiepNhan"], item["NgayHenTra"])
        return (
            not item["MaHoSo"] or not item["TrangThaiHoSo"].isdecimal() or int(item["TrangThaiHoSo"]) > 10
            or any(text and not text.isdecimal() for text in dates) or not (item["NgayNopHoSo"] or item["NgayTiepNhan"])
        )
    broken = [item for item in objects if is_broken(item)]
    assert 0.0015 < len(broken) / len(objects) < 0.0045
    assert any(not isinstance(item, dict) for item in broken)


def test_dossier_numbers_are_unique_but_for_broken_ones(objects: list[object]) -> None:
    numbers = [item["MaHoSo"] for item in objects if isinstance(item, dict) and item["MaHoSo"]]
    assert len(numbers) == len(set(numbers))


def test_steps_belong_to_dossiers_that_were_pushed(story: Story, objects: list[object]) -> None:
    numbers = {item["MaHoSo"] for item in objects if isinstance(item, dict)}
    steps = next(story.progress_batches(story.start, NOW, 2000))
    assert all(step.keys() == STEP_FIELDS and step["MaHoSo"] in numbers for step in steps)


def test_handlers_come_as_names_with_aliases_and_an_unknown_one(objects: list[object]) -> None:
    names = {item["DonViXuLy"] for item in objects if isinstance(item, dict)}
    assert UNMAPPED_AGENCY in names
    assert any(name.startswith("Ủy ban nhân dân") for name in names)


def test_supplements_move_the_due_date_and_few_are_asked_twice(objects: list[object]) -> None:
    asked = [item["DanhSachHoSoBoSung"] for item in objects if isinstance(item, dict) and item["DanhSachHoSoBoSung"]]
    twice = [found for found in asked if len(found) > 1]
    completed = [found[-1] for found in asked if found[-1]["TrangThaiBoSung"]]
    assert 0.05 < len(asked) / len(objects) < 0.08
    assert 0 < len(twice) < 0.12 * len(asked)
    assert all(record["NgayHenTraMoi"] > record["NgayHenTraTruoc"] for record in completed)


def test_stamps_agree_with_the_calendar() -> None:
    at = np.array([0, DAY_S * 20_000 + 45_296, 1_795_000_000])
    wanted = [datetime.fromtimestamp(int(t), UTC).strftime("%Y%m%d%H%M%S") for t in at]
    assert stamps(at, 1_800_000_000) == wanted
    assert stamps(at, 10) == [wanted[0], "", ""]


def test_due_dates_skip_weekend_and_holiday() -> None:
    friday = int(datetime(2026, 8, 28, 9, 0, tzinfo=UTC).timestamp())       # next: weekend, 31/8, 1/9 and 2/9 off
    due = work_axis(2026, 2026).due(np.array([friday]), np.array([1]))
    assert stamps(due, int(NEVER)) == ["20260903170000"]


# --- one seed, one story ----------------------------------------------------------------------------------

def test_the_same_seed_and_birth_give_the_same_rows(story: Story) -> None:
    other = build(7, NOW)
    window = (NOW - timedelta(hours=3), NOW)
    assert other.events_between(*window) == story.events_between(*window)


def test_another_seed_gives_another_story(story: Story) -> None:
    window = (NOW - timedelta(hours=3), NOW)
    assert build(8, NOW).events_between(*window).dossiers != story.events_between(*window).dossiers


def test_scale_scales_dossiers_and_reports() -> None:
    small = build(7, NOW, scale=0.1)
    assert len(small.dossiers_until(local_seconds(NOW))) == pytest.approx(5_400, rel=0.05)
    assert len(small.reports_until(local_seconds(NOW))) == pytest.approx(600, rel=0.08)


def test_a_birth_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        build(1, datetime(2026, 11, 20))


# --- the living day ---------------------------------------------------------------------------------------

def test_windows_of_the_living_day_add_up(story: Story) -> None:
    middle, end = NOW + timedelta(minutes=20), NOW + timedelta(minutes=50)
    halves = [story.events_between(NOW, middle), story.events_between(middle, end)]
    whole = story.events_between(NOW, end)
    assert whole.progress == halves[0].progress + halves[1].progress
    assert sorted(whole.readings) == sorted(halves[0].readings + halves[1].readings)
    assert len(whole.dossiers) > 20 and len(whole.readings) > 50


def test_the_story_goes_on_for_days(story: Story) -> None:
    monday_morning = NOW + timedelta(days=3)
    found = story.events_between(monday_morning, monday_morning + timedelta(minutes=30))
    assert len(found.dossiers) > 30 and found.progress and found.readings


def test_history_does_not_change_as_the_clock_runs_on(story: Story) -> None:
    before = story.dossiers_until(local_seconds(NOW))
    after = story.dossiers_until(local_seconds(NOW + timedelta(days=2)))
    assert np.array_equal(before.token, after.token[:len(before)])


def test_the_storm_brings_rain_high_water_and_reports(story: Story) -> None:
    crest = int(story.birth_hour + episodes.STORMS[2].start + episodes.STORMS[2].length / 2)
    quiet = crest - 10 * 24
    columns = {key: [s.number for s in streams() if s.property.key == key] for key in ("rain", "level")}

    def mean(key: str, hour: int) -> float:
        grid = readings.readings_grid(hour, hour + 12, story.birth_hour, story.seed)
        return float(np.nanmean(grid.values[:, np.isin(grid.order, columns[key])]))

    sent = story.reports_until(local_seconds(NOW)).sent // 3600 - 7
    assert mean("rain", crest) > 5 > mean("rain", quiet)
    assert mean("level", crest) > mean("level", quiet) + 0.7
    assert np.sum((sent >= crest - 6) & (sent < crest + 6)) > 3 * np.sum((sent >= quiet - 6) & (sent < quiet + 6))


def test_one_sensor_sticks_and_then_falls_silent(story: Story) -> None:
    grid = readings.readings_grid(
        int(story.birth_hour) - 40, int(story.birth_hour), story.birth_hour, story.seed, only=readings.STUCK_STREAM)
    stuck = grid.values[12:30, 0]
    assert set(stuck[np.isfinite(stuck)].tolist()) == {37.4}
    assert np.isnan(grid.values[-8:, 0]).all()


def test_one_sensor_sends_its_missing_sentinel(story: Story) -> None:
    grid = readings.readings_grid(int(story.birth_hour) - 72, int(story.birth_hour), story.birth_hour, story.seed)
    faulty = grid.order[(grid.values == -999).any(axis=0)]
    assert len(faulty) == 1 and streams()[int(faulty[0]) - 1].property.key == "ph"


def test_reports_gather_at_hot_spots(story: Story) -> None:
    found = story.reports_until(local_seconds(NOW))
    cells = np.round(np.column_stack([found.lon, found.lat]) / 0.0045).astype(int)
    counts = np.sort(np.unique(cells, axis=0, return_counts=True)[1])[::-1]
    assert counts[:14].sum() > 0.2 * len(found)


def test_what_is_marked_as_a_duplicate_lies_some_metres_from_an_earlier_report_of_its_kind(story: Story) -> None:
    found = story.reports_until(local_seconds(NOW))
    twins = np.flatnonzero(found.is_twin)
    assert 0.02 < len(twins) / len(found) < 0.04
    for row in twins:
        before = (found.day == found.day[row]) & (found.sequence < found.sequence[row]) & (found.category == found.category[row])
        away = np.hypot(found.lon[before] - found.lon[row], found.lat[before] - found.lat[row]) * 111_320
        assert away.min() < 120


def test_reports_reopen_and_some_are_overdue(story: Story) -> None:
    until = local_seconds(NOW)
    found = story.reports_until(until)
    stage = reports.stages(found, until)
    assert {reports.DETAIL[n] for n in np.unique(stage)} == set(reports.DETAIL)
    assert 0.1 < (np.minimum(found.closed, until) > found.due).mean() < 0.35


def test_one_office_closes_its_week_at_a_stroke_and_senders_say_what_they_think(story: Story) -> None:
    until = local_seconds(NOW)
    found = story.reports_until(until)
    closed = found.closed[found.closed <= until]
    slots, sizes = np.unique(closed // 600, return_counts=True)
    fridays = {int(slot * 600 // DAY_S + 3) % 7 for slot in slots[sizes >= 20]}
    assert fridays == {4} and (sizes >= 20).sum() >= 5
    wires = [wire["extended_attributes"] for wire in reports.report_objects(found, until, story.catalogue)]
    told = [wire["rating"] for wire in wires if wire["closed_datetime"]]
    assert {*told} == {*reports.RATINGS} and 0.25 < np.mean([one is not None for one in told]) < 0.6
    for name in ("reopened_count", "returned_count", "extension_count", "duplicate"):
        assert 0.005 < np.mean([bool(wire[name]) for wire in wires]) < 0.2, name
