"""Laws of working time over generated ranges and stops; two oracles: `holidays`, minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import worktime as wt

HOUR = 3600
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
VN = wt.make_calendar()
CALENDARS = (
    VN,
    wt.make_calendar(overrides={"2026-02-18": "work", "2026-03-30": "half_day", "2026-10-24": "half_day"}),
    wt.make_calendar("Europe/Amsterdam", country="NL"),
    wt.make_calendar("America/New_York", country="US", hours=["22:00-24:00", "00:00-03:00"][::-1]),
    wt.make_calendar("Europe/Amsterdam", country="", hours=["00:00-24:00"], rest_weekdays=[]),
)
calendars = st.sampled_from(CALENDARS)
instants = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
stop_lists = st.lists(st.tuples(instants, st.none() | instants), max_size=4)


@given(calendars, instants, st.integers(-3000 * HOUR, 3000 * HOUR))
def test_working_seconds_is_the_inverse_of_add_working_seconds(
    cal: wt.WorkCalendar, start: datetime, seconds: int
) -> None:
    assert wt.working_seconds(cal, start, wt.add_working_seconds(cal, start, seconds)) == seconds


@given(calendars, instants, st.integers(1, 300 * HOUR))
def test_no_earlier_instant_has_the_added_time(cal: wt.WorkCalendar, start: datetime, seconds: int) -> None:
    end = wt.add_working_seconds(cal, start, seconds)
    assert wt.working_seconds(cal, start, end - timedelta(seconds=1)) == seconds - 1


@given(calendars, instants, instants, instants, stop_lists)
def test_the_parts_of_a_split_range_add_up(
    cal: wt.WorkCalendar, a: datetime, b: datetime, c: datetime, stops: list[wt.Stop]
) -> None:
    a, b, c = sorted((a, b, c))
    closed = [(start, end or c) for start, end in stops]
    whole = wt.working_seconds(cal, a, c, closed)
    parts = wt.working_seconds(cal, a, b, closed) + wt.working_seconds(cal, b, c, closed)
    assert parts == pytest.approx(whole, abs=1e-5)


@given(calendars, instants, instants, stop_lists, st.tuples(instants, st.none() | instants))
def test_one_more_stop_never_increases_working_time(
    cal: wt.WorkCalendar, a: datetime, b: datetime, stops: list[wt.Stop], extra: wt.Stop
) -> None:
    a, b = sorted((a, b))
    before, after = wt.working_seconds(cal, a, b, stops), wt.working_seconds(cal, a, b, [*stops, extra])
    assert 0 <= after <= before <= (b - a).total_seconds()


@given(instants, instants, stop_lists, st.randoms())
def test_the_order_of_stops_does_not_matter(
    a: datetime, b: datetime, stops: list[wt.Stop], random: Random
) -> None:
    shuffled = [*stops, *stops]
    random.shuffle(shuffled)
    assert wt.working_seconds(VN, a, b, shuffled) == wt.working_seconds(VN, a, b, stops)


days = st.dates(date(2020, 1, 1), date(2026, 12, 31))


@given(days, st.integers(-300, 300))
def test_vietnamese_days_agree_with_the_holidays_package_counting_by_itself(day: date, n: int) -> None:
    package = holidays.country_holidays("VN", years=range(2018, 2030))
    assert wt.add_working_days(VN, day, n) == package.get_nth_working_day(day, n)


@given(calendars, days, st.integers(0, 500))
def test_working_day_count_counts_the_working_days(cal: wt.WorkCalendar, day: date, length: int) -> None:
    each = [day + timedelta(days=offset) for offset in range(length)]
    found = wt.working_day_count(cal, day, day + timedelta(days=length - 1))
    assert found == sum(wt.is_working_day(cal, one) for one in each)


@given(calendars, days, st.integers(1, 300))
def test_walking_days_forth_and_back_returns(cal: wt.WorkCalendar, day: date, n: int) -> None:
    worked = wt.add_working_days(cal, day, 0)
    assert wt.add_working_days(cal, wt.add_working_days(cal, worked, n), -n) == worked


REST_2026 = {  # written out here, not read from the package
    "01-01", "02-16", "02-17", "02-18", "02-19", "02-20", "04-27", "04-30", "05-01", "08-31", "09-01",
    "09-02", "11-24",
}
MINUTE = timedelta(minutes=1)
minutes_2026 = st.integers(0, 364 * 1440).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + n * MINUTE)
short_spans = st.tuples(minutes_2026, st.integers(0, 6 * 1440)).map(lambda x: (x[0], x[0] + x[1] * MINUTE))


def minute_by_minute(
    tz: ZoneInfo, rest: set[str], work: set[str], start: datetime, end: datetime, stops: list[wt.Stop]
) -> int:
    """Seconds worked, by asking every minute: slow, and shares nothing with the engine."""
    worked, minute = 0, start
    while minute < end:
        local = minute.astimezone(tz)
        day, clock = f"{local:%m-%d}", local.time()
        on_duty = time(7) <= clock < time(11, 30) or time(13, 30) <= clock < time(17)
        free = day in rest or (local.isoweekday() > 5 and day not in work)
        stopped = any(s <= minute and (e is None or minute < e) for s, e in stops)
        worked += 60 * (on_duty and not free and not stopped)
        minute += MINUTE
    return worked


@settings(max_examples=60)
@given(
    short_spans,
    st.lists(st.tuples(minutes_2026, st.none() | minutes_2026), max_size=2),
    st.lists(st.integers(0, 3000), max_size=3),
)
def test_vietnamese_working_time_equals_the_minute_oracle(
    span: tuple[datetime, datetime], far: list[wt.Stop], near: list[int]
) -> None:
    stops = [*far, *((span[0] + n * MINUTE, span[0] + 2 * n * MINUTE) for n in near)]
    expected = minute_by_minute(HANOI, REST_2026, {"08-22"}, *span, stops)
    assert wt.working_seconds(VN, *span, stops) == expected


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "America/New_York", "Asia/Ho_Chi_Minh"])
@pytest.mark.parametrize("middle", ["2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2026-12-31"])
def test_working_time_around_clock_jumps_equals_the_minute_oracle(zone: str, middle: str) -> None:
    cal = wt.make_calendar(zone, country="")
    start = datetime.fromisoformat(middle).replace(tzinfo=UTC) - timedelta(days=3, hours=5, minutes=17)
    end = start + timedelta(days=6, hours=11, minutes=41)
    assert wt.working_seconds(cal, start, end) == minute_by_minute(cal.tz, set(), set(), start, end, [])


@settings(max_examples=20)
@given(st.integers(0, 3 * 1440), st.integers(1, 1440), st.sampled_from(["2026-03-28", "2026-10-24"]))
def test_night_hours_across_the_jump_equal_the_minute_oracle(first: int, length: int, day: str) -> None:
    hours = ["00:00-01:30", "03:30-24:00"]
    cal = wt.make_calendar("Europe/Amsterdam", country="", hours=hours, rest_weekdays=[])
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) + first * MINUTE
    clocks = [(start + n * MINUTE).astimezone(cal.tz).time() for n in range(length)]
    expected = 60 * sum(not time(1, 30) <= clock < time(3, 30) for clock in clocks)
    assert wt.working_seconds(cal, start, start + length * MINUTE) == expected
