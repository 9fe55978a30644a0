"""What a source takes back: snapshots, tombstones, superseded feeds; on both engines, roll-ups equal to a rebuild after each."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from config import Config, ConfigError, FeedConfig, parse_config
from data_sources.feed import FeedError
from data_sources.sync import Sync
from metrics.city import feeds, open_city
from metrics.city.feeds import Losses
from metrics.rollups import clock_step, drain, rebuild
from scope import scope_of
from store.days import instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import DossierRow, Parsed, ReportRow, Stop
from store.snapshot import GONE
from tests.test_store import at

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
REPORT_FIELDS: dict[str, Any] = {
    "source_id": {"from": "id", "required": True},
    "status": {"from": "status", "codes": {"open": "new", "closed": "closed"}},
    "received_at": {"from": "received"},
    "closed_at": {"from": "closed"},
    "due_at": {"from": "due"},
}
DOSSIER_FIELDS: dict[str, Any] = {
    "source_id": {"from": "id", "required": True},
    "received_at": {"from": "received"},
    "finished_at": {"from": "closed"},
    "agency": {"from": "agency"},
}


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    store = open_store(engine_url, TZ)
    migrate(store)
    clock_step(store, instant(NOW))
    yield store
    store.dispose()


def rollups(store: Store) -> list[tuple[Any, ...]]:
    """Every flow cell."""
    with store.reading() as connection:
        return [
            tuple(row) for table in ("rollup_dossier_day", "rollup_report_day")
            for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4"))
        ]


def assert_rollups_are_true(store: Store) -> None:
    """The fold of what was logged equals the roll-ups computed anew."""
    drain(store, instant(NOW))
    folded = rollups(store)
    rebuild(store, instant(NOW))
    assert folded == rollups(store)


def rows(store: Store, statement: str) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def flow(store: Store, name: str, table: str = "report") -> int:
    return int(rows(store, f"SELECT coalesce(sum({name}), 0) FROM rollup_{table}_day")[0][0])


class Drop:
    """A file that a feed reads, written anew with each delivery; each is read some minutes later than the one before."""

    def __init__(self, store: Store, folder: Path, role: str, **settings: Any) -> None:
        self.store, self.path, self.now = store, folder / "drop.csv", NOW
        fields = REPORT_FIELDS if role == "feedback" else DOSSIER_FIELDS
        self.feed = FeedConfig("drop", role, "csv", path=str(self.path), fields=fields, **{"delivery": "snapshot", **settings})
        self.sync = Sync(store, Config(name="T", feeds=(self.feed,)))

    def deliver(self, lines: Sequence[str]) -> None:
        """Write the file and read it."""
        self.now += timedelta(minutes=5)
        self.path.write_text("\n".join(("id,status,received,closed,due,agency", *lines)) + "\n", encoding="utf-8")
        self.read()

    def read(self) -> None:
        self.sync.pull(self.feed, self.now)

    @property
    def error(self) -> str:
        return str(rows(self.store, "SELECT error FROM ops_feed WHERE feed = 'drop'")[0][0])


def lines(*numbers: int, closed: Sequence[int] = ()) -> list[str]:
    return [
        f"{n},{'closed' if n in closed else 'open'},2026-11-{n % 9 + 1:02}T08:00:00,"
        f"{'2026-11-15T08:00:00' if n in closed else ''},2026-11-18T08:00:00,A" for n in numbers
    ]


@pytest.fixture
def reports(store: Store, tmp_path: Path) -> Drop:
    return Drop(store, tmp_path, "feedback")


# --- snapshots ---------------------------------------------------------------------------------------------


def test_a_report_the_next_snapshot_does_not_name_is_closed_with_its_reason(reports: Drop) -> None:
    reports.deliver(lines(*range(10)))
    reports.deliver(lines(*range(8)))
    gone = rows(reports.store, "SELECT source_id, status, resolution, closed_at FROM core_report WHERE NOT is_open ORDER BY 1")
    assert gone == [(name, "closed", GONE, instant(reports.now)) for name in ("8", "9")]
    versions = rows(reports.store, "SELECT count(*) FROM core_report_version WHERE source_id = '9'")
    assert (versions, reports.error) == ([(2,)], "")
    assert_rollups_are_true(reports.store)
    assert (flow(reports.store, "received"), flow(reports.store, "closed"), flow(reports.store, "closed_late")) == (10, 2, 2)


def test_a_report_named_again_is_open_again_with_its_old_content(reports: Drop) -> None:
    reports.deliver(lines(*range(10)))
    reports.deliver(lines(*range(9)))
    reports.deliver(lines(*range(10)))
    assert rows(reports.store, "SELECT status, is_open, closed_on FROM core_report WHERE source_id = '9'") == [("new", True, None)]
    assert rows(reports.store, "SELECT count(*) FROM core_unseen") == [(0,)]
    assert_rollups_are_true(reports.store)
    assert flow(reports.store, "closed") == 0


def test_a_report_of_the_same_stated_version_is_open_again_too(store: Store, tmp_path: Path) -> None:
    drop = Drop(store, tmp_path, "feedback")
    drop.feed = replace(drop.feed, fields={**REPORT_FIELDS, "version": {"from": "received"}})
    for named in (range(10), range(9), range(10)):
        drop.deliver(lines(*named))
    assert rows(store, "SELECT count(*) FROM core_report WHERE is_open") == [(10,)]
    assert_rollups_are_true(store)


@pytest.mark.parametrize("left", [0, 1, 4])
def test_an_empty_or_cut_snapshot_closes_nothing_and_says_so_until_it_is_whole(reports: Drop, left: int) -> None:
    reports.deliver(lines(*range(10)))
    with pytest.raises(FeedError, match=f"names {left} of 10 open things; deliver it whole, or set snapshot_min_share"):
        reports.deliver(lines(*range(left)))
    with pytest.raises(FeedError, match="nothing was closed"):
        reports.read()
    assert "snapshot_min_share" in reports.error
    assert rows(reports.store, "SELECT count(*) FROM core_report WHERE is_open") == [(10,)]
    reports.deliver(lines(*range(9)))
    assert (reports.error, rows(reports.store, "SELECT count(*) FROM core_report WHERE is_open")) == ("", [(9,)])


def test_the_share_is_the_citys_to_set(store: Store, tmp_path: Path) -> None:
    drop = Drop(store, tmp_path, "feedback", snapshot_min_share=0)
    drop.deliver(lines(*range(10)))
    drop.deliver([])
    assert rows(store, "SELECT count(*) FROM core_report WHERE is_open") == [(0,)]
    assert_rollups_are_true(store)


def test_a_rejected_row_is_there_and_not_gone(reports: Drop) -> None:
    reports.deliver(lines(*range(10)))
    reports.deliver([*lines(*range(9)), "9,open,yesterday,,,A"])
    assert rows(reports.store, "SELECT count(*) FROM core_report WHERE is_open") == [(10,)]


def test_a_row_nobody_can_name_keeps_everything_open(reports: Drop) -> None:
    reports.deliver(lines(*range(10)))
    with pytest.raises(FeedError, match="1 items of the snapshot cannot be named"):
        reports.deliver([*lines(*range(9)), ",open,2026-11-02T08:00:00,,,A"])
    assert rows(reports.store, "SELECT count(*) FROM core_report WHERE is_open") == [(10,)]


def test_increments_close_nothing(store: Store, tmp_path: Path) -> None:
    drop = Drop(store, tmp_path, "feedback", delivery="increment")
    drop.deliver(lines(*range(10)))
    drop.deliver(lines(*range(5)))
    assert rows(store, "SELECT count(*) FROM core_report WHERE is_open") == [(10,)]


def test_a_snapshot_of_many_batches_is_judged_as_one(store: Store, tmp_path: Path) -> None:
    drop = Drop(store, tmp_path, "feedback", options={"batch": 3})
    drop.deliver(lines(*range(20)))
    drop.deliver(lines(*range(19)))
    assert rows(store, "SELECT source_id FROM core_report WHERE NOT is_open") == [("19",)]


def test_a_dossier_not_seen_stays_open_and_says_since_when(store: Store, tmp_path: Path) -> None:
    drop = Drop(store, tmp_path, "one_stop")
    drop.deliver(lines(*range(10)))
    drop.deliver(lines(*range(9)))
    since = instant(drop.now)
    drop.deliver(lines(*range(9), closed=(1,)))
    assert rows(store, "SELECT topic, feed, source_id, since_at FROM core_unseen") == [("dossiers", "drop", "9", since)]
    assert rows(store, "SELECT count(*) FROM core_dossier WHERE finished_on IS NULL") == [(9,)]
    assert losses(store, "drop") == Losses(deleted=0, superseded=0, unseen=1, dropped_rejects=0)
    drop.deliver(lines(*range(10), closed=(1,)))
    assert rows(store, "SELECT count(*) FROM core_unseen") == [(0,)]
    assert_rollups_are_true(store)


def losses(store: Store, feed: str) -> Losses:
    return feeds.losses(open_city(store, Config("T"), scope_of("viewer"), NOW), feed)


# --- tombstones --------------------------------------------------------------------------------------------

TOMBS = Landing("one_stop", "one_stop", instant(NOW), has_tombstones=True)


def dossier(name: str, version: int | None, **values: Any) -> DossierRow:
    given = {"agency": "A", "domain_code": "D", "status": 4, "received_at": at(2), "due_at": at(10)}
    return DossierRow(name, version=version, **{**given, **values})


def grave(name: str, version: int | None) -> DossierRow:
    return DossierRow(name, version=version, is_deleted=True)


def test_a_tombstone_takes_a_dossier_out_of_every_count_and_keeps_its_versions(store: Store) -> None:
    stop = (Stop(at(3), at(4)),)
    land(store, Parsed(dossiers=(dossier("1", 1, stops=stop), dossier("2", 1))), TOMBS)
    drain(store, instant(NOW))
    assert land(store, Parsed(dossiers=(grave("1", 2),)), TOMBS).changed == 1
    assert land(store, Parsed(dossiers=(grave("1", 2),)), TOMBS).changed == 0
    assert rows(store, "SELECT source_id FROM core_dossier") == [("2",)]
    assert rows(store, "SELECT source_id, reason, version FROM core_withdrawn") == [("1", "deleted", 2)]
    assert losses(store, "one_stop").deleted == 1
    assert rows(store, "SELECT count(*) FROM core_dossier_stop") == [(0,)]
    assert rows(store, "SELECT count(*) FROM core_dossier_version WHERE source_id = '1'") == [(1,)]
    assert_rollups_are_true(store)
    assert [flow(store, name, "dossier") for name in ("received", "due_passed", "stopped", "resumed")] == [1, 1, 0, 0]


def test_an_older_row_does_not_come_back_and_a_newer_one_does(store: Store) -> None:
    for row in (dossier("1", 1), grave("1", 5), dossier("1", 4)):
        land(store, Parsed(dossiers=(row,)), TOMBS)
    assert rows(store, "SELECT count(*) FROM core_dossier") == [(0,)]
    land(store, Parsed(dossiers=(dossier("1", 6),)), TOMBS)
    assert (rows(store, "SELECT version FROM core_dossier"), rows(store, "SELECT * FROM core_withdrawn")) == ([(6,)], [])
    assert land(store, Parsed(dossiers=(grave("1", 5),)), TOMBS).changed == 0
    assert_rollups_are_true(store)
    assert flow(store, "received", "dossier") == 1


def test_without_stated_versions_the_order_of_arrival_decides(store: Store) -> None:
    for row, left in ((dossier("1", None), 1), (grave("1", None), 0), (grave("1", None), 0), (dossier("1", None), 1)):
        land(store, Parsed(dossiers=(row,)), TOMBS)
        assert rows(store, "SELECT count(*) FROM core_dossier") == [(left,)]
    land(store, Parsed(dossiers=(dossier("2", None), grave("2", None), grave("1", None), dossier("1", None))), TOMBS)
    assert rows(store, "SELECT source_id FROM core_dossier") == [("1",)]
    assert_rollups_are_true(store)


def test_any_order_split_and_repeat_of_rows_and_tombstones_ends_alike(store: Store) -> None:
    draw = random.Random(7)
    history = [dossier(str(n), version, due_at=at(5 + version)) for n in range(12) for version in (1, 2, 3)]
    history += [grave(str(n), n % 4) for n in range(0, 12, 2)]
    ends = []
    for run in range(3):
        landing = replace(TOMBS, feed=f"f{run}")
        told = [*history, *draw.choices(history, k=20)]
        draw.shuffle(told)
        while told:
            size = draw.randrange(1, 9)
            land(store, Parsed(dossiers=tuple(told[:size])), landing)
            told = told[size:]
        ends.append(rows(store, f"SELECT source_id, version, due_at FROM core_dossier WHERE feed = 'f{run}' ORDER BY 1"))
    kept = sorted(str(n) for n in range(12) if n % 2 or n % 4 < 3)
    assert [row[0] for row in ends[0]] == kept
    assert ends[0] == ends[1] == ends[2]
    assert_rollups_are_true(store)


def test_tombstones_come_by_the_mapping_with_an_id_and_no_dates(store: Store, tmp_path: Path) -> None:
    for role in ("feedback", "one_stop"):
        drop = Drop(store, tmp_path, role, delivery="increment")
        drop.feed = replace(drop.feed, key=f"drop_{role}", fields={**drop.feed.fields, "is_deleted": {"from": "agency", "bool": ["X"]}})
        drop.deliver(lines(1, 2, 3))
        drop.deliver(["2,,,,,X"])
    assert rows(store, "SELECT source_id FROM core_report ORDER BY 1") == rows(store, "SELECT source_id FROM core_dossier ORDER BY 1")
    assert rows(store, "SELECT source_id FROM core_report ORDER BY 1") == [("1",), ("3",)]
    assert rows(store, "SELECT count(*) FROM ops_reject") == [(0,)]
    assert_rollups_are_true(store)


# --- superseded feeds --------------------------------------------------------------------------------------

OLD = Landing("old", "feedback", instant(NOW), superseded_by=("new",))
NEW = Landing("new", "feedback", instant(NOW), supersedes=("old",))


def report(name: str, **values: Any) -> ReportRow:
    return ReportRow(name, "rác", status="new", received_at=at(3), due_at=at(10), version=1, **values)


@pytest.mark.parametrize("first", ["old", "new"])
def test_the_superseding_feeds_row_wins_whichever_comes_first(store: Store, first: str) -> None:
    olds, news = (Parsed(reports=tuple(map(report, names))) for names in ("abc", "bcd"))
    told = [(olds, OLD), (news, NEW)] if first == "old" else [(news, NEW), (olds, OLD)]
    for step, (batch, landing) in enumerate((*told, (olds, OLD))):
        land(store, batch, landing)
        drain(store, instant(NOW))
        found = rows(store, "SELECT feed, source_id FROM core_report ORDER BY 2")
        assert step == 0 or found == [("old", "a"), ("new", "b"), ("new", "c"), ("new", "d")]
    marks = rows(store, "SELECT feed, source_id, reason, by_feed FROM core_withdrawn ORDER BY 2")
    assert marks == [("old", name, "superseded", "new") for name in "bc"]
    assert_rollups_are_true(store)
    assert (flow(store, "received"), flow(store, "due_passed")) == (4, 4)


def test_superseding_is_read_from_the_city_file(store: Store) -> None:
    fields = {"source_id": {"from": "id"}, "received_at": {"from": "received"}, "agency": {"from": "agency"}}
    old = FeedConfig("old", "one_stop", "csv", fields=fields)
    new = FeedConfig("new", "one_stop", "csv", fields=fields, supersedes=("old",))
    sync = Sync(store, Config(name="T", feeds=(old, new)))
    item = {"id": "1", "received": "2026-11-02T08:00:00", "agency": "A"}
    for feed in (old, new, old):
        sync.push(feed, [item], NOW)
    assert rows(store, "SELECT feed FROM core_dossier") == [("new",)]
    assert_rollups_are_true(store)


def test_two_feeds_that_supersede_each_other_are_a_fault() -> None:
    feeds = [{"key": key, "role": "feedback", "protocol": "csv", "supersedes": [other]} for key, other in (("a", "b"), ("b", "a"))]
    with pytest.raises(ConfigError, match="supersedes runs in a circle"):
        parse_config({"city": {"name": "T"}, "feeds": feeds}, Path(), {})
    with pytest.raises(ConfigError, match="snapshot_min_share"):
        parse_config({"city": {"name": "T"}, "feeds": [{**feeds[0], "supersedes": [], "snapshot_min_share": 2}]}, Path(), {})
