"""Learning the at-risk model anew: by the ingest process when the newest is old, or by hand (cli.py risk)."""

from __future__ import annotations

import logging
from datetime import datetime

from config import Config
from metrics.at_risk.kept import to_json
from metrics.at_risk.learning import learn
from metrics.city import open_city
from metrics.city.findings.at_risk import RiskModel, model
from metrics.city.findings.risk_rows import read_sample
from scope import scope_of
from store.days import DAY, HOUR, instant
from store.engine import Store
from store.risk import newest_risk, put_risk

log = logging.getLogger("toancanh.risk")
OLD, OLD_SOON = DAY, HOUR // 6  # of a model; of a store's first few, and of a look that found too little to learn from
FIRST_FEW = 6  # models of a store's first hour: its history is still coming in


def is_due(store: Store, now: datetime) -> bool:
    """Is there no model yet, or has the newest had its time?"""
    with store.reading() as connection:
        row = newest_risk(connection)
    return row is None or instant(now) - row.learned_at >= (OLD if row.dossiers and row.id > FIRST_FEW else OLD_SOON)


def relearn(store: Store, config: Config, now: datetime) -> RiskModel:
    """Learn from the store as it is, judge, keep; what the queue is ranked by from now on.

    At 2 million dossiers: 2 s of reading, 2 s of learning, in a sample of 40,000.
    """
    city = open_city(store, config, scope_of("leader", actor="program"), now)
    sample = read_sample(store, config, city.as_of)
    learned = learn(sample.history) if len(sample.history) else None
    body = "" if learned is None else to_json(learned, sample.history, sample.of_all)
    put_risk(store, instant(now), city.as_of, 0 if learned is None else learned.dossiers, body)
    found = model(city)
    log.info("at risk: ranked by %s, learned from %d dossiers of %d", found.ranked_by, found.dossiers, sample.of_all)
    return found
