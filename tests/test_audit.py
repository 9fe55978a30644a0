"""The audit trail on both engines: append-only, one unbroken chain, every tampering found; and the guard that fails closed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, OperationalError

from components import audited
from components.audited import MOST_REMEMBERED, REPEAT_S, NotRecorded, Seen, keep
from metrics.city.sights import Sight
from store import audit
from store.audit import ACTIONS, GENESIS, AuditFilter, Broken, Entry, Head, append, head, known_values, read, record, verify
from store.engine import Store, StoreBusy, open_store
from store.locks import lock_audit
from store.migrate import migrate

ROOT = Path(__file__).resolve().parent.parent
TZ = ZoneInfo("Asia/Ho_Chi_Minh")
AT = 1_800_000_000_000_000
WRITER = """
import sys
from zoneinfo import ZoneInfo
from store.audit import Entry, record
from store.engine import open_store
store = open_store(sys.argv[1], ZoneInfo("UTC"))
for number in range(int(sys.argv[3])):
    record(store, Entry(number, sys.argv[2], "record.view", "dossier", str(number)))
"""


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    opened = open_store(engine_url, TZ)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def tampered(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    """A trail of twelve rows whose triggers are gone: what somebody with the database's password can make of it."""
    opened = open_store(make_database(request.param), TZ)
    migrate(opened)
    fill(opened, 12)
    with opened.writing() as connection:
        drop_triggers(connection)
    yield opened
    opened.dispose()


def fill(store: Store, count: int) -> None:
    for number in range(1, count + 1):
        entry = Entry(
            AT + number, f"user:u{number % 3}", ACTIONS[number % 5], "dossier", f"f~{number}", {"rows": number, "q": True}, "10.0.0.1"
        )
        record(store, entry)


def drop_triggers(connection: Connection) -> None:
    names = ("no_UPDATE", "no_DELETE", "no_REPLACE") if connection.dialect.name == "sqlite" else ("keep", "keep_all")
    on = "" if connection.dialect.name == "sqlite" else " ON ops_audit"
    for name in names:
        connection.execute(text(f"DROP TRIGGER ops_audit_{name}{on}"))


def found_after(store: Store, *statements: str, known: tuple[Head, ...] = ()) -> Broken | None:
    """What verify says when these were done; then they are undone."""
    with store.reading() as connection:
        before = connection.execute(text("SELECT * FROM ops_audit ORDER BY seq")).mappings().all()
    with store.writing() as connection:
        for statement in statements:
            connection.execute(text(statement))
    try:
        return verify(store, known)
    finally:
        with store.writing() as connection:
            connection.execute(text("DELETE FROM ops_audit"))
            names = ", ".join(before[0])
            connection.execute(
                text(f"INSERT INTO ops_audit ({names}) VALUES ({', '.join(':' + name for name in before[0])})"),
                [dict(row) for row in before],
            )


# ---- append -----------------------------------------------------------------------------------------------------------
def test_an_empty_trail_is_whole(store: Store) -> None:
    assert (verify(store), head(store)) == (None, Head(0, GENESIS))


def test_entries_are_read_newest_first_as_they_were_written(store: Store) -> None:
    fill(store, 3)
    rows = read(store, AuditFilter(), 2)
    assert [row.seq for row in rows] == [3, 2]
    newest = rows[0]
    assert (newest.at, newest.actor, newest.action, newest.kind, newest.subject, newest.address) == (
        AT + 3, "user:u0", ACTIONS[3], "dossier", "f~3", "10.0.0.1"
    )
    assert newest.detail == '{"q":true,"rows":3}'
    assert [row.seq for row in read(store, AuditFilter(), 10, before_seq=2)] == [1]


def test_an_entry_of_a_transaction_that_fails_is_not_there(store: Store) -> None:
    with pytest.raises(RuntimeError), store.writing() as connection:
        append(connection, Entry(AT, "user:a", "export"))
        raise RuntimeError
    assert record(store, Entry(AT, "user:a", "export")) == 1


