"""What is taken out before it is stored: by rule from text, by class from fields, and how well, measured on written lines."""

from __future__ import annotations

import pkgutil
import re
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import metrics.city
from config import Config, ConfigError, FeedConfig
from data_sources.feed import RawBatch
from data_sources.field_classes import FREE_TEXT, TABLE, class_of
from data_sources.mapping import compile_mapping
from data_sources.redact import redact, without
from data_sources.registry import protocol_of
from metrics.city import City
from metrics.city.grid import Grid
from metrics.city.masking import MASKS, PUBLIC_FIELDS, Mask, masked
from scope import ROLES, scope_of
from store.rows import Parsed
from tests.privacy_lines import HOMES, MAILS, NAMES, NEGATIVE, PAPERS, PHONES, POSITIVE

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)


def left(line: str, parts: str) -> list[str]:
    """The parts that redaction has left standing."""
    return [part for part in parts.split("|") if part in redact(line)]


def found(lines: tuple[tuple[str, str], ...]) -> int:
    return sum(not left(*line) for line in lines)


# --- redaction ----------------------------------------------------------------------------------------------


def test_the_lists_are_long_enough_to_measure_by() -> None:
    assert len(POSITIVE) >= 60 and len(NEGATIVE) >= 60
    assert len({line for line, _ in POSITIVE}) == len(POSITIVE)


@pytest.mark.parametrize(("lines", "share"), [(PHONES, 1.0), (MAILS, 1.0), (PAPERS, 1.0), (HOMES, 0.94), (NAMES, 0.58)])
def test_so_many_of_each_kind_are_found(lines: tuple[tuple[str, str], ...], share: float) -> None:
    assert found(lines) / len(lines) >= share, [line for line in lines if left(*line)]


@pytest.mark.parametrize("line", NEGATIVE)
def test_nothing_goes_that_is_no_person(line: str) -> None:
    assert redact(line) == line


def test_the_document_says_what_was_measured() -> None:
    told = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    for lines in (PHONES, MAILS, PAPERS, HOMES, NAMES):
        assert f"{found(lines)} of {len(lines)}" in told
    wrong = sum(redact(line) != line for line in NEGATIVE)
    assert f"{wrong} of {len(NEGATIVE)}" in told


@given(st.lists(st.sampled_from([line for line, _ in POSITIVE] + list(NEGATIVE)) | st.text(max_size=30), max_size=4))
def test_redacting_again_changes_nothing(parts: list[str]) -> None:
    once = redact(" ".join(parts))
    assert redact(once) == once


@given(st.sampled_from(PHONES + PAPERS + MAILS), st.text(alphabet="abcxyzđêô ,;!?\n", max_size=20))
def test_words_around_hide_nobody(line: tuple[str, str], around: str) -> None:
    text, parts = line
    for part in parts.split("|"):
        assert part not in redact(f"{around}\n{text}\n{around}")


