"""Lists as csv, xlsx, parquet and geojson: written whole into a temporary file, then sent; a fault on the way is an error, not a cut file.

Memory stays that of one page of rows, whatever the length.
"""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import pyarrow
import pyarrow.parquet
import xlsxwriter

from api.errors import ApiError
from store.days import moment

XLSX_ROWS = 1_048_575
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # wide ones are read alike in some languages
MEDIA_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
    "geojson": "application/geo+json",
}
TABLE_FORMATS = ("csv", "xlsx", "parquet")


@dataclass(frozen=True)
class Column:
    """A column: its key, its kind (text | whole | number | flag | at = instant in microseconds UTC), its shown label."""

    key: str
    kind: str = "text"
    label: str = ""


@dataclass(frozen=True)
class Table:
    """Rows in chunks, each row in the order of the columns. `rows` is called once, when writing begins."""

    name: str
    columns: tuple[Column, ...]
    rows: Callable[[], Iterator[Sequence[Sequence[Any]]]]


def write_table(table: Table, form: str, tz: ZoneInfo) -> Path:
    """Write the table into a new temporary file of that format; the caller deletes it."""
    handle, name = tempfile.mkstemp(prefix="toancanh-", suffix=f".{form}")
    try:
        with os.fdopen(handle, "wb") as out:
            {"csv": _write_csv, "xlsx": _write_xlsx, "parquet": _write_parquet, "geojson": _write_geojson}[form](table, out, tz)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _write_csv(table: Table, out: BinaryIO, tz: ZoneInfo) -> None:
    """UTF-8 with a byte order mark (else Excel reads it as something else), comma, quotes where needed, CRLF."""
    text = io.TextIOWrapper(out, "utf-8-sig", errors="replace", newline="", write_through=False)
    writer = csv.writer(text)
    writer.writerow([column.label or column.key for column in table.columns])
    for chunk in table.rows():
        writer.writerows([csv_cell(value, column, tz) for value, column in zip(row, table.columns, strict=True)] for row in chunk)
    text.flush()
    text.detach()


def csv_cell(value: Any, column: Column, tz: ZoneInfo) -> Any:
    """One cell; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if column.kind == "at":
        return _local(value, tz).isoformat()
    if column.kind == "flag":
        return int(value)
    if column.kind != "text":
        return value
    text = str(value).replace("\0", "")
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _write_xlsx(table: Table, out: BinaryIO, tz: ZoneInfo) -> None:
    """Row by row in constant memory. Texts are written as texts: a leading = stays a letter."""
    book = xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(table.name[:31])
    when = book.add_format({"num_format": "dd/mm/yyyy hh:mm"})
    sheet.write_row(0, 0, [column.label or column.key for column in table.columns], book.add_format({"bold": True}))
    number = 0
    for chunk in table.rows():
        for row in chunk:
            number += 1
            if number > XLSX_ROWS:
                raise ApiError(
                    400,
                    "too_long",
                    f"more than {XLSX_ROWS} rows do not fit one sheet",
                    remedy="narrow the filters, or ask for csv",
                )
            for place, (value, column) in enumerate(zip(row, table.columns, strict=True)):
                if value is not None:
                    _write_cell(sheet, number, place, value, column.kind, tz, when)
    book.close()


def _write_cell(sheet: Any, number: int, place: int, value: Any, kind: str, tz: ZoneInfo, when: Any) -> None:
    if kind == "at":
        sheet.write_datetime(number, place, _local(value, tz).replace(tzinfo=None), when)
    elif kind == "flag":
        sheet.write_boolean(number, place, bool(value))
    elif kind == "text":
        sheet.write_string(number, place, str(value)[:32_767])
    else:
        sheet.write_number(number, place, value)


def _write_parquet(table: Table, out: BinaryIO, tz: ZoneInfo) -> None:
    """Typed columns; instants are UTC timestamps in microseconds, exact."""
    kinds = {
        "text": pyarrow.string(),
        "whole": pyarrow.int64(),
        "number": pyarrow.float64(),
        "flag": pyarrow.bool_(),
        "at": pyarrow.timestamp("us", tz="UTC"),
    }
    schema = pyarrow.schema([(column.label or column.key, kinds[column.kind]) for column in table.columns])
    with pyarrow.parquet.ParquetWriter(out, schema) as writer:
        for chunk in table.rows():
            arrays = [pyarrow.array([row[place] for row in chunk], field.type) for place, field in enumerate(schema)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def _write_geojson(table: Table, out: BinaryIO, tz: ZoneInfo) -> None:
    """A FeatureCollection (RFC 7946), a feature a row: a point of its columns lon and lat, null where it has none."""
    keys = [column.key for column in table.columns]
    lon, lat = keys.index("lon"), keys.index("lat")
    told = [(place, column) for place, column in enumerate(table.columns) if place not in (lon, lat)]
    out.write(b'{"type":"FeatureCollection","features":[')
    start = b"\n"
    for chunk in table.rows():
        for row in chunk:
            point = None if row[lon] is None or row[lat] is None else {"type": "Point", "coordinates": [row[lon], row[lat]]}
            cells = {c.label or c.key: iso(row[place], tz) if c.kind == "at" else row[place] for place, c in told}
            feature = {"type": "Feature", "geometry": point, "properties": cells}
            out.write(start + json.dumps(feature, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))
            start = b",\n"
    out.write(b"\n]}\n")


@lru_cache(maxsize=256)  # every figure of an answer bears the same instant
def _local(at: int, tz: ZoneInfo) -> datetime:
    return moment(at).astimezone(tz)


def iso(at: int | None, tz: ZoneInfo) -> str | None:
    """An instant as ISO 8601 with the city's offset; None for None."""
    return None if at is None else _local(at, tz).isoformat()


def format_of(suffix: str, accept: str) -> str:
    """json, csv, xlsx or parquet: the address's suffix, else the best of the Accept header, else json."""
    if suffix:
        return suffix
    ranked = []
    for part in accept.split(","):
        kind, *options = (piece.strip().lower() for piece in part.split(";"))
        weight = next((option[2:] for option in options if option.startswith("q=")), "1")
        try:
            ranked.append((float(weight), kind))
        except ValueError:
            continue
    for _, kind in sorted(ranked, key=lambda pair: -pair[0]):
        found = next((form for form in ("json", *TABLE_FORMATS) if MEDIA_TYPES[form] == kind), None)
        if found:
            return found
        if kind in ("*/*", "application/*"):
            return "json"
    return "json"
