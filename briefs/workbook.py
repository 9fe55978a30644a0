"""The brief as a workbook: numbers as numbers, dates as dates, a sheet per table, and what each KPI named in it means."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import xlsxwriter

from briefs.brief import SHORT, Brief, address, facts, marks, place, title
from metrics.city.weekly.parts import SECTIONS, Cell, Column, Figure, Link, Table, Word
from metrics.city.weekly.written import SILENT_UNITS, said, written
from metrics.kpis import KPI_BY_KEY
from text import t
from text.formats import MINUS

SHEET_NAME = 31  # letters, as Excel has it
FORBIDDEN = re.compile(r"[\[\]:*?/\\]")
LEAST_WIDTH, MOST_WIDTH, MOST_HEAD = 9, 46, 20
TEXT = Column("words")
PARTS = ("label", "definition", "formula", "source")  # of a KPI in the locales


@dataclass
class _Book:
    """The open workbook with its sheets' names and formats so far."""

    book: Any
    lang: str
    names: set[str] = field(default_factory=set)
    formats: dict[tuple[tuple[str, Any], ...], Any] = field(default_factory=dict)

    def format(self, **how: Any) -> Any:
        """A cell format, made once."""
        key = tuple(sorted(how.items()))
        if key not in self.formats:
            self.formats[key] = self.book.add_format({"font_name": "Calibri", "font_size": 11, "valign": "top", **how})
        return self.formats[key]

    def sheet(self, name: str) -> Any:
        """A new sheet; its name is cut, cleaned and made unique."""
        clean = FORBIDDEN.sub(" ", name).strip("' ") or "-"
        if len(clean) > SHEET_NAME:  # at the end of a word
            clean = clean[: SHEET_NAME + 1].rpartition(" ")[0].rstrip(" ,;:") or clean[:SHEET_NAME]
        unique, number = clean, 1
        while unique.casefold() in self.names:
            number += 1
            unique = f"{clean[: SHEET_NAME - len(str(number)) - 1]} {number}"
        self.names.add(unique.casefold())
        return self.book.add_worksheet(unique)


def workbook_of(brief: Brief, lang: str) -> bytes:
    """The XLSX of a brief: statements and facts first, a sheet per table, definitions last."""
    out = io.BytesIO()
    made = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    name = f"{t('page.weekly', lang)} · {title(brief, lang)}"
    made.set_properties({"title": name, "company": place(brief, lang), "comments": f"sha256 {brief.sha256}"})
    book = _Book(made, lang)
    _front(book, brief, name)
    for table in brief.tables:
        if table.rows or table.notes:
            _table(book, brief, table)
    _definitions(book, brief)
    made.close()
    return out.getvalue()


def _front(book: _Book, brief: Brief, name: str) -> None:
    lang = book.lang
    sheet = book.sheet(t("brief.sheet_front", lang))
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
    _print_setup(sheet, brief, lang, is_wide=False)
    sheet.write_string(0, 0, name, book.format(bold=True, font_size=14))
    lines: list[tuple[str, Cell]] = [*((mark, "") for mark in marks(brief, lang)), *_said(brief, lang), ("", ""), *facts(brief, lang)]
    for row, (label, words) in enumerate(lines, 2):
        sheet.write_string(row, 0, label, book.format(bold=True, text_wrap=True))
        if words != "":
            _write(book, sheet, (row, 1), words, TEXT, "")


def _said(brief: Brief, lang: str) -> Iterator[tuple[str, str]]:
    """Each sentence with its section, which is named once."""
    yield from ((t("brief.part_notes", lang), said(note, lang)) for note in brief.weekly.notes)
    for section in SECTIONS:
        inside = [one for one in brief.weekly.statements if one.section == section]
        for place_, one in enumerate(inside):
            yield "" if place_ else t(f"weekly.section.{section}", lang), said(one.said, lang)


def _table(book: _Book, brief: Brief, table: Table) -> None:
    lang = book.lang
    sheet = book.sheet(t(f"weekly.table.{table.key}", lang))
    heads = [t(f"weekly.column.{column.key}", lang) for column in table.columns]
    for at, (head, column) in enumerate(zip(heads, table.columns, strict=True)):
        where = {"align": "right"} if column.kind == "figure" else {"align": "left", "indent": int(at > 0)}
        sheet.write_string(0, at, head, book.format(bold=True, text_wrap=True, bottom=1, valign="bottom", **where))
    for number, row in enumerate(table.rows, 1):
        for at, (cell, column) in enumerate(zip(row.cells, table.columns, strict=True)):
            _write(book, sheet, (number, at), cell, column, address(brief, row.link, lang) if at == _name_at(table.columns) else "")
    for number, note in enumerate(table.notes, len(table.rows) + 2):
        sheet.write_string(number, 0, said(note, lang), book.format(italic=True))
    _widths(sheet, heads, table, lang)
    sheet.freeze_panes(1, _name_at(table.columns) + 1 if len(table.columns) > 1 else 0)
    if table.rows:
        sheet.autofilter(0, 0, len(table.rows), len(table.columns) - 1)
    _print_setup(sheet, brief, lang, is_wide=len(table.columns) > 5, name=t(f"weekly.table.{table.key}", lang))
    sheet.repeat_rows(0)


