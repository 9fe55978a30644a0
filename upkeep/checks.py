"""What the doctor looks at in the store and on the machine; the people and the city are in upkeep/checks_city.py."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from store.audit import AuditFilter, read, verify
from store.backup import engine_version
from store.days import DAY, instant, moment
from store.health import connections_used, database_clock, settings
from store.migrate import CURRENT, EMPTY, OLDER, current_revision, newest_revision, schema_state
from store.sizes import store_bytes, store_folder, table_sizes, wal_bytes
from upkeep.doctor import FAIL, NOTE, OK, WARN, Finding, Patient

OLDEST = {"python": (3, 11), "sqlite": (3, 37), "postgresql": (15, 0)}
SHOWN_TABLES = 8
FREE_FAIL, FREE_WARN = 500e6, 2e9  # bytes
FULL_FAIL_DAYS, FULL_WARN_DAYS = 7, 30
SKEW_S = 2.0
WAL_WARN = 512e6
BACKUP_WARN_DAYS, BACKUP_FAIL_DAYS = 2, 8
_PIN = re.compile(r"^([\w.-]+)==([\w.!+-]+)", re.MULTILINE)
_NAME = re.compile(r"^[\w.-]+", re.MULTILINE)


def check_versions(patient: Patient) -> Iterator[Finding]:
    """Python, its packages beside constraints.txt, the engine, the schema."""
    python = sys.version_info[:2]
    yield Finding(
        OK if python >= OLDEST["python"] else FAIL, f"Python {sys.version.split()[0]}", "install Python 3.11 or later, then make .venv anew"
    )
    yield from _packages(patient.root)
    with patient.store.reading() as connection:
        version, state, at = engine_version(connection), schema_state(connection), current_revision(connection)
    name = "sqlite" if patient.store.is_sqlite else "postgresql"
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    oldest = OLDEST[name]
    yield Finding(OK if numbers >= oldest else FAIL, f"{name} {version}", f"{'.'.join(map(str, oldest))} or later is needed")
    if state == CURRENT:
        yield Finding(OK, f"schema {at}")
    else:
        remedy = "stop serve and ingest, then: python cli.py upgrade" if state in (OLDER, EMPTY) else "start the newer program"
        yield Finding(NOTE if state == EMPTY else FAIL, f"schema {at or 'none'} ({state}); this program needs {newest_revision()}", remedy)


def _packages(root: Path) -> Iterator[Finding]:
    pinned = dict(_PIN.findall((root / "constraints.txt").read_text()))
    needed = {_plain(name) for name in _NAME.findall((root / "requirements.txt").read_text())}
    installed = {_plain(str(found.metadata["Name"])): found.version for found in metadata.distributions()}
    missing = sorted(needed - installed.keys())
    other = sorted(
        f"{name} {installed[_plain(name)]} (tested: {version})" for name, version in pinned.items()
        if _plain(name) in installed and installed[_plain(name)] != version
    )
    remedy = ".venv/bin/pip install -c constraints.txt -r requirements.txt"
    if missing:
        yield Finding(FAIL, f"packages missing: {', '.join(missing)}", remedy)
    if other:
        yield Finding(WARN, f"packages of other versions than were tested: {', '.join(other[:6])}", remedy)
    if not missing and not other:
        yield Finding(OK, f"packages: {len(needed)} needed, all as in constraints.txt")


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def check_disk(patient: Patient) -> Iterator[Finding]:
    """Size and growth of the store, table by table; how long the disk lasts."""
    used = store_bytes(patient.store)
    with patient.store.reading() as connection:
        sizes = table_sizes(connection, instant(patient.now))
    daily = sum(one.bytes_day or 0 for one in sizes)
    for one in sizes[:SHOWN_TABLES]:
        growth = f", {_mb(one.bytes_day)} a day" if one.bytes_day else ""
        yield Finding(OK, f"{one.table}: {one.rows} rows, {_mb(one.bytes)}{growth}")
    folder = store_folder(patient.store)
    if folder is None:
        yield Finding(NOTE, f"store {_mb(used)}, {_mb(daily)} a day; its disk cannot be seen from here", "watch the database server's disk")
        return
    free = shutil.disk_usage(folder).free
    days = free / daily if daily else None
    severity = FAIL if free < FREE_FAIL or (days is not None and days < FULL_FAIL_DAYS) else OK
    if severity == OK and (free < FREE_WARN or (days is not None and days < FULL_WARN_DAYS)):
        severity = WARN
    lasts = f"full in {days:.0f} days at the last week's pace" if days is not None and days < 3650 else "lasts for years"
    told = f"store {_mb(used)}, {_mb(daily)} a day; {_mb(free)} free: {lasts}"
    yield Finding(severity, told, "make room, or set [retention] in the city file")


def _mb(size: float | None) -> str:
    return f"{(size or 0) / 1e9:.2f} GB" if (size or 0) >= 1e9 else f"{(size or 0) / 1e6:.2f} MB"


def check_clock(patient: Patient) -> Iterator[Finding]:
    """The database's clock beside ours, and whether somebody keeps ours right."""
    if not patient.store.is_sqlite:
        skew = (database_clock(patient.store) - instant(patient.now)) / 1e6
        severity = OK if abs(skew) < SKEW_S + 1 else WARN  # a second may pass between the two looks
        yield Finding(severity, f"the database's clock differs by {abs(skew):.1f} s", "let both machines follow the same time server")
    synced = _is_synchronised()
    if synced is None:
        yield Finding(
            NOTE, "whether the system clock is synchronised cannot be read here",
            "see that a time server is followed (chrony, systemd-timesyncd)",
        )
    else:
        yield Finding(
            OK if synced else WARN, f"the system clock is {'' if synced else 'not '}synchronised",
            "apt-get install systemd-timesyncd, or chrony; due dates are judged by this clock",
        )


