"""The file a backup is: a tar of the manifest, the store, the city file and its lists. Written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from upkeep.manifest import Manifest, read_manifest

MANIFEST = "manifest.json"
NAME = re.compile(r"toancanh-[a-z0-9-]+-\d{8}-\d{6}\.tar")
MEMBER = re.compile(r"[a-z][a-z0-9_.-]*(/[A-Za-z0-9_.-]+){0,3}")
CHUNK = 1 << 20
PRIVATE = 0o600


class ArchiveDamaged(Exception):
    """The archive cannot be trusted: cut, changed, or none of ours."""


@dataclass(frozen=True)
class Part:
    """A file to go into the archive under a name."""

    name: str
    path: Path


def name_of(city: str, now: datetime) -> str:
    """toancanh-<city>-<yyyymmdd-hhmmss>.tar, UTC; the city's name in plain letters."""
    return f"toancanh-{slug(city)}-{now:%Y%m%d-%H%M%S}.tar"


def slug(words: str) -> str:
    """A name in a-z, 0-9 and hyphens."""
    plain = unicodedata.normalize("NFD", words.lower().replace("đ", "d")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "city"


def sums_of(parts: Iterable[Part]) -> dict[str, dict[str, object]]:
    """SHA-256 and size of each part, by name."""
    found: dict[str, dict[str, object]] = {}
    for part in parts:
        with open(part.path, "rb") as file:
            found[part.name] = {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": part.path.stat().st_size}
    return found


def write_archive(target: Path, manifest: Manifest, parts: Iterable[Part], folder: Path) -> None:
    """Write the tar beside its target, put it on disk, then give it its name: whoever sees the name sees a whole file."""
    told, temporary = folder / MANIFEST, folder / "archive.tar"
    told.write_text(manifest.to_json(), "utf-8")
    with open(temporary, "wb") as file:
        os.fchmod(file.fileno(), PRIVATE)
        with tarfile.open(fileobj=file, mode="w") as archive:
            for part in (Part(MANIFEST, told), *parts):
                archive.add(part.path, part.name, recursive=False, filter=_plain)
                if part.path.parent == folder:
                    part.path.unlink()  # its space is needed for the next
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, target)
    sync_folder(target.parent)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = PRIVATE
    return member


def sync_folder(folder: Path) -> None:
    """Put a folder's names on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_archive(path: Path) -> Manifest:
    """The manifest of an archive. Raises ArchiveDamaged."""
    try:
        with tarfile.open(path) as archive:
            first = archive.next()
            if first is None or first.name != MANIFEST or first.size > 10_000_000:
                raise ArchiveDamaged(f"{path.name}: this is none of our backups: the manifest is missing")
            return read_manifest(_file(archive, first).read())
    except FileNotFoundError as fault:
        raise ArchiveDamaged(f"{path}: no such file") from fault
    except (tarfile.TarError, ValueError, EOFError) as fault:
        raise ArchiveDamaged(f"{path.name}: {fault}") from fault


def unpack(path: Path, folder: Path) -> Manifest:
    """Every part into the folder, its sum checked on the way. Raises ArchiveDamaged at the first that differs or is missing."""
    manifest = open_archive(path)
    try:
        with tarfile.open(path) as archive:
            members = {member.name: member for member in archive.getmembers()}
            for name, told in manifest.parts.items():
                if not MEMBER.fullmatch(name) or ".." in name or name not in members or not members[name].isfile():
                    raise ArchiveDamaged(f"{path.name}: the part {name} is missing")
                if _copy(_file(archive, members[name]), folder / name) != told["sha256"]:
                    raise ArchiveDamaged(f"{path.name}: the part {name} is damaged: its SHA-256 is not the manifest's")
    except (tarfile.TarError, EOFError, OSError) as fault:
        raise ArchiveDamaged(f"{path.name}: {fault}") from fault
    return manifest


def _file(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    found = archive.extractfile(member)
    if found is None:
        raise ArchiveDamaged(f"{member.name} is no file")
    return found


def _copy(source: IO[bytes], target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with open(target, "wb") as file:
        os.fchmod(file.fileno(), PRIVATE)
        while block := source.read(CHUNK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def archives_in(folder: Path, city: str = "") -> list[Path]:
    """Backups in a folder, of one city or of all, oldest first."""
    wanted = f"toancanh-{slug(city)}-" if city else "toancanh-"
    found = [path for path in folder.glob("toancanh-*.tar") if NAME.fullmatch(path.name)]
    return sorted((p for p in found if not city or p.name[:-19] == wanted), key=lambda p: p.name[-19:])


def prune(folder: Path, city: str, keep: int) -> list[Path]:
    """Delete all but the newest `keep` backups of a city; returns what was deleted. 0 keeps all."""
    old = archives_in(folder, city)[:-keep] if keep > 0 else []
    for path in old:
        path.unlink()
    return old


def require_space(folder: Path, needed: int, what: str) -> None:
    """Raises OSError naming folder and sizes when the disk has less free than `needed`, with a tenth to spare."""
    free = shutil.disk_usage(folder).free
    if free < needed * 1.1:
        raise OSError(f"{what} needs about {needed / 1e6:.0f} MB in {folder}, {free / 1e6:.0f} MB are free: make room or choose another")


def sweep(folder: Path, prefix: str, now: datetime) -> None:
    """Remove the working folders that somebody killed more than a day ago has left."""
    for path in folder.glob(f"{prefix}*"):
        if now.timestamp() - path.stat().st_mtime > 86400:
            shutil.rmtree(path, ignore_errors=True)
