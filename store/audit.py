"""The audit trail: who did or saw what, when. Append-only, each row chained to the one before it by SHA-256.

A row that is changed, removed, put in or moved breaks the chain at that place. A cut tail, or a chain rewritten from some row on,
is seen only beside a head noted elsewhere earlier: backups, logs and doctor write `head` down, `verify` takes them back.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, text

from store.engine import Store
from store.locks import lock_audit

GENESIS = hashlib.sha256(b"toancanh audit trail, first row").hexdigest()
ACTIONS = (
    "sign_in.ok", "sign_in.failed", "sign_in.locked", "sign_out", "password.change",
    "user.add", "user.change", "user.disable", "user.enable", "user.password_reset", "session.close",
    "api_key.add", "api_key.revoke", "feed_key.add", "feed_key.revoke",
    "record.view", "report_text.view", "rejects.view", "export", "audit.view",
    "reject.resend", "catalogue.change", "baseline.set",
    "followup.make", "followup.note", "followup.move", "followup.close", "followup.reopen", "followup.drop", "followup.remind",
    "annotation.write", "annotation.withdraw", "view.save", "view.share", "view.unshare", "view.remove", "view.restore", "shown.keep",
    "report.merge", "report.apart", "report.undo", "brief.issue", "brief.send", "backup", "restore", "upgrade", "retention",
)
TEXT_LENGTH = 200  # of actor, address, kind, subject and each text in detail
DETAIL_LENGTH = 4000
BATCH = 5000
_COLUMNS = "seq, at, actor, address, action, kind, subject, detail, hash"
_BEFORE_ALL = -(2**63)  # a row put in below 1 is to be seen too


@dataclass(frozen=True)
class Entry:
    """Something somebody did, at an instant. detail: ids, filters and counts only, never personal data or what was typed to search."""

    at: int
    actor: str
    action: str
    kind: str = ""
    subject: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    address: str = ""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry as it was kept. `detail` is its JSON text, as it was hashed."""

    seq: int
    at: int
    actor: str
    address: str
    action: str
    kind: str
    subject: str
    detail: str
    hash: str


@dataclass(frozen=True)
class Head:
    """The newest row of the trail at some time; seq 0 = the trail was empty."""

    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True)
class Broken:
    """The first place where the trail is not what was written. fault: changed | missing | extra | cut | rewritten."""

    seq: int
    fault: str

    def __str__(self) -> str:
        return f"audit row {self.seq}: {_FAULTS[self.fault]}"


_FAULTS = {
    "changed": "its content or its link to the row before it is not what was written",
    "missing": "it is not there, though later rows are",
    "extra": "it was put in: rows count from 1",
    "cut": "the trail once went this far and now ends before it",
    "rewritten": "its hash is another than the one noted when it was the newest",
}


@dataclass(frozen=True)
class AuditFilter:
    """Which entries; empty = all. subjects = any of these. from_at and until_at are instants, the latter not included."""

    actor: str = ""
    action: str = ""
    kind: str = ""
    subjects: tuple[str, ...] = ()
    from_at: int | None = None
    until_at: int | None = None


def append(connection: Connection, entry: Entry) -> int:
    """Add an entry inside the caller's write transaction; returns its seq. Entries commit, or vanish, with what they tell of.

    Appenders wait for each other until the transaction ends, so append last. Raises ValueError for an action that is not in ACTIONS.
    """
    if entry.action not in ACTIONS:
        raise ValueError(f"unknown audit action {entry.action!r}")
    lock_audit(connection)
    last = _newest(connection)
    row = _row(last.seq + 1, entry, last.hash)
    names = ", ".join(f":{name}" for name in _COLUMNS.split(", "))
    connection.execute(text(f"INSERT INTO ops_audit ({_COLUMNS}) VALUES ({names})"), asdict(row))
    return row.seq


def record(store: Store, entry: Entry) -> int:
    """Add an entry in a transaction of its own; returns its seq once it is on disk."""
    return store.write(lambda connection: append(connection, entry))


def read(store: Store, chosen: AuditFilter, limit: int, before_seq: int | None = None) -> tuple[AuditRow, ...]:
    """Entries newest first, those before `before_seq` when given."""
    with store.reading() as connection:
        kinds = known_values(connection, "kind") if chosen.subjects and not chosen.kind else ()  # the index begins with the kind
        where, values = _where(chosen, before_seq, kinds)
        statement = text(f"SELECT {_COLUMNS} FROM ops_audit{where} ORDER BY seq DESC LIMIT :row_limit")
        return tuple(AuditRow(*row) for row in connection.execute(statement, {**values, "row_limit": limit}))


def known_values(connection: Connection, column: str, limit: int = 1000) -> tuple[str, ...]:
    """The different actors or kinds there are, in order; skips along the index, one look-up each. column: actor | kind."""
    assert column in ("actor", "kind"), column
    statement = (
        f"WITH RECURSIVE known(value) AS (SELECT min({column}) FROM ops_audit UNION ALL SELECT (SELECT min({column}) FROM ops_audit "
        f"WHERE {column} > known.value) FROM known WHERE known.value IS NOT NULL) SELECT value FROM known WHERE value IS NOT NULL "
        "LIMIT :most"
    )
    return tuple(connection.execute(text(statement), {"most": limit}).scalars())