def _is_synchronised() -> bool | None:
    try:
        said = subprocess.run(
            ["timedatectl", "show", "--property=NTPSynchronized", "--value"], capture_output=True, text=True, timeout=5, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return said == "yes" if said in ("yes", "no") else None


def check_engine(patient: Patient) -> Iterator[Finding]:
    """Settings of the engine that decide whether it keeps what it was given; its log; its connections."""
    wrong = [one for one in settings(patient.store) if not one.is_right]
    for one in wrong:
        severity = WARN if one.name == "data_checksums" else FAIL
        yield Finding(severity, f"{one.name} is {one.value}, not {one.wanted}: {one.why}", f"set {one.name} = {one.wanted.split('|')[0]}")
    if not wrong:
        yield Finding(OK, ", ".join(f"{one.name} {one.value}" for one in settings(patient.store)))
    log = wal_bytes(patient.store)
    if log is None:
        yield Finding(NOTE, "the size of the write-ahead log may not be seen by this user", "GRANT pg_monitor TO the database user")
    else:
        is_long = patient.store.is_sqlite and log > max(WAL_WARN, store_bytes(patient.store) / 2)
        remedy = "a reader holds it: look for a hanging process, restart serve and ingest"
        yield Finding(WARN if is_long else OK, f"write-ahead log {_mb(log)}", remedy)
    if used := connections_used(patient.store):
        yield Finding(WARN if used[0] > 0.8 * used[1] else OK, f"{used[0]} of {used[1]} connections in use", "raise max_connections")


def check_audit(patient: Patient) -> Iterator[Finding]:
    """The whole trail, link by link."""
    broken = verify(patient.store)
    newest = next(iter(read(patient.store, AuditFilter(), 1)), None)
    if broken:
        yield Finding(FAIL, str(broken), "keep the store as it is and tell the auditor; compare with the audit_seq and hash in the backups")
    elif newest is None:
        yield Finding(OK, "the trail is empty")
    else:
        yield Finding(OK, f"unbroken, {newest.seq} rows; head {newest.hash[:16]}")


def check_backup(patient: Patient) -> Iterator[Finding]:
    """When this store was last backed up, by its own trail."""
    last = next(iter(read(patient.store, AuditFilter(action="backup"), 1)), None)
    remedy = "python cli.py backup --keep 14, daily by a timer (docs/operate.md)"
    if last is None:
        yield Finding(WARN, "this store was never backed up", remedy)
        return
    days = (instant(patient.now) - last.at) / DAY
    severity = FAIL if days > BACKUP_FAIL_DAYS else WARN if days > BACKUP_WARN_DAYS else OK
    yield Finding(severity, f"last backup {moment(last.at):%Y-%m-%d %H:%M} UTC, {days:.1f} days ago", remedy)


def check_files(patient: Patient) -> Iterator[Finding]:
    """Who on this machine may read the store and the city file."""
    paths = [path for path in (patient.city_file,) if path]
    if patient.store.is_sqlite:
        base = str(patient.store.engine.url.database)
        paths += [Path(base + end) for end in ("", "-wal")]
    is_open = [path for path in paths if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o007]
    # a file is as open as the folder it lies in
    reachable = [path for path in is_open if all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)]
    for path in reachable:  # a city file names no secret in plain, a store is full of what is not public
        severity = NOTE if path == patient.city_file else WARN
        yield Finding(severity, f"{path} can be read by every user of this machine", f"chmod o-rwx {path}")
    if not reachable:
        yield Finding(OK, f"{len(paths)} files closed to other users")
