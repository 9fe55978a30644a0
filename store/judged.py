"""What judging reads and writes: the log of dossiers to judge, their rows and stops, the times made of them.

Set-based on both engines. A dossier that changes while it is being judged is in the log again, so whatever is written is put right;
cells are logged from the rows before and after, so the fold is right at any moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from store import schema
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
    """A round's log rows and the ids they name; the dossiers that are there, and their stops by id."""

    seqs: tuple[int, ...] = ()
    ids: tuple[tuple[str, str], ...] = ()
    rows: tuple[Unjudged, ...] = ()
    stops: dict[tuple[str, str], list[StopSpan]] = field(default_factory=dict)


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
    logged = connection.execute(
        text("SELECT seq, feed, source_id FROM ops_unjudged ORDER BY seq LIMIT :limit"), {"limit": limit}
    ).all()
    if not logged:
        return Taken()
    seqs = tuple(int(row[0]) for row in logged)
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
    ids = tuple({(row[1], row[2]): None for row in logged})
    return Taken(seqs, ids, tuple(Unjudged(*row) for row in rows), stops)


def put_judged(connection: Connection, taken: Taken, times: Iterable[Sequence[object]]) -> None:
    """Replace the times of a round's dossiers by these (rows of COLUMNS), log the cells that change, take the round off the log.

    A dossier without a row loses its own. A row whose dossier has changed or gone since is left out.
    """
    fill_stage(connection, "stage_judged", schema.dossier_time, ("feed", "source_id"), taken.ids)
    fill_stage(connection, "stage_times", schema.dossier_time, COLUMNS, times)
    run = connection.execute
    same = "o.feed = n.feed AND o.source_id = n.source_id"  # PostgreSQL finds no row by IS NOT DISTINCT FROM
    equal = " AND ".join((same, *(f"o.{name} IS NOT DISTINCT FROM n.{name}" for name in COLUMNS)))
    moved = "NOT EXISTS (SELECT 1 FROM core_dossier o WHERE {0} AND o.version = n.version AND o.hash = n.hash)"
    stays = "EXISTS (SELECT 1 FROM core_dossier_time o WHERE {0})"
    for left_out in (moved.format(same), stays.format(equal)):
        run(text(f"DELETE FROM stage_judged WHERE (feed, source_id) IN (SELECT feed, source_id FROM stage_times n WHERE {left_out})"))
        run(text(f"DELETE FROM stage_times AS n WHERE {left_out}"))
    changed = "(t.feed, t.source_id) IN (SELECT feed, source_id FROM stage_judged)"
    run(text(_log_cells(changed)))
    run(text("DELETE FROM core_dossier_time WHERE (feed, source_id) IN (SELECT feed, source_id FROM stage_judged)"))
    names = ", ".join(COLUMNS)
    run(text(f"INSERT INTO core_dossier_time ({names}) SELECT {names} FROM stage_times WHERE true ON CONFLICT DO NOTHING"))
    run(text(_log_cells(changed)))
    fill_stage(connection, "stage_seqs", schema.unjudged, ("seq",), ((seq,) for seq in taken.seqs))
    run(text("DELETE FROM ops_unjudged WHERE seq IN (SELECT seq FROM stage_seqs)"))


def _log_cells(where: str) -> str:
    """INSERT of the cells in which the times `t` chosen by `where` count: of the end, and of the receipt where a due date was checked."""
    source = f"agency_code, domain_code FROM core_dossier_time t WHERE {where}"
    return (
        "INSERT INTO ops_dirty (topic, bucket, k1, k2) SELECT 'dossiers', bucket, agency_code, domain_code FROM ("
        f"SELECT finished_on AS bucket, {source} AND finished_on IS NOT NULL "
        f"UNION SELECT received_on, {source} AND due_gap_wd IS NOT NULL) cells"
    )


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
