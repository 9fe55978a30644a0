"""What 766 and the one-stop form ask of a dossier: read from the wire and from tables, kept as one integer, unknown where nobody told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app import make_app
from components.desk_links import View
from components.desk_score import score_cards
from config import Config, FeedConfig
from data_sources.demo.catalogue import write_catalogue_csvs
from data_sources.feed import RawBatch
from data_sources.one_stop import portal, table
from metrics.city import open_city
from metrics.city.numbers import form_06a, kpis, score
from metrics.city.numbers.small_counts import WITHHELD
from metrics.city.numbers.sums import Choice
from metrics.city.records import dossiers
from metrics.periods import parse_period
from metrics.rollups import clock_step, drain
from metrics.score_766 import GROUPS, INDICATORS, points_of
from scope import scope_of
from store.catalogue import put_procedures
from store.catalogue_files import CatalogueError, load_catalogue
from store.days import instant, number_of
from store.engine import Store, open_store
from store.facts import FACTS, flag, level_of, pack, unpack
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import DossierRow, Parsed, ProcedureRow
from tests.servers import LiveServer
from tests.stores import ALL
from text import t

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
AT = instant(NOW)
DAY = 86_400_000_000
CONFIG = Config("Test", feeds=(FeedConfig("one_stop", "one_stop", "portal", cadence_s=3600),))
MONTH = parse_period("2026-11", NOW.date())


def told(**wire: Any) -> DossierRow:
    """The row of a portal object with these fields."""
    item = {"MaHoSo": "H1-1", "NgayTiepNhan": "20261102080000", "TrangThaiHoSo": "4", **wire}
    (row,) = portal.parse_dossiers(CONFIG.feeds[0], RawBatch([item]), NOW).dossiers
    return row


# ---- the integer ----------------------------------------------------------------------------------------------------
def test_every_fact_is_kept_apart_and_unknown_is_not_no() -> None:
    for place, name in enumerate(FACTS):
        for value in (True, False, None):
            packed = pack("partial", [value if n == place else None for n in range(len(FACTS))])
            assert unpack(packed) == {"level": "partial", **dict.fromkeys(FACTS), name: value}
            assert flag(packed, name) is value
    assert pack("", [None] * len(FACTS)) == 0


@pytest.mark.parametrize(("written", "level"), (
    ("4", "full"), ("3", "partial"), ("2", "information"), ("1", "information"), ("Toàn trình", "full"), ("một phần", "partial"),
    ("", ""), ("5", None), ("x", None),
))
def test_levels_of_either_decree_mean_the_same(written: str, level: str | None) -> None:
    assert level_of(written) == level


# ---- the wire -------------------------------------------------------------------------------------------------------
def test_an_object_that_tells_nothing_leaves_every_fact_unknown() -> None:
    row = told()
    assert [getattr(row, name) for name in FACTS] == [None] * len(FACTS) and row.level == ""


@pytest.mark.parametrize(("fees", "paid", "expected"), (
    ([{"Gia": "75000"}], "0", True), ([{"Gia": "0"}, {"Gia": 0}], "1", False), ([], "3", True), ([], "0", False), ([], None, None),
    (None, "1", True), ([{"Gia": "mien"}], None, None), ({"Gia": "1,000"}, None, True), ("garbage", "", None),
))
def test_a_fee_is_a_sum_above_zero_else_what_the_payment_says(fees: Any, paid: Any, expected: bool | None) -> None:
    assert told(DanhSachLePhi=fees, DuocThanhToanTrucTuyen=paid).has_fee is expected


def test_files_and_results_count_by_their_links() -> None:
    row = told(
        TaiLieuNop=[{"DuongDanTaiTepTin": "", "IsDeleted": "False"}, {"DuongDanTaiTepTin": "x", "IsDeleted": "True"}],
        DanhSachGiayToKetQua=[{"DuongDanTepTinKetQua": "https://x"}],
    )
    assert (row.has_component_file, row.has_e_result, row.is_shared) == (False, True, True)
    bare = told(TaiLieuNop=[], DanhSachGiayToKetQua=[])
    assert (bare.has_component_file, bare.has_e_result, bare.is_shared) == (False, False, False)


@pytest.mark.parametrize(("wire", "expected"), (
    ({"TaiKhoanDuocXacThucVoiVNeID": "1"}, True), ({"TaiKhoanDuocXacThucVoiVNeID": "0"}, False), ({"DSKetNoiCSDL": []}, False),
    ({"DSKetNoiCSDL": [{"MaCSDL": 7}], "TaiKhoanDuocXacThucVoiVNeID": "0"}, True), ({"DSKetNoiCSDL": [{"MaCSDL": "3"}]}, False),
    ({"TaiLieuNop": [{"DuocLayTuKhoDMQG": True}]}, True), ({}, None),
))
def test_identity_is_verified_by_vneid_population_data_or_the_store(wire: dict[str, Any], expected: bool | None) -> None:
    assert told(**wire).is_identified is expected


def test_apology_satisfaction_and_level_are_read_where_a_system_adds_them() -> None:
    row = told(DaXinLoi="1", MucDoHaiLong="3", MucDo=4)
    assert (row.has_apology, row.is_disliked, row.level) == (True, True, "full")
    assert told(MucDoHaiLong="2").is_disliked is False and told(MucDoHaiLong="9", MucDo="9").is_disliked is None


def test_a_table_gives_facts_by_name_and_refuses_a_level_that_is_none() -> None:
    fields = {name: {"from": name} for name in ("source_id", "received_at", "level", "has_fee", "has_apology")}
    feed = FeedConfig("one_stop", "one_stop", "csv", fields=fields)
    items = [
        {"source_id": "1", "received_at": "2026-11-02", "level": "3", "has_fee": "có", "has_apology": ""},
        {"source_id": "2", "received_at": "2026-11-02", "level": "7"},
    ]
    parsed = table.parse(feed, RawBatch(items), NOW)
    coded = replace(feed, fields={**fields, "has_fee": {"from": "has_fee", "codes": {"Y": True, "N": "no"}}})
    assert table.parse(coded, RawBatch([{**items[0], "has_fee": "Y"}]), NOW).dossiers[0].has_fee is True
    assert [one.reason for one in table.parse(coded, RawBatch([{**items[0], "has_fee": "N"}]), NOW).rejects] == ["bad_bool"]
    assert [(row.level, row.has_fee, row.has_apology) for row in parsed.dossiers] == [("partial", True, None)]
    assert [(one.field, one.reason) for one in parsed.rejects] == [("level", "unknown_code")]


# ---- stored and counted, on both engines ----------------------------------------------------------------------------
@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    opened = open_store(engine_url, CONFIG.tz)
    migrate(opened)
    yield opened
    opened.dispose()


def fill(store: Store, *rows: DossierRow) -> Any:
    """Land, fold; the city at NOW."""
    land(store, Parsed(dossiers=rows), Landing("one_stop", "one_stop", AT))
    clock_step(store, AT)
    drain(store, AT)
    return open_city(store, CONFIG, ALL, NOW)


def values(city: Any, *keys: str, choice: Choice | None = None) -> list[tuple[float | None, int | None]]:
    return [(one.value, one.n) for one in kpis.read(city, keys, MONTH, choice or Choice())]


def row(source_id: str, **told_: Any) -> DossierRow:
    return DossierRow(source_id, **{"agency": "A", "status": 4, "received_at": AT - 5 * DAY, "version": 1, **told_})


def test_the_level_is_the_dossiers_own_else_the_catalogues(store: Store) -> None:
    store.write(lambda connection: put_procedures(connection, [ProcedureRow("P", "P", level="full"), ProcedureRow("Q", "Q")]))
    city = fill(
        store, row("1", procedure_code="P", channel="online"), row("2", procedure_code="P", level="partial", channel="online"),
        row("3", procedure_code="Q"),
    )
    assert values(city, "dossiers_online_full", "dossiers_online_partial", "dossiers_full_pct") == [(1, 2), (1, 2), (50.0, 2)]


def test_facts_nobody_told_are_unknown_and_never_zero(store: Store) -> None:
    city = fill(store, row("1", finished_at=AT - 4 * DAY, due_at=AT - 5 * DAY, status=9))
    facts = ("dossiers_paid_online_pct", "dossiers_e_result_pct", "dossiers_digitised_whole_pct", "dossiers_digitised_pct",
             "dossiers_shared_pct", "dossiers_identified_pct", "dossiers_satisfied_pct", "dossiers_apology_pct", "dossiers_online_full")
    assert values(city, *facts) == [(None, 0)] * len(facts)
    assert all(one.points is None for group in score.read(city, MONTH).groups for one in group.indicators if one.kpi in facts)


def test_shares_are_of_those_told_and_a_withdrawn_dossier_owes_no_result(store: Store) -> None:
    done = {"status": 9, "finished_at": AT - DAY}
    city = fill(
        store, row("1", has_fee=True, is_paid_online=True, is_digitised=True, has_component_file=True, has_e_result=True, **done),
        row("2", has_fee=True, is_paid_online=False, is_digitised=False, has_component_file=True, has_e_result=False, **done),
        row("3", has_fee=False, is_paid_online=True, has_e_result=False, status=7, finished_at=AT - DAY), row("4"),
    )
    assert values(city, "dossiers_paid_online_pct", "dossiers_digitised_pct", "dossiers_e_result_pct", "dossiers_digitised_whole_pct") == [
        (50.0, 2), (50.0, 2), (50.0, 2), (50.0, 2),
    ]


def test_a_fact_told_later_moves_the_sums_and_is_seen_in_the_history(store: Store) -> None:
    late = {"status": 9, "finished_at": AT - DAY, "due_at": AT - 2 * DAY}
    fill(store, row("1", has_apology=False, **late))
    city = fill(store, row("1", has_apology=True, is_disliked=False, **{**late, "version": 2}))
    assert values(city, "dossiers_apology_pct", "dossiers_satisfied_pct") == [(100.0, 1), (0.0, 1)]
    detail = dossiers.one(city, "one_stop", "1")
    assert detail is not None
    changed = {change.field: (change.before, change.after) for change in detail.versions[-1].changes}
    assert changed == {"has_apology": (False, True), "is_disliked": (None, False)}


def test_an_upgraded_store_keeps_the_two_facts_it_had(make_database: Callable[..., str]) -> None:
    opened = open_store(make_database("sqlite"), CONFIG.tz)
    migrate(opened, to="0004")
    with opened.engine.begin() as connection:
        for name, digitised, paid in (("1", 1, 0), ("2", None, 1), ("3", 0, None)):
            connection.execute(
                text(
                    "INSERT INTO core_dossier (feed, source_id, version, hash, is_digitised, is_paid_online) "
                    "VALUES ('f', :n, 1, '', :d, :p)"
                ),
                {"n": name, "d": digitised, "p": paid},
            )
    migrate(opened)
    with opened.reading() as connection:
        kept = connection.execute(text("SELECT facts FROM core_dossier ORDER BY source_id")).scalars().all()
    assert [(flag(one, "is_digitised"), flag(one, "is_paid_online")) for one in kept] == [(True, False), (None, True), (False, None)]
    opened.dispose()


# ---- the catalogue of procedures ------------------------------------------------------------------------------------
def test_the_demos_list_of_procedures_is_read_with_its_dates(store: Store, tmp_path: Path) -> None:
    _, procedures, _ = write_catalogue_csvs(tmp_path)
    load_catalogue(store, {"procedures": str(procedures)})
    with store.reading() as connection:
        counts = "count(*), count(central_limit_days), count(decision_on), count(has_fee)"
        total, central, decided, fees = connection.execute(text(f"SELECT {counts} FROM core_procedure")).one()
        levels = set(connection.execute(text("SELECT DISTINCT level FROM core_procedure")).scalars())
    assert (total, decided, fees) == (300, 300, 300) and 200 < central < 300 and levels == {"full", "partial", "information"}


@pytest.mark.parametrize(("column", "value"), (("level", "9"), ("has_fee", "perhaps"), ("central_limit_days", "ten"), ("decision_on", "x")))
def test_a_list_that_cannot_be_read_names_line_and_column(store: Store, tmp_path: Path, column: str, value: str) -> None:
    (tmp_path / "p.csv").write_text(f"code,name,{column}\nP,Name,{value}\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match="line 2"):
        load_catalogue(store, {"procedures": str(tmp_path / "p.csv")})


def test_procedures_are_on_time_by_five_working_days(store: Store) -> None:
    """2026-11-02 is a Monday: the fifth working day after it is Monday 9."""
    def on(day: int) -> int:
        return number_of(NOW.date().replace(day=day))

    store.write(lambda connection: put_procedures(connection, [
        ProcedureRow("1", "1", decision_on=on(2), effective_on=on(9), published_on=on(9), central_limit_days=20, limit_days=14),
        ProcedureRow("2", "2", decision_on=on(2), effective_on=on(8), published_on=on(10), central_limit_days=10, limit_days=1),
        ProcedureRow("3", "3", decision_on=on(2)),
    ]))
    city = fill(store, row("1"))
    keys = ("procedures_published_on_time_pct", "procedures_public_on_time_pct", "procedures_time_cut_pct")
    assert values(city, *keys) == [(50.0, 2), (pytest.approx(100 / 3), 3), (pytest.approx(30.0), 1)]
    assert values(city, *keys, choice=Choice(agency="A")) == [(None, 0)] * 3


# ---- form and score -------------------------------------------------------------------------------------------------
def test_points_follow_the_rate_to_the_threshold_and_unknown_is_none() -> None:
    row_ = next(one for one in INDICATORS if one.no == "3.3")
    assert (points_of(row_, None), points_of(row_, 0.0), points_of(row_, 25.0), points_of(row_, 50.0), points_of(row_, 76.0)) == (
        None, 0.0, 3.0, 6.0, 6.0,
    )


def test_the_scale_has_a_hundred_points_and_each_group_what_its_indicators_have() -> None:
    assert sum(group.most for group in GROUPS) == 100
    for group in GROUPS:
        assert sum(one.most for one in INDICATORS if one.group == group.key) == group.most, group.key


def test_the_score_sums_only_what_is_known(store: Store) -> None:
    city = fill(store, row("1", channel="online", has_e_result=True, status=9, finished_at=AT - DAY, due_at=AT))
    found = score.read(city, MONTH)
    known = [one for group in found.groups for one in group.indicators if one.points is not None]
    assert {one.no for one in known} == {"2.1", "3.3", "4.1"}
    assert (found.points, found.known_most, found.most) == (32.0, 32.0, 100.0)
    assert {group.key: group.points for group in found.groups}["payment"] is None


def test_the_form_is_told_to_readers_of_large_counts_only_where_no_small_one_follows(store: Store) -> None:
    many = (("D", 40), ("E", 30), ("F", 2))
    rows = [row(f"{domain}{n}", domain_code=domain, channel="online") for domain, count in many for n in range(count)]
    city = fill(store, *rows)
    whole = form_06a.read(city, MONTH)
    assert [(one.group, one.in_hand) for one in whole.rows] == [("D", 40), ("E", 30), ("F", 2), ("", 72)]
    viewer = open_city(store, CONFIG, scope_of("viewer", actor="v"), NOW)
    assert [(one.group, one.in_hand, bool(one.state)) for one in form_06a.read(viewer, MONTH).rows] == [
        ("D", 40, False), ("E", None, True), ("F", None, True), ("", 72, False),
    ]
    chosen = form_06a.read(viewer, MONTH, "agency", Choice(domain="F"))
    assert all(one.state == WITHHELD or one.in_hand is None for one in chosen.rows)


def test_the_form_has_two_groupings_and_is_empty_where_no_feed_speaks(store: Store) -> None:
    city = fill(store, row("1"))
    with pytest.raises(ValueError, match="domain, agency"):
        form_06a.read(city, MONTH, "area")
    assert form_06a.read(city, parse_period("2027-01", NOW.date())).rows == ()


def test_the_screen_marks_what_is_unknown_or_unverified_and_links_what_it_can(store: Store) -> None:
    city = fill(store, row("1", channel="online", is_identified=True))
    drawn = repr(score_cards(View("/indices", {}, "vi", MONTH), score.read(city, MONTH)).to_plotly_json())
    assert drawn.count("chưa rõ'") == len(INDICATORS) - 2  # 3.3 and 4.5 are known
    assert "/kpis?period=2026-11#dossiers_identified_pct" in drawn and "data-score='11.000000'" in drawn


def test_the_score_says_what_no_feed_tells_of_an_indicator(store: Store) -> None:
    city = open_city(store, CONFIG, ALL, NOW)
    found = score.read(city, MONTH)
    lacking = {row.no: row for group in found.groups for row in group.indicators if row.lacks}
    assert set(lacking) == {"1.4", "3.3", "4.1", "5.2"} and lacking["1.4"].points is None
    drawn = repr(score_cards(View("/indices", {}, "vi", MONTH), found).to_plotly_json())
    assert all(t(f"score.lacks.{row.lacks}", "vi") in drawn for row in lacking.values())


def test_the_api_tells_the_citys_score_and_form(store: Store, live_server: Callable[..., LiveServer]) -> None:
    city = fill(store, row("1", channel="online", domain_code="D", has_e_result=True, status=9, finished_at=AT - DAY, due_at=AT))
    url = live_server(make_app(CONFIG, store, now=lambda: NOW).server).url
    told_ = httpx.get(f"{url}/api/v1/score", params={"period": "2026-11"}).json()
    found = score.read(city, MONTH)
    assert (told_["points"], told_["known_most"], told_["most"]) == (found.points, found.known_most, 100)
    assert [one["no"] for one in told_["items"]] == [one.no for one in INDICATORS]
    form = httpx.get(f"{url}/api/v1/form-06a", params={"period": "2026-11", "by": "agency", "lang": "en"}).json()["items"]
    assert [(one["group"], one["in_hand"], one["finished"], one["in_progress"]) for one in form] == [("A", 1, 1, 0), ("", 1, 1, 0)]
    assert httpx.get(f"{url}/api/v1/form-06a.csv", params={"period": "2026-11"}).text.splitlines()[-1].startswith(",Tổng số,1,1,0,0,1")
    assert httpx.get(f"{url}/api/v1/form-06a", params={"by": "area"}).status_code == 400
