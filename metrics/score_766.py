"""The points of Decision 766/QD-TTg (23/6/2022) as data: groups, indicators, full-score thresholds, and what is verified.

Points and thresholds differ between the decision, the portal's own text (F766) and provincial systems; where only the latter or memory
tell, `verified` is False and the figure is shown as unverified. Correct a row here; nothing else holds these numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

_F766 = "F766, the national portal's text of the formulas"
_SYSTEM = "a provincial one-stop system in production"
_MEMORY = "from memory; to be checked against the decision's annex"


@dataclass(frozen=True)
class Group:
    """A card of the score; the portal shows online services and payment apart. `most` = its points in all."""

    key: str
    most: float


@dataclass(frozen=True)
class Indicator:
    """One scored indicator: point = most x min(1, rate / full_at). `kpi` '' = nothing here measures it, so its points stay unknown.

    lacks: what the decision asks for and no feed tells, key of the texts score.lacks.*; '' = nothing. The rate does without it.
    """

    no: str
    group: str
    most: float
    full_at: float  # percent
    kpi: str
    source: str
    verified: bool
    lacks: str = ""


GROUPS: tuple[Group, ...] = (
    Group("transparency", 18), Group("progress", 20), Group("online", 12), Group("payment", 10), Group("digitisation", 22),
    Group("satisfaction", 18),
)
INDICATORS: tuple[Indicator, ...] = (
    Indicator("1.1", "transparency", 4, 100, "procedures_published_on_time_pct", _MEMORY, verified=False),
    Indicator("1.2", "transparency", 4, 100, "procedures_public_on_time_pct", "a department's notice of the score", verified=True),
    Indicator("1.3", "transparency", 4, 100, "procedures_complete_pct", _MEMORY, verified=False),
    Indicator("1.4", "transparency", 6, 100, "", _SYSTEM, verified=True, lacks="portal_count"),
    Indicator("2.1", "progress", 20, 100, "dossiers_on_time_766_pct", _F766, verified=True),
    Indicator("3.1", "online", 2, 80, "procedures_online_pct", f"{_F766}; points: {_SYSTEM}", verified=True),
    Indicator("3.2", "online", 4, 100, "procedures_used_online_pct", f"{_F766}; points: {_SYSTEM}", verified=True),
    # the portal counts an online dossier only with an electronic result where the procedure requires a paper one
    Indicator("3.3", "online", 6, 50, "dossiers_online_pct", f"{_F766}; points: {_SYSTEM}", verified=True, lacks="online_result"),
    Indicator("3.4", "payment", 2, 100, "procedures_paid_online_pct", f"{_SYSTEM}; it asks for 50 %", verified=False),
    Indicator("3.5", "payment", 2, 80, "procedures_payable_pct", f"{_F766}; points: {_SYSTEM}", verified=False),
    Indicator("3.6", "payment", 6, 100, "dossiers_paid_online_pct", f"{_SYSTEM}; it asks for 30 %", verified=False),
    Indicator("4.1", "digitisation", 6, 100, "dossiers_e_result_pct", f"{_F766}; points: {_SYSTEM}", verified=True, lacks="paper_result"),
    Indicator("4.2", "digitisation", 4, 80, "dossiers_digitised_whole_pct", f"{_F766}; points: {_SYSTEM}", verified=True),
    Indicator("4.3", "digitisation", 2, 80, "dossiers_digitised_pct", f"{_F766}; points: {_SYSTEM}", verified=True),
    # 4.4 and 4.5 have 10 points together; how they are split is not known
    Indicator("4.4", "digitisation", 5, 100, "dossiers_shared_pct", _MEMORY, verified=False),
    Indicator("4.5", "digitisation", 5, 100, "dossiers_identified_pct", _MEMORY, verified=False),
    Indicator("5.2", "satisfaction", 6, 100, "feedback_on_time_766_pct", _MEMORY, verified=False, lacks="steps"),
    Indicator("5.3", "satisfaction", 6, 100, "feedback_satisfied_766_pct", _MEMORY, verified=False),
    Indicator("5.4", "satisfaction", 6, 90, "dossiers_satisfied_pct", _F766, verified=True),
)


def points_of(row: Indicator, rate: float | None) -> float | None:
    """Points of a rate in percent; None of an unknown one, never 0."""
    return None if rate is None else row.most * min(1.0, max(0.0, rate) / row.full_at)
