"""Makes a store out of a backup, on an empty machine or in place of another store, and proves that it is the same.

Killed at any moment, the target is what it was before or the whole restored store: SQLite by a rename, PostgreSQL by one transaction.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from config import Config, ConfigError, load_config
from store.audit import Entry, Head, record, verify
from store.backup import CopyFailed, check_sqlite, drop_aside, load_dump, settle_sqlite
from store.days import instant
from store.engine import Store, open_store
from store.migrate import NEWER, SchemaTooNew, migrate, newest_revision, schema_state
from store.serving import alone
from store.sizes import has_rows, store_bytes
from upkeep.archive import open_archive, require_space, sweep, sync_folder, unpack
from upkeep.backup import CITY_PART, DUMP_PART, SQLITE_PART, Say, expand
from upkeep.manifest import Manifest, compare_kpis, compare_rows, facts_of

_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
# a fresh SQLite file takes up to so many times the bytes it is packed into; only a guess to see a full disk early
PACKED = 5
WORK = ".restore-"


class RestoreRefused(Exception):
    """Nothing was done; the message says why and what to do."""


@dataclass(frozen=True)
class Task:
    """One restore: what, how it is told, by whom and when. `config` = the city's, None = the one in the archive."""

    archive: Path
    now: datetime
    replace: bool = False
    config: Config | None = None
    environ: Mapping[str, str] | None = None
    actor: str = ""
    say: Say = lambda _: None


def restore(task: Task, url: str, unpack_to: Path | None = None) -> Manifest:
    """Restore into the store at `url`; with `unpack_to` also the city file and its lists into that folder.

    Raises RestoreRefused, ArchiveDamaged, CopyFailed, StoreInUse, SchemaTooNew, OSError.
    """
    manifest = open_archive(task.archive)
    is_sqlite = url.startswith("sqlite")
    if (manifest.engine == "sqlite") != is_sqlite:
        raise RestoreRefused(
            f"the backup is of {manifest.engine}, the store is {'sqlite' if is_sqlite else 'postgresql'}: a backup is restored to its "
            "own engine only; to change engines, start an empty store and read the feeds again"
        )
    folder = Path(url.removeprefix("sqlite:///")).resolve().parent if is_sqlite else task.archive.resolve().parent
    folder.mkdir(parents=True, exist_ok=True)
    require_space(folder, PACKED * task.archive.stat().st_size, "restoring")
    sweep(folder, WORK, task.now)
    with tempfile.TemporaryDirectory(prefix=WORK, dir=folder) as made:
        unpack(task.archive, Path(made))
        task.say(f"archive: {len(manifest.parts)} parts of {manifest.city}, every sum as written")
        config = task.config or _city_of(Path(made), manifest, task)
        if unpack_to:
            _unpack_city(Path(made), manifest, unpack_to, task.say)
        _into_sqlite(task, config, manifest, Path(made), url) if is_sqlite else _into_postgres(task, config, manifest, Path(made), url)
    return manifest


def _into_sqlite(task: Task, config: Config, manifest: Manifest, work: Path, url: str) -> None:
    target = Path(url.removeprefix("sqlite:///")).resolve()
    old = open_store(url, config.tz)
    try:
        with alone(old, "restore"):
            is_there = target.exists()
            _require_free(old, task, is_there)
            fresh = expand(work / SQLITE_PART, work / "store.sqlite")
            check_sqlite(fresh)
            store = open_store(f"sqlite:///{fresh}", config.tz)
            _prove(task, config, manifest, store)
            store.dispose()
            old.dispose()
            settle_sqlite(fresh)
            os.chmod(fresh, 0o600)
            if is_there and (aside := _set_aside(target, task.now)):
                task.say(f"the store that was there is kept as {aside.name}")
            os.rename(fresh, target)  # replaces the old one in one step
            sync_folder(target.parent)
    finally:
        old.dispose()
    task.say(f"restored: {target}")


def _set_aside(target: Path, now: datetime) -> Path | None:
    """Give the old file a second name; None when it holds nothing to keep."""
    if target.stat().st_size == 0:
        return None
    settle_sqlite(target)
    aside = target.with_name(f"{target.name}.before-restore-{now:%Y%m%d-%H%M%S}")
    os.link(target, aside)
    return aside


