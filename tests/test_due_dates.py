"""Due dates, boundary by boundary, each with its source; worked out by hand on a wall calendar, not by the engine.

DM = domain.md 3.4 / 6 (a running one-stop system; PyPI holidays seen by running). CC = Civil Code 2015, articles 147-148 (text seen).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from metrics import worktime as wt
from metrics.due_dates import due_of, working_days_between, working_start

HANOI, AMSTERDAM = ZoneInfo("Asia/Ho_Chi_Minh"), ZoneInfo("Europe/Amsterdam")
VN = wt.make_calendar()
# the swap of 02/01/2026 with Saturday 10/01/2026, half a day before Tết, a morning and an afternoon of other hours
OVERRIDDEN = wt.make_calendar(overrides={
    "2026-01-02": "rest", "2026-01-10": "work", "2026-02-13": "morning", "2026-11-25": "afternoon",
    "2026-11-26": "08:00-10:00, 14:00-15:00",
})


def at(text: str, tz: ZoneInfo = HANOI) -> datetime:
    """'2026-02-13 16:00' as a local time of `tz`."""
    return datetime.fromisoformat(text).replace(tzinfo=tz)


def shown(moment: datetime, tz: ZoneInfo = HANOI) -> str:
    """The local time of an instant."""
    assert moment.tzinfo is UTC
    return f"{moment.astimezone(tz):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("received", "start"),
    [
        ("2026-11-18 09:15", "2026-11-18 09:15"),
        ("2026-11-18 05:00", "2026-11-18 07:00"),  # before opening: the same morning
        ("2026-11-18 11:29", "2026-11-18 11:29"),
        ("2026-11-18 11:30", "2026-11-18 13:30"),  # lunch
        ("2026-11-18 12:30", "2026-11-18 13:30"),
        ("2026-11-18 17:00", "2026-11-18 17:00"),  # at closing it is still received that day
        ("2026-11-18 17:01", "2026-11-19 07:00"),  # after 17:00: the next morning
        ("2026-11-20 19:00", "2026-11-23 07:00"),  # Friday evening: Monday
        ("2026-11-21 10:00", "2026-11-23 07:00"),  # a Saturday
        ("2026-08-22 10:00", "2026-08-22 10:00"),  # the make-up Saturday is worked
        ("2026-08-21 18:00", "2026-08-22 07:00"),
        ("2026-02-13 17:30", "2026-02-23 07:00"),  # the last evening before Tết
        ("2026-02-17 09:00", "2026-02-23 07:00"),  # the first day of Tết
        ("2025-12-31 20:00", "2026-01-02 07:00"),  # over New Year's Day
    ],
)
def test_a_limit_runs_from_the_next_hour_worked(received: str, start: str) -> None:
    """DM 3.4: received after 17:00 -> next morning, lunch shifts to 13:30; DM 6: Tết and make-up days of 2026."""
    assert shown(working_start(VN, at(received))) == start


@pytest.mark.parametrize(
    ("received", "limit", "due"),
    [
        ("2026-02-13 09:00", 5, "2026-02-27 17:00"),   # over Tết: 23, 24, 25, 26, 27
        ("2026-02-13 17:01", 5, "2026-03-02 17:00"),   # counted from Monday 23/02
        ("2026-11-16 09:00", 1, "2026-11-17 17:00"),   # the day itself is not counted
        ("2026-11-16 09:00", 0, "2026-11-16 17:00"),   # within the day
        ("2026-11-20 09:00", 1, "2026-11-23 17:00"),
        ("2026-11-20 18:00", 1, "2026-11-25 17:00"),   # from Monday; Tuesday 24/11 is Ngày Văn hóa
        ("2026-08-20 09:00", 2, "2026-08-22 17:00"),   # the make-up Saturday counts
        ("2026-08-28 09:00", 1, "2026-09-03 17:00"),   # 31/08 swapped, 01/09 and 02/09 off
        ("2026-11-16 07:00", 0.5, "2026-11-16 11:00"),  # half a working day = 4 working hours
        ("2026-11-16 16:00", 1.5, "2026-11-18 10:00"),  # 12 working hours: 1 + 8 + 3
    ],
)
def test_working_days(received: str, limit: float, due: str) -> None:
    """DM 6: 13/02/2026 + 5 = 27/02/2026, seen by running; CC 147.2: the first day is not counted."""
    assert shown(due_of(VN, at(received), limit, "wd")) == due


@pytest.mark.parametrize(
    ("received", "limit", "due"),
    [
        ("2026-11-16 09:00", 4, "2026-11-20 17:00"),   # calendar days count
        ("2026-11-16 09:00", 5, "2026-11-23 17:00"),   # the 21st is a Saturday: on to Monday
        ("2026-11-16 09:00", 7, "2026-11-23 17:00"),
        ("2026-11-16 09:00", 8, "2026-11-25 17:00"),   # the 24th is a holiday: on to Wednesday
        ("2026-02-09 09:00", 7, "2026-02-23 17:00"),   # into Tết: on to the first working day after
        ("2026-08-17 09:00", 5, "2026-08-22 17:00"),   # a make-up Saturday is no rest day
        ("2026-11-13 18:00", 4, "2026-11-20 17:00"),   # received on Friday evening: counted from Monday
    ],
)
def test_plain_days_count_all_days_and_never_end_on_a_rest_day(received: str, limit: float, due: str) -> None:
    """DM 3.4: for plain "Ngày" calendar days count, the due date is pushed off rest days; CC 148.5."""
    assert shown(due_of(VN, at(received), limit, "d")) == due


@pytest.mark.parametrize(
    ("received", "limit", "due"),
    [
        ("2026-11-16 14:00", 2, "2026-11-16 16:00"),
        ("2026-11-16 10:30", 1, "2026-11-16 11:30"),   # the earlier side of lunch
        ("2026-11-16 11:00", 1, "2026-11-16 14:00"),   # half before lunch, half after
        ("2026-11-16 12:00", 1, "2026-11-16 14:30"),
        ("2026-11-20 16:00", 4, "2026-11-23 10:00"),   # Friday afternoon into Monday
        ("2026-11-20 19:00", 4, "2026-11-23 11:00"),
        ("2026-02-13 16:00", 2, "2026-02-23 08:00"),   # over Tết
        ("2026-11-16 07:00", 8, "2026-11-16 17:00"),
    ],
)
def test_hours_are_working_hours(received: str, limit: float, due: str) -> None:
    """DM 3.4: 8 h a day, 07:00-11:30 and 13:30-17:00."""
    assert shown(due_of(VN, at(received), limit, "h")) == due


@pytest.mark.parametrize(
    ("received", "limit", "due"),
    [
        ("2026-09-16 09:00", 1, "2026-10-16 17:00"),
        ("2026-10-30 09:00", 1, "2026-11-30 17:00"),
        ("2025-10-31 09:00", 1, "2025-12-01 17:00"),   # November has 30: its last, a Sunday: on to Monday
        ("2027-12-31 09:00", 2, "2028-02-29 17:00"),   # a leap year's February
        ("2025-12-31 09:00", 2, "2026-03-02 17:00"),   # 28/02/2026 is a Saturday
        ("2026-10-22 09:00", 1, "2026-11-23 17:00"),   # a Sunday
        ("2025-11-17 09:00", 3, "2026-02-23 17:00"),   # 17/02/2026 is Tết
        ("2026-11-30 18:00", 13, "2028-01-04 17:00"),  # from 01/12; 01/01/2028 is a holiday on a Saturday: Monday is its day off
    ],
)
def test_months_end_on_the_same_day_or_the_last(received: str, limit: float, due: str) -> None:
    """CC 148.3: the corresponding day of the last month, or that month's last day; 148.5: moved off rest days."""
    assert shown(due_of(VN, at(received), limit, "m")) == due


