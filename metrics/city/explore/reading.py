"""Answers a question of /explore: what it needs, where that is read, the rows and totals made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, text

from metrics.city import City
from metrics.city.explore.cells import NOTHING, Asking, check, narrow, pinned, sources_of
from metrics.city.explore.cover import Cover, cover_of
from metrics.city.explore.measures import Measure, Needs, measure, needs
from metrics.city.explore.parts import parts_of
from metrics.city.explore.past import why_not
from metrics.city.explore.question import (
    DIMENSION,
    FILTERED,
    INDEX,
    MOST_CELLS,
    PATIENCE_S,
    READ,
    ROLLUP,
    TOTAL,
    Answer,
    Dimension,
    Question,
)
from metrics.city.explore.readings import check_readings, narrow_readings, read_sums
from metrics.city.explore.rows import Rows
from metrics.city.explore.sheets import read_sheet
from metrics.city.explore.table import Added, Sheet
from metrics.city.remembered import Remembered
from metrics.comparison import comparable_by
from metrics.periods import Period
from store.bounded import asked_now, bounded
from store.bounded import stop as stop_reading

MOST_KEPT = 32  # answers of readers with the same rights


def read(city: City, question: Question, key: str = "") -> Answer:
    """The answer to a question; `key` names the page that asks, so that it can be stopped.

    Requires see.desk, and see.stations for readings, see.small_counts for all else: free filters could be put together to tell a small
    count. ValueError ("field: what is wrong; remedy") for what has no answer; TookTooLong, Stopped for what was not read to its end.
    """
    city.scope.require("see.desk")
    measures, dimensions = _checked(question)
    topic = measures[0].topic
    city.scope.require("see.stations" if topic == "readings" else "see.small_counts")

    asked_at = asked_now()  # who waits for another's answer to the same question waits no longer than for their own

    def answer() -> Answer:
        with bounded(city.store, PATIENCE_S, key, asked_at) as connection:
            return _read_in(connection, city, question, measures, dimensions)

    kept: Remembered = city.once("explore", make=lambda: Remembered(MOST_KEPT))  # few: an answer may hold thousands of rows
    found: Answer = kept.of((question, city.revisions.get(topic, 0), city.as_of), answer)
    return found


def stop(city: City, key: str) -> None:
    """Stop what this page is waiting for."""
    city.scope.require("see.desk")
    stop_reading(city.store, key)


def _checked(question: Question) -> tuple[tuple[Measure, ...], tuple[Dimension, ...]]:
    if not question.measures:
        raise ValueError("measures: name at least one")
    measures = tuple(measure(key) for key in question.measures)
    topics = {row.topic for row in measures}
    if len(topics) > 1:
        raise ValueError(f"measures: they are of {' and '.join(sorted(topics))}; ask for those of one subject at a time")
    if len(question.by) > 2 or len(set(question.by)) < len(question.by):
        raise ValueError("by: choose at most two different breakdowns")
    topic = topics.pop()
    if topic == "readings":
        check_readings(question)
    if question.filter and question.filter.topic != FILTERED[topic]:
        raise ValueError(f"measures: they are of {topic}, the filter is of {question.filter.topic}")
    for key in question.by:
        if key not in DIMENSION or topic not in DIMENSION[key].columns:
            known = ", ".join(row.key for row in DIMENSION.values() if topic in row.columns)
            raise ValueError(f"by: {key!r} is no breakdown of {topic}; choose one of {known}")
    return measures, tuple(DIMENSION[key] for key in question.by)


def _read_in(
    connection: Connection, city: City, question: Question, measures: tuple[Measure, ...], dimensions: tuple[Dimension, ...],
) -> Answer:
    reasons = _why_not(city, question, measures, dimensions)
    if reasons:
        about = {"is_read": False, "is_reproducible": False, "why_not": reasons}
        return Answer(question, (), (), READ, 0, 0, city.revision, city.as_of, **about)  # type: ignore[arg-type]
    if question.known_at is not None:
        city = replace(city, as_of=question.known_at, memo={})  # its clock stood there
    comparison = comparable_by(question.period, city.today, city.calendar, question.compare) if question.compare else None
    period = comparison.current if comparison else question.period
    asking = _asking(connection, city, question, measures[0].topic, dimensions, period)
    earlier = None
    if comparison and comparison.previous:
        earlier = _asking(connection, city, question, measures[0].topic, dimensions, comparison.previous)
    about = {"revision": city.revision, "as_of": city.as_of, "comparison": comparison}
    sheets, cover = _sheets([one for one in (asking, earlier) if one], measures)
    if cover.coverage == READ and not question.may_read:
        return Answer(question, (), (), READ, cover.rows, 0, is_read=False, **about)  # type: ignore[arg-type]
    sheet = sheets[0]
    before = _moved(sheets[1], earlier, asking) if earlier else None
    rows, totals = Rows(asking, measures, sheet, before, comparison).made()
    if len(rows) > MOST_CELLS:
        raise ValueError(f"by: {len(rows)} cells are more than {MOST_CELLS}; choose a shorter period, a coarser breakdown or a top")
    rows_read = asking.rows_read + (earlier.rows_read if earlier else 0)
    return Answer(question, rows, totals, cover.coverage, cover.rows, rows_read, **about)  # type: ignore[arg-type]


def _why_not(
    city: City, question: Question, measures: Sequence[Measure], dimensions: Sequence[Dimension],
) -> tuple[str, ...]:
    topic = measures[0].topic
    if topic == "readings":
        return why_not(city, question, topic, dimensions, ())
    needed = needs(question.measures, question.late_rule or city.config.late_rule)
    return why_not(city, question, topic, dimensions, sources_of(topic, needed.read))


def _sheets(askings: Sequence[Asking], measures: Sequence[Measure]) -> tuple[list[Sheet], Cover]:
    """The sheets of all periods of a question, and how they are covered together; none where that must be asked first."""
    if askings[0].topic == "readings":
        found = [read_sums(asking) for asking in askings]
        return [sheet for sheet, _, _ in found], _together([Cover(coverage, rows) for _, coverage, rows in found])
    needed = [_needs(asking, measures) for asking in askings]
    cover = _together([cover_of(*one) for one in zip(askings, needed, strict=True)])
    if cover.coverage == READ and not askings[0].question.may_read:
        return [], cover
    return [read_sheet(*one) for one in zip(askings, needed, strict=True)], cover


def _together(covers: Sequence[Cover]) -> Cover:
    worst = max((one.coverage for one in covers), key=(ROLLUP, INDEX, READ).index)
    return Cover(worst, sum(one.rows for one in covers))


def _asking(
    connection: Connection, city: City, question: Question, topic: str, dimensions: tuple[Dimension, ...], period: Period,
) -> Asking:
    areas: Mapping[str, str] = {}
    if topic == "dossiers" and any(row.key == "area" for row in dimensions):
        areas = dict(connection.execute(text("SELECT code, area_code FROM core_agency")).all())
    parts = parts_of(period, question.by, city.today)
    if topic == "readings":
        return Asking(connection, city, question, topic, dimensions, parts, areas, narrow_readings(city, question), NOTHING)
    narrowings = narrow(city, question, topic, "r."), narrow(city, question, topic, "d.")
    return Asking(connection, city, question, topic, dimensions, parts, areas, *narrowings, pinned=pinned(city, question))


def _needs(asking: Asking, measures: Sequence[Measure]) -> Needs:
    needed = needs(tuple(row.key for row in measures), asking.question.late_rule or asking.city.config.late_rule)
    check(asking, needed.read, needed.stocks)
    return needed


def _moved(sheet: Sheet, earlier: Asking, asking: Asking) -> Sheet:
    """The earlier sheet with its parts under the names of the current ones, first beside first."""
    place = next((number for number, row in enumerate(asking.dimensions) if row.kind == "time"), None)
    if place is None:
        return sheet
    names = {old.text: new.text for old, new in zip(earlier.parts.parts, asking.parts.parts, strict=False)} | {TOTAL: TOTAL}

    def moved(cells: Added) -> Added:
        return {(*g[:place], names[g[place]], *g[place + 1 :]): values for g, values in cells.items() if g[place] in names}

    return Sheet(sheet.flow_names, sheet.stock_names, moved(sheet.flows), moved(sheet.stocks))
