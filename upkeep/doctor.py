"""The doctor: every check of a table is run by itself, and what it finds comes with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from config import Config
from store.engine import Store

OK, NOTE, WARN, FAIL = "ok", "note", "warn", "fail"
EXIT = {OK: 0, NOTE: 0, WARN: 1, FAIL: 2}


@dataclass(frozen=True)
class Patient:
    """What is looked at. `root` = the program's folder, `city_file` = None for a configuration made in memory."""

    store: Store
    config: Config
    now: datetime
    root: Path
    city_file: Path | None = None


@dataclass(frozen=True)
class Finding:
    """One line of the answer."""

    severity: str
    message: str
    remedy: str = ""
    check: str = ""


@dataclass(frozen=True)
class Check:
    """One thing to look at. `run` yields findings; what it raises is a finding too."""

    key: str
    about: str
    run: Callable[[Patient], Iterator[Finding]]


def examine(patient: Patient, checks: Iterable[Check]) -> list[Finding]:
    """Every finding of every check, in their order. Raises nothing: each check fails alone."""
    found: list[Finding] = []
    for check in checks:
        try:
            lines = list(check.run(patient))
        except Exception as fault:
            words = str(getattr(fault, "orig", None) or fault).strip().splitlines() or [type(fault).__name__]
            lines = [Finding(FAIL, f"could not be checked: {words[0][:200]}", "see the checks above; then run doctor again")]
        found += [Finding(line.severity, line.message, line.remedy, check.key) for line in lines]
    return found


def exit_code(findings: Iterable[Finding]) -> int:
    """0 = well, 1 = something to look after, 2 = something is broken."""
    return max((EXIT[finding.severity] for finding in findings), default=0)


def as_text(findings: Iterable[Finding]) -> Iterator[str]:
    """Lines for a terminal: severity, check, message; below what is not well, what to do."""
    for finding in findings:
        yield f"{finding.severity:<5} {finding.check:<10} {finding.message}"
        if finding.remedy and finding.severity != OK:
            yield f"{'':16} -> {finding.remedy}"


def as_json(findings: Iterable[Finding]) -> str:
    """{exit, findings: [{check, severity, message, remedy}]}"""
    rows = list(findings)
    return json.dumps({"exit": exit_code(rows), "findings": [asdict(row) for row in rows]}, ensure_ascii=False, indent=1)
