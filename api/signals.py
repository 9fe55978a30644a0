"""What /api/v1/signals says: the page's own signals, with limits, baseline and weeks. For reading them beside the screen."""

from __future__ import annotations

from typing import Any

from api.answers import Ask, Json, known_kpi
from api.tables import iso
from metrics.city.findings import signals
from metrics.city.findings.signals import BaselineSpan, Signal, SignalPoint
from metrics.spc import RULES, Limits
from text import t


def answer_signals(ask: Ask) -> Json:
    """Every KPI that has weeks, or those of `keys`, signals first; unknown keys are refused, naming the known ones."""
    keys = [known_kpi(key, "keys").key for key in ask.asked.text("keys").split(",") if key]
    period = ask.asked.period(ask.city, "last_week")
    found = signals.in_order(signals.read(ask.city, keys, period, ask.asked.choice(), ask.asked.text("late_rule")))
    return {
        "week": signals.last_full_week(ask.city, period).text,
        "as_of": iso(ask.city.as_of, ask.city.store.days.tz),
        "revision": ask.city.revision,
        "rules": [{"key": rule.key, "says": t(f"signals.rule.{rule.key}", ask.lang), "theory": rule.theory} for rule in RULES],
        "signals": [_signal(ask, one) for one in found],
    }


def _signal(ask: Ask, one: Signal) -> dict[str, Any]:
    return {
        "key": one.key, "label": t(f"kpi.{one.key}.label", ask.lang), "measure_unit": one.measure_unit, "better": one.better,
        "verdict": one.verdict, "rule": one.rule or None, "week": one.week.text, "value": one.value, "n": one.n, "target": one.target,
        "chart": one.kind, "per": one.per_day or None, "dispersion": one.dispersion, "limits": _limits(one.limits),
        "baseline": _baseline(ask, one.baseline), "points": [_point(point) for point in one.points],
    }


def _limits(limits: Limits | None) -> dict[str, float] | None:
    return None if limits is None else {"mean": limits.mean, "low": limits.low, "high": limits.high}


def _baseline(ask: Ask, span: BaselineSpan | None) -> dict[str, Any] | None:
    if span is None:
        return None
    return {
        "from": span.from_week, "to": span.to_week, "weeks": span.used, "set_by": span.set_by or None,
        "set_at": iso(span.set_at, ask.city.store.days.tz) if span.set_at is not None else None, "reason": span.reason or None,
    }


def _point(point: SignalPoint) -> dict[str, Any]:
    return {
        "week": point.week, "value": point.value, "n": point.n, "charted": point.charted, "limits": _limits(point.limits),
        "rule": point.rule or None, "side": point.side, "in_baseline": point.in_baseline, "is_holiday": point.is_holiday,
        "is_left_out": point.is_left_out, "state": point.state,
    }
