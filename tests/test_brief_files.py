"""The brief on paper: PDF and workbook carry what the Weekly says, cell by cell, in both languages, and open elsewhere."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from briefs import paper, pdf
from briefs.brief import Brief, compose
from briefs.charts import chart_alt, chart_svg
from briefs.pdf import NoTypesetter, pdf_of
from briefs.widths import PAGE, table_widths
from briefs.workbook import number_format, workbook_of
from metrics.city import City
from metrics.city.findings import signals
from metrics.city.weekly.parts import Figure
from metrics.city.weekly.written import said, written
from metrics.periods import parse_period
from scope import scope_of
from store.engine import open_store
from tests.paper_week import (
    DANGEROUS,
    LONG,
    as_brief,
    cells_of,
    made_up,
    pdf_cells,
    pdf_facts,
    pdf_fonts,
    pdf_objects,
    pdf_text,
    sheets,
    xlsx_rows,
)
from tests.signal_city import TZ, open_signals, see
from text import LANGUAGES, t

WEEK = "2026-W46"


@pytest.fixture(scope="module")
def city(make_database: Callable[..., str]) -> Iterator[City]:
    """Thirty weeks of a small province, for reading only."""
    store = open_signals("sqlite", make_database)
    yield see(store)
    store.dispose()


@pytest.fixture(scope="module")
def real(city: City) -> Brief:
    """What the province's own week says."""
    return compose(city, parse_period(WEEK, city.today))


@pytest.fixture(scope="module")
def papers(real: Brief) -> dict[str, bytes]:
    """Its PDF in both languages: set once."""
    return {lang: pdf_of(real, lang) for lang in LANGUAGES}


