"""Lands values of indicators (the newest version wins, older ones are kept) and what describes the indicators themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, text

from store import schema
from store.catalogue import Resolver
from store.rejects import digest_of
from store.rows import IndicatorRow
from store.versioned import Kind

# no day of it is counted in a roll-up: figures that arrive finished are read as they are
INDICATORS = Kind("indicators", schema.indicator_value, schema.indicator_value_version, days=(), keys=())
_DESCRIBED = (
    "name", "name_en", "measure_unit", "better", "theme", "group_name", "kind", "parent_code", "scale_max", "position", "publisher",
)
_NUMBERS = ("scale_max", "position")


def stage_values(connection: Connection, resolver: Resolver, rows: Sequence[IndicatorRow], start: int) -> dict[str, tuple[Any, ...]]:
    """The cells of each value by source id, as INDICATORS stages them; `start` = their first number of receipt. Names and the
    catalogue of indicators are saved on the way."""
    found = {row.source_id: _value_cells(resolver, row, number) for number, row in enumerate(rows, start)}
    resolver.save()
    _describe(connection, rows)
    return found


def _value_cells(resolver: Resolver, row: IndicatorRow, number: int) -> tuple[Any, ...]:
    content = (
        row.indicator, resolver.agency(row.agency), resolver.area(row.area), row.subject, row.period, row.start_on, row.end_on,
        row.value, row.value_text, row.bound, row.plan, row.plan_pct, row.rank, row.denominator, row.change, row.change_from,
        row.target, row.document, row.is_verified,
    )
    return (row.source_id, *content, row.version if row.version is not None else number, digest_of(content))


def _describe(connection: Connection, rows: Iterable[IndicatorRow]) -> None:
    """Upsert the catalogue; what a row leaves empty stays as it was. Of several rows of an indicator the last that tells wins."""
    told: dict[str, dict[str, Any]] = {}
    for row in rows:
        known = told.setdefault(row.indicator, {"code": row.indicator, **dict.fromkeys(_DESCRIBED, "")})
        cells = (
            row.name, row.name_en, row.measure_unit, row.better, row.theme, row.group, row.kind, row.parent, row.scale_max,
            row.position, row.publisher,
        )
        known.update({name: cell for name, cell in zip(_DESCRIBED, cells, strict=True) if cell not in ("", None)})
    for known in told.values():  # a missing number is NULL, a missing text ''
        known.update({name: None for name in _NUMBERS if known[name] == ""})
    if told:
        keep = ", ".join(
            f"{name} = coalesce(excluded.{name}, core_indicator.{name})" if name in _NUMBERS
            else f"{name} = CASE WHEN excluded.{name} = '' THEN core_indicator.{name} ELSE excluded.{name} END"
            for name in _DESCRIBED
        )
        connection.execute(
            text(
                f"INSERT INTO core_indicator (code, {', '.join(_DESCRIBED)}) VALUES (:code, {', '.join(':' + n for n in _DESCRIBED)}) "
                f"ON CONFLICT (code) DO UPDATE SET {keep}"
            ),
            sorted(told.values(), key=lambda one: str(one["code"])),
        )
