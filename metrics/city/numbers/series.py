"""A KPI along time or across agencies, areas, domains, categories: the same formulas over grouped sums."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from metrics.city import City, feeds
from metrics.city.masking import unvetted
from metrics.city.measured.stations import daily_indices
from metrics.city.numbers import day_flows, denominators, small_counts
from metrics.city.numbers.answers import ANSWERS
from metrics.city.numbers.asked import Asked
from metrics.city.numbers.kpis_feedback import FEEDBACK_COMPUTED
from metrics.city.numbers.sums import (
    FLOWS,
    HORIZON,
    NET,
    NOTHING_CHOSEN,
    TABLES,
    Choice,
    conditions,
    flow_source,
    net,
    stocks_now,
    stocks_now_by,
)
from metrics.kpis import Kpi, Sums, kpi
from metrics.periods import Period, days_of, months_of, parse_period, weeks_of
from store.days import number_of

STOCKS = ("open", "open_due", "overdue", "overdue_day", "late_766", "due_2wd", "open_known")
TIMES = ("day", "week", "month")
GROUPS = {"dossiers": ("agency", "area", "domain"), "reports": ("agency", "area", "category")}
GROUPED = tuple(FEEDBACK_COMPUTED)  # KPIs without a formula that have groups all the same
_NAMES = {
    "agency": ("core_agency", "name"), "area": ("core_area", "full_name"), "domain": ("core_domain", "name"),
    "category": ("core_category", "name"),
}


@dataclass(frozen=True)
class Point:
    """One group's value. `group` = period text or code; value None = unknown or withheld; is_partial = the group is cut or running.

    state: suppressed = a small count this reader is not told (n is None too), withheld = one that would tell of it; else ''.
    """

    group: str
    label: str
    value: float | None
    n: int | None
    is_partial: bool = False
    state: str = ""


def read(
    city: City, key: str, by: str, period: Period, choice: Choice = NOTHING_CHOSEN, late_rule: str = "",
) -> tuple[Point, ...]:
    """Values of a KPI by day, week or month of the period, or by agency, area, domain or category over the whole of it.

    Requires see.desk; ValueError names the groupings this KPI has. Days after the city's today are left out.
    """
    city.scope.require("see.desk")
    row, rule = kpi(key), late_rule or city.config.late_rule
    with city.store.reading() as connection:
        return read_in(connection, city, row, by, period, choice, rule)


def read_in(
    connection: Connection, city: City, row: Kpi, by: str, period: Period, choice: Choice, rule: str,
) -> tuple[Point, ...]:
    """The same inside a transaction of the caller."""
    if by in TIMES:
        found = tuple(_by_time(connection, city, row, by, period, choice, rule))
        if row.formula is None and row.key not in GROUPED:  # of no breakdown: as their figure over a period
            return found
        return _without_small(city, row, found, whole=choice == NOTHING_CHOSEN)
    if by not in GROUPS.get(row.topic, ()):
        raise ValueError(f"{row.key} by {by!r}: choose one of {', '.join((*TIMES, *GROUPS.get(row.topic, ())))}")
    return tuple(_by_group(connection, city, row, by, period, choice, rule))


def total_tells(connection: Connection, city: City, row: Kpi, by: str, period: Period, rule: str) -> bool:
    """Would the whole city's figure give away one of the cells of this breakdown, whatever is hidden there?"""
    return small_counts.total_tells(row, _grouped_answers(connection, city, row, by, period, NOTHING_CHOSEN, rule))


def _by_time(
    connection: Connection, city: City, row: Kpi, by: str, period: Period, choice: Choice, rule: str,
) -> Iterable[Point]:
    parts = [part for part in _parts(period, by) if part.start_on <= city.today]
    if not parts:
        return []
    if row.key == "vn_aqi":
        return _aqi_points(connection, city, parts, choice)
    if row.key in FEEDBACK_COMPUTED:
        answers = FEEDBACK_COMPUTED[row.key].parts(connection, city, parts, choice)
        return [_point(row, part, value, n, city) for part, (value, n) in zip(parts, answers, strict=True)]
    if row.formula is None:
        return _answered(connection, city, row, by, parts, choice, rule)
    return _flow_points(connection, city, row, parts, choice, rule)


def _answered(
    connection: Connection, city: City, row: Kpi, by: str, parts: list[Period], choice: Choice, rule: str,
) -> Iterable[Point]:
    """Every part as the KPI itself answers a period; the running one is about now."""
    if row.is_now_only:
        raise ValueError(f"{row.key} is known only for now; it has no series")
    if len(parts) > MOST_ANSWERED:
        raise ValueError(f"{row.key} by {by!r}: {len(parts)} points; each is a question of its own, ask for at most {MOST_ANSWERED}")
    asked = Asked(connection, city, choice, rule, feeds.read_in(connection, city))
    return [_point(row, part, *ANSWERS[row.key](asked, part), city) for part in parts]


