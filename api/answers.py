"""What each /api/v1 route says: the same City functions the screens ask, as JSON or as a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

from api.errors import ApiError
from api.parameters import DEFAULT_PERIOD, Asked, bad
from api.tables import Column, Table, iso
from metrics.city import City, audit, feeds
from metrics.city.audit import TrailItem
from metrics.city.lists import station_list
from metrics.city.measured import readings
from metrics.city.measured.readings import ReadingFilter, ReadingItem
from metrics.city.numbers import kpis, series
from metrics.city.records import dossiers, reports
from metrics.city.records.dossiers import DossierItem
from metrics.city.records.history import VersionItem
from metrics.city.records.reports import ReportItem
from metrics.comparison import HOWS
from metrics.kpis import KPI_BY_KEY, Kpi
from metrics.periods import Period
from store.bounded import TookTooLong
from store.days import DAY, number_of
from text import t

Json = dict[str, Any] | list[dict[str, Any]]


@dataclass(frozen=True)
class Ask:
    """One request to a route: what city, with which parameters, in which language and form. `key` = the id in the path."""

    city: City
    asked: Asked
    lang: str
    form: str
    key: str = ""


# ---- figures --------------------------------------------------------------------------------------------------------
_KPI_COLUMNS = tuple(
    Column(*row)
    for row in (
        ("key",), ("label",), ("value", "number"), ("measure_unit",), ("n", "whole"), ("as_of", "at"), ("target", "number"),
        ("previous", "number"), ("delta", "number"), ("verdict",), ("coverage", "number"), ("late_rule",), ("revision", "whole"),
        ("comparison",),
    )
)


def answer_kpis(ask: Ask) -> Json | Table:
    """KPI values over a period. Unknown keys are refused, naming the known ones."""
    keys = [key for key in ask.asked.text("keys").split(",") if key]
    for key in keys:
        known_kpi(key, "keys")
    how = ask.asked.text("compare") or HOWS[0]
    values = kpis.read(ask.city, keys, period_of(ask), ask.asked.choice(), ask.asked.text("late_rule"), how)
    rows = [
        (
            v.key,
            t(f"kpi.{v.key}.label", ask.lang),
            v.value,
            v.measure_unit,
            v.n,
            v.as_of,
            v.target,
            v.previous,
            v.delta,
            v.verdict,
            v.coverage,
            v.late_rule,
            v.revision,
            _compared(v, ask.form),
        )
        for v in values
    ]
    return list_or_table(ask, "kpis", _KPI_COLUMNS, rows)


def _compared(value: kpis.KpiValue, form: str) -> dict[str, Any] | str:
    """What the value is set beside, asked how and aligned how, with working days of both; as JSON text where a table holds it."""
    found, before = value.comparison, value.previous_period
    assert found is not None
    told = {
        "period": value.period.text, "previous_period": before.text if before else None, "how": found.how, "aligned": found.aligned,
        "working_days": found.working_days, "previous_working_days": found.working_days_before if before else None,
        "delta_pct": value.delta_pct, "withheld": value.no_change or None,
    }
    return told if form == "json" else json.dumps(told)


_POINT_COLUMNS = (
    Column("group"), Column("label"), Column("value", "number"), Column("n", "whole"), Column("is_partial", "flag"), Column("state"),
)


def answer_series(ask: Ask) -> Json | Table:
    """One KPI along time, or across agencies, areas, domains, categories."""
    city, row = ask.city, known_kpi(ask.asked.text("key"), "key")
    by, period = ask.asked.text("by") or "day", period_of(ask)
    try:
        points = series.read(city, row.key, by, period, ask.asked.choice(), ask.asked.text("late_rule"))
    except ValueError as fault:
        raise bad("by", str(fault), "see the message") from fault
    rows = [(p.group, p.label, p.value, p.n, p.is_partial, p.state) for p in points]
    listed = list_or_table(ask, f"series {row.key}", _POINT_COLUMNS, rows)
    if isinstance(listed, Table):
        return listed
    rule = (ask.asked.text("late_rule") or city.config.late_rule) if row.has_rule else None
    return {
        "key": row.key,
        "label": t(f"kpi.{row.key}.label", ask.lang),
        "measure_unit": row.measure_unit,
        "by": by,
        "period": period_json(period),
        "late_rule": rule,
        "as_of": iso(city.as_of, city.store.days.tz),
        "revision": city.revision,
        "points": listed,
    }


def known_kpi(key: str, field: str) -> Kpi:
    """The KPI of a key; ApiError 400 naming the known ones, and the parameter it stood in."""
    if key not in KPI_BY_KEY:
        raise ApiError(400, "unknown_kpi", f"there is no KPI {key!r}", field=field, remedy=f"known: {', '.join(KPI_BY_KEY)}")
    return KPI_BY_KEY[key]


def period_of(ask: Ask) -> Period:
    """The period asked for, the default one without any."""
    period = ask.asked.period(ask.city, DEFAULT_PERIOD)
    assert period is not None
    return period


def period_json(period: Period) -> dict[str, str]:
    """A period in words and days."""
    return {"text": period.text, "start_on": period.start_on.isoformat(), "end_on": period.end_on.isoformat()}


def list_or_table(
    ask: Ask, name: str, columns: tuple[Column, ...], rows: Sequence[Sequence[Any]]
) -> list[dict[str, Any]] | Table:
    """A short list: as JSON objects, or as a table of one chunk."""
    if ask.form != "json":
        ask.city.scope.require("export")
        return Table(name, columns, lambda: iter([rows]))
    return [_object(ask, columns, row) for row in rows]


def _object(ask: Ask, columns: Sequence[Column], row: Sequence[Any]) -> dict[str, Any]:
    tz = ask.city.store.days.tz
    return {c.key: iso(value, tz) if c.kind == "at" else value for c, value in zip(columns, row, strict=True)}


# ---- lists of rows --------------------------------------------------------------------------------------------------
_KINDS = {"str": "text", "int": "whole", "float": "number", "bool": "flag"}
_LABELS = {
    "agency_name": "agency",
    "procedure_name": "procedure",
    "domain_name": "domain",
    "category_name": "category",
    "area_name": "area",
}


def columns_of(item: type, ask: Ask, texts: str) -> tuple[Column, ...]:
    """The columns of a row dataclass, by its field names and types; labelled from the texts column.<texts>.* when asked for."""
    found = []
    for field in fields(item):
        kind = "at" if field.name.endswith("_at") else _KINDS[str(field.type).removesuffix(" | None")]
        label = _label(f"column.{texts}.{_LABELS.get(field.name, field.name)}", field.name, ask)
        found.append(Column(field.name, kind, label))
    return tuple(found)


def _label(key: str, name: str, ask: Ask) -> str:
    if ask.asked.text("headers") != "labels":
        return ""
    try:
        return t(key, ask.lang)
    except KeyError:
        return name


def _cells(item: Any, columns: Sequence[Column]) -> tuple[Any, ...]:
    return tuple(getattr(item, column.key) for column in columns)


def _page(ask: Ask, columns: tuple[Column, ...], items: Sequence[Any], total: int | None, following: str) -> Json:
    return {
        "total": total,
        "count": len(items),
        "next": following or None,
        "as_of": iso(ask.city.as_of, ask.city.store.days.tz),
        "revision": ask.city.revision,
        "items": [_object(ask, columns, _cells(item, columns)) for item in items],
    }


def _table(name: str, columns: tuple[Column, ...], pages: Callable[[], Iterator[tuple[Any, ...]]]) -> Table:
    return Table(name, columns, lambda: ([_cells(item, columns) for item in page] for page in pages()))


def answer_dossiers(ask: Ask) -> Json | Table:
    """Dossiers of a filter: a page of JSON with the count of all, or all of them as a table."""
    return _answer_rows(ask, "dossiers", dossiers, columns_of(DossierItem, ask, "dossier"))


def answer_reports(ask: Ask) -> Json | Table:
    """Citizen reports of a filter, as answer_dossiers does."""
    return _answer_rows(ask, "reports", reports, columns_of(ReportItem, ask, "report"))


def _answer_rows(ask: Ask, topic: str, rows: Any, columns: tuple[Column, ...]) -> Json | Table:
    """What metrics/city/records/dossiers.py or reports.py answers to the parameters: the page's own filter and order."""
    chosen, sort = ask.asked.rows(topic), ask.asked.text("sort")
    with refusing():
        if ask.form != "json":
            rows.read(ask.city, chosen, limit=1, sort=sort) if sort else rows.query(ask.city, chosen)  # refused before a file is begun
            return _table(topic, columns, lambda: rows.every(ask.city, chosen, sort))
        page = rows.read(ask.city, chosen, limit=ask.asked.limit(), cursor=ask.asked.text("cursor"), sort=sort)
    return {**_page(ask, columns, page.rows, page.total, page.next_cursor), "coverage": page.coverage}


