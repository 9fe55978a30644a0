"""Signal or noise of every KPI, week by week: the kind of chart by the kind of measure, limits from its baseline, the verdict.

Weeks, because a day of the week is like no other; full ones only. Counts are taken per working day. Nothing here is kept: the same
baseline and roll-ups give the same chart. docs/numbers.md has the rules with their false alarms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from config.targets import target_of
from metrics import spc
from metrics.city import City
from metrics.city.findings.baselines import PROGRAM, chosen, holding, weeks
from metrics.city.findings.baselines import WEEKS as BASELINE_WEEKS
from metrics.city.numbers import series
from metrics.city.numbers.series import Point
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice
from metrics.comparison import working_days
from metrics.kpis import KPIS, Kpi, kpi
from metrics.periods import Period, parse_period
from metrics.spc import Chart, Limits, Measured
from store.baselines import Baseline, NewBaseline, put_baseline
from store.days import number_of

HISTORY_WEEKS = 52  # shown before the judged week
FULL_WEEK = 4  # working days; a week with fewer makes no limits and fires no rule
RARE = 10  # a count with fewer a week is charted as a rate of rare events
CALENDAR_BOUND = ("dossiers", "reports")  # what offices do; sensors know no holidays
KIND_OF: Mapping[str, str] = {"share": "p", "stock": "xmr", "count": "xmr", "rate": "u", "mean": "xmr_log"}


@dataclass(frozen=True)
class SignalPoint:
    """One week: what the KPI said, what the chart shows of it (per working day for counts), its limits, the rule that fired there.

    is_holiday: fewer working days than the week has; is_left_out: so few that it counts for nothing; state: why a value is not told.
    """

    week: str
    start_on: date
    value: float | None
    n: int | None
    charted: float | None
    limits: Limits | None
    rule: str
    side: int
    in_baseline: bool
    is_holiday: bool
    is_left_out: bool
    state: str = ""


@dataclass(frozen=True)
class BaselineSpan:
    """First and last week that make the limits, and who set them when and why; set_at None = the first weeks there were, not yet kept."""

    from_week: str
    to_week: str
    used: int
    set_by: str = ""
    set_at: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Signal:
    """What the chart of a KPI says of its newest full week in the period. verdict: one of metrics.spc.VERDICTS; rule '' = none fired.

    kind: xmr | xmr_log | p | u; dispersion = by how much Laney widened the limits; per_day: charted per working (or calendar) day.
    limits are those of the judged week. baseline None: fewer weeks than limits need.
    """

    key: str
    measure_unit: str
    better: str
    verdict: str
    rule: str
    side: int
    kind: str
    week: Period
    value: float | None
    n: int | None
    target: float | None
    limits: Limits | None
    baseline: BaselineSpan | None
    dispersion: float
    per_day: str
    points: tuple[SignalPoint, ...]
    as_of: int
    revision: int

    @property
    def is_signal(self) -> bool:
        """True when something changed."""
        return self.verdict not in (spc.NO_CHANGE, spc.TOO_LITTLE)

    @property
    def gap(self) -> float:
        """How far the value is on the wrong side of its target, as a share of the target; 0 without target or where it is met."""
        if self.value is None or self.target is None or self.better == "none":
            return 0.0
        away = self.target - self.value if self.better == "up" else self.value - self.target
        return max(0.0, away / abs(self.target)) if self.target else max(0.0, away)


def read(
    city: City, keys: Sequence[str] = (), period: Period | None = None, choice: Choice = NOTHING_CHOSEN, late_rule: str = "",
) -> tuple[Signal, ...]:
    """The signals of KPIs (default: all that have weeks) in the newest full week of the period (default: up to now).

    KPIs that are known only for now have none. Requires see.desk; KeyError for an unknown key.
    """
    city.scope.require("see.desk")
    rows = [kpi(key) for key in keys] if keys else list(KPIS)
    with city.store.reading() as connection:
        return read_in(connection, city, rows, last_full_week(city, period), choice, late_rule or city.config.late_rule)


def read_in(
    connection: Connection, city: City, rows: Sequence[Kpi], judged: Period, choice: Choice, rule: str,
) -> tuple[Signal, ...]:
    """The same of one full week, inside a transaction of the caller."""
    held = holding(connection, city)
    found = (_signal(connection, city, row, judged, choice, rule, chosen(held, row.key, choice)) for row in rows)
    return tuple(signal for signal in found if signal is not None)


def pin(city: City, now: int) -> int:
    """Keep the first whole weeks as the baseline of every KPI that has enough of them and none yet; returns how many were kept.

    From then on no late delivery and no passing week moves it; only a person does. Requires manage.baselines and see.desk.
    """
    city.scope.require("manage.baselines")
    with city.store.reading() as connection:
        held = holding(connection, city)
    missing = [row.key for row in KPIS if (row.key, "") not in held]
    kept = 0
    for one in read(city, missing) if missing else ():
        span = one.baseline
        if span is None:
            continue
        first, last = (parse_period(week, city.today) for week in (span.from_week, span.to_week))
        if (last.end_on - first.start_on).days + 1 == 7 * BASELINE_WEEKS:
            new = NewBaseline(one.key, "", number_of(first.start_on), number_of(last.end_on), "")
            put_baseline(city.store, new, PROGRAM, now)
            kept += 1
    return kept


def in_order(signals: Sequence[Signal]) -> tuple[Signal, ...]:
    """Signals first, the bad before the good, then by the gap to the target."""
    return tuple(sorted(signals, key=lambda signal: (spc.VERDICTS.index(signal.verdict), -signal.gap)))


def last_full_week(city: City, period: Period | None) -> Period:
    """The newest week that is over by the end of the period and by yesterday."""
    yesterday = city.today - timedelta(days=1)
    end_on = min(period.end_on, yesterday) if period else yesterday
    iso = (end_on - timedelta(days=6)).isocalendar()
    week = parse_period(f"{iso.year}-W{iso.week:02}", city.today)
    return week if week.end_on <= end_on else week.previous()


def _signal(
    connection: Connection, city: City, row: Kpi, judged: Period, choice: Choice, rule: str, kept: Baseline | None,
) -> Signal | None:
    try:
        found = [
            point for span in spans(city, judged, kept) for point in series.read_in(connection, city, row, "week", span, choice, rule)
        ]
    except ValueError:  # the KPI has no weeks
        return None
    return of_points(city, row, judged, found, kept)


def spans(city: City, judged: Period, kept: Baseline | None) -> tuple[Period, ...]:
    """The weeks a signal is told from, in order: those of the baseline, where they are older, and those up to the judged one."""
    first = judged.start_on - timedelta(weeks=HISTORY_WEEKS - 1)
    found = [(first, judged.end_on)]
    if kept is not None:
        start, end = weeks(kept)
        if start.start_on < first:
            found.insert(0, (start.start_on, min(end.end_on, first - timedelta(days=1))))
    return tuple(parse_period(f"{start_on}..{end_on}", city.today) for start_on, end_on in found)


def of_points(city: City, row: Kpi, judged: Period, found: Sequence[Point], kept: Baseline | None) -> Signal:
    """The signal of a KPI's weeks that are read already: all those of `spans`, in order, the judged one last."""
    begun = next((at for at, point in enumerate(found) if point.n or point.state), len(found) - 1)  # no zeros before the first data
    points = found[max(0, begun):]
    span = _span(points, kept)
    kind = kind_of(row, points, span)
    exposure = next((point.n / point.value for point in points if point.n and point.value), 1.0) if row.measure == "rate" else 1.0
    measured = [_measured(city, row, point, exposure) for point in points]
    chart = spc.chart(kind, measured, span) if span else None
    at = len(points) - 1
    hit = (chart.fired[at] if chart else None) or ("", 0)
    verdict = spc.TOO_LITTLE if points and measured[at].is_left_out else spc.verdict(chart, at, row.better)
    last = points[-1] if points else None
    target = target_of(city.config.targets, row.key, judged.end_on)
    return Signal(
        row.key, row.measure_unit, row.better, verdict, *hit, chart.kind if chart else kind, judged,
        last.value if last else None, last.n if last else None, target, chart.limits[at] if chart else None,
        _baseline(points, span, chart, kept), chart.dispersion if chart else 1.0, row.counted_on if row.measure == "count" else "",
        _drawn(city, row, points, measured, chart, span), city.as_of, city.revision,
    )