@pytest.mark.parametrize(
    ("received", "limit", "unit", "due"),
    [
        ("2026-02-12 09:00", 1, "wd", "2026-02-13 11:30"),  # ends with the morning that is worked
        ("2026-02-13 14:00", 1, "wd", "2026-02-24 17:00"),  # received after a half day closed: from Monday 23/02
        ("2026-02-13 11:00", 1, "h", "2026-02-23 07:30"),
        ("2026-11-23 16:00", 1, "wd", "2026-11-25 17:00"),
        ("2026-11-23 16:00", 2, "h", "2026-11-25 14:30"),   # 24/11 rests, 25/11 is worked from 13:30
        ("2026-11-25 09:00", 1, "wd", "2026-11-26 15:00"),  # the given hours end at 15:00
        ("2026-11-25 16:30", 2, "h", "2026-11-26 09:30"),
        ("2026-01-01 09:00", 1, "wd", "2026-01-06 17:00"),  # 02/01 rests by the table: from Monday 05/01
        ("2026-01-09 09:00", 1, "wd", "2026-01-10 17:00"),  # the make-up Saturday of the table
    ],
)
def test_the_override_table_moves_due_dates(received: str, limit: float, unit: str, due: str) -> None:
    """DM 6: the swap of 02/01/2026 with 10/01/2026 is missing in PyPI holidays, a provincial table must win; half days: ours."""
    assert shown(due_of(OVERRIDDEN, at(received), limit, unit)) == due