def answer_readings(ask: Ask) -> Json | Table:
    """Readings as measured over a period of at most 31 days (default: the city's today), oldest first."""
    city, columns = ask.city, columns_of(ReadingItem, ask, "station")
    period = ask.asked.period(city, "today")
    assert period is not None
    days = city.store.days
    start, end = days.starts_at(number_of(period.start_on)), days.starts_at(number_of(period.end_on) + 1)
    asked = ask.asked
    chosen = ReadingFilter(start, end, asked.text("feed"), asked.text("station"), asked.text("property"), asked.text("area"))
    with refusing():
        if (end - start) > readings.LONGEST_DAYS * DAY:
            raise ValueError(f"period: readings are given for at most {readings.LONGEST_DAYS} days at a time")
        if ask.form != "json":
            return _table("readings", columns, lambda: readings.every(city, chosen))
        items, following = readings.read(city, chosen, limit=asked.limit(), cursor=asked.text("cursor"))
    return _page(ask, columns, items, None, following)


def answer_audit(ask: Ask) -> Json | Table:
    """Entries of the audit trail, newest first: a page of JSON, or all of them as a table."""
    chosen, columns = ask.asked.trail(ask.city), columns_of(TrailItem, ask, "audit")
    with refusing():
        if ask.form != "json":
            audit.read(ask.city, chosen, limit=1)  # who may not, or asked wrongly, is told before a file is begun
            return _table("audit", columns, lambda: audit.every(ask.city, chosen))
        page = audit.read(ask.city, chosen, limit=ask.asked.limit(), cursor=ask.asked.text("cursor"))
    return _page(ask, columns, page.rows, None, page.next_cursor)


