"""The brief of a week: each number is the one its own question answers, the words are right, and page one is short.

Whole briefs are the same on both engines, cell by cell; so all else is asked of SQLite's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from metrics.city import City, weekly
from metrics.city.findings import signals
from metrics.city.numbers import kpis, score, series
from metrics.city.remembered import Remembered
from metrics.city.weekly import Weekly
from metrics.city.weekly.asking import ask
from metrics.city.weekly.budget import MOST_WORDS, fitted, words
from metrics.city.weekly.changed import statements as changed_statements
from metrics.city.weekly.drivers import drivers, more
from metrics.city.weekly.parts import SECTIONS, Figure, Row, Statement, Table, Word
from metrics.city.weekly.written import said, written
from metrics.comparison import working_days
from metrics.kpis import KPI_BY_KEY
from metrics.periods import parse_period
from metrics.spc import NO_CHANGE, TOO_LITTLE
from scope import Forbidden, scope_of
from store.annotations import NewAnnotation, put_annotation, withdraw_annotation
from store.days import number_of
from store.engine import Store
from tests.weekly_city import BY, alone, open_weekly, see, shared
from tests.weekly_city import brief as read_brief
from text import LANGUAGES
from text.catalogue import catalogue

ROOT = Path(__file__).parent.parent
WEEK = "2026-W06"
WEEKS = (WEEK, "2026-W07", "2026-W08", "2026-W09", "2025-W30")


@pytest.fixture(scope="module")
def city(make_database: Callable[..., str]) -> Iterator[City]:
    """For reading only."""
    opened = open_weekly("sqlite", make_database)
    yield shared(opened)
    opened.dispose()


@pytest.fixture
def store(make_database: Callable[..., str]) -> Iterator[Store]:
    """One to write in."""
    opened = open_weekly("sqlite", make_database)
    yield opened
    opened.dispose()


def brief(city: City, week: str = WEEK) -> Weekly:
    return read_brief(city, week)


def table(found: Weekly, key: str) -> Table:
    (one,) = [one for one in found.tables if one.key == key]
    return one


def cells(one: Table, row: Row) -> Mapping[str, object]:
    return dict(zip([column.key for column in one.columns], row.cells, strict=True))


def by_kpi(found: Weekly, key: str) -> dict[str, Mapping[str, object]]:
    """Rows of a table by the KPI they are of."""
    one = table(found, key)
    rows = [cells(one, row) for row in one.rows]
    return {row["kpi"].key.split(".")[1]: row for row in rows if isinstance(row["kpi"], Word)}


def value(cell: object) -> float | None:
    assert isinstance(cell, Figure)
    return cell.value


def sentences(found: Weekly, section: str, lang: str = "vi") -> list[str]:
    return [said(one.said, lang) for one in found.statements if one.section == section]


# ---- both engines ---------------------------------------------------------------------------------------------------
def test_a_brief_is_the_same_on_both_engines_in_each_cell_sentence_and_signal(city: City, make_database: Callable[..., str]) -> None:
    opened = open_weekly("postgresql", make_database)
    other = see(opened)
    for week in (*WEEKS, "2026-W01", "2026-W12"):
        assert brief(other, week) == brief(city, week), week
    assert brief(city).statements and brief(city).changed
    opened.dispose()


# ---- numbers --------------------------------------------------------------------------------------------------------
def test_every_kpi_of_the_table_is_as_its_own_question_answers(city: City) -> None:
    found, week = by_kpi(brief(city), "judged"), parse_period(WEEK, city.today)
    asked = {one.key: one for one in kpis.read(alone(city), list(found), week)}
    charts = {one.key: one for one in signals.read(alone(city), list(found), week)}
    assert len(found) > 30
    for key, row in found.items():
        own, chart = asked[key], charts[key]
        assert (value(row["value"]), value(row["n"])) == (own.value, own.n), key
        assert isinstance(row["verdict"], Word) and row["verdict"].key == f"signals.verdict.{chart.verdict}"
        begun = own.previous_period is not None and own.previous_period.text == "2026-W05"
        if begun and KPI_BY_KEY[key].topic != "readings":
            assert (value(row["previous"]), value(row["change"])) == (own.previous, own.delta), key
        assert value(row["target"]) == own.target


def test_limits_are_the_chart_s_times_the_days_it_is_charted_by(city: City) -> None:
    week = parse_period(WEEK, city.today)
    for key, days in (("dossiers_received", working_days(city.calendar, week)), ("reports_received", 7.0), ("dossiers_on_time_pct", 1.0)):
        row, (chart,) = by_kpi(brief(city), "judged")[key], signals.read(alone(city), [key], week)
        assert chart.limits is not None
        assert (value(row["low"]), value(row["high"])) == pytest.approx((chart.limits.low * days, chart.limits.high * days))
        assert (chart.value or 0) / days == pytest.approx(chart.points[-1].charted)


def test_what_changed_is_at_most_seven_signals_worst_first(city: City) -> None:
    week = parse_period(WEEK, city.today)
    all_signals = [one.key for one in signals.in_order(signals.read(alone(city), (), week)) if one.is_signal]
    assert [one.key for one in brief(city).changed] == all_signals[:7]
    assert len(all_signals) > 7


def test_a_signal_is_one_sentence_with_value_n_limits_target_and_quoted_words(city: City) -> None:
    found = sentences(brief(city), "changed")
    assert found[0] == (
        "Xấu đi: Tỷ lệ đúng hạn 81,4% (n 344), thấp hơn mức thường lệ 83,4–93,7%; mục tiêu 95,0%. "
        "Ghi chú của user:lan: “Phần mềm một cửa ngừng hai ngày”."
    )
    own = kpis.read(alone(city), ["dossiers_on_time_pct"], parse_period(WEEK, city.today))[0]
    assert (round(own.value or 0, 1), own.n) == (81.4, 344)
    assert sum("Ghi chú" in one for one in found) == 1


def test_how_many_kpis_did_not_change_is_counted(city: City) -> None:
    all_signals = signals.read(alone(city), (), parse_period(WEEK, city.today))
    judged = [one for one in all_signals if one.verdict != TOO_LITTLE]
    quiet = [one for one in judged if one.verdict == NO_CHANGE]
    assert sentences(brief(city), "changed", "en")[-1] == f"{len(quiet)} of {len(judged)} KPIs judged show no real change."


def test_no_real_change_is_said_in_so_many_words(city: City) -> None:
    with city.store.reading() as connection:
        asking = ask(connection, alone(city), parse_period(WEEK, city.today))
        quiet = replace(asking, signals=tuple(one for one in asking.signals if not one.is_signal))
        (only,) = changed_statements(quiet)
    assert said(only.said, "en").startswith("No real change: all ") and said(only.said, "vi").startswith("Không có thay đổi thực sự")


def test_the_score_is_set_beside_the_same_indicators_of_the_week_before(city: City) -> None:
    week = parse_period(WEEK, city.today)
    now, then = (score.read(alone(city), one) for one in (week, week.previous()))
    points = [{row.no: row.points for group in one.groups for row in group.indicators if row.points is not None} for one in (now, then)]
    both = points[0].keys() & points[1].keys()
    change = sum(points[0][no] - points[1][no] for no in both)
    first = next(one for one in brief(city).statements if one.section == "score").said.words["said"]
    assert isinstance(first, Word)
    assert value(first.words["points"]) == now.points and value(first.words["known"]) == now.known_most
    assert value(first.words["change"]) == pytest.approx(change) and value(first.words["same"]) == len(both)
    groups = [cells(table(brief(city), "score_groups"), row) for row in table(brief(city), "score_groups").rows]
    assert sum(value(row["change"]) or 0.0 for row in groups) == pytest.approx(change)


def test_what_would_lift_the_score_most_says_how_many_cases_more_and_no_fewer(city: City) -> None:
    found = drivers(score.read(alone(city), parse_period(WEEK, city.today)))
    lacking = [one.most - (one.points or 0.0) for one in found]
    assert lacking == sorted(lacking, reverse=True) and found[0].no == "2.1"
    for one in found:
        lifted = more(one)
        assert lifted is not None and one.n and one.rate is not None
        part = one.rate * one.n / 100
        assert 100 * (part + lifted) / one.n >= one.full_at - 1e-9 > 100 * (part + lifted - 1) / one.n
    assert f"thêm {more(found[0])} hồ sơ" in sentences(brief(city), "score")[1]


def test_feedback_is_as_its_kpis_answer(city: City) -> None:
    week, found = parse_period(WEEK, city.today), by_kpi(brief(city), "feedback")
    for own in kpis.read(alone(city), list(found), week):
        row = found[own.key]
        assert (value(row["value"]), value(row["n"]), value(row["previous"]), value(row["change"])) == (
            own.value, own.n, own.previous, own.delta)
    assert sentences(brief(city), "feedback", "en") == [
        "14 reports received (the week before 14), 14 ended; 1 overdue of 1 with a date; median 0.5 days (n 14); satisfied 85.7% (n 14); "
        "reopened 0.0% (n 14)."
    ]
    rows = {str(row.cells[0]): row.cells[1] for row in table(brief(city), "feedback_category").rows}
    points = series.read(alone(city), "reports_received", "category", week)
    assert {name: value(cell) for name, cell in rows.items()} == {point.label: point.value for point in points if point.value}


def test_the_environment_s_week_is_as_its_kpis_answer(city: City) -> None:
    week, found = parse_period(WEEK, city.today), by_kpi(brief(city), "environment")
    for own in kpis.read(alone(city), list(found), week):
        assert (value(found[own.key]["value"]), value(found[own.key]["n"])) == (own.value, own.n)
    (sentence,) = sentences(brief(city), "environment", "en")
    assert sentence.startswith("VN_AQI above 100: 1/7 station days (the week before 0), above 150: 1; rivers at alarm I or above: 1")
    (station,) = [cells(table(brief(city), "environment_stations"), row) for row in table(brief(city), "environment_stations").rows]
    own = kpis.read(alone(city), ["vn_aqi_daily"], week)[0]
    assert (value(station["worst"]), value(station["bad_days"]), value(station["days"])) == (own.value, 1, 7)
    assert station["on"] == parse_period("2026-02-04", city.today).start_on


# ---- promises, quoted words, questions ------------------------------------------------------------------------------
def test_what_was_promised_stands_first_with_what_was_kept_and_what_is_late(city: City) -> None:
    found = brief(city)
    assert found.statements[0].section == "followups" and found.statements[0].is_warning
    assert sentences(found, "followups", "en") == [
        "3 promised: 1 kept in time, 1 done, 2 late.",
        "Late longest: “Trả hết hồ sơ đất đai quá hạn”, Giám đốc Sở Bốn, due 04/02/2026.",
    ]
    assert len(table(found, "followups").rows) == 3


def test_words_that_were_taken_back_are_quoted_nowhere(store: Store) -> None:
    city = see(store)
    with city.store.reading() as connection:
        (note,) = ask(connection, city, parse_period(WEEK, city.today)).said
    withdraw_annotation(store, note.id, "Ghi nhầm tuần", BY, city.as_of)
    found = brief(see(store))
    assert not any("Phần mềm" in one for section in SECTIONS for one in sentences(found, section))
    assert not any("Phần mềm" in written(cell, "vi") for one in found.tables for row in one.rows for cell in row.cells)


def test_questions_are_asked_of_the_worst_of_each_section(city: City) -> None:
    assert [one.split(":")[0] for one in sentences(brief(city, "2026-W09"), "questions")] == [
        "Giám đốc Sở Bốn", "Sở Bốn", "Hồ sơ giải quyết đúng hạn",
    ]
    assert all(one.endswith("?") for lang in LANGUAGES for one in sentences(brief(city), "questions", lang))


def test_readers_of_the_same_rights_share_a_brief_until_something_is_written(store: Store) -> None:
    shared, week = Remembered(), parse_period(WEEK, see(store).today)

    def asked(**scope: frozenset[str]) -> Weekly:
        city = see(store)
        return weekly.read(replace(city, remembered=shared, scope=replace(city.scope, **scope)), week)

    first = asked()
    assert asked() is first
    assert asked(field_classes=frozenset({"public", "free_text"})) is not first  # names nobody has looked at are for some alone
    new = NewAnnotation("Đoàn kiểm tra làm việc cả tuần", number_of(week.start_on), number_of(week.end_on))
    put_annotation(store, new, BY, first.as_of)
    assert asked() is not first


CAUSAL = {
    "vi": r"\b(vì|do|bởi|nhờ|tại vì|nguyên nhân|dẫn đến|dẫn tới|gây ra|khiến|làm cho|kết quả của|bắt nguồn|xuất phát từ)\b",
    "en": r"\b(because|due to|caused?|causes|thanks to|as a result|result of|led to|leads to|owing to|therefore|driven by|explains?)\b",
}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_template_names_a_cause(lang: str) -> None:
    templates = {key: words for key, words in catalogue(lang).items() if re.match(r"weekly\.(say|ask)\.", key)}
    assert len(templates) > 50
    assert {key: words for key, words in templates.items() if re.search(CAUSAL[lang], words, re.IGNORECASE)} == {}
    assert re.search(CAUSAL[lang], {"vi": "Giảm do mưa lớn", "en": "Fell because of rain"}[lang], re.IGNORECASE)


# ---- page one -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("week", WEEKS)
def test_page_one_is_read_in_three_minutes(city: City, week: str) -> None:
    found = brief(city, week)
    kept, left = fitted(found.statements)
    for lang in LANGUAGES:
        assert 0 < sum(words(one, lang) for one in kept) <= MOST_WORDS
    assert sorted(map(repr, (*kept, *left))) == sorted(map(repr, found.statements))
    assert [one.section for one in found.statements] == sorted((one.section for one in found.statements), key=SECTIONS.index)


def test_the_worst_week_keeps_a_sentence_of_every_section_and_leaves_the_others() -> None:
    long = Word("weekly.say.agency_worse", {"agency": "Sở Nông nghiệp và Môi trường tỉnh An Hải", "said": "một " * 22})
    counts = {"followups": 2, "changed": 8, "score": 3, "agencies": 4, "overdue": 1, "feedback": 1, "environment": 1, "questions": 5}
    given = [Statement(section, long) for section, count in counts.items() for _ in range(count)]
    kept, left = fitted(given)
    assert sum(words(one, "vi") for one in kept) <= MOST_WORDS
    assert {one.section for one in kept} == set(SECTIONS)
    assert len(left) == len(given) - len(kept) > 0


def test_the_sentence_on_all_the_rest_outlives_single_signals() -> None:
    long, rest = Word("weekly.say.sentence", {"said": "một " * 60}), Word("weekly.say.nothing_judged")
    kept, _ = fitted([*(Statement("changed", long) for _ in range(7)), Statement("changed", rest)])
    assert kept[-1].said == rest and len(kept) < 8


# ---- every part -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("week", [WEEK, "2026-W08", "2026-W09", "2025-W30"])
def test_everything_is_written_in_both_languages_and_fits_its_columns(city: City, week: str) -> None:
    found = brief(city, week)
    texts = catalogue("vi")
    assert len({one.key for one in found.tables}) == len(found.tables)
    for one in found.tables:
        assert one.section in SECTIONS and f"weekly.table.{one.key}" in texts
        assert all(f"weekly.column.{column.key}" in texts for column in one.columns)
        for row in one.rows:
            assert len(row.cells) == len(one.columns)
            assert all(isinstance(cell, Figure | str | None) for column, cell in zip(one.columns, row.cells, strict=True)
                       if column.kind == "figure")
    for lang in LANGUAGES:
        told = [said(one.said, lang) for one in found.statements] + [said(one, lang) for one in found.notes]
        told += [written(cell, lang) for one in found.tables for row in one.rows for cell in row.cells]
        assert told and all(told) and not any("None" in one or "{" in one for one in told)


def test_every_link_leads_to_a_page_there_is(city: City) -> None:
    pages = set(re.findall(r'path="([^"]+)"', "".join(path.read_text("utf-8") for path in (ROOT / "pages").glob("*.py"))))
    found = brief(city)
    links = [one.link for one in found.statements] + [row.link for one in found.tables for row in one.rows]
    paths = {link.path for link in links if link is not None}
    assert {path.partition("~")[0].rpartition("/")[0] if "~" in path else path for path in paths} <= pages
    assert all(one.link is not None for one in found.statements)


def test_only_weeks_have_a_brief_and_only_for_who_sees_figures(city: City) -> None:
    with pytest.raises(ValueError, match="2026-01 is not a week"):
        weekly.read(city, parse_period("2026-01", city.today))
    with pytest.raises(Forbidden, match=r"see\.desk"):
        weekly.read(replace(city, scope=scope_of("display")), parse_period(WEEK, city.today))