def test_an_unknown_action_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="peek"):
        record(store, Entry(AT, "user:a", "peek"))
    assert head(store).seq == 0


def test_what_no_database_takes_is_kept_readable(store: Store) -> None:
    record(store, Entry(AT, "user:\0\ud800" + "x" * 500, "export", "k\0", "s", {"a": "\0\ud800", "long": "y" * 900}))
    row = read(store, AuditFilter(), 1)[0]
    assert row.actor.startswith("user:??xxx") and len(row.actor) == audit.TEXT_LENGTH
    assert json.loads(row.detail)["a"] == "??"
    assert verify(store) is None


def test_a_detail_that_is_too_long_is_told_as_its_length(store: Store) -> None:
    record(store, Entry(AT, "user:a", "export", detail={str(number): "x" * 190 for number in range(40)}))
    assert list(json.loads(read(store, AuditFilter(), 1)[0].detail)) == ["too_long"]


def test_a_detail_without_meaning_is_refused(store: Store) -> None:
    with pytest.raises(ValueError):
        record(store, Entry(AT, "user:a", "export", detail={"rows": float("nan")}))


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (AuditFilter(actor="user:u1"), [10, 7, 4, 1]),
        (AuditFilter(action=ACTIONS[2]), [12, 7, 2]),
        (AuditFilter(kind="dossier", subjects=("f~3", "f~5", "f~99")), [5, 3]),
        (AuditFilter(subjects=("f~3",)), [3]),
        (AuditFilter(subjects=("f~99",)), []),
        (AuditFilter(from_at=AT + 11), [12, 11]),
        (AuditFilter(until_at=AT + 3), [2, 1]),
        (AuditFilter(actor="user:u1", from_at=AT + 5, until_at=AT + 10), [7]),
    ],
)
def test_filters_choose(tampered: Store, chosen: AuditFilter, expected: list[int]) -> None:
    assert [row.seq for row in read(tampered, chosen, 100)] == expected


def test_the_actors_and_kinds_are_told_once_each(tampered: Store) -> None:
    with tampered.reading() as connection:
        assert known_values(connection, "actor") == ("user:u0", "user:u1", "user:u2")
        assert known_values(connection, "kind") == ("dossier",)


# ---- append-only --------------------------------------------------------------------------------------------------------
COPY = "INTO ops_audit (seq, at, action, hash) VALUES (2, 1, 'export', 'h')"
WAYS = {
    "update": ("UPDATE ops_audit SET actor = 'nobody'",) * 2,
    "delete one": ("DELETE FROM ops_audit WHERE seq = 2",) * 2,
    "delete all": ("DELETE FROM ops_audit",) * 2,
    "empty": ("UPDATE OR REPLACE ops_audit SET seq = 1", "TRUNCATE ops_audit"),  # SQLite has no TRUNCATE
    "replace": (f"INSERT OR REPLACE {COPY}", f"INSERT {COPY} ON CONFLICT (seq) DO UPDATE SET hash = 'h'"),
}


@pytest.mark.parametrize("way", WAYS)
def test_rows_cannot_be_changed_or_deleted(store: Store, way: str) -> None:
    statement = WAYS[way][0 if store.is_sqlite else 1]
    fill(store, 3)
    with pytest.raises(DBAPIError, match="append-only"), store.writing() as connection:
        connection.execute(text(statement))
    assert verify(store, [head(store)]) is None and head(store).seq == 3


# ---- tampering ----------------------------------------------------------------------------------------------------------
FIELDS = ("at", "actor", "address", "action", "kind", "subject", "detail", "hash")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seq=some.integers(1, 12), column=some.sampled_from(FIELDS), words=some.text("abc\"',[]{}0123 ươ", max_size=8),
    by=some.integers(1, 10**9),
)
def test_any_changed_field_is_found(tampered: Store, seq: int, column: str, words: str, by: int) -> None:
    row = next(row for row in read(tampered, AuditFilter(), 100) if row.seq == seq)
    value = row.at + by if column == "at" else words
    if value == getattr(row, column):
        value = words + "!"
    shown = str(value) if column == "at" else "'" + str(value).replace("'", "''").replace(":", "\\:") + "'"
    assert found_after(tampered, f"UPDATE ops_audit SET {column} = {shown} WHERE seq = {seq}") == Broken(seq, "changed")


