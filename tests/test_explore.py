"""Every measure of /explore by every dimension is what plain pandas finds in core rows (tests/oracle.py shares no code); both engines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pandas as pd
import pytest

from metrics.city import City, explore, open_city
from metrics.city.explore import DIMENSION, MEASURES, OTHERS, TOTAL, Answer, Question, Row
from metrics.city.lists.filters import parse
from metrics.judging import judge
from metrics.periods import Period, parse_period
from metrics.rollups import drain
from scope import Forbidden, scope_of
from store.engine import Store
from tests import desk_province
from tests.oracle import EPOCH, EVERYTHING, Oracle, Pick, number

KEYS = {topic: tuple(row.key for row in MEASURES if row.topic == topic) for topic in ("dossiers", "reports", "readings")}
# measures that count what happened when a dossier came in; all others without a stock count what happened when it ended
ON_RECEIPT = (
    "dossiers_received", "dossiers_online", "dossiers_full", "dossiers_partial", "dossiers_due_differs", "dossiers_paid",
    "dossiers_digitised_pct", "dossiers_identified", "reports_received", "reports_accepted",
    "reports_handled", "reports_extended", "reports_returned", "reports_duplicate",
)
MIXED = ("reports_reopened_pct",)  # of two days at once
NOT_BY = {"channel": ("dossiers_worked_days_mean", "dossiers_due_differs_pct")}
MONTH, NOW_MONTH = "2026-10", "2026-11"
PAIRS = (("domain", "month"), ("channel", "week"), ("procedure", "channel"), ("category", "channel"), ("area", "month"))
SPAN = "2026-09-15..2026-11-30"  # its ends cut weeks and months, the last lie ahead


@dataclass(frozen=True, repr=False)  # a failed assertion would write out the whole city
class Opened:
    """A store, a City over it for one with all rights, and the truth about its rows."""

    store: Store
    city: City
    oracle: Oracle

    def ask(self, measures: Sequence[str], by: Sequence[str], period: str = MONTH, **other: object) -> Answer:
        return explore.read(self.city, Question(tuple(measures), tuple(by), parse_period(period, self.city.today), **other))  # type: ignore[arg-type]


_oracles: list[Oracle] = []  # of the first engine: the rows of both are the same, landed from one seed


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def opened(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Opened]:
    url = make_database(request.param)
    store, config = desk_province.make_store(url), desk_province.config_of(url)
    judge(store, config)
    drain(store, desk_province.AT)
    city = open_city(store, config, scope_of("operator"), desk_province.NOW)
    if not _oracles:
        with store.reading() as connection:
            _oracles.append(_prepared(Oracle(connection, config.tz, city.as_of, config.feeds)))
    yield Opened(store, city, _oracles[0])
    store.dispose()


def _prepared(oracle: Oracle) -> Oracle:
    """Everything read while the connection is open, with the columns that /explore's dimensions group by."""
    for rows, ends in ((oracle.dossiers, "finished"), (oracle.reports, "ended")):
        rows["channel_code"] = rows["channel"]
        for event in ("received", ends):
            at = pd.to_datetime(rows[f"{event}_at"], unit="us", utc=True).dt.tz_convert(oracle.tz)
            rows[f"{event}_hour_code"] = at.dt.hour.map(lambda hour: "" if pd.isna(hour) else str(int(hour)))
            rows[f"{event}_weekday_code"] = at.dt.day_of_week.map(lambda day: "" if pd.isna(day) else str(int(day) + 1))
        for one, other in PAIRS:
            if f"{one}_code" in rows and f"{other}_code" in rows:
                rows[f"{one}_{other}_code"] = rows[f"{one}_code"] + "|" + rows[f"{other}_code"]
    procedures = oracle.lists[1]
    for limit in ("limit_days", "central_limit_days"):
        procedures[limit] = procedures[limit].astype("Float64")  # where none has one pandas cannot sum
    assert oracle.feed_rows and oracle.workload and oracle.lists and oracle.readings is not None and oracle.work_time.of_all is not None
    return oracle


