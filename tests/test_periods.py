"""Periods boundary by boundary: forms, comparable periods, parts, day numbers."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.periods import (
    ACCEPTED,
    KINDS,
    RELATIVE_WORDS,
    Period,
    comparable,
    day_number,
    day_of_number,
    days_of,
    months_of,
    parse_period,
    weeks_of,
)
from text import LANGUAGES, t
from text.formats import period_label

TODAY = date(2026, 11, 22)  # a Sunday, the last day of 2026-W47
DAYS = st.dates(min_value=date(1971, 1, 1), max_value=date(2190, 12, 31))


def span(text: str, today: date = TODAY) -> tuple[str, str]:
    period = parse_period(text, today)
    return period.start_on.isoformat(), period.end_on.isoformat()


def ends(period: Period | None) -> tuple[str, str] | None:
    return None if period is None else (period.start_on.isoformat(), period.end_on.isoformat())


def tiling_periods(day: date) -> list[Period]:
    quarter = (day.month - 1) // 3 + 1
    iso = day.isocalendar()
    year = f"{day.year}"
    texts = (
        year,
        f"{year}-{day.month:02}",
        f"{year}-Q{quarter}",
        f"{year}-AM{day.month:02}",
        f"{year}-AQ{quarter}",
        f"{year}-AH{(day.month - 1) // 6 + 1}",
        f"{year}-AY",
    )
    return [parse_period(text, day) for text in (*texts, f"{iso.year}-W{iso.week:02}")]


@pytest.mark.parametrize(
    ("text", "kind", "start_on", "end_on"),
    [
        ("2026-11-20", "day", "2026-11-20", "2026-11-20"),
        ("2028-02-29", "day", "2028-02-29", "2028-02-29"),
        ("2026-W46", "week", "2026-11-09", "2026-11-15"),
        ("2026-W01", "week", "2025-12-29", "2026-01-04"),
        ("2026-W53", "week", "2026-12-28", "2027-01-03"),
        ("2026-11", "month", "2026-11-01", "2026-11-30"),
        ("2028-02", "month", "2028-02-01", "2028-02-29"),
        ("2026-12", "month", "2026-12-01", "2026-12-31"),
        ("2026-Q1", "quarter", "2026-01-01", "2026-03-31"),
        ("2026-Q4", "quarter", "2026-10-01", "2026-12-31"),
        ("2026-AM11", "admin_month", "2026-10-15", "2026-11-14"),
        ("2026-AM01", "admin_month", "2025-12-15", "2026-01-14"),
        ("2026-AQ4", "admin_quarter", "2026-09-15", "2026-12-14"),
        ("2026-AQ1", "admin_quarter", "2025-12-15", "2026-03-14"),
        ("2026-AH1", "admin_half", "2025-12-15", "2026-06-14"),
        ("2026-AH2", "admin_half", "2026-06-15", "2026-12-14"),
        ("2026-A9M", "admin_nine_months", "2025-12-15", "2026-09-14"),
        ("2026-AY", "admin_year", "2025-12-15", "2026-12-14"),
        ("2026-YTD", "ytd", "2026-01-01", "2026-11-22"),
        ("2025-YTD", "ytd", "2025-01-01", "2025-11-22"),
        ("2026", "year", "2026-01-01", "2026-12-31"),
        ("2026-11-01..2026-11-20", "range", "2026-11-01", "2026-11-20"),
        ("2025-12-31..2026-01-01", "range", "2025-12-31", "2026-01-01"),
    ],
)
def test_absolute_forms(text: str, kind: str, start_on: str, end_on: str) -> None:
    period = parse_period(text, TODAY)
    assert period == Period(text, kind, date.fromisoformat(start_on), date.fromisoformat(end_on))


@pytest.mark.parametrize(
    ("word", "text", "start_on", "end_on"),
    [
        ("today", "2026-11-22", "2026-11-22", "2026-11-22"),
        ("yesterday", "2026-11-21", "2026-11-21", "2026-11-21"),
        ("this_week", "2026-W47", "2026-11-16", "2026-11-22"),
        ("last_week", "2026-W46", "2026-11-09", "2026-11-15"),
        ("this_month", "2026-11", "2026-11-01", "2026-11-30"),
        ("last_month", "2026-10", "2026-10-01", "2026-10-31"),
        ("last_7d", "2026-11-16..2026-11-22", "2026-11-16", "2026-11-22"),
        ("last_30d", "2026-10-24..2026-11-22", "2026-10-24", "2026-11-22"),
        ("last_12w", "2026-08-24..2026-11-15", "2026-08-24", "2026-11-15"),
    ],
)
def test_relative_words_become_absolute_periods(word: str, text: str, start_on: str, end_on: str) -> None:
    assert parse_period(word, TODAY).text == text
    assert span(word) == (start_on, end_on)


def test_a_new_week_begins_on_monday() -> None:
    assert span("this_week", date(2026, 11, 22))[0] == "2026-11-16"
    assert span("this_week", date(2026, 11, 23))[0] == "2026-11-23"


def test_last_week_on_new_years_day_lies_in_the_old_year() -> None:
    assert parse_period("last_week", date(2027, 1, 1)).text == "2026-W52"
    assert parse_period("this_week", date(2027, 1, 1)).text == "2026-W53"


def test_a_range_of_one_day_is_a_day() -> None:
    assert parse_period("2026-11-20..2026-11-20", TODAY) == parse_period("2026-11-20", TODAY)


def test_blanks_around_a_period_do_not_matter() -> None:
    assert parse_period(" 2026-W46\n", TODAY).text == "2026-W46"


@pytest.mark.parametrize(
    "text",
    [
        "", "tomorrow", "TODAY", "20/11/2026", "2026-W54", "2025-W53", "2026-W00", "2026-W1", "2026-13",
        "2026-00", "2026-Q5", "2026-Q0", "2026-AM13", "2026-AM00", "2026-AQ5",
        "2026-AH0", "2026-AH3", "2026-A6M", "2026-AY1", "2026-02-30", "2026-1-1", "26",
        "20261120", "2026-11-20..2026-11-19", "2026-11-20..", "..2026-11-20", "2026-11-20...2026-11-21",
        "2026-W46..2026-W47", "0000", "0001-01-01..9999-12-31", "1969", "2200", "2026-01-01..2200-01-01",
        "٢٠٢٦", "2026-W46; drop table x",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_the_accepted_forms(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(text))) as caught:
        parse_period(text, TODAY)
    assert ACCEPTED in str(caught.value)


@given(st.text(max_size=24))
def test_no_text_gives_another_error_than_value_error(text: str) -> None:
    try:
        assert parse_period(text, TODAY).kind in KINDS
    except ValueError as fault:
        assert ACCEPTED in str(fault)


@given(DAYS)
def test_the_text_of_a_period_reads_back_as_the_same_period(day: date) -> None:
    words = (parse_period(word, day) for word in RELATIVE_WORDS)
    for period in (*tiling_periods(day), *words, parse_period(f"{day.year}-YTD", day)):
        assert parse_period(period.text, day) == period


@given(DAYS)
def test_periods_of_a_kind_tile_time(day: date) -> None:
    for period in tiling_periods(day):
        before = period.previous()
        assert before.kind == period.kind
        assert before.end_on == period.start_on - timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "previous"),
    [
        ("2026-11-23", ("2026-11-16", "2026-11-16")),  # Monday beside Monday
        ("2026-W01", ("2025-12-22", "2025-12-28")),
        ("2027-W01", ("2026-12-28", "2027-01-03")),
        ("2026-03", ("2026-02-01", "2026-02-28")),
        ("2026-01", ("2025-12-01", "2025-12-31")),
        ("2026-Q1", ("2025-10-01", "2025-12-31")),
        ("2026-AM01", ("2025-11-15", "2025-12-14")),
        ("2026-AQ1", ("2025-09-15", "2025-12-14")),
        ("2026-AH2", ("2025-12-15", "2026-06-14")),
        ("2026-A9M", ("2024-12-15", "2025-09-14")),
        ("2026-AY", ("2024-12-15", "2025-12-14")),
        ("2026", ("2025-01-01", "2025-12-31")),
        ("2026-YTD", ("2025-01-01", "2025-11-22")),
        ("2026-11-16..2026-11-22", ("2026-11-09", "2026-11-15")),
        ("2026-11-10..2026-11-23", ("2026-10-27", "2026-11-09")),
        ("2026-11-20..2026-11-22", ("2026-11-17", "2026-11-19")),
    ],
)
def test_previous_is_the_same_kind_one_step_back(text: str, previous: tuple[str, str]) -> None:
    assert ends(parse_period(text, TODAY).previous()) == previous


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("2026-11-20", ("2025-11-21", "2025-11-21")),  # Friday beside Friday
        ("2026-W46", ("2025-11-10", "2025-11-16")),
        ("2026-W53", ("2025-12-22", "2025-12-28")),  # 2025 has 52 weeks
        ("2027-W01", ("2025-12-29", "2026-01-04")),
        ("2026-02", ("2025-02-01", "2025-02-28")),
        ("2028-02", ("2027-02-01", "2027-02-28")),
        ("2026-Q4", ("2025-10-01", "2025-12-31")),
        ("2026", ("2025-01-01", "2025-12-31")),
        ("2026-AM01", ("2024-12-15", "2025-01-14")),
        ("2026-AQ4", ("2025-09-15", "2025-12-14")),
        ("2026-AH1", ("2024-12-15", "2025-06-14")),
        ("2026-A9M", ("2024-12-15", "2025-09-14")),
        ("2026-AY", ("2024-12-15", "2025-12-14")),
        ("2026-YTD", ("2025-01-01", "2025-11-22")),
        ("2026-11-01..2026-11-20", ("2025-11-02", "2025-11-21")),
    ],
)
def test_the_year_before_is_the_same_kind_and_keeps_weekdays(text: str, before: tuple[str, str]) -> None:
    found = parse_period(text, TODAY).year_before()
    assert ends(found) == before
    assert parse_period(found.text, TODAY).end_on == found.end_on


def test_ytd_on_leap_day_compares_with_28_february() -> None:
    period = parse_period("2028-YTD", date(2028, 2, 29))
    assert ends(period.previous()) == ("2027-01-01", "2027-02-28")


@given(DAYS, st.integers(min_value=1, max_value=200))
def test_a_range_of_whole_weeks_keeps_its_weekdays(day: date, weeks: int) -> None:
    period = parse_period(f"{day}..{day + timedelta(days=7 * weeks - 1)}", day)
    before = period.previous()
    assert (before.days, before.start_on.weekday()) == (period.days, period.start_on.weekday())


@pytest.mark.parametrize(
    ("today", "is_partial"), [("2026-11-08", True), ("2026-11-15", True), ("2026-11-16", False)]
)
def test_a_period_is_partial_until_its_last_day_is_over(today: str, is_partial: bool) -> None:
    assert parse_period("2026-W46", TODAY).is_partial(date.fromisoformat(today)) is is_partial


def test_a_finished_period_compares_with_the_whole_one_before() -> None:
    current, previous = comparable(parse_period("2026-W46", TODAY), TODAY)
    assert (current.text, previous and previous.text) == ("2026-W46", "2026-W45")
    assert not current.is_cut and previous is not None and not previous.is_cut


def test_a_running_week_compares_monday_to_wednesday_on_both_sides() -> None:
    wednesday = date(2026, 11, 18)
    current, previous = comparable(parse_period("this_week", wednesday), wednesday)
    assert (ends(current), ends(previous)) == (("2026-11-16", "2026-11-18"), ("2026-11-09", "2026-11-11"))
    assert current.is_cut and previous is not None and previous.is_cut
    assert parse_period(current.text, wednesday).days == 3


def test_a_running_day_is_cut_and_stands_beside_the_same_weekday() -> None:
    current, previous = comparable(parse_period("today", TODAY), TODAY)
    assert current.is_cut
    assert ends(previous) == ("2026-11-15", "2026-11-15")


def test_the_elapsed_part_never_runs_past_a_shorter_month() -> None:
    today = date(2026, 3, 30)
    current, previous = comparable(parse_period("this_month", today), today)
    assert (ends(current), ends(previous)) == (("2026-03-01", "2026-03-30"), ("2026-02-01", "2026-02-28"))
    assert previous is not None and previous.is_cut


def test_a_running_administrative_month_is_aligned_from_the_15th() -> None:
    current, previous = comparable(parse_period("2026-AM12", TODAY), TODAY)
    assert (ends(current), ends(previous)) == (("2026-11-15", "2026-11-22"), ("2026-10-15", "2026-10-22"))


def test_ytd_compares_with_the_same_span_of_last_year() -> None:
    current, previous = comparable(parse_period("2026-YTD", TODAY), TODAY)
    assert (ends(current), ends(previous)) == (("2026-01-01", "2026-11-22"), ("2025-01-01", "2025-11-22"))


def test_a_period_that_has_not_begun_has_nothing_to_compare_with() -> None:
    period = parse_period("2026-W48", TODAY)
    assert comparable(period, TODAY) == (period, None)


@given(DAYS, st.integers(min_value=0, max_value=400))
def test_both_sides_of_a_comparison_are_cut_or_neither(day: date, later: int) -> None:
    today = day + timedelta(days=later)
    for period in tiling_periods(day):
        current, previous = comparable(period, today)
        if previous is not None:
            assert current.is_cut is previous.is_cut is period.is_partial(today)
            assert previous.days <= current.days or not current.is_cut
            assert previous.end_on < current.start_on


def test_days_of_lists_every_day_once_in_order() -> None:
    days = days_of(parse_period("2026-02", TODAY))
    assert (days[0], days[-1], len(days)) == (date(2026, 2, 1), date(2026, 2, 28), 28)
    assert days == sorted(set(days))


def test_weeks_of_holds_only_full_weeks_unless_asked() -> None:
    november = parse_period("2026-11", TODAY)  # begins on a Sunday, ends on a Monday
    assert [week.text for week in weeks_of(november)] == ["2026-W45", "2026-W46", "2026-W47", "2026-W48"]
    cut = [ends(week) for week in weeks_of(november, full_only=False) if week.is_cut]
    assert cut == [("2026-11-01", "2026-11-01"), ("2026-11-30", "2026-11-30")]


def test_last_12w_holds_twelve_full_weeks() -> None:
    assert len(weeks_of(parse_period("last_12w", TODAY))) == 12


def test_months_of_a_quarter_and_of_a_year_to_date() -> None:
    assert [month.text for month in months_of(parse_period("2026-Q4", TODAY))] == [
        "2026-10",
        "2026-11",
        "2026-12",
    ]
    running = months_of(parse_period("2026-YTD", TODAY), full_only=False)
    assert (len(running), ends(running[-1]), running[-1].is_cut) == (11, ("2026-11-01", "2026-11-22"), True)


@given(DAYS, st.integers(min_value=0, max_value=120))
def test_cut_and_full_parts_together_are_the_period(day: date, length: int) -> None:
    period = parse_period(f"{day}..{day + timedelta(days=length)}", day)
    for parts in (weeks_of(period, full_only=False), months_of(period, full_only=False)):
        assert [inside for part in parts for inside in days_of(part)] == days_of(period)


@pytest.mark.parametrize(("day", "number"), [("1970-01-01", 0), ("1969-12-31", -1), ("2026-11-22", 20779)])
def test_day_numbers_count_from_1970(day: str, number: int) -> None:
    assert day_number(date.fromisoformat(day)) == number
    assert day_of_number(number) == date.fromisoformat(day)


def test_every_kind_and_word_has_a_label_in_each_language() -> None:
    texts = (
        "2026-11-20",
        "2026-W46",
        "2026-11",
        "2026-Q4",
        "2026-AM11",
        "2026-AQ4",
        "2026-AH1",
        "2026-A9M",
        "2026-AY",
        "2026-YTD",
        "2026",
        "last_7d",
    )
    periods = [parse_period(text, TODAY) for text in texts]
    assert tuple(period.kind for period in periods) == KINDS
    for lang in LANGUAGES:
        assert len({period_label(p.kind, p.start_on, p.end_on, lang) for p in periods}) == len(KINDS)
        assert all(t(f"period.{word}", lang) for word in (*RELATIVE_WORDS, *KINDS))
