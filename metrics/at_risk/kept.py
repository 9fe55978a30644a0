"""A learned model as JSON and back, by codes instead of places; what is usual for codes seen only later is that of all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from metrics.at_risk.clock import Floats
from metrics.at_risk.features import NAMES, Usual
from metrics.at_risk.history import History
from metrics.at_risk.judging import Baselines, Bin, Gain, Judgement
from metrics.at_risk.learning import Learned
from metrics.at_risk.model import Model

FORM = 1  # of the JSON and of the features: a model of another form is not used


@dataclass(frozen=True)
class Kept:
    """What scores dossiers of any history. of_all: how many dossiers the sample it learned from stands for."""

    as_of: int
    dossiers: int
    of_all: int
    model: Model
    baselines: Baselines
    judgement: Judgement
    lately: float
    by_code: Mapping[str, Mapping[str, float]]

    def usual(self, history: History) -> Usual:
        """What is usual, by the codes of another history."""
        return usual_by_code(history, self.lately, self.by_code)


def usual_by_code(history: History, lately: float, by_code: Mapping[str, Mapping[str, float]]) -> Usual:
    """What is usual for the codes of a history; for a code nobody knows that of '', else 0.

    Limits are left out: a dossier without a due date is not scored.
    """

    def of(what: str, codes: tuple[str, ...]) -> Floats:
        known = by_code.get(what, {})
        return np.array([known.get(code, known.get("", 0.0)) for code in codes], float)

    agencies, procedures, steps = history.agencies, history.procedures, history.step_names
    return Usual(
        np.full(len(procedures), np.nan), lately, of("agency", agencies), of("procedure", procedures), of("in_hand", agencies),
        of("reached", steps), of("lasts", steps),
    )


def to_json(learned: Learned, history: History, of_all: int) -> str:
    """The model with all that scoring needs of the history it was learned from. The code '' stands for all others."""
    usual = learned.usual
    columns: tuple[tuple[str, tuple[str, ...], Floats], ...] = (
        ("agency", history.agencies, usual.agency), ("procedure", history.procedures, usual.procedure),
        ("in_hand", history.agencies, usual.in_hand), ("reached", history.step_names, usual.reached),
        ("lasts", history.step_names, usual.lasts),
    )
    model = {name: getattr(learned.model, name).tolist() for name in ("mean", "scale", "weight")}
    return json.dumps({
        "form": FORM, "names": NAMES, "as_of": learned.as_of, "dossiers": learned.dossiers, "of_all": of_all,
        "model": {"bias": learned.model.bias, **model}, "judgement": asdict(learned.judgement), "lately": usual.lately,
        "baselines": {"rate": learned.baselines.rate, "by_share": learned.baselines.by_share.tolist()},
        "by_code": {what: _by_code(what, codes, values) for what, codes, values in columns},
    })


def _by_code(what: str, codes: tuple[str, ...], values: Floats) -> dict[str, float]:
    fine = values[np.isfinite(values)]
    others = 0.0 if what in ("agency", "procedure") or not len(fine) else float(np.median(fine))
    known = {code: float(value) for code, value in zip(codes, values, strict=True) if np.isfinite(value)}
    return {**known, "": others}


def from_json(body: str) -> Kept | None:
    """The model; None when there is none in it, or one of another form."""
    told: dict[str, Any] = json.loads(body or "{}")
    if told.get("form") != FORM or tuple(told.get("names", ())) != NAMES:
        return None
    model, judgement, baselines = told["model"], told["judgement"], told["baselines"]
    judged = Judgement(**{
        **judgement, "gains": tuple(Gain(**row) for row in judgement["gains"]),
        "calibration": tuple(Bin(**row) for row in judgement["calibration"]),
    })
    return Kept(
        told["as_of"], told["dossiers"], told["of_all"],
        Model(model["bias"], *(np.array(model[name], float) for name in ("mean", "scale", "weight"))),
        Baselines(baselines["rate"], np.array(baselines["by_share"], float)), judged, told["lately"], told["by_code"],
    )
