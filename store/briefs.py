"""Keeps issued briefs and reads them back. Rows are only added; the database itself refuses to change or delete one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from store.audit import Entry, append
from store.engine import Store
from store.keys import By
from store.revisions import bump

FORMS = ("pdf", "xlsx")
_COLUMNS = "id, week, lang, issued_by, issued_at, as_of, revision, sha256, replaces"


@dataclass(frozen=True)
class BriefRow:
    """An issued brief without its files. sha256 is of its content; replaces = the issue before it of that week and language."""

    id: int
    week: str
    lang: str
    issued_by: str
    issued_at: int
    as_of: int
    revision: int
    sha256: str
    replaces: int | None


@dataclass(frozen=True)
class NewBrief:
    """A brief to be kept: its content as canonical JSON, both files."""

    week: str
    lang: str
    as_of: int
    revision: int
    sha256: str
    content: str
    pdf: bytes
    xlsx: bytes
    replaces: int | None


class Overtaken(Exception):
    """Somebody issued the same week and language in the meantime."""


def read_briefs(connection: Connection, week: str = "", limit: int = 500) -> tuple[BriefRow, ...]:
    """Issued briefs, newest first; of one week when given."""
    where = " WHERE week = :week" if week else ""
    found = connection.execute(text(f"SELECT {_COLUMNS} FROM ops_brief{where} ORDER BY id DESC LIMIT :most"), {"week": week, "most": limit})
    return tuple(BriefRow(*row) for row in found)


def newest_brief(connection: Connection, week: str, lang: str) -> BriefRow | None:
    """The issue that holds for a week in a language."""
    statement = text(f"SELECT {_COLUMNS} FROM ops_brief WHERE week = :week AND lang = :lang ORDER BY id DESC LIMIT 1")
    row = connection.execute(statement, {"week": week, "lang": lang}).first()
    return BriefRow(*row) if row else None


def read_brief(connection: Connection, brief_id: int) -> BriefRow | None:
    """One issue; None when there is none of that number."""
    row = connection.execute(text(f"SELECT {_COLUMNS} FROM ops_brief WHERE id = :id"), {"id": brief_id}).first()
    return BriefRow(*row) if row else None


def read_content(connection: Connection, brief_id: int) -> str:
    """The content of an issue as it was hashed. Raises KeyError when there is none."""
    found = connection.execute(text("SELECT content FROM ops_brief WHERE id = :id"), {"id": brief_id}).scalar()
    if found is None:
        raise KeyError(f"no brief {brief_id}")
    return str(found)


def read_file(connection: Connection, brief_id: int, form: str) -> bytes:
    """The PDF or workbook as it was issued, byte by byte. Raises KeyError when there is none, ValueError for another form."""
    if form not in FORMS:
        raise ValueError(f"form {form!r} is not one of {', '.join(FORMS)}")
    found = connection.execute(text(f"SELECT {form} FROM ops_brief WHERE id = :id"), {"id": brief_id}).scalar()
    if found is None:
        raise KeyError(f"no brief {brief_id}")
    return bytes(found)


def put_brief(store: Store, new: NewBrief, by: By, now: int) -> BriefRow:
    """Keep an issue with its audit entry and the next revision of operations, in one transaction.

    Raises Overtaken when what it replaces is no longer the newest: its page of changes would tell the wrong story.
    """

    def work(connection: Connection) -> BriefRow:
        newest = newest_brief(connection, new.week, new.lang)
        if (newest.id if newest else None) != new.replaces:
            raise Overtaken(f"{new.week} {new.lang} was issued by {newest.issued_by if newest else 'nobody'} in the meantime")
        added = connection.execute(
            text(
                "INSERT INTO ops_brief (week, lang, issued_by, issued_at, as_of, revision, sha256, content, pdf, xlsx, replaces) "
                "VALUES (:week, :lang, :by, :now, :as_of, :revision, :sha256, :content, :pdf, :xlsx, :replaces) RETURNING id"
            ),
            {**vars(new), "by": by.actor, "now": now},
        )
        kept = read_brief(connection, int(added.scalar_one()))
        assert kept is not None
        bump(connection, "operations", now)
        told = {"brief": kept.id, "lang": new.lang, "revision": new.revision, "sha256": new.sha256, "replaces": new.replaces}
        append(connection, Entry(now, by.actor, "brief.issue", "brief", new.week, told, by.address))
        return kept

    return store.write(work)
