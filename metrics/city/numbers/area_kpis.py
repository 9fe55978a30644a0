"""Any KPI that has a meaning in one place, by area: grouped sums where they answer it, else the KPI's own question asked of each area."""

from __future__ import annotations

from metrics.city import City, areas, feeds
from metrics.city.numbers import series, small_counts
from metrics.city.numbers.answers import ANSWERS
from metrics.city.numbers.asked import Asked
from metrics.city.numbers.series import GROUPED, GROUPS, Point
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice
from metrics.kpis import KPIS, Kpi, kpi
from metrics.periods import Period

MOST_AREAS = 400  # each is a question of its own
ASKED_ONE_BY_ONE = (
    "dossiers_worked_days_mean", "reports_resolve_days_median", "stations_reporting_pct", "vn_aqi", "vn_aqi_daily", "aqi_bad_days",
    "qcvn_exceedances", "water_stations_over_alarm", "devices_uptime_pct", "cameras_online_pct", "readings_flagged_pct",
)


def with_areas() -> tuple[str, ...]:
    """The KPIs a map of areas can show, in the order of the catalogue; the others are known only as a whole."""
    return tuple(row.key for row in KPIS if row.key in ASKED_ONE_BY_ONE or _is_grouped(row))


def read(city: City, key: str, period: Period, choice: Choice = NOTHING_CHOSEN, late_rule: str = "") -> tuple[Point, ...]:
    """Values of a KPI by area over the period; areas of which nothing is known are absent.

    Requires see.desk; ValueError for a KPI without areas, or for more areas than can be asked one by one.
    """
    city.scope.require("see.desk")
    if key not in with_areas():
        raise ValueError(f"kpi: {key!r} is known only as a whole; choose one of {', '.join(with_areas())}")
    if _is_grouped(kpi(key)):
        return tuple(point for point in series.read(city, key, "area", period, choice, late_rule) if point.group)
    asked = (key, period, choice, late_rule, city.revision, city.as_of)
    found: tuple[Point, ...] = city.once("area_kpi", *asked, make=lambda: _one_by_one(city, kpi(key), period, choice, late_rule))
    return found


def _is_grouped(row: Kpi) -> bool:
    return "area" in GROUPS.get(row.topic, ()) and (row.formula is not None or row.key in GROUPED)


def _one_by_one(city: City, row: Kpi, period: Period, choice: Choice, late_rule: str) -> tuple[Point, ...]:
    shown = [area for area in areas.polygons(city) if choice.area in ("", area.code)]
    if len(shown) > MOST_AREAS:
        raise ValueError(f"kpi: {row.key!r} is asked of each area by itself, of at most {MOST_AREAS} and not of {len(shown)}; choose one")
    rule = late_rule or city.config.late_rule
    with city.store.reading() as connection:
        states = feeds.read_in(connection, city)
        answers = {}
        for area in shown:
            one = Choice(choice.agency, area.code, choice.domain, choice.category)
            value, n = ANSWERS[row.key](Asked(connection, city, one, rule, states), period)
            if value is not None or n:
                answers[area.code] = (value, n)
    hidden = {} if small_counts.sees_all(city.scope) else small_counts.states(row, answers)
    names = {area.code: area.full_name or area.name for area in shown}
    is_partial = period.is_partial(city.today)
    return tuple(
        Point(code, names[code], None, None, is_partial, hidden[code]) if code in hidden
        else Point(code, names[code], value if n >= row.min_n else None, n, is_partial)
        for code, (value, n) in sorted(answers.items())
    )
