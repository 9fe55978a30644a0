"""One bad row never sinks its batch: what the database refuses is halved until only the offending rows are left out."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import asdict, fields, is_dataclass, replace
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError

from store.rows import Parsed, Reject

REASON = "refused_by_store"
# In the order rows need each other: a station before its datastreams before their readings.
PARTS = ("areas", "stations", "datastreams", "dossiers", "steps", "reports", "readings")
SUSPICIOUS = 20  # when this many rows are refused and none is taken, the fault is ours and not theirs
_STATES = ("22", "23", "54")  # SQLSTATE classes: data exception, integrity, program limit (an index row too long)
_REFUSALS = (
    DataError, IntegrityError, psycopg.DataError, psycopg.IntegrityError, sqlite3.DataError, sqlite3.IntegrityError,
    ValueError, OverflowError,
)
Taken = TypeVar("Taken")
_Row = tuple[str, Any]


def is_refusal(fault: Exception) -> bool:
    """Does this exception say that a value cannot be stored, and not that the store is away or the program wrong?"""
    orig = getattr(fault, "orig", None) or fault
    state = str(getattr(orig, "sqlstate", None) or "")
    unbound = isinstance(orig, (sqlite3.ProgrammingError, sqlite3.InterfaceError)) and "binding parameter" in str(orig)
    return unbound or state[:2] in _STATES or isinstance(fault, _REFUSALS) or isinstance(orig, _REFUSALS)


def land_halving(
    connection: Connection, batch: Parsed, land_part: Callable[[Parsed], Taken]
) -> tuple[list[Taken], list[Reject]]:
    """Land a batch in as few parts as the database takes, each under a savepoint; what it took, and a reject per refused row.

    At most 2n - 1 tries for n rows, in their order. Raises what is no refusal, and the refusal of all of many rows.
    """
    rows: list[_Row] = [(name, row) for name in PARTS for row in getattr(batch, name)]
    taken: list[Taken] = []
    refused: list[Reject] = []
    waiting = [rows]
    while waiting:
        part = waiting.pop()
        try:
            with connection.begin_nested():
                result = land_part(_parsed(batch, part))
            taken.append(result)
        except Exception as fault:
            if not is_refusal(fault) or not part:
                raise
            if len(part) == 1:
                refused.append(_reject(part[0], fault))
                if len(refused) == len(rows) >= SUSPICIOUS:
                    raise
                continue
            middle = len(part) // 2
            waiting += [part[middle:], part[:middle]]
    return taken, refused


def _parsed(batch: Parsed, rows: list[_Row]) -> Parsed:
    if len(rows) == sum(len(getattr(batch, name)) for name in PARTS):
        return batch
    chosen: dict[str, Any] = {name: tuple(row for kind, row in rows if kind == name) for name in PARTS}
    return replace(batch, **chosen)


def _reject(row: _Row, fault: Exception) -> Reject:
    kind, value = row
    kept = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value._asdict()
    name = next((str(kept[key]) for key in ("source_id", "dossier_id", "datastream_id", "code") if key in kept), kind)
    said = str(getattr(fault, "orig", None) or fault).strip().splitlines()
    plain = (int, float, bool, type(None))
    payload = {key: inner if isinstance(inner, plain) else str(inner)[:500] for key, inner in kept.items()}
    return Reject(name[:200], _guilty(value, fault), REASON, (said or [type(fault).__name__])[0][:200], payload)


def _guilty(row: Any, fault: Exception) -> str:
    """The column the database names, else the field whose text or number no database takes, else the kind of row."""
    column = getattr(getattr(getattr(fault, "orig", None) or fault, "diag", None), "column_name", None)
    if column:
        return str(column)
    context = str(getattr(getattr(getattr(fault, "orig", None) or fault, "diag", None), "context", "") or "")
    if ", column " in context:
        return context.partition(", column ")[2].partition(":")[0]
    names = [one.name for one in fields(row)] if is_dataclass(row) else list(getattr(row, "_fields", ()))
    return next((name for name in names if _is_odd(getattr(row, name))), type(row).__name__)


def _is_odd(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value or any(0xD800 <= ord(letter) <= 0xDFFF for letter in value) or len(value) > 500
    if isinstance(value, float):
        return value - value != 0
    return isinstance(value, int) and not -(2**63) <= value < 2**63