@pytest.mark.parametrize(
    ("stops", "due"),
    [
        ([], "2026-11-20 17:00"),
        ([("2026-11-17 09:00", "2026-11-17 11:00")], "2026-11-23 09:00"),      # 2 working hours
        ([("2026-11-17 09:00", "2026-11-18 09:00")], "2026-11-23 17:00"),      # a working day
        ([("2026-11-17 11:30", "2026-11-17 13:30")], "2026-11-20 17:00"),      # lunch is no working time
        ([("2026-11-17 17:00", "2026-11-18 07:00")], "2026-11-20 17:00"),      # nor is the night
        ([("2026-11-17 09:00", "2026-11-17 11:00"), ("2026-11-17 10:00", "2026-11-17 11:30")], "2026-11-23 09:30"),  # they overlap
        ([("2026-11-18 09:00", "2026-11-18 10:00"), ("2026-11-17 09:00", "2026-11-17 10:00")], "2026-11-23 09:00"),  # any order
        ([("2026-11-20 16:00", "2026-11-23 08:00")], "2026-11-23 09:00"),      # begun in time: 2 working hours past Friday 17:00
        ([("2026-11-23 07:00", "2026-11-25 07:00")], "2026-11-20 17:00"),      # begun when the date had passed: too late
        ([("2026-11-17 09:00", "2026-11-18 09:00"), ("2026-11-23 08:00", "2026-11-23 10:00")], "2026-11-25 09:00"),  # in time now
        ([("2026-11-15 09:00", "2026-11-16 10:00")], "2026-11-23 08:00"),      # begun before receipt: from 09:00 only
        ([("2026-11-17 09:00", None)], "2026-11-20 17:00"),                    # until it ends nothing is known
        ([("2026-11-17 09:00", "2026-11-16 09:00")], "2026-11-20 17:00"),      # backwards: empty
    ],
)
def test_stops_give_back_their_working_time(stops: list[tuple[str, str | None]], due: str) -> None:
    """766, indicator 2.1 (supplement time is taken off); Decree 61/2018 (waiting for the applicant is not counted). Working time: ours."""
    spans = [(at(start), at(end) if end else None) for start, end in stops]
    assert shown(due_of(VN, at("2026-11-16 09:00"), 4, "wd", spans)) == due


@pytest.mark.parametrize(
    ("end", "due"),
    [
        ("2026-11-17 11:00", "2026-11-23 17:00"),  # 0 elapsed: still a working day more
        ("2026-11-18 09:00", "2026-11-23 17:00"),  # 1 - 1 + 1 working day
        ("2026-11-20 09:00", "2026-11-23 17:00"),  # 20 + 2 = Sunday 22, + 1 working day
        ("2026-11-23 09:00", "2026-11-26 17:00"),  # 20 + 5 = 25, + 1
    ],
)
def test_the_other_rule_for_stops_counts_elapsed_calendar_days(end: str, due: str) -> None:
    """DM 3.4: a running system extends by elapsed calendar days - 1 + 1 working day; here a choice, not our rule."""
    stop = at("2026-11-17 09:00"), at(end)
    assert shown(due_of(VN, at("2026-11-16 09:00"), 4, "wd", [stop], stop_rule="td")) == due


def test_an_extension_replaces_the_due_date() -> None:
    """Decree 61/2018: one new due date; the last given wins whatever the order."""
    first, last = (at("2026-11-20 10:00"), at("2026-11-27 17:00")), (at("2026-11-26 10:00"), at("2026-12-04 17:00"))
    received = at("2026-11-16 09:00")
    assert shown(due_of(VN, received, 4, extensions=[first])) == "2026-11-27 17:00"
    assert shown(due_of(VN, received, 4, extensions=[last, first])) == "2026-12-04 17:00"


def test_an_extension_has_earlier_stops_in_it_and_is_moved_by_later_ones() -> None:
    """Our rule: what the office knew when it gave the new date is in that date."""
    extension = at("2026-11-19 09:00"), at("2026-11-27 17:00")
    earlier = at("2026-11-17 09:00"), at("2026-11-18 09:00")
    across = at("2026-11-18 15:00"), at("2026-11-19 10:00")
    later = at("2026-11-25 09:00"), at("2026-11-25 11:00")
    received = at("2026-11-16 09:00")
    assert shown(due_of(VN, received, 4, "wd", [earlier], [extension])) == "2026-11-27 17:00"
    assert shown(due_of(VN, received, 4, "wd", [across], [extension])) == "2026-11-30 08:00"
    assert shown(due_of(VN, received, 4, "wd", [earlier, later], [extension])) == "2026-11-30 09:00"


