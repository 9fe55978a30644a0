"""Issuing a brief: archived for good with its hash, refused naming the feeds that are behind, a re-issue tells what changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

import briefs.issue
from api.routes import mount
from briefs.changes import changes
from briefs.content import canonical, cell_data, cell_of, content_of, sha256
from briefs.issue import BriefRefused, archived, draft, issue, prepare
from cli import cli
from components.context import AppContext
from config import FeedConfig
from metrics.city import City
from metrics.city.weekly.parts import Figure, Word
from metrics.city.weekly.written import written
from metrics.periods import parse_period
from metrics.rollups import drain
from scope import Forbidden, Scope, scope_of
from store.audit import AuditFilter, read, verify
from store.briefs import NewBrief, Overtaken, put_brief
from store.days import instant
from store.engine import Store
from store.keys import By
from store.landing import Landing, land
from store.rows import DossierRow, Parsed
from tests.paper_week import CELLS, as_brief, made_up, pdf_cells, pdf_text, sheets
from tests.servers import LiveServer
from tests.signal_city import CONFIG, NOW, at, open_signals, see
from text import LANGUAGES, t

BY = By("user:lan", "127.0.0.1")
AT = instant(NOW)
WEEK = "2026-W46"


@pytest.fixture(params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_signals(request.param, make_database)
    yield opened
    opened.dispose()


@pytest.fixture
def small(make_database: Callable[..., str]) -> Iterator[Store]:
    """For what does not differ between the two engines."""
    opened = open_signals("sqlite", make_database)
    yield opened
    opened.dispose()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where real files are wanted and not all of a week, the brief has two tables: a PDF in a tenth of the time."""
    monkeypatch.setattr(briefs.issue, "compose", lambda city, week: as_brief(city, made_up(city)))


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the archive is tested and not the paper, a file is the hash of what it says."""
    for name in ("pdf_of", "workbook_of"):
        monkeypatch.setattr(briefs.issue, name, lambda brief, lang, name=name: f"{name} {lang} {brief.sha256}".encode())


def week_of(city: City) -> object:
    return parse_period(WEEK, city.today)


def deliver_late_news(store: Store) -> None:
    """A dossier of the week that ended late and is only heard of now."""
    due = at(parse_period(WEEK, see(store).today).start_on, 16)
    row = DossierRow("D-late", agency="H1.1", domain_code="D", status=9, received_at=due - 1, due_at=due, finished_at=due + 1, version=1)
    land(store, Parsed(dossiers=(row,), item_count=1), Landing("one_stop", "one_stop", AT))
    drain(store, AT)


# --- content, hash ----------------------------------------------------------------------------------------


def test_every_kind_of_cell_is_read_back_as_it_was() -> None:
    for cell in (cell for row in CELLS for cell in row):
        assert cell_of(json.loads(json.dumps(cell_data(cell)))) == cell


def test_the_same_content_has_the_same_hash_and_another_figure_another(small: Store) -> None:
    city = see(small)
    first, again, other = (as_brief(city, made_up(city, value=value)) for value in (12.0, 12.0, 13.0))
    assert first.sha256 == again.sha256 == sha256(canonical(first.content)) != other.sha256
    assert not {"vi", "en"} & set(first.content), "a content has no language"


def test_changes_name_every_cell_that_moved_with_was_and_is(small: Store) -> None:
    city = see(small)
    before, after = (content_of(made_up(city, rows, value=value), city.scope) for rows, value in ((6, 12.0), (5, 13.0)))
    found = changes(before, after)
    said = [tuple(written(cell, "vi") for cell in row.cells) for row in found.rows]
    assert ("Nhận định", "–", "–", "Quá hạn đang xử lý (12 hồ sơ)", "Quá hạn đang xử lý (13 hồ sơ)") in said
    assert (t("weekly.table.feedback", "vi"), t("kpi.dossiers_overdue.label", "vi"), t("weekly.column.value", "vi"), "12 hồ sơ",
            "13 hồ sơ") in said
    gone = [row for row in said if row[1].startswith("Ban Quản lý")]
    assert {(row[2], row[3], row[4]) for row in gone} >= {(t("weekly.column.value", "vi"), "1,3 ngày làm việc", "–")}
    assert len(said) == 2 + len(gone)
    hair = content_of(made_up(city, 5, value=13.0001), city.scope)
    assert changes(after, hair).rows == (), "what moves behind the last decimal is not written otherwise"
    same = changes(before, before)
    assert (same.rows, same.notes) == ((), (Word("brief.reissue_same"),))


def test_a_content_older_than_the_program_is_still_set_beside_the_new_one(small: Store) -> None:
    city = see(small)
    now = content_of(made_up(city), city.scope)
    old = json.loads(canonical(now).replace("brief.left_out_why", "weekly.say.long_gone").replace('"key":"feedback"', '"key":"gone_table"'))
    found = changes(old, now)
    said = [tuple(written(cell, lang) for cell in row.cells) for row in found.rows for lang in LANGUAGES]
    assert any(row[3] == t("brief.old_words", "vi") for row in said) and any(row[0] == "gone_table" for row in said)


# --- the archive ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("light")
def test_an_issue_is_kept_with_content_hash_and_files_and_told_in_the_trail(store: Store) -> None:
    city = see(store)
    made = issue(city, week_of(city), "vi", BY, AT)
    row = made.row
    assert row is not None and (row.week, row.lang, row.issued_by, row.issued_at, row.replaces) == (WEEK, "vi", "user:lan", AT, None)
    assert (row.revision, row.as_of, row.sha256) == (city.revision, city.as_of, made.brief.sha256)
    after = see(store)
    assert briefs.issue.briefs(after) == (row,) == briefs.issue.briefs(after, WEEK) and briefs.issue.briefs(after, "2026-W45") == ()
    assert [archived(after, row.id, form)[1] for form in ("pdf", "xlsx")] == [made.pdf, made.xlsx]
    entry = read(store, AuditFilter(action="brief.issue"), 5)[0]
    assert (entry.actor, entry.address, entry.kind, entry.subject) == ("user:lan", "127.0.0.1", "brief", WEEK)
    assert json.loads(entry.detail)["sha256"] == row.sha256 and verify(store) is None


@pytest.mark.usefixtures("light")
def test_the_database_refuses_to_change_an_issue(store: Store) -> None:
    city = see(store)
    row = issue(city, week_of(city), "vi", BY, AT).row
    for statement in ("UPDATE ops_brief SET content = '{}'", "UPDATE ops_brief SET sha256 = ''", "DELETE FROM ops_brief"):
        with pytest.raises(DBAPIError, match="never changed"), store.writing() as connection:
            connection.execute(text(statement))
    assert row is not None and archived(see(store), row.id, "pdf")[0] == row


@pytest.mark.usefixtures("light")
def test_a_reissue_names_the_issue_before_it_and_what_changed(store: Store) -> None:
    first = issue(see(store), week_of(see(store)), "vi", BY, AT)
    deliver_late_news(store)
    second = issue(see(store), week_of(see(store)), "vi", BY, AT + 60_000_000)
    assert first.row and second.row and second.row.replaces == first.row.id
    told = second.brief.issue
    assert told and told.number == 2 and told.changes and told.changes.rows
    assert all(row.cells[3] != row.cells[4] for row in told.changes.rows)
    assert any(isinstance(cell, Figure) for row in told.changes.rows for cell in row.cells)
    other = issue(see(store), week_of(see(store)), "en", BY, AT)
    assert other.row and other.row.replaces is None, "each language has its own issues"


@pytest.mark.usefixtures("light")
def test_two_issues_at_once_do_not_both_replace_the_same(store: Store) -> None:
    city = see(store)
    papers = prepare(city, week_of(city), "vi", BY, AT)
    issue(city, week_of(city), "vi", BY, AT)
    late = NewBrief(WEEK, "vi", AT, 1, papers.brief.sha256, papers.brief.json, papers.pdf, papers.xlsx, None)
    with pytest.raises(Overtaken):
        put_brief(store, late, BY, AT)
    assert len(briefs.issue.briefs(see(store))) == 1


@pytest.mark.usefixtures("short")
def test_the_paper_of_a_reissue_ends_with_the_changes(small: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    issue(see(small), week_of(see(small)), "vi", BY, AT)
    monkeypatch.setattr(briefs.issue, "compose", lambda city, week: as_brief(city, made_up(city, 5, value=13.0)))
    made = issue(see(small), week_of(see(small)), "vi", BY, AT)
    told = made.brief.issue
    assert told and told.changes
    rows = [[" ".join(written(cell, "vi").split()) for cell in row.cells] for row in told.changes.rows]
    assert pdf_cells(made.pdf, tmp_path)[-len(rows):] == rows
    names = sheets(made.xlsx).sheetnames
    assert names[-2] == "Thay đổi so với lần phát hành"
    assert pdf_text(made.pdf, tmp_path).count(t("weekly.table.reissue", "vi")) == 1
    assert "Phát hành lần 2" in pdf_text(made.pdf, tmp_path, 1, 1) and "Bản nháp" not in pdf_text(made.pdf, tmp_path)


# --- refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_feed_that_is_behind_stops_the_issue_by_name(small: Store, lang: str) -> None:
    behind = FeedConfig("second", "one_stop", "portal", title="Cổng thứ hai", cadence_s=900)
    city = replace(see(small), config=replace(CONFIG, feeds=(*CONFIG.feeds, behind)))
    with pytest.raises(BriefRefused) as refused:
        issue(city, week_of(city), lang, BY, AT)
    assert "Cổng thứ hai" in refused.value.says(lang) and WEEK in refused.value.says(lang)
    assert briefs.issue.briefs(see(small)) == () and not read(small, AuditFilter(action="brief.issue"), 5)


def test_a_week_that_still_runs_is_not_issued_but_there_is_a_draft(small: Store) -> None:
    city = see(small)
    running = parse_period("2026-W47", city.today)
    with pytest.raises(BriefRefused, match="not over"):
        issue(city, running, "vi", BY, AT)
    brief, body = draft(city, running, "vi", "xlsx")
    assert body[:2] == b"PK" and brief.issue is None


@pytest.mark.parametrize(("scope", "permission"), [
    (scope_of("viewer"), "issue.briefs"), (scope_of("operator"), "issue.briefs"), (scope_of("leader", ("H1.1",)), "issue.briefs"),
])
def test_only_leaders_and_analysts_of_the_whole_province_issue(small: Store, scope: Scope, permission: str) -> None:
    city = see(small, scope)
    with pytest.raises(Forbidden, match=permission):
        issue(city, week_of(city), "vi", BY, AT)
    assert briefs.issue.briefs(see(small)) == ()


@pytest.mark.usefixtures("light")
def test_who_sees_a_part_or_no_small_counts_gets_no_issued_brief(small: Store) -> None:
    row = issue(see(small), week_of(see(small)), "vi", BY, AT).row
    assert row is not None
    for scope in (scope_of("leader", ("H1.1",)), scope_of("auditor"), scope_of("viewer")):
        with pytest.raises(Forbidden):
            archived(see(small, scope), row.id, "pdf")
    with pytest.raises(KeyError):
        archived(see(small), row.id + 1, "pdf")


# --- the API ----------------------------------------------------------------------------------------------


def serve(live_server: Callable[..., LiveServer], store: Store, scope: Scope) -> str:
    server = FastAPI()
    mount(server, AppContext(CONFIG, store, lambda: NOW, lambda request: scope), build_frame=lambda city, lang: {})
    return live_server(server).url


@pytest.mark.usefixtures("short")
def test_the_api_gives_drafts_and_issued_files_and_the_trail_tells_of_each(
    small: Store, live_server: Callable[..., LiveServer], tmp_path: Path
) -> None:
    row = issue(see(small), week_of(see(small)), "vi", BY, AT).row
    assert row is not None
    with httpx.Client(base_url=serve(live_server, small, scope_of("analyst", actor="user:an")), timeout=60) as client:
        listed = client.get("/api/v1/briefs").json()["items"]
        assert [(one["id"], one["sha256"], one["pdf"]) for one in listed] == [(row.id, row.sha256, f"/api/v1/briefs/{row.id}.pdf")]
        kept = client.get(listed[0]["pdf"])
        assert kept.content == archived(see(small), row.id, "pdf")[1] and kept.headers["content-type"] == "application/pdf"
        assert "attachment" in kept.headers["content-disposition"]
        made = client.get("/api/v1/weekly.pdf", params={"period": WEEK, "lang": "en"})
        assert "Draft" in pdf_text(made.content, tmp_path, 1, 1)
        assert client.get("/api/v1/weekly.xlsx", params={"period": WEEK}).content[:2] == b"PK"
        assert client.get("/api/v1/weekly.xlsx", params={"period": "2026-11"}).status_code == 400
        assert [client.get(f"/api/v1/briefs/{number}.pdf").status_code for number in (row.id + 1, "x", "9" * 30)] == [404, 404, 404]
    told = {(entry.kind, entry.subject, json.loads(entry.detail)["form"]) for entry in read(small, AuditFilter(action="export"), 9)}
    assert told == {("brief", str(row.id), "pdf"), ("weekly", WEEK, "pdf"), ("weekly", WEEK, "xlsx")}


# --- the command ------------------------------------------------------------------------------------------


@pytest.fixture
def typed(make_database: Callable[..., str], tmp_path: Path) -> Iterator[tuple[Store, list[str]]]:
    """A store, and the options with which the command finds it and its city file."""
    opened = open_signals("sqlite", make_database)
    feed = '[[feeds]]\nkey = "{0.key}"\nrole = "{0.role}"\nprotocol = "{0.protocol}"\ncadence_s = {0.cadence_s}\n'
    feeds = "".join(feed.format(row) for row in CONFIG.feeds)
    (tmp_path / "city.toml").write_text(f'[city]\nname = "T"\nas_of = "{NOW.isoformat()}"\n{feeds}', encoding="utf-8")
    url = f"sqlite:///{opened.engine.url.database}"
    yield opened, ["brief", "--city", str(tmp_path / "city.toml"), "--store", url, "--out", str(tmp_path / "out")]
    opened.dispose()


def test_the_command_writes_both_files_and_says_revision_and_hash(typed: tuple[Store, list[str]], tmp_path: Path) -> None:
    store, given = typed
    done = CliRunner().invoke(cli, [*given, "--week", WEEK])
    assert done.exit_code == 0, done.output
    row = briefs.issue.briefs(see(store))[0]
    assert row.sha256 in done.output and f"revision {row.revision}" in done.output
    files = sorted((tmp_path / "out").iterdir())
    assert [path.name for path in files] == [f"brief-{WEEK}-vi.pdf", f"brief-{WEEK}-vi.xlsx"]
    assert files[0].read_bytes() == archived(see(store), row.id, "pdf")[1]


@pytest.mark.usefixtures("short")
def test_the_command_keeps_nothing_when_asked_not_to(typed: tuple[Store, list[str]], tmp_path: Path) -> None:
    store, given = typed
    assert CliRunner().invoke(cli, [*given, "--week", WEEK, "--lang", "en", "--no-archive"]).exit_code == 0
    assert briefs.issue.briefs(see(store)) == () and (tmp_path / "out" / f"brief-{WEEK}-en.pdf").exists()


def test_the_command_fails_with_the_reason_and_writes_nothing(typed: tuple[Store, list[str]], tmp_path: Path) -> None:
    _, given = typed
    with (tmp_path / "city.toml").open("a", encoding="utf-8") as city:
        city.write('[[feeds]]\nkey = "second"\nrole = "feedback"\nprotocol = "csv"\ntitle = "Tổng đài"\n')
    done = CliRunner().invoke(cli, [*given, "--week", WEEK])
    assert done.exit_code == 1 and "Tổng đài" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("week", ["2026-11", "2026-W99", "nonsense"])
def test_the_command_refuses_what_is_no_week(typed: tuple[Store, list[str]], week: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, [*typed[1], "--week", week])
    assert done.exit_code == 2 and "2026-W46" in done.output and not (tmp_path / "out").exists()
