"""Opening stock + flows in = flows out + closing stock, every day, from columns computed apart: stocks from rows, flows from roll-ups.

Statuses outside the identity (new, refused, ended before start) are named and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from config import Config, FeedConfig
from metrics.city import open_city
from metrics.city.numbers import form_06a, kpis, series
from metrics.city.numbers.sums import Choice
from metrics.periods import parse_period
from metrics.rollups import clock_step, drain
from pipeline import prepare
from store.days import date_of, instant
from store.engine import open_store
from store.landing import Landing, land
from store.rows import DossierRow, Parsed
from tests.oracle import OUTSIDE, Oracle, Pick, local_days, number, table
from tests.stores import ALL, NOW, Filled, demo_store, real_store

IDENTITY = {
    "dossiers": ("rollup_dossier_day", "received - ended_before_start_in", "finished - ended_before_start_out"),
    "reports": ("rollup_report_day", "received - ended_before_start_in", "closed - ended_before_start_out"),
}


@pytest.fixture(scope="module", params=("demo", "wabo", "boston"))
def filled(
    request: pytest.FixtureRequest, make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, Filled]]:
    if request.param == "demo":
        found = demo_store(make_database, "sqlite", tmp_path_factory.mktemp("demo"))
    else:
        real_data: Path = request.getfixturevalue("real_data")
        found = real_store(make_database, "sqlite", request.param, real_data)
    yield request.param, found
    found.store.dispose()


def flows_by_day(connection: Connection, topic: str) -> dict[int, tuple[int, int]]:
    """Day -> (in, out) of the identity, from the roll-up."""
    name, into, out = IDENTITY[topic]
    rows = connection.execute(text(f"SELECT day, sum({into}), sum({out}) FROM {name} GROUP BY day")).all()
    return {int(day): (int(inward), int(outward)) for day, inward, outward in rows}


def topics(name: str) -> tuple[str, ...]:
    return {"demo": ("dossiers", "reports"), "wabo": ("dossiers",), "boston": ("reports",)}[name]


def stock(oracle: Oracle, topic: str, end: int) -> int:
    """Open at the end of a day, counted from the rows."""
    return len(oracle.open_dossiers(end) if topic == "dossiers" else oracle.open_reports(end))


def test_opening_plus_in_equals_out_plus_closing_on_every_day(filled: tuple[str, Filled]) -> None:
    name, opened = filled
    with opened.store.reading() as connection:
        oracle = opened.oracle(connection)
        for topic in topics(name):
            flows = flows_by_day(connection, topic)
            first, opening = min(flows), 0
            for on in range(first, oracle.today + 1):
                closing, (into, out) = stock(oracle, topic, on), flows.get(on, (0, 0))
                assert opening + into == out + closing, f"{topic} on {date_of(on)}: {opening} + {into} is not {out} + {closing}"
                opening = closing
            assert opening > 0 and len(flows) > 30


def test_a_series_of_stocks_moves_by_the_flows_of_its_days(filled: tuple[str, Filled]) -> None:
    name, opened = filled
    today = opened.city.today
    period = parse_period(f"{date_of(opened.city.today_on - 60)}..{today}", today)
    for topic in topics(name):
        points = series.read(opened.city, f"{topic}_open", "day", period)
        with opened.store.reading() as connection:
            flows = flows_by_day(connection, topic)
        for before, after, on in zip(points, points[1:], range(opened.city.today_on - 59, opened.city.today_on + 1), strict=False):
            into, out = flows.get(on, (0, 0))
            assert before.value is not None and after.value == before.value + into - out, after.group
        assert points[-1].value == kpis.read(opened.city, [f"{topic}_open"], parse_period("today", today))[0].value


@pytest.mark.parametrize("by", ("domain", "agency"))
def test_the_form_balances_for_every_agency_and_domain_in_every_period(filled: tuple[str, Filled], by: str) -> None:
    name, opened = filled
    if "dossiers" not in topics(name):
        pytest.skip(f"{name} has no dossiers")
    checked = 0
    with opened.store.reading() as connection:
        oracle = opened.oracle(connection)
        for text_ in balanced_periods(opened.city.today):
            period = parse_period(text_, opened.city.today)
            form = form_06a.read(opened.city, period, by)
            if form.total is None:
                continue
            for row in form.rows:
                assert_balanced(row, f"{text_} {row.group!r}")
            assert_adds_up(form)
            if period.kind in ("month", "range"):  # the oracle takes its time
                assert_true(oracle, form, by)
            checked += len(form.rows)
    assert checked >= 24  # the data of WABO have one domain


def balanced_periods(today: date) -> list[str]:
    """Days, weeks, months, quarters, years and administrative months and quarters that run and that are over, and odd spans."""
    before, long_ago = today - timedelta(days=31), today - timedelta(days=64)
    return [
        today.isoformat(), before.isoformat(), f"{today:%G-W%V}", f"{long_ago:%G-W%V}", f"{today:%Y-%m}", f"{before:%Y-%m}",
        f"{today:%Y}-Q{(today.month + 2) // 3}", f"{today:%Y}-YTD", f"{before:%Y}-AM{before.month:02}",
        f"{today:%Y}-AQ{(today.month + 2) // 3}", f"{long_ago}..{before}", f"{long_ago}..{today}",
    ]


def assert_balanced(row: form_06a.FormRow, where: str) -> None:
    """The form's columns add up, and what came in is what went out and what is still there, ended before start left out of both."""
    known = {name: getattr(row, name) or 0 for name in form_06a.COUNTS}
    assert all(count >= 0 for count in known.values()), f"{where}: {known}"
    assert known["in_hand"] == known["received_online"] + known["received_offline"] + known["carried_over"], where
    assert known["finished"] == known["finished_early"] + known["finished_on_time"] + known["finished_late"], where
    assert known["in_progress"] == known["in_time"] + known["overdue"], where
    came = known["in_hand"] - known["ended_before_in"]
    assert came == known["finished"] - known["ended_before_out"] + known["in_progress"], f"{where}: {known}"


