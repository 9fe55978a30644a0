"""The brief as a page of HTML for paper: statements by section, then the annex with charts, every table, and what the figures are."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from briefs import charts
from briefs.brief import SHORT, Brief, address, facts, left_out, marks, place, title
from briefs.widths import PAGE, letters_mm, table_widths
from metrics.city.weekly.budget import MOST_WORDS, fitted
from metrics.city.weekly.parts import SECTIONS, Cell, Column, Figure, Link, Row, Statement, Table, Word
from metrics.city.weekly.written import said, written
from text import LANGUAGES, t
from text.formats import instant, number

STYLE = Path(__file__).with_name("paper.css")
MOST_LEFT_OUT = 3  # feeds named at the foot of every page; the annex names all
HEADINGS = 40  # words of the title and of the sections' names, which count as read
SMALL = 10  # rows; so short a table stands on one page, beside others where there is room
BETWEEN, LEAST_BLOCK, HEAD_SIZE = 8.0, 90.0, 11.6  # mm between tables side by side, mm of one with notes, points of its name
OPEN, CLOSE = "\ue000", "\ue001"  # stand around a figure until it is set


def html_of(brief: Brief, lang: str) -> str:
    """The whole document. Everything that comes from data is escaped."""
    name = f"{t('page.weekly', lang)} · {title(brief, lang)} · {place(brief, lang)}"
    body = "".join((*_first_page(brief, lang), *_annex(brief, lang)))
    style = STYLE.read_text(encoding="utf-8") + _page_words(brief, lang)
    head = f'<meta charset="utf-8"><title>{escape(name)}</title><meta name="generator" content="{escape(t("app.name", lang))}">'
    return f'<!DOCTYPE html><html lang="{lang}"><head>{head}<style>{style}</style></head><body>{body}</body></html>'


def _first_page(brief: Brief, lang: str) -> Iterator[str]:
    shown = "".join(f'<span class="mark">{escape(mark)}</span>' for mark in marks(brief, lang))
    yield f'<p class="over">{escape(place(brief, lang))}</p><h1>{escape(t("page.weekly", lang))}</h1>'
    yield f'<p class="week">{escape(title(brief, lang))}{shown}</p>'
    if brief.reach:
        yield f'<p class="reach">{escape(t("brief.only", lang, names="; ".join(brief.reach)))}</p>'
    yield from (f'<p class="note">{escape(said(note, lang))}</p>' for note in brief.weekly.notes)
    kept, left = _pages(brief)
    yield from _sections(brief, kept, lang)
    if left:
        yield f'<p class="note">{escape(t("brief.more", lang, n=len(left)))}</p>'


def _pages(brief: Brief) -> tuple[Sequence[Statement], Sequence[Statement]]:
    """The sentences of page one, and those the annex begins with: the same ones in either language."""
    notes = max(sum(len(said(note, lang).split()) for note in brief.weekly.notes) for lang in LANGUAGES)
    return fitted(brief.weekly.statements, MOST_WORDS - HEADINGS - notes)


def _sections(brief: Brief, statements: Sequence[Statement], lang: str) -> Iterator[str]:
    for section in SECTIONS:
        inside = [one for one in statements if one.section == section]
        if inside:
            lines = "".join(_statement(brief, one, lang) for one in inside)
            yield f'<section class="say"><h2>{escape(t(f"weekly.section.{section}", lang))}</h2><ul>{lines}</ul></section>'


def _statement(brief: Brief, one: Statement, lang: str) -> str:
    kind = ' class="warning"' if one.is_warning else ""
    return f"<li{kind}>{_linked(brief, _emphasised(one.said, lang), one.link, lang)}</li>"


def _emphasised(word: Word, lang: str) -> str:
    """The sentence with its first figure in bold; as text it is what `said` writes."""
    whole = escape(_marked(word, lang))
    return re.sub(f"[{OPEN}{CLOSE}]", "", whole.replace(OPEN, "<b>", 1).replace(CLOSE, "</b>", 1))


def _marked(cell: Cell, lang: str) -> str:
    """As `written`, every figure between marks."""
    if isinstance(cell, Word):
        return t(cell.key, lang, **{name: _marked(inner, lang) for name, inner in cell.words.items()})
    words = written(cell, lang)
    return f"{OPEN}{words}{CLOSE}" if isinstance(cell, Figure) else words


def _annex(brief: Brief, lang: str) -> Iterator[str]:
    yield f'<section class="annex"><h2 class="part">{escape(t("brief.annex", lang))}</h2>'
    if left := _pages(brief)[1]:
        yield f'<div class="block"><h3>{escape(t("brief.also", lang))}</h3>{"".join(_sections(brief, left, lang))}</div>'
    told = ((escape(name), _breakable(written(words, lang))) for name, words in facts(brief, lang))
    about = "".join(f'<tr><th scope="row">{name}</th><td>{words}</td></tr>' for name, words in told)
    yield f'<div class="block small"><h3>{escape(t("brief.about", lang))}</h3><table class="facts"><tbody>{about}</tbody></table></div>'
    drawn = [signal for signal in brief.weekly.changed if any(point.charted is not None for point in signal.points)]
    if drawn:
        shown = [_figure(brief, signal, lang) for signal in drawn]
        rows = (f'<div class="pair">{"".join(shown[at : at + 2])}</div>' for at in range(0, len(shown), 2))
        yield f'<h3>{escape(t("brief.charts", lang))}</h3><p class="note">{escape(t("brief.charts_hint", lang))}</p>'
        yield f'<div class="charts">{"".join(rows)}</div>'
    yield '</section><section class="tables">'
    tables = (table for table in brief.tables if table.rows or table.notes)
    yield from _beside((_table(brief, at, table, lang) for at, table in enumerate(tables, 1)))
    yield "</section>"


def _figure(brief: Brief, signal: charts.Signal, lang: str) -> str:
    drawing = b64encode(charts.chart_svg(signal, lang).encode()).decode()
    link = Link("/signals", {"key": signal.key, "period": signal.week.text})
    name = _linked(brief, escape(t(f"kpi.{signal.key}.label", lang)), link, lang)
    verdict = escape(t(f"signals.verdict.{signal.verdict}", lang))
    value = escape(written(charts.value_of(signal), lang))
    per_day = f" ({escape(charts.per_day(signal, lang))})" if signal.per_day else ""
    image = f'<img src="data:image/svg+xml;base64,{drawing}" alt="{escape(charts.chart_alt(signal, lang))}">'
    return f'<div class="chart"><p class="chart-name">{name}</p><p class="chart-value"><b>{value}</b>{per_day} · {verdict}</p>{image}</div>'


@dataclass(frozen=True)
class _Block:
    """A table as it is set, and how wide; a short one may stand beside others."""

    html: str
    wide: float
    is_short: bool


def _beside(blocks: Iterable[_Block]) -> Iterator[str]:
    """Blocks in their order; short neighbours share the width of the page."""
    row: list[_Block] = []
    for block in blocks:
        if row and not (block.is_short and row[-1].is_short and sum(one.wide + BETWEEN for one in row) + block.wide <= PAGE):
            yield _side_by_side(row)
            row = []
        row.append(block)
    if row:
        yield _side_by_side(row)


def _side_by_side(row: Sequence[_Block]) -> str:
    if len(row) == 1:
        return f'<div class="block{" small" if row[0].is_short else ""}">{row[0].html}</div>'
    parts = (f'<div class="beside" style="width:{one.wide:.1f}mm">{one.html}</div>' for one in row)
    return f'<div class="block small">{"".join(parts)}</div>'


def _table(brief: Brief, at: int, table: Table, lang: str) -> _Block:
    """The table in the widths it needs. A column in which nobody wrote anything is left out."""
    kept = [at for at, column in enumerate(table.columns) if column.kind != "text" or any(row.cells[at] is not None for row in table.rows)]
    columns = [table.columns[at] for at in kept]
    heads = [t(f"weekly.column.{column.key}", lang) for column in columns]
    cells = [[written(row.cells[at], lang) for at in kept] for row in table.rows]
    widths = table_widths(heads, [column.kind for column in columns], cells)
    name = f"{at}. {t(f'weekly.table.{table.key}', lang)}"
    wide = max(sum(widths.columns), min(letters_mm(name, HEAD_SIZE), PAGE), LEAST_BLOCK if table.notes else 0.0)
    sizes = "".join(f'<col style="width:{width:.1f}mm">' for width in widths.columns)
    head = "".join(f'<th scope="col" class="{column.kind}">{escape(name)}</th>' for column, name in zip(columns, heads, strict=True))
    body = "".join(_row(brief, row, kept, columns, lang) for row in table.rows)
    style = f'style="width:{sum(widths.columns):.1f}mm;font-size:{widths.size}pt"'
    tight = ' class="tight"' if widths.is_tight else ""
    drawn = f"<table{tight} {style}><colgroup>{sizes}</colgroup><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if body else ""
    notes = "".join(f'<p class="note">{escape(said(note, lang))}</p>' for note in table.notes)
    return _Block(f"<h3>{escape(name)}</h3>{drawn}{notes}", wide, len(table.rows) <= SMALL)


def _row(brief: Brief, row: Row, kept: Sequence[int], columns: Sequence[Column], lang: str) -> str:
    cells = [row.cells[at] for at in kept]
    shown = [escape(written(cell, lang)) for cell in cells]
    at = next((place_ for place_, column in enumerate(columns) if column.kind == "text"), 0)
    shown[at] = _linked(brief, shown[at], row.link, lang)
    drawn = (f'<td class="{_kind(cell, column)}">{inside}</td>' for cell, column, inside in zip(cells, columns, shown, strict=True))
    return f"<tr>{''.join(drawn)}</tr>"


def _kind(cell: Cell, column: Column) -> str:
    """Words stand left even in a column of figures; what is missing stands where the figure would."""
    return "text" if column.kind == "figure" and isinstance(cell, (Word, str)) and cell else column.kind


def _linked(brief: Brief, inside: str, link: Link | None, lang: str) -> str:
    there = address(brief, link, lang)
    return f'<a href="{escape(there)}">{inside}</a>' if there else inside


def _breakable(words: str) -> str:
    """A hash may break anywhere."""
    return f'<span class="code">{words}</span>' if re.fullmatch("[0-9a-f]{64}", words) else escape(words)


def _page_words(brief: Brief, lang: str) -> str:
    """What stands at the head and foot of every page, as style: week, marks, instant, revision, hash, page, feeds left out."""
    told = brief.weekly
    marked = " · ".join(marks(brief, lang))
    reach = t("brief.only", lang, names="; ".join(brief.reach)) if brief.reach else ""
    state = t(
        "brief.foot", lang, at=instant(told.as_of, brief.config.tz, lang), revision=number(told.revision, lang, 0),
        sha=brief.sha256[:SHORT],
    )
    page = f'{_css(t("brief.page", lang))} " " counter(page) "/" counter(pages)'
    head = " · ".join(part for part in (f"{place(brief, lang)}, {title(brief, lang)}", reach) if part)
    foot = "\n".join((state, *_missing(brief, lang)))
    return (
        f"@page {{ @top-left {{ content: {_css(head)} }} @top-right {{ content: {_css(marked)} }} "
        f"@bottom-left {{ content: {_css(foot)} }} @bottom-right {{ content: {page} }} }}"
    )


def _missing(brief: Brief, lang: str) -> Iterable[str]:
    all_of_them = left_out(brief, lang)
    if not all_of_them:
        return ()
    shown = "; ".join(all_of_them[:MOST_LEFT_OUT])
    more = len(all_of_them) - MOST_LEFT_OUT
    rest = f"; {t('brief.more_left_out', lang, n=number(more, lang, 0))}" if more > 0 else ""
    return (t("brief.without", lang, feeds=shown + rest),)


def _css(words: str) -> str:
    """A text as a CSS string."""
    escaped = re.sub(r'[\\"<>\x00-\x1f]', lambda found: f"\\{ord(found[0]):06x}", words)
    return f'"{escaped}"'
