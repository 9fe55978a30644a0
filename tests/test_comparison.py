"""Comparisons: like with like, holidays with holidays, per working day where days differ, and the answer says how."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.workcalendar import WorkCalendar, make_calendar
from metrics.comparison import ALIGNED, HOWS, Change, Comparison, change_of, comparable_by, working_days
from metrics.kpis import kpi
from metrics.periods import parse_period

TODAY = date(2026, 11, 22)
VN = make_calendar()
NO_HOLIDAYS = make_calendar(country="")
DAYS = st.dates(min_value=date(2012, 1, 1), max_value=date(2026, 12, 31))


def compared(text: str, how: str = "previous", today: date = TODAY, calendar: WorkCalendar = VN) -> Comparison:
    return comparable_by(parse_period(text, today), today, calendar, how)


def told(found: Comparison) -> tuple[str, str]:
    return found.previous.text if found.previous else "", found.aligned


def test_an_ordinary_week_stands_beside_the_week_before() -> None:
    found = compared("2026-W46")
    assert told(found) == ("2026-W45", "weekday")
    assert (found.working_days, found.working_days_before, found.is_per_day) == (5, 5, False)


def test_a_running_week_stands_beside_the_same_weekdays() -> None:
    found = compared("this_week", today=date(2026, 11, 18))
    assert told(found) == ("2026-11-09..2026-11-11", "weekday")
    assert found.current.is_cut and found.previous is not None and found.previous.is_cut


def test_the_week_of_tet_stands_beside_last_years_week_of_tet() -> None:
    # Lunar New Year's eve 16/02/2026 (2026-W08); the same eve was 28/01/2025 (2025-W05)
    assert told(compared("2026-W08", "last_year")) == ("2025-W05", "holiday")


def test_a_week_in_which_nobody_worked_is_never_set_beside_an_ordinary_one() -> None:
    found = compared("2026-W08")  # 16-20/02/2026, Monday to Friday off
    assert found.working_days == 0
    assert told(found) == ("2025-W05", "holiday")


def test_the_week_after_tet_stands_beside_the_last_week_that_was_worked() -> None:
    found = compared("2026-W09")
    assert told(found) == ("2026-W07", "last_worked")
    assert found.working_days_before == 5


def test_a_tet_month_is_compared_per_working_day() -> None:
    found = compared("2026-02")
    assert told(found) == ("2026-01", "whole")
    assert (found.working_days, found.working_days_before) == (15, 21)
    assert found.is_per_day and found.scale("working_days") == pytest.approx(15 / 21)


def test_overrides_of_the_city_count_in_working_days() -> None:
    calendar = make_calendar(overrides={"2026-01-02": "rest", "2026-01-10": "work", "2026-01-30": "half_day"})
    found = compared("2026-02", calendar=calendar)
    assert found.working_days_before == pytest.approx(20 + 4.5 / 8)


def test_tet_day_itself_stands_beside_tet_day() -> None:
    assert told(compared("2026-02-17", "last_year")) == ("2025-01-29", "holiday")


def test_a_worked_monday_skips_a_monday_off() -> None:
    # Monday 27/04/2026 is a day off for 26/04; 04/05 is compared with 20/04
    assert told(compared("2026-05-04")) == ("2026-04-20", "last_worked")


def test_a_sunday_stands_beside_a_sunday() -> None:
    found = compared("2026-11-15")
    assert told(found) == ("2026-11-08", "weekday")
    assert found.scale("working_days") == 1


def test_a_holiday_without_a_name_in_the_year_before_is_not_compared_per_day() -> None:
    found = compared("2026-11-24", today=date(2026, 12, 1))  # Vietnam Cultural Day is new in 2026
    assert told(found) == ("2026-11-17", "weekday")
    assert found.scale("working_days") is None  # none worked beside one worked


def test_reports_of_citizens_are_counted_on_all_days() -> None:
    assert compared("2026-10").scale("all_days") == pytest.approx(31 / 30)


def test_a_range_of_odd_length_has_not_the_same_weekdays() -> None:
    assert compared("2026-11-10..2026-11-12").aligned == "whole"
    assert compared("2026-11-03..2026-11-16").aligned == "weekday"


def test_a_running_month_is_cut_on_both_sides() -> None:
    found = compared("2026-11", "last_year")
    assert told(found) == ("2025-11-01..2025-11-22", "part")


def test_what_has_not_begun_is_compared_with_nothing() -> None:
    found = compared("2026-W48")
    assert (told(found), found.scale("working_days")) == (("", ""), None)


def test_another_comparison_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="compare: 'best' is none of previous, last_year"):
        compared("2026-W46", "best")


@given(DAYS, st.integers(min_value=0, max_value=60), st.sampled_from(HOWS))
def test_both_sides_are_whole_or_cut_alike_and_never_overlap(day: date, later: int, how: str) -> None:
    today = day + timedelta(days=later)
    iso = day.isocalendar()
    for text in (day.isoformat(), f"{iso.year}-W{iso.week:02}", f"{day:%Y-%m}", f"{day.year}-Q{(day.month + 2) // 3}", f"{day.year}-AY"):
        found = compared(text, how, today)
        if found.previous is None:
            continue
        assert found.aligned in ALIGNED
        assert found.current.is_cut == found.previous.is_cut
        assert found.previous.end_on < found.current.start_on
        assert found.working_days == working_days(VN, found.current)


@given(DAYS, st.sampled_from(HOWS))
def test_without_holidays_a_week_stands_beside_its_plain_neighbour(day: date, how: str) -> None:
    iso = day.isocalendar()
    period = parse_period(f"{iso.year}-W{iso.week:02}", TODAY)
    plain = period.previous() if how == "previous" else period.year_before()
    assert told(compared(period.text, how, date(2027, 2, 1), NO_HOLIDAYS)) == (plain.text, "weekday")


# ---- changes --------------------------------------------------------------------------------------------------------
def change(key: str, text: str, now: tuple[float | None, int], before: tuple[float | None, int]) -> Change:
    return change_of(kpi(key), compared(text), now, before)


def test_a_count_of_a_month_with_tet_is_compared_per_working_day() -> None:
    found = change("dossiers_finished", "2026-02", (150.0, 150), (210.0, 210))  # 15 and 21 working days: ten a day in both
    assert (found.delta, found.pct, found.reason) == (0, 0, "")


def test_a_share_is_compared_as_it_is() -> None:
    assert change("dossiers_on_time_pct", "2026-02", (90.0, 150), (95.0, 210)) == Change(-5.0, None)


@pytest.mark.parametrize(("n", "before"), [(9, 100), (100, 9)])
def test_a_change_of_a_share_over_few_cases_is_withheld_with_its_reason(n: int, before: int) -> None:
    assert change("dossiers_on_time_pct", "2026-W46", (90.0, n), (95.0, before)) == Change(None, None, "small_n")


def test_a_share_over_just_enough_cases_has_a_change() -> None:
    assert change("dossiers_on_time_pct", "2026-W46", (90.0, 10), (95.0, 10)).delta == -5


def test_a_percent_change_of_few_is_withheld_but_not_the_count_itself() -> None:
    assert change("dossiers_received", "2026-W46", (6.0, 6), (3.0, 3)) == Change(3.0, None, "small_n")


def test_work_is_not_compared_with_a_day_on_which_nobody_worked() -> None:
    found = change_of(kpi("dossiers_finished"), compared("2026-11-24", today=date(2026, 12, 1)), (3.0, 3), (70.0, 70))
    assert found == Change(None, None, "no_working_day")


def test_what_is_unknown_has_no_change() -> None:
    assert change("dossiers_on_time_pct", "2026-W46", (None, 0), (95.0, 100)) == Change(None, None)


def test_what_is_carried_over_is_a_stock_that_more_days_do_not_make_larger() -> None:
    assert change("dossiers_carried_over", "2026-02", (150.0, 150), (210.0, 210)).delta == -60
