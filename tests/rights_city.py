"""A province of two sides, each agency and area with marks of its own, and the people who look at it: the rights matrix's world.

`zag<side>` marks what belongs to a side's agency, `zar<side>` what lies in its area, `zrej` a refused row, `zwords` what citizens wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow.parquet
from sqlalchemy import text

from auth import make_session
from config import Config, FeedConfig
from metrics.rollups import clock_step, drain
from scope import ROLES
from store.annotations import NewAnnotation, put_annotation
from store.briefs import NewBrief, put_brief
from store.catalogue import put_agencies, put_categories, put_procedures
from store.days import DAY, HOUR, instant, number_of
from store.engine import Store, open_store
from store.followups import NewFollowup, put_followup
from store.keys import PROGRAM
from store.landing import Landing, land
from store.migrate import migrate
from store.people import NewUser, add_user
from store.rights import codes_kept
from store.rows import (
    AgencyRow,
    AreaRow,
    CategoryRow,
    DatastreamRow,
    DossierRow,
    IndicatorRow,
    Parsed,
    ProcedureRow,
    ReadingRow,
    Reject,
    ReportRow,
    StationRow,
    StepRow,
)
from store.sessions import open_session

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)  # Friday 10:00 in the province
AT = instant(NOW)
IN, OUT = "in", "out"
AGENCY, AREA = {IN: "H99.1", OUT: "H99.2"}, {IN: "00001", OUT: "00002"}
CONFIG = Config(
    name="T",
    feeds=(
        FeedConfig("one_stop", "one_stop", "portal", cadence_s=900, username="portal", password="portal-password"),
        FeedConfig("feedback", "feedback", "csv", cadence_s=3600),
        FeedConfig("air", "sensors", "sensorthings", cadence_s=3600),
        FeedConfig("indices", "indicators", "csv"),
    ),
)
SIZE = {IN: 6, OUT: 17}  # unlike each other and their sum: a count that took in both sides shows


def make_province(url: str, sides: tuple[str, ...]) -> Store:
    """A filled store of these sides; with both, also a report in the inner area that the outer agency handles."""
    store = open_store(url, TZ)
    migrate(store)
    store.write(lambda connection: put_agencies(connection, [
        AgencyRow(AGENCY[side], f"Sở zag{side}", area_code=AREA[side]) for side in sides
    ]))
    store.write(lambda connection: put_procedures(connection, [
        ProcedureRow(f"P-{side}", f"Thủ tục zag{side}", f"D-{side}", f"Lĩnh vực zag{side}") for side in sides
    ]))
    store.write(lambda connection: put_categories(connection, [CategoryRow(f"C-{side}", f"Loại zag{side}") for side in sides]))
    land(store, Parsed(areas=tuple(_area(side) for side in sides)), Landing("communes", "areas", AT - HOUR))
    for side in sides:
        _land(store, side)
    if OUT in sides:
        crossing = (_report("PX-zagout", OUT, AREA[IN], AT - DAY),)
        land(store, Parsed(reports=crossing, item_count=1), Landing("feedback", "feedback", AT - HOUR // 4))
    put_brief(store, NewBrief("2026-W46", "vi", AT, 1, "zhash", "{}", b"%PDF zag", b"PK zag", None), PROGRAM, AT)
    clock_step(store, AT)
    drain(store, AT)
    return store


def _land(store: Store, side: str) -> None:
    dossiers = tuple(_dossier(number, side) for number in range(SIZE[side]))
    steps = tuple(StepRow(row.source_id, AT - DAY, f"Bước zag{side}", f"Phòng zag{side}") for row in dossiers)
    reports = tuple(_report(f"PA{number}-zag{side}-zar{side}", side, AREA[side], AT - number * DAY) for number in range(SIZE[side]))
    refused = (Reject(f"zrej-{side}", "due_at", "bad_date", "zrej", {"source_id": "zrej"}),)
    quarter = AT - HOUR // 4
    land(store, Parsed(dossiers=dossiers, steps=steps, rejects=refused, item_count=1), Landing("one_stop", "one_stop", quarter))
    again = (_dossier(0, side, channel="online", version=2),)
    land(store, Parsed(dossiers=again, item_count=1), Landing("one_stop", "one_stop", quarter))
    land(store, Parsed(reports=reports, item_count=1), Landing("feedback", "feedback", quarter))
    station = f"S-zar{side}"
    readings = tuple(
        ReadingRow(f"{station}.pm25", AT - back * HOUR, 20.0 + 60 * (side == OUT) + back) for back in range(1, 30)
    )
    land(store, Parsed(
        stations=(StationRow(station, f"Trạm zar{side}", "air", 107.0, 20.9, AREA[side]),),
        datastreams=(DatastreamRow(f"{station}.pm25", station, "pm25", "µg/m³", f"Bụi zar{side}"),),
        readings=readings, item_count=1,
    ), Landing("air", "sensors", quarter))
    land(store, Parsed(indicators=tuple(_figures(side)), item_count=1), Landing("indices", "indicators", quarter))
    today = number_of(NOW.date())
    put_followup(store, NewFollowup("2026-W46", f"Việc zag{side}", today, AGENCY[side], f"Phòng zag{side}"), PROGRAM, AT)
    put_annotation(store, NewAnnotation(f"Lời zar{side}", today, today, "", AGENCY[side], AREA[side]), PROGRAM, AT)


def _figures(side: str) -> Iterator[IndicatorRow]:
    """Values of a side's agency, of its area, of both, and of somebody with a name alone, two years each."""
    zag, zar = f"zag{side}", f"zar{side}"
    agency, area = {"agency": AGENCY[side]}, {"area": AREA[side]}
    subjects = ((zag, agency), (zar, area), (f"{zag}-{zar}", agency | area))
    for year in (2024, 2025):
        first = number_of(date(year, 1, 1))
        for mark, subject in (*subjects, *(((f"{zag}-{zar}", {"subject": f"{zag} {zar}"}),) if side == OUT else ())):
            code = f"index-{mark}" if "-" in mark else "zindex"
            yield IndicatorRow(
                f"{code}{year}-{mark}{len(subject)}", code, str(year), first + 364, first, value=SIZE[side] + year % 7, name=code,
                better="up", kind="index", document=f"Văn bản {mark}", **subject,
            )


