"""The figures of one page of /explore, and the same as data: what "as shown" keeps and draws again, number by number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from components.explore.state import State
from metrics.city.explore.question import TOTAL, Answer, Figure, Question, Row
from metrics.comparison import Comparison
from metrics.periods import parse_period

FORM = 1  # of the data, so that what was kept years ago is still read
_ANY_DAY = date(2000, 1, 1)


@dataclass(frozen=True)
class Content:
    """What is on the page: the breakdown, the chart of time, the map, and the figure of all that is chosen; None = not to be had."""

    main: Answer
    time: Answer | None
    areas: Answer | None
    whole: Answer

    @property
    def figure(self) -> Figure:
        """The figure of all that is chosen."""
        rows = (*self.whole.totals, *self.whole.rows)
        return next((row.figures[0] for row in rows if all(group == TOTAL for group in row.groups)), Figure(None, 0))

    def labels(self, state: State) -> Mapping[str, Mapping[str, str]]:
        """Names that the answers brought: dimension -> group -> name."""
        found: dict[str, dict[str, str]] = {}
        for answer, dimensions in ((self.main, (state.by, state.split)), (self.areas, ("area",))):
            for row in answer.rows if answer else ():
                for dimension, group, label in zip(dimensions, row.groups, row.labels, strict=False):
                    found.setdefault(dimension, {})[group] = label
        return found


def as_data(content: Content) -> dict[str, Any]:
    """The content as data of JSON."""
    return {"form": FORM, **{name: _answer_data(getattr(content, name)) for name in ("main", "time", "areas", "whole")}}


def _answer_data(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    told = answer.comparison
    return {
        "rows": [asdict(row) for row in answer.rows],
        "totals": [asdict(row) for row in answer.totals],
        "coverage": answer.coverage,
        "estimate": answer.estimate,
        "rows_read": answer.rows_read,
        "revision": answer.revision,
        "as_of": answer.as_of,
        "comparison": {
            "current": told.current.text,
            "previous": told.previous.text if told.previous else "",
            "how": told.how,
            "aligned": told.aligned,
            "days": told.working_days,
            "days_before": told.working_days_before,
        }
        if told
        else None,
    }


def from_data(data: Mapping[str, Any], state: State) -> Content:
    """The content that `as_data` told. Raises ValueError for data of another form."""
    if data.get("form") != FORM:
        raise ValueError("shown")
    found = {name: _answer(data[name], state) for name in ("main", "time", "areas", "whole")}
    main, whole = found["main"], found["whole"]
    assert main is not None and whole is not None
    return Content(main, found["time"], found["areas"], whole)


def _answer(data: Mapping[str, Any] | None, state: State) -> Answer | None:
    if data is None:
        return None
    question: Question = state.question((), state.now)
    rows, totals = (tuple(_row(one) for one in data[name]) for name in ("rows", "totals"))
    return Answer(
        question,
        rows,
        totals,
        data["coverage"],
        data["estimate"],
        data["rows_read"],
        data["revision"],
        data["as_of"],
        comparison=_comparison(data["comparison"]),
    )


def _row(data: Mapping[str, Any]) -> Row:
    figures = tuple(Figure(**figure) for figure in data["figures"])
    return Row(tuple(data["groups"]), tuple(data["labels"]), figures, data["is_partial"])


def _comparison(data: Mapping[str, Any] | None) -> Comparison | None:
    if data is None:
        return None
    previous = parse_period(data["previous"], _ANY_DAY) if data["previous"] else None
    return Comparison(parse_period(data["current"], _ANY_DAY), previous, data["how"], data["aligned"], data["days"], data["days_before"])
