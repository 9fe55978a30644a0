"""How the parts of the brief are written in a language: one place for screen, paper and workbook."""

from __future__ import annotations

from datetime import date

from metrics.city.weekly.parts import Cell, Figure, Word
from text import t
from text.formats import MISSING, day, delta, number

SILENT_UNITS = ("aqi", "none")  # said by the name of what is measured


def written(cell: Cell, lang: str) -> str:
    """A cell as it is read: a figure with its unit, a word in the language, a date; nothing gives "–"."""
    if isinstance(cell, Figure):
        return _figure(cell, lang)
    if isinstance(cell, Word):
        return said(cell, lang)
    if isinstance(cell, date):
        return day(cell, lang)
    return cell or MISSING


def said(word: Word, lang: str) -> str:
    """A text of the locales with what is put into it, each written in the same language."""
    return t(word.key, lang, **{name: written(cell, lang) for name, cell in word.words.items()})


def _figure(figure: Figure, lang: str) -> str:
    if figure.value is None:
        return t(f"desk.small_{figure.state}", lang) if figure.state else MISSING
    size = (delta if figure.is_change else number)(figure.value, lang, figure.decimals)
    if figure.measure_unit == "percent":
        return f"{size} {t('unit.point', lang)}" if figure.is_change else f"{size}%"
    unit = "" if figure.measure_unit in SILENT_UNITS else t(f"unit.{figure.measure_unit}", lang)
    return f"{size} {unit}".strip()
