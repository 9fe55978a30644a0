"""Signals of a city: a planted shift is found in its week, noise is not; holidays, baselines and who may set them; both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from metrics.city import City
from metrics.city.findings import baselines, signals
from metrics.city.findings.baselines import Asked, BaselineFault
from metrics.city.numbers.sums import Choice
from metrics.periods import parse_period
from scope import DEMO_SCOPE, Forbidden, scope_of
from store.audit import AuditFilter
from store.audit import read as read_audit
from store.days import instant
from store.engine import Store
from tests.signal_city import NOW, open_signals, see

REASON = "Quy trình mới từ tháng 9 được giữ lâu dài"


@pytest.fixture(params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_signals(request.param, make_database)
    yield opened
    opened.dispose()


def signal(city: City, key: str, period: str = "", choice: Choice = baselines.NOTHING_CHOSEN) -> signals.Signal:
    (found,) = signals.read(city, [key], parse_period(period, city.today) if period else None, choice)
    return found


def asked(**changes: object) -> Asked:
    given = {"key": "dossiers_on_time_pct", "from_week": "2026-W20", "to_week": "2026-W31", "reason": REASON}
    return Asked(**{**given, **changes})  # type: ignore[arg-type]


# ---- charts ---------------------------------------------------------------------------------------------------------
def test_a_planted_shift_is_a_signal_in_its_first_week_and_steady_weeks_are_none(store: Store) -> None:
    city = see(store)
    found = signal(city, "dossiers_on_time_pct", "2026-W42")
    assert (found.verdict, found.rule, found.side, found.kind) == ("deteriorated", "beyond_limits", -1, "p")
    before = [point.rule for point in found.points if point.limits and point.week < "2026-W42"]
    assert before == [""] * len(before) and len(before) >= 20


def test_what_did_not_change_is_called_so(store: Store) -> None:
    city = see(store)
    assert signal(city, "dossiers_received").verdict == "no_real_change"
    assert signal(city, "reports_received").verdict == "no_real_change"


def test_more_late_dossiers_are_worse_and_are_charted_per_working_day(store: Store) -> None:
    found = signal(see(store), "dossiers_late")
    assert (found.verdict, found.kind, found.per_day, found.side) == ("deteriorated", "u", "working_days", 1)
    last = found.points[-1]
    assert last.charted == pytest.approx((last.value or 0) / 5)


def test_the_newest_full_week_of_the_period_is_judged_and_never_a_running_one(store: Store) -> None:
    city = see(store)
    assert signal(city, "dossiers_received", "this_week").week.text == "2026-W46"
    assert signal(city, "dossiers_received", "2026-09").week.text == "2026-W39"
    assert signal(city, "dossiers_received").points[-1].week == "2026-W46"


def test_a_week_with_two_working_days_makes_no_limits_and_no_signal(store: Store) -> None:
    city = see(store)
    short = signal(city, "dossiers_received", "2026-W18")
    assert short.verdict == "too_little_data"
    point = next(p for p in signal(city, "dossiers_received").points if p.week == "2026-W18")
    assert (point.is_holiday, point.is_left_out, point.rule) == (True, True, "")


def test_the_week_of_the_national_holiday_is_left_out_too(store: Store) -> None:
    point = next(p for p in signal(see(store), "dossiers_received").points if p.week == "2026-W36")  # 31/08, 01/09 and 02/09
    assert (point.is_holiday, point.is_left_out) == (True, True)


def test_limits_come_from_the_first_twelve_whole_weeks_until_somebody_sets_others(store: Store) -> None:
    found = signal(see(store), "dossiers_on_time_pct")
    assert found.baseline is not None
    assert (found.baseline.from_week, found.baseline.to_week, found.baseline.set_at) == ("2026-W18", "2026-W29", None)
    assert found.baseline.used == 11  # W18 is left out


def test_weeks_before_the_first_data_are_no_zeros(store: Store) -> None:
    found = signal(see(store), "dossiers_late")
    assert found.points[0].week == "2026-W17"


def test_with_too_short_a_history_nothing_is_said(store: Store) -> None:
    found = signal(see(store), "dossiers_on_time_pct", "2026-W25")
    assert (found.verdict, found.baseline, found.limits) == ("too_little_data", None, None)


def test_an_agency_is_charted_on_its_own_figures(store: Store) -> None:
    found = signal(see(store), "dossiers_on_time_pct", "2026-W45", Choice(agency="H1.1"))
    assert found.verdict == "deteriorated"
    assert (found.n or 0) < (signal(see(store), "dossiers_on_time_pct", "2026-W45").n or 0)


def test_signals_come_first_then_what_is_furthest_from_its_target(store: Store) -> None:
    found = signals.in_order(signals.read(see(store)))
    marks = [one.is_signal for one in found]
    assert marks == sorted(marks, reverse=True)
    assert found[0].verdict == "deteriorated"


def test_kpis_known_only_for_now_have_no_signal(store: Store) -> None:
    assert "feeds_fresh_pct" not in {one.key for one in signals.read(see(store))}


def test_who_may_not_see_figures_gets_no_signal(store: Store) -> None:
    with pytest.raises(Forbidden, match=r"see\.desk"):
        signals.read(see(store, scope_of("display")))


# ---- baselines ------------------------------------------------------------------------------------------------------
def test_a_person_sets_a_baseline_with_a_reason_and_the_trail_tells(store: Store) -> None:
    city = see(store)
    before = signal(city, "dossiers_on_time_pct")
    number = baselines.set_baseline(city, asked(), "10.0.0.7", instant(NOW))
    city = see(store)
    after = signal(city, "dossiers_on_time_pct")
    assert after.baseline is not None and before.limits is not None and after.limits is not None
    assert (after.baseline.from_week, after.baseline.to_week, after.baseline.used) == ("2026-W20", "2026-W31", 12)
    assert (after.baseline.set_by, after.baseline.reason) == ("user:lan", REASON)
    assert after.limits.mean != before.limits.mean
    assert city.revisions["operations"] > 0
    (entry,) = read_audit(store, AuditFilter(action="baseline.set"), 5)
    assert (entry.actor, entry.address, entry.kind, entry.subject) == ("user:lan", "10.0.0.7", "kpi", "dossiers_on_time_pct")
    assert f'"baseline":{number}' in entry.detail


def test_old_baselines_stay_in_the_history_newest_first(store: Store) -> None:
    baselines.set_baseline(see(store), asked(), "", instant(NOW))
    baselines.set_baseline(see(store), asked(from_week="2026-W33", to_week="2026-W42"), "", instant(NOW))
    found = baselines.history(see(store), "dossiers_on_time_pct")
    assert [baselines.weeks(row)[0].text for row in found] == ["2026-W33", "2026-W20"]


def test_the_baseline_of_the_city_serves_its_agencies_until_they_have_their_own(store: Store) -> None:
    choice = Choice(agency="H1.1")
    baselines.set_baseline(see(store), asked(), "", instant(NOW))
    inherited = signal(see(store), "dossiers_on_time_pct", "", choice).baseline
    baselines.set_baseline(see(store), asked(from_week="2026-W22", to_week="2026-W35", choice=choice), "", instant(NOW))
    own = signal(see(store), "dossiers_on_time_pct", "", choice).baseline
    whole = signal(see(store), "dossiers_on_time_pct").baseline
    assert inherited and own and whole
    assert (inherited.from_week, own.from_week, whole.from_week) == ("2026-W20", "2026-W22", "2026-W20")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"from_week": "2026-09"}, "from_week"), ({"to_week": "soon"}, "to_week"), ({"to_week": "2026-W22"}, "to_week"),
        ({"from_week": "2023-W01"}, "to_week"), ({"to_week": "2026-W47"}, "to_week"), ({"reason": "   because   "}, "reason"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_weeks_or_reasons_that_will_not_do_are_refused_at_their_field(
    make_database: Callable[..., str], changes: dict[str, str], field: str
) -> None:
    opened = open_signals("sqlite", make_database)
    with pytest.raises(BaselineFault) as caught:
        baselines.set_baseline(see(opened), asked(**changes), "", instant(NOW))
    assert caught.value.field == field
    assert baselines.history(see(opened), "dossiers_on_time_pct") == ()
    opened.dispose()


@pytest.mark.parametrize("role", ["viewer", "operator", "feed_owner", "auditor"])
def test_other_roles_set_no_baseline(store: Store, role: str) -> None:
    with pytest.raises(Forbidden, match=r"manage\.baselines"):
        baselines.set_baseline(see(store, scope_of(role)), asked(), "", instant(NOW))


def test_the_demo_sets_no_baseline(store: Store) -> None:
    assert not baselines.may_set(see(store, DEMO_SCOPE))


def test_limited_rights_set_baselines_of_what_they_cover_alone(store: Store) -> None:
    own = replace(scope_of("leader", agencies=("H1.1",)), actor="user:minh")
    with pytest.raises(Forbidden):
        baselines.set_baseline(see(store, own), asked(), "", instant(NOW))
    with pytest.raises(Forbidden):
        baselines.set_baseline(see(store, own), asked(choice=Choice(agency="H1.2")), "", instant(NOW))
    assert baselines.set_baseline(see(store, own), asked(choice=Choice(agency="H1.1")), "", instant(NOW)) > 0


def test_weeks_of_a_kept_baseline_older_than_the_history_are_read_too(store: Store) -> None:
    baselines.set_baseline(see(store), asked(), "", instant(NOW))
    found = signal(see(store), "dossiers_on_time_pct")
    assert date.fromisocalendar(2026, 20, 1) in [point.start_on for point in found.points]


def test_the_first_weeks_are_kept_once_and_then_stay(store: Store) -> None:
    first = signals.pin(see(store), instant(NOW))
    assert first >= 10
    assert signals.pin(see(store), instant(NOW)) == 0
    kept = signal(see(store), "dossiers_on_time_pct").baseline
    assert kept is not None
    assert (kept.from_week, kept.to_week, kept.set_by) == ("2026-W18", "2026-W29", "program")


def test_too_few_weeks_are_not_kept_as_a_baseline(store: Store) -> None:
    city = see(store)
    early = replace(city, as_of=instant(datetime(2026, 7, 6, tzinfo=UTC)))
    assert signals.pin(early, instant(NOW)) == 0
