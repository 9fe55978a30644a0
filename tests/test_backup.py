"""Backups: taken while rows land, restored to the same rows, revisions and figures; damaged, foreign and half ones are refused."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config import load_config
from metrics.city import open_city
from metrics.city.numbers import kpis
from metrics.periods import parse_period
from metrics.rollups import drain
from scope import scope_of
from store.annotations import NewAnnotation, put_annotation
from store.audit import AuditFilter, Entry, read, record
from store.backup import CopyFailed, tool
from store.days import instant
from store.engine import Store, open_store
from store.followups import NewFollowup, put_followup
from store.keys import PROGRAM
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import Parsed
from store.serving import StoreInUse, serving
from store.sizes import row_counts, tables
from tests.forks import Forks
from tests.small_city import CONFIG, NOW, TZ, dossier, fill, open_own
from upkeep.archive import ArchiveDamaged, archives_in, name_of, open_archive
from upkeep.backup import CITY_PART, backup, verify_backup, without_secrets
from upkeep.restore import RestoreRefused, Task, restore

CITY_FILE = """
[city]
name = "Thử"
name_en = "Trial"
timezone = "Asia/Ho_Chi_Minh"
[targets]
dossiers_on_time_pct = 99.0
[[feeds]]
key = "one_stop"
role = "one_stop"
protocol = "portal"
cadence_s = "15m"
username = "portal"
password = "${PORTAL_PASSWORD}"
[[feeds]]
key = "feedback"
role = "feedback"
protocol = "csv"
path = "f.csv"
cadence_s = "1h"
[[feeds]]
key = "air"
role = "sensors"
protocol = "sensorthings"
url = "http://127.0.0.1:1"
cadence_s = "1h"
"""


@pytest.fixture(params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_own(request.param, make_database)
    record(opened, Entry(instant(NOW), "user:an", "export", "dossiers"))
    yield opened
    opened.dispose()


@pytest.fixture
def other(store: Store, make_database: Callable[..., str]) -> str:
    """URL of an empty database on the same engine."""
    return make_database("sqlite" if store.is_sqlite else "postgresql")


@pytest.fixture
def city_file(tmp_path: Path) -> Path:
    path = tmp_path / "city.toml"
    path.write_text(CITY_FILE, "utf-8")
    return path


@pytest.fixture(scope="module")
def backups() -> dict[bool, Path]:
    return {}


@pytest.fixture
def taken(store: Store, backups: dict[bool, Path], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, city_file: Path) -> Path:
    """A copy, for this test alone, of a backup of `store`: its rows are the same in every test, so one is taken for each engine."""
    if store.is_sqlite not in backups:
        folder = tmp_path_factory.mktemp("backups")
        backups[store.is_sqlite] = backup(store, CONFIG, folder, now=NOW, city_file=city_file).path
    return Path(shutil.copy2(backups[store.is_sqlite], tmp_path))


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but the audit trail."""
    with store.reading() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(text(f'SELECT * FROM "{name}"'))), key=repr)
            for name in tables(connection) if name != "ops_audit"
        }


def figures(store: Store) -> list[tuple[str, float | None, int]]:
    """All KPI values of a month, through City."""
    city = open_city(store, CONFIG, scope_of("leader"), NOW)
    return [(row.key, row.value, row.n) for row in kpis.read(city, [], parse_period("2026-11", city.today))]


def test_a_restored_store_is_the_original(store: Store, other: str, tmp_path: Path, city_file: Path) -> None:
    before, told, said = contents(store), figures(store), list[str]()
    done = backup(store, CONFIG, tmp_path / "b", now=NOW, city_file=city_file)
    restore(Task(done.path, NOW, say=said.append), other)
    restored = open_store(other, TZ)
    assert contents(restored) == before
    assert figures(restored) == told
    assert any(value for _, value, _ in told)
    assert [row.action for row in read(restored, AuditFilter(), 9)] == ["restore", "export"]
    assert [line.split(":")[0] for line in said] == ["archive", "rows", "revisions", "KPI values", "audit trail", "restored"]
    restored.dispose()


