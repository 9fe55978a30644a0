"""Rejects after they were kept: sent again with a better mapping, resolved by a good version, bounded; on both engines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from cli import cli
from config import Config, FeedConfig
from data_sources.quarantine import Resent, resend
from data_sources.sync import Sync
from store import audit
from store.audit import AuditRow
from store.engine import Store, open_store
from store.migrate import migrate

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
FIELDS: dict[str, Any] = {
    "source_id": {"from": "id", "required": True},
    "received_at": {"from": "received"},
    "category": {"from": "kind", "codes": {"waste": "rác"}},
    "description": {"from": "text"},
}
FEED = FeedConfig("desk", "feedback", "csv", fields=FIELDS, personal=("name",))
BETTER = replace(
    FEED, fields={**FIELDS, "received_at": {"from": "received", "date": ["iso", "%d/%m/%Y"]},
                  "category": {"from": "kind", "codes": {"waste": "rác", "road": "đường"}}},
)


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    store = open_store(engine_url, TZ)
    migrate(store)
    yield store
    store.dispose()


def sync_of(store: Store, *feeds: FeedConfig) -> Sync:
    return Sync(store, Config(name="T", feeds=feeds))


def push(store: Store, *items: Any, feed: FeedConfig = FEED, kind: str = "", now: datetime = NOW) -> None:
    sync_of(store, feed).push(feed, items, now, kind)


def again(store: Store, feed: FeedConfig = BETTER, reason: str = "") -> Resent:
    return resend(sync_of(store, feed), feed, LATER, reason)


def rows(store: Store, statement: str) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def waiting(store: Store) -> list[tuple[Any, ...]]:
    return rows(store, "SELECT item, field, reason, times FROM ops_reject WHERE resolved_at IS NULL ORDER BY item, field")


def item(key: str, **values: Any) -> dict[str, Any]:
    return {"id": key, "received": "2026-11-02T08:00:00", "kind": "waste", **values}


# --- sent again --------------------------------------------------------------------------------------------


def test_what_the_better_mapping_reads_lands_and_is_resolved(store: Store) -> None:
    push(store, item("1"), item("2", received="03/11/2026"), item("3", kind="road"), item("4", received="never", name="Nguyễn"))
    bad = "received_at", "bad_date", 1
    assert waiting(store) == [("2", *bad), ("3", "category", "unknown_code", 1), ("4", *bad)]
    assert again(store) == Resent(looked_at=3, landed=2, failed=1)
    assert waiting(store) == [("4", "received_at", "bad_date", 2)]
    assert rows(store, "SELECT source_id, category_code FROM core_report ORDER BY 1") == [("1", "rác"), ("2", "rác"), ("3", "đường")]
    assert rows(store, "SELECT count(*) FROM ops_reject WHERE resolved_at IS NOT NULL") == [(2,)]


def test_a_reason_chooses(store: Store) -> None:
    push(store, item("2", received="03/11/2026"), item("3", kind="road"))
    assert again(store, reason="unknown_code") == Resent(looked_at=1, landed=1)
    assert waiting(store) == [("2", "received_at", "bad_date", 1)]


def test_an_item_lands_only_when_all_its_faults_are_gone(store: Store) -> None:
    push(store, item("5", received="03/11/2026", kind="sea"))
    assert again(store) == Resent(looked_at=2, failed=2)
    assert waiting(store) == [("5", "category", "unknown_code", 2)]
    assert rows(store, "SELECT count(*) FROM core_report") == [(0,)]


def test_a_fault_that_takes_the_place_of_another_is_kept_with_the_item(store: Store) -> None:
    push(store, item("6", received="31/12/2026"))
    again(store)
    assert waiting(store) == [("6", "received_at", "future_date", 1)]
    assert json.loads(rows(store, "SELECT payload FROM ops_reject WHERE resolved_at IS NULL")[0][0])["received"] == "31/12/2026"


def test_an_item_without_a_readable_id_keeps_its_place_as_its_name(store: Store) -> None:
    push(store, item("1"), item("", received="03/11/2026"))
    again(store)
    assert waiting(store) == [("row 2", "source_id", "missing_field", 2)]


@pytest.mark.parametrize("text_", ["a\0b", "half \ud800", "x" * 600])
def test_what_was_not_kept_whole_waits_for_the_source(store: Store, text_: str) -> None:
    received = "03/11/2026" if len(text_) > 500 else "2026-11-02"
    push(store, item("7", text=text_, received=received))
    assert again(store) == Resent(looked_at=1, unsendable=1)
    assert rows(store, "SELECT count(*) FROM core_report") == [(0,)]
    push(store, item("7", text="whole"), now=LATER)
    assert waiting(store) == []


def test_a_person_does_not_come_back_with_the_item(store: Store) -> None:
    named = replace(BETTER, fields={**BETTER.fields, "resolution": {"from": "name"}})
    push(store, item("8", received="03/11/2026", name="Nguyễn Văn Kín"), feed=replace(FEED, fields={**named.fields, **FIELDS}))
    assert again(store, named).landed == 1
    assert rows(store, "SELECT source_id, resolution FROM core_report") == [("8", None)]


def test_dossiers_of_the_portal_are_sent_again_and_steps_wait(store: Store) -> None:
    feed = FeedConfig("one_stop", "one_stop", "portal")
    wire = {"MaHoSo": "H99-1", "NgayTiepNhan": "20261202080000", "TrangThaiHoSo": "4", "DonViXuLy": "Sở A"}
    push(store, wire, feed=feed, kind="DongBoHoSoMC")
    push(store, {"MaHoSo": "H99-1", "ThoiDiemXuLy": "20261202080000", "NoiDungXuLy": "x"}, feed=feed, kind="CapNhatTienDoHoSoMC")
    found = resend(sync_of(store, feed), feed, NOW + timedelta(days=13))
    assert found == Resent(looked_at=2, landed=1, unsendable=1)
    assert rows(store, "SELECT source_id FROM core_dossier") == [("H99-1",)]


def test_readings_land_once_their_station_is_known(store: Store) -> None:
    feed = FeedConfig("air", "sensors", "sensorthings")
    seen = {"phenomenonTime": "2026-11-20T01:00:00Z", "result": 12.5, "Datastream": {"@iot.id": "7"}}
    push(store, seen, {**seen, "Datastream": {"@iot.id": "8"}}, feed=feed)
    thing = {"@iot.id": "1", "name": "S", "Datastreams": [{"@iot.id": "7", "name": "pm25"}]}
    sync = sync_of(store, feed)
    assert resend(sync, feed, NOW) == Resent(looked_at=2, failed=2)
    assert [row[3] for row in waiting(store)] == [2, 2]
    push(store, thing, feed=feed)
    assert len(waiting(store)) == 2  # the station is here, its reading not yet
    assert resend(sync, feed, LATER) == Resent(looked_at=2, landed=1, failed=1)
    assert rows(store, "SELECT value FROM core_reading") == [(12.5,)]


def test_many_are_sent_in_chunks_with_progress(store: Store) -> None:
    push(store, *(item(str(n), received="03/11/2026" if n % 3 else "never") for n in range(2500)))
    told: list[Resent] = []
    total = resend(sync_of(store, BETTER), BETTER, LATER, "", told.append)
    assert total == Resent(looked_at=2500, landed=1666, failed=834)
    assert [one.looked_at for one in told] == [1000, 2000, 2500]
    assert again(store) == Resent(looked_at=834, failed=834)


def test_the_command_prints_counts(sqlite_database: str, tmp_path: Path) -> None:
    city = tmp_path / "city.toml"
    city.write_text(
        '[city]\nname = "T"\n[[feeds]]\nkey = "desk"\nrole = "feedback"\nprotocol = "csv"\n[feeds.fields]\n'
        'source_id = { from = "id" }\nreceived_at = { from = "received", date = ["iso", "%d/%m/%Y"] }\n', encoding="utf-8",
    )
    store = open_store(sqlite_database, TZ)
    migrate(store)
    push(store, item("2", received="03/11/2026"), item("4", received="never"))
    store.dispose()
    told = CliRunner().invoke(cli, ["resend", "desk", "--city", str(city), "--store", sqlite_database])
    assert told.exit_code == 0, told.output
    assert "2 looked at, 1 landed" in told.output
    assert "1 rejects resolved, 1 failed again, 0 wait for the source" in told.output
    begun, ended = read_trail(sqlite_database)
    assert all((row.action, row.kind, row.subject) == ("reject.resend", "feed", "desk") for row in (begun, ended))
    assert begun.actor.startswith("cli:") and json.loads(ended.detail) == {"failed": 1, "landed": 1, "reason": "", "tried": 2}


def read_trail(url: str) -> list[AuditRow]:
    """Oldest first."""
    store = open_store(url, TZ)
    rows = audit.read(store, audit.AuditFilter(), 10)
    store.dispose()
    return list(reversed(rows))


# --- resolved by a good version ----------------------------------------------------------------------------


def test_a_good_version_of_the_item_resolves_its_rejects(store: Store) -> None:
    push(store, item("1", received="never"), item("2", received="never"))
    push(store, item("1"), now=LATER)
    assert waiting(store) == [("2", "received_at", "bad_date", 1)]


def test_the_same_good_content_resolves_too_and_a_new_fault_opens_again(store: Store) -> None:
    for received in ("2026-11-02T08:00:00", "never", "2026-11-02T08:00:00"):
        push(store, item("1", received=received))
    assert waiting(store) == []
    push(store, item("1", received="never"), now=LATER)
    assert waiting(store) == [("1", "received_at", "bad_date", 2)]


def test_another_feeds_item_of_that_name_resolves_nothing(store: Store) -> None:
    push(store, item("1", received="never"))
    push(store, item("1"), feed=replace(FEED, key="other"))
    assert len(waiting(store)) == 1


def test_a_dossier_does_not_resolve_the_fault_of_a_step(store: Store) -> None:
    feed = FeedConfig("one_stop", "one_stop", "portal")
    push(store, {"MaHoSo": "H99-1", "ThoiDiemXuLy": "never"}, feed=feed, kind="CapNhatTienDoHoSoMC")
    push(store, {"MaHoSo": "H99-1", "NgayTiepNhan": "20261102080000", "TrangThaiHoSo": "4"}, feed=feed, kind="DongBoHoSoMC")
    assert waiting(store) == [("H99-1", "ThoiDiemXuLy", "bad_date", 1)]


# --- bounds ------------------------------------------------------------------------------------------------


def test_beyond_the_limit_resolved_ones_go_first_then_the_oldest_and_all_are_counted(store: Store) -> None:
    small = replace(FEED, reject_limit=5)
    push(store, *(item(f"a{n}", received="never") for n in range(4)), feed=small)
    push(store, item("a3"), feed=small, now=NOW + timedelta(minutes=1))
    push(store, *(item(f"b{n}", received="never") for n in range(3)), feed=small, now=NOW + timedelta(minutes=2))
    assert [row[0] for row in waiting(store)] == ["a1", "a2", "b0", "b1", "b2"]
    assert rows(store, "SELECT count(*) FROM ops_reject") == [(5,)]
    assert rows(store, "SELECT rejected, dropped_rejects FROM ops_feed") == [(7, 2)]


def test_a_kept_item_is_bounded(store: Store) -> None:
    push(store, {**item("1", received="never"), "text": "y" * 600, **{f"extra{n}": "y" * 600 for n in range(100)}})
    assert rows(store, "SELECT length(payload) < 700 FROM ops_reject") == [(1,)]
    assert again(store) == Resent(looked_at=1, unsendable=1)