def test_words_moved_from_one_field_into_the_next_are_found(tampered: Store) -> None:
    moved = "UPDATE ops_audit SET actor = actor || address, address = '' WHERE seq = 4"
    assert found_after(tampered, moved) == Broken(4, "changed")


@pytest.mark.parametrize("seq", [1, 6, 11])
def test_a_removed_row_is_found(tampered: Store, seq: int) -> None:
    assert found_after(tampered, f"DELETE FROM ops_audit WHERE seq = {seq}") == Broken(seq, "missing")


def test_a_removed_row_is_found_when_the_gap_is_closed(tampered: Store) -> None:
    closing = [f"UPDATE ops_audit SET seq = {seq - 1} WHERE seq = {seq}" for seq in range(7, 13)]
    assert found_after(tampered, "DELETE FROM ops_audit WHERE seq = 6", *closing) == Broken(6, "changed")


@pytest.mark.parametrize(("seq", "fault"), [(13, "changed"), (0, "extra"), (-5, "extra"), (99, "missing")])
def test_a_row_put_in_is_found(tampered: Store, seq: int, fault: str) -> None:
    names = "at, actor, address, action, kind, subject, detail, hash"
    put = f"INSERT INTO ops_audit (seq, {names}) SELECT {seq}, {names} FROM ops_audit WHERE seq = 12"
    assert found_after(tampered, put) == Broken(13 if seq == 99 else seq, fault)


def test_rows_that_changed_places_are_found(tampered: Store) -> None:
    steps = [f"UPDATE ops_audit SET seq = {new} WHERE seq = {old}" for old, new in ((3, 1000), (8, 3), (1000, 8))]
    assert found_after(tampered, *steps) == Broken(3, "changed")


def test_a_cut_tail_is_found_beside_a_head_noted_earlier(tampered: Store) -> None:
    noted = head(tampered)
    cut = "DELETE FROM ops_audit WHERE seq > 9"
    assert found_after(tampered, cut) is None, "the chain alone cannot know"
    assert found_after(tampered, cut, known=(noted,)) == Broken(12, "cut")
    assert found_after(tampered, "DELETE FROM ops_audit", known=(noted,)) == Broken(12, "cut")


def test_a_chain_computed_anew_is_found_beside_a_head_noted_earlier(tampered: Store) -> None:
    noted, rows = head(tampered), list(reversed(read(tampered, AuditFilter(), 100)))
    previous, steps = rows[4].hash, []
    for row in rows[5:]:  # who knows the program can make a chain that holds, from the changed row on
        forged = replace(row, actor="user:angel")
        previous = audit._hash(forged, previous)
        steps.append(f"UPDATE ops_audit SET actor = 'user\\:angel', hash = '{previous}' WHERE seq = {row.seq}")
    assert found_after(tampered, *steps) is None, "the chain alone cannot know"
    assert found_after(tampered, *steps, known=(Head(3, rows[2].hash), noted)) == Broken(12, "rewritten")


def test_heads_noted_earlier_are_still_in_a_trail_that_grew(tampered: Store) -> None:
    rows = read(tampered, AuditFilter(), 100)
    assert verify(tampered, [Head(), *(Head(row.seq, row.hash) for row in rows)]) is None


def test_the_newest_rows_can_be_verified_alone(tampered: Store) -> None:
    assert verify(tampered, after_seq=8) is None
    changed = "UPDATE ops_audit SET actor = 'x' WHERE seq = {}"
    with tampered.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM ops_audit")).scalar() == 12
    assert found_after(tampered, changed.format(10)) == Broken(10, "changed")
    assert verify(tampered, after_seq=99) == Broken(99, "missing")


