"""Follow-ups on both engines: what a week's brief opens with, who may write them, the trail of every act, refused faults, reminders.

What Python decides from rows already read (late, kept, allowed, due when) is asked of SQLite alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.routes import mount
from components.context import AppContext
from config import Config, FeedConfig
from metrics.city import City, annotations, followups, open_city
from metrics.city.annotations import Said
from metrics.city.followups import Followup, Promise
from metrics.city.typed import TypedFault
from metrics.periods import Period, parse_period
from scope import Forbidden, scope_of
from store.audit import AuditFilter, verify
from store.audit import read as read_audit
from store.catalogue import put_agencies
from store.days import DAY, instant
from store.engine import Store, open_store
from store.followups import DONE, NewEvent, WrongState, add_event
from store.keys import By
from store.migrate import migrate
from store.revisions import revisions
from store.rows import AgencyRow
from text import LANGUAGES
from text.catalogue import catalogue

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)  # Friday of week 47
AT = instant(NOW)
CONFIG = Config(name="T", feeds=(FeedConfig("one_stop", "one_stop", "portal", username="portal", password="portal-password"),))
LAST = parse_period("2026-W46", NOW.date())
AGENCIES = (AgencyRow("H1", "Tỉnh"), AgencyRow("H1.1", "Sở Xây dựng", area_code="00001"), AgencyRow("H1.2", "Sở Y tế", area_code="00002"))


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    opened = open_store(engine_url, TZ)
    migrate(opened)
    opened.write(lambda connection: put_agencies(connection, AGENCIES))
    yield opened
    opened.dispose()


@pytest.fixture
def lite(sqlite_database: str) -> Iterator[Store]:
    opened = open_store(sqlite_database, TZ)
    migrate(opened)
    opened.write(lambda connection: put_agencies(connection, AGENCIES))
    yield opened
    opened.dispose()


def city_of(
    store: Store, role: str = "leader", agencies: tuple[str, ...] | None = None, areas: tuple[str, ...] | None = None, days: int = 0,
) -> City:
    """The store seen by someone, that many days from now."""
    scope = scope_of(role, agencies, areas, f"user:{role}")
    return open_city(store, CONFIG, scope, datetime.fromtimestamp(NOW.timestamp() + days * 86400, UTC))


def made(
    store: Store, what: str = "Giảm hồ sơ quá hạn", due: str = "2026-11-27", week: str = "2026-W46", agency: str = "", days: int = 0,
) -> int:
    """A promise made that many days from now."""
    return followups.make(city_of(store, days=days), Promise(week, what, due, agency, "Chánh Văn phòng"), "10.0.0.1", AT + days * DAY)


def found(store: Store, number: int, days: int = 0) -> Followup:
    one = followups.one(city_of(store, days=days), number)
    assert one is not None
    return one


def whats(city: City, week: Period | None = None, state: str = "") -> list[str]:
    return [one.what for one in followups.read(city, week, state)]


# ---- written and read back --------------------------------------------------------------------------------------------
def test_a_promise_is_read_back_with_who_and_when_and_the_trail_tells_of_it(store: Store) -> None:
    number = made(store, agency="H1.1")
    one = found(store, number)
    assert (one.week, one.what, one.who, one.due_on) == ("2026-W46", "Giảm hồ sơ quá hạn", "Chánh Văn phòng", date(2026, 11, 27))
    assert (one.agency_code, one.agency, one.state, one.is_late, one.made_by, one.made_at) == (
        "H1.1", "Sở Xây dựng", "open", False, "user:leader", AT,
    )
    assert [(event.kind, event.actor, event.at) for event in one.events] == [("made", "user:leader", AT)]
    (entry,) = read_audit(store, AuditFilter(action="followup.make"), 5)
    assert (entry.actor, entry.address, entry.kind, entry.subject) == ("user:leader", "10.0.0.1", "followup", str(number))
    assert "Giảm" not in entry.detail and '"week":"2026-W46"' in entry.detail


ACTS: dict[str, Callable[[City, int], None]] = {
    "note": lambda city, number: followups.note(city, number, "Đã xong một nửa", "", AT + 1),
    "move": lambda city, number: followups.move(city, number, "2026-12-04", "Chờ kinh phí", "", AT + 1),
    "close": lambda city, number: followups.close(city, number, "", "", AT + 1),
    "drop": lambda city, number: followups.drop(city, number, "Không còn cần", "", AT + 1),
}


@pytest.mark.parametrize("act", ACTS)
def test_every_act_moves_the_revision_and_leaves_an_entry_of_its_own(store: Store, act: str) -> None:
    number = made(store)
    with store.reading() as connection:
        before = revisions(connection)["operations"]
    ACTS[act](city_of(store), number)
    with store.reading() as connection:
        assert revisions(connection)["operations"] == before + 1
    assert [entry.subject for entry in read_audit(store, AuditFilter(action=f"followup.{act}"), 5)] == [str(number)]
    assert verify(store) is None


def test_an_act_that_the_trail_cannot_keep_is_not_kept_either(store: Store) -> None:
    number = made(store)
    with store.writing() as connection:
        connection.execute(text("ALTER TABLE ops_audit RENAME TO away"))
    with pytest.raises(DBAPIError):
        followups.close(city_of(store), number, "", "", AT)
    assert found(store, number).state == "open"


def test_a_date_that_moved_twice_keeps_all_three_and_the_first_is_what_was_promised(store: Store) -> None:
    number = made(store)
    followups.move(city_of(store), number, "2026-12-04", "Chờ kinh phí", "", AT + 1)
    followups.move(city_of(store), number, "2026-12-11", "Chờ thiết bị", "", AT + 2)
    one = found(store, number)
    assert (one.due_on, one.first_due_on, one.moves) == (date(2026, 12, 11), date(2026, 11, 27), 2)
    assert [(event.note, event.due_on) for event in one.events[1:]] == [
        ("Chờ kinh phí", date(2026, 12, 4)), ("Chờ thiết bị", date(2026, 12, 11)),
    ]
    assert one.is_kept is False


def test_what_was_closed_by_mistake_is_reopened_and_nothing_is_lost(store: Store) -> None:
    number = made(store)
    followups.close(city_of(store), number, "Xong", "", AT + 1)
    assert (found(store, number).state, found(store, number).done_on, found(store, number).is_kept) == ("done", date(2026, 11, 20), True)
    followups.reopen(city_of(store), number, "", "", AT + 2)
    one = found(store, number)
    assert (one.state, one.done_on, one.is_kept) == ("open", None, None)
    assert [event.kind for event in one.events] == ["made", "done", "reopened"]


def test_done_after_its_first_date_is_not_a_kept_promise(lite: Store) -> None:
    number = made(lite, due="2026-11-23")
    followups.close(city_of(lite, days=5), number, "", "", AT + 5 * DAY)
    assert found(lite, number, days=5).is_kept is False


def test_an_open_one_is_late_from_the_day_after_its_date(lite: Store) -> None:
    number = made(lite, due="2026-11-21")
    assert [found(lite, number, days).is_late for days in (0, 1, 2)] == [False, False, True]


# ---- what a week opens with ---------------------------------------------------------------------------------------------
def test_a_week_opens_with_what_was_late_then_open_then_done_then_dropped_and_its_own_promises_last(store: Store) -> None:
    numbers = {what: made(store, what, due, days=-12, week="2026-W45") for what, due in (
        ("xong", "2026-11-30"), ("mở sau", "2026-12-02"), ("mở trước", "2026-12-01"), ("thôi", "2026-11-30"), ("trễ", "2026-11-12"),
    )}
    made(store, "mới", "2026-11-22")
    followups.close(city_of(store), numbers["xong"], "", "", AT)
    followups.drop(city_of(store), numbers["thôi"], "Không còn cần", "", AT)
    assert whats(city_of(store), LAST) == ["trễ", "mở trước", "mở sau", "xong", "thôi", "mới"]
    assert whats(city_of(store), LAST, DONE) == ["xong"]


def test_a_week_knows_neither_later_promises_nor_what_was_closed_before_it_began(store: Store) -> None:
    before = made(store, "trước tuần", week="2026-W45", days=-12)
    followups.close(city_of(store), before, "", "", AT - 12 * DAY)  # Sunday 8 November, the day before week 46
    inside = made(store, "trong tuần", week="2026-W45", days=-12)
    followups.close(city_of(store), inside, "", "", AT - 11 * DAY)
    made(store, "tuần sau", week="2026-W47")
    assert whats(city_of(store), LAST) == ["trong tuần"]
    assert whats(city_of(store), parse_period("2026-W47", NOW.date())) == ["tuần sau"]
    assert sorted(whats(city_of(store))) == ["trong tuần", "trước tuần", "tuần sau"]


def test_one_that_was_reopened_is_back_in_the_week(lite: Store) -> None:
    number = made(lite, week="2026-W45", days=-12)
    followups.close(city_of(lite), number, "", "", AT - 12 * DAY)
    assert whats(city_of(lite), LAST) == []
    followups.reopen(city_of(lite), number, "", "", AT)
    assert whats(city_of(lite), LAST) == ["Giảm hồ sơ quá hạn"]


def test_a_store_nobody_promised_anything_in_has_none(store: Store) -> None:
    assert followups.read(city_of(store), LAST) == () and followups.due(city_of(store)) == ()
    assert followups.one(city_of(store), 1) is None


def test_a_period_that_is_no_week_and_an_unknown_state_are_refused(lite: Store) -> None:
    with pytest.raises(ValueError, match="2026-11 is not a week"):
        followups.read(city_of(lite), parse_period("2026-11", NOW.date()))
    with pytest.raises(ValueError, match="open, done, dropped"):
        followups.read(city_of(lite), state="late")


# ---- rights -------------------------------------------------------------------------------------------------------------
def test_limited_readers_see_their_own_and_the_provinces_and_nothing_else(store: Store) -> None:
    outside = made(store, "ngoài", agency="H1.2")
    made(store, "trong", agency="H1.1")
    made(store, "cả tỉnh")
    for limited in (city_of(store, "operator", ("H1.1",)), city_of(store, "operator", None, ("00001",))):
        assert sorted(whats(limited)) == ["cả tỉnh", "trong"]
        assert followups.one(limited, outside) is None
        with pytest.raises(KeyError):
            followups.close(limited, outside, "", "", AT)
    assert found(store, outside).state == "open"


def test_limited_writers_write_for_their_own_agency_alone(lite: Store) -> None:
    province, own = made(lite, "cả tỉnh"), city_of(lite, "operator", ("H1.1",))
    followups.make(own, Promise("2026-W46", "của sở", "2026-11-27", "H1.1"), "", AT)
    for agency in ("H1.2", "H1", ""):
        with pytest.raises(TypedFault) as fault:
            followups.make(own, Promise("2026-W46", "việc", "2026-11-27", agency), "", AT)
        assert (fault.value.key, fault.value.field) == ("typed.fault_agency", "agency")
    with pytest.raises(Forbidden):
        followups.close(own, province, "", "", AT)
    assert (followups.may_write(own, "H1.1"), followups.may_write(own, "H1.2"), followups.may_write(own)) == (True, False, False)
    assert sorted(whats(city_of(lite))) == ["cả tỉnh", "của sở"]


def test_who_may_not_write_reads_all_the_same(lite: Store) -> None:
    number = made(lite)
    viewer = city_of(lite, "viewer")
    assert whats(viewer) == ["Giảm hồ sơ quá hạn"] and not followups.may_write(viewer)
    with pytest.raises(Forbidden):
        followups.close(viewer, number, "", "", AT)


# ---- refused --------------------------------------------------------------------------------------------------------------
REFUSED = {
    "nothing": (Promise("2026-W46", "  ", "2026-11-27"), "typed.fault_missing", "what"),
    "too long": (Promise("2026-W46", "x" * 301, "2026-11-27"), "typed.fault_length", "what"),
    "a telephone": (Promise("2026-W46", "Gọi 0912 345 678", "2026-11-27"), "typed.fault_phone", "what"),
    "a mail address": (Promise("2026-W46", "Gửi lan@so.vn", "2026-11-27"), "typed.fault_email", "what"),
    "an identity card": (Promise("2026-W46", "Hồ sơ CCCD 022084001234", "2026-11-27"), "typed.fault_paper", "what"),
    "a person": (Promise("2026-W46", "Trả lời ông Nguyễn Văn An", "2026-11-27"), "typed.fault_person", "what"),
    "a person as who": (Promise("2026-W46", "việc", "2026-11-27", who="Bà Trần Thị Bình"), "typed.fault_person", "who"),
    "a day that is over": (Promise("2026-W46", "việc", "2026-11-19"), "followups.fault_past", "due"),
    "a day too far": (Promise("2026-W46", "việc", "2028-01-01"), "followups.fault_far", "due"),
    "no day": (Promise("2026-W46", "việc", "mai"), "typed.fault_day", "due"),
    "no agency": (Promise("2026-W46", "việc", "2026-11-27", "H9"), "typed.fault_agency", "agency"),
    "no KPI": (Promise("2026-W46", "việc", "2026-11-27", key="best"), "typed.fault_kpi", "key"),
    "no week": (Promise("2026-11", "việc", "2026-11-27"), "typed.fault_week", "week"),
    "a week to come": (Promise("2026-W48", "việc", "2026-11-27"), "typed.fault_week", "week"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_promised_is_refused_with_the_field_and_nothing_is_kept(lite: Store, case: str) -> None:
    promise, key, field = REFUSED[case]
    with pytest.raises(TypedFault) as fault:
        followups.make(city_of(lite), promise, "", AT)
    assert (fault.value.key, fault.value.field) == (key, field)
    assert followups.read(city_of(lite)) == () and read_audit(lite, AuditFilter(kind="followup"), 5) == ()
    assert all(key in catalogue(lang) for lang in LANGUAGES)


@pytest.mark.parametrize("what", [
    "Xong hồ sơ 000.00.15.H49-261101-0012", "Theo Quyết định 766/QĐ-TTg ngày 23/6/2022", "Giải ngân 12.500.000.000 đồng",
    "Vá ổ gà trước số 12 đường Lê Lợi",
])
def test_numbers_that_are_nobodys_are_kept_as_typed(lite: Store, what: str) -> None:
    assert found(lite, made(lite, what)).what == what


def test_an_act_the_state_does_not_allow_says_so(lite: Store) -> None:
    number, city = made(lite), city_of(lite)
    acts: list[tuple[Callable[[], None], str]] = [
        (lambda: followups.reopen(city, number, "", "", AT), "followups.fault_open"),
        (lambda: followups.move(city, number, "2026-11-27", "Chờ kinh phí", "", AT), "followups.fault_same"),
        (lambda: followups.move(city, number, "2026-12-04", "", "", AT), "typed.fault_missing"),
        (lambda: followups.drop(city, number, "", "", AT), "typed.fault_missing"),
    ]
    for act, key in acts:
        with pytest.raises(TypedFault) as fault:
            act()
        assert fault.value.key == key
    followups.close(city, number, "", "", AT)
    with pytest.raises(TypedFault) as fault:
        followups.close(city, number, "", "", AT)
    assert fault.value.key == "followups.fault_done"
    with pytest.raises(KeyError):
        followups.close(city, 99, "", "", AT)


def test_of_many_who_close_at_once_one_does(store: Store) -> None:
    number, said = made(store), []

    def close() -> None:
        try:
            add_event(store, number, NewEvent("done"), By("user:x"), AT)
            said.append("done")
        except WrongState as fault:
            said.append(fault.state)

    threads = [threading.Thread(target=close) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["done"] * 6  # one has done it, five were told that it is done
    assert [event.kind for event in found(store, number).events] == ["made", "done"]


# ---- reminders ------------------------------------------------------------------------------------------------------------
def test_a_reminder_is_due_two_working_days_before_the_date_and_again_when_it_is_over(lite: Store) -> None:
    number = made(lite, due="2026-11-26")  # Thursday; Tuesday the 24th is a holiday, so Monday is two working days before
    told = {days: [one.why for one in followups.due(city_of(lite, days=days))] for days in range(9)}
    assert told == {0: [], 1: [], 2: [], 3: ["soon"], 4: ["soon"], 5: ["soon"], 6: ["soon"], 7: ["overdue"], 8: ["overdue"]}
    followups.remind(city_of(lite, days=4), followups.due(city_of(lite, days=4))[0], AT + 4 * DAY)
    assert followups.due(city_of(lite, days=6)) == ()
    followups.remind(city_of(lite, days=7), followups.due(city_of(lite, days=7))[0], AT + 7 * DAY)
    assert followups.due(city_of(lite, days=8)) == ()
    assert [(event.kind, event.note) for event in found(lite, number).events[1:]] == [("reminded", "soon"), ("reminded", "overdue")]


def test_a_moved_date_is_reminded_of_anew_and_a_closed_one_never(store: Store) -> None:
    number, closed = made(store, due="2026-11-20"), made(store, due="2026-11-20")
    followups.close(city_of(store), closed, "", "", AT)
    (reminder,) = followups.due(city_of(store))
    assert (reminder.followup.id, reminder.why) == (number, "soon")
    followups.remind(city_of(store), reminder, AT)
    followups.move(city_of(store), number, "2026-11-23", "Chờ kinh phí", "", AT)
    assert [one.why for one in followups.due(city_of(store))] == ["soon"]


# ---- the API --------------------------------------------------------------------------------------------------------------
@pytest.fixture
def told(lite: Store, live_server: Callable[..., Any]) -> Iterator[httpx.Client]:
    server = FastAPI()
    mount(server, AppContext(CONFIG, lite, lambda: NOW, lambda request: scope_of("analyst", actor="key:t#1")),
          build_frame=lambda city, lang: {"props": {}, "ages": {}})
    with httpx.Client(base_url=live_server(server).url) as client:
        yield client


def test_the_addresses_tell_what_the_page_is_drawn_from(told: httpx.Client, lite: Store) -> None:
    number = made(lite, agency="H1.1")
    made(lite, "tuần này", week="2026-W47")
    followups.close(city_of(lite), number, "Xong", "", AT)
    answer = told.get("/api/v1/followups", params={"week": "2026-W46"}).json()
    (one,) = answer["items"]
    assert (answer["total"], one["id"], one["agency"], one["due_on"], one["state"], one["is_kept"], one["done_on"]) == (
        1, number, "Sở Xây dựng", "2026-11-27", "done", True, "2026-11-20",
    )
    told_events = [(event["kind"], event["note"], event["due_on"]) for event in one["events"]]
    assert told_events == [("made", "", "2026-11-27"), ("done", "Xong", None)]
    lines = told.get("/api/v1/followups.csv").content.decode("utf-8-sig").splitlines()
    assert len(lines) == 3 and lines[0].startswith("id,week,what,agency_code,agency,who,due_on")
    annotations.write(city_of(lite), Said("Bão số 13", "2026-11-09", "2026-11-11", "dossiers_late"), "", AT)
    (said,) = told.get("/api/v1/annotations", params={"key": "dossiers_late", "period": "2026-W46"}).json()["items"]
    assert (said["body"], said["said_by"], said["from_on"], said["to_on"]) == ("Bão số 13", "user:leader", "2026-11-09", "2026-11-11")
    assert told.get("/api/v1/annotations", params={"key": "reports_open", "period": "2026-W46"}).json()["items"] == []


@pytest.mark.parametrize(("address", "field"), [
    ("followups?week=2026-11", "week"), ("followups?week=x", "week"), ("followups?state=late", "state"), ("annotations?key=best", "key"),
])
def test_what_the_addresses_do_not_know_is_refused_with_its_field(told: httpx.Client, address: str, field: str) -> None:
    answer = told.get(f"/api/v1/{address}")
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
