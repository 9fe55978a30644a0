"""Unforeseen faults: the log gets everything, the reader a reference that finds the line."""

from __future__ import annotations

import logging
import secrets

from store.watch import is_away
from text import t


def recorded(log: logging.Logger, what: str, fault: BaseException) -> str:
    """Log a fault with its trace under a new reference, which is returned to be shown instead."""
    reference = secrets.token_hex(4)
    log.error("%s failed (reference %s)", what, reference, exc_info=fault)
    return reference


def told(log: logging.Logger, what: str, fault: BaseException, lang: str) -> tuple[str, str]:
    """A fault logged, and what its reader is told: what is the matter, and what to do."""
    if is_away(fault):
        log.warning("%s: the store is away (%s)", what, type(fault).__name__)
        return t("error.store_away", lang), t("error.store_away_hint", lang)
    reference = t("error.reference", lang, reference=recorded(log, what, fault))
    return t("error.server", lang), f"{t('desk.retry_hint', lang)} {reference}"