MOST_ANSWERED = 400


def _parts(period: Period, by: str) -> list[Period]:
    if by == "day":
        return [parse_period(day.isoformat(), day) for day in days_of(period)]
    return (weeks_of if by == "week" else months_of)(period, full_only=False)


def _flow_points(
    connection: Connection, city: City, row: Kpi, parts: list[Period], choice: Choice, rule: str,
) -> Iterable[Point]:
    """Every part's flows and stocks through the KPI's formula."""
    assert row.formula is not None
    through = _speaks_until(connection, city, row.topic)
    for part, (flows, stocks) in zip(parts, _part_sums(connection, city, row.topic, parts, choice), strict=True):
        is_known = feeds.is_known(city, row, part, through)
        found = row.formula(Sums(flows, stocks, rule)) if is_known else (None, 0)
        value, n = denominators.per(connection, city, row, choice, part, found)
        yield _point(row, part, value, n, city)


PartSums = list[tuple[dict[str, int], dict[str, int | None]]]


def _part_sums(connection: Connection, city: City, topic: str, parts: list[Period], choice: Choice) -> PartSums:
    """Flows and stocks of each part; KPIs of one moment that ask for the same parts share them, so nobody may change them."""
    key = ("parts", topic, tuple(parts), choice)
    if key not in city.memo:
        city.memo[key] = _read_part_sums(connection, city, topic, parts, choice)
    found: PartSums = city.memo[key]
    return found


def _read_part_sums(connection: Connection, city: City, topic: str, parts: list[Period], choice: Choice) -> PartSums:
    """Flows per part from one grouped read; stocks at each part's end by walking back from now."""
    daily = _daily_flows(connection, city, topic, number_of(parts[0].start_on), choice)
    stock = {name: value or 0 for name, value in stocks_now(connection, city, topic, choice).items()}
    stock["open_no_due"] = stock["open"] - stock["open_due"]
    found: PartSums = []
    later = sorted(daily)
    for part in reversed(parts):
        start, end = number_of(part.start_on), min(number_of(part.end_on), city.today_on)
        while end < city.today_on and later and later[-1] > end:
            _step_back(topic, stock, daily[later.pop()])
        flows = _summed(topic, (daily[day] for day in range(start, end + 1) if day in daily))
        stocks: dict[str, int | None] = {**stock, "open_due": stock["open"] - stock["open_no_due"]}
        if end < city.today_on:
            stocks.pop("due_2wd", None)
        found.append((flows, stocks))
    return found[::-1]


def _speaks_until(connection: Connection, city: City, topic: str) -> int | None:
    key = ("speaks", topic)
    if key not in city.memo:
        city.memo[key] = feeds.speak_until(feeds.of_topic(feeds.read_in(connection, city), topic))
    through: int | None = city.memo[key]
    return through


def _step_back(topic: str, stock: dict[str, int], flows: Mapping[str, int] | None) -> None:
    if flows:
        for name in NET[topic]:
            stock[name] -= net(topic, name, flows)


def _daily_flows(
    connection: Connection, city: City, topic: str, start_on: int, choice: Choice,
) -> dict[int, dict[str, int]]:
    """Flows of every day from `start_on` on that has any, those dated after today too: a stock of now holds them."""
    found = day_flows.read(connection, city, flow_source(city, topic, choice), start_on, HORIZON)
    return {on: dict(zip(FLOWS[topic], flows.tolist(), strict=True)) for on, flows in found.items()}