def test_what_meetings_wrote_comes_back_and_an_issued_brief_still_cannot_be_changed(
    store: Store, other: str, tmp_path: Path, city_file: Path,
) -> None:
    put_followup(store, NewFollowup("2026-W46", "Giảm hồ sơ quá hạn", 20_780), PROGRAM, instant(NOW))
    put_annotation(store, NewAnnotation("Bão", 20_760, 20_762), PROGRAM, instant(NOW))
    issued = (
        "INSERT INTO ops_brief (week, lang, issued_at, as_of, revision, sha256, content, pdf, xlsx) "
        "VALUES ('2026-W46', 'vi', 1, 1, 1, 'x', '{}', :pdf, :xlsx)"
    )
    store.write(lambda connection: connection.execute(text(issued), {"pdf": b"%PDF\0\xff", "xlsx": b"PK"}))
    before = contents(store)
    assert all(before[name] for name in ("ops_followup", "ops_followup_event", "ops_annotation", "ops_brief"))
    restore(Task(backup(store, CONFIG, tmp_path / "b", now=NOW, city_file=city_file).path, NOW), other)
    restored = open_store(other, TZ)
    assert contents(restored) == before
    with pytest.raises(DBAPIError, match="never changed"), restored.writing() as connection:
        connection.execute(text("UPDATE ops_brief SET content = '[]'"))
    restored.dispose()


@contextmanager
def landing(store: Store) -> Iterator[Callable[[], int]]:
    """A writer at work in the block; what it yields waits for its next batch to land and tells how many have."""
    stop, turn, done = threading.Event(), threading.Condition(), [0]

    def write() -> None:
        for number in count(1000):
            if stop.is_set():
                return
            land(store, Parsed(dossiers=(dossier(number),), item_count=1), Landing("one_stop", "one_stop", instant(NOW) + number))
            drain(store, instant(NOW))
            with turn:
                done[0] += 1
                turn.notify_all()

    def wait_for_next() -> int:
        with turn:
            reached = done[0] + 1
            assert turn.wait_for(lambda: done[0] >= reached, 30), "the writer is held up"
            return done[0]

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield wait_for_next
    finally:
        stop.set()
        writer.join(60)


def test_a_backup_taken_while_rows_land_is_one_state(store: Store, other: str, tmp_path: Path, city_file: Path) -> None:
    landed = list[int]()
    with landing(store) as next_batch:
        next_batch()

        def say(line: str) -> None:
            if line.startswith("copying"):  # the state is fixed here; a batch that lands now must not be in it
                landed.append(next_batch())

        done = backup(store, CONFIG, tmp_path / "b", now=NOW, city_file=city_file, say=say)
        next_batch()
    assert landed
    restore(Task(done.path, NOW), other)
    restored = open_store(other, TZ)
    with restored.reading() as connection, store.reading() as origin:
        found, now = row_counts(connection), row_counts(origin)
    told = dict(done.manifest.facts.tables)
    assert {name: rows for name, rows in found.items() if name != "ops_audit"} == {n: r for n, r in told.items() if n != "ops_audit"}
    assert found["core_dossier"] < now["core_dossier"]
    assert found["core_dossier"] - 12 == found["core_dossier_version"] - 13, "a dossier without its version"
    restored.dispose()


def test_a_backup_says_what_it_holds(store: Store, tmp_path: Path, city_file: Path) -> None:
    done = backup(store, CONFIG, tmp_path / "b", now=NOW, city_file=city_file)
    manifest = open_archive(done.path)
    assert done.path.name == "toancanh-t-20261120-030000.tar"
    assert done.path.stat().st_mode & 0o777 == 0o600
    assert manifest.facts.tables["core_dossier"] == 12
    assert manifest.facts.revisions["dossiers"] > 0
    assert {"dossiers_open", "reports_open"} <= {row["key"] for row in manifest.facts.kpis if row["value"]}
    assert [row.action for row in read(store, AuditFilter(action="backup"), 9)] == ["backup"]
    assert verify_backup(done.path) == manifest
    assert [path.name for path in done.path.parent.iterdir()] == [done.path.name], "something was left beside it"


def damage_manifest(path: Path) -> None:
    """Another row count in the manifest, all sums kept."""
    folder = path.parent / "un"
    with tarfile.open(path) as archive:
        names = archive.getnames()
        for name in names:  # extractall(filter=) came with Python 3.11.4, Debian 12 has 3.11.2
            member = archive.extractfile(name)
            assert member
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(member.read())
    told = json.loads((folder / "manifest.json").read_text("utf-8"))
    told["facts"]["tables"]["core_dossier"] += 1
    (folder / "manifest.json").write_text(json.dumps(told), "utf-8")
    with tarfile.open(path, "w") as archive:
        for name in names:
            archive.add(folder / name, name)


