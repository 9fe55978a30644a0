"""What judging reads and writes: the log of dossiers to judge, their rows and stops, the times made of them.

Set-based on both engines. A dossier that changes while it is being judged is in the log again, so whatever is written is put right;
cells are logged from the rows before and after, so the fold is right at any moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from store import schema
from store.cells import log_dossier_cells
from store.stage import fill_stage

COLUMNS = tuple(column.name for column in schema.dossier_time.columns)
StopSpan = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A dossier of the stock with what judging looks at; limit None = its procedure has none."""

    feed: str
    source_id: str
    version: int
    hash: str
    agency_code: str
    domain_code: str
    procedure_code: str
    received_at: int
    received_on: int
    due_at: int | None
    finished_at: int | None
    finished_on: int | None
    limit: float | None
    unit: str


@dataclass(frozen=True)
class Taken:
    """A round's log rows; the dossiers they name that are there, their stops and the times they have (rows of COLUMNS), by id."""

    seqs: tuple[int, ...] = ()
    rows: tuple[Unjudged, ...] = ()
    stops: dict[tuple[str, str], list[StopSpan]] = field(default_factory=dict)
    times: dict[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)


def log_unjudged(connection: Connection, feed: str, stage: str) -> None:
    """Log the staged dossiers of a feed as to be judged, in the transaction that changes them."""
    connection.execute(
        text(f"INSERT INTO ops_unjudged (feed, source_id) SELECT :feed, source_id FROM {stage}"), {"feed": feed}
    )


def log_all_unjudged(connection: Connection) -> int:
    """Log every dossier, and every one that has left a time behind; returns how many."""
    connection.execute(text("DELETE FROM ops_unjudged"))
    return connection.execute(text(
        "INSERT INTO ops_unjudged (feed, source_id) SELECT feed, source_id FROM core_dossier "
        "UNION SELECT feed, source_id FROM core_dossier_time"
    )).rowcount


def has_unjudged(connection: Connection) -> bool:
    """Is anything logged? One look at the log's first row."""
    return connection.execute(text("SELECT 1 FROM ops_unjudged LIMIT 1")).first() is not None


def take_unjudged(connection: Connection, limit: int) -> Taken:
    """The oldest `limit` log rows with their dossiers and stops, as one state of the store."""
    logged = connection.execute(text("SELECT seq FROM ops_unjudged ORDER BY seq LIMIT :limit"), {"limit": limit})
    seqs = tuple(int(seq) for seq in logged.scalars())
    if not seqs:
        return Taken()
    named = "(SELECT DISTINCT feed, source_id FROM ops_unjudged WHERE seq BETWEEN :low AND :high) q"
    of_named = "d.feed = q.feed AND d.source_id = q.source_id"
    span = {"low": seqs[0], "high": seqs[-1]}
    rows = connection.execute(text(
        "SELECT d.feed, d.source_id, d.version, d.hash, d.agency_code, d.domain_code, d.procedure_code, d.received_at, d.received_on, "
        f"d.due_at, d.finished_at, d.finished_on, p.limit_days, coalesce(p.limit_unit, 'wd') FROM {named} "
        "CROSS JOIN core_dossier d LEFT JOIN core_procedure p ON p.code = d.procedure_code "
        f"WHERE {of_named} AND d.standing = 1 AND d.received_at IS NOT NULL"
    ), span).all()
    stops: dict[tuple[str, str], list[StopSpan]] = {}
    for feed, source_id, start, end in connection.execute(
        text(f"SELECT d.feed, d.source_id, d.stopped_at, d.resumed_at FROM {named} CROSS JOIN core_dossier_stop d WHERE {of_named}"), span
    ):
        stops.setdefault((feed, source_id), []).append((start, end))
    columns = ", ".join(f"d.{name}" for name in COLUMNS)
    times = connection.execute(text(f"SELECT {columns} FROM {named} CROSS JOIN core_dossier_time d WHERE {of_named}"), span)
    return Taken(seqs, tuple(Unjudged(*row) for row in rows), stops, {(row[0], row[1]): tuple(row) for row in times})


