"""The demo province's stations end to end: its stuck sensor, its rivers, its cameras and farms, as City and the pages tell them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from callbacks.station import notes_of
from components.desk_environment import flag_list, rain_words, uptime_words, water_detail
from components.desk_station_series import series_picture
from metrics.city import City
from metrics.city.measured import air, devices, readings, stations, water
from metrics.city.measured.readings import ReadingFilter
from metrics.periods import parse_period
from store.days import DAY, HOUR
from tests.stores import demo_store


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def city(request: pytest.FixtureRequest, make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    filled = demo_store(make_database, request.param, tmp_path_factory.mktemp("demo"))
    yield filled.city
    filled.store.dispose()


def station(city: City, source_id: str) -> stations.StationState:
    return next(row for row in stations.read(city) if row.source_id == source_id)


def test_the_stuck_sensor_is_flagged_wherever_it_is_shown(city: City) -> None:
    value = next(value for value in station(city, "1").values if value.property == "pm25")
    assert (value.value, value.flag) == (37.4, "stuck")
    found = stations.flagged_readings(city, [value.datastream_id], city.as_of - 2 * DAY, city.as_of)
    assert {(row.value, row.flag) for row in found} == {(37.4, "stuck")}
    assert len(found) >= 15
    listed, _ = readings.read(city, ReadingFilter(city.as_of - DAY, city.as_of, station="1", property="pm25"), limit=50)
    assert {row.flag for row in listed if row.value == 37.4} == {"stuck"}
    hours = stations.hour_series(city, value.datastream_id, city.as_of - 2 * DAY, city.as_of)
    assert hours[hours["flagged"] > 0]["mean"].isna().all()


def test_the_page_marks_flagged_hours_and_lists_them_with_their_word(city: City) -> None:
    notes = notes_of(city, station(city, "1"))
    (found,) = notes.flagged.values()
    listed, series = flag_list(found, "µg/m³", city.config.tz, "vi"), notes.series[found[0].datastream_id]
    assert {point.at // HOUR for point in series.points if point.flagged} == {row.observed_at // HOUR for row in found}
    assert "Có số đo không tin được" in str(series_picture(city, "vi", series, "µg/m³"))
    assert "kẹt một giá trị" in str(listed)
    assert flag_list((), "", city.config.tz, "vi") is None


def test_an_hour_without_a_sound_reading_breaks_the_line(city: City) -> None:
    notes = notes_of(city, station(city, "1"))
    (found,) = notes.flagged.values()
    doubted = [point for point in notes.series[found[0].datastream_id].points if point.flagged]
    assert doubted and all(point.mean is None for point in doubted)


def test_every_river_station_stands_against_its_own_alarm_levels(city: City) -> None:
    found = water.levels(city)
    assert len(found) == 12
    for row in found:
        expected = sum(row.level >= bound for bound in (row.alarm.alarm_1, row.alarm.alarm_2, row.alarm.alarm_3))
        assert row.state == ("below", "alarm_1", "alarm_2", "alarm_3")[expected] or row.level >= row.alarm.alarm_3
    shown = str(water_detail(next(row for row in found if row.state != "below"), "vi"))
    assert "Báo động" in shown
    assert "chưa kiểm chứng" in shown


def test_rain_of_the_last_day_has_a_class_that_says_it_is_not_verified(city: City) -> None:
    found = water.rain(city)
    assert len(found) == 18
    assert "chưa kiểm chứng" in str(rain_words(next(row for row in found if row.rain), "vi"))


def test_a_silent_datastream_lowers_the_uptime_of_its_station(city: City) -> None:
    week = parse_period(f"{city.today - timedelta(days=6)}..{city.today}", city.today)
    rows = {row.datastream_id: row for row in devices.uptime(city, week)}
    assert all(0 <= row.heard <= row.expected for row in rows.values())
    stuck = next(value for value in station(city, "1").values if value.property == "pm25").datastream_id
    assert rows[stuck].heard < rows[stuck].expected - 25
    assert "/" in uptime_words([rows[stuck]], "vi")
    assert uptime_words([], "vi") == "Chưa từng gửi số liệu"


def test_exceedances_name_station_limit_and_how_many_were_judged(city: City) -> None:
    month = parse_period(f"{city.today:%Y-%m}", city.today)
    found = air.exceedances(city, month)
    assert found[0].above > 0
    assert all(row.above <= row.judged and not row.limit.verified for row in found)


def test_farms_and_cameras_tell_all_their_properties(city: City) -> None:
    told = {value.property for row in stations.read(city) if row.kind == "farm" for value in row.values}
    assert told == {"soil_moisture", "soil_temp", "soil_ec", "soil_ph", "temp"}
    assert {value.property for row in stations.read(city) if row.kind == "camera" for value in row.values} == {"online", "frame_age"}
