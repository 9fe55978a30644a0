"""Unforeseen faults: the log gets everything, the reader a reference that finds the line."""

from __future__ import annotations

import logging
import secrets


def recorded(log: logging.Logger, what: str, fault: BaseException) -> str:
    """Log a fault with its trace under a new reference, which is returned to be shown instead."""
    reference = secrets.token_hex(4)
    log.error("%s failed (reference %s)", what, reference, exc_info=fault)
    return reference
