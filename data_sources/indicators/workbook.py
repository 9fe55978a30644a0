"""The client for Excel workbooks (.xlsx): one sheet each of one file, a folder or a pattern; rows come out as dicts of text.

Numbers are written with the decimal mark the feed's mapping reads, so that cells that are numbers and cells that are texts ("13/19")
of one column are read alike. A cell shown as a percentage gives what people see: 0.8884 under 0.00% is 88.84.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from config import ConfigError, FeedConfig
from data_sources.csv_file import unique_names
from data_sources.feed import FeedError, RawBatch
from data_sources.options import check_options
from data_sources.rejects import BadRow

OPTIONS: dict[str, tuple[type, ...]] = {"sheet": (str,), "header_row": (int,), "decimal": (str,), "batch": (int,), "max_rows": (int,)}
MAX_ROWS, MAX_COLUMNS, BATCH = 100_000, 1000, 5000


def read_workbook(manifest: FeedConfig, cursor: str | None, now: datetime) -> Iterator[RawBatch]:
    """All rows of the workbooks when one of them has changed since the cursor, else nothing. Raises FeedError, ConfigError."""
    check_options(manifest, OPTIONS)
    mark = decimal_mark(manifest)
    files = _files(manifest)
    seen = json.dumps({"files": {path.name: _identity(path) for path in files}})
    if seen == cursor:
        return
    items: list[Any] = []
    first, size = 0, max(1, int(manifest.options.get("batch", BATCH)))
    for path in files:
        for item in _rows(manifest, path, mark):
            items.append(item)
            if len(items) > size:
                yield RawBatch(items[:size], None, offset=first)
                items, first = items[size:], first + size
    yield RawBatch(items, seen, offset=first)


def decimal_mark(manifest: FeedConfig) -> str:
    """The decimal mark numbers are written with: options.decimal, else the one the mapping's `number` rows share, else the point."""
    given = manifest.options.get("decimal")
    marks = {spec["number"] for spec in manifest.fields.values() if isinstance(spec, Mapping) and spec.get("number") in (".", ",")}
    if given in (".", ","):
        return str(given)
    if given is not None or len(marks) > 1:
        raise ConfigError(f'- feed {manifest.key}: set options.decimal to "." or ",": the mapping reads numbers with {sorted(marks)}')
    return marks.pop() if marks else "."


def _files(manifest: FeedConfig) -> list[Path]:
    path = Path(manifest.path)
    if not manifest.path:
        raise FeedError(f"feed {manifest.key}: path is missing; name a workbook, a folder or a pattern like drop/*.xlsx")
    if path.is_dir():
        return sorted(path.glob("*.xlsx"))
    if glob.has_magic(manifest.path) and not path.exists():
        return sorted(Path(name) for name in glob.glob(manifest.path, recursive=True))
    return [path]


def _identity(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""  # reading it will tell
    return f"{found.st_size}:{found.st_mtime_ns}"


def _rows(manifest: FeedConfig, path: Path, mark: str) -> Iterator[dict[str, str] | BadRow]:
    where = f"feed {manifest.key}: {path}"
    limit = int(manifest.options.get("max_rows", MAX_ROWS))
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except FileNotFoundError as fault:
        raise FeedError(f"{where}: no such file; check the feed's path") from fault
    except (OSError, BadZipFile, InvalidFileException, KeyError, ValueError) as fault:
        raise FeedError(f"{where}: cannot be read as a workbook: {fault}; save it again as .xlsx") from fault
    try:
        names: list[str] = []
        for number, cells in enumerate(_sheet(manifest, book, where).iter_rows(max_col=MAX_COLUMNS), 1):
            if number < int(manifest.options.get("header_row", 1)):
                continue
            texts = [_cell(cell, mark) for cell in cells]
            if not names:
                names = unique_names(_trimmed(texts))
            elif any(texts):
                if number > limit:
                    raise FeedError(f"{where}: more than {limit} rows; raise options.max_rows or send fewer")
                yield _row(path.name, number, names, texts)
    finally:
        book.close()


def _sheet(manifest: FeedConfig, book: Any, where: str) -> Any:
    name = manifest.options.get("sheet")
    if name is None:
        return book.worksheets[0]
    if name not in book.sheetnames:
        raise FeedError(f"{where}: no sheet {name!r}; there are: {', '.join(book.sheetnames)}; set options.sheet")
    return book[name]


def _row(file: str, number: int, names: list[str], texts: list[str]) -> dict[str, str] | BadRow:
    if any(texts[len(names) :]):
        return BadRow(file, number, f"{len(_trimmed(texts))} cells, the header has {len(names)}")
    return dict(zip(names, texts + [""] * (len(names) - len(texts)), strict=False))


def _trimmed(texts: list[str]) -> list[str]:
    """Without the empty cells at the end."""
    while texts and not texts[-1]:
        texts = texts[:-1]
    return texts


def _cell(cell: Any, mark: str) -> str:
    """What stands in a cell, as text; numbers with this decimal mark and no thousands."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (int, float)):
        if "%" in str(cell.number_format or ""):
            value = round(value * 100, 10)
        return format(value, ".15g").replace(".", mark)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    return value.isoformat() if isinstance(value, date) else str(value).strip()
