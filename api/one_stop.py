"""GET /api/v1/score and /api/v1/form-06a: the 766 score and the one-stop form, as the screens tell them."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

from api.answers import Ask, Json, list_or_table, period_json, period_of
from api.parameters import bad
from api.tables import Column, Table, iso
from metrics.city.numbers import form_06a, score
from metrics.kpis import RULE_DAY
from text import t

SCORE_COLUMNS = (
    Column("no"), Column("group"), Column("kpi"), Column("label"), Column("rate", "number"), Column("n", "whole"),
    Column("points", "number"), Column("most", "number"), Column("full_at", "number"), Column("verified", "flag"), Column("source"),
    Column("state"), Column("lacks"),
)
FORM_COLUMNS = (
    Column("group"), Column("label"), *(Column(name, "whole") for name in form_06a.COUNTS), Column("state"),
)


def answer_score(ask: Ask) -> Json | Table:
    """Every indicator of 766 with its rate and points; points are null where the rate is unknown."""
    found = score.read(ask.city, period_of(ask), ask.asked.choice())
    rows = [
        (
            row.no, group.key, row.kpi, t(f"score.no.{row.no.replace('.', '_')}", ask.lang), row.rate, row.n, row.points, row.most,
            row.full_at, row.verified, row.source, row.state,
            t(f"score.lacks.{row.lacks}", ask.lang) if row.lacks else "",
        )
        for group in found.groups for row in group.indicators
    ]
    listed = list_or_table(ask, "score_766", SCORE_COLUMNS, rows)
    if isinstance(listed, Table):
        return listed
    groups = [
        {"key": one.key, "label": t(f"score.{one.key}", ask.lang), "points": one.points, "known_most": one.known_most, "most": one.most,
         "verified": one.verified}
        for one in found.groups
    ]
    whole = {"points": found.points, "known_most": found.known_most, "most": found.most}
    return {"period": period_json(found.period), **whole, "groups": groups, **_stamp(ask), "items": listed}


def answer_form(ask: Ask) -> Json | Table:
    """Form II.06a, a row a domain or agency, the totals last (group '')."""
    by = ask.asked.text("by") or "domain"
    try:
        found = form_06a.read(ask.city, period_of(ask), by, ask.asked.choice(), ask.asked.text("late_rule") or RULE_DAY)
    except ValueError as fault:
        raise bad("by", str(fault), "see the message") from fault
    rows = [_form_row(ask, row) for row in found.rows]
    listed = list_or_table(ask, f"form_06a_{by}", FORM_COLUMNS, rows)
    if isinstance(listed, Table):
        return listed
    return {"period": period_json(found.period), "by": by, "late_rule": found.late_rule, **_stamp(ask), "items": listed}


def _form_row(ask: Ask, row: form_06a.FormRow) -> tuple[Any, ...]:
    group, label, *rest = astuple(row)
    return (group, label if group != form_06a.TOTAL else t("form_06a.total", ask.lang), *rest)


def _stamp(ask: Ask) -> dict[str, Any]:
    return {"as_of": iso(ask.city.as_of, ask.city.store.days.tz), "revision": ask.city.revision}
