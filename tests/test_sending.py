"""The brief by mail, through a real mail server on loopback: when it leaves, what is in it, and that each address gets it once.

On both engines: claims of a letter, the trail of its tries, what is held, and programs at the same moment. When to try again and what to
write are decided in Python from rows read the same way, and asked of SQLite.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from typer.testing import CliRunner

import briefs.issue
from briefs.issue import BriefRefused, archived, issue
from briefs.post import message_id
from briefs.schedule import Post, look, send_issue, week_due
from cli import cli
from components.desk_links import View
from components.desk_weekly_sending import sending_line
from config import Config, ConfigError, FeedConfig, parse_config
from config.brief import FROM as FROM_VARIABLE
from config.brief import URL as URL_VARIABLE
from config.brief import BriefConfig, MailConfig
from metrics.city import City, followups, open_city
from metrics.city.followups import Promise
from metrics.periods import Period, parse_period
from pipeline import Ingest
from scope import scope_of
from store.audit import AuditFilter
from store.audit import read as read_audit
from store.briefs import BriefRow
from store.days import DAY, HOUR, instant
from store.engine import Store, open_store
from store.keys import By
from store.landing import Landing, land
from store.rows import Parsed
from store.sending import (
    CLAIM,
    FAILED,
    HELD,
    MINUTE,
    PAUSES,
    REFUSED,
    SENT,
    TRYING,
    Letter,
    Try,
    claim,
    count_tries,
    next_at,
    note,
    read_sending,
    read_tries,
)
from tests.forks import Forks
from tests.mail_server import CENTRE, DEPUTY, FROM, LEADER, PASSWORD, USER, Clock, MailServer, mail_server, mailing
from tests.paper_week import pdf_text
from tests.servers import ROOT, free_port
from tests.signal_city import CONFIG, NOW, TZ, open_signals
from upkeep.checks_city import check_mail
from upkeep.doctor import FAIL, OK, WARN, Patient

WEEK = "2026-W46"
MONDAY = datetime(2026, 11, 16, 7, tzinfo=TZ)  # when the brief of W46 is due; the store's own clock stands on Friday of that week
BEHIND = FeedConfig("second", "feedback", "csv", title="Cổng thứ hai", cadence_s=3600)


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
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def real_paper() -> None:
    """The test that uses it reads the paper."""


@pytest.fixture(autouse=True)
def light(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the sending is tested and not the paper, a file is the hash of what it says."""
    if "real_paper" not in request.fixturenames:
        for name in ("pdf_of", "workbook_of"):
            monkeypatch.setattr(briefs.issue, name, lambda brief, lang, name=name: f"{name} {lang} {brief.sha256}".encode())


def post(store: Store, config: Config, now: datetime = NOW) -> Post:
    return Post(store, config, Clock(now))


def see(store: Store, now: datetime = NOW) -> City:
    return open_city(store, CONFIG, replace(scope_of("leader"), actor="user:lan"), now)


def week_of(store: Store) -> Period:
    return parse_period(WEEK, see(store).today)


def issued(store: Store) -> BriefRow:
    row = issue(see(store), week_of(store), "vi", By("user:lan"), instant(NOW)).row
    assert row is not None
    return row


def states(store: Store, address: str, week: str = WEEK) -> list[str]:
    with store.reading() as connection:
        return [one.state for one in read_tries(connection, week) if one.address == address and one.state != TRYING]


