"""Takes a backup while everything runs on, and looks whether one is whole."""

from __future__ import annotations

import gzip
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from config import Config
from store.audit import Entry, record
from store.backup import CopyFailed, Progress, check_dump, check_sqlite, snapshot
from store.days import instant
from store.engine import Store, open_store
from store.migrate import CURRENT, schema_state
from store.sizes import row_counts, store_bytes
from upkeep.archive import CHUNK, Part, archives_in, name_of, prune, require_space, sums_of, sweep, unpack, write_archive
from upkeep.manifest import FORMAT, Manifest, catalogue_of, engine_of, facts_of

Say = Callable[[str], None]
SQLITE_PART, DUMP_PART, CITY_PART = "store.sqlite.gz", "store.dump", "city/city.toml"
WORK = ".backup-"
# what must never be written into an archive in plain: literal secrets of a city file that should have been ${NAME}
_SECRET = re.compile(r'^(\s*(?:password|token|secret|api_key)\s*=\s*)(["\'])(?!\$\{).+?\2', re.MULTILINE)
_IN_URL = re.compile(r"(://[^:/@\s\"']+:)[^@/\s\"'$]+@")


@dataclass(frozen=True)
class Done:
    """A backup that was taken."""

    path: Path
    manifest: Manifest
    pruned: tuple[Path, ...]


def backup(
    store: Store, config: Config, target: Path, *, now: datetime, city_file: Path | None = None, keep: int = 0, actor: str = "",
    say: Say = lambda _: None,
) -> Done:
    """Write the backup into `target` (a folder, or a file ending in .tar); others read and write meanwhile.

    Raises CopyFailed, OSError (no room). Nothing of it is left when it fails.
    """
    folder = target.parent if target.suffix == ".tar" else target
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = target if target.suffix == ".tar" else target / name_of(config.name_en or config.name, now)
    require_space(folder, 2 * store_bytes(store), "a backup")
    sweep(folder, WORK, now)
    with tempfile.TemporaryDirectory(prefix=WORK, dir=folder) as made:
        work = Path(made)
        manifest, parts = _collect(store, config, work, now, city_file, say)
        write_archive(path, manifest, parts, work)
    if manifest.facts.audit_hash:
        detail = {"file": path.name, "schema": manifest.facts.schema, "audit_seq": manifest.facts.audit_seq}
        record(store, Entry(instant(now), actor or "system", "backup", "store", detail=detail))
    pruned = prune(folder, config.name_en or config.name, keep)
    say(f"{path} ({path.stat().st_size / 1e6:.1f} MB): {sum(manifest.facts.tables.values())} rows, schema {manifest.facts.schema}")
    for old in pruned:
        say(f"deleted {old.name}")
    return Done(path, manifest, tuple(pruned))


def _collect(
    store: Store, config: Config, work: Path, now: datetime, city_file: Path | None, say: Say
) -> tuple[Manifest, list[Part]]:
    """Counts and copy from one snapshot, then the rest."""
    raw = work / ("store.sqlite" if store.is_sqlite else DUMP_PART)
    with snapshot(store) as seen:
        engine, version = engine_of(store, seen.connection)
        say(f"copying the store ({engine} {version}, {store_bytes(store) / 1e6:.1f} MB)")
        seen.copy_to(raw, steps(say, "copied"))
        facts = facts_of(seen.connection, store, config, now)
    parts = [Part(DUMP_PART, raw)] if engine == "postgresql" else [Part(SQLITE_PART, compress(raw, work / SQLITE_PART, say))]
    lists = {key: f"city/lists/{key}.csv" for key in catalogue_of(config)}
    parts += [Part(lists[key], path) for key, path in catalogue_of(config).items()]
    if city_file:
        kept = work / "city.toml"
        kept.write_text(without_secrets(city_file.read_text("utf-8")), "utf-8")
        parts.append(Part(CITY_PART, kept))
    name = config.name_en or config.name
    manifest = Manifest(FORMAT, name, engine, version, instant(now), facts, CITY_PART if city_file else "", lists, sums_of(parts))
    return manifest, parts


def without_secrets(toml: str) -> str:
    """A city file's text with literal passwords taken out; ${NAME} values stay, since they name no secret."""
    return _IN_URL.sub(r"\1***@", _SECRET.sub(r"\1\2***\2", toml))


def compress(source: Path, target: Path, say: Say = lambda _: None) -> Path:
    """The file as gzip; the plain one is deleted."""
    tell, size, done = steps(say, "compressed"), max(source.stat().st_size, 1), 0
    with open(source, "rb") as plain, gzip.open(target, "wb", compresslevel=3) as packed:
        while block := plain.read(CHUNK):
            packed.write(block)
            done += len(block)
            tell(done / size)
    source.unlink()
    return target


def expand(source: Path, target: Path) -> Path:
    """The gzip as a plain file. Raises CopyFailed when it is cut or changed."""
    try:
        with gzip.open(source, "rb") as packed, open(target, "wb") as plain:
            shutil.copyfileobj(packed, plain, CHUNK)
    except (OSError, EOFError) as fault:
        raise CopyFailed(f"{source.name}: {fault}") from fault
    return target


def steps(say: Say, what: str) -> Progress:
    """Says every quarter that is done, when there is more than one to tell."""
    told = [0]

    def tell(share: float) -> None:
        quarter = int(share * 4)
        if told[0] < quarter < 4:
            told[0] = quarter
            say(f"{what} {quarter * 25} %")

    return tell


def verify_backup(path: Path, *, say: Say = lambda _: None) -> Manifest:
    """Every part's sum, and the store in it opened and counted. Raises ArchiveDamaged or CopyFailed naming what is wrong."""
    require_space(path.parent, path.stat().st_size if path.exists() else 0, "checking the backup")
    with tempfile.TemporaryDirectory(prefix=WORK, dir=path.parent) as made:
        work = Path(made)
        manifest = unpack(path, work)
        say(f"sums: {len(manifest.parts)} parts as written")
        if manifest.engine == "postgresql":
            check_dump(work / DUMP_PART)
            say("store: the dump can be read to its end")
        else:
            _check_rows(expand(work / SQLITE_PART, work / "store.sqlite"), manifest, say)
    return manifest


def _check_rows(path: Path, manifest: Manifest, say: Say) -> None:
    check_sqlite(path)
    opened = open_store(f"sqlite:///{path}", ZoneInfo("UTC"))
    try:
        with opened.reading() as connection:
            found, state = row_counts(connection), schema_state(connection)
    finally:
        opened.dispose()
    if found != dict(manifest.facts.tables):
        raise CopyFailed("the rows in the store are not as many as the manifest says")
    age = "" if state == CURRENT else f", {state} than this program's"
    say(f"store: whole, {sum(found.values())} rows in {len(found)} tables, schema {manifest.facts.schema}{age}")


def newest(folders: Iterable[Path], city: str) -> Path | None:
    """The newest backup of a city in these folders."""
    found = [path for folder in folders for path in archives_in(folder, city)]
    return max(found, key=lambda path: path.name, default=None)