# --- the same numbers everywhere --------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pdf_carries_every_cell_of_every_table(real: Brief, papers: dict[str, bytes], lang: str, tmp_path: Path) -> None:
    assert len(cells_of(real, lang)) > 30, "a week without rows proves nothing"
    assert pdf_cells(papers[lang], tmp_path) == cells_of(real, lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_workbook_carries_every_cell_of_every_table(real: Brief, lang: str) -> None:
    cells = [cell for table in real.tables for row in table.rows for cell in row.cells]
    found = [cell.value for row in xlsx_rows(workbook_of(real, lang)) for cell in row]
    assert len(found) == len(cells)
    for value, cell in zip(found, cells, strict=True):
        known = isinstance(cell, Figure) and cell.value is not None
        assert value == pytest.approx(cell.value) if known else value == written(cell, lang)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_sentence_stands_on_the_first_sheet_and_on_page_one_or_at_the_head_of_the_annex(
    real: Brief, papers: dict[str, bytes], lang: str, tmp_path: Path,
) -> None:
    front = {row[1].value for row in sheets(workbook_of(real, lang)).worksheets[0].iter_rows(min_col=1, max_col=2)}
    page = pdf_text(papers[lang], tmp_path, 1, 1)
    annex = pdf_text(papers[lang], tmp_path, 2, 3)
    told = [said(one.said, lang) for one in real.weekly.statements]
    assert all(words in front for words in told)
    first = [words for words in told if words in page]
    assert len(first) > 5 and all(words in annex for words in told if words not in first)
    assert len(first) == len(told) or t("brief.more", lang, n=len(told) - len(first)) in page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_page_has_at_most_350_words_and_the_annex_begins_on_the_second(
    papers: dict[str, bytes], lang: str, tmp_path: Path,
) -> None:
    body = papers[lang]
    assert len(pdf_text(body, tmp_path, 1, 1).split()) <= 350 + 40  # head and foot of the page are not what is read
    assert t("brief.annex", lang) in pdf_text(body, tmp_path, 2, 2)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_odd_cells_are_the_same_on_paper_and_in_the_workbook(city: City, lang: str, tmp_path: Path) -> None:
    brief = as_brief(city, made_up(city, 40))
    assert pdf_cells(pdf_of(brief, lang), tmp_path) == cells_of(brief, lang)


# --- the PDF ----------------------------------------------------------------------------------------------


def test_pdf_is_tagged_titled_embedded_and_of_a4(papers: dict[str, bytes], tmp_path: Path) -> None:
    body = papers["vi"]
    facts = pdf_facts(body, tmp_path)
    assert (facts["Tagged"], facts["Title"].startswith(t("page.weekly", "vi"))) == ("yes", True)
    assert "A4" in facts["Page size"] and int(facts["Pages"]) >= 2
    fonts = pdf_fonts(body, tmp_path)
    assert fonts and {embedded for _, embedded in fonts} == {"yes"}
    assert b"/Lang (vi)" in pdf_objects(body) and b"/Lang (en)" in pdf_objects(papers["en"])


def test_every_page_says_page_revision_hash_and_what_is_missing(city: City, tmp_path: Path) -> None:
    simulated = replace(city, config=replace(city.config, simulated=True))
    brief = as_brief(simulated, made_up(simulated, 80))
    body = pdf_of(brief, "vi")
    pages = int(pdf_facts(body, tmp_path)["Pages"])
    assert pages >= 3
    for page in range(1, pages + 1):
        words = pdf_text(body, tmp_path, page, page)
        for part in (f"{page}/{pages}", brief.sha256[:12], f"phiên bản dữ liệu {city.revision}", "Bản nháp", "Dữ liệu mô phỏng",
                     "Không gồm: Trạm quan trắc"):
            assert part in words, (page, part)


def test_a_chart_is_told_in_words_and_has_gaps_where_weeks_have_none(city: City) -> None:
    signal = signals.in_order(signals.read(city, ("dossiers_on_time_pct",)))[0]
    words = chart_alt(signal, "vi")
    shown = paper.html_of(as_brief(city, replace(made_up(city), changed=(signal,))), "vi")
    assert f'alt="{words}"' in shown
    assert written(Figure(signal.value, "percent", 1), "vi") in words and t("signals.verdict.deteriorated", "vi") in words
    whole = chart_svg(signal, "vi").count("<line")
    points = tuple(replace(point, charted=None) if at == 5 else point for at, point in enumerate(signal.points))
    assert chart_svg(replace(signal, points=points), "vi").count("<line") == whole - 2


def test_links_lead_to_the_desk_only_when_its_address_is_known(city: City) -> None:
    assert b"/URI" not in pdf_objects(pdf_of(as_brief(city, made_up(city)), "vi"))
    reached = replace(city, config=replace(city.config, web=replace(city.config.web, public_url="https://desk.test/")))
    body = pdf_of(as_brief(reached, made_up(reached)), "en")
    assert b"https://desk.test/dossiers?state=overdue&period=2026-W46&lang=en" in pdf_objects(body)


def test_a_long_name_wraps_within_the_page() -> None:
    cells = [[LONG, *(["1.234.567 hồ sơ"] * 11)]]
    widths = table_widths(["Cơ quan", *(["Số"] * 11)], ["text", *(["figure"] * 11)], cells)
    assert sum(widths.columns) <= PAGE + 0.01
    few = table_widths(["Cơ quan", "Số"], ["text", "figure"], [[LONG, "1"]])
    assert sum(few.columns) < PAGE / 2, "a small table takes only the width it needs"


def test_a_missing_library_is_named_with_the_command_that_brings_it(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(NoTypesetter, match=r"apt-get install .*libpango-1\.0-0"):
        pdf_of(as_brief(city, made_up(city)), "vi")


def test_nothing_is_fetched_from_anywhere(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    import weasyprint  # as the program does: only where a PDF is made

    fetch = weasyprint.urls.URLFetcher.fetch

    def noted(self: object, url: str, headers: object = None) -> object:
        asked.append(url)
        return fetch(self, url, headers)

    monkeypatch.setattr(weasyprint.urls.URLFetcher, "fetch", noted)
    signal = signals.in_order(signals.read(city, ("dossiers_on_time_pct",)))[0]
    pdf_of(as_brief(city, replace(made_up(city), changed=(signal,))), "vi")
    assert asked and all(url.startswith("data:") for url in asked)


# --- the workbook -----------------------------------------------------------------------------------------


def test_numbers_are_numbers_dates_are_dates_and_the_unknown_is_never_zero(city: City) -> None:
    rows = list(xlsx_rows(workbook_of(as_brief(city, made_up(city)), "vi")))
    assert [row[1].value for row in rows[:6]] == [1234567, 88.25, -0.5, written(made_up(city).tables[0].rows[3].cells[1], "vi"), 182, 1.25]
    assert {row[1].data_type for row in rows[:3]} == {"n"} and rows[3][1].data_type == "s"
    assert rows[0][3].value == datetime(2026, 11, 9) and rows[0][3].is_date
    assert rows[1][2].number_format == '+#,##0.0" điểm %";"−"#,##0.0" điểm %";#,##0.0" điểm %"'


def test_no_text_is_run_as_a_formula(city: City) -> None:
    book = sheets(workbook_of(as_brief(city, made_up(city)), "vi"))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert set(DANGEROUS) <= {cell.value for cell in cells}


def test_sheet_names_are_short_unique_and_in_the_language(real: Brief) -> None:
    for lang in LANGUAGES:
        names = sheets(workbook_of(real, lang)).sheetnames
        assert len({name.casefold() for name in names}) == len(names) and all(len(name) <= 31 for name in names)
        assert (names[0], names[-1]) == (t("brief.sheet_front", lang), t("brief.sheet_definitions", lang))


def test_every_sheet_prints_on_a4_with_its_heading_repeated_and_the_hash_whole(real: Brief) -> None:
    for sheet in sheets(workbook_of(real, "vi")).worksheets[1:]:
        assert (sheet.page_setup.paperSize, sheet.print_title_rows, sheet.sheet_properties.pageSetUpPr.fitToPage) == (9, "$1:$1", True)
        assert sheet.oddFooter.left.text.strip() == brief_hash(real) and sheet.freeze_panes


def brief_hash(brief: Brief) -> str:
    return brief.sha256[:12]


def test_definitions_hold_every_kpi_that_is_named(city: City) -> None:
    sheet = sheets(workbook_of(as_brief(city, made_up(city)), "vi")).worksheets[-1]
    told = {row[0]: row[1:] for row in sheet.iter_rows(min_row=2, values_only=True)}
    assert set(told) == {"dossiers_overdue", "vn_aqi"}
    assert told["vn_aqi"][:2] == (t("kpi.vn_aqi.label", "vi"), t("kpi.vn_aqi.definition", "vi"))


@pytest.mark.parametrize("figure", [
    Figure(1234.5, "dossier", 0), Figure(88.25, "percent", 1), Figure(-2.0, "percent", 1, is_change=True), Figure(3.0, "aqi"),
])
def test_a_number_format_has_the_decimals_and_the_unit_of_what_is_written(figure: Figure) -> None:
    first = number_format(figure, "vi").split(";")[0]
    assert first.count("0", first.find(".")) == figure.decimals or not figure.decimals
    unit = first.partition('"')[2].rstrip('"')
    assert written(figure, "vi").endswith(unit)


def test_libreoffice_opens_the_workbook_and_finds_the_same_numbers(city: City, tmp_path: Path) -> None:
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not on this machine: apt-get install libreoffice-calc-nogui")
    brief = as_brief(city, made_up(city))
    (tmp_path / "brief.xlsx").write_bytes(workbook_of(brief, "vi"))
    given = [office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML",
             "--outdir", str(tmp_path / "again"), str(tmp_path / "brief.xlsx")]
    told = subprocess.run(given, check=True, capture_output=True, text=True, timeout=180)
    assert "repair" not in (told.stdout + told.stderr).lower()
    again = list(xlsx_rows((tmp_path / "again" / "brief.xlsx").read_bytes()))
    first = list(xlsx_rows(workbook_of(brief, "vi")))
    assert [[cell.value for cell in row] for row in again] == [[cell.value for cell in row] for row in first]


def test_figures_of_a_too_narrow_page_wrap_before_their_unit_and_texts_keep_room() -> None:
    units = [["1,00 phản ánh/1.000 dân"] * 9 + [LONG] * 3] + [["0 hồ sơ"] * 9 + ["ít"] * 3] * 9
    kinds = [*["figure"] * 9, *["text"] * 3]
    widths = table_widths(["Giới hạn dưới"] * 12, kinds, units)
    assert widths.is_tight and sum(widths.columns) <= PAGE + 0.01
    assert min(width for width, kind in zip(widths.columns, kinds, strict=True) if kind == "text") >= 20


# --- limits -----------------------------------------------------------------------------------------------


def test_a_limited_reader_gets_a_paper_that_says_so(city: City, tmp_path: Path) -> None:
    limited = see(city.store, scope_of("leader", ("H1.1",), None, "user:a"))
    brief = compose(limited, parse_period(WEEK, city.today))
    assert brief.reach == ("A",) and brief.content["agencies"] == ["H1.1"]
    body = pdf_of(brief, "vi")
    for page in (1, 2):
        assert "Chỉ gồm: A" in pdf_text(body, tmp_path, page, page)


def test_a_province_without_any_data_has_a_paper_that_says_so(migrated: Callable[[str], str], tmp_path: Path) -> None:
    store = open_store(migrated("sqlite"), TZ)
    brief = compose(see(store), parse_period(WEEK, see(store).today))
    words = pdf_text(pdf_of(brief, "vi"), tmp_path)
    assert "Không gồm: one_stop" in words and said(brief.weekly.missing[0].why, "vi") in words
    assert len(sheets(workbook_of(brief, "vi")).worksheets) >= 2
    store.dispose()


def test_the_typesetter_is_loaded_only_when_a_pdf_is_made() -> None:
    given = ["-c", "import sys, briefs.issue, commands.brief; sys.exit('weasyprint' in sys.modules)"]
    assert subprocess.run([sys.executable, *given], check=False).returncode == 0
    assert pdf.APT.startswith("apt-get install")