def _span(points: Sequence[Point], kept: Baseline | None) -> tuple[int, int] | None:
    """Where the baseline lies among the points, which begin with data; without a kept one the first whole weeks."""
    if kept is not None:
        first, last = weeks(kept)
        inside = [at for at, point in enumerate(points) if first.start_on <= _start(point) <= last.start_on]
        return (inside[0], inside[-1] + 1) if inside else None
    first_at = 1 if len(points) < HISTORY_WEEKS else 0  # history may begin in the middle of its first week
    return (first_at, min(len(points), first_at + BASELINE_WEEKS)) if len(points) > first_at else None


def kind_of(row: Kpi, points: Sequence[Point], span: tuple[int, int] | None) -> str:
    """The kind of chart: by the measure, and for counts by how rare they are in the baseline."""
    if row.measure == "count" and span:
        counts = [point.value for point in points[slice(*span)] if point.value is not None]
        if counts and sum(counts) < RARE * len(counts):
            return "u"
    return KIND_OF[row.measure]


def _measured(city: City, row: Kpi, point: Point, exposure: float) -> Measured:
    """A point as its chart takes it: counts per day, a share as it is, a rate with what it was divided by (the same every week)."""
    week = parse_period(point.group, city.today)
    worked = working_days(city.calendar, week)
    left_out = row.topic in CALENDAR_BOUND and worked < FULL_WEEK
    value, n = point.value, point.n or 0
    if value is None:
        return Measured(None, n, is_left_out=left_out)
    if row.measure == "count":
        days = float(week.days) if row.counted_on == "all_days" else worked
        return Measured(value / days if days else None, round(value), days or 1.0, left_out)
    return Measured(value, n, exposure, left_out)


def _baseline(
    points: Sequence[Point], span: tuple[int, int] | None, chart: Chart | None, kept: Baseline | None,
) -> BaselineSpan | None:
    if span is None or chart is None:
        return None
    first, last = points[span[0]].group, points[span[1] - 1].group
    return BaselineSpan(first, last, chart.used, kept.set_by, kept.set_at, kept.reason) if kept else BaselineSpan(first, last, chart.used)


def _drawn(
    city: City, row: Kpi, points: Sequence[Point], measured: Sequence[Measured], chart: Chart | None, span: tuple[int, int] | None,
) -> tuple[SignalPoint, ...]:
    found = []
    for at, (point, taken) in enumerate(zip(points, measured, strict=True)):
        week = parse_period(point.group, city.today)
        hit = (chart.fired[at] if chart else None) or ("", 0)
        usual = 7 - len(city.calendar.rest_weekdays)
        is_short = row.topic in CALENDAR_BOUND and working_days(city.calendar, week) < usual
        found.append(
            SignalPoint(
                point.group, week.start_on, point.value, point.n, taken.value, chart.limits[at] if chart else None, *hit,
                span is not None and span[0] <= at < span[1], is_short, taken.is_left_out, point.state,
            )
        )
    return tuple(found)


def _start(point: Point) -> date:
    """Monday of a point's week."""
    return parse_period(point.group, date(2000, 1, 1)).start_on
