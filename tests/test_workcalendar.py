"""Which days are worked: holidays, state swaps, overrides, half days; and the faults of a calendar."""

from __future__ import annotations

import copy
import pickle
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from metrics import worktime as wt

VN = wt.make_calendar()
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
HOUR, DAY = 3600, 8 * 3600


def at(text: str) -> datetime:
    """'2026-02-13 16:00' as a local time of Hà Nội."""
    return datetime.fromisoformat(text).replace(tzinfo=HANOI)


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2026-02-13", True), ("2026-02-16", False), ("2026-02-20", False), ("2026-02-23", True),  # Tết 2026
        ("2026-04-26", False), ("2026-04-27", False),   # Giỗ Tổ on a Sunday, its day off on Monday
        ("2024-04-29", False), ("2024-05-04", True),    # Monday swapped with a Saturday
        ("2025-05-02", False), ("2025-04-26", True),
        ("2026-08-31", False), ("2026-08-22", True),
        ("2026-08-29", False),                          # an ordinary Saturday
        ("2026-11-24", False), ("2025-11-24", True),    # Ngày Văn hóa, a day off from 2026
    ],
)
def test_public_holidays_and_make_up_days(day: str, worked: bool) -> None:
    assert wt.is_working_day(VN, date.fromisoformat(day)) is worked


def test_a_make_up_saturday_has_full_hours() -> None:
    assert wt.working_seconds(VN, at("2026-08-22 00:00"), at("2026-08-23 00:00")) == DAY


def test_the_override_table_wins_over_holidays_and_weekends() -> None:
    cal = wt.make_calendar(overrides={
        "2026-01-02": "rest", "2026-01-10": "work", "2026-02-16": "work", "2026-08-22": "rest",
    })
    days = [date(2026, 1, 2), date(2026, 1, 10), date(2026, 2, 16), date(2026, 8, 22)]
    assert [wt.is_working_day(cal, day) for day in days] == [False, True, True, False]
    assert [wt.is_working_day(VN, day) for day in days] == [True, False, False, True]


def test_a_half_day_is_the_first_interval_only() -> None:
    cal = wt.make_calendar(overrides={"2026-11-20": "half_day", "2026-11-21": "half_day"})
    assert wt.working_seconds(cal, at("2026-11-20 00:00"), at("2026-11-21 00:00")) == 4.5 * HOUR
    assert wt.working_seconds(cal, at("2026-11-21 00:00"), at("2026-11-22 00:00")) == 4.5 * HOUR  # a Saturday
    assert wt.end_of_working_day(cal, date(2026, 11, 20)) == at("2026-11-20 11:30")
    assert wt.working_day_count(cal, date(2026, 11, 20), date(2026, 11, 22)) == 2


def test_calendars_that_differ_only_in_overrides_keep_their_own_answers() -> None:
    table = {"2026-11-20": "rest"}
    resting = wt.make_calendar(overrides=table)
    table["2026-11-19"] = "rest"
    span = at("2026-11-19 00:00"), at("2026-11-21 00:00")
    assert hash(resting) == hash(VN)
    assert [wt.working_seconds(cal, *span) for cal in (VN, resting, VN)] == [2 * DAY, DAY, 2 * DAY]


def test_overrides_cannot_be_changed_later() -> None:
    with pytest.raises(TypeError):
        VN.overrides[date(2026, 1, 1)] = "work"  # type: ignore[index]


def test_a_calendar_survives_copy_and_pickle() -> None:
    cal = wt.make_calendar(overrides={"2026-11-20": "half_day"})
    assert pickle.loads(pickle.dumps(cal)) == cal == copy.deepcopy(cal) != VN


@pytest.mark.parametrize(
    ("country", "subdivision", "day"),
    [
        ("NL", "", "2026-04-27"), ("US", "", "2026-07-03"), ("US", "MA", "2026-04-20"),
        ("US", "", "2021-12-31"), ("VN", "", "2026-02-17"),  # New Year observed in the year before
    ],
)
def test_each_country_keeps_its_own_holidays(country: str, subdivision: str, day: str) -> None:
    cal = wt.make_calendar(country=country, subdivision=subdivision)
    no_holidays = wt.make_calendar(country="")
    assert not wt.is_working_day(cal, date.fromisoformat(day))
    assert wt.is_working_day(no_holidays, date.fromisoformat(day))


def test_a_state_holiday_is_worked_in_the_rest_of_the_country() -> None:
    assert wt.is_working_day(wt.make_calendar(country="US"), date(2026, 4, 20))


def test_all_faults_of_a_calendar_are_named_at_once() -> None:
    with pytest.raises(ValueError) as caught:
        wt.make_calendar(
            "Mars/Olympus", country="ZZ", rest_weekdays=[7],
            hours=["7-8", "07:00-11:60", "09:00-08:00", "08:00-12:00", "11:00-13:00"],
            overrides={"2026-13-01": "rest", "2026-01-01": "off"},
        )
    fields = [line.split(":")[0] for line in str(caught.value).splitlines()[1:]]
    assert fields == [
        "- tz", "- country", "- hours[1]", "- hours[2]", "- hours[3]", "- hours[5]", "- rest_weekdays",
        "- overrides.2026-13-01", "- overrides.2026-01-01",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"subdivision": "XX"}, "subdivision: VN has no 'XX'"),
        ({"country": "", "subdivision": "XX"}, "subdivision: 'XX' needs a country"),
        ({"hours": []}, "hours: give at least one interval"),
        ({"rest_weekdays": range(7)}, "rest_weekdays: a week needs at least one working day"),
        ({"tz": ""}, "tz: unknown time zone ''"),
        ({"tz": "Asia"}, "tz: unknown time zone 'Asia'"),
        ({"tz": "../etc"}, "tz: unknown time zone '../etc'"),
    ],
)
def test_a_fault_names_its_field(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        wt.make_calendar(**arguments)
    assert message in str(caught.value)
