"""Agencies in the brief: chance, ranks and real changes told apart; overdue ones with their oldest.

The league and what is overdue are the same on both engines, by both rules of lateness; so all else is asked of SQLite's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import event, text

from config.workcalendar import is_working_day
from metrics.city import City
from metrics.city.findings import baselines, signals
from metrics.city.findings.baselines import Asked
from metrics.city.numbers import kpis, series
from metrics.city.numbers.sums import Choice
from metrics.city.weekly import Weekly
from metrics.city.weekly.agencies import KEY, League, league
from metrics.city.weekly.agency_weeks import signals_by_agency
from metrics.city.weekly.asking import ask
from metrics.city.weekly.overdue import oldest_due
from metrics.city.weekly.parts import Figure, Row, Table
from metrics.city.weekly.written import said, written
from metrics.funnel import LEAST_N, limits
from metrics.kpis import kpi
from metrics.periods import parse_period
from scope import scope_of
from store.engine import Store
from tests.weekly_city import CONFIG, ENDED, NEW_SINCE, OVERDUE, WORK, alone, open_weekly, see, shared
from tests.weekly_city import brief as read_brief

WEEK, STEADY = "2026-W06", "2026-W07"
LONG_AGO = date(2025, 7, 1)


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


def places(city: City, week: str = WEEK) -> League:
    """The league of a week, remembered where the city remembers."""
    def make() -> League:
        with city.store.reading() as connection:
            return league(ask(connection, alone(city), parse_period(week, city.today)))

    found: League = city.once("league", week, make=make)
    return found


def rows(found: Weekly, key: str) -> dict[str, dict[str, object]]:
    """Rows of a table of agencies by name."""
    (one,) = [one for one in found.tables if one.key == key]
    return {str(row.cells[0]): as_dict(one, row) for row in one.rows}


def as_dict(one: Table, row: Row) -> dict[str, object]:
    return dict(zip([column.key for column in one.columns], row.cells, strict=True))


def value(cell: object) -> float | None:
    assert isinstance(cell, Figure)
    return cell.value


# ---- both engines ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rule", ["late_instant", "late_day"])
def test_league_signals_and_overdue_are_the_same_on_both_engines(city: City, make_database: Callable[..., str], rule: str) -> None:
    opened, found = open_weekly("postgresql", make_database), []
    config = replace(CONFIG, late_rule=rule)
    for one in (replace(alone(city), config=config), see(opened, config=config)):
        week = parse_period(WEEK, one.today)
        with one.store.reading() as connection:
            asking = ask(connection, one, week)
            found.append((league(asking), signals_by_agency(asking, kpi(KEY), list(WORK)), oldest_due(asking)))
        limited = replace(one, scope=scope_of("viewer", agencies=("H1.1", "H1.4", "H1.5")), memo={})
        found[-1] += (brief(limited), brief(replace(one, memo={}), STEADY))
    assert found[0] == found[1]
    opened.dispose()


# ---- the league -----------------------------------------------------------------------------------------------------
def test_only_who_stands_outside_chance_is_told_apart_and_ranked(city: City) -> None:
    found = {one.code: (one.standing, one.rank) for one in places(city, STEADY).places}
    alike = dict.fromkeys(("H1.1", "H1.2", "H1.6", "H1.7", "H1.8"), ("alike", None))
    assert found == {"H1.3": ("above", 1), "H1.4": ("below", 7), "H1.5": ("few", None), **alike}
    assert [one.code for one in places(city, STEADY).places][0::6] == ["H1.3", "H1.4"]


def test_every_agency_has_the_share_and_n_of_its_breakdown(city: City) -> None:
    points = series.read(alone(city), KEY, "agency", parse_period(WEEK, city.today))
    found = {one.code: (one.value, one.n, one.name) for one in places(city).places}
    assert found == {point.group: (point.value, point.n, point.label) for point in points if point.n}
    assert len(found) == len(WORK)


def test_limits_are_those_of_chance_around_the_province_s_share(city: City) -> None:
    found, whole = places(city), kpis.read(alone(city), [KEY], parse_period(WEEK, city.today))[0]
    assert (found.share, found.n) == (whole.value, whole.n)
    judged = found.of("above", "alike", "below")
    for one in judged:
        assert one.n is not None and one.value is not None and one.n >= LEAST_N
        low, high = limits(one.n, (whole.value or 0) / 100)
        part = round(one.value * one.n / 100)
        assert one.standing == ("below" if part < low else "above" if part > high else "alike")
        assert (one.low, one.high) == pytest.approx((100 * low / one.n, 100 * high / one.n))
    assert len(judged) == len(WORK) - 2


def test_small_agencies_stand_apart_without_rank(city: City) -> None:
    found = brief(city)
    assert rows(found, "league_unranked")["Xã Năm"]["n"] == Figure(4, "none")
    assert "Xã Năm" not in rows(found, "league")
    assert all(value(row["rank"]) is None for row in rows(found, "league").values() if written(row["standing"], "en") == "Alike")  # type: ignore[arg-type]


# ---- whose own weeks changed ----------------------------------------------------------------------------------------
def test_each_agency_s_signal_is_that_of_its_own_chart_read_alone(city: City) -> None:
    week = parse_period(WEEK, city.today)
    with city.store.reading() as connection:
        found = signals_by_agency(ask(connection, alone(city), week), kpi(KEY), list(WORK))
    assert set(found) == set(WORK)
    for code, one in found.items():
        (chart,) = signals.read(alone(city), [KEY], week, Choice(agency=code))
        assert one == chart, code
    assert found["H1.1"].verdict == "deteriorated" and found["H1.2"].verdict == "no_real_change"


def test_an_agency_with_weeks_of_its_own_is_judged_by_them(store: Store) -> None:
    city = see(store)
    asked = Asked(KEY, "2025-W44", "2026-W04", "Sau khi sắp xếp lại quầy tiếp nhận", Choice(agency="H1.2"))
    baselines.set_baseline(city, asked, "", city.as_of)
    city, week = see(store), parse_period(WEEK, city.today)
    with store.reading() as connection:
        found = signals_by_agency(ask(connection, city, week), kpi(KEY), ["H1.1", "H1.2"])
    for code in found:
        assert found[code] == signals.read(see(store), [KEY], week, Choice(agency=code))[0]
    own, other = found["H1.2"].baseline, found["H1.1"].baseline
    assert own is not None and other is not None
    assert (own.from_week, own.to_week) == ("2025-W44", "2026-W04") != (other.from_week, other.to_week)


def test_all_agencies_are_read_at_once(city: City) -> None:
    asked: list[str] = []
    event.listen(city.store.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    brief(alone(city))
    assert len([one for one in asked if "(day + 3) / 7" in one]) == 1
    assert len([one for one in asked if "agency = " in one or ":agency" in one]) == 0


def test_the_agency_that_fell_is_named_and_no_other(city: City) -> None:
    (worse,) = places(city).worse
    assert worse.code == "H1.1"
    said_of = [said(one.said, "en") for one in brief(city).statements if one.section == "agencies"]
    assert said_of[0].startswith("Sở Một: on-time share 25.0% (n 40), below the usual ")
    assert places(city, STEADY).worse == ()
    assert any("No agency's on-time share got really worse" in said(one.said, "en") for one in brief(city, STEADY).statements)


def test_who_is_worse_than_chance_as_ever_is_below_and_no_signal(city: City) -> None:
    one = next(one for one in places(city, STEADY).places if one.code == "H1.4")
    assert one.standing == "below" and one.signal is not None and one.signal.verdict == "no_real_change"


def test_how_many_signals_chance_alone_makes_is_said(city: City) -> None:
    (one,) = [one for one in brief(city).tables if one.key == "league"]
    assert any(said(note, "en") == "With 5 agencies judged a week, chance alone can make about 0.3 signals." for note in one.notes)


# ---- agencies made anew ---------------------------------------------------------------------------------------------
def test_an_agency_made_anew_in_the_weeks_compared_is_named_and_not_judged(city: City) -> None:
    found = {one.code: one for one in places(city).places}
    assert set(NEW_SINCE) == {code for code, one in found.items() if one.is_reorganised}
    assert (found["H1.6"].standing, found["H1.6"].signal) == ("reorganised", None)
    assert found["H1.7"].standing == "alike" and found["H1.7"].signal is None
    notes = [said(one, "en") for one in brief(city).notes]
    assert "2 agencies reorganised within the weeks compared, not judged: Xã Sáu, Xã Bảy." in notes


def test_who_took_over_another_is_made_anew_too(store: Store) -> None:
    with store.engine.begin() as connection:
        connection.execute(
            text("UPDATE core_agency SET valid_to_on = :on, successor_code = 'H1.2' WHERE code = 'H1.8'"),
            {"on": (date(2026, 2, 4) - date(1970, 1, 1)).days},
        )
    found = {one.code: one.standing for one in places(see(store)).places}
    assert found["H1.2"] == found["H1.8"] == "reorganised" and found["H1.1"] == "below"


def test_an_agency_there_for_all_the_weeks_is_judged_whenever_it_began(store: Store) -> None:
    with store.engine.begin() as connection:
        values = {"on": (LONG_AGO - date(1970, 1, 1)).days}
        connection.execute(text("UPDATE core_agency SET valid_from_on = :on WHERE code = 'H1.2'"), values)
    one = next(one for one in places(see(store)).places if one.code == "H1.2")
    assert one.signal is not None and not one.is_reorganised


# ---- overdue --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rule", ["late_instant", "late_day"])
def test_overdue_by_agency_is_the_breakdown_and_adds_up_to_the_whole(city: City, rule: str) -> None:
    week = parse_period(WEEK, city.today)
    city = replace(alone(city), config=replace(CONFIG, late_rule=rule))
    told = brief(city)
    found = rows(told, "overdue")
    points = {p.label: p.value for p in series.read(alone(city), "dossiers_overdue", "agency", week) if p.value}
    before = {p.label: p.value for p in series.read(alone(city), "dossiers_overdue", "agency", week.previous())}
    whole = kpis.read(alone(city), ["dossiers_overdue"], week)[0]
    assert {name: value(row["overdue"]) for name, row in found.items()} == points
    assert sum(value(row["overdue"]) or 0 for row in found.values()) == whole.value
    assert {name: value(row["previous"]) for name, row in found.items()} == {name: before.get(name, 0.0) for name in found}
    sentence = next(said(one.said, "en") for one in told.statements if one.section == "overdue")
    assert sentence.startswith(f"{whole.value:.0f} dossiers overdue of {whole.n} in progress with a date, +4 on the week before; most: ")


@pytest.mark.parametrize("rule", ["late_instant", "late_day"])
def test_the_oldest_overdue_counts_what_was_finished_since(city: City, rule: str) -> None:
    city = replace(alone(city), config=replace(CONFIG, late_rule=rule))
    expected = {code: min(dues) for code, dues in OVERDUE.items()} | {ENDED[0]: ENDED[1]}
    with city.store.reading() as connection:
        assert oldest_due(ask(connection, city, parse_period(WEEK, city.today))) == expected
        later = oldest_due(ask(connection, alone(city), parse_period(STEADY, city.today)))
    assert later == {code: min(dues) for code, dues in OVERDUE.items()}


def test_how_long_it_is_overdue_is_counted_in_working_days(city: City) -> None:
    found, end_on = rows(brief(city), "overdue"), parse_period(WEEK, city.today).end_on
    for name, due in (("Sở Bốn", date(2026, 1, 20)), ("Xã Tám", ENDED[1])):
        days = [due + timedelta(days=n) for n in range(1, (end_on - due).days + 1)]
        assert value(found[name]["oldest_days"]) == sum(is_working_day(city.calendar, day) for day in days)
        assert found[name]["oldest"] == due


# ---- readers with less ----------------------------------------------------------------------------------------------
def test_a_reader_with_limits_is_told_of_its_own_agencies_alone(city: City) -> None:
    own = replace(city, scope=scope_of("leader", agencies=("H1.4",)))
    found = brief(own)
    told = {str(row.cells[0]) for one in found.tables if one.key in ("league", "league_unranked", "overdue") for row in one.rows}
    assert told == {"Sở Bốn"}
    assert not any("Sở Một" in said(one.said, "vi") for one in found.statements)


def test_small_counts_are_withheld_and_said_to_be(city: City) -> None:
    own = replace(city, scope=scope_of("viewer"))
    found = brief(own)
    small = rows(found, "league_unranked")["Xã Năm"]
    assert (value(small["value"]), value(small["n"])) == (None, None)
    assert written(small["n"], "en") == "<5"  # type: ignore[arg-type]
    overdue = [cell for row in rows(found, "overdue").values() for cell in (row["overdue"], row["change"], row["oldest_days"]) if cell]
    assert overdue and all(value(cell) is None for cell in overdue)
    assert any("Counts of 1 to 4" in said(one, "en") for one in found.notes)
    assert not any("Counts of 1 to 4" in said(one, "en") for one in brief(city).notes)
