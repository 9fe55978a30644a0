"""What the demo's weekly meetings wrote down before its first day: follow-ups of two weeks, annotations of the story's episodes.

Written once, into a store that has none; all of it is placed relative to the story's first `now`, like everything in the story.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from data_sources.demo.catalogue import catalogue
from data_sources.demo.dossiers import LATE_AGENCY
from data_sources.demo.episodes import STORMS, WEATHER_GAP
from store.annotations import NewAnnotation, put_annotation
from store.days import date_of, instant
from store.engine import Store
from store.followups import NewEvent, NewFollowup, add_event, has_followups, put_followup
from store.keys import By

PROGRAM = By("program")
STORM = STORMS[2]
_AT = timedelta(hours=9)  # of the local day somebody wrote


@dataclass(frozen=True)
class Told:
    """What came of a promise `on` days from the Monday of the first week; `due` likewise, None = no new date."""

    on: int
    kind: str
    note: str
    due: int | None = None


@dataclass(frozen=True)
class Kept:
    """A promise made in the meeting `on` (a Monday, days from the Monday of the first week) about the week before; agency by its name."""

    on: int
    what: str
    who: str
    due: int
    agency: str = ""
    key: str = ""
    events: tuple[Told, ...] = ()


@dataclass(frozen=True)
class Note:
    """What was said of the hours from..to, counted from the story's first `now`."""

    body: str
    hours: tuple[float, float]
    key: str = ""
    agency: str = ""


FOLLOWUPS = (
    Kept(
        -7, "Rà soát, trả lời hết phản ánh quá hạn về rác thải", "Chánh Văn phòng Sở", -3, "Sở Nông nghiệp và Môi trường",
        "reports_overdue",
        (Told(-5, "noted", "Còn 6 phản ánh, đã giao từng phòng"), Told(-4, "done", "Đã trả lời hết, có ảnh sau xử lý")),
    ),
    Kept(
        -7, "Giải quyết xong hồ sơ đất đai quá hạn trên 10 ngày làm việc", "Chủ tịch UBND phường", -1, LATE_AGENCY, "dossiers_overdue",
        (Told(-3, "noted", "Mới xong một nửa, còn chờ ý kiến thẩm định"),),
    ),
    Kept(
        -7, "Thay cảm biến đo bụi bị lặp số liệu", "Trung tâm Quan trắc môi trường", -5, "Sở Nông nghiệp và Môi trường",
        "stations_reporting_pct",
        (Told(-5, "moved", "Chờ thiết bị thay thế", -1), Told(-3, "moved", "Nhà cung cấp giao hàng chậm", 9)),
    ),
    Kept(
        -7, "Thuê thêm đường truyền dự phòng cho cổng phản ánh", "Phòng Hạ tầng số", 4, "Trung tâm Phục vụ hành chính công tỉnh",
        events=(Told(-3, "dropped", "Đường truyền hiện có đã được nâng cấp, không còn cần"),),
    ),
    Kept(0, "Bố trí thêm hai cán bộ một cửa đến hết tháng", "Chủ tịch UBND phường", 8, LATE_AGENCY, "dossiers_overdue"),
    Kept(0, "Trình kế hoạch đưa hồ sơ nộp trực tuyến lên 80%", "Phòng Kiểm soát thủ tục hành chính", 11, key="dossiers_online_pct"),
)
ANNOTATIONS = (
    Note(
        "Bão gây mưa lớn, ngập nhiều tuyến đường: phản ánh về ngập, cây đổ, mất điện tăng trong những ngày này",
        (STORM.start, STORM.start + STORM.length), "reports_received",
    ),
    Note("Bộ phận một cửa thiếu hai cán bộ từ đầu tháng, hồ sơ đất đai dồn lại", (-20 * 24.0, -1.0), "dossiers_overdue", LATE_AGENCY),
    Note("Mạng trạm thời tiết mất kết nối 30 giờ do đứt cáp", WEATHER_GAP, "stations_reporting_pct"),
)


def write_meetings(store: Store, birth: datetime) -> int:
    """Follow-ups and annotations of the weeks before `birth` (aware), if the store has no follow-up; how many rows were written."""
    with store.reading() as connection:
        if has_followups(connection):
            return 0
    for kept in FOLLOWUPS:
        _promise(store, kept, birth)
    for note in ANNOTATIONS:
        days = [store.days.on(instant(birth + timedelta(hours=hour))) for hour in note.hours]
        assert days[0] is not None and days[1] is not None
        new = NewAnnotation(note.body, days[0], days[1], note.key, _code(note.agency))
        put_annotation(store, new, PROGRAM, instant(min(birth, birth + timedelta(hours=note.hours[1] + 12))))
    return len(FOLLOWUPS) + len(ANNOTATIONS)


def _promise(store: Store, kept: Kept, birth: datetime) -> None:
    today = store.days.on(instant(birth))
    assert today is not None
    monday = today - date_of(today).weekday()
    week = date_of(monday + kept.on - 7).isocalendar()
    new = NewFollowup(f"{week.year}-W{week.week:02}", kept.what, monday + kept.due, _code(kept.agency), kept.who, kept.key)
    number = put_followup(store, new, PROGRAM, _at(store, monday + kept.on, birth))
    for told in kept.events:
        event = NewEvent(told.kind, told.note, None if told.due is None else monday + told.due)
        add_event(store, number, event, PROGRAM, _at(store, monday + told.on, birth))


def _at(store: Store, on: int, birth: datetime) -> int:
    """Nine in the morning of a day, never after the story's first `now`."""
    return min(store.days.starts_at(on) + instant(datetime(1970, 1, 1, tzinfo=UTC) + _AT), instant(birth))


def _code(name: str) -> str:
    """The code of the agency whose name ends so, '' for none."""
    return next((agency.code for agency in catalogue().agencies if name and agency.name.endswith(name)), "")
