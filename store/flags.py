"""Flags of readings: their codes, what the fold reads to judge them, how it writes them down. The rules are the caller's.

The fold's temporary table fold_cells (hour, ref) names the hours of datastreams that have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

SOUND, OUT_OF_RANGE, STUCK, SPIKE, CLOCK_SKEW = range(5)
FLAG_KEYS = {OUT_OF_RANGE: "out_of_range", STUCK: "stuck", SPIKE: "spike", CLOCK_SKEW: "clock_skew"}
SKEW_S = 600  # observed more than this after it arrived: the station's clock is ahead (beyond an hour it is refused)
_STRETCH_GAP = 96  # hours between changes of one datastream that are looked at apart


def changed_stretches(connection: Connection) -> Sequence[Any]:
    """(ref, property, measure_unit, first hour, last hour) of every stretch of changed hours of a datastream."""
    return connection.execute(
        text(
            "SELECT g.ref, d.property, d.measure_unit, min(g.hour), max(g.hour) FROM (SELECT ref, hour, "
            "sum(is_new) OVER (PARTITION BY ref ORDER BY hour) AS part FROM (SELECT ref, hour, CASE WHEN hour - lag(hour) OVER "
            f"(PARTITION BY ref ORDER BY hour) > {_STRETCH_GAP} THEN 1 ELSE 0 END AS is_new FROM fold_cells) steps) g "
            "JOIN core_datastream d ON d.id = g.ref GROUP BY g.ref, g.part, d.property, d.measure_unit ORDER BY 1, 4"
        )
    ).all()


def hours_of(connection: Connection, stretches: Sequence[tuple[int, int, int]]) -> Sequence[Any]:
    """(number of the stretch, hour, lowest, highest, flagged) of each (ref, first, last), in order; hours of wrong clocks alone are out."""
    _name_stretches(connection, stretches)
    return connection.execute(
        text(
            "SELECT s.number, h.hour, h.lowest, h.highest, h.flagged FROM fold_stretch s CROSS JOIN rollup_reading_hour h "
            "WHERE h.datastream_id = s.ref AND h.hour BETWEEN s.first_hour AND s.last_hour AND h.lowest IS NOT NULL ORDER BY 1, 2"
        )
    ).all()


def readings_of(connection: Connection, stretches: Sequence[tuple[int, int, int]]) -> Sequence[Any]:
    """(number of the stretch, observed_at, value, flag) of each (ref, first, last), in order; without those of wrong clocks."""
    _name_stretches(connection, stretches)
    return connection.execute(
        text(
            "SELECT s.number, r.observed_at, r.value, r.flag FROM fold_stretch s CROSS JOIN rollup_reading_hour h "
            "CROSS JOIN core_reading r WHERE h.datastream_id = s.ref AND h.hour BETWEEN s.first_hour AND s.last_hour "
            "AND r.hour = h.hour AND r.datastream_id = h.datastream_id AND r.flag <> :skew "
            "AND r.hour BETWEEN :first AND :last ORDER BY 1, 2"  # the bounds: PostgreSQL reads only the partitions they need
        ),
        {"skew": CLOCK_SKEW, "first": min(row[1] for row in stretches), "last": max(row[2] for row in stretches)},
    ).all()


def _name_stretches(connection: Connection, stretches: Sequence[tuple[int, int, int]]) -> None:
    connection.execute(text("DROP TABLE IF EXISTS fold_stretch"))
    connection.execute(text("CREATE TEMPORARY TABLE fold_stretch (number INTEGER, ref INTEGER, first_hour INTEGER, last_hour INTEGER)"))
    if stretches:
        connection.execute(
            text("INSERT INTO fold_stretch VALUES (:number, :ref, :first, :last)"),
            [{"number": n, "ref": ref, "first": first, "last": last} for n, (ref, first, last) in enumerate(stretches)],
        )
    if connection.dialect.name != "sqlite":
        connection.execute(text("ANALYZE fold_stretch"))


def write_flags(connection: Connection, changes: Sequence[tuple[int, int, int, int]]) -> None:
    """Write (hour, ref, observed_at, flag) down; their hours become the temporary table fold_flagged."""
    rows = sorted(changes)  # one order of locks for all writers
    connection.execute(
        text("UPDATE core_reading SET flag = :flag WHERE hour = :hour AND datastream_id = :ref AND observed_at = :at"),
        [{"hour": hour, "ref": ref, "at": at, "flag": flag} for hour, ref, at, flag in rows],
    )
    connection.execute(text("DROP TABLE IF EXISTS fold_flagged"))
    connection.execute(text("CREATE TEMPORARY TABLE fold_flagged (hour INTEGER, ref INTEGER)"))
    cells = sorted({(hour, ref) for hour, ref, _, _ in rows})
    connection.execute(text("INSERT INTO fold_flagged VALUES (:hour, :ref)"), [{"hour": hour, "ref": ref} for hour, ref in cells])