def truth(oracle: Oracle, topic: str, start: int, end: int, pick: Pick = EVERYTHING) -> dict[str, tuple[float | None, int]]:
    """Every measure of the topic over the days."""
    return oracle.dossier_kpis(start, end, pick) if topic == "dossiers" else oracle.report_kpis(start, end, pick)


def same(found: explore.Figure, wanted: tuple[float | None, int], what: object) -> None:
    """One figure against the truth; what nobody measured has no value on either side."""
    value, n = wanted
    assert found.n == n, (what, found, wanted)
    if value is None or found.value is None:
        assert found.value is None and (value is None or not n), (what, found, wanted)
    else:
        assert math.isclose(found.value, value, rel_tol=1e-9, abs_tol=1e-9), (what, found, wanted)


def days(opened: Opened, period: Period) -> tuple[int, int]:
    return number(period.start_on), min(number(period.end_on), opened.oracle.today)


def measures_of(topic: str, by: Sequence[str]) -> tuple[str, ...]:
    """The measures that have these dimensions."""
    clock = [key for key in by if DIMENSION[key].kind == "clock"]
    left_out = {key for one in by for key in NOT_BY.get(one, ())}
    if clock:
        left_out |= {row.key for row in MEASURES if row.adds_up and row.measure_unit and row.kpi and row.kpi.measure == "stock"}
        left_out |= {"dossiers_on_time_766_pct", "dossiers_finished_per_open", *MIXED}
        if "hour" in clock:
            left_out |= {"dossiers_worked_days_mean", "dossiers_due_differs_pct"}
    return tuple(key for key in KEYS[topic] if key not in left_out)


SINGLES = [(topic, row.key) for topic in ("dossiers", "reports") for row in DIMENSION.values() if topic in row.columns]


@pytest.mark.parametrize(("topic", "by"), [(topic, key) for topic, key in SINGLES if DIMENSION[key].kind == "code"])
def test_every_measure_by_a_code_is_what_the_rows_say(opened: Opened, topic: str, by: str) -> None:
    for period in (MONTH, NOW_MONTH) if by not in ("agency", "area") else (NOW_MONTH,):  # these have the most groups
        start, end = days(opened, parse_period(period, opened.city.today))
        keys = measures_of(topic, (by,))
        answer = opened.ask(keys, (by,), period, may_read=True)
        rows = opened.oracle.dossiers if topic == "dossiers" else opened.oracle.reports
        groups = {row.groups[0] for row in answer.rows}
        assert groups <= set(rows[f"{by}_code"]) and len(groups) > 1
        for row in answer.rows:
            wanted = truth(opened.oracle, topic, start, end, Pick(only=(by, row.groups[0])))
            for key, figure in zip(keys, row.figures, strict=True):
                same(figure, wanted[key], (key, by, row.groups))
        for missing in set(rows[f"{by}_code"]) - groups:
            assert not truth(opened.oracle, topic, start, end, Pick(only=(by, missing)))[f"{topic}_received"][1]
        whole = truth(opened.oracle, topic, start, end)
        for key, figure in zip(keys, answer.totals[0].figures, strict=True):
            same(figure, whole[key], (key, by, TOTAL))


@pytest.mark.parametrize(("topic", "by"), [(topic, key) for topic, key in SINGLES if DIMENSION[key].kind == "time"])
def test_every_measure_along_time_is_what_the_rows_say(opened: Opened, topic: str, by: str) -> None:
    """Days of one month; weeks and months of a span that cuts some and ends after today."""
    keys = measures_of(topic, (by,))
    answer = opened.ask(keys, (by,), "2026-11-09..2026-11-25" if by == "day" else SPAN)
    assert len(answer.rows) == {"day": 12, "week": 10, "month": 3}[by]
    for row in answer.rows:
        start, end = days(opened, parse_period(row.groups[0], opened.city.today))
        wanted = truth(opened.oracle, topic, start, end)
        for key, figure in zip(keys, row.figures, strict=True):
            same(figure, wanted[key], (key, row.groups))