def head(store: Store) -> Head:
    """The newest row's number and hash: note it where whoever can change the database cannot change it."""
    with store.reading() as connection:
        return _newest(connection)


def verify(
    store: Store,
    known_heads: Iterable[Head] = (),
    *,
    after_seq: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Broken | None:
    """The first broken place, or None. Reads rows in batches, in constant memory; tells `progress` each batch's last seq.

    With `after_seq` only the rows after it are checked, trusting that one's hash. Known heads at or before it are then not looked at.
    """
    noted = {known.seq: known.hash for known in known_heads if known.seq > after_seq}
    expected, previous = after_seq + 1, _hash_at(store, after_seq) if after_seq else GENESIS
    if previous is None:
        return Broken(after_seq, "missing")
    for row in _rows(store, after_seq or _BEFORE_ALL, progress):
        if row.seq != expected:
            return Broken(expected, "missing") if row.seq > expected else Broken(row.seq, "extra")
        if row.hash != _hash(row, previous):
            return Broken(row.seq, "changed")
        if noted.pop(row.seq, row.hash) != row.hash:
            return Broken(row.seq, "rewritten")
        expected, previous = row.seq + 1, row.hash
    return Broken(min(noted), "cut") if noted else None


def _newest(connection: Connection) -> Head:
    found = connection.execute(text("SELECT seq, hash FROM ops_audit ORDER BY seq DESC LIMIT 1")).first()
    return Head(*found) if found else Head()


def _hash_at(store: Store, seq: int) -> str | None:
    with store.reading() as connection:
        found: str | None = connection.execute(text("SELECT hash FROM ops_audit WHERE seq = :seq"), {"seq": seq}).scalar()
        return found


def _rows(store: Store, after: int, progress: Callable[[int], None] | None) -> Iterator[AuditRow]:
    """All rows behind `after`, a batch in memory at a time and no transaction held between batches."""
    statement = text(f"SELECT {_COLUMNS} FROM ops_audit WHERE seq > :after ORDER BY seq LIMIT :batch")
    while True:
        with store.reading() as connection:
            batch = connection.execute(statement, {"after": after, "batch": BATCH}).all()
        yield from (AuditRow(*row) for row in batch)
        if len(batch) < BATCH:
            return
        after = batch[-1][0]
        if progress:
            progress(after)


def _row(seq: int, entry: Entry, previous: str) -> AuditRow:
    row = AuditRow(
        seq, entry.at, _short(entry.actor), _short(entry.address), entry.action, _short(entry.kind), _short(entry.subject),
        _detail(entry.detail), "",
    )
    return replace(row, hash=_hash(row, previous))


def _hash(row: AuditRow, previous: str) -> str:
    """Over a JSON list of all fields but the hash itself: quoted texts cannot flow from one field into the next."""
    told = [row.seq, row.at, row.actor, row.address, row.action, row.kind, row.subject, row.detail, previous]
    return hashlib.sha256(json.dumps(told, separators=(",", ":"), default=repr).encode("ascii")).hexdigest()


def _detail(detail: Mapping[str, Any]) -> str:
    """Sorted JSON; '' for nothing. What is too long is told as its length: an entry must not fail by what somebody typed."""
    if not detail:
        return ""
    told = json.dumps(_clean(detail), ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":"))
    return told if len(told) <= DETAIL_LENGTH else json.dumps({"too_long": len(told)})


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _short(value)
    if isinstance(value, Mapping):
        return {_short(str(key)): _clean(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(inner) for inner in value]
    return value


def _short(words: str) -> str:
    """At most TEXT_LENGTH letters, all of which both databases take."""
    kept = words.encode("utf-8", "replace").decode().replace("\0", "?")
    return kept if len(kept) <= TEXT_LENGTH else kept[: TEXT_LENGTH - 1] + "…"


def _where(chosen: AuditFilter, before_seq: int | None, kinds: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
    asked: dict[str, tuple[str, Any]] = {
        "actor": ("actor = :actor", chosen.actor), "action": ("action = :action", chosen.action),
        "kind": ("kind = :kind", chosen.kind),
        "from_at": ("at >= :from_at", chosen.from_at), "until_at": ("at < :until_at", chosen.until_at),
        "before_seq": ("seq < :before_seq", before_seq),
    }
    given = {name: pair for name, pair in asked.items() if pair[1] not in ("", None)}
    conditions, values = [condition for condition, _ in given.values()], {name: value for name, (_, value) in given.items()}
    for column, among in (("kind", kinds), ("subject", chosen.subjects)):
        if among:
            named = {f"{column}_{number}": value for number, value in enumerate(among)}
            conditions.append(f"{column} IN ({', '.join(':' + name for name in named)})")
            values.update(named)
    return (" WHERE " + " AND ".join(conditions) if conditions else ""), values