def _summed(topic: str, days: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total = dict.fromkeys(FLOWS[topic], 0)
    for flows in days:
        for name, value in flows.items():
            total[name] += value
    return total


def _point(row: Kpi, part: Period, value: float | None, n: int, city: City) -> Point:
    return Point(part.text, part.text, value if n >= row.min_n else None, n, part.is_cut or part.is_partial(city.today))


def _aqi_points(connection: Connection, city: City, parts: list[Period], choice: Choice) -> Iterable[Point]:
    found = daily_indices(connection, city, choice.area, number_of(parts[0].start_on), number_of(parts[-1].end_on))
    for part in parts:
        inside = found[found["day"].between(number_of(part.start_on), number_of(part.end_on))]["aqi"]
        yield _point(kpi("vn_aqi"), part, float(inside.max()) if len(inside) else None, len(inside), city)


def _by_group(
    connection: Connection, city: City, row: Kpi, by: str, period: Period, choice: Choice, rule: str,
) -> Iterable[Point]:
    names, answers = labels(connection, by), _grouped_answers(connection, city, row, by, period, choice, rule)
    is_partial = period.is_partial(city.today)
    strange = unvetted(connection, city, by)
    points = [
        Point(group, names.get(group, group), value if n >= row.min_n else None, n, is_partial)
        for group, (value, n) in sorted(answers.items())
    ]
    points = [replace(p, group=strange[p.group], label=strange[p.group]) if p.group in strange else p for p in points]
    return _without_small(city, row, tuple(points))


def _grouped_answers(
    connection: Connection, city: City, row: Kpi, by: str, period: Period, choice: Choice, rule: str,
) -> dict[str, tuple[float | None, int]]:
    """Value and n of every group."""
    if row.key in FEEDBACK_COMPUTED:
        return dict(FEEDBACK_COMPUTED[row.key].groups(connection, city, period, choice, f"{by}_code"))
    if row.formula is None:
        raise ValueError(f"{row.key} is known only as a whole; it has no {by} series")
    if not feeds.is_known(city, row, period, _speaks_until(connection, city, row.topic)):
        return {}
    sums = group_sums(connection, city, row.topic, by, period, choice, rule)
    return {
        group: denominators.per_group(connection, city, row, choice, period, by, group, row.formula(one)) for group, one in sums.items()
    }


def _without_small(city: City, row: Kpi, points: tuple[Point, ...], *, whole: bool = False) -> tuple[Point, ...]:
    """The points as this reader may have them: small counts and what would tell them taken out.

    whole: days of the whole city are cells of no breakdown; only the small ones go, since they may be one unit's.
    """
    if small_counts.sees_all(city.scope):
        return points
    hidden = small_counts.states(row, {point.group: (point.value, point.n or 0) for point in points})
    if whole:
        hidden = {group: state for group, state in hidden.items() if state == small_counts.SUPPRESSED}
    return tuple(
        replace(point, value=None, n=None, state=hidden[point.group]) if point.group in hidden else point for point in points
    )


def group_sums(
    connection: Connection, city: City, topic: str, by: str, period: Period, choice: Choice, rule: str,
) -> dict[str, Sums]:
    """Sums per group (agency, area, domain, category): flows of the period in one grouped read, stocks from the open rows of each group."""
    start, end = number_of(period.start_on), min(number_of(period.end_on), city.today_on)
    flows = _grouped_flows(connection, city, topic, by, start, end, choice)
    since = _grouped_flows(connection, city, topic, by, end + 1, HORIZON, choice) if end < city.today_on else {}
    now = stocks_now_by(connection, city, topic, _group_column(topic, by), choice)
    empty = dict.fromkeys(FLOWS[topic], 0)
    found = {}
    for group in flows.keys() | now.keys() | since.keys():
        stock = {name: now.get(group, {}).get(name, 0) for name in STOCKS}
        stock["open_no_due"] = stock["open"] - stock["open_due"]
        _step_back(topic, stock, since.get(group))
        stocks: dict[str, int | None] = {**stock, "open_due": stock["open"] - stock["open_no_due"]}
        if end < city.today_on:
            stocks.pop("due_2wd")
        found[group] = Sums(flows.get(group, empty), stocks, rule)
    return found


def _group_column(topic: str, by: str) -> str:
    if topic == "dossiers" and by == "area":
        return "coalesce((SELECT a.area_code FROM core_agency a WHERE a.code = agency_code), '')"
    return f"{by}_code"


def _grouped_flows(
    connection: Connection, city: City, topic: str, by: str, start_on: int, end_on: int, choice: Choice,
) -> dict[str, dict[str, int]]:
    key = ("grouped", topic, by, start_on, end_on, choice)
    if key not in city.memo:
        city.memo[key] = _read_grouped_flows(connection, city, topic, by, start_on, end_on, choice)
    found: dict[str, dict[str, int]] = city.memo[key]
    return found


def _read_grouped_flows(
    connection: Connection, city: City, topic: str, by: str, start_on: int, end_on: int, choice: Choice,
) -> dict[str, dict[str, int]]:
    where, values = conditions(city.scope, topic, choice)
    names = FLOWS[topic]
    rows = connection.execute(
        text(
            f"SELECT {_group_column(topic, by)} AS grouped, {', '.join(f'sum({name})' for name in names)} FROM {TABLES[topic]} "
            f"WHERE day BETWEEN :start AND :end{where} GROUP BY 1"
        ),
        {"start": start_on, "end": end_on, **values},
    ).all()
    return {row[0]: {name: int(value) for name, value in zip(names, row[1:], strict=True)} for row in rows}


def labels(connection: Connection, by: str) -> dict[str, str]:
    """Code -> name of everything a grouping may name."""
    table, column = _NAMES[by]
    return dict(connection.execute(text(f"SELECT code, {column} FROM {table}")).all())