@pytest.mark.parametrize("unit", ["0 .-", "1 ", "số ", "ngõ 1 ", "0-", "a.", "12/", "ông nguyễn ", "(+84", "x@a."])
def test_a_long_text_of_one_sign_is_read_in_bounded_time(unit: str) -> None:
    text = unit * (8000 // len(unit))
    assert len(redact(text)) <= 8 * len(text)


def test_what_stands_in_personal_fields_goes_however_it_is_written() -> None:
    assert without("Chị NGUYEN THI MAU gọi", ("Nguyễn Thị Mẫu",)) == "Chị [tên người] gọi"
    assert without("Nguyê\u0303n Thi\u0323 Mâ\u0303u gọi", ("Nguyễn Thị Mẫu",)) == "[tên người] gọi"


# --- classes ------------------------------------------------------------------------------------------------


def compiled(fields: dict[str, Any], **options: Any) -> Any:
    return compile_mapping(fields, zone=ZoneInfo("UTC"), known=tuple(fields), where="feed x", **options)


def test_a_personal_field_cannot_be_mapped_into_the_store() -> None:
    with pytest.raises(ConfigError, match=r"feed x: area: home is named in personal .* take this row out"):
        compiled({"area": {"from": "home"}}, personal=("home",), of="report")
    with pytest.raises(ConfigError, match=r"feed x: area: a personal field is not stored: take this row out"):
        compiled({"area": {"from": "home", "class": "personal"}}, of="report")


def test_free_text_cannot_be_declared_public_nor_put_where_everyone_reads() -> None:
    with pytest.raises(ConfigError, match="its class is free_text"):
        compiled({"description": {"from": "text", "class": "public"}}, of="report")
    with pytest.raises(ConfigError, match="its class is public; text about people belongs in description"):
        compiled({"category_name": {"from": "text", "class": "free_text"}}, of="report")
    compiled({"description": {"from": "text", "class": "free_text"}, "area": {"from": "a", "class": "public"}}, of="report")


def test_a_class_nobody_knows_is_a_fault() -> None:
    with pytest.raises(ConfigError, match="class 'secret' is none of public, free_text, personal"):
        compiled({"area": {"from": "a", "class": "secret"}}, of="report")


def test_words_are_redacted_whatever_their_class() -> None:
    for row in TABLE:
        values, problems = compiled({row.target: {"from": "a"}}, of=row.part).apply({"a": "Trạm nhà 0912 345 678, a@b.vn"})
        assert (values, problems) == ({row.target: "Trạm nhà [số điện thoại], [email]"}, ()), row


def test_ids_and_codes_are_kept_to_the_digit() -> None:
    values, _ = compiled({"source_id": {"from": "a"}, "procedure_code": {"from": "a"}}, of="dossier").apply({"a": "123456789012"})
    assert set(values.values()) == {"123456789012"}


def test_the_document_prints_the_table_of_classes() -> None:
    told = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    for row in TABLE:
        assert re.search(rf"\| {row.part} \| `{row.target}` \| {row.field_class} \|", told), row
    assert class_of("report", "description") == FREE_TEXT and class_of("report", "status") == "public"


# --- what City answers -----------------------------------------------------------------------------------------

# what callers ask with, and what the package keeps to itself
QUESTIONS = frozenset(
    {"Asked", "_Answers", "Check", "Choice", "Cells", "DossierFilter", "Grid", "IndicatorFilter", "Mask", "Names", "Order", "Query",
     "Field", "Filter", "Known", "Narrow", "Rolled", "Sort", "Term", "_Making",  # the filter grammar
     "Promise", "ReadingFilter", "ReportFilter", "Said", "Sight", "State", "TrailFilter"}
)


INSIDE = ("metrics.city.explore.", "metrics.city.weekly.")  # these packages give out what their own face names


def answers() -> dict[str, type]:
    """Every dataclass the City package gives out, by name."""
    found_in = pkgutil.walk_packages(metrics.city.__path__, "metrics.city.")
    modules = [import_module(row.name) for row in found_in if not row.name.startswith(INSIDE)]
    found = (kind for module in modules for kind in vars(module).values() if isinstance(kind, type) and is_dataclass(kind))
    return {kind.__name__: kind for kind in found if kind.__module__.startswith("metrics.city.") and kind.__name__ not in QUESTIONS}


def test_every_word_and_point_of_every_answer_has_a_class() -> None:
    classed = {mask.field for mask in MASKS} | {f"{name}.{field}" for name, told in PUBLIC_FIELDS.items() for field in told.split()}
    holding = {
        f"{name}.{field.name}" for name, kind in answers().items() for field in fields(kind)
        if field.name in ("lon", "lat") or re.search(r"\b(str|Any)\b", str(field.type))
    }
    assert len(holding) > 60
    assert holding == classed, (holding - classed, classed - holding)
    assert not {mask.field for mask in MASKS} & {f"{n}.{f}" for n, told in PUBLIC_FIELDS.items() for f in told.split()}


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: mask.field)
@pytest.mark.parametrize("role", [role.key for role in ROLES])
def test_a_masked_field_is_whole_only_for_roles_with_its_class(mask: Mask, role: str) -> None:
    name, _, field = mask.field.partition(".")
    secret: Any = 107.123456 if mask.instead in ("lon", "lat") else "022084001234"
    kind: Any = answers()[name]
    empty = {one.name: None if one.name in ("lon", "lat") else "" for one in fields(kind)}
    row = kind(**{**empty, field: secret})
    scope = scope_of(role)
    city = City(None, Config("T"), scope, 0, {}, None)  # type: ignore[arg-type]
    given = getattr(masked(city, row, Grid(0.01, 0.01)), field)
    is_open = mask.field_class in scope.field_classes and (not mask.permission or mask.permission in scope.permissions)
    assert (given == secret) == is_open
    assert is_open or given in (None, "", "•••234", 107.12), given