@pytest.mark.parametrize(("topic", "by"), [(topic, key) for topic, key in SINGLES if DIMENSION[key].kind == "clock"])
def test_every_measure_by_hour_and_weekday_is_what_the_rows_say(opened: Opened, topic: str, by: str) -> None:
    start, end = days(opened, parse_period(MONTH, opened.city.today))
    keys = measures_of(topic, (by,))
    answer = opened.ask(keys, (by,))
    groups = [int(row.groups[0]) for row in answer.rows]
    assert groups == sorted(groups) and len(groups) > 5
    for row in answer.rows:
        for key, figure in zip(keys, row.figures, strict=True):
            event = "received" if key.startswith(ON_RECEIPT) else "finished" if topic == "dossiers" else "ended"
            same(figure, truth(opened.oracle, topic, start, end, Pick(only=(f"{event}_{by}", row.groups[0])))[key], (key, row.groups))


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_every_measure_of_a_pivot_is_what_the_rows_say_and_its_totals_too(opened: Opened, pair: tuple[str, str]) -> None:
    topic = "reports" if "category" in pair else "dossiers"
    keys = measures_of(topic, pair)
    answer = opened.ask(keys, pair, SPAN if pair[1] in ("week", "month") else MONTH)
    first, second = pair
    for row in (*answer.rows, *answer.totals):
        one, other = row.groups
        period = parse_period(MONTH if second == "channel" else SPAN if other == TOTAL else other, opened.city.today)
        codes = [(key, group) for key, group in ((first, one), (second, other)) if group != TOTAL and DIMENSION[key].kind == "code"]
        pick = Pick(only=codes[0]) if len(codes) == 1 else EVERYTHING if not codes else Pick(only=("_".join(pair), "|".join(row.groups)))
        wanted = truth(opened.oracle, topic, *days(opened, period), pick)
        for key, figure in zip(keys, row.figures, strict=True):
            same(figure, wanted[key], (key, row.groups))


@pytest.mark.parametrize("by", (("agency",), ("procedure", "channel"), ("agency", "month"), ("domain", "area")))
def test_others_and_the_first_few_add_up_to_the_totals(opened: Opened, by: tuple[str, ...]) -> None:
    told = ("dossiers_online_full", "dossiers_online_partial")  # of which nobody may know anything
    keys = tuple(row.key for row in MEASURES if row.topic == "dossiers" and row.kpi and row.kpi.measure == "count" and row.key not in told)
    whole, few = opened.ask(keys, by), opened.ask(keys, by, top=2)
    assert {row.groups: row.figures for row in few.totals if OTHERS not in row.groups}.items() <= {
        row.groups: row.figures for row in whole.totals
    }.items()
    assert len({row.groups[0] for row in few.rows} - {OTHERS}) == 2
    for place, key in enumerate(keys):
        total = next(row for row in few.totals if set(row.groups) == {TOTAL}).figures[place].value
        assert sum(row.figures[place].value or 0 for row in few.rows) == total, key
        assert sum(row.figures[place].value or 0 for row in whole.rows) == total, key


def frame(opened: Opened, topic: str) -> pd.DataFrame:
    rows = opened.oracle.dossiers if topic == "dossiers" else opened.oracle.reports
    start, end = days(opened, parse_period(MONTH, opened.city.today))
    return rows[rows["received_day"].between(start, end)]


