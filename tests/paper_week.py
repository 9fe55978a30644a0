"""A made-up week with every kind of cell a brief can hold, in the tables' own columns; and reading a brief's files back."""

from __future__ import annotations

import re
import subprocess
import zlib
from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl

from briefs.brief import Brief
from briefs.content import content_of
from metrics.city import City
from metrics.city.weekly import LeftOut, Weekly
from metrics.city.weekly.parts import Cell, Column, Figure, Link, Row, Statement, Table, Word
from metrics.city.weekly.written import written
from metrics.periods import parse_period

LONG = "Ban Quản lý Khu kinh tế và các khu công nghiệp tỉnh, bộ phận tiếp nhận và trả kết quả hồ sơ thủ tục hành chính"
DANGEROUS = ("=HYPERLINK(\"http://x.test\")", "+1+1", "-2", "@SUM(A1)", "<b>&amp; \\ \"'", LONG)
COLUMNS = (Column("agency"), Column("value", "figure"), Column("change", "figure"), Column("oldest", "date"), Column("why"))
CELLS: tuple[tuple[Cell, ...], ...] = (
    (Figure(1234567.0, "dossier"), Figure(0.0, "dossier", is_change=True), date(2026, 11, 9), None),
    (Figure(88.25, "percent", 1), Figure(-3.15, "percent", 1, is_change=True), None, Word("kpi.vn_aqi.label")),
    (Figure(-0.5, "none", 2), Figure(4.0, "none", 2, is_change=True), date(2025, 1, 31), "a, b"),
    (Figure(None, "dossier", state="suppressed"), Figure(None, "dossier"), None, None),
    (Figure(182, "aqi"), None, None, "x"),
    (Figure(1.25, "working_day", 1), Figure(12.0, "working_day", 1, is_change=True), date(2026, 2, 16), None),
)
LATE = LeftOut("iot", "Trạm quan trắc", Word("weekly.section.environment"), is_needed=False)


def made_up(city: City, rows: int = len(CELLS), *, left_out: tuple[LeftOut, ...] = (LATE,), value: float = 12.0) -> Weekly:
    """A week whose table has so many rows; `value` is the figure of its one statement and of its second table."""
    week = parse_period("2026-W46", city.today)
    told = tuple(Row((DANGEROUS[at % len(CELLS)], *CELLS[at % len(CELLS)]), Link("/dossiers")) for at in range(rows))
    kpi = Word("kpi.dossiers_overdue.label")
    small = Table("feedback", "feedback", (Column("kpi"), Column("value", "figure")), (Row((kpi, Figure(value, "dossier"))),), (kpi,))
    link = Link("/dossiers", {"state": "overdue", "period": week.text})
    said = Statement("overdue", Word("brief.left_out_why", {"feed": kpi, "why": Figure(value, "dossier")}), link, is_warning=True)
    return Weekly(
        week, True, city.as_of, city.revision, (said,), (Table("overdue", "overdue", COLUMNS, told), small), (), None, (), left_out,
    )


def as_brief(city: City, weekly: Weekly) -> Brief:
    """A draft of such a week."""
    return Brief(weekly, city.config, (), content_of(weekly, city.scope))


def cells_of(brief: Brief, lang: str) -> list[list[str]]:
    """Every row of every table as it is written; a column in which nobody wrote anything is on paper left out."""
    found = []
    for table in brief.tables:
        kept = [
            at for at, column in enumerate(table.columns)
            if column.kind != "text" or any(row.cells[at] is not None for row in table.rows)
        ]
        found += [[_plain(written(row.cells[at], lang)) for at in kept] for row in table.rows]
    return found


def pdf_cells(pdf: bytes, folder: Path) -> list[list[str]]:
    """Rows of data cells in all tables of the PDF, read from its tags."""
    rows: list[list[str]] = []
    for line in _told("pdfinfo", "-struct-text", pdf, folder).splitlines():
        words = line.strip()
        if re.fullmatch(r"TR\b.*", words):
            rows.append([])
        elif re.match(r"TD\b", words):
            rows[-1].append("")
        elif re.match(r"(P|H\d|Sect|Div|Figure)\b", words):
            rows.append([])  # a table has ended
        elif words.startswith('"') and rows and rows[-1]:
            rows[-1][-1] = f"{rows[-1][-1]} {words[1:-1]}"
    return [[_plain(cell) for cell in row] for row in rows if len(row) > 1]


def pdf_text(pdf: bytes, folder: Path, first: int = 1, last: int = 0) -> str:
    """The words of some pages, as a reader could copy them."""
    return " ".join(_told("pdftotext", "-layout", pdf, folder, "-f", str(first), "-l", str(last or 999), out="-").split())


def pdf_facts(pdf: bytes, folder: Path) -> dict[str, str]:
    """What pdfinfo says of the file."""
    told = (line.partition(":") for line in _told("pdfinfo", "-isodates", pdf, folder).splitlines())
    return {name.strip(): value.strip() for name, _, value in told}


def pdf_objects(pdf: bytes) -> bytes:
    """What the file is made of, unpacked."""
    packed = re.findall(rb"stream\r?\n(x.*?)\nendstream", pdf, re.DOTALL)
    return pdf + b"\n".join(zlib.decompressobj().decompress(part) for part in packed)


def pdf_fonts(pdf: bytes, folder: Path) -> list[tuple[str, str]]:
    """(font, embedded: yes | no) of every font."""
    lines = _told("pdffonts", "-l", pdf, folder, "999").splitlines()[2:]
    return [(line.split()[0], line.split()[-5]) for line in lines]


def _told(command: str, option: str, pdf: bytes, folder: Path, *more: str, out: str = "") -> str:
    path = folder / "read.pdf"
    path.write_bytes(pdf)
    given = [command, option, *more, str(path), *([out] if out else [])]
    return subprocess.run(given, check=True, capture_output=True, text=True, timeout=120).stdout


def sheets(xlsx: bytes) -> Any:
    """The workbook, opened by another library than the one that wrote it."""
    return openpyxl.load_workbook(BytesIO(xlsx))


def xlsx_rows(xlsx: bytes) -> Iterator[tuple[Any, ...]]:
    """The cells of all rows of all tables' sheets below their headings, notes left out."""
    for sheet in sheets(xlsx).worksheets[1:-1]:
        last = int(sheet.auto_filter.ref.rpartition(":")[2].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) if sheet.auto_filter.ref else 1
        yield from sheet.iter_rows(min_row=2, max_row=last)


def _plain(words: str) -> str:
    """In single spaces; a line may end behind a stroke."""
    return " ".join(words.split()).replace("/ ", "/")
