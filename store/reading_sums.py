"""Sums of readings, recomputed: hours of datastreams from readings, hours of areas and days of datastreams from those hours.

The fold's temporary tables: fold_cells (hour, ref) = what has changed, fold_taken = the log rows it works off, fold_hours = the
hours computed. Flagged readings are counted but left out of every sum.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from store.days import HOUR, DayClock
from store.flags import CLOCK_SKEW, SOUND
from store.stage import temporary

EIGHT_HOURS = ("o3", "co")  # the air standard and the index judge them by means of eight hours in a row
EIGHT_NEED = 6  # hours with readings of the eight
_SOUND = f"FILTER (WHERE r.flag = {SOUND})"
_TIMED = f"FILTER (WHERE r.flag <> {CLOCK_SKEW})"
# where no reading is sound, low and high are of all: the columns are never empty, and n = 0 says that they mean little
_SUMS = (
    "CAST(sum({p}n) AS BIGINT), sum({p}total), coalesce(min({p}low) FILTER (WHERE {p}n > 0), min({p}low)), "
    "coalesce(max({p}high) FILTER (WHERE {p}n > 0), max({p}high)), CAST(sum({p}flagged) AS BIGINT)"
)


def drop_cells(connection: Connection, table: str, key: str, cells: str) -> None:
    """Delete roll-up rows of the given cells. Row values, so that the few cells drive and the key index finds them."""
    connection.execute(text(f"DELETE FROM {table} WHERE ({key}) IN (SELECT {cells})"))


_HOUR = "hour, datastream_id, n, total, low, high, flagged, lowest, highest"


def sum_hours(connection: Connection, cells: str) -> None:
    """Compute the hours that the temporary table `cells` (hour, ref) names, as fold_hours; those with flagged readings exactly.

    The first pass takes all readings, which is right wherever none is flagged; the few other hours are summed again.
    """
    temporary(connection, "fold_hours", _hours(
        cells,
        "count(*) AS n, sum(r.value) AS total, min(r.value) AS low, max(r.value) AS high, "
        "sum(CASE WHEN r.flag <> 0 THEN 1 ELSE 0 END) AS flagged, min(r.value) AS lowest, max(r.value) AS highest",
    ))
    temporary(connection, "fold_unsound", "SELECT hour, datastream_id AS ref FROM fold_hours WHERE flagged > 0")
    if not connection.execute(text("SELECT count(*) FROM fold_unsound")).scalar_one():
        return
    connection.execute(text("DELETE FROM fold_hours WHERE flagged > 0"))
    connection.execute(text(f"INSERT INTO fold_hours ({_HOUR}) " + _hours(
        "fold_unsound",
        f"count(*) {_SOUND}, coalesce(sum(r.value) {_SOUND}, 0), coalesce(min(r.value) {_SOUND}, min(r.value)), "
        f"coalesce(max(r.value) {_SOUND}, max(r.value)), count(*) FILTER (WHERE r.flag <> {SOUND}), "
        f"min(r.value) {_TIMED}, max(r.value) {_TIMED}",
    )))


def _hours(cells: str, statistics: str) -> str:
    return (
        f"SELECT c.hour AS hour, c.ref AS datastream_id, {statistics} FROM {cells} c CROSS JOIN core_reading r "
        "WHERE r.hour = c.hour AND r.datastream_id = c.ref GROUP BY c.hour, c.ref"
    )


def put_hours(connection: Connection, cells: str) -> None:
    """Replace the hours that `cells` names by those of fold_hours."""
    drop_cells(connection, "rollup_reading_hour", "hour, datastream_id", f"hour, ref FROM {cells}")
    connection.execute(text(f"INSERT INTO rollup_reading_hour ({_HOUR}) SELECT {_HOUR} FROM fold_hours"))


def add_flagged(connection: Connection) -> None:
    """Sum the hours whose flags have changed (fold_flagged), and have their areas and days summed as if they had been logged."""
    sum_hours(connection, "fold_flagged")
    put_hours(connection, "fold_flagged")
    connection.execute(text(
        "INSERT INTO fold_cells (hour, ref) SELECT hour, ref FROM fold_flagged WHERE (hour, ref) NOT IN (SELECT hour, ref FROM fold_cells)"
    ))
    connection.execute(text(
        "INSERT INTO fold_taken (seq, bucket, k1, k2, k3, ref) SELECT NULL, f.hour, d.area_code, '', '', f.ref "
        "FROM fold_flagged f JOIN core_datastream d ON d.id = f.ref"
    ))


def sum_areas(connection: Connection) -> None:
    """Recompute hours of areas and properties: those the log names and those the datastreams belong to now."""
    temporary(
        connection, "fold_areas",
        "SELECT DISTINCT t.bucket AS hour, t.k1 AS area_code, CASE WHEN t.k2 = '' THEN d.property ELSE t.k2 END AS property "
        "FROM fold_taken t JOIN core_datastream d ON d.id = t.ref "
        "UNION SELECT t.bucket, d.area_code, d.property FROM fold_taken t JOIN core_datastream d ON d.id = t.ref",
    )
    drop_cells(connection, "rollup_reading_hour_area", "hour, area_code, property", "hour, area_code, property FROM fold_areas")
    connection.execute(text(
        "INSERT INTO rollup_reading_hour_area (hour, area_code, property, n, total, low, high, flagged) "
        f"SELECT c.hour, c.area_code, c.property, {_SUMS.format(p='h.')} "
        "FROM fold_areas c JOIN core_datastream d ON d.area_code = c.area_code AND d.property = c.property "
        "JOIN rollup_reading_hour h ON h.hour = c.hour AND h.datastream_id = d.id GROUP BY c.hour, c.area_code, c.property"
    ))


def sum_days(connection: Connection, days: DayClock) -> None:
    """Days from whole hours; an hour cut by midnight (zones with half-hour offsets) is read from its readings and counts as none."""
    hours = connection.execute(text("SELECT DISTINCT hour FROM fold_cells")).scalars()
    spans = [_day_span(days, int(hour), on) for hour in hours for on in _days_of_hour(days, int(hour))]
    connection.execute(text("DROP TABLE IF EXISTS fold_spans"))
    columns = "hour INTEGER, day INTEGER, first_hour INTEGER, last_hour INTEGER, from_at BIGINT, to_at BIGINT"
    connection.execute(text(f"CREATE TEMPORARY TABLE fold_spans ({columns})"))
    connection.execute(text("INSERT INTO fold_spans VALUES (:hour, :day, :first_hour, :last_hour, :from_at, :to_at)"), spans)
    temporary(
        connection, "fold_days",
        "SELECT DISTINCT s.day, s.first_hour, s.last_hour, s.from_at, s.to_at, c.ref FROM fold_cells c "
        "JOIN fold_spans s ON s.hour = c.hour",
    )
    drop_cells(connection, "rollup_reading_day", "day, datastream_id", "day, ref FROM fold_days")
    is_cut = any(span["from_at"] % HOUR or span["to_at"] % HOUR for span in spans)
    connection.execute(text(
        "INSERT INTO rollup_reading_day (day, datastream_id, n, total, low, high, flagged, hours, hour_mean, hour_high) "
        f"SELECT day, ref, {_SUMS.format(p='')}, count(mean), avg(mean), max(mean) FROM ({_day_parts(is_cut)}) parts GROUP BY day, ref"
    ))
    _sum_eight_hours(connection)


def _day_parts(is_cut: bool) -> str:
    """The hours a day is made of; with is_cut also the readings of hours that two days share."""
    cut = f"(r.hour * {HOUR} < c.from_at OR (r.hour + 1) * {HOUR} > c.to_at)"
    parts = (
        "SELECT c.day, c.ref, r.n, r.total, r.low, r.high, r.flagged, CASE WHEN r.n > 0 THEN r.total / r.n END AS mean "
        "FROM fold_days c CROSS JOIN rollup_reading_hour r "
        f"WHERE r.datastream_id = c.ref AND r.hour BETWEEN c.first_hour AND c.last_hour AND NOT {cut}"
    )
    if not is_cut:
        return parts
    sound = "CASE WHEN r.flag = 0 THEN 1 ELSE 0 END"
    return (
        f"{parts} UNION ALL SELECT c.day, c.ref, {sound}, CASE WHEN r.flag = 0 THEN r.value ELSE 0 END, r.value, r.value, 1 - {sound}, "
        "CAST(NULL AS DOUBLE PRECISION) FROM fold_days c CROSS JOIN core_reading r "
        "WHERE r.hour IN (c.first_hour, c.last_hour) AND r.datastream_id = c.ref AND r.observed_at >= c.from_at "
        f"AND r.observed_at < c.to_at AND {cut}"
    )


def _sum_eight_hours(connection: Connection) -> None:
    """The highest mean of eight whole hours in a row inside the day, for what is judged by it."""
    named = ", ".join(f"'{name}'" for name in EIGHT_HOURS)
    temporary(
        connection, "fold_eights",
        "SELECT c.day, c.ref, c.from_at, c.to_at FROM fold_days c JOIN core_datastream d ON d.id = c.ref "
        f"WHERE d.property IN ({named})",
    )
    if not connection.execute(text("SELECT count(*) FROM fold_eights")).scalar_one():
        return
    starts = " UNION ALL ".join(f"SELECT {n} AS place" for n in range(18))  # of a day of 25 hours
    first, last = f"(c.from_at + {HOUR - 1}) / {HOUR}", f"c.to_at / {HOUR}"  # whole hours [first, last)
    temporary(
        connection, "fold_eight_hours",  # each hour is looked up once, not once for each of the windows it is in
        f"SELECT c.day, c.ref, h.hour - {first} AS place, {last} - {first} AS places, h.total / h.n AS mean FROM fold_eights c "
        f"CROSS JOIN rollup_reading_hour h WHERE h.datastream_id = c.ref AND h.hour >= {first} AND h.hour < {last} AND h.n > 0",
    )
    temporary(
        connection, "fold_eight_means",
        "SELECT day, ref, max(mean) AS mean FROM (SELECT e.day, e.ref, s.place, avg(e.mean) AS mean FROM fold_eight_hours e "
        f"CROSS JOIN ({starts}) s WHERE e.place BETWEEN s.place AND s.place + 7 AND s.place + 8 <= e.places "
        f"GROUP BY e.day, e.ref, s.place HAVING count(*) >= {EIGHT_NEED}) windows GROUP BY day, ref",
    )
    connection.execute(text(
        "UPDATE rollup_reading_day SET high_8h = (SELECT e.mean FROM fold_eight_means e WHERE e.day = rollup_reading_day.day "
        "AND e.ref = rollup_reading_day.datastream_id) WHERE (day, datastream_id) IN (SELECT day, ref FROM fold_eight_means)"
    ))


def _days_of_hour(days: DayClock, hour: int) -> set[int]:
    """The one or two days an hour lies in."""
    return {on for on in (days.on(hour * HOUR), days.on((hour + 1) * HOUR - 1)) if on is not None}


def _day_span(days: DayClock, hour: int, on: int) -> dict[str, int]:
    start, end = days.starts_at(on), days.starts_at(on + 1)
    return {"hour": hour, "day": on, "first_hour": start // HOUR, "last_hour": (end - 1) // HOUR, "from_at": start, "to_at": end}