def words(letter: EmailMessage) -> str:
    """What a letter says, as plain text."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


# --- when -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("now", "week"), [
    (MONDAY, "2026-W46"), (MONDAY - timedelta(microseconds=1), "2026-W45"), (MONDAY + timedelta(days=6, hours=23), "2026-W46"),
    (MONDAY.astimezone(UTC) + timedelta(days=7), "2026-W47"), (datetime(2026, 1, 5, 7, tzinfo=TZ), "2026-W01"),
])
def test_the_brief_that_is_due_is_of_the_week_before_the_last_monday_at_seven(now: datetime, week: str) -> None:
    assert week_due(CONFIG, now).text == week


def test_the_weekday_and_the_hour_are_the_city_files_in_its_own_zone() -> None:
    friday = replace(CONFIG, brief=BriefConfig(weekday="friday", at="16:30"))
    assert week_due(friday, datetime(2026, 11, 20, 9, 29, tzinfo=UTC)).text == "2026-W45"
    assert week_due(friday, datetime(2026, 11, 20, 9, 30, tzinfo=UTC)).text == "2026-W46"
    assert week_due(replace(friday, timezone="Asia/Tokyo"), datetime(2026, 11, 20, 7, 30, tzinfo=UTC)).text == "2026-W46"


# --- what -------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("real_paper")
def test_the_letter_carries_page_one_and_the_archives_own_bytes(small: Store, server: MailServer, tmp_path: Path) -> None:
    look(post(small, mailing(server.port, notice_to=())))
    row = briefs.issue.briefs(see(small))[0]
    assert (row.week, row.issued_by) == (WEEK, "program")
    assert [to for to, _ in server.got] == [(LEADER,), (DEPUTY,)]
    letter = server.letters[0]
    assert (letter["To"], letter["From"], letter["Auto-Submitted"]) == (LEADER, FROM, "auto-generated")
    assert "46/2026" in letter["Subject"] and letter["Subject"].endswith("· T")
    files = {part.get_filename(): part.get_content() for part in letter.iter_attachments()}
    assert files == {f"brief-{WEEK}-vi.{form}": archived(see(small), row.id, form)[1] for form in ("pdf", "xlsx")}
    said = [line[2:] for line in words(letter).splitlines() if line.startswith("- ")]
    paper = pdf_text(files[f"brief-{WEEK}-vi.pdf"], tmp_path, 1, 1)
    assert len(said) > 3 and [line for line in said if " ".join(line.split()) not in paper] == []
    assert f"https://toancanh.tinh.example/weekly?period={WEEK}" in words(letter) and row.sha256[:12] in words(letter)


def test_a_letter_in_english_of_a_simulated_city_says_so(small: Store, server: MailServer) -> None:
    config = replace(mailing(server.port, notice_to=(), language="en"), simulated=True, name_en="Province T")
    look(post(small, config))
    letter = server.letters[0]
    assert letter["Subject"].startswith("[Simulated data] ") and letter["Subject"].endswith("· Province T")
    assert f"/weekly?period={WEEK}&lang=en" in words(letter)


def test_the_id_of_a_letter_differs_by_brief_and_address_and_not_by_try() -> None:
    ids = {message_id(Letter(WEEK, "vi", address, brief), FROM, what) for address in (LEADER, DEPUTY) for brief in (1, 2) for what in "ab"}
    assert len(ids) == 8 and message_id(Letter(WEEK, "vi", LEADER, 1), FROM, "a") in ids


# --- once -------------------------------------------------------------------------------------------------
def test_each_address_gets_the_brief_once_however_often_one_looks(store: Store, server: MailServer) -> None:
    own = post(store, mailing(server.port))
    for days in range(4):
        own.clock.now = NOW + timedelta(days=days / 3)  # type: ignore[attr-defined]
        look(own)
    assert [to for to, _ in server.got] == [(LEADER,), (DEPUTY,)]
    assert len(briefs.issue.briefs(see(store))) == 1
    told = [json.loads(entry.detail) for entry in read_audit(store, AuditFilter(action="brief.send"), 9)]
    assert [(one["to"], one["state"], one["attempt"]) for one in told] == [(DEPUTY, SENT, 1), (LEADER, SENT, 1)]


def test_a_brief_that_somebody_issued_is_sent_and_none_is_issued_beside_it(small: Store, server: MailServer) -> None:
    row = issued(small)
    look(post(small, mailing(server.port)))
    assert briefs.issue.briefs(see(small)) == (row,) and len(server.got) == 2


def test_a_reissue_is_not_sent_by_itself_to_who_had_the_first(small: Store, server: MailServer) -> None:
    own = post(small, mailing(server.port))
    look(own)
    again = issued(small)
    look(own)
    assert len(server.got) == 2
    assert [send_issue(own, again, address, is_asked=True)[0] for address in (LEADER, LEADER)] == [SENT, ""]
    assert len(server.got) == 3 and len({letter["Message-ID"] for letter in server.letters}) == 3


def test_two_ingest_programs_send_one_letter_to_each(store: Store, server: MailServer) -> None:
    config = mailing(server.port)
    other = open_store(store.engine.url.render_as_string(hide_password=False), TZ)
    programs = [Ingest(one, replace(config, feeds=()), lambda: NOW) for one in (store, other)]
    issued(store)
    for program in programs:
        program.turn()
    for program in programs:
        assert program.posting is not None
        program.posting.result(60)
        program.stop.set()
        program.run()
    other.dispose()
    assert sorted(to for to, _ in server.got) == [(LEADER,), (DEPUTY,)]


def tell(folder: Path, server: MailServer, now: datetime, *addresses: str) -> Path:
    path = folder / f"{len(list(folder.iterdir()))}.json"
    path.write_text(json.dumps({"port": server.port, "now": now.isoformat(), "send_to": addresses}))
    return path


@pytest.fixture(scope="module")
def others() -> Iterator[Forks]:
    """A second process beside `forks`."""
    started = Forks()
    yield started
    started.close()


def test_two_processes_at_once_share_the_letters(store: Store, server: MailServer, forks: Forks, others: Forks, tmp_path: Path) -> None:
    issued(store)
    addresses = tuple(f"nguoi{number}@tinh.example" for number in range(8))
    path = tell(tmp_path, server, NOW, *addresses)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: list(one.lines("post", url_of(store), path)), (forks, others)))
    assert sorted(to for to, _ in server.got) == [(address,) for address in addresses]


def url_of(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)


def test_killed_after_the_server_took_it_the_letter_comes_again_as_the_same(
    store: Store, server: MailServer, forks: Forks, tmp_path: Path
) -> None:
    issued(store)
    server.on_data = forks.kill
    list(forks.lines("post", url_of(store), tell(tmp_path, server, NOW, LEADER)))
    server.on_data = lambda: None
    assert len(server.got) == 1 and states(store, LEADER) == []
    config = mailing(server.port, send_to=(LEADER,))
    look(post(store, config, NOW + timedelta(minutes=14)))
    assert len(server.got) == 1, "the one that died may still be at it"
    look(post(store, config, NOW + timedelta(minutes=16)))
    look(post(store, config, NOW + timedelta(minutes=40)))
    assert states(store, LEADER) == [SENT]
    assert len(server.got) == 2 and len({letter["Message-ID"] for letter in server.letters}) == 1


def test_killed_before_the_server_took_it_the_letter_comes_once(small: Store, server: MailServer, forks: Forks, tmp_path: Path) -> None:
    issued(small)
    server.on_rcpt = forks.kill
    list(forks.lines("post", url_of(small), tell(tmp_path, server, NOW, LEADER)))
    server.on_rcpt = lambda: None
    assert server.got == []
    look(post(small, mailing(server.port, send_to=(LEADER,)), NOW + timedelta(minutes=16)))
    assert states(small, LEADER) == [SENT] and len(server.got) == 1


# --- again ------------------------------------------------------------------------------------------------
def test_a_server_that_refuses_twice_gets_it_after_the_pauses_once(small: Store, server: MailServer) -> None:
    server.answers = ["451 4.7.1 greylisted", "452 4.2.2 mailbox full"]
    own = post(small, mailing(server.port, send_to=(LEADER,)))
    found = []
    for seconds in (0, 59, 61, 61 + 299, 61 + 301, 4000):
        own.clock.now = NOW + timedelta(seconds=seconds)  # type: ignore[attr-defined]
        look(own)
        found.append((len(states(small, LEADER)), len(server.got)))
    assert found == [(1, 0), (1, 0), (2, 0), (2, 0), (3, 1), (3, 1)]
    assert states(small, LEADER) == [FAILED, FAILED, SENT]
    with small.reading() as connection:
        assert [one.error for one in read_tries(connection, WEEK) if one.state == FAILED] == [
            "451 4.7.1 greylisted", "452 4.2.2 mailbox full",
        ]


def test_a_server_that_is_away_is_tried_for_a_day_then_the_letter_is_lost_and_all_say_so(small: Store) -> None:
    config = mailing(free_port(), send_to=(LEADER,), notice_to=())
    own, hours = post(small, config), 0.0
    while hours < 30:
        own.clock.now = NOW + timedelta(hours=hours)  # type: ignore[attr-defined]
        look(own)
        hours += 1
    with small.reading() as connection:
        tries, sending = read_tries(connection, WEEK), read_sending(connection, WEEK)
    failed = [one for one in tries if one.state == FAILED]
    assert len(failed) == 25 and failed[-1].tried_at - failed[0].tried_at == DAY
    assert sending is not None and (sending.sent, sending.waiting, sending.lost) == (0, 0, 1) and "refused" in sending.error
    found = list(check_mail(Patient(small, config, NOW, ROOT)))
    assert [one.severity for one in found] == [FAIL] and "1 lost" in found[0].message
    assert read_audit(small, AuditFilter(action="brief.send"), 1)[0].subject == WEEK


def test_a_server_that_never_answers_is_given_up_after_the_time_out(small: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("briefs.post.TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        look(post(small, mailing(silent.getsockname()[1], send_to=(LEADER,))))
    with small.reading() as connection:
        assert "timed out" in read_tries(connection, WEEK)[-1].error


def test_an_address_nobody_has_is_not_tried_again_and_the_others_have_theirs(small: Store, server: MailServer) -> None:
    server.refused = (LEADER,)
    own = post(small, mailing(server.port))
    for hours in (0, 2, 5):
        own.clock.now = NOW + timedelta(hours=hours)  # type: ignore[attr-defined]
        look(own)
    assert (states(small, LEADER), states(small, DEPUTY)) == ([REFUSED], [SENT])
    server.refused = ()
    assert send_issue(own, briefs.issue.briefs(see(small))[0], LEADER, is_asked=True)[0] == SENT


def test_the_pauses_grow_and_end_after_a_day() -> None:
    def tried(*rows: tuple[str, int]) -> list[Try]:
        return [Try(n, 1, WEEK, "vi", LEADER, at, state, "", n) for n, (state, at) in enumerate(rows, 1)]

    assert next_at([]) == 0
    assert [next_at(tried(*[(FAILED, 0)] * n)) for n in (1, 2, 3, 4, 9)] == [PAUSES[0], PAUSES[1], PAUSES[2], PAUSES[3], PAUSES[3]]
    assert next_at(tried((TRYING, 7))) == 7 + CLAIM
    assert next_at(tried((FAILED, 0), (FAILED, DAY - MINUTE))) is None and next_at(tried((SENT, 0))) is None
    assert next_at(tried((FAILED, 0), (REFUSED, HOUR))) is None


def test_a_letter_being_sent_is_nobody_elses_even_when_asked_for(store: Store) -> None:
    letter, now = Letter(WEEK, "vi", LEADER, 1), instant(NOW)
    assert [claim(store, letter, now, is_asked=asked) for asked in (False, False, True)] == [1, 0, 0]
    assert claim(store, letter, now + CLAIM, is_asked=True) == 2
    note(store, letter, 2, (FAILED, "x"), "program", now + CLAIM)
    assert [claim(store, letter, now + CLAIM, is_asked=asked) for asked in (False, True)] == [0, 3]


def test_of_many_that_claim_a_letter_at_once_one_gets_it(store: Store) -> None:
    start = threading.Barrier(6)

    def claims(number: int) -> int:
        start.wait(30)
        return claim(store, Letter(WEEK, "vi", f"nguoi{number}@tinh.example", 1), instant(NOW))

    with ThreadPoolExecutor(6) as pool:
        for number in range(10):
            assert sorted(pool.map(claims, [number] * 6)) == [0, 0, 0, 0, 0, 1]


def test_who_has_an_issue_gets_another_of_that_week_only_when_asked_for(store: Store) -> None:
    first, again, now = Letter(WEEK, "vi", LEADER, 1), Letter(WEEK, "vi", LEADER, 2), instant(NOW)
    note(store, first, claim(store, first, now), (SENT, ""), "program", now)
    asked = ((again, False), (first, True), (again, True))
    assert [claim(store, letter, now + CLAIM, is_asked=is_asked) for letter, is_asked in asked] == [0, 0, 1]


def test_a_brief_that_somebody_issues_at_the_same_moment_is_the_one_that_is_sent(
    small: Store, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*asked: object) -> None:
        issued(small)
        raise BriefRefused("brief.fault_overtaken", week=WEEK)

    monkeypatch.setattr("briefs.schedule.issue", overtaken)
    look(post(small, mailing(server.port)))
    assert sorted(to for to, _ in server.got) == [(LEADER,), (DEPUTY,)]
    assert [row.issued_by for row in briefs.issue.briefs(see(small))] == ["user:lan"]


# --- held -------------------------------------------------------------------------------------------------
def test_with_a_feed_behind_the_brief_is_held_the_centre_told_once_and_later_it_is_sent(store: Store, server: MailServer) -> None:
    config = mailing(server.port, replace(CONFIG, feeds=(*CONFIG.feeds, BEHIND)))
    own = post(store, config)
    for minutes in (0, 1, 14, 16, 31):
        own.clock.now = NOW + timedelta(minutes=minutes)  # type: ignore[attr-defined]
        look(own)
    assert [to for to, _ in server.got] == [(CENTRE,)] and briefs.issue.briefs(see(store)) == ()
    assert "Cổng thứ hai" in words(server.letters[0]) and not list(server.letters[0].iter_attachments())
    with store.reading() as connection:
        assert [one.tried_at - instant(NOW) for one in read_tries(connection, WEEK) if one.state == HELD] == [0, 16 * MINUTE, 31 * MINUTE]
        sending = read_sending(connection, WEEK)
    assert sending is not None and (sending.held_at, "Cổng thứ hai" in sending.held_why) == (instant(NOW), True)
    assert [one.severity for one in check_mail(Patient(store, config, NOW, ROOT))] == [WARN]
    land(store, Parsed(), Landing("second", "feedback", instant(NOW)))
    for minutes in (32, 47):
        own.clock.now = NOW + timedelta(minutes=minutes)  # type: ignore[attr-defined]
        look(own)
    assert [to for to, _ in server.got] == [(CENTRE,), (LEADER,), (DEPUTY,)]
    with store.reading() as connection:
        after = read_sending(connection, WEEK)
    assert after is not None and (after.held_at, after.sent) == (None, 2)
    assert [one.severity for one in check_mail(Patient(store, config, NOW, ROOT))] == [OK]


def test_a_role_the_city_does_not_need_holds_nothing(small: Store, server: MailServer) -> None:
    config = mailing(server.port, replace(CONFIG, feeds=(*CONFIG.feeds, BEHIND)), needs=("one_stop",))
    look(post(small, config))
    assert len(server.got) == 2


def test_a_brief_that_cannot_be_made_is_held_and_never_sent_blank(
    small: Store, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(brief: object, lang: str) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(briefs.issue, "pdf_of", broken)
    look(post(small, mailing(server.port)))
    assert [to for to, _ in server.got] == [(CENTRE,)] and "nhật ký" in words(server.letters[0])


def test_nobody_gets_anything_from_an_archive_or_without_addresses(small: Store, server: MailServer) -> None:
    for config in (replace(mailing(server.port), as_of="2026-11-20T03:00:00+00:00"), mailing(server.port, send_to=(), notice_to=())):
        look(post(small, config))
    assert server.got == [] and briefs.issue.briefs(see(small)) == ()


# --- reminders --------------------------------------------------------------------------------------------
def test_what_is_due_is_told_once_on_a_working_morning(small: Store, server: MailServer) -> None:
    for what, due in (("Trả hồ sơ đất đai", "2026-11-20"), ("Mua máy quét", "2026-12-20")):
        followups.make(see(small), Promise(WEEK, what, due), "", instant(NOW) - DAY)
    followups.make(see(small), Promise(WEEK, "Vừa giao sáng nay", "2026-11-20"), "", instant(NOW))
    own = post(small, mailing(server.port, send_to=()))
    for now in (NOW.replace(hour=0) - timedelta(minutes=1), NOW + timedelta(days=1)):  # too early, a Saturday
        own.clock.now = now  # type: ignore[attr-defined]
        look(own)
    assert server.got == []
    for now in (NOW, NOW + timedelta(hours=3), NOW + timedelta(days=3)):
        own.clock.now = now  # type: ignore[attr-defined]
        look(own)
    assert [to for to, _ in server.got] == [(CENTRE,), (CENTRE,)]
    told, next_day = (words(letter) for letter in server.letters)
    assert "Trả hồ sơ đất đai" in told and "20/11/2026" in told and "Mua máy quét" not in told and "sáng nay" not in told
    assert "sáng nay" in next_day and "đất đai" not in next_day
    events = [event.kind for one in followups.read(see(small)) for event in one.events if event.kind == "reminded"]
    assert events == ["reminded", "reminded"]


def test_a_reminder_that_did_not_leave_is_written_down_by_nobody(small: Store, server: MailServer) -> None:
    followups.make(see(small), Promise(WEEK, "Trả hồ sơ đất đai", "2026-11-20"), "", instant(NOW) - DAY)
    server.answers = ["451 later"]
    own = post(small, mailing(server.port, send_to=()))
    look(own)
    assert len(followups.due(see(small))) == 1
    own.clock.now = NOW + timedelta(minutes=2)  # type: ignore[attr-defined]
    look(own)
    assert followups.due(see(small)) == () and len(server.got) == 1


# --- the mail server --------------------------------------------------------------------------------------
def test_user_and_password_open_a_server_that_asks_and_never_show(small: Store, caplog: pytest.LogCaptureFixture) -> None:
    with mail_server(has_auth=True) as running:
        config = mailing(running.port, send_to=(LEADER,))
        wrong = replace(config, mail=MailConfig("127.0.0.1", running.port, FROM, "plain", USER, "Sai-mat-khau-9"))
        look(post(small, wrong))
        right = replace(config, mail=MailConfig("127.0.0.1", running.port, FROM, "plain", USER, PASSWORD))
        look(post(small, right, NOW + timedelta(minutes=2)))
        assert len(running.got) == 1
    with small.reading() as connection:
        kept = repr(read_tries(connection, WEEK))
    assert states(small, LEADER) == [FAILED, SENT] and "535" in kept
    assert not any(secret in told for secret in (PASSWORD, "Sai-mat-khau-9") for told in (kept, caplog.text, repr(wrong), repr(right)))


def test_starttls_is_used_where_asked_for_and_only_with_a_certificate_one_trusts(
    small: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = (tmp_path / "cert.pem", tmp_path / "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-out", str(pair[0]), "-keyout", str(pair[1])], check=True, capture_output=True, timeout=60,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    with mail_server(tls=context) as running:
        config = mailing(running.port, send_to=(LEADER,))
        config = replace(config, mail=MailConfig("localhost", running.port, FROM, "starttls"))
        look(post(small, config))
        assert running.got == []
        monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]))
        look(post(small, config, NOW + timedelta(minutes=2)))
        assert running.is_encrypted == [True]
    with small.reading() as connection:
        assert any("CERTIFICATE_VERIFY_FAILED" in one.error for one in read_tries(connection, WEEK))


# --- the city file ----------------------------------------------------------------------------------------
GOOD = {URL_VARIABLE: "smtp://127.0.0.1:2525", FROM_VARIABLE: FROM}


@pytest.mark.parametrize(("brief", "environ", "fault"), [
    ({"send_to": [LEADER]}, {}, f"{URL_VARIABLE} is not set"),
    ({"send_to": ["chu tich"]}, GOOD, "'chu tich' is no mail address"),
    ({"notice_to": [CENTRE, CENTRE.upper()]}, GOOD, "twice"),
    ({"send_to": [f"{LEADER}\nBcc: x@y.z"]}, GOOD, "is no mail address"),
    ({"weekday": "thứ hai"}, GOOD, "weekday"), ({"at": "7h"}, GOOD, "write 07:00"), ({"at": 7}, GOOD, "write 07:00"),
    ({"language": "fr"}, GOOD, "vi or en"), ({"needs": ["areas"]}, GOOD, "'areas' is not one of"),
    ({"to": []}, GOOD, "unknown setting 'to'"),
    ({}, {URL_VARIABLE: "smtp://127.0.0.1"}, f"{FROM_VARIABLE}: is not set"),
    ({}, {**GOOD, URL_VARIABLE: "http://u:Geheim-7@mail.example"}, "neither smtp:// nor smtps://"),
    ({}, {**GOOD, URL_VARIABLE: "smtp://u:Geheim-7@mail.example"}, "in plain"),
    ({}, {**GOOD, URL_VARIABLE: "smtps://u:Geheim-7#x@mail.example"}, "as %40"),
    ({}, {**GOOD, URL_VARIABLE: "smtps://u@mail.example"}, "go together"),
    ({}, {**GOOD, URL_VARIABLE: "smtps://mail.example:99999"}, "the port"),
    ({}, {**GOOD, URL_VARIABLE: "smtp://mail.example?tls=1"}, "starttls=1"),
])
def test_a_wrong_setting_is_named_and_no_password_with_it(brief: dict[str, object], environ: dict[str, str], fault: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config({"city": {"name": "T"}, "brief": brief}, ROOT, environ)
    assert fault in str(refused.value) and "Geheim-7" not in str(refused.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        parse_config({"city": {"name": "T"}, "brief": {"weekday": "x", "at": "y", "send_to": ["z"]}}, ROOT, {URL_VARIABLE: "x:"})
    assert len(str(refused.value).splitlines()) >= 6


@pytest.mark.parametrize(("url", "mail"), [
    ("smtp://mail.example", MailConfig("mail.example", 25, FROM)),
    ("smtps://may:Bi%40mat@mail.example", MailConfig("mail.example", 465, FROM, "tls", "may", "Bi@mat")),
    ("smtp://may:x@mail.example:587?starttls=1", MailConfig("mail.example", 587, FROM, "starttls", "may", "x")),
    ("smtp://may:x@127.0.0.1:25", MailConfig("127.0.0.1", 25, FROM, "plain", "may", "x")),
])
def test_the_mail_server_is_read_from_the_environment(url: str, mail: MailConfig) -> None:
    read = parse_config({"city": {"name": "T"}, "brief": {"send_to": [LEADER]}}, ROOT, {URL_VARIABLE: url, FROM_VARIABLE: FROM})
    assert read.mail == mail and read.brief == BriefConfig(send_to=(LEADER,)) and "Bi@mat" not in repr(read)


# --- shown, asked for -------------------------------------------------------------------------------------
def test_the_page_says_how_many_have_it_and_never_who(small: Store, server: MailServer) -> None:
    server.refused = (LEADER,)
    config = mailing(server.port)
    assert [one.severity for one in check_mail(Patient(small, config, NOW, ROOT))] == [WARN], "nobody has tried"
    look(post(small, config))
    view = View("/weekly", {}, "vi", week_of(small))
    with small.reading() as connection:
        shown = str(sending_line(view, read_sending(connection, WEEK), TZ))
        assert count_tries(connection) == {TRYING: 2, SENT: 1, FAILED: 0, REFUSED: 1, HELD: 0}
    assert "Đã gửi tới 1 địa chỉ lúc 10:00 20/11/2026" in shown and "1 địa chỉ không gửi được" in shown and "@" not in shown
    assert sending_line(view, None, TZ) is None
    assert [one.severity for one in check_mail(Patient(small, config, NOW + timedelta(days=7), ROOT))] == [WARN], "the next is due"
    assert [one.severity for one in check_mail(Patient(small, CONFIG, NOW, ROOT))] == [OK]


@pytest.fixture
def typed(small: Store, server: MailServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    feed = '[[feeds]]\nkey = "{0.key}"\nrole = "{0.role}"\nprotocol = "{0.protocol}"\ncadence_s = {0.cadence_s}\n'
    city = f'[city]\nname = "T"\nas_of = "{NOW.isoformat()}"\n[brief]\nsend_to = ["{LEADER}"]\n'
    (tmp_path / "city.toml").write_text(city + "".join(feed.format(row) for row in CONFIG.feeds), encoding="utf-8")
    monkeypatch.setenv(URL_VARIABLE, f"smtp://127.0.0.1:{server.port}")
    monkeypatch.setenv(FROM_VARIABLE, FROM)
    return ["brief", "--city", str(tmp_path / "city.toml"), "--store", url_of(small), "--week", WEEK]


def test_the_command_sends_the_issue_there_is_and_each_once(small: Store, server: MailServer, typed: list[str], tmp_path: Path) -> None:
    first, again = (CliRunner().invoke(cli, [*typed, "--send"]) for _ in range(2))
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    assert f"{LEADER}: sent" in first.output and "sent before" in again.output
    assert len(server.got) == 1 and len(briefs.issue.briefs(see(small))) == 1
    third = CliRunner().invoke(cli, [*typed, "--out", str(tmp_path / "out"), "--send"])
    assert third.exit_code == 0 and len(server.got) == 2 and len(briefs.issue.briefs(see(small))) == 2
    assert read_audit(small, AuditFilter(action="brief.send"), 1)[0].actor.startswith("cli:")


def test_the_command_says_when_a_letter_did_not_leave(server: MailServer, typed: list[str]) -> None:
    server.answers = ["451 later"]
    done = CliRunner().invoke(cli, [*typed, "--send"])
    assert done.exit_code == 1 and "451 later" in done.output
    assert CliRunner().invoke(cli, typed).exit_code == 2
    assert CliRunner().invoke(cli, [*typed, "--send", "--no-archive"]).exit_code == 2


def test_an_ingest_program_that_is_stopped_lets_no_further_letter_out(small: Store, server: MailServer) -> None:
    own = post(small, mailing(server.port))
    server.on_data = own.stop.set
    look(own)
    assert [to for to, _ in server.got] == [(LEADER,)] and states(small, DEPUTY) == []
