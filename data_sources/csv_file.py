"""The client for CSV files: one, many in a folder or glob, plain, .gz or .zip; rows come out as dicts of text.

The cursor names each file by size, time and a hash of its head, so an unchanged file is not read twice and a grown one
goes on where it ended. It knows nothing of what the columns mean.
"""

from __future__ import annotations

import csv
import glob
import gzip
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from config import ConfigError, FeedConfig
from data_sources.feed import FeedError, RawBatch
from data_sources.rejects import BadRow

SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".zip")
HEAD = 4096
MAX_LINE = 4_000_000
DELIMITERS = (",", ";", "\t", "|")
# options key -> (type, default)
OPTIONS: dict[str, tuple[type, Any]] = {
    "batch": (int, 5000), "delimiter": (str, ""), "encoding": (str, ""), "header": (list, []),
    "group_by": (list, []), "max_rows": (int, 500_000),
}


@dataclass(frozen=True)
class _Source:
    """One CSV text: a file, or one member of a zip archive."""

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        return f"{self.path.name}/{self.member}" if self.member else self.path.name

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The uncompressed bytes."""
        if self.member:
            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as stream:
                yield stream
        elif self.path.suffix == ".gz":
            with gzip.open(self.path) as stream:
                yield cast("IO[bytes]", stream)
        else:
            with self.path.open("rb") as stream:
                yield stream


def csv_client(manifest: FeedConfig, cursor: str | None, now: datetime) -> Iterator[RawBatch]:
    """Batches of rows not yet read. Rows that do not fit the header come as BadRow. Raises FeedError, ConfigError.

    With options.group_by the whole set is one read: each item is the first row of a group plus {"rows": [all of them]}.
    """
    options = read_options(manifest)
    known: dict[str, Any] = _read_cursor(cursor)
    try:
        sources = _sources(manifest)
        identities = {source.name: _identity(source) for source in sources}
        whole = manifest.delivery == "snapshot" or bool(options["group_by"])
        if whole:
            if all(_is_unchanged(known.get(name), identity) for name, identity in identities.items()):
                return
            known = {}
        if options["group_by"]:
            yield from _grouped(manifest, options, sources, identities)
            return
        state = {name: known[name] for name in identities if name in known}
        for source in sources:
            yield from _batches(manifest, options, source, identities[source.name], state)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, UnicodeError, RuntimeError) as fault:
        remedy = "set options.encoding" if isinstance(fault, UnicodeError) else "check the path and the file"
        raise FeedError(f"feed {manifest.key}: {manifest.path}: cannot be read: {fault}; {remedy}") from fault


def read_options(manifest: FeedConfig) -> dict[str, Any]:
    """The feed's options with defaults. Raises ConfigError with every fault."""
    faults = []
    for key, value in manifest.options.items():
        if key not in OPTIONS:
            faults.append(f"unknown option {key!r}; known: {', '.join(OPTIONS)}")
        elif not isinstance(value, OPTIONS[key][0]) or isinstance(value, bool):
            faults.append(f"option {key} = {value!r} must be a {OPTIONS[key][0].__name__}")
        elif isinstance(value, int) and value < 1:
            faults.append(f"option {key} must be 1 or more")
        elif key == "delimiter" and len(str(value)) != 1:
            faults.append('option delimiter must be one letter; "\\t" is the tab')
    if faults:
        raise ConfigError("\n".join(f"- feed {manifest.key}: {fault}" for fault in faults))
    return {key: manifest.options.get(key, default) for key, (_, default) in OPTIONS.items()}


def _sources(manifest: FeedConfig) -> list[_Source]:
    path = Path(manifest.path)
    if not manifest.path:
        raise FeedError(f"feed {manifest.key}: path is missing; name a file, a folder or a pattern like drop/*.csv")
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.name.lower().endswith(SUFFIXES))
    elif glob.has_magic(manifest.path) and not path.exists():
        files = sorted(Path(name) for name in glob.glob(manifest.path, recursive=True))
        if not files and not path.parent.is_dir():
            raise FileNotFoundError(f"no folder {path.parent}")
    else:
        files = [path]
    sources: list[_Source] = []
    for file in files:
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as archive:
                members = sorted(name for name in archive.namelist() if name.lower().endswith(SUFFIXES[:3]))
            sources += [_Source(file, member) for member in members]
        else:
            sources.append(_Source(file))
    return sources