def _area(side: str) -> AreaRow:
    west = 107.0 + (side == OUT)
    ring = [[west, 20.0], [west + 0.9, 20.0], [west + 0.9, 20.9], [west, 20.9], [west, 20.0]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    return AreaRow(AREA[side], f"zar{side}", f"Xã zar{side}", lon=west + 0.5, lat=20.5, geometry=shape)


def _dossier(number: int, side: str, channel: str = "direct", version: int = 1) -> DossierRow:
    """Half open and overdue, a third finished late, the rest finished in time."""
    received = AT - (20 + number) * DAY
    ended = None if number % 2 else received + (3 if number % 3 else 16) * DAY
    return DossierRow(
        f"H{number}-zag{side}-zar{side}", AGENCY[side], f"P-{side}", "", f"D-{side}", "", channel, 9 if ended else 4,
        received_at=received, due_at=received + 14 * DAY, finished_at=ended, version=version,
    )


def _report(source_id: str, side: str, area: str, received: int) -> ReportRow:
    closed = received + DAY if received < AT - 3 * DAY else None
    return ReportRow(
        source_id, f"C-{side}", agency=AGENCY[side], area=area, status="resolved" if closed else "new", channel="app",
        received_at=received, due_at=received + 2 * DAY, closed_at=closed, lon=107.5 + (side == OUT), lat=20.5,
        description=f"zwords zag{side}", resolution=f"zwords zag{side}", version=1,
    )


# ---- people -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Caller:
    """Someone who asks. limits: which of agency, area end its rights; role '' = nobody."""

    role: str
    limits: tuple[str, ...] = ()
    token: str = ""

    @property
    def name(self) -> str:
        """The user name, as it stands in the store."""
        return f"{self.role or 'nobody'}{''.join('.' + limit for limit in self.limits)}"

    def foreign(self) -> tuple[str, ...]:
        """Marks this caller may never see."""
        marks = {"agency": "zagout", "area": "zarout"}
        return tuple(marks[limit] for limit in self.limits)


def make_people(store: Store) -> tuple[Caller, ...]:
    """A user of every role, with all rights and limited to the inner side, each with an open session; and nobody."""
    both = ("agency", "area")
    asked = [(role.key, limits) for role in ROLES for limits in ((), both)]
    asked += [("operator", ("agency",)), ("operator", ("area",))]
    return (*(_sign_in(store, Caller(role, limits)) for role, limits in asked), Caller(""))


def _sign_in(store: Store, caller: Caller) -> Caller:
    agencies = (AGENCY[IN],) if "agency" in caller.limits else None
    areas = (AREA[IN],) if "area" in caller.limits else None
    user = add_user(store, NewUser(caller.name, caller.role), "no password opens this", PROGRAM, AT)
    with store.writing() as connection:  # nobody is given limits its role knows not, but stores of before may hold such users
        connection.execute(
            text("UPDATE ops_user SET agencies = :agencies, areas = :areas WHERE id = :id"),
            {"agencies": codes_kept(agencies), "areas": codes_kept(areas), "id": user.id},
        )
    token = make_session()
    assert open_session(store, user, token, AT + DAY, PROGRAM, "matrix", AT)
    return Caller(caller.role, caller.limits, token)


def words_of(body: bytes, form: str) -> str:
    """An answer's text: of a spreadsheet or a parquet file the text of its cells."""
    if form == "xlsx":
        sheets: Iterator[tuple[object, ...]] = openpyxl.load_workbook(BytesIO(body)).active.iter_rows(values_only=True)
        return "\n".join(" ".join(map(str, row)) for row in sheets)
    if form == "parquet":
        return str(pyarrow.parquet.read_table(BytesIO(body)).to_pylist())
    return body.decode("utf-8-sig")
