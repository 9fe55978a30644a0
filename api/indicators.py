"""/api/v1/indicators: the figures of the page of indices, one row a value, as JSON or as a table."""

from __future__ import annotations

from typing import Any

from api.answers import Ask, Json
from api.parameters import AGENCY, AREA, Parameter, bad
from api.tables import Column, Table, iso
from data_sources.indicators.table import THEMES
from metrics.city.numbers import indicators
from metrics.city.numbers.indicators import IndicatorFilter, IndicatorItem

PARAMETERS = (
    Parameter("theme", "one of the six themes", THEMES), Parameter("year", "the year the period ends in"),
    Parameter("subject", "agency or area code, or a name as sent"), Parameter("indicator", "indicator code; its parts come along"),
    AGENCY, AREA,
)
# field of IndicatorItem -> its kind; share and disagrees are computed
_FIELDS = (
    "feed source_id indicator name name_en kind theme group parent subject_kind subject subject_name period start_on end_on "
    "is_partial:flag value:number value_text bound measure_unit better target:number plan:number is_plan_derived:flag plan_pct:number "
    "plan_pct_printed:number disagrees:flag rank:whole denominator:whole rank_share:number rank_source share:number change:number "
    "change_from verdict document publisher is_verified:flag previous_period previous_value:number previous_rank:whole "
    "previous_denominator:whole"
)
COLUMNS = tuple(Column(name, kind or "text") for name, _, kind in (word.partition(":") for word in _FIELDS.split()))


def answer_indicators(ask: Ask) -> Json | Table:
    """Every value of the filter, by place of the indicator, newest period first."""
    year = ask.asked.whole("year")
    if year is not None and not 1900 <= year <= 2199:
        raise bad("year", f"year={year} is no year", "send four digits")
    text = ask.asked.text
    chosen = IndicatorFilter(text("theme"), year, text("subject"), text("indicator"), text("agency"), text("area"))
    rows = [_cells(item) for item in indicators.read(ask.city, chosen)]
    if ask.form != "json":
        ask.city.scope.require("export")
        return Table("indicators", COLUMNS, lambda: iter([rows]))
    return {
        "total": len(rows), "count": len(rows), "next": None, "as_of": iso(ask.city.as_of, ask.city.store.days.tz),
        "revision": ask.city.revision,
        "items": [dict(zip((column.key for column in COLUMNS), row, strict=True)) for row in rows],
    }


def _cells(item: IndicatorItem) -> tuple[Any, ...]:
    """The cells of a value; days as yyyy-mm-dd."""
    found = {column.key: getattr(item, column.key) for column in COLUMNS}
    found["start_on"] = item.start_on.isoformat() if item.start_on else None
    found["end_on"] = item.end_on.isoformat()
    return tuple(found.values())
