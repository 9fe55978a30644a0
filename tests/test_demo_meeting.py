"""The demo's weekly meetings: six follow-ups of two weeks, three annotations of the story, written once and only into an empty store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config import Config
from data_sources.demo.meeting import ANNOTATIONS, FOLLOWUPS, write_meetings
from data_sources.demo.run import fill_meetings
from metrics.city import annotations, followups, open_city
from metrics.city.typed import known_kpi, sentence
from metrics.periods import parse_period
from scope import scope_of
from store.audit import AuditFilter, read
from store.engine import Store, open_store
from store.migrate import migrate

BIRTHS = [datetime(2026, 11, 16, 0, tzinfo=UTC) + timedelta(days=day) for day in range(7)]  # Monday 07:00 to Sunday


@pytest.fixture
def store(sqlite_database: str) -> Iterator[Store]:
    opened = open_store(sqlite_database, ZoneInfo("Asia/Ho_Chi_Minh"))
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.mark.parametrize("birth", BIRTHS, ids=lambda birth: f"{birth:%A}")
def test_on_whatever_day_it_begins_one_is_kept_one_late_two_open_one_moved_twice_one_dropped(store: Store, birth: datetime) -> None:
    assert write_meetings(store, birth) == 9
    city = open_city(store, Config(name="T"), scope_of("leader"), birth)
    found = followups.read(city, parse_period("last_week", city.today))
    assert [(one.state, one.is_late, one.moves, one.is_kept) for one in found] == [
        ("open", True, 0, False), ("open", False, 2, False), ("done", False, 0, True), ("dropped", False, 0, False),
        ("open", False, 0, None), ("open", False, 0, None),
    ]
    assert all(event.at <= city.as_of for one in found for event in one.events)
    said = annotations.read(city, None, parse_period("last_30d", city.today))
    assert {one.body for one in said} == {note.body for note in ANNOTATIONS}


def test_it_is_written_once_by_the_program_and_the_trail_tells_of_all(store: Store, tmp_path: Path) -> None:
    fill_meetings(store, tmp_path, BIRTHS[3])
    entries = read(store, AuditFilter(), 100)
    assert {entry.actor for entry in entries} == {"program"}
    assert len(entries) == len(ANNOTATIONS) + sum(1 + len(one.events) for one in FOLLOWUPS)
    fill_meetings(store, tmp_path, BIRTHS[4])
    assert len(read(store, AuditFilter(), 100)) == len(entries)


def test_what_it_says_is_what_people_may_type() -> None:
    for kept in FOLLOWUPS:
        checked = sentence(kept.what, "what", 3, 300), sentence(kept.who, "who", 0, 120), known_kpi(kept.key)
        assert checked == (kept.what, kept.who, kept.key)
        assert all(sentence(told.note, "note", 3, 500) == told.note for told in kept.events)
    for note in ANNOTATIONS:
        assert (sentence(note.body, "body", 3, 500), known_kpi(note.key)) == (note.body, note.key)
