"""Upgrades: alone, backed up first, all or nothing at whatever moment they are killed; nobody runs on a schema that is not theirs."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from typer import Exit
from typer.testing import CliRunner

from cli import cli
from commands.terminal import get_ready
from pipeline import prepare
from store import facts
from store.audit import AuditFilter, read
from store.engine import Store, open_store
from store.migrate import CURRENT, SchemaTooNew, SchemaTooOld, current_revision, migrate, newest_revision, schema_state
from store.serving import StoreInUse, alone, serving
from store.sizes import tables
from tests.forks import Forks
from tests.servers import ROOT
from tests.small_city import CONFIG, NOW, TZ, fill
from tests.test_crash import wait_for_the_dead
from upkeep.archive import archives_in
from upkeep.backup import backup, verify_backup
from upkeep.restore import Task, restore
from upkeep.upgrade import upgrade, watch_schema

ROUNDS = 14  # kills on each engine
SLOW = '''
"""Slow on purpose: rewrites every dossier and version many times."""
import sqlalchemy as sa
from alembic import op
revision, down_revision = "{own}", "{before}"
def upgrade():
    op.create_table("test_{own}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("words", sa.Text))
    op.add_column("core_report", sa.Column("test_{own}", sa.Integer))
    for number in range(60):
        op.execute(f"INSERT INTO test_{own} (id, words) VALUES ({{number}}, 'x')")
        op.execute("UPDATE core_dossier SET alias = alias || 'y'")
    op.execute("UPDATE core_dossier SET alias = ''")
'''


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two further revisions."""
    folder = tmp_path_factory.mktemp("later")
    for own, before in (("t1", newest_revision()), ("t2", "t1")):
        (folder / f"{own}.py").write_text(SLOW.format(own=own, before=before))
    return folder