FILTERS: tuple[tuple[str, dict[str, str], Callable[[pd.DataFrame], pd.Series]], ...] = (
    ("dossiers", {"channel": "!online"}, lambda rows: rows["channel"] != "online"),
    ("dossiers", {"status": "4,9"}, lambda rows: rows["status"].isin((4, 9))),
    ("dossiers", {"finished": "2026-10-05..2026-10-20"}, lambda rows: rows["finished_day"].between(20731, 20746)),
    (
        "dossiers", {"hour": "8,9", "weekday": "1"},
        lambda rows: rows["received_hour_code"].isin(("8", "9")) & (rows["received_weekday_code"] == "1"),
    ),
    ("dossiers", {"timeliness": "late"}, lambda rows: ~rows["before"] & (rows["finished_at"] > rows["due_at"])),
    ("dossiers", {"supplements": "1.."}, lambda rows: rows["supplement_count"] >= 1),
    ("dossiers", {"area": "!-"}, lambda rows: rows["area_code"] != ""),
    ("reports", {"urgent": "yes"}, lambda rows: rows["is_urgent"]),
    ("reports", {"closed": "-"}, lambda rows: rows["ended_at"].isna()),
    ("reports", {"channel": "app"}, lambda rows: rows["channel"] == "app"),
)


@pytest.mark.parametrize(("topic", "given", "keeps"), FILTERS, ids=lambda one: "&".join(one) if isinstance(one, dict) else None)
def test_a_filter_leaves_the_rows_it_says(
    opened: Opened, topic: str, given: dict[str, str], keeps: Callable[[pd.DataFrame], pd.Series],
) -> None:
    rows = frame(opened, topic)
    kept = rows[keeps(rows).astype(bool)]
    by = "procedure" if topic == "dossiers" else "category"
    answer = opened.ask((f"{topic}_received",), (by,), filter=parse(topic, given), may_read=True)
    assert {row.groups[0]: row.figures[0].value for row in answer.rows} == kept[f"{by}_code"].value_counts().to_dict()
    assert answer.rows_read == len(kept)


def test_one_agency_is_sought_in_the_index_and_found_whole(opened: Opened) -> None:
    rows = frame(opened, "dossiers")
    agency = rows["agency_code"].value_counts().index[0]
    chosen = rows[(rows["agency_code"] == agency) | rows["agency_code"].str.startswith(agency + ".")]
    answer = opened.ask(("dossiers_received",), ("procedure",), filter=parse("dossiers", {"agency": agency}))
    assert {row.groups[0]: row.figures[0].value for row in answer.rows} == chosen["procedure_code"].value_counts().to_dict()
    assert answer.estimate == len(chosen) == answer.rows_read


def test_two_periods_stand_beside_each_other_part_by_part(opened: Opened) -> None:
    for by in (("domain",), ("week",), ("channel", "week")):
        both = opened.ask(("dossiers_received", "dossiers_open"), by, "2026-W45", compare="previous")
        assert both.comparison and both.comparison.previous
        before = opened.ask(("dossiers_received", "dossiers_open"), by, both.comparison.previous.text)
        later = {"2026-W44": "2026-W45"}
        rows = (*before.rows, *before.totals)
        values = {tuple(later.get(group, group) for group in row.groups): [f.value for f in row.figures] for row in rows}
        for row in (*both.rows, *both.totals):
            assert [figure.previous or 0 for figure in row.figures] == values.get(row.groups, [0, 0]), row


