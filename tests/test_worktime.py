"""Working time, boundary by boundary: lunch, nights, Tết, stops, clock jumps, faults."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from metrics import worktime as wt

VN = wt.make_calendar()
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
HOUR, DAY = 3600, 8 * 3600


def at(text: str, tz: ZoneInfo = HANOI) -> datetime:
    """'2026-02-13 16:00' as a local time of `tz`."""
    return datetime.fromisoformat(text).replace(tzinfo=tz)


# --- one day ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-20 07:00", "2026-11-20 17:00", 8),      # a whole day
        ("2026-11-20 00:00", "2026-11-21 00:00", 8),      # and its edges
        ("2026-11-20 11:00", "2026-11-20 14:00", 1),      # lunch 11:30-13:30 is free
        ("2026-11-20 11:30", "2026-11-20 13:30", 0),
        ("2026-11-20 12:00", "2026-11-20 12:30", 0),
        ("2026-11-19 17:00", "2026-11-20 07:00", 0),      # the night
        ("2026-11-19 16:59", "2026-11-20 07:01", 2 / 60),
        ("2026-11-20 16:00", "2026-11-23 08:00", 2),      # a weekend between
        ("2026-02-13 16:00", "2026-02-23 08:00", 2),      # Tết and two weekends between
        ("2025-12-31 16:00", "2026-01-02 08:00", 2),      # New Year's Day between two years
    ],
)
def test_working_time_counts_only_working_hours(start: str, end: str, hours: float) -> None:
    assert wt.working_seconds(VN, at(start), at(end)) == hours * HOUR


def test_an_instant_means_the_same_in_any_zone() -> None:
    end = at("2026-11-20 10:00")
    assert wt.working_seconds(VN, at("2026-11-20 01:00", ZoneInfo("Europe/Amsterdam")), end) == 3 * HOUR


def test_microseconds_are_kept() -> None:
    start = at("2026-11-20 08:00")
    assert wt.working_seconds(VN, start, start + timedelta(microseconds=1)) == 1e-6


def test_an_end_before_its_start_is_negative_working_time() -> None:
    assert wt.working_seconds(VN, at("2026-11-23 08:00"), at("2026-11-20 16:00")) == -2 * HOUR


def test_work_intervals_are_utc_instants() -> None:
    first, second = wt.work_intervals(VN, date(2026, 11, 20))
    assert first == (datetime(2026, 11, 20, 0, 0, tzinfo=UTC), datetime(2026, 11, 20, 4, 30, tzinfo=UTC))
    assert second == (datetime(2026, 11, 20, 6, 30, tzinfo=UTC), datetime(2026, 11, 20, 10, 0, tzinfo=UTC))
    assert {moment.tzinfo for moment in (*first, *second)} == {UTC}


def test_a_rest_day_has_no_intervals() -> None:
    assert wt.work_intervals(VN, date(2026, 2, 17)) == ()


# --- counting days ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "n", "end"),
    [
        ("2026-02-13", 5, "2026-02-27"),    # over Tết
        ("2026-02-13", 0, "2026-02-13"),
        ("2026-02-14", 0, "2026-02-23"),    # a rest day moves on to the next working day
        ("2026-02-14", 1, "2026-02-23"),
        ("2026-02-27", -5, "2026-02-13"),
        ("2026-02-22", -1, "2026-02-13"),
        ("2026-08-20", 2, "2026-08-22"),    # the make-up Saturday
        ("2026-08-28", 1, "2026-09-03"),    # swap day, 1 and 2 September
        ("2025-12-31", 1, "2026-01-02"),
        ("2026-01-02", -1, "2025-12-31"),
        ("2024-01-02", 500, "2025-12-31"),  # counted by hand: 250 + 250
    ],
)
def test_add_working_days(start: str, n: int, end: str) -> None:
    assert wt.add_working_days(VN, date.fromisoformat(start), n) == date.fromisoformat(end)


def test_working_day_count_includes_both_ends() -> None:
    assert wt.working_day_count(VN, date(2026, 2, 13), date(2026, 2, 27)) == 6
    assert wt.working_day_count(VN, date(2026, 2, 16), date(2026, 2, 22)) == 0
    assert wt.working_day_count(VN, date(2026, 2, 13), date(2026, 2, 13)) == 1
    assert wt.working_day_count(VN, date(2026, 2, 14), date(2026, 2, 13)) == 0
    assert wt.working_day_count(VN, date(2025, 12, 29), date(2026, 1, 2)) == 4


def test_work_of_a_rest_day_ends_with_the_next_working_day() -> None:
    assert wt.end_of_working_day(VN, date(2026, 11, 20)) == at("2026-11-20 17:00")
    assert wt.end_of_working_day(VN, date(2026, 2, 14)) == at("2026-02-23 17:00")


@pytest.mark.parametrize(
    ("now", "n", "boundary"),
    [
        ("2026-11-18 00:00", 2, "2026-11-21 00:00"),    # Wednesday: until Friday's midnight
        ("2026-11-18 23:59", 2, "2026-11-21 00:00"),    # it moves at midnight only
        ("2026-11-19 00:00", 2, "2026-11-24 00:00"),    # Thursday: Friday, Monday
        ("2026-11-20 09:00", 2, "2026-11-26 00:00"),    # Friday: Monday, and Wednesday (24th: holiday)
        ("2026-11-21 09:00", 2, "2026-11-26 00:00"),    # Saturday: day 1 is Monday
        ("2026-11-20 09:00", 0, "2026-11-21 00:00"),
        ("2026-02-13 10:00", 2, "2026-02-25 00:00"),
    ],
)
def test_due_within_boundary_is_midnight_after_the_nth_working_day(now: str, n: int, boundary: str) -> None:
    found = wt.due_within_boundary(VN, at(now), n)
    assert found == at(boundary)
    assert found.tzinfo is UTC


def test_today_of_the_boundary_is_the_day_of_the_city() -> None:
    late_evening_utc = datetime(2026, 11, 18, 17, 30, tzinfo=UTC)  # 00:30 on Thursday in Hà Nội
    assert wt.due_within_boundary(VN, late_evening_utc, 1) == at("2026-11-21 00:00")


# --- adding seconds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-20 18:00", 1, "2026-11-23 08:00"),     # received after hours: next working morning
        ("2026-11-20 12:00", 1, "2026-11-20 14:30"),     # received at lunch: from 13:30
        ("2026-11-20 07:00", 4.5, "2026-11-20 11:30"),   # the earlier side of lunch
        ("2026-11-20 07:00", 8, "2026-11-20 17:00"),
        ("2026-11-20 12:00", 0, "2026-11-20 12:00"),
        ("2026-02-13 16:00", 2, "2026-02-23 08:00"),
        ("2026-02-23 08:00", -2, "2026-02-13 16:00"),
        ("2026-11-20 12:00", -1, "2026-11-20 10:30"),
        ("2026-11-20 14:30", -1, "2026-11-20 13:30"),    # back: the later side of lunch
        ("2025-12-31 16:00", 1, "2025-12-31 17:00"),     # the last work of a year
        ("2025-12-31 16:00", 2, "2026-01-02 08:00"),
        ("2026-01-02 08:00", -2, "2025-12-31 16:00"),
    ],
)
def test_add_working_seconds(start: str, hours: float, end: str) -> None:
    found = wt.add_working_seconds(VN, at(start), hours * HOUR)
    assert found == at(end)
    assert found.tzinfo is UTC


# --- stops ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stops", "hours"),
    [
        ([], 16),
        ([("2026-11-19 08:00", "2026-11-19 10:00")], 14),
        ([("2026-11-19 08:00", "2026-11-19 10:00"), ("2026-11-19 09:00", "2026-11-19 11:00")], 13),
        # in any order, one inside another
        ([("2026-11-20 08:00", "2026-11-20 09:00"), ("2026-11-19 08:00", "2026-11-19 10:00")], 13),
        ([("2026-11-19 07:00", "2026-11-20 17:00"), ("2026-11-19 08:00", "2026-11-19 09:00")], 0),
        ([("2026-11-20 07:00", None)], 8),  # still stopped
        ([("2026-11-20 07:00", None), ("2026-11-20 16:00", None)], 8),
        ([("2026-11-01 07:00", "2026-11-19 08:00")], 15),  # begun before
        ([("2026-12-01 07:00", "2026-12-09 08:00"), ("2026-12-01 07:00", None)], 16),  # all after
        ([("2026-11-19 10:00", "2026-11-19 08:00")], 16),  # backwards: empty
        ([("2026-11-19 11:30", "2026-11-19 13:30")], 16),  # at lunch
    ],
)
def test_the_clock_stands_still_inside_stops(stops: list[tuple[str, str | None]], hours: float) -> None:
    spans = [(at(start), at(end) if end else None) for start, end in stops]
    span = at("2026-11-19 00:00"), at("2026-11-21 00:00")
    assert wt.working_seconds(VN, *span, spans) == hours * HOUR
    assert wt.working_seconds(VN, span[1], span[0], iter(spans)) == -hours * HOUR


def test_remaining_days_are_signed_fractions_of_a_full_day() -> None:
    due = at("2026-11-20 17:00")
    assert wt.remaining_working_days(VN, at("2026-11-19 07:00"), due) == 2
    assert wt.remaining_working_days(VN, at("2026-11-20 15:00"), due) == 0.25
    assert wt.remaining_working_days(VN, due, due) == 0
    assert wt.remaining_working_days(VN, at("2026-11-23 11:00"), due) == -0.5


def test_remaining_days_do_not_move_while_the_clock_stands_still() -> None:
    due, stop = at("2026-11-20 17:00"), (at("2026-11-19 07:00"), None)
    nows = at("2026-11-19 07:00"), at("2026-11-20 10:00"), at("2026-12-15 09:00")
    assert [wt.remaining_working_days(VN, now, due, stops=[stop]) for now in nows] == [2, 2, 2]


def test_a_finished_stop_gives_its_working_time_back() -> None:
    stop = at("2026-11-18 15:00"), at("2026-11-19 09:00")  # 2 h + 2 h
    left = wt.remaining_working_days(VN, at("2026-11-20 07:00"), at("2026-11-20 17:00"), stops=[stop])
    assert left == 1.5


def test_a_stop_still_to_come_gives_nothing_back() -> None:
    stop = at("2026-11-23 07:00"), None
    assert wt.remaining_working_days(VN, at("2026-11-20 07:00"), at("2026-11-20 17:00"), stops=[stop]) == 1


# --- clock jumps ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Amsterdam", "2026-03-29", 23), ("Europe/Amsterdam", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23), ("America/New_York", "2026-11-01", 25),
        ("Asia/Ho_Chi_Minh", "2026-03-29", 24),
    ],
)
def test_a_round_the_clock_day_has_its_true_length(zone: str, day: str, hours: int) -> None:
    cal = wt.make_calendar(zone, country="", hours=["00:00-24:00"], rest_weekdays=[])
    start = at(day, cal.tz)
    span = start - timedelta(days=3), start + timedelta(days=3)
    assert wt.working_seconds(cal, *span) == (5 * 24 + hours) * HOUR
    (interval,) = wt.work_intervals(cal, date.fromisoformat(day))
    assert interval[1] - interval[0] == timedelta(hours=hours)


@pytest.mark.parametrize(("zone", "utc_hour"), [("America/New_York", 5), ("Asia/Ho_Chi_Minh", 17)])
def test_a_year_ends_at_local_midnight_not_at_that_of_utc(zone: str, utc_hour: int) -> None:
    cal = wt.make_calendar(zone, country="", hours=["00:00-24:00"], rest_weekdays=[])
    midnight = at("2026-01-01 00:00", cal.tz)
    assert midnight.astimezone(UTC).hour == utc_hour
    for hours in (-8, -6, -1, 0, 1, 6, 8):
        instant = (midnight + timedelta(hours=hours)).astimezone(UTC)
        assert wt.working_seconds(cal, instant, instant + timedelta(hours=9)) == 9 * HOUR
        assert wt.add_working_seconds(cal, instant, 9 * HOUR) == instant + timedelta(hours=9)


@pytest.mark.parametrize(
    ("zone", "winter", "summer"),
    [
        ("Europe/Amsterdam", ("2026-03-27", 6), ("2026-03-30", 5)),
        ("America/New_York", ("2026-03-06", 12), ("2026-03-09", 11)),
    ],
)
def test_office_hours_follow_the_local_clock(
    zone: str, winter: tuple[str, int], summer: tuple[str, int]
) -> None:
    cal = wt.make_calendar(zone, country="")
    for day, utc_hour in (winter, summer):
        opens = wt.work_intervals(cal, date.fromisoformat(day))[0][0]
        assert (opens.hour, opens.minute) == (utc_hour, 0)
    span = at(winter[0], cal.tz), at(summer[0], cal.tz) + timedelta(days=1)
    assert wt.working_seconds(cal, *span) == 2 * DAY


@pytest.mark.parametrize(
    ("day", "hours", "start", "end"),
    [
        ("2026-03-29", "01:00-04:00", "00:00", "02:00"),  # one hour of it never happens
        ("2026-03-29", "02:30-04:00", "01:00", "02:00"),  # 02:30 is skipped: from the jump itself
        ("2026-03-29", "01:00-02:30", "00:00", "01:00"),  # until the jump
        ("2026-10-25", "01:00-04:00", "23:00", "03:00"),  # one hour of it happens twice
        ("2026-10-25", "02:30-04:00", "00:30", "03:00"),  # from the first 02:30
    ],
)
def test_an_interval_across_the_jump_has_its_true_length(day: str, hours: str, start: str, end: str) -> None:
    cal = wt.make_calendar("Europe/Amsterdam", country="", hours=[hours], rest_weekdays=[])
    (interval,) = wt.work_intervals(cal, date.fromisoformat(day))
    assert [f"{moment:%H:%M}" for moment in interval] == [start, end]


def test_an_interval_the_jump_skips_whole_is_empty() -> None:
    cal = wt.make_calendar("Europe/Amsterdam", country="", hours=["02:10-02:50"], rest_weekdays=[])
    assert wt.work_intervals(cal, date(2026, 3, 29)) == ()


def test_a_day_whose_midnight_is_skipped_begins_at_the_jump() -> None:
    havana = wt.make_calendar("America/Havana", country="", rest_weekdays=[])
    now = at("2026-03-07 12:00", havana.tz)  # on the 8th the clock goes from 00:00 to 01:00
    assert wt.due_within_boundary(havana, now, 0) == datetime(2026, 3, 8, 5, 0, tzinfo=UTC)


# --- faults -----------------------------------------------------------------------------------------------

NAIVE = datetime(2026, 11, 20, 8, 0)
AWARE = at("2026-11-20 09:00")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("start", lambda: wt.working_seconds(VN, NAIVE, AWARE)),
        ("end", lambda: wt.working_seconds(VN, AWARE, NAIVE)),
        ("stops", lambda: wt.working_seconds(VN, AWARE, AWARE, [(NAIVE, None)])),
        ("stops", lambda: wt.working_seconds(VN, AWARE, AWARE, [(AWARE, NAIVE)])),
        ("start", lambda: wt.add_working_seconds(VN, NAIVE, 0)),
        ("now", lambda: wt.due_within_boundary(VN, NAIVE, 2)),
        ("now", lambda: wt.remaining_working_days(VN, NAIVE, AWARE)),
        ("end", lambda: wt.remaining_working_days(VN, AWARE, NAIVE)),
    ],
)
def test_naive_instants_are_refused_by_name(name: str, call: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=f"^{name}: naive datetime 2026-11-20T08:00:00"):
        call()


@pytest.mark.parametrize("year", [1, 1969, 2100, 9999])
def test_sentinel_dates_are_refused_by_name(year: int) -> None:
    with pytest.raises(ValueError, match=r"^end: .* is outside 1970-2099"):
        wt.working_seconds(VN, AWARE, datetime(year, 12, 31, tzinfo=UTC))


@pytest.mark.parametrize("bad", [datetime(2026, 11, 20), AWARE])
def test_a_datetime_is_no_day(bad: datetime) -> None:
    with pytest.raises(ValueError, match=r"^on: give a plain date"):
        wt.is_working_day(VN, bad)
    with pytest.raises(ValueError, match=r"^start_on: give a plain date"):
        wt.add_working_days(VN, bad, 1)


def test_adding_past_the_known_years_is_refused() -> None:
    with pytest.raises(ValueError, match="outside 1970"):
        wt.add_working_seconds(VN, at("2099-06-01 08:00"), 1000 * DAY)
