"""Habits planted among ordinary endings are found and told with their rows; without them nothing is marked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from metrics.city import City
from metrics.city.findings import gaming
from metrics.city.findings.gaming import AGAIN, BEFORE_DUE, BULK, GamingFound
from metrics.city.findings.gaming_rules import RuleCounts
from metrics.city.numbers.sums import Choice
from metrics.city.records import dossiers, reports
from metrics.city.records.reports import ReportFilter
from metrics.periods import parse_period
from scope import Forbidden, scope_of
from store.bounded import TookTooLong
from tests import odd_city
from tests.odd_city import BULK_DAY, BULK_N, BULK_OFFICE, HURRIED, PERIOD, TWICE, open_odd

ENGINES = ("sqlite", "postgresql")
Seen = Callable[..., City]


@pytest.fixture(params=ENGINES)
def seen(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Seen]:
    """seen(planted=, scope=) -> the city."""
    stores = []

    def see(*, planted: bool = True, scope: object = None) -> City:
        stores.append(open_odd(request.param, make_database, planted=planted))
        return odd_city.see(stores[-1], scope)  # type: ignore[arg-type]

    yield see
    for store in stores:
        store.dispose()


def found(city: City, kind: str) -> GamingFound:
    period = parse_period(PERIOD, city.today)
    return next(one for one in gaming.read(city, period) if one.kind == kind)


@pytest.mark.parametrize(("kind", "office"), [(BULK, BULK_OFFICE), (BEFORE_DUE, HURRIED), (AGAIN, TWICE)])
def test_the_planted_office_and_no_other_is_marked(seen: Seen, kind: str, office: str) -> None:
    told = found(seen(), kind)
    assert [sign.agency_code for sign in told.unusual] == [office]
    (sign,) = told.unusual
    assert sign.hits > sign.most >= 0 and sign.n >= sign.hits and sign.agency == f"Phòng {office}"
    assert sign.expected < sign.hits and told.alarms < 0.05, "chance alone marks one office in a hundred such pages at most"


def test_nothing_is_marked_where_nothing_was_planted(seen: Seen) -> None:
    city = seen(planted=False)
    told = gaming.read(city, parse_period(PERIOD, city.today))
    assert [one.unusual for one in told] == [(), (), ()]


def test_endings_in_bulk_lead_to_exactly_their_reports(seen: Seen) -> None:
    city = seen()
    (day,) = gaming.evidence(city, BULK, BULK_OFFICE, parse_period(PERIOD, city.today))
    assert (day.day, day.n) == (BULK_DAY.isoformat(), BULK_N)
    chosen = ReportFilter(Choice(agency=BULK_OFFICE), quality="bulk", period=parse_period(day.day, city.today))
    assert reports.total(city, chosen) == day.n


def test_the_interval_of_hurry_holds_what_was_planted(seen: Seen) -> None:
    (sign,) = found(seen(), BEFORE_DUE).unusual
    assert sign.low is not None and sign.high is not None and 1.5 < sign.low < sign.high < 20


def test_what_was_ended_last_is_listed_newest_first_and_each_can_be_opened(seen: Seen) -> None:
    city = seen()
    period = parse_period(PERIOD, city.today)
    rows = gaming.evidence(city, BEFORE_DUE, HURRIED, period)
    (sign,) = found(city, BEFORE_DUE).unusual
    assert len(rows) == sign.rows and [row.ended_at for row in rows] == sorted((row.ended_at for row in rows), reverse=True)
    assert all(row.due_at and row.ended_at and 0 <= row.due_at - row.ended_at < 2 * 3_600_000_000 for row in rows)
    assert dossiers.one(city, rows[0].feed, rows[0].source_id) is not None


def test_a_pair_names_both_dossiers_and_the_time_won(seen: Seen) -> None:
    city = seen()
    rows = gaming.evidence(city, AGAIN, TWICE, parse_period(PERIOD, city.today))
    assert rows and all(row.next_id == f"{row.source_id}-B" and row.how == "withdrawn" for row in rows)
    assert all(row.next_at and row.ended_at and row.next_due_at and row.due_at for row in rows)
    assert all(row.next_at > row.ended_at and row.next_due_at > row.due_at for row in rows)  # type: ignore[operator]


def test_a_feed_without_other_numbers_is_said_to_tell_nothing(seen: Seen) -> None:
    told = found(seen(planted=False), AGAIN)
    assert (told.blind, told.signs) == ("no_alias", ())


def test_rights_bound_what_is_counted_and_what_is_listed(seen: Seen) -> None:
    limited = scope_of("analyst", agencies=("H1.4",))
    city = seen(scope=limited)
    period = parse_period(PERIOD, city.today)
    assert {sign.agency_code for one in gaming.read(city, period) for sign in one.signs} <= {"H1.4"}
    assert gaming.evidence(city, BULK, BULK_OFFICE, period) == () == gaming.evidence(city, AGAIN, TWICE, period)
    with pytest.raises(Forbidden):
        gaming.read(seen(scope=scope_of("viewer")), period)


def test_ids_are_masked_like_in_every_list(seen: Seen) -> None:
    city = seen(scope=scope_of("leader"))
    rows = gaming.evidence(city, AGAIN, TWICE, parse_period(PERIOD, city.today))
    assert rows[0].source_id.startswith(TWICE), "an office's own number is no person's"


def test_a_long_period_is_refused_naming_the_bound(seen: Seen) -> None:
    city = seen()
    with pytest.raises(ValueError, match="at most 92 days"):
        gaming.read(city, parse_period("2026-01-01..2026-11-15", city.today))
    assert gaming.estimate(city, parse_period(PERIOD, city.today)) > 1000


def test_a_rule_that_takes_too_long_says_so_alone_and_is_asked_again(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    city = seen()
    period = parse_period(PERIOD, city.today)

    def late(*asked: object) -> RuleCounts:
        raise TookTooLong(3.0)

    hurried = [replace(rule, count=late) if rule.key == AGAIN else rule for rule in gaming.RULES]
    with monkeypatch.context() as patch:
        patch.setattr(gaming, "RULES", tuple(hurried))
        told = {one.kind: one for one in gaming.read(city, period)}
        assert told[AGAIN].blind == "took_too_long" and told[BULK].unusual and told[BEFORE_DUE].unusual
    assert found(city, AGAIN).unusual