def contents(store: Store, known: dict[str, list[str]] | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the tables and columns of the first schema."""
    with store.reading() as connection:
        found = {}
        for name in known or [name for name in tables(connection) if name not in ("alembic_version", "ops_audit")]:
            names = ", ".join(f'"{column}"' for column in (known or {}).get(name, ())) or "*"
            found[name] = sorted((tuple(row) for row in connection.execute(text(f'SELECT {names} FROM "{name}"'))), key=repr)
    return found


def columns(store: Store) -> dict[str, list[str]]:
    """Columns of every table."""
    with store.reading() as connection:
        return {
            name: [
                one for one in connection.execute(text(f'SELECT * FROM "{name}" WHERE 1 = 0')).keys()  # noqa: SIM118  not a dict
                if one not in ("is_digitised", "is_paid_online")
            ]
            for name in tables(connection) if name not in ("alembic_version", "ops_audit")
        }


FACTS_OF_OLD = ("core_dossier", "core_dossier_version")  # 0005 made one integer of two columns
TOLD = tuple({"is_digitised": one, "is_paid_online": other} for one, other in ((None, None), (True, False), (False, True)))


_old: dict[str, str] = {}


def make_old(kind: str, make_database: Callable[..., str]) -> str:
    """URL of a store with data under the first schema: a province's rows put where 0001 has a place for them."""
    if kind not in _old:
        full, old = open_store(make_database(kind), TZ), open_store(make_database(kind), TZ)
        fill(full)
        migrate(old, to="0001")
        with full.reading() as source, old.writing() as target:
            for name, names in columns(old).items():
                listed, values = ", ".join(f'"{one}"' for one in names), ", ".join(f":{one}" for one in names)
                rows = [dict(row) for row in source.execute(text(f'SELECT {listed} FROM "{name}"')).mappings()]
                if name in FACTS_OF_OLD:
                    listed, values = f"{listed}, is_digitised, is_paid_online", f"{values}, :is_digitised, :is_paid_online"
                    rows = [{**row, **TOLD[n % 3]} for n, row in enumerate(rows)]
                if name == "core_reading" and not old.is_sqlite:
                    target.execute(text("CREATE TABLE core_reading_all PARTITION OF core_reading DEFAULT"))
                if rows:
                    target.execute(text(f'INSERT INTO "{name}" ({listed}) VALUES ({values})'), rows)
        full.dispose()
        old.dispose()
        _old[kind] = str(old.engine.url.render_as_string(hide_password=False))
    return make_database(kind, _old[kind])


@pytest.fixture(params=("sqlite", "postgresql"))
def old(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_store(make_old(request.param, make_database), TZ)
    yield opened
    opened.dispose()


def revision_of(store: Store) -> str | None:
    """Where a store stands."""
    with store.reading() as connection:
        return current_revision(connection)


def upgrade_apart(forks: Forks, url: str, folder: Path, kill_after_s: float | None = None) -> tuple[bool, float]:
    """Upgrade in a process of its own, killed so many seconds after it began: (was it done, seconds it took)."""
    began, is_done, killer = 0.0, False, None
    for line in forks.lines("upgrade", url, folder):
        is_done = is_done or line == "done"
        began = began or (time.monotonic() if line.startswith("upgrading") else 0.0)
        if began and kill_after_s is not None and killer is None:
            killer = threading.Timer(kill_after_s, forks.kill)
            killer.start()
    if killer:
        killer.cancel()
    return is_done, time.monotonic() - began


@pytest.mark.parametrize("kind", ("sqlite", "postgresql"))
def test_an_upgrade_killed_anywhere_leaves_a_store_that_runs_or_upgrades_again(
    kind: str, make_database: Callable[..., str], later: Path, forks: Forks,
) -> None:
    url, upgraded = make_old(kind, make_database), make_old(kind, make_database)
    is_done, whole_s = upgrade_apart(forks, upgraded, later)
    assert is_done
    done, store = open_store(upgraded, TZ), open_store(url, TZ)
    after = columns(done)
    # an upgrade logs cells to count anew, and may leave a column behind
    known = {name: [one for one in names if one in after[name]] for name, names in columns(store).items() if name != "ops_dirty"}
    before = contents(store, known)
    done.dispose()
    store.dispose()
    random, cut = Random(3), 0
    for number in range(ROUNDS):
        is_done, _ = upgrade_apart(forks, url, later, whole_s * random.uniform(0.0, 1.1))
        store = open_store(url, TZ)
        wait_for_the_dead(store)
        at = revision_of(store)
        assert at in ("0001", "t2"), f"round {number}: the store stands in between, at {at}"
        assert at == "t2" or not is_done
        assert contents(store, known) == before, f"round {number}: the data have changed"
        with store.reading() as connection:
            assert any(name.startswith(("test_t", "core_withdrawn")) for name in tables(connection)) == (at == "t2")
        store.dispose()
        cut += not is_done
        url = url if at == "0001" else make_old(kind, make_database)
    assert cut >= ROUNDS // 2, f"only {cut} of {ROUNDS} kills met an upgrade on its way"
    upgrade_apart(forks, url, later)
    store = open_store(url, TZ)
    assert (revision_of(store), contents(store, known)) == ("t2", before)
    store.dispose()


def test_an_upgrade_backs_up_first_and_what_it_kept_can_be_restored(old: Store, make_database: Callable[..., str], tmp_path: Path) -> None:
    known, said = columns(old), list[str]()
    before = contents(old, known)
    done = upgrade(
        old, now=NOW, take_backup=lambda: backup(old, CONFIG, tmp_path, now=NOW), actor="cli:an", say=said.append,
    )
    assert (done.before, done.after, revision_of(old)) == ("0001", newest_revision(), newest_revision())
    assert [row.action for row in read(old, AuditFilter(), 9)] == ["upgrade"]
    (kept,) = archives_in(tmp_path)
    assert verify_backup(kept).facts.schema == "0001"
    url = make_database("sqlite" if old.is_sqlite else "postgresql")
    restore(Task(kept, NOW, say=said.append), url)
    assert f"schema: upgraded from 0001 to {newest_revision()}; KPI values are not compared across schemas" in said
    again = open_store(url, TZ)
    assert {name: contents(again, known)[name] for name in ("core_dossier", "core_reading", "core_report_version")} == {
        name: before[name] for name in ("core_dossier", "core_reading", "core_report_version")
    }
    again.dispose()


def test_a_backup_that_fails_stops_the_upgrade(old: Store) -> None:
    def fail() -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        upgrade(old, now=NOW, take_backup=fail)
    assert revision_of(old) == "0001"


def test_a_full_disk_stops_the_upgrade_before_it_begins(old: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    monkeypatch.setattr("upkeep.upgrade.store_folder", lambda _: Path("/"))
    with pytest.raises(OSError, match="the upgrade needs about"):
        upgrade(old, now=NOW)
    assert revision_of(old) == "0001"


def test_the_demo_brings_its_data_along_by_starting(old: Store) -> None:
    known = columns(old)
    before = contents(old, known)
    get_ready(old, CONFIG, "run", may_upgrade=True)
    assert revision_of(old) == newest_revision()
    assert contents(old, known)["core_dossier"] == before["core_dossier"]


def test_what_was_told_of_a_dossier_is_told_after_an_upgrade(old: Store) -> None:
    asked = "SELECT {} FROM core_dossier ORDER BY source_id"
    with old.reading() as connection:
        before = connection.execute(text(asked.format("is_digitised, is_paid_online"))).all()
    migrate(old)
    with old.reading() as connection:
        after = connection.execute(text(asked.format("facts"))).scalars().all()
    for name, told in zip(("is_digitised", "is_paid_online"), zip(*before, strict=True), strict=True):
        known, yes = facts.told(name), facts.yes(name)
        assert [bool(row & yes) if row & known else None for row in after] == [None if one is None else bool(one) for one in told]


def test_a_store_that_cannot_be_reached_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Exit) as ended:
        get_ready(open_store("postgresql://nobody@127.0.0.1:1/none", TZ), CONFIG, "ingest")
    (told,) = capsys.readouterr().err.splitlines()
    assert ended.value.exit_code == 1 and told.startswith("the store cannot be reached: ")


def test_an_upgrade_waits_for_nobody_and_names_who_is_at_work(old: Store) -> None:
    with serving(old, "serve"), pytest.raises(StoreInUse, match=r"in use by .+: stop it first"):
        upgrade(old, now=NOW)
    assert revision_of(old) == "0001"
    upgrade(old, now=NOW)
    assert revision_of(old) == newest_revision()


def test_nobody_starts_while_a_store_is_upgraded(old: Store) -> None:
    refused = list[str]()

    def try_to_serve() -> None:
        with pytest.raises(StoreInUse) as no, serving(old, "serve"):
            pass
        refused.append(str(no.value))

    upgrade(old, now=NOW, take_backup=try_to_serve)
    assert "being upgraded" in refused[0]


def test_the_process_named_is_the_one_at_work(postgres_database: str, forks: Forks) -> None:
    """On PostgreSQL; on SQLite: test_a_running_server_is_named_and_stops_when_the_schema_moves_under_it."""
    store = open_store(postgres_database, TZ)
    for line in forks.lines("hold", postgres_database, Path("-")):
        assert line == "holding"
        with pytest.raises(StoreInUse, match=f"{forks.pid}.*") as busy, alone(store, "upgrade"):
            pass
        assert "serve" in str(busy.value)
        forks.kill()
    wait_for_the_dead(store)
    with alone(store, "upgrade"):
        pass
    store.dispose()


def test_older_data_are_not_upgraded_by_starting(old: Store) -> None:
    with pytest.raises(SchemaTooOld, match=r"run: python cli\.py upgrade"):
        prepare(old, CONFIG)
    assert revision_of(old) == "0001"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_older_schema_without_a_row_is_upgraded_by_starting(kind: str, make_database: Callable[..., str]) -> None:
    store = open_store(make_database(kind), TZ)
    migrate(store, to="0001")
    prepare(store, CONFIG)
    with store.reading() as connection:
        assert schema_state(connection) == CURRENT
    store.dispose()


def test_a_server_on_an_older_store_says_what_to_do(make_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.start_log", lambda form: None)  # would write to the runner's output for ever
    refused = CliRunner().invoke(cli, ["serve", "--store", make_old("sqlite", make_database)])
    assert refused.exit_code == 2
    assert "run: python cli.py upgrade" in refused.output and "Traceback" not in refused.output


def test_the_command_upgrades_and_keeps_a_backup(old: Store, tmp_path: Path) -> None:
    url, city = old.engine.url.render_as_string(hide_password=False), ROOT / "examples" / "demo" / "city.toml"
    done = CliRunner().invoke(cli, ["upgrade", "--store", url, "--city", str(city), "--to", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert revision_of(old) == newest_revision()
    assert len(archives_in(tmp_path)) == 1


def test_a_newer_store_is_refused(engine_url: str, later: Path) -> None:
    store = open_store(engine_url, TZ)
    migrate(store, versions=(later,))
    for start in (lambda: prepare(store, CONFIG), lambda: upgrade(store, now=NOW)):
        with pytest.raises(SchemaTooNew, match="t2"):
            start()
    store.dispose()


def test_a_running_server_is_named_and_stops_when_the_schema_moves_under_it(sqlite_database: str, spawn: Callable[..., Any]) -> None:
    """The whole process; who watches the schema and who is named on PostgreSQL have tests of their own."""
    server = spawn("serve", "--store", sqlite_database)
    store = open_store(sqlite_database, TZ)
    with pytest.raises(StoreInUse, match=f"{server.process.pid}.*") as busy, alone(store, "upgrade"):
        pass
    assert "serve" in str(busy.value)
    with store.writing() as connection:  # by hand: cli.py upgrade would not do it while somebody serves
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert server.wait(30) == 2
    assert "the schema has moved to 9999" in server.logs
    store.dispose()


def test_who_watches_the_schema_is_told_once(engine_url: str) -> None:
    store, told = open_store(engine_url, TZ), list[str]()
    migrate(store)
    watcher = watch_schema(store, told.append, every_s=0.01)
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0002'"))
    watcher.join(20)
    assert len(told) == 1 and "moved to 0002" in told[0]
    store.dispose()
