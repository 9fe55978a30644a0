"""What /api/v1/at-risk says: the page's own queue, with the model's judgement; as a table the queue alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from api.answers import Ask, Json
from api.parameters import LATE_RULE, Parameter, bad
from api.tables import Column, Table, iso
from metrics.city.findings import at_risk
from metrics.city.findings.at_risk import RiskItem, RiskModel
from metrics.city.lists.filters import FIELDS, Filter, parse
from text import t

_VALUES = "a,b = any of, !a = none of, - = missing, a..b = from to"
FILTERS = (
    *(Parameter(field.key, f"{' | '.join(field.values) or field.kind}: {_VALUES}") for field in FIELDS["dossiers"]),
    Parameter("period", "a period; counts with period_on alone"), Parameter("period_on", "the day the period is about"),
    Parameter("q", "words of the dossier's number and of the names shown"), LATE_RULE,
)
_COLUMNS = (
    "feed source_id agency_code agency_name procedure_code procedure_name received_at:at due_at:at stopped_at:at days_left:number "
    "used_pct:number step step_days:number chance_pct:number base_pct:number age_pct:number reasons"
)


def answer_at_risk(ask: Ask) -> Json | Table:
    """Open dossiers by the chance that they miss their due date: a page of JSON with the judgement, or all of them as a table."""
    columns = tuple(Column(name, kind or "text", _label(ask, name)) for name, _, kind in (word.partition(":") for word in _COLUMNS.split()))
    try:
        chosen = _filter(ask)
        if ask.form != "json":
            at_risk.read(ask.city, chosen, limit=1)  # a wrong filter is told before a file is begun
            return Table("at-risk", columns, lambda: ([_row(item) for item in page] for page in at_risk.every(ask.city, chosen)))
        found = at_risk.read(ask.city, chosen, limit=ask.asked.limit(), cursor=ask.asked.text("cursor"))
    except ValueError as fault:
        field = str(fault).partition(":")[0]
        raise bad(field if field.isidentifier() else "", str(fault), "see the message") from fault
    tz = ask.city.store.days.tz
    return {
        "total": found.total, "count": len(found.rows), "next": found.next_cursor or None, "is_cut": found.is_cut,
        "as_of": iso(ask.city.as_of, tz), "revision": found.revision, "model": _model(ask, found.model),
        "items": [
            {**{c.key: iso(v, tz) if c.kind == "at" else v for c, v in zip(columns, _row(item), strict=True)},
             "reasons": [asdict(one) for one in item.reasons]}
            for item in found.rows
        ],
    }


def _filter(ask: Ask) -> Filter:
    return parse("dossiers", {**ask.asked.values, "state": ask.asked.text("state") or "open"})


def _row(item: RiskItem) -> tuple[Any, ...]:
    names = (word.partition(":")[0] for word in _COLUMNS.split())
    return tuple(" ".join(one.key for one in item.reasons) if name == "reasons" else getattr(item, name) for name in names)


def _label(ask: Ask, name: str) -> str:
    if ask.asked.text("headers") != "labels":
        return ""
    return t(f"column.risk.{name.removesuffix('_name')}", ask.lang)


def _model(ask: Ask, model: RiskModel) -> dict[str, Any]:
    tz, one = ask.city.store.days.tz, model.judgement
    judgement = None if one is None else {**asdict(one), "split_at": iso(one.split_at, tz), "is_better": one.is_better}
    return {
        "ranked_by": model.ranked_by, "learned_at": iso(model.learned_at, tz), "dossiers": model.dossiers, "of_all": model.of_all,
        "judgement": judgement,
    }
