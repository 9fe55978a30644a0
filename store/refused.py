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
PARTS = ("areas", "stations", "datastreams", "dossiers", "steps", "reports", "readings", "indicators")
SUSPICIOUS = 20  # when this many rows are refused and none is taken, the fault is ours and not theirs
MAX_TRIES = 1000  # about 20 s of writing: a batch that needs more is not repaired here
_INTEGERS = frozenset({"supplement_count", "cadence_s", "valid_from_on", "valid_to_on"})  # 32 bits on PostgreSQL
_FIRST_AT, _LAST_AT = -62_135_596_800_000_000, 253_402_300_799_000_000  # years 1 to 9999
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

    Raises what is no refusal, the refusal of all of many rows, and one that is left after MAX_TRIES parts.
    """
    try:
        with connection.begin_nested():
            return [land_part(batch)], []
    except Exception as fault:
        rows: list[_Row] = [(name, row) for name in PARTS for row in getattr(batch, name)]
        if not is_refusal(fault) or not rows:
            raise
        first = fault
    taken, refused = _land_halves(connection, batch, rows, land_part)
    if not taken and len(refused) >= SUSPICIOUS:
        raise first
    return taken, refused


def _land_halves(
    connection: Connection, batch: Parsed, rows: list[_Row], land_part: Callable[[Parsed], Taken]
) -> tuple[list[Taken], list[Reject]]:
    """Set aside what is known to be refused, then halve what is left, in the order of the rows."""
    is_sqlite = connection.dialect.name == "sqlite"
    known = [(row, unstorable(row[1], is_sqlite)) for row in rows]
    refused = [_reject(row, field, "no database takes this value") for row, field in known if field]
    left = [row for row, field in known if not field]
    taken: list[Taken] = []
    waiting, tries = [left] if left else [], 0
    while waiting:
        part, tries = waiting.pop(), tries + 1
        try:
            with connection.begin_nested():
                taken.append(land_part(_parsed(batch, part)))
        except Exception as fault:
            if not is_refusal(fault) or tries >= MAX_TRIES:
                raise
            middle = len(part) // 2
            if middle:
                waiting += [part[middle:], part[:middle]]
            else:
                refused.append(_reject(part[0], _guilty(part[0][1], fault), told_by_store(fault)))
    return taken, refused


def unstorable(row: Any, is_sqlite: bool) -> str:
    """The field that cannot be stored whatever the row's others are: half letters, NUL (PostgreSQL), numbers too large; else ''."""
    names = [one.name for one in fields(row)] if is_dataclass(row) else row._fields
    return next((str(name) for name in names if not _fits(str(name), getattr(row, name), is_sqlite)), "")


def _fits(name: str, value: Any, is_sqlite: bool) -> bool:
    if isinstance(value, str):
        return (is_sqlite or "\0" not in value) and (value.isascii() or not any("\ud800" <= one <= "\udfff" for one in value))
    if not isinstance(value, int):
        return True
    if name in _INTEGERS and not is_sqlite:
        return -(2**31) <= value < 2**31
    if name == "at" or name.endswith("_at"):
        return _FIRST_AT <= value <= _LAST_AT
    return -(2**63) <= value < 2**63


def _parsed(batch: Parsed, rows: list[_Row]) -> Parsed:
    if len(rows) == sum(len(getattr(batch, name)) for name in PARTS):
        return batch
    chosen: dict[str, Any] = {name: tuple(row for kind, row in rows if kind == name) for name in PARTS}
    return replace(batch, **chosen)


def _reject(row: _Row, field: str, said: str) -> Reject:
    kind, value = row
    kept = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value._asdict()
    name = next((str(kept[key]) for key in ("source_id", "dossier_id", "datastream_id", "code") if key in kept), kind)
    plain = (int, float, bool, type(None))
    payload = {key: inner if isinstance(inner, plain) else str(inner)[:500] for key, inner in kept.items()}
    return Reject(name[:200], field, REASON, said, payload)


def _said(fault: Exception) -> str:
    lines = str(getattr(fault, "orig", None) or fault).strip().splitlines()
    return (lines or [type(fault).__name__])[0][:200]


def told_by_store(fault: Exception) -> str:
    """What the database said, without the values it quotes: those may be a person's."""
    said = _said(fault)
    return said if "constraint failed: " in said else said.partition(": ")[0]


def _guilty(row: Any, fault: Exception) -> str:
    """The column the database names, else the longest text of the row (an index takes no long ones)."""
    told = getattr(getattr(fault, "orig", None) or fault, "diag", None)
    if column := getattr(told, "column_name", None):
        return str(column)
    if "constraint failed: " in (said := _said(fault)):
        return said.rpartition(".")[2]
    context = str(getattr(told, "context", "") or "")
    if ", column " in context:
        return context.partition(", column ")[2].partition(":")[0]
    names = [one.name for one in fields(row)] if is_dataclass(row) else list(row._fields)
    return max(names, key=lambda name: len(str(getattr(row, name) or "")))
