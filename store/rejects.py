"""The quarantine: keeps rejects, resolves them when their item lands, drops the oldest beyond a feed's limit and counts them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from store import schema
from store.rows import Reject
from store.stage import fill_stage

STORED = "stored"  # kind of a reject whose payload is the row as it was to be stored, not the item as sent
PAYLOAD_MAX = 8000


@dataclass(frozen=True)
class KeptReject:
    """A reject as it waits in the store; `payload` is JSON text, cut when longer than PAYLOAD_MAX."""

    id: int
    item: str
    field: str
    reason: str
    value: str
    payload: str
    kind: str


def digest_of(content: object) -> str:
    """A short digest of anything whose repr says all of it."""
    return hashlib.blake2b(repr(content).encode("utf-8", "replace"), digest_size=12).hexdigest()


def _plain(value: str) -> str:
    """Text that every database takes."""
    return value.encode("utf-8", "replace").decode().replace("\0", "")


def save_rejects(connection: Connection, feed: str, rejects: Iterable[Reject], now: int, kind: str = "") -> None:
    """Keep rejects; the same fault of the same item seen again only moves its counter and last time."""
    rows = [_row(feed, reject, now, kind) for reject in rejects]
    if rows:
        connection.execute(
            text(
                "INSERT INTO ops_reject (feed, digest, item, field, reason, value, payload, first_at, last_at, times, kind) "
                "VALUES (:feed, :digest, :item, :field, :reason, :value, :payload, :now, :now, 1, :kind) "
                "ON CONFLICT (feed, digest) DO UPDATE SET last_at = excluded.last_at, times = ops_reject.times + 1, "
                "resolved_at = NULL"
            ),
            rows,
        )


def _row(feed: str, reject: Reject, now: int, kind: str) -> dict[str, Any]:
    payload = json.dumps(reject.payload, ensure_ascii=False, default=str, sort_keys=True)
    digest = digest_of((reject.item, reject.field, reject.reason, reject.value, payload))
    return {
        "feed": feed, "digest": digest, "item": _plain(reject.item[:200]), "field": _plain(reject.field[:100]),
        "reason": reject.reason, "value": _plain(reject.value[:200]), "payload": _plain(payload[:PAYLOAD_MAX]), "now": now,
        "kind": kind,
    }


def resolve_landed(connection: Connection, feed: str, items: Collection[str], now: int, kind: str) -> int:
    """Mark the rejects of things that have now landed as resolved, rows kept in stored form too. Returns how many.

    A reading that lacked its station is not there yet when the station lands: it waits for its re-send.
    """
    here = {"feed": feed}
    is_open = "FROM ops_reject WHERE feed = :feed AND resolved_at IS NULL"
    if not items or connection.execute(text(f"SELECT 1 {is_open} LIMIT 1"), here).first() is None:
        return 0
    fill_stage(connection, "stage_landed", schema.reject, ("item",), ((item[:200],) for item in items))
    return connection.execute(
        text(
            "UPDATE ops_reject SET resolved_at = :now WHERE feed = :feed AND resolved_at IS NULL "
            "AND (kind = :kind OR (kind = :stored AND reason <> 'unknown_station')) AND item IN (SELECT item FROM stage_landed)"
        ),
        {**here, "now": now, "kind": kind, "stored": STORED},
    ).rowcount


def resolve_same(connection: Connection, feed: str, items: Iterable[tuple[str, str]], now: int) -> None:
    """Mark every open reject of these items (name, payload) as resolved."""
    rows = [{"feed": feed, "item": item, "payload": payload, "now": now} for item, payload in items]
    if rows:
        connection.execute(
            text(
                "UPDATE ops_reject SET resolved_at = :now WHERE feed = :feed AND item = :item AND payload = :payload "
                "AND resolved_at IS NULL"
            ),
            rows,
        )


def resolve(connection: Connection, ids: Sequence[int], now: int) -> None:
    """Mark these rejects as resolved."""
    if ids:
        statement = text("UPDATE ops_reject SET resolved_at = :now WHERE id = :id")
        connection.execute(statement, [{"id": one, "now": now} for one in ids])


def count_again(connection: Connection, ids: Sequence[int], now: int) -> None:
    """Note that these rejects have failed once more."""
    if ids:
        statement = text("UPDATE ops_reject SET times = times + 1, last_at = :now WHERE id = :id")
        connection.execute(statement, [{"id": one, "now": now} for one in ids])


def newest_id(connection: Connection, feed: str) -> int:
    """The number of the feed's last reject; 0 without any."""
    return int(connection.execute(text("SELECT max(id) FROM ops_reject WHERE feed = :feed"), {"feed": feed}).scalar() or 0)


def trim(connection: Connection, feed: str, limit: int) -> int:
    """Keep at most `limit` rejects of a feed: resolved ones go first, then the oldest. What goes is counted on the feed."""
    total = int(connection.execute(text("SELECT count(*) FROM ops_reject WHERE feed = :feed"), {"feed": feed}).scalar_one())
    extra = total - limit
    if extra <= 0:
        return 0
    connection.execute(
        text(
            "DELETE FROM ops_reject WHERE id IN (SELECT id FROM ops_reject WHERE feed = :feed "
            "ORDER BY CASE WHEN resolved_at IS NULL THEN 1 ELSE 0 END, last_at, id LIMIT :extra)"
        ),
        {"feed": feed, "extra": extra},
    )
    connection.execute(
        text("UPDATE ops_feed SET dropped_rejects = dropped_rejects + :extra WHERE feed = :feed"), {"feed": feed, "extra": extra}
    )
    return extra


def waiting(connection: Connection, feed: str, reason: str, after: int, limit: int) -> tuple[KeptReject, ...]:
    """Open rejects of a feed by id, those behind `after` first; reason '' = all."""
    where = " AND reason = :reason" if reason else ""
    values: dict[str, Any] = {"feed": feed, "after": after, "limit": limit} | ({"reason": reason} if reason else {})
    found = connection.execute(
        text(
            "SELECT id, item, field, reason, value, payload, kind FROM ops_reject WHERE feed = :feed AND resolved_at IS NULL "
            f"AND id > :after{where} ORDER BY id LIMIT :limit"
        ),
        values,
    )
    return tuple(KeptReject(*row) for row in found)