def test_what_is_not_covered_is_estimated_first_and_read_when_asked(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = opened.ask(("dossiers_received",), ("procedure",))
    assert whole.coverage == explore.INDEX and whole.is_read
    assert opened.ask(("dossiers_received",), ("agency",)).coverage == explore.ROLLUP
    monkeypatch.setattr("metrics.city.explore.cover.MOST_INDEXED", 10)
    first = opened.ask(("dossiers_received",), ("procedure",))
    assert not first.is_read and not first.rows and first.coverage == explore.READ and first.estimate == whole.rows_read
    then = opened.ask(("dossiers_received",), ("procedure",), may_read=True)
    assert then.is_read and then.rows == whole.rows and then.coverage == explore.READ


def test_a_reading_that_takes_too_long_says_so(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metrics.city.explore.reading.PATIENCE_S", 0.001 if not opened.store.is_sqlite else 0.0)
    monkeypatch.setattr("store.bounded.STEPS", 10)
    with pytest.raises(explore.TookTooLong):
        opened.ask(("dossiers_received",), ("procedure", "day"), SPAN)


@pytest.mark.parametrize(
    ("by", "group"),
    (("property", "property"), ("station", "station"), ("area", "area_code"), ("weekday", "weekday"), ("hour", "hour")),
)
def test_readings_are_what_was_measured(opened: Opened, by: str, group: str) -> None:
    rows = opened.oracle.readings
    rows = rows[(rows["property"] == "pm25") | (by == "property")].copy()
    at = pd.to_datetime(rows["observed_at"], unit="us", utc=True).dt.tz_convert(opened.oracle.tz)
    rows["hour"], rows["weekday"] = at.dt.hour.astype(str), (at.dt.day_of_week + 1).astype(str)
    first, last = (EPOCH + timedelta(days=opened.oracle.today - 10)).isoformat(), opened.city.today.isoformat()
    rows = rows[at.dt.date >= opened.city.today - timedelta(days=10)]
    keys = KEYS["readings"]
    chosen = None if by == "property" else parse("stations", {"property": "pm25"})
    answer = opened.ask(keys, (by,), f"{first}..{last}", filter=chosen)
    sound = rows[rows["flag"] == 0].groupby(group)["value"]
    assert {row.groups[0] for row in answer.rows} == set(rows[group]) and len(answer.rows) > 1
    for row in answer.rows:
        mean, low, high, n, flagged = (figure.value for figure in row.figures)
        own = sound.get_group(row.groups[0])
        assert math.isclose(mean or 0, own.mean(), rel_tol=1e-9) and (low, high, n) == (own.min(), own.max(), len(own))
        assert flagged == int(((rows[group] == row.groups[0]) & (rows["flag"] != 0)).sum())


def test_values_of_several_properties_do_not_mix(opened: Opened) -> None:
    with pytest.raises(ValueError, match="property"):
        opened.ask(("readings_mean",), ("area",))


@pytest.mark.parametrize(
    ("measures", "by", "says"),
    (
        ((), (), "measures"), (("nonsense",), (), "measure"), (("dossiers_received", "reports_received"), (), "one subject"),
        (("dossiers_received",), ("agency", "agency"), "different"), (("dossiers_received",), ("category",), "no breakdown"),
        (("dossiers_received",), ("day", "month"), "both parts"), (("dossiers_open",), ("hour",), "no hour"),
        (("dossiers_worked_days_mean",), ("channel",), "not kept by channel"), (("dossiers_worked_days_mean",), ("hour",), "no hour"),
    ),
)
def test_a_question_without_an_answer_is_told_what_to_ask_instead(
    opened: Opened, measures: tuple[str, ...], by: tuple[str, ...], says: str,
) -> None:
    with pytest.raises(ValueError, match=says):
        opened.ask(measures, by)


def test_who_may_not_see_small_counts_breaks_nothing_down(opened: Opened) -> None:
    viewer = replace(opened, city=replace(opened.city, scope=scope_of("viewer")))
    with pytest.raises(Forbidden):
        viewer.ask(("dossiers_received",), ("agency",))
    assert len(viewer.ask(("readings_n",), ("property",), NOW_MONTH).rows) > 1


def test_a_limited_reader_is_told_of_their_own_agencies_alone(opened: Opened) -> None:
    rows = frame(opened, "dossiers")
    agency = rows["agency_code"].value_counts().index[0]
    limited = replace(opened, city=replace(opened.city, scope=scope_of("analyst", agencies=(agency,)), memo={}))
    for by in ("agency", "procedure"):
        answer = limited.ask(("dossiers_received",), (by,))
        own = rows[(rows["agency_code"] == agency) | rows["agency_code"].str.startswith(agency + ".")]
        assert {row.groups[0]: row.figures[0].value for row in answer.rows} == own[f"{by}_code"].value_counts().to_dict()


def test_groups_have_names_and_an_order(opened: Opened) -> None:
    answer = opened.ask(("dossiers_received",), ("agency",))
    values = [row.figures[0].value for row in answer.rows]
    assert values == sorted(values, reverse=True)
    assert all(isinstance(row, Row) and row.labels[0] and row.labels[0] != row.groups[0] for row in answer.rows)