# --- what a refused item leaves behind -----------------------------------------------------------------------

SECRETS = {
    "ChuHoSo": "Nguyễn Thị Bí Mật", "phone": "0912345678", "nested": {"deep": [{"cccd": "022084001234", "who": "Trần Bí Ẩn"}]},
    "first_name": "Hoàng Ẩn Danh", "address": "12 ngõ 5 phố Bí Mật", "email": "bi.mat@thu.example.vn", "unknown": "Lê Kín Đáo",
}
WORDS = ("Bí Mật", "Bí Ẩn", "Ẩn Danh", "Kín Đáo", "0912345678", "022084001234", "bi.mat@")
LONG_ID = "x" * 300
REFUSED: tuple[tuple[FeedConfig, str, dict[str, Any]], ...] = (
    (FeedConfig("p", "one_stop", "portal"), "DongBoHoSoMC", {"MaHoSo": "H1-1", "NgayTiepNhan": "0912345678"}),
    (FeedConfig("p", "one_stop", "portal"), "CapNhatTienDoHoSoMC", {"MaHoSo": "H1-1", "ThoiDiemXuLy": "gọi 0912345678"}),
    (
        FeedConfig("d", "one_stop", "csv", fields={"source_id": {"from": "id"}, "received_at": {"from": "at"}}), "",
        {"id": "1", "at": "0912345678"},
    ),
    (FeedConfig("o", "feedback", "open311"), "", {"service_request_id": "1", "requested_datetime": "gọi 0912345678"}),
    (
        FeedConfig("r", "feedback", "csv", fields={"source_id": {"from": "id"}, "received_at": {"from": "at"}}), "",
        {"id": "1", "at": "gọi 0912345678"},
    ),
    (FeedConfig("s", "sensors", "sensorthings"), "things", {"name": {"who": "Nguyễn Thị Bí Mật"}, "@iot.id": None}),
    (
        FeedConfig("s", "sensors", "sensorthings"), "observations",
        {"phenomenonTime": "0912345678", "result": "bi.mat@thu.example.vn", "Datastream": {"@iot.id": "a", **SECRETS}},
    ),
    (
        FeedConfig("t", "sensors", "csv", fields={
            "station_id": {"from": "s"}, "property": {"from": "p"}, "observed_at": {"from": "at"}, "value": {"from": "v"},
        }), "",
        {"s": "1", "p": "pm25", "at": "2026-11-19", "v": "0912345678x"},
    ),
    (FeedConfig("g", "areas", "geojson"), "", {"properties": {"name": "0912345678", **SECRETS}, "geometry": None, "id": LONG_ID}),
)


@pytest.mark.parametrize(("feed", "kind", "item"), REFUSED, ids=lambda value: getattr(value, "protocol", None))
def test_a_refused_item_keeps_no_field_that_nobody_mapped(feed: FeedConfig, kind: str, item: dict[str, Any]) -> None:
    parsed: Parsed = protocol_of(feed).parse(feed, RawBatch([{**SECRETS, **item}], kind=kind), NOW)
    assert parsed.rejects, "the item was meant to be refused"
    told = repr(parsed)
    assert not [word for word in WORDS if word in told], told


@pytest.mark.parametrize("feed", [row[0] for row in REFUSED], ids=lambda feed: f"{feed.role}-{feed.protocol}")
def test_an_item_that_is_no_table_leaves_nothing(feed: FeedConfig) -> None:
    for kind in ("", "things", "observations") if feed.protocol == "sensorthings" else ("",):
        parsed = protocol_of(feed).parse(feed, RawBatch(["Nguyễn Thị Bí Mật 0912345678", ["022084001234"]], kind=kind), NOW)
        assert parsed.rejects and not [word for word in WORDS if word in repr(parsed)], repr(parsed)