def _identity(source: _Source) -> dict[str, Any]:
    found = source.path.stat()
    with source.open() as stream:
        head = stream.read(HEAD)
    return {"size": found.st_size, "mtime": found.st_mtime_ns, "head": _digest(head), "head_size": len(head)}


def _digest(head: bytes) -> str:
    return hashlib.sha256(head).hexdigest()[:32]


def _read_cursor(cursor: str | None) -> dict[str, Any]:
    try:
        read = json.loads(cursor) if cursor else {}
    except ValueError:
        return {}  # a cursor of another version: read again, which changes nothing
    files = read.get("files") if isinstance(read, dict) else None
    wanted = {"size", "mtime", "head", "head_size", "offset", "rows", "done"}
    known = files.items() if isinstance(files, dict) else ()
    return {name: place for name, place in known if isinstance(place, dict) and place.keys() >= wanted}


def _is_unchanged(known: Mapping[str, Any] | None, identity: Mapping[str, Any]) -> bool:
    return known is not None and bool(known.get("done")) and identity.items() <= known.items()


def _resume_at(known: Mapping[str, Any] | None, source: _Source, identity: Mapping[str, Any]) -> tuple[int, int]:
    """(byte, row) to go on from: the end of the last read when the file only grew, else the beginning."""
    if known is None or known["size"] > identity["size"]:
        return 0, 0
    if known["size"] == identity["size"] and known["mtime"] != identity["mtime"]:
        return 0, 0  # rewritten in place
    with source.open() as stream:
        same_head = _digest(stream.read(known["head_size"])) == known["head"]
    return (known["offset"], known["rows"]) if same_head else (0, 0)


def _batches(
    manifest: FeedConfig, options: Mapping[str, Any], source: _Source, identity: Mapping[str, Any],
    state: dict[str, Any],
) -> Iterator[RawBatch]:
    """The rows of one file; each batch carries the cursor behind its last row (a snapshot only at the end)."""
    if _is_unchanged(state.get(source.name), identity):
        return
    place = _Place(*_resume_at(state.get(source.name), source, identity))
    items: list[Any] = []
    first = place.row
    for item in _read_rows(options, source, place):
        items.append(item)
        if len(items) == options["batch"]:
            state[source.name] = {**identity, "offset": place.offset, "rows": place.row, "done": False}
            yield RawBatch(items, _cursor(manifest, state), offset=first)
            items, first = [], place.row
    state[source.name] = {**identity, "offset": place.offset, "rows": place.row, "done": True}
    yield RawBatch(items, _cursor(manifest, state), offset=first)


def _cursor(manifest: FeedConfig, state: Mapping[str, Any]) -> str | None:
    if manifest.delivery == "snapshot" and not all(known["done"] for known in state.values()):
        return None
    return json.dumps({"files": state})


def _grouped(
    manifest: FeedConfig, options: Mapping[str, Any], sources: Sequence[_Source], identities: Mapping[str, Any]
) -> Iterator[RawBatch]:
    groups: dict[Any, list[dict[str, Any]]] = {}
    bad: list[Any] = []
    count = 0
    for source in sources:
        for item in _read_rows(options, source, _Place(0, 0)):
            count += 1
            if count > options["max_rows"]:
                raise FeedError(
                    f"feed {manifest.key}: more than {options['max_rows']} rows to group; "
                    "raise options.max_rows or send one row per dossier"
                )
            if isinstance(item, BadRow):
                bad.append(item)
                continue
            names = tuple(item.get(name, "") for name in options["group_by"])
            key: Any = names if any(names) else count  # a row without key stands alone and is refused by the parser
            groups.setdefault(key, []).append(item)
    items = bad + [{**rows[0], "rows": rows} for rows in groups.values()]
    size = options["batch"]
    state = {name: {**identity, "offset": 0, "rows": 0, "done": True} for name, identity in identities.items()}
    for start in range(0, max(len(items), 1), size):
        is_last = start + size >= len(items)
        yield RawBatch(items[start : start + size], json.dumps({"files": state}) if is_last else None, offset=start)


@dataclass
class _Place:
    """Where the last complete row ended: byte in the uncompressed text, number of data rows before it."""

    offset: int
    row: int


