"""Keeps figures as a page showed them: content as data, once for each hash, at most one a minute and actor. Rows are only added."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from store.audit import Entry, append
from store.engine import Store
from store.keys import By

APART_US = 60_000_000
_COLUMNS = "sha256, path, query, lang, rights, content, made_by, made_at, as_of, revision"


@dataclass(frozen=True)
class ShownRow:
    """What was on a page: its address, and the content in JSON. `rights` = whose eyes it is for; as_of, revision = of the city then."""

    sha256: str
    path: str
    query: str
    lang: str
    rights: str
    content: str
    made_by: str
    made_at: int
    as_of: int
    revision: int


class TooSoon(Exception):
    """The same person kept something less than a minute ago. `wait_s` = how long until the next."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"another {wait_s} s")
        self.wait_s = wait_s


def read_shown(connection: Connection, sha256: str) -> ShownRow | None:
    """What is kept under a hash, or the first letters of it (16 at least); None when nothing is."""
    if len(sha256) < 16 or not all(letter in "0123456789abcdef" for letter in sha256):
        return None
    found = connection.execute(
        text(f"SELECT {_COLUMNS} FROM ops_shown WHERE sha256 >= :from AND sha256 < :until ORDER BY sha256 LIMIT 1"),
        {"from": sha256, "until": sha256 + "g"},
    ).first()
    return ShownRow(*found) if found else None


def put_shown(store: Store, row: ShownRow, by: By) -> ShownRow:
    """Keep it with its audit entry; what has that hash already is given back as it was kept first. Raises TooSoon."""

    def work(connection: Connection) -> ShownRow:
        same = read_shown(connection, row.sha256)
        if same is not None:
            return same
        last = connection.execute(text("SELECT max(made_at) FROM ops_shown WHERE made_by = :actor"), {"actor": by.actor}).scalar()
        if last is not None and row.made_at - last < APART_US:
            raise TooSoon(max(1, -(-(APART_US - (row.made_at - last)) // 1_000_000)))
        connection.execute(
            text(
                f"INSERT INTO ops_shown ({_COLUMNS}) VALUES "
                "(:sha256, :path, :query, :lang, :rights, :content, :made_by, :made_at, :as_of, :revision)"
            ),
            vars(row),
        )
        told = {"path": row.path, "revision": row.revision}
        append(connection, Entry(row.made_at, by.actor, "shown.keep", "shown", row.sha256, told, by.address))
        return row

    return store.write(work)