def _name_at(columns: Sequence[Column]) -> int:
    """The column that says what a row is about."""
    return next((at for at, column in enumerate(columns) if column.kind == "text"), 0)


def _write(book: _Book, sheet: Any, at: tuple[int, int], cell: Cell, column: Column, there: str) -> None:
    """A number stays a number; what is unknown is said in words, never 0; a text is never run as a formula."""
    if isinstance(cell, Figure) and cell.value is not None:
        align = "right" if column.kind == "figure" else "left"
        sheet.write_number(*at, cell.value, book.format(num_format=number_format(cell, book.lang), align=align))
    elif isinstance(cell, date):
        sheet.write_datetime(*at, cell, book.format(num_format="dd/mm/yyyy", align="left", indent=1))
    else:
        words = written(cell, book.lang)
        is_right = column.kind == "figure" and (cell is None or isinstance(cell, Figure))
        inset = {"indent": 1} if at[1] and not is_right else {}
        how = book.format(text_wrap=True, align="right" if is_right else "left", **inset, **({"underline": 1} if there else {}))
        if there and len(there) <= 2000:
            sheet.write_url(*at, there, how, string=words)
        else:
            sheet.write_string(*at, words, how)


def number_format(figure: Figure, lang: str) -> str:
    """The Excel format that shows a figure as `written` writes it: decimals, unit, sign of a change."""
    size = "#,##0" + (f".{'0' * figure.decimals}" if figure.decimals else "")
    if figure.measure_unit == "percent":
        unit = f" {t('unit.point', lang)}" if figure.is_change else "%"
    elif figure.measure_unit in SILENT_UNITS:
        unit = ""
    else:
        unit = f" {t(f'unit.{figure.measure_unit}', lang)}".rstrip()
    unit = f'"{unit}"' if unit else ""
    return f'{"+" if figure.is_change else ""}{size}{unit};"{MINUS}"{size}{unit};{size}{unit}'


def _widths(sheet: Any, heads: Sequence[str], table: Table, lang: str) -> None:
    for at, head in enumerate(heads):
        longest = max((len(written(row.cells[at], lang)) for row in table.rows), default=0)
        sheet.set_column(at, at, min(MOST_WIDTH, max(LEAST_WIDTH, longest + 3, min(len(head), MOST_HEAD) + 3)))


def _definitions(book: _Book, brief: Brief) -> None:
    """What every KPI named in the brief means, by which formula, by which law."""
    lang = book.lang
    sheet = book.sheet(t("brief.sheet_definitions", lang))
    heads = (("key", 26), ("label", 34), ("definition", 70), ("formula", 60), ("source", 44), ("unit", 16))
    for at, (head, width) in enumerate(heads):
        sheet.set_column(at, at, width)
        sheet.write_string(0, at, t(f"brief.column_{head}", lang), book.format(bold=True, bottom=1))
    for number, key in enumerate(named_kpis(brief), 1):
        unit = t(f"unit.{KPI_BY_KEY[key].measure_unit}", lang)
        for at, words in enumerate((key, *(t(f"kpi.{key}.{part}", lang) for part in PARTS), unit)):
            sheet.write_string(number, at, words, book.format(text_wrap=True))
    sheet.freeze_panes(1, 1)
    _print_setup(sheet, brief, lang, is_wide=True)
    sheet.repeat_rows(0)


def named_kpis(brief: Brief) -> tuple[str, ...]:
    """KPIs the brief names or leads to, in the catalogue's order."""
    told = brief.weekly
    cells = [cell for table in told.tables for row in table.rows for cell in row.cells]
    words = [one.said for one in told.statements] + [cell for cell in cells if isinstance(cell, Word)]
    links = [one.link for one in told.statements] + [row.link for table in told.tables for row in table.rows]
    found = {signal.key for signal in told.changed} | {key for word in words for key in _keys_in(word)}
    found |= {key for link in links if link for key in _keys_of(link)}
    return tuple(key for key in KPI_BY_KEY if key in found)


def _keys_in(word: Word) -> Iterator[str]:
    if word.key.startswith("kpi."):
        yield word.key.split(".")[1]
    for inner in word.words.values():
        if isinstance(inner, Word):
            yield from _keys_in(inner)


def _keys_of(link: Link) -> list[str]:
    return [*link.query.get("keys", "").split(","), link.query.get("key", "")]


def _print_setup(sheet: Any, brief: Brief, lang: str, *, is_wide: bool, name: str = "") -> None:
    """A4, one page wide, page x/y."""
    sheet.set_paper(9)
    if is_wide:
        sheet.set_landscape()
    sheet.set_margins(0.5, 0.5, 0.8, 0.8)
    sheet.fit_to_pages(1, 0)
    head = " · ".join(part for part in (name, title(brief, lang), *marks(brief, lang)) if part).replace("&", "&&")
    sheet.set_header(f"&L&9 {head}"[:255])  # the space: digits that follow would be read as the size
    sheet.set_footer(f"&L&9 {brief.sha256[:SHORT]}&R&9 &P/&N")
