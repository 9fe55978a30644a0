"""Flags of readings: their codes, what the fold reads to judge them, how it writes them down. The rules are the caller's.

The fold's temporary table fold_cells (hour, ref) names the hours of datastreams that have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Connection, text

from store.stage import temporary

SOUND, OUT_OF_RANGE, STUCK, SPIKE, CLOCK_SKEW = range(5)
FLAG_KEYS = {OUT_OF_RANGE: "out_of_range", STUCK: "stuck", SPIKE: "spike", CLOCK_SKEW: "clock_skew"}
SKEW_S = 600  # observed more than this after it arrived: the station's clock is ahead (beyond an hour it is refused)
_STRETCH = 96  # changed hours of one datastream are looked at in blocks of so many


@dataclass(frozen=True)
class Look:
    """What makes an hour of a property worth a closer look; None = nothing does."""

    property: str
    measure_unit: str
    least: float | None
    most: float | None
    jump: float | None
    resting: float | None
    is_stuck_judged: bool


def doubted_stretches(connection: Connection, looks: Sequence[Look], around: int, still: int) -> Sequence[Any]:
    """(ref, property, measure_unit, first, last) of the changed stretches in which a flag may have to be set or taken back.

    Told from the hours `around` before and after alone, in one statement; `still` = so many hours in a row of one value are too many.
    Of any other stretch no reading need be read.
    """
    temporary(
        connection, "fold_changed",
        "SELECT c.ref, d.property, d.measure_unit, min(c.hour) AS first_hour, max(c.hour) AS last_hour FROM fold_cells c "
        f"JOIN core_datastream d ON d.id = c.ref GROUP BY c.ref, c.hour / {_STRETCH}, d.property, d.measure_unit",
    )
    connection.execute(text("DROP TABLE IF EXISTS fold_looks"))
    columns = "property TEXT, measure_unit TEXT, least {0}, most {0}, jump {0}, resting {0}, is_stuck_judged BOOLEAN"
    connection.execute(text(f"CREATE TEMPORARY TABLE fold_looks ({columns.format('DOUBLE PRECISION')})"))
    names = [field.name for field in fields(Look)]
    connection.execute(
        text(f"INSERT INTO fold_looks VALUES ({', '.join(':' + name for name in names)})"), [asdict(look) for look in looks]
    )
    follows = (
        "u.is_stuck_judged AND h.lowest = h.highest AND (u.resting IS NULL OR h.lowest <> u.resting) AND EXISTS "
        "(SELECT 1 FROM rollup_reading_hour o WHERE o.hour = h.hour + 1 AND o.datastream_id = h.datastream_id "
        "AND o.lowest = h.lowest AND o.highest = h.lowest)"
    )
    return connection.execute(
        text(
            "SELECT s.ref, s.property, s.measure_unit, s.first_hour, s.last_hour FROM fold_changed s LEFT JOIN fold_looks u "
            "ON u.property = s.property AND u.measure_unit = s.measure_unit CROSS JOIN rollup_reading_hour h "
            f"WHERE h.datastream_id = s.ref AND h.hour BETWEEN s.first_hour - {around} AND s.last_hour + {around} "
            "GROUP BY s.ref, s.property, s.measure_unit, s.first_hour, s.last_hour, u.least, u.most, u.jump "
            "HAVING sum(h.flagged) > 0 OR min(h.lowest) < u.least OR max(h.highest) > u.most "
            f"OR max(h.highest) - min(h.lowest) > u.jump OR sum(CASE WHEN {follows} THEN 1 ELSE 0 END) >= {still - 1} ORDER BY 1, 4"
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