def flip_a_byte(path: Path) -> None:
    """One bit in the middle of the store."""
    with open(path, "rb+") as file:
        file.seek(path.stat().st_size * 2 // 3)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 0x10]))


def cut(path: Path) -> None:
    """The last third is gone."""
    os.truncate(path, path.stat().st_size * 2 // 3)


def replace_by_text(path: Path) -> None:
    """No archive at all."""
    path.write_text("this is not a tar")


@pytest.mark.parametrize("harm", (damage_manifest, flip_a_byte, cut, replace_by_text))
def test_a_damaged_backup_is_refused_and_changes_nothing(
    store: Store, other: str, taken: Path, harm: Callable[[Path], None],
) -> None:
    harm(taken)
    with pytest.raises((ArchiveDamaged, CopyFailed)) as fault:
        restore(Task(taken, NOW), other)
    assert str(fault.value)
    if harm is not damage_manifest or store.is_sqlite:  # on PostgreSQL the rows are counted once they are loaded
        untouched = open_store(other, TZ)
        with untouched.reading() as connection:
            assert tables(connection) == ()
        untouched.dispose()
    if harm is not damage_manifest:
        with pytest.raises((ArchiveDamaged, CopyFailed)):
            verify_backup(taken)


def test_a_store_with_rows_is_kept_unless_told_to_replace_it(store: Store, other: str, tmp_path: Path, city_file: Path) -> None:
    done = backup(store, CONFIG, tmp_path / "b", now=NOW, city_file=city_file)
    occupied = open_store(other, TZ)
    migrate(occupied)
    land(occupied, Parsed(dossiers=(dossier(77),), item_count=1), Landing("one_stop", "one_stop", instant(NOW)))
    with pytest.raises(RestoreRefused, match="not empty"):
        restore(Task(done.path, NOW), other)
    with occupied.reading() as connection:
        assert row_counts(connection)["core_dossier"] == 1
    occupied.dispose()
    said = list[str]()
    restore(Task(done.path, NOW, replace=True, say=said.append), other)
    with occupied.reading() as connection:
        assert row_counts(connection)["core_dossier"] == 12
    aside = next(line for line in said if "kept" in line)
    if store.is_sqlite:
        old = open_store(f"{other}.before-restore-20261120-030000", TZ)
        with old.reading() as connection:
            assert row_counts(connection)["core_dossier"] == 1
        old.dispose()
    else:
        with occupied.reading() as connection:
            schema = "before_restore_20261120_030000"
            assert connection.execute(text(f"SELECT count(*) FROM {schema}.core_dossier")).scalar_one() == 1
        assert schema in aside
        again = backup(occupied, CONFIG, tmp_path / "c", now=NOW, city_file=city_file)  # the old tables are no part of it
        restore(Task(again.path, NOW + timedelta(hours=1), replace=True), other)
    occupied.dispose()


def test_a_store_in_use_is_not_replaced(other: str, taken: Path) -> None:
    busy = open_store(other, TZ)
    with serving(busy, "serve"), pytest.raises(StoreInUse, match="in use"):
        restore(Task(taken, NOW), other)
    restore(Task(taken, NOW), other)
    busy.dispose()


def test_a_backup_goes_to_its_own_engine_only(store: Store, taken: Path, tmp_path: Path) -> None:
    foreign = "postgresql://127.0.0.1:1/x" if store.is_sqlite else f"sqlite:///{tmp_path / 'x.sqlite'}"
    with pytest.raises(RestoreRefused, match="own engine"):
        restore(Task(taken, NOW), foreign)


@pytest.mark.parametrize("at_line", ("begun", "archive", "rows", "revisions", "KPI"))
def test_a_restore_killed_on_its_way_leaves_no_half_store(
    other: str, taken: Path, forks: Forks, at_line: str,
) -> None:
    for line in forks.lines("restore", other, taken):
        if line.startswith(at_line):
            forks.kill()
    left = open_store(other, TZ)
    with left.reading() as connection:
        found = row_counts(connection)
    assert found == {} or found["core_dossier"] == 12
    left.dispose()
    restore(Task(taken, NOW, replace=True), other)
    with left.reading() as connection:
        assert row_counts(connection)["core_dossier"] == 12
    left.dispose()


def test_a_restore_that_fails_at_its_last_step_leaves_the_old_store(
    sqlite_database: str, make_database: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, other = open_store(sqlite_database, TZ), make_database("sqlite")
    fill(store)
    done = backup(store, CONFIG, tmp_path / "b", now=NOW)
    occupied = open_store(other, TZ)
    migrate(occupied)
    land(occupied, Parsed(dossiers=(dossier(77),), item_count=1), Landing("one_stop", "one_stop", instant(NOW)))
    occupied.dispose()

    def fail(*_: object) -> None:
        raise OSError("the disk went away")

    with monkeypatch.context() as broken:
        broken.setattr("upkeep.restore.os.rename", fail)
        with pytest.raises(OSError, match="went away"):
            restore(Task(done.path, NOW, replace=True), other)
    with occupied.reading() as connection:
        assert row_counts(connection)["core_dossier"] == 1
    occupied.dispose()
    store.dispose()


def test_what_a_killed_backup_left_is_swept_after_a_day(sqlite_database: str, tmp_path: Path) -> None:
    store = open_store(sqlite_database, TZ)
    migrate(store)
    for name, age_s in ((".backup-old", 90_000), (".backup-young", 60)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (NOW.timestamp() - age_s,) * 2)
    backup(store, CONFIG, tmp_path, now=NOW)
    assert {path.name for path in tmp_path.glob(".backup-*")} == {".backup-young"}
    store.dispose()


def test_only_the_newest_are_kept_and_only_of_this_city(sqlite_database: str, tmp_path: Path) -> None:
    store = open_store(sqlite_database, TZ)
    migrate(store)
    foreign = tmp_path / "toancanh-other-20200101-000000.tar"
    longer = tmp_path / "toancanh-t-two-20200101-000000.tar"
    foreign.touch(), longer.touch()
    taken = [backup(store, CONFIG, tmp_path, now=NOW + timedelta(hours=n), keep=2).path for n in range(4)]
    assert archives_in(tmp_path, "T") == taken[2:]
    assert foreign.exists() and longer.exists()
    store.dispose()


def test_a_full_disk_is_seen_before(sqlite_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(sqlite_database, TZ)
    migrate(store)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(OSError, match="make room"):
        backup(store, CONFIG, tmp_path / "b", now=NOW)
    assert list((tmp_path / "b").iterdir()) == []
    store.dispose()


def test_secrets_are_not_written_down(sqlite_database: str, tmp_path: Path) -> None:
    plain = 'password = "hunter2"\nkey = "one_stop"\nstore_url = "postgresql://u:pw1@h/db"\npassword = "${P}"\n'
    assert without_secrets(plain) == (
        'password = "***"\nkey = "one_stop"\nstore_url = "postgresql://u:***@h/db"\npassword = "${P}"\n'
    )
    store, city = open_store(sqlite_database, TZ), tmp_path / "city.toml"
    migrate(store)
    city.write_text(CITY_FILE.replace("${PORTAL_PASSWORD}", "hunter2"), "utf-8")
    config = load_config(city, {})
    assert config.feed("one_stop").password == "hunter2"
    done = backup(store, replace(config, name_en="Đà Nẵng"), tmp_path / "b", now=NOW, city_file=city)
    assert done.path.name.startswith("toancanh-da-nang-")
    with tarfile.open(done.path) as archive:
        kept = archive.extractfile(CITY_PART)
        assert kept and b"hunter2" not in kept.read()
    store.dispose()


def test_city_file_and_lists_come_back(sqlite_database: str, make_database: Callable[..., str], tmp_path: Path, city_file: Path) -> None:
    store = open_store(sqlite_database, TZ)
    migrate(store)
    agencies = tmp_path / "agencies.csv"
    agencies.write_text("code,name\nH1,A\n")
    done = backup(store, replace(CONFIG, catalogue={"agencies": str(agencies)}), tmp_path / "b", now=NOW, city_file=city_file)
    restore(Task(done.path, NOW), make_database("sqlite"), unpack_to=tmp_path / "new")
    assert (tmp_path / "new" / "city.toml").read_text("utf-8") == CITY_FILE
    assert (tmp_path / "new" / "agencies.csv").read_text() == agencies.read_text()
    store.dispose()


def test_a_client_older_than_the_server_is_named_with_its_package() -> None:
    with pytest.raises(CopyFailed, match=r"the server 99: apt-get install postgresql-client-99"):
        tool("pg_dump", 99)
    with pytest.raises(CopyFailed, match=r"no_such_tool is not installed: apt-get install postgresql-client-15"):
        tool("no_such_tool", 15)


def test_names_are_plain_letters() -> None:
    assert name_of("Thành phố Đà Nẵng", NOW) == "toancanh-thanh-pho-da-nang-20261120-030000.tar"
