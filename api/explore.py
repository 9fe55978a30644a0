"""/api/v1/explore: any measure broken down by one or two dimensions, over any filter and period; what the page of that name shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from api import parameters as known
from api.answers import Ask, Json, list_or_table, period_json, period_of, refusing
from api.errors import ApiError
from api.parameters import Parameter, bad
from api.showing import Route
from api.tables import Column, Table, iso
from metrics.city import explore
from metrics.city.explore import DIMENSIONS, FILTERED, MEASURE, MEASURES, TOTAL, Answer, Question, Row
from metrics.city.lists.filters import Filter, parse
from store.days import instant
from text import t

MOST_TOP = 200
DEFAULT_MEASURE, DEFAULT_BY = "dossiers_received", "agency"


def answer_explore(ask: Ask) -> Json | Table:
    """The rows and totals of a question; where it is not covered and `read` is not yes, the estimate alone."""
    with refusing():
        question = question_of(ask)
        found = explore.read(ask.city, question)
    if ask.form == "json":
        return _told(ask, found)
    if not found.is_read:
        raise ApiError(
            400, "not_covered", f"about {found.estimate} rows would have to be read", field="read",
            remedy="add read=yes, ask for a shorter period, or filter by agency",
        )
    return list_or_table(ask, "explore", _columns(ask, question), [_cells(row) for row in (*found.rows, *found.totals)])


def question_of(ask: Ask) -> Question:
    """The question these parameters ask. ValueError ("field: ...") or ApiError for what cannot be meant."""
    asked = ask.asked
    measures = tuple(key for key in (asked.text("measures") or DEFAULT_MEASURE).split(",") if key)
    if not measures or measures[0] not in MEASURE:
        raise bad("measures", f"measures={asked.text('measures')!r} names none", f"one or more of: {', '.join(MEASURE)}")
    topic = FILTERED[MEASURE[measures[0]].topic]
    top = asked.whole("top", 0)
    assert top is not None
    if not 0 <= top <= MOST_TOP:
        raise bad("top", f"top={top} is out of range", f"0 (all) to {MOST_TOP}")
    by = tuple(key for key in (asked.text("by") or DEFAULT_BY).split(",") if key not in ("", "none"))
    return Question(
        measures, by, period_of(ask), _filter(ask, topic),
        asked.text("late_rule"), asked.text("compare"), top, _known_at(ask), asked.text("read") == "yes",
    )


def _filter(ask: Ask, topic: str) -> Filter:
    """The filter of the topic. A filter it does not have is refused: it would be passed over in silence."""
    own = {row.name for row in known.filters_of(topic)} | {row.name for row in _OWN}
    for name in ask.asked.values:
        if name not in own and name != known.LANG.name:
            raise bad(name, f"{name} is no filter of {topic}", f"known: {', '.join(sorted(own))}")
    beyond = {row.name for row in _OWN}
    return parse(topic, {name: value for name, value in ask.asked.values.items() if name not in beyond})


def _known_at(ask: Ask) -> int | None:
    given = ask.asked.text("known_at")
    if not given:
        return None
    try:
        found = datetime.fromisoformat(given)
        return instant(found if found.tzinfo else found.replace(tzinfo=ask.city.store.days.tz))
    except (ValueError, OverflowError) as fault:
        raise bad("known_at", f"known_at={given!r} is no instant", "write 2026-11-20T08:00, in the city's zone or another") from fault


def _told(ask: Ask, found: Answer) -> dict[str, Any]:
    question, tz = found.question, ask.city.store.days.tz
    before = found.comparison.previous if found.comparison else None
    return {
        "measures": [
            {"key": key, "label": t(MEASURE[key].label, ask.lang), "measure_unit": MEASURE[key].measure_unit or None}
            for key in question.measures
        ],
        "by": list(question.by), "period": period_json(question.period), "previous_period": period_json(before) if before else None,
        "coverage": found.coverage, "estimate": found.estimate, "rows_read": found.rows_read, "is_read": found.is_read,
        "known_at": iso(question.known_at, tz), "is_reproducible": found.is_reproducible,
        "why_not": [t(key, ask.lang) for key in found.why_not], "as_of": iso(found.as_of, tz), "revision": found.revision,
        "rows": [_row(row) for row in found.rows], "totals": [_row(row) for row in found.totals],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "groups": list(row.groups), "labels": list(row.labels), "is_partial": row.is_partial,
        "figures": [
            {"value": f.value, "n": f.n, "previous": f.previous, "delta": f.delta, "delta_pct": f.delta_pct} for f in row.figures
        ],
    }


def _columns(ask: Ask, question: Question) -> tuple[Column, ...]:
    """Group and label of each dimension, then each measure with its n and, compared, what it is set beside."""
    has_labels = ask.asked.text("headers") == "labels"
    found = [Column(f"{key}{part}") for key in question.by for part in ("", "_label")]
    for key in question.measures:
        label = t(MEASURE[key].label, ask.lang) if has_labels else ""
        found += [Column(key, "number", label), Column(f"{key}_n", "whole", f"{label} (n)" if label else "")]
        found += [Column(f"{key}_{part}", "number") for part in ("previous", "delta", "delta_pct")]
    return (*found, Column("is_total", "flag"), Column("is_partial", "flag"))


def _cells(row: Row) -> tuple[Any, ...]:
    keys = [one for pair in zip(row.groups, row.labels, strict=True) for one in pair]
    figures = [one for f in row.figures for one in (f.value, f.n, f.previous, f.delta, f.delta_pct)]
    return (*keys, *figures, TOTAL in row.groups, row.is_partial)


_OWN = (
    Parameter("measures", f"measures of one subject, default {DEFAULT_MEASURE}; of: {', '.join(row.key for row in MEASURES)}"),
    Parameter("by", f"at most two of: {', '.join(row.key for row in DIMENSIONS)}; none = the total alone; default {DEFAULT_BY}"),
    known.PERIOD, known.COMPARE, known.LATE_RULE,
    Parameter("top", f"the first so many groups by the first measure, the rest in one row; 0..{MOST_TOP}, default 0 = all"),
    Parameter("known_at", "as the store knew it at this instant, e.g. 2026-11-20T08:00"),
    Parameter("read", "yes = go on where neither a roll-up nor an index covers the question; at most 3 s", ("yes", "no")),
    known.HEADERS,
)
_FILTERS = {row.name: row for topic in FILTERED.values() for row in known.filters_of(topic)} | {row.name: row for row in _OWN}
ROUTES = (
    Route(
        "/api/v1/explore", "see.small_counts", "a measure broken down by one or two dimensions", answer_explore, has_tables=True,
        parameters=tuple(row for row in _FILTERS.values() if row.name != "period_on"),
    ),
)
