"""Annotations on both engines: of which KPI, choice and days they speak, how they are withdrawn, who may; and briefs nobody can change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from config import Config
from metrics.city import City, annotations, open_city
from metrics.city.annotations import Annotation, Said
from metrics.city.numbers.sums import Choice
from metrics.city.typed import TypedFault
from metrics.periods import parse_period
from scope import Forbidden, scope_of
from store.audit import AuditFilter
from store.audit import read as read_audit
from store.catalogue import put_agencies
from store.days import instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.revisions import revisions
from store.rows import AgencyRow, AreaRow, Parsed

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
AT = instant(NOW)
CONFIG = Config(name="T")
WEEK = parse_period("2026-W46", NOW.date())  # 9 to 15 November
AGENCIES = (AgencyRow("H1", "Tỉnh"), AgencyRow("H1.1", "Sở Xây dựng", area_code="00001"), AgencyRow("H1.2", "Sở Y tế", area_code="00002"))
AREAS = tuple(AreaRow(code, name, f"Phường {name}") for code, name in (("00001", "Bắc"), ("00002", "Nam")))


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    opened = open_store(engine_url, TZ)
    migrate(opened)
    opened.write(lambda connection: put_agencies(connection, AGENCIES))
    land(opened, Parsed(areas=AREAS), Landing("communes", "areas", AT))
    yield opened
    opened.dispose()


def city_of(store: Store, role: str = "leader", agencies: tuple[str, ...] | None = None, areas: tuple[str, ...] | None = None) -> City:
    return open_city(store, CONFIG, scope_of(role, agencies, areas, f"user:{role}"), NOW)


def said(store: Store, body: str = "Bão số 13", first: str = "2026-11-09", last: str = "2026-11-11", **about: str) -> int:
    return annotations.write(city_of(store), Said(body, first, last, **about), "10.0.0.1", AT)


def bodies(city: City, key: str | None = None, choice: Choice | None = None, withdrawn: bool = False) -> list[str]:
    return [one.body for one in annotations.read(city, key, WEEK, choice or Choice(), with_withdrawn=withdrawn)]


def one_of(store: Store, number: int) -> Annotation:
    found = annotations.one(city_of(store), number)
    assert found is not None
    return found


def test_what_is_said_is_read_back_with_who_and_the_trail_tells_of_it(store: Store) -> None:
    number = said(store, key="dossiers_late", agency="H1.1", area="00001")
    one = one_of(store, number)
    assert (one.key, one.agency, one.area, one.from_on, one.to_on) == (
        "dossiers_late", "Sở Xây dựng", "Phường Bắc", date(2026, 11, 9), date(2026, 11, 11),
    )
    assert (one.body, one.said_by, one.said_at, one.is_withdrawn) == ("Bão số 13", "user:leader", AT, False)
    (entry,) = read_audit(store, AuditFilter(action="annotation.write"), 5)
    assert (entry.actor, entry.address, entry.subject) == ("user:leader", "10.0.0.1", str(number)) and "Bão" not in entry.detail


@pytest.mark.parametrize(("first", "last", "is_told"), [
    ("2026-11-01", "2026-11-08", False), ("2026-11-01", "2026-11-09", True), ("2026-11-11", "2026-11-11", True),
    ("2026-11-15", "2026-11-30", True), ("2026-11-16", "2026-11-30", False), ("2026-11-01", "2026-11-30", True),
])
def test_only_those_that_overlap_the_period_are_told(store: Store, first: str, last: str, is_told: bool) -> None:
    said(store, first=first, last=last)
    assert bool(bodies(city_of(store))) is is_told


def test_a_kpi_is_told_its_own_and_those_of_all_and_nothing_of_another(store: Store) -> None:
    for key in ("", "dossiers_late", "reports_open"):
        said(store, f"về {key or 'tất cả'}", key=key)
    assert bodies(city_of(store), "dossiers_late") == ["về tất cả", "về dossiers_late"]
    assert len(bodies(city_of(store), None)) == 3


def test_what_is_said_of_an_agency_is_told_above_and_below_it_but_speaks_for_it_alone(store: Store) -> None:
    number = said(store, agency="H1.1")
    city, one = city_of(store), one_of(store, number)
    told = {code: bool(bodies(city, None, Choice(agency=code))) for code in ("", "H1", "H1.1", "H1.2", "H1.1.3", "H1.14")}
    assert told == {"": True, "H1": True, "H1.1": True, "H1.2": False, "H1.1.3": True, "H1.14": False}
    speaks = {code: one.holds_for("dossiers_late", Choice(agency=code)) for code in ("", "H1", "H1.1", "H1.1.3", "H1.2")}
    assert speaks == {"": False, "H1": False, "H1.1": True, "H1.1.3": True, "H1.2": False}


def test_what_is_said_of_an_area_speaks_for_it_alone_and_of_a_kpi_for_no_other(store: Store) -> None:
    one = one_of(store, said(store, area="00001", key="reports_open"))
    assert one.holds_for("reports_open", Choice(area="00001"))
    assert not one.holds_for("reports_open") and not one.holds_for("reports_closed", Choice(area="00001"))
    assert bodies(city_of(store), None, Choice(area="00002")) == [] and bodies(city_of(store)) == ["Bão số 13"]


def test_what_is_withdrawn_is_kept_and_told_only_in_the_history(store: Store) -> None:
    number, city = said(store), city_of(store)
    with store.reading() as connection:
        before = revisions(connection)["operations"]
    annotations.withdraw(city, number, "Nhầm tuần", "", AT + 1)
    assert bodies(city) == [] and bodies(city, withdrawn=True) == ["Bão số 13"]
    one = one_of(store, number)
    assert (one.withdrawn_by, one.withdrawn_at, one.withdrawn_why) == ("user:leader", AT + 1, "Nhầm tuần")
    assert not one.holds_for("dossiers_late")
    with store.reading() as connection:
        assert revisions(connection)["operations"] == before + 1
    assert len(read_audit(store, AuditFilter(action="annotation.withdraw"), 5)) == 1
    with pytest.raises(TypedFault) as fault:
        annotations.withdraw(city, number, "Lần nữa", "", AT)
    assert fault.value.key == "annotations.fault_withdrawn"
    assert len(read_audit(store, AuditFilter(action="annotation.withdraw"), 5)) == 1


def test_limited_readers_see_and_write_within_their_limits_alone(store: Store) -> None:
    for body, about in {"sở này": {"agency": "H1.1"}, "sở kia": {"agency": "H1.2"}, "phường kia": {"area": "00002"}, "cả tỉnh": {}}.items():
        said(store, body, **about)
    of_agency, of_area = city_of(store, "operator", ("H1.1",)), city_of(store, "operator", None, ("00001",))
    assert sorted(bodies(of_agency)) == ["cả tỉnh", "phường kia", "sở này"]
    assert sorted(bodies(of_area)) == ["cả tỉnh", "sở này"]
    may = annotations.may_write
    assert (may(of_agency, "H1.1"), may(of_agency, "H1.2"), may(of_agency), may(of_agency, "", "00001")) == (True, False, False, False)
    assert (may(of_area, "", "00001"), may(of_area, "", "00002"), may(of_area), may(of_area, "H1.1")) == (True, False, False, True)
    with pytest.raises(TypedFault, match="outside your rights"):
        annotations.write(of_agency, Said("việc khác", "2026-11-09", "2026-11-09", agency="H1.2"), "", AT)
    with pytest.raises(KeyError):
        annotations.withdraw(of_area, 2, "Nhầm tuần", "", AT)
    with pytest.raises(Forbidden):
        annotations.withdraw(of_agency, 4, "Nhầm tuần", "", AT)
    assert len(bodies(city_of(store))) == 4


REFUSED = {
    "nothing": (Said("", "2026-11-09", "2026-11-09"), "typed.fault_missing"),
    "a telephone": (Said("Gọi 0912 345 678", "2026-11-09", "2026-11-09"), "typed.fault_phone"),
    "days the wrong way round": (Said("Bão", "2026-11-09", "2026-11-08"), "annotations.fault_days"),
    "more than a year": (Said("Bão", "2025-11-09", "2026-11-10"), "annotations.fault_days"),
    "far ahead": (Said("Bão", "2027-12-01", "2027-12-02"), "annotations.fault_days"),
    "no day": (Said("Bão", "hôm qua", "2026-11-10"), "typed.fault_day"),
    "no KPI": (Said("Bão", "2026-11-09", "2026-11-09", key="best"), "typed.fault_kpi"),
    "no agency": (Said("Bão", "2026-11-09", "2026-11-09", agency="H9"), "typed.fault_agency"),
    "no area": (Said("Bão", "2026-11-09", "2026-11-09", area="99999"), "typed.fault_agency"),
}


def test_what_cannot_be_said_is_refused_and_nothing_is_kept(store: Store) -> None:
    for case, (wanted, key) in REFUSED.items():
        with pytest.raises(TypedFault) as fault:
            annotations.write(city_of(store), wanted, "", AT)
        assert fault.value.key == key, case
    with store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM ops_annotation")).scalar_one() == 0


# ---- issued briefs ------------------------------------------------------------------------------------------------------
BRIEF = (
    "INTO ops_brief (id, week, lang, issued_at, as_of, revision, sha256, content, pdf, xlsx) "
    "VALUES (1, '2026-W46', 'vi', 1, 1, 1, 'x', '{}', :pdf, :xlsx)"
)
WAYS: dict[str, tuple[str, ...]] = {
    "update": ("UPDATE ops_brief SET content = '[]'",),
    "delete": ("DELETE FROM ops_brief",),
    "replace": (f"INSERT OR REPLACE {BRIEF}", f"INSERT {BRIEF} ON CONFLICT (id) DO UPDATE SET content = '[]'"),
    "truncate": ("DELETE FROM ops_brief WHERE id > 0", "TRUNCATE ops_brief"),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_issued_brief_is_never_changed(store: Store, way: str) -> None:
    files = {"pdf": b"%PDF", "xlsx": b"PK"}
    store.write(lambda connection: connection.execute(text(f"INSERT {BRIEF}"), files))
    statement = WAYS[way][0 if store.is_sqlite else -1]
    with pytest.raises(DBAPIError, match="never changed"), store.writing() as connection:
        connection.execute(text(statement), files if ":pdf" in statement else {})
    with store.reading() as connection:
        (row,) = connection.execute(text("SELECT content, pdf FROM ops_brief")).all()
    assert (row[0], bytes(row[1])) == ("{}", b"%PDF")
