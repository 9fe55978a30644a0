"""GET /api/v1/catalogue: every KPI as it is defined here, as data: what the screen /kpis tells in words."""

from __future__ import annotations

from typing import Any

from api.answers import Ask, Json
from api.tables import Column, Table, iso
from config.targets import Target
from metrics.city.numbers import definitions
from metrics.city.numbers.definitions import Definition
from text import LANGUAGES, t

COLUMNS = tuple(
    Column(*row)
    for row in (
        ("key",), ("label",), ("label_vi",), ("label_en",), ("definition",), ("formula",), ("law",), ("verified", "flag"),
        ("theme",), ("subject",), ("topic",), ("measure_unit",), ("direction",), ("min_n", "whole"), ("late_rule",),
        ("is_stock", "flag"), ("owner",), ("rollups",), ("targets",), ("feeds",),
    )
)


def answer_catalogue(ask: Ask) -> Json | Table:
    """The definitions in the order of the rows; as a table with lists joined by "; "."""
    found = definitions.read(ask.city, ask.asked.text("theme"), ask.asked.text("q"))
    if ask.form != "json":
        ask.city.scope.require("export")
        return Table("catalogue", COLUMNS, lambda: iter([[_row(ask, item) for item in found]]))
    return {
        "total": len(found),
        "count": len(found),
        "next": None,
        "as_of": iso(ask.city.as_of, ask.city.store.days.tz),
        "revision": ask.city.revision,
        "items": [_told(ask, item) for item in found],
    }


def _told(ask: Ask, item: Definition) -> dict[str, Any]:
    """One definition, its keys in the order of COLUMNS."""
    row, lang = item.row, ask.lang
    texts = {part: t(f"kpi.{row.key}.{part}", lang) for part in ("label", "definition", "formula", "source")}
    return {
        "key": row.key,
        "label": texts["label"],
        **{f"label_{each}": t(f"kpi.{row.key}.label", each) for each in LANGUAGES},
        "definition": texts["definition"],
        "formula": texts["formula"],
        "law": texts["source"],
        "verified": row.verified,
        "theme": row.theme,
        "subject": item.subject,
        "topic": row.topic,
        "measure_unit": row.measure_unit,
        "direction": row.better,
        "min_n": row.min_n,
        "late_rule": ask.city.config.late_rule if row.has_rule else None,
        "is_stock": row.is_stock,
        "owner": item.owner or None,
        "rollups": list(item.tables),
        "targets": [_target(target) for target in item.targets],
        "feeds": [{"key": state.key, "state": state.state} for state in item.feeds],
    }


def _target(target: Target) -> dict[str, Any]:
    days = {name: on.isoformat() if on else None for name, on in (("from", target.from_on), ("to", target.to_on))}
    return {"value": target.value, **days, "source": target.source}


def _row(ask: Ask, item: Definition) -> tuple[Any, ...]:
    """The same as one row of a table: a list becomes a text."""
    told = _told(ask, item)
    targets = [f"{row['value']:g} {row['from'] or ''}..{row['to'] or ''} {row['source']}".strip() for row in told["targets"]]
    flat = {**told, "rollups": "; ".join(told["rollups"]), "targets": "; ".join(targets),
            "feeds": "; ".join(feed["key"] for feed in told["feeds"])}
    return tuple(flat[column.key] for column in COLUMNS)
