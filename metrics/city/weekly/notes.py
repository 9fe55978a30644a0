"""What the reader must know of the week: holidays, a week still running, silent feeds, agencies made anew, figures not told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from metrics.city import feeds
from metrics.city.feeds import FeedState
from metrics.city.findings.signals import FULL_WEEK
from metrics.city.numbers import small_counts
from metrics.city.weekly.asking import Asking, speaks
from metrics.city.weekly.parts import Cell, Figure, Statement, Table, Word
from metrics.city.weekly.words import joined, short
from metrics.comparison import comparable_by, working_days
from store.days import date_of, number_of

MOST_NAMES = 5
HIDDEN = (small_counts.SUPPRESSED, small_counts.WITHHELD)


def notes(asking: Asking, reorganised: Sequence[str], tables: Sequence[Table]) -> tuple[Word, ...]:
    """Every note of the week, in the order they are read."""
    found = (
        _running(asking), _silent(asking), *_holidays(asking), _reorganised(reorganised), _hidden(asking, tables),
    )
    return tuple(word for word in found if word is not None)


def left_out(asking: Asking) -> Iterable[tuple[FeedState, Word, bool]]:
    """Feeds of figures that do not speak for the whole week: (feed, why, is it needed?)."""
    for feed in asking.feeds:
        if feed.role in feeds.ROLE_TOPIC and not speaks(asking.city, asking.week, feed, is_over=asking.is_over):
            yield feed, _why(asking, feed), feed.role in asking.city.config.brief.needs


def _why(asking: Asking, feed: FeedState) -> Word:
    if feed.through_at is None:
        return Word("weekly.left_out.never")
    on = asking.city.store.days.on(feed.through_at)
    return Word("weekly.left_out.until", {"on": date_of(on) if on is not None else None})


def _running(asking: Asking) -> Word | None:
    if asking.is_over:
        return None
    if asking.city.today < asking.week.start_on:
        return Word("weekly.note.not_begun", {"week": asking.week.text})
    return Word("weekly.note.running", {"week": asking.week.text, "on": asking.city.today})


def _silent(asking: Asking) -> Word | None:
    topics = {feeds.ROLE_TOPIC[feed.role] for feed in asking.feeds if feed.role in feeds.ROLE_TOPIC}
    spoken = any(
        asking.begun[topic] <= number_of(asking.week.end_on)
        and feeds.coverage(asking.city, asking.week, feeds.speak_until(feeds.of_topic(asking.feeds, topic))) > 0
        for topic in topics
    )
    return None if spoken or asking.city.today < asking.week.start_on else Word("weekly.note.silent")


def _holidays(asking: Asking) -> tuple[Word, ...]:
    """A week with fewer working days than usual; with too few of them it is judged by nothing; what it is set beside, if not the last."""
    calendar = asking.city.calendar
    worked, usual = working_days(calendar, asking.week), 7 - len(calendar.rest_weekdays)
    found = []
    if worked < usual:
        key = "weekly.note.too_short" if worked < FULL_WEEK else "weekly.note.short"
        found.append(Word(key, {"worked": Figure(worked, "working_day", 0 if worked == int(worked) else 1)}))
    if asking.is_over:
        beside = comparable_by(asking.week, asking.city.today, calendar)
        is_there = beside.previous is not None and number_of(beside.previous.start_on) >= min(asking.begun.values())
        if beside.previous is not None and is_there and beside.aligned in ("holiday", "last_worked"):
            found.append(Word(f"weekly.note.beside_{beside.aligned}", {"week": beside.previous.text}))
    return tuple(found)


def _reorganised(names: Sequence[str]) -> Word | None:
    if not names:
        return None
    listed: list[Cell] = [short(name) for name in names[:MOST_NAMES]]
    words: dict[str, Cell] = {"n": Figure(len(names), "none"), "names": joined(listed, "weekly.say.list")}
    return Word("weekly.note.reorganised", words)


def _hidden(asking: Asking, tables: Sequence[Table]) -> Word | None:
    if small_counts.sees_all(asking.city.scope):
        return None
    cells = (cell for table in tables for row in table.rows for cell in row.cells)
    return Word("weekly.note.hidden") if any(isinstance(cell, Figure) and cell.state in HIDDEN for cell in cells) else None


def unsaid(asking: Asking) -> tuple[Statement, ...]:
    """For each subject whose feeds do not speak for the whole week: that nothing is said of it."""
    sections = {"dossiers": "agencies", "reports": "feedback", "readings": "environment"}
    configured = {feeds.ROLE_TOPIC[feed.role] for feed in asking.feeds if feed.role in feeds.ROLE_TOPIC}
    return tuple(
        Statement(section, Word(f"weekly.say.unsaid_{topic}"), None, is_warning=True)
        for topic, section in sections.items() if topic in configured and topic not in asking.whole
    )