def test_verifying_reads_batch_by_batch_and_says_how_far_it_is(tampered: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BATCH", 5)
    told: list[int] = []
    assert verify(tampered, [head(tampered)], progress=told.append) is None
    assert told == [5, 10]


# ---- many writers ---------------------------------------------------------------------------------------------------------
def test_two_processes_appending_at_once_give_one_unbroken_chain(store: Store, engine_url: str) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, engine_url, name, "40"], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for name in ("user:a", "user:b")
    ]
    for writer in writers:
        _, wrong = writer.communicate(timeout=120)
        assert writer.returncode == 0, wrong
    assert head(store).seq == 80 and verify(store) is None
    assert {len(read(store, AuditFilter(actor=name), 100)) for name in ("user:a", "user:b")} == {40}


# ---- the guard ------------------------------------------------------------------------------------------------------------
VIEW = Sight("record.view", "dossier", "f~1")


def test_the_same_sight_is_one_entry_in_ten_minutes(store: Store) -> None:
    seen, step = Seen(), REPEAT_S * 1_000_000
    for at in (AT, AT + 1, AT + step - 1, AT + step, AT + step + 1):
        keep(store, seen, [VIEW, VIEW], "user:a", "10.0.0.1", at)
    assert [row.at for row in read(store, AuditFilter(), 10)] == [AT + step, AT]


@pytest.mark.parametrize(
    ("sight", "actor", "address"),
    [
        (Sight("record.view", "dossier", "f~2"), "user:a", "1"),
        (VIEW, "user:b", "1"),
        (VIEW, "user:a", "2"),
        (Sight("record.view", "dossier", "f~1", {"rows": 1}), "user:a", "1"),
    ],
)
def test_another_record_reader_place_or_filter_is_another_entry(store: Store, sight: Sight, actor: str, address: str) -> None:
    seen = Seen()
    keep(store, seen, [VIEW], "user:a", "1", AT)
    keep(store, seen, [sight], actor, address, AT)
    assert head(store).seq == 2


def test_every_export_is_an_entry_and_speaks_for_its_reads(store: Store) -> None:
    seen, export = Seen(), Sight("export", "rejects", "f", {"rows": 2})
    for _ in range(2):
        keep(store, seen, [Sight("rejects.view", "feed", "f"), export], "user:a", "1", AT)
    assert [row.action for row in read(store, AuditFilter(), 10)] == ["export", "export"]


def test_nothing_may_be_shown_when_the_trail_cannot_be_written(store: Store) -> None:
    seen = Seen()
    with store.writing() as connection:
        connection.execute(text("ALTER TABLE ops_audit RENAME TO hidden"))
    with pytest.raises(NotRecorded):
        keep(store, seen, [VIEW], "user:a", "1", AT)
    with store.writing() as connection:
        connection.execute(text("ALTER TABLE hidden RENAME TO ops_audit"))
    keep(store, seen, [VIEW], "user:a", "1", AT)
    assert head(store).seq == 1, "what failed is not remembered as kept"


def test_a_reader_does_not_wait_for_a_writer_without_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audited, "PATIENCE_S", 0.2)
    with store.writing() as held:
        lock_audit(held)
        started = time.monotonic()
        with pytest.raises(NotRecorded) as refused:
            keep(store, Seen(), [VIEW], "user:a", "1", AT)
        assert time.monotonic() - started < 5
    assert isinstance(refused.value.__cause__, StoreBusy if store.is_sqlite else OperationalError)
    keep(store, Seen(), [VIEW], "user:a", "1", AT)
    assert head(store).seq == 1


def test_what_is_remembered_is_bounded() -> None:
    seen = Seen()
    for number in range(MOST_REMEMBERED + 1):
        seen.keep(number, AT)
    assert not seen.is_recent(0, AT) and seen.is_recent(1, AT) and seen.is_recent(MOST_REMEMBERED, AT)
