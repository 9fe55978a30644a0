"""GET /api/v1/weekly and its tables: what the page of the leaders' week is drawn from, every figure as number and as it is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from api.answers import Ask, Json, period_json
from api.parameters import Asked, bad
from api.tables import Column, Table, iso
from metrics.city import City, weekly
from metrics.city.weekly.parts import Cell, Figure, Link, Row, Statement, Word
from metrics.city.weekly.parts import Column as Told
from metrics.city.weekly.parts import Table as Listed
from metrics.city.weekly.written import said, written
from metrics.periods import Period
from text import t

DEFAULT_PERIOD = "last_week"


def answer_weekly(ask: Ask) -> Json:
    """The whole brief of a week: sentences with their figures, tables, signals by key, score, feeds left out."""
    found = weekly.read(ask.city, week_of(ask.city, ask.asked))
    lang, tz = ask.lang, ask.city.store.days.tz
    return {
        "week": period_json(found.week), "is_over": found.is_over, "as_of": iso(found.as_of, tz), "revision": found.revision,
        "notes": [said(word, lang) for word in found.notes],
        "left_out": [
            {"feed": feed.feed, "title": feed.title, "why": said(feed.why, lang), "is_needed": feed.is_needed} for feed in found.left_out
        ],
        "statements": [_statement(one, lang) for one in found.statements],
        "changed": [{"key": one.key, "verdict": one.verdict, "rule": one.rule or None, "value": one.value} for one in found.changed],
        "score": None if found.score is None else {"points": found.score.points, "known_most": found.score.known_most},
        "tables": [_table(one, lang) for one in found.tables],
    }


def answer_tables(ask: Ask) -> Json | Table:
    """The tables of the brief, or the one named by `key`; as a file the one with its own columns, all of them a cell a line."""
    found = weekly.read(ask.city, week_of(ask.city, ask.asked))
    key = ask.asked.text("key")
    chosen = [one for one in found.tables if key in ("", one.key)]
    if key and not chosen:
        raise bad("key", f"the week {found.week.text} has no table {key[:80]!r}", f"known: {', '.join(one.key for one in found.tables)}")
    if ask.form == "json":
        return {"week": period_json(found.week), "revision": found.revision, "tables": [_table(one, ask.lang) for one in chosen]}
    ask.city.scope.require("export")
    return _file(ask, found.week, chosen[0]) if key else _long_file(ask, found.week, chosen)


def _file(ask: Ask, week: Period, one: Listed) -> Table:
    """One table in its own columns."""
    kinds = [_kind(one.rows, at, column) for at, column in enumerate(one.columns)]
    is_labelled = ask.asked.text("headers") == "labels"
    columns = tuple(
        Column(column.key, kind, t(f"weekly.column.{column.key}", ask.lang) if is_labelled else "")
        for column, kind in zip(one.columns, kinds, strict=True)
    )
    rows = [[_plain(cell, kind, ask.lang) for cell, kind in zip(row.cells, kinds, strict=True)] for row in one.rows]
    return Table(f"{week.text} {one.key}", columns, lambda: iter([rows]))


LONG_COLUMNS = (
    Column("table"), Column("row", "whole"), Column("column"), Column("text"), Column("value", "number"), Column("measure_unit"),
    Column("n", "whole"), Column("state"),
)


def _long_file(ask: Ask, week: Period, tables: Sequence[Listed]) -> Table:
    """Every cell of every table, a cell a line."""
    rows = [
        (one.key, number, column.key, written(cell, ask.lang), *_figure_of(cell))
        for one in tables for number, row in enumerate(one.rows, 1) for column, cell in zip(one.columns, row.cells, strict=True)
    ]
    return Table(f"{week.text} weekly", LONG_COLUMNS, lambda: iter([rows]))


def _figure_of(cell: Cell) -> tuple[float | None, str | None, int | None, str | None]:
    return (cell.value, cell.measure_unit, cell.n, cell.state or None) if isinstance(cell, Figure) else (None, None, None, None)


def week_of(city: City, asked: Asked) -> Period:
    """The week asked for, last week by default. Raises ApiError 400 for a period that is no week."""
    period = asked.period(city, DEFAULT_PERIOD)
    assert period is not None
    if period.kind != "week":
        raise bad("period", f"{period.text} is not a week", "write one as 2026-W46, or this_week, last_week")
    return period


def _statement(one: Statement, lang: str) -> dict[str, Any]:
    figures = {name: _cell(cell, lang) for name, cell in one.said.words.items()}
    return {
        "section": one.section, "key": one.said.key, "text": said(one.said, lang), "is_warning": one.is_warning,
        "figures": figures, "link": _link(one.link),
    }


def _table(one: Listed, lang: str) -> dict[str, Any]:
    columns = [{"key": c.key, "label": t(f"weekly.column.{c.key}", lang), "kind": c.kind} for c in one.columns]
    rows = [{"cells": [_cell(cell, lang) for cell in row.cells], "link": _link(row.link)} for row in one.rows]
    return {
        "key": one.key, "section": one.section, "title": t(f"weekly.table.{one.key}", lang), "columns": columns, "rows": rows,
        "notes": [said(word, lang) for word in one.notes],
    }


def _cell(cell: Cell, lang: str) -> dict[str, Any]:
    """A cell: as it is written, and, of a figure, its number with unit and n."""
    told: dict[str, Any] = {"text": written(cell, lang)}
    if isinstance(cell, Figure):
        told |= {"value": cell.value, "measure_unit": cell.measure_unit, "n": cell.n, "state": cell.state or None}
    elif isinstance(cell, date):
        told["date"] = cell.isoformat()
    elif isinstance(cell, Word):
        told["key"] = cell.key
    return told


def _link(to: Link | None) -> dict[str, Any] | None:
    return None if to is None else {"path": to.path, "query": dict(to.query)}


def _kind(rows: Sequence[Row], at: int, column: Told) -> str:
    """number where every cell is a figure or nothing; a column that mixes them is told as it is written."""
    cells = [row.cells[at] for row in rows]
    is_number = column.kind == "figure" and all(cell is None or isinstance(cell, Figure) for cell in cells)
    return "number" if is_number else "text"


def _plain(cell: Cell, kind: str, lang: str) -> Any:
    """A cell of a file: the number of a column of numbers, a day as ISO, else as it is written; nothing stays nothing."""
    if kind == "number":
        return cell.value if isinstance(cell, Figure) else None
    if isinstance(cell, date):
        return cell.isoformat()
    return None if cell is None else written(cell, lang)