class _Lines:
    """Decoded lines of a byte stream. Not a generator: it goes on after a line that cannot be decoded."""

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._stream, self._encoding = stream, encoding
        self.offset = 0
        self.ends_open = False
        self.taken: list[bytes] = []  # the lines of the row being read

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        raw = self._stream.readline(MAX_LINE)
        if not raw:
            raise StopIteration
        is_first = self.offset == 0
        self.offset += len(raw)
        self.ends_open = raw[-1] != 10
        self.taken.append(raw)
        text = self.decode(raw)
        return text.removeprefix("\ufeff") if is_first else text

    def decode(self, raw: bytes) -> str:
        """The text of one line; UnicodeDecodeError when it is none."""
        return raw.decode(self._encoding)

    def seek(self, offset: int) -> None:
        """Go on from this byte."""
        self._stream.seek(offset)
        self.offset = offset
        self.taken.clear()


@dataclass(frozen=True)
class _Table:
    """What tells how a line becomes a row."""

    name: str
    delimiter: str
    columns: list[str]

    def row(self, cells: list[str], number: int) -> dict[str, str] | BadRow:
        """The row of these cells; a BadRow when they are not as many as the columns (empty ones at the end do not count)."""
        width = len(self.columns)
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]  # the lines end in a delimiter
        if len(cells) == width:
            return dict(zip(self.columns, cells, strict=True))
        return BadRow(self.name, number, f"{len(cells)} cells, the header has {width}")


def _read_rows(options: Mapping[str, Any], source: _Source, place: _Place) -> Iterator[dict[str, str] | BadRow]:
    """Rows behind `place`, which moves along; blank lines are skipped, rows that do not fit come as BadRow.

    A last line without an end may be half written: it is given now and, since `place` stays before it, again later.
    """
    with source.open() as stream:
        lines, delimiter, names = _head(options, stream)
        lines.seek(place.offset or lines.offset)
        table = _Table(source.name, delimiter, names)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            lines.taken.clear()
            item: dict[str, str] | BadRow | None = None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, UnicodeDecodeError):
                pass
            else:
                if not cells:
                    continue
                item = table.row(cells, place.row + 1)
            if item is None or (isinstance(item, BadRow) and len(lines.taken) > 1):
                found = _line_by_line(table, lines, place.row + 1)
                yield from found[:-1]
                place.row += len(found) - 1
                item = found[-1]
            if not lines.ends_open:
                place.offset, place.row = lines.offset, place.row + 1
            yield item


def _line_by_line(table: _Table, lines: _Lines, number: int) -> list[dict[str, str] | BadRow]:
    """Rows of the lines just taken, each on its own: one stray quote must not swallow the good rows behind it."""
    found: list[dict[str, str] | BadRow] = []
    is_single = len(lines.taken) == 1
    for raw in lines.taken:
        try:
            cells = next(csv.reader([lines.decode(raw)], delimiter=table.delimiter, strict=not is_single), [])
        except csv.Error as fault:
            found.append(BadRow(table.name, number + len(found), str(fault)[:200]))
        except UnicodeDecodeError as fault:
            found.append(BadRow(table.name, number + len(found), str(fault)[:200], "bad_encoding"))
        else:
            if cells:
                found.append(table.row(cells, number + len(found)))
    return found or [BadRow(table.name, number, "blank lines in quotes")]


def _head(options: Mapping[str, Any], stream: IO[bytes]) -> tuple[_Lines, str, list[str]]:
    """Lines placed on the first data row, the delimiter, the column names."""
    encoding = options["encoding"] or _encoding(stream.read(4))
    stream.seek(0)
    if encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32")):
        stream, encoding = io.BytesIO(stream.read().decode(encoding).encode()), "utf-8"
    lines = _Lines(stream, encoding)
    delimiter = options["delimiter"] or sniff_delimiter(next(lines, ""))
    lines.seek(0)
    header = options["header"] or next(csv.reader(lines, delimiter=delimiter), [])
    return lines, delimiter, unique_names(header)


def _encoding(start: bytes) -> str:
    return "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"


def sniff_delimiter(line: str) -> str:
    """The delimiter that occurs most often outside quotes in the header line; the comma when none does."""
    bare = "".join(line.split('"')[::2])
    best = max(DELIMITERS, key=bare.count)
    return best if bare.count(best) else ","


def unique_names(header: Sequence[str]) -> list[str]:
    """Column names without blanks around them; a nameless one is column_3, a repeated one gets #2."""
    names: list[str] = []
    for number, cell in enumerate(header, 1):
        name = str(cell).strip() or f"column_{number}"
        seen = names.count(name)
        names.append(f"{name}#{seen + 1}" if seen else name)
    return names