class refusing:
    """Turns a question's ValueError ("field: what is wrong") into a 400 that names the field."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, TookTooLong):
            raise ApiError(
                400, "took_too_long", f"nothing covers this question: {fault}", remedy="narrow the filter, or give a period"
            ) from fault
        if isinstance(fault, ValueError):
            field = str(fault).partition(":")[0]
            raise bad(field if field.isidentifier() else "", str(fault), "see the message") from fault


# ---- one row --------------------------------------------------------------------------------------------------------
def answer_dossier(ask: Ask) -> Json:
    """One dossier with steps, stops and versions; 404 when there is none in this scope."""
    found = dossiers.one(ask.city, ask.asked.text("feed"), ask.key, ask.asked.text("late_rule"))
    if found is None:
        raise _not_found(ask)
    tz = ask.city.store.days.tz
    columns = columns_of(DossierItem, ask, "dossier")
    return {
        **_object(ask, columns, _cells(found.item, columns)),
        "alias": found.alias,
        "first_landed_at": iso(found.first_landed_at, tz),
        "landed_at": iso(found.landed_at, tz),
        "steps": [{"at": iso(s.at, tz), "name": s.name, "department": s.department, "status": s.status} for s in found.steps],
        "stops": [{"stopped_at": iso(start, tz), "resumed_at": iso(end, tz)} for start, end in found.stops],
        "versions": _versions(ask, found.versions),
        "revision": found.revision,
    }


def answer_report(ask: Ask) -> Json:
    """One citizen report with its versions; 404 when there is none in this scope."""
    found = reports.one(ask.city, ask.asked.text("feed"), ask.key)
    if found is None:
        raise _not_found(ask)
    tz = ask.city.store.days.tz
    columns = columns_of(ReportItem, ask, "report")
    return {
        **_object(ask, columns, _cells(found.item, columns)),
        "first_landed_at": iso(found.first_landed_at, tz),
        "landed_at": iso(found.landed_at, tz),
        "versions": _versions(ask, found.versions),
        "revision": found.revision,
    }


def _not_found(ask: Ask) -> ApiError:
    return ApiError(404, "not_found", f"there is no {ask.key[:100]!r} here", field="id", remedy="check the number and the feed")


def _versions(ask: Ask, versions: tuple[VersionItem, ...]) -> list[dict[str, Any]]:
    tz = ask.city.store.days.tz

    def shown(name: str, value: Any) -> Any:
        return iso(value, tz) if name.endswith("_at") else value

    return [
        {
            "landed_at": iso(version.landed_at, tz),
            "changes": [
                {"field": c.field, "before": shown(c.field, c.before), "after": shown(c.field, c.after)} for c in version.changes
            ],
        }
        for version in versions
    ]


# ---- stations and feeds ---------------------------------------------------------------------------------------------
_STATION_COLUMNS = tuple(
    Column(*row)
    for row in (
        ("feed",),
        ("source_id",),
        ("name",),
        ("kind",),
        ("lon", "number"),
        ("lat", "number"),
        ("area_code",),
        ("state",),
        ("observed_at", "at"),
        ("aqi", "whole"),
        ("aqi_category",),
        ("aqi_dominant",),
    )
)
_MEASURED_COLUMNS = tuple(
    Column(*row)
    for row in (
        ("datastream_id", "whole"),
        ("property",),
        ("measure_unit",),
        ("name",),
        ("value", "number"),
        ("observed_at", "at"),
        ("state",),
        ("flag",),
    )
)


def answer_stations(ask: Ask) -> Json | Table:
    """Stations of a filter with the newest value of each of their datastreams; as a table without these values."""
    with refusing():
        found = station_list.read(ask.city, ask.asked.rows("stations"), ask.asked.text("sort"))
    listed = list_or_table(ask, "stations", _STATION_COLUMNS, [_cells(row, _STATION_COLUMNS) for row in found])
    if isinstance(listed, Table):
        return listed
    for item, row in zip(listed, found, strict=True):
        item["values"] = [_object(ask, _MEASURED_COLUMNS, _cells(value, _MEASURED_COLUMNS)) for value in row.values]
    return _whole(ask, listed)


def answer_feeds(ask: Ask) -> Json | Table:
    """Every configured feed: state, age, rows, rejects in quarantine."""
    columns = columns_of(feeds.FeedState, ask, "feed")
    listed = list_or_table(ask, "feeds", columns, [_cells(row, columns) for row in feeds.read(ask.city)])
    return listed if isinstance(listed, Table) else _whole(ask, listed)


def _whole(ask: Ask, items: list[dict[str, Any]]) -> Json:
    return {
        "total": len(items),
        "count": len(items),
        "next": None,
        "as_of": iso(ask.city.as_of, ask.city.store.days.tz),
        "revision": ask.city.revision,
        "items": items,
    }