def _into_postgres(task: Task, config: Config, manifest: Manifest, work: Path, url: str) -> None:
    store = open_store(url, config.tz)
    try:
        with alone(store, "restore"):
            was_empty = _require_free(store, task, True)
            aside = load_dump(work / DUMP_PART, store, f"{task.now:%Y%m%d_%H%M%S}")
            if was_empty:
                drop_aside(store, aside)
            else:
                task.say(f"the tables that were there are kept in the schema {aside}; when all is well: DROP SCHEMA {aside} CASCADE")
            _prove(task, config, manifest, store)
    finally:
        store.dispose()
    task.say(f"restored: {store.engine.url.render_as_string(hide_password=True)}")


def _require_free(store: Store, task: Task, is_there: bool) -> bool:
    """True when the store holds no row. Raises RestoreRefused when it does and may not be replaced."""
    if not is_there:
        return True
    with store.reading() as connection:
        is_empty = not has_rows(connection)
    if not is_empty and not task.replace:
        raise RestoreRefused(
            f"the store is not empty ({store_bytes(store) / 1e6:.1f} MB): nothing was changed. With --replace it is set aside first"
        )
    return is_empty


def _prove(task: Task, config: Config, manifest: Manifest, store: Store) -> None:
    """Rows and revisions as counted at the backup, then the schema of this program, then the figures and the audit trail."""
    told, say = manifest.facts, task.say
    with store.reading() as connection:
        if schema_state(connection) == NEWER:
            raise SchemaTooNew(f"the backup is of schema {told.schema}, which this version does not know; restore it with the newer one")
        found = facts_of(connection, store, config, task.now)
    _require(compare_rows(told, found))
    say(f"rows: {sum(told.tables.values())} in {len(told.tables)} tables, as in the backup")
    say(f"revisions: {', '.join(f'{topic} {number}' for topic, number in told.revisions.items())}, as in the backup")
    migrate(store)
    if told.schema != newest_revision():
        say(f"schema: upgraded from {told.schema} to {newest_revision()}; KPI values are not compared across schemas")
    elif task.config is None and not manifest.city_file:
        say("KPI values: not compared, the backup holds no city file; give one with --city")
    else:
        _require(compare_kpis(told, found))
        say(f"KPI values: {len(told.kpis)} values, as in the backup")
    _prove_audit(told.audit_seq, told.audit_hash, store, say)
    detail = {"file": task.archive.name, "schema": told.schema, "audit_seq": told.audit_seq}
    record(store, Entry(instant(task.now), task.actor or "system", "restore", "store", detail=detail))


def _prove_audit(seq: int, digest: str, store: Store, say: Callable[[str], None]) -> None:
    broken = verify(store, [Head(seq, digest)] if seq else [])
    if broken:  # it was so when the backup was taken: the data are whole, but somebody must know
        say(f"AUDIT TRAIL: {broken}")
    else:
        say(f"audit trail: unbroken, {seq} rows")


def _require(faults: list[str]) -> None:
    if faults:
        raise CopyFailed("the restored store is not what was backed up:\n" + "\n".join(f"- {fault}" for fault in faults[:20]))


def _city_of(work: Path, manifest: Manifest, task: Task) -> Config:
    """The archived city's configuration; unset variables are secrets or addresses, which no figure needs."""
    path = work / CITY_PART
    if not manifest.city_file:
        return Config(manifest.city)
    environ = dict.fromkeys(_VARIABLE.findall(path.read_text("utf-8")), "") | dict(task.environ or {})
    try:
        return replace(load_config(path, environ), catalogue={})
    except ConfigError as fault:
        raise RestoreRefused(f"the city file in the archive cannot be read; give one with --city: {fault}") from fault


def _unpack_city(work: Path, manifest: Manifest, folder: Path, say: Say) -> None:
    """City file and lists into a folder, replacing nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (manifest.city_file, *manifest.catalogue.values()):
        target = folder / Path(name).name
        if not name:
            continue
        if target.exists():
            say(f"{target} is there already and was left as it is")
            continue
        target.write_bytes((work / name).read_bytes())
        say(f"wrote {target}")
    say("secrets are not in a backup: set the variables the city file names, and its [catalogue] paths if the lists lay elsewhere")
