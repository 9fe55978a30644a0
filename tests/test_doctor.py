"""The doctor: a well store is well, each planted fault is found with its remedy, and no check can bring the others down."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from cli import cli
from config import FeedConfig, WebConfig
from store import sizes
from store.audit import Entry, record
from store.days import instant
from store.engine import Store, open_store
from store.keys import PROGRAM, add_key
from store.sizes import table_sizes
from tests.servers import ROOT
from tests.small_city import CONFIG, NOW, TZ, fill, open_filled, open_own
from upkeep.checks_city import CHECKS
from upkeep.doctor import FAIL, NOTE, OK, WARN, Check, Finding, Patient, as_json, as_text, examine, exit_code

BY_KEY = {check.key: check for check in CHECKS}


@pytest.fixture(params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_own(request.param, make_database)
    yield opened
    opened.dispose()


@pytest.fixture(params=("sqlite", "postgresql"))
def filled(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    """For looking at only."""
    opened = open_filled(request.param, make_database)
    yield opened
    opened.dispose()


def ask(key: str, store: Store, **given: Any) -> list[Finding]:
    """The findings of one check."""
    patient = Patient(store, given.pop("config", CONFIG), given.pop("now", NOW), given.pop("root", ROOT), **given)
    return examine(patient, (BY_KEY[key],))


def worst(findings: list[Finding]) -> Finding:
    """The first of the most severe."""
    order = (FAIL, WARN, NOTE, OK)
    return min(findings, key=lambda finding: order.index(finding.severity))


def test_every_check_answers_on_both_engines(filled: Store) -> None:
    findings = examine(Patient(filled, CONFIG, NOW, ROOT), CHECKS)
    assert {finding.check for finding in findings} == set(BY_KEY)
    assert [finding.message for finding in findings if "could not be checked" in finding.message] == []
    assert all(finding.remedy for finding in findings if finding.severity in (WARN, FAIL))


def test_with_the_store_away_every_check_says_so_and_none_falls() -> None:
    away = open_store("postgresql://nobody@127.0.0.1:1/none", TZ)
    findings = examine(Patient(away, CONFIG, NOW, ROOT), CHECKS)
    assert {finding.check for finding in findings} == set(BY_KEY)
    assert exit_code(findings) == 2
    assert "Traceback" not in "\n".join(as_text(findings))


def test_a_check_that_breaks_leaves_the_others_alone(filled: Store) -> None:
    def breaks(_: Patient) -> Iterator[Finding]:
        yield Finding(OK, "seen before")
        raise ZeroDivisionError("a fault of ours")

    findings = examine(Patient(filled, CONFIG, NOW, ROOT), (Check("one", "", breaks), BY_KEY["audit"]))
    assert [(finding.check, finding.severity) for finding in findings] == [("one", FAIL), ("audit", OK)]
    assert "a fault of ours" in findings[0].message


def test_an_older_and_a_foreign_schema_are_told_apart(store: Store) -> None:
    for revision, words in (("0001", "cli.py upgrade"), ("9999", "newer program")):
        with store.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        found = [finding for finding in ask("versions", store) if finding.message.startswith("schema")]
        assert [finding.severity for finding in found] == [FAIL]
        assert words in found[0].remedy


def test_a_package_of_another_version_is_named(filled: Store, tmp_path: Path) -> None:
    (tmp_path / "constraints.txt").write_text("starlette==0.0.1\n")
    (tmp_path / "requirements.txt").write_text("starlette>=0\nno-such-package>=1\n")
    messages = {finding.severity: finding.message for finding in ask("versions", filled, root=tmp_path)}
    assert "starlette" in messages[WARN] and "0.0.1" in messages[WARN]
    assert "no-such-package" in messages[FAIL]


def test_every_table_has_its_size_and_dated_ones_their_growth(filled: Store) -> None:
    with filled.writing() as connection:
        connection.execute(text("ANALYZE"))
    with filled.reading() as connection:
        found = {one.table: one for one in table_sizes(connection, instant(NOW))}
        assert set(found) == set(sizes.tables(connection))
    assert found["core_dossier"].rows == 12
    assert found["core_dossier"].bytes > 0
    assert (found["core_dossier"].bytes_day or 0) > 0
    assert found["core_agency"].bytes_day is None


def test_a_full_disk_and_one_that_fills_are_told(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    if not filled.is_sqlite:
        pytest.skip("the PostgreSQL server's disk may be another machine's; its size is noted instead")
    usage = __import__("shutil").disk_usage("/")
    for free, severity in ((100e6, FAIL), (1e9, WARN), (1e12, OK)):
        monkeypatch.setattr("upkeep.checks.shutil.disk_usage", lambda _, free=free: usage._replace(free=int(free)))
        assert ask("disk", filled)[-1].severity == severity


def test_a_dead_feed_and_its_error_are_told(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text("UPDATE ops_feed SET error = 'refused', loaded_at = 1, newest_at = 1 WHERE feed = 'air'"))
    found = [finding for finding in ask("feeds", store) if finding.message.startswith("air")]
    assert found[0].severity == FAIL and "dead" in found[0].message
    assert found[1].severity == WARN and "refused" in found[1].message


def test_a_worker_that_has_stopped_is_told(filled: Store) -> None:
    assert worst(ask("fold", filled)).severity == OK
    late = worst(ask("fold", filled, now=NOW + timedelta(minutes=5)))
    assert late.severity == FAIL and "300 s behind" in late.message


def test_a_backup_that_grows_old_is_told(store: Store) -> None:
    assert ask("backup", store)[0].severity == WARN
    record(store, Entry(instant(NOW), "cli:an", "backup", "store"))
    for days, severity in ((1, OK), (3, WARN), (9, FAIL)):
        assert ask("backup", store, now=NOW + timedelta(days=days))[0].severity == severity


def test_a_tampered_audit_row_is_found(store: Store) -> None:
    for number in range(5):
        record(store, Entry(instant(NOW) + number, "user:an", "export", "dossiers"))
    assert ask("audit", store)[0].severity == OK
    with store.writing() as connection:
        off = "DROP TRIGGER ops_audit_no_UPDATE" if store.is_sqlite else "ALTER TABLE ops_audit DISABLE TRIGGER ops_audit_keep"
        connection.execute(text(off))
        connection.execute(text("UPDATE ops_audit SET actor = 'user:binh' WHERE seq = 3"))
    (found,) = ask("audit", store)
    assert found.severity == FAIL and "row 3" in found.message


def test_files_open_to_every_user_are_named(sqlite_database: str, tmp_path: Path) -> None:
    store, city = open_store(sqlite_database, TZ), tmp_path / "city.toml"
    fill(store)
    city.write_text("")
    path = Path(sqlite_database.removeprefix("sqlite:///"))
    parents = [*path.parents]
    closed = [folder for folder in parents if not folder.stat().st_mode & 0o001]
    os.chmod(path, 0o644)
    found = ask("files", store, city_file=city)
    assert (worst(found).severity == OK) == bool(closed), "a file is as open as the folders it lies in"
    for folder in closed:
        folder.chmod(folder.stat().st_mode | 0o001)
    found = ask("files", store, city_file=city)
    assert any(finding.severity == WARN and str(path) in finding.message for finding in found)
    os.chmod(path, 0o600)
    os.chmod(f"{path}-wal", 0o600)
    assert not any(finding.severity == WARN for finding in ask("files", store, city_file=city))
    for folder in closed:
        folder.chmod(0o700)
    store.dispose()


def test_missing_admins_known_passwords_and_plain_http_are_told(store: Store) -> None:
    reached = replace(CONFIG, web=WebConfig(public_url="http://toancanh.example.gov.vn"))
    assert worst(ask("users", store, config=reached)).severity == WARN
    assert any(f.severity == WARN and "not https" in f.message for f in ask("config", store, config=reached))
    with store.writing() as connection:
        connection.execute(text(
            "INSERT INTO ops_user (username, role, password_hash, created_at, is_temporary) VALUES ('an', 'viewer', 'x', 1, true)"
        ))
    messages = {finding.severity: finding.message for finding in ask("users", store)}
    assert "no active user is an admin" in messages[FAIL]
    assert "temporary" in messages[WARN]
    weak = replace(CONFIG, feeds=(FeedConfig("one_stop", "one_stop", "portal", username="u", password="changeme"),))
    assert any(finding.severity == FAIL and "one_stop" in finding.message for finding in ask("users", store, config=weak))


def test_an_old_feed_key_is_told(store: Store) -> None:
    add_key(store, "one_stop", "tck_x", "", PROGRAM, 1)
    assert any("older than a year" in finding.message for finding in ask("users", store))


def test_a_whole_read_is_told_with_the_question(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upkeep.checks_city.MANY_ROWS", 0)
    assert all(finding.severity == OK for finding in ask("plans", store)) or not store.is_sqlite
    with store.writing() as connection:
        for index in ("ix_report_open", "ix_report_passed", "ix_report_received", "ix_report_closed"):
            connection.execute(text(f"DROP INDEX {index}"))
    found = worst(ask("plans", store))
    # SQLite's lists name their index, so its absence is an error; PostgreSQL reads the table
    assert (found.severity, "ix_report_open" in found.message) == ((FAIL, True) if store.is_sqlite else (WARN, False)), found


def test_unsafe_settings_are_failures(postgres_database: str) -> None:
    store = open_store(postgres_database, TZ)  # the tests' own server runs with fsync=off
    messages = [finding.message for finding in ask("engine", store) if finding.severity == FAIL]
    assert any(message.startswith("fsync is off") for message in messages)
    store.dispose()


def test_the_command_answers_in_json_with_its_exit_code(sqlite_database: str) -> None:
    store = open_store(sqlite_database, TZ)
    fill(store)
    store.dispose()
    done = CliRunner().invoke(cli, ["doctor", "--json", "--store", sqlite_database])
    told = json.loads(done.output)
    assert done.exit_code == told["exit"] == 2  # the demo's feeds have brought nothing
    assert {row["check"] for row in told["findings"]} == set(BY_KEY)


def test_severities_become_exit_codes() -> None:
    assert [exit_code([Finding(severity, "")]) for severity in (OK, NOTE, WARN, FAIL)] == [0, 0, 1, 2]
    assert exit_code([]) == 0
    assert json.loads(as_json([Finding(WARN, "m", "r", "c")]))["findings"][0] == {
        "severity": WARN, "message": "m", "remedy": "r", "check": "c",
    }