def put_judged(connection: Connection, taken: Taken, times: Iterable[Sequence[Any]]) -> None:
    """Replace the times of a round's dossiers by these (rows of COLUMNS), log the cells that change, take the round off the log.

    A dossier without a row loses its own. A row whose dossier has changed or gone since is left out; it is in the log again.
    """
    found = {(row[0], row[1]): tuple(row) for row in times}
    changed = sorted((row for key, row in found.items() if taken.times.get(key) != row), key=lambda row: row[:2])  # one order of locks
    lost = [row for key, row in taken.times.items() if key not in found]
    before = [taken.times[row[0], row[1]] for row in changed if (row[0], row[1]) in taken.times]
    _write(connection, changed)
    _drop(connection, lost)
    log_dossier_cells(connection, {cell for row in (*changed, *lost, *before) for cell in _cells(row)})
    fill_stage(connection, "stage_seqs", schema.unjudged, ("seq",), ((seq,) for seq in taken.seqs))
    connection.execute(text("DELETE FROM ops_unjudged WHERE seq IN (SELECT seq FROM stage_seqs)"))


def _write(connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
    """Write times down, but of dossiers that are no longer as they were judged."""
    if not rows:
        return
    fill_stage(connection, "stage_times", schema.dossier_time, COLUMNS, rows)
    same = "o.feed = n.feed AND o.source_id = n.source_id AND o.version = n.version AND o.hash = n.hash"
    is_so = f"EXISTS (SELECT 1 FROM core_dossier o WHERE {same})"
    names = ", ".join(COLUMNS)
    anew = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:])
    connection.execute(text(
        f"INSERT INTO core_dossier_time ({names}) SELECT {names} FROM stage_times n WHERE {is_so} "
        f"ON CONFLICT (feed, source_id) DO UPDATE SET {anew}"
    ))


def _drop(connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
    """Take times away, but not those another judge has written since."""
    if not rows:
        return
    key = COLUMNS[:4]  # feed, source_id, version, hash
    fill_stage(connection, "stage_times", schema.dossier_time, key, (row[:4] for row in rows))
    names = ", ".join(key)
    connection.execute(text(f"DELETE FROM core_dossier_time WHERE ({names}) IN (SELECT {names} FROM stage_times)"))


def _cells(row: Sequence[Any]) -> Iterator[tuple[int, str, str]]:
    """The cells in which times count: of the day of the end, and of the receipt where a due date was checked."""
    told = dict(zip(COLUMNS, row, strict=True))
    if told["finished_on"] is not None:
        yield told["finished_on"], told["agency_code"], told["domain_code"]
    if told["due_gap_wd"] is not None and told["received_on"] is not None:
        yield told["received_on"], told["agency_code"], told["domain_code"]


def read_limits(connection: Connection) -> list[tuple[str, float, str]]:
    """Every procedure's legal limit: code, limit, unit, in the order of codes."""
    rows = connection.execute(text("SELECT code, limit_days, limit_unit FROM core_procedure WHERE limit_days IS NOT NULL ORDER BY code"))
    return [(str(row[0]), float(row[1]), str(row[2])) for row in rows]


def read_basis(connection: Connection, name: str) -> str:
    """The digest that rows were made with; '' when they never were."""
    return str(connection.execute(text("SELECT digest FROM ops_basis WHERE name = :name"), {"name": name}).scalar() or "")


def put_basis(connection: Connection, name: str, digest: str) -> None:
    """Remember the digest that rows are made with from now on."""
    connection.execute(
        text("INSERT INTO ops_basis (name, digest) VALUES (:name, :digest) ON CONFLICT (name) DO UPDATE SET digest = excluded.digest"),
        {"name": name, "digest": digest},
    )