def assert_adds_up(form: form_06a.Form) -> None:
    """The row of totals is the sum of the others."""
    assert form.total is not None
    for name in form_06a.COUNTS:
        assert getattr(form.total, name) == sum(getattr(row, name) for row in form.rows[:-1]), name


def assert_true(oracle: Oracle, form: form_06a.Form, by: str) -> None:
    """The largest row and the totals hold what the rows of core_dossier say, new and refused too."""
    start, end = number(form.period.start_on), number(form.period.end_on)
    outside = table(oracle.connection, "core_dossier")
    outside["day"] = local_days(outside["filed_at"].fillna(outside["received_at"]), oracle.tz)
    outside = outside[outside["day"].between(start, min(end, oracle.today)).fillna(False)]
    for row in (form.rows[0], form.rows[-1]):
        pick = Pick(only=(by, row.group)) if row.group else Pick()
        right = oracle.dossier_kpis(start, end, pick, form.late_rule)
        for column, key in COLUMNS.items():
            assert getattr(row, column) == right[key][0], f"{form.period.text} {row.group!r} {column}"
        own = outside[outside[f"{by}_code"] == row.group] if row.group else outside
        assert (row.new, row.refused) == (int((own["status"] == 1).sum()), int((own["status"] == 3).sum()))


COLUMNS = {
    "in_hand": "dossiers_in_hand", "received_online": "dossiers_received_online", "carried_over": "dossiers_carried_over",
    "finished": "dossiers_finished", "finished_early": "dossiers_finished_early", "finished_on_time": "dossiers_finished_on_time",
    "finished_late": "dossiers_late", "in_progress": "dossiers_open", "in_time": "dossiers_open_in_time", "overdue": "dossiers_overdue",
}


def test_overdue_moves_by_dues_that_passed_and_overdue_ones_that_ended(filled: tuple[str, Filled]) -> None:
    name, opened = filled
    with opened.store.reading() as connection:
        oracle = opened.oracle(connection)
        for topic in topics(name):
            table_name = IDENTITY[topic][0]
            for rule, into, out in (("late_instant", "due_passed", "overdue_ended"), ("late_day", "due_passed_day", "overdue_ended_day")):
                if topic == "reports" and rule == "late_day":
                    continue
                rows = connection.execute(text(f"SELECT day, sum({into}), sum({out}) FROM {table_name} GROUP BY day ORDER BY day")).all()
                running, by_day = 0, {}
                for day, passed, ended in rows:
                    running += int(passed) - int(ended)
                    by_day[int(day)] = running
                for on in sorted(by_day)[-40::4]:
                    assert by_day[on] == overdue(oracle, topic, on, rule), f"{topic} {rule} on {date_of(on)}"


def overdue(oracle: Oracle, topic: str, end: int, rule: str) -> int:
    """Overdue at the end of a day, counted from the rows."""
    if topic == "reports":
        return int(oracle.report_kpis(end, end)["reports_overdue"][0] or 0)
    return int(oracle.dossier_kpis(end, end, rule=rule)["dossiers_overdue"][0] or 0)


def test_what_is_outside_the_stock_is_named_and_counted(filled: tuple[str, Filled]) -> None:
    name, opened = filled
    if "dossiers" not in topics(name):
        pytest.skip(f"{name} has no dossiers")
    with opened.store.reading() as connection:
        rows = table(connection, "core_dossier")
        counted = connection.execute(
            text('SELECT sum(new), sum(refused), sum(ended_before_start_in), sum(received), sum(unmapped) FROM rollup_dossier_day')
        ).one()
    accepted = rows[~rows["status"].isin(OUTSIDE)]
    before = (accepted["finished_at"] < accepted["received_at"]).fillna(False)
    right = (
        int((rows["status"] == 1).sum()), int((rows["status"] == 3).sum()), int(before.sum()), len(accepted),
        int((rows["status"] == 0).sum()),
    )
    assert tuple(int(count) for count in counted) == right
    assert right[0] + right[1] + right[3] == len(rows)
    assert sum(right[:3]) > 0


@pytest.mark.parametrize("engine", ("sqlite", "postgresql"))
def test_an_agency_is_itself_and_those_below_it_by_dotted_segments(engine: str, make_database: Callable[..., str]) -> None:
    """H56.1 never takes H56.14, nor h56.1.3: codes differ by case, and LIKE on SQLite does not see it."""
    config = Config("Test", feeds=(FeedConfig("one_stop", "one_stop", "portal", cadence_s=3600),))
    store = open_store(make_database(engine), config.tz)
    prepare(store, config)
    codes = ("H56.1", "H56.1.2", "H56.14", "h56.1.3", "H56")
    rows = tuple(DossierRow(code, agency=code, status=4, received_at=instant(NOW) - 1, version=1) for code in codes)
    land(store, Parsed(dossiers=rows), Landing("one_stop", "one_stop", instant(NOW)))
    clock_step(store, instant(NOW))
    drain(store, instant(NOW))
    city = open_city(store, config, ALL, NOW)
    found = kpis.read(city, ["dossiers_received", "dossiers_open"], parse_period("today", city.today), Choice(agency="H56.1"))
    assert [value.value for value in found] == [2, 2]
    store.dispose()