@pytest.mark.parametrize(
    ("received", "limit", "unit", "due", "utc"),
    [
        ("2026-03-27 16:00", 1, "wd", "2026-03-30 17:00", "15:00"),  # summer time began on Sunday: an hour earlier in UTC
        ("2026-10-23 16:00", 1, "wd", "2026-10-26 17:00", "16:00"),  # and ended
        ("2026-03-27 16:00", 4, "h", "2026-03-30 10:00", "08:00"),   # 3 working hours of Monday, whatever the clock skipped
        ("2026-10-23 16:00", 4, "h", "2026-10-26 10:00", "09:00"),
        ("2026-03-28 02:30", 1, "d", "2026-03-31 17:00", "15:00"),   # a Saturday night; from Monday
        ("2026-01-29 09:00", 2, "m", "2026-03-30 17:00", "15:00"),   # the Sunday of the change: on to Monday
    ],
)
def test_due_dates_keep_the_wall_clock_where_clocks_change(received: str, limit: float, unit: str, due: str, utc: str) -> None:
    """WABO is Dutch: working hours are those on the wall, in summer and in winter. EU directive 2000/84 for the Sundays."""
    dutch = wt.make_calendar("Europe/Amsterdam", country="NL", hours=["07:00-11:30", "13:30-17:00"])
    found = due_of(dutch, at(received, AMSTERDAM), limit, unit)
    assert (shown(found, AMSTERDAM), f"{found:%H:%M}") == (due, utc)


def test_an_hour_that_occurs_twice_is_worked_twice() -> None:
    """25/10/2026 in Amsterdam has 25 hours: round-the-clock work of 4 hours from 01:00 is done at 04:00 on the wall."""
    always = wt.make_calendar("Europe/Amsterdam", country="", hours=["00:00-24:00"], rest_weekdays=[])
    assert shown(due_of(always, at("2026-10-25 01:00", AMSTERDAM), 4, "h"), AMSTERDAM) == "2026-10-25 04:00"
    assert shown(due_of(always, at("2026-03-29 01:00", AMSTERDAM), 4, "h"), AMSTERDAM) == "2026-03-29 06:00"


@pytest.mark.parametrize(
    ("first", "second", "days"),
    [
        ("2026-11-20", "2026-11-20", 0), ("2026-11-20", "2026-11-23", 1), ("2026-11-23", "2026-11-20", -1),
        ("2026-11-20", "2026-11-22", 0),    # Friday and Sunday: no working day lies between
        ("2026-02-13", "2026-02-27", 5), ("2026-02-27", "2026-02-13", -5), ("2026-08-21", "2026-08-24", 2),
    ],
)
def test_the_gap_of_two_due_dates_is_in_working_days(first: str, second: str, days: int) -> None:
    """Our rule: the later day counts, the earlier does not; DM 6 for Tết and the make-up Saturday."""
    assert working_days_between(VN, date.fromisoformat(first), date.fromisoformat(second)) == days


@pytest.mark.parametrize(
    ("limit", "unit", "stop_rule", "fault"),
    [
        (-1, "wd", "td", "limit"), (1.5, "d", "td", "limit"), (0.5, "m", "td", "limit"), (1e6, "wd", "td", "limit"),
        (float("nan"), "wd", "td", "limit"), (1, "week", "td", "unit"), (1, "wd", "other", "stop_rule"),
    ],
)
def test_what_cannot_be_a_limit_is_refused_by_name(limit: float, unit: str, stop_rule: str, fault: str) -> None:
    with pytest.raises(ValueError, match=f"^{fault}:"):
        due_of(VN, at("2026-11-16 09:00"), limit, unit, stop_rule=stop_rule)


@pytest.mark.parametrize("received", [datetime(2026, 11, 16, 9), datetime(9999, 12, 31, tzinfo=UTC), datetime(1900, 1, 1, tzinfo=UTC)])
def test_a_receipt_without_zone_or_beyond_the_calendar_is_refused(received: datetime) -> None:
    with pytest.raises(ValueError, match=r"^received_at:"):
        due_of(VN, received, 1)


def test_a_due_date_is_never_before_the_receipt_nor_outside_working_hours() -> None:
    """Every quarter of an hour of the weeks round Tết, every unit: the due instant is one at which work is on or just ends."""
    moment = at("2026-02-09 00:15")
    while moment < at("2026-03-03 00:00"):
        for limit, unit in ((3, "h"), (2, "wd"), (0.5, "wd"), (6, "d"), (1, "m")):
            due = due_of(OVERRIDDEN, moment, limit, unit)
            assert due > moment
            on = due.astimezone(HANOI).date()
            assert any(opens < due <= closes for opens, closes in wt.work_intervals(OVERRIDDEN, on)), (moment, limit, unit, due)
        moment += timedelta(minutes=45)
