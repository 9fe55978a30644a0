"""Reads the city's lists (agencies, procedures, categories) from the CSV files the city file names."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

from store.catalogue import put_agencies, put_categories, put_procedures
from store.days import number_of
from store.engine import Store
from store.facts import level_of
from store.rows import LIMIT_UNITS, AgencyRow, CategoryRow, ProcedureRow


class CatalogueError(ValueError):
    """A list cannot be read; the message names file, line, column and remedy."""


def load_catalogue(store: Store, files: Mapping[str, str]) -> None:
    """Upsert the lists named by `files` (agencies | procedures | categories -> path) in one transaction each."""
    unknown = files.keys() - {"agencies", "procedures", "categories"}
    if unknown:
        raise CatalogueError(f"[catalogue] {', '.join(sorted(unknown))}: unknown list; there are agencies, procedures, categories")
    if "agencies" in files:
        agencies = [_agency(row, where) for row, where in _rows(files["agencies"], ("code", "name"))]
        store.write(lambda connection: put_agencies(connection, agencies))
    if "procedures" in files:
        procedures = [_procedure(row, where) for row, where in _rows(files["procedures"], ("code", "name"))]
        store.write(lambda connection: put_procedures(connection, procedures))
    if "categories" in files:
        found = _rows(files["categories"], ("code", "name"))
        categories = [CategoryRow(row["code"], row["name"], row.get("group", "")) for row, _ in found]
        store.write(lambda connection: put_categories(connection, categories))


def _rows(path: str, needed: tuple[str, ...]) -> Iterator[tuple[dict[str, str], str]]:
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in needed if name not in (reader.fieldnames or [])]
            if missing:
                raise CatalogueError(f"{path}: column {', '.join(missing)} is missing; the first line must name the columns")
            for row in reader:
                where = f"{path} line {reader.line_num}"
                if not all(row[name] for name in needed):
                    raise CatalogueError(f"{where}: {' and '.join(needed)} must not be empty")
                yield {name: value or "" for name, value in row.items() if name}, where
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read ({error.strerror}); check [catalogue] in the city file") from error


def _agency(row: dict[str, str], where: str) -> AgencyRow:
    return AgencyRow(
        code=row["code"], name=row["name"], name_en=row.get("name_en", ""), parent_code=row.get("parent_code", ""),
        kind=row.get("kind", ""), area_code=row.get("area_code", ""), valid_from_on=_day(row.get("valid_from", ""), where),
        valid_to_on=_day(row.get("valid_to", ""), where), successor_code=row.get("successor_code", ""),
        aliases=tuple(name.strip() for name in row.get("aliases", "").split("|") if name.strip()),
        officers=_whole(row, "officers", where),
    )


def _procedure(row: dict[str, str], where: str) -> ProcedureRow:
    level = level_of(row.get("level", ""))
    if level is None:
        raise CatalogueError(f"{where}: level {row['level']!r} is none; write full, partial or information, or 4, 3, 2, 1")
    return ProcedureRow(
        row["code"], row["name"], row.get("domain_code", ""), row.get("domain_name", ""), _days(row, "limit_days", where), level,
        central_limit_days=_days(row, "central_limit_days", where), has_fee=_flag(row, "has_fee", where),
        decision_on=_day(row.get("decision_on", ""), where), effective_on=_day(row.get("effective_on", ""), where),
        published_on=_day(row.get("published_on", ""), where), has_all_parts=_flag(row, "has_all_parts", where),
        limit_unit=_unit(row, where),
    )


def _unit(row: dict[str, str], where: str) -> str:
    unit, limit = row.get("limit_unit") or "wd", row.get("limit_days") or "0"
    if unit not in LIMIT_UNITS:
        raise CatalogueError(f"{where}: limit_unit {unit!r} is none; write h (hours), d (days), wd (working days) or m (months)")
    if unit in ("d", "m") and "." in limit.rstrip("0").rstrip("."):
        raise CatalogueError(f"{where}: limit_days {limit} {unit} is no whole number of days or months")
    return unit


def _days(row: dict[str, str], name: str, where: str) -> float | None:
    written = row.get(name, "")
    try:
        return float(written) if written else None
    except ValueError as error:
        raise CatalogueError(f"{where}: {name} {written!r} is no number of working days") from error


def _flag(row: dict[str, str], name: str, where: str) -> bool | None:
    written = row.get(name, "").strip().casefold()
    if written not in ("", "0", "1", "true", "false"):
        raise CatalogueError(f"{where}: {name} {written!r} is neither yes nor no; write 1 or 0")
    return None if not written else written in ("1", "true")


def _whole(row: dict[str, str], name: str, where: str) -> int | None:
    given = row.get(name, "").strip()
    if given and not (given.isascii() and given.isdecimal()):
        raise CatalogueError(f"{where}: {name} {given!r} is no whole number")
    return int(given) if given else None


def _day(value: str, where: str) -> int | None:
    try:
        return number_of(date.fromisoformat(value)) if value else None
    except ValueError as error:
        raise CatalogueError(f"{where}: {value!r} is no date; write yyyy-mm-dd") from error
