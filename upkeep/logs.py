"""Log lines for people or, as JSON, for machines: what happened, in which request, by whom; never a secret, never what was searched."""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

VARIABLE = "TOANCANH_LOG"
FORMS = ("text", "json")
HEADER = "x-request-id"
# set by whoever logs: logger.info("...", extra={"feed": key})
FIELDS = ("route", "method", "status", "ms", "feed")
# loggers of libraries that say more than anybody asked
QUIET = ("httpx", "alembic", "httpcore")
ANSWERS = "toancanh.web"
_KNOWN_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True)
class Mask:
    """Something that must not stand in a log, and what stands there instead."""

    pattern: re.Pattern[str]
    shown: str


MASKS = (
    Mask(re.compile(r"\btc[a-z]_[A-Za-z0-9_-]{8,}"), "***"),  # our own keys
    Mask(re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), r"\1 ***"),
    Mask(
        re.compile(
            r"(?i)\b(password|passwd|pwd|token|secret|api[_-]?key|authorization|cookie|session)(\"?'?\s*[=:]\s*\"?'?)[^\s\"',;&}]+"
        ),
        r"\1\2***",
    ),
    Mask(re.compile(r"(://[^:/@\s]+:)[^@/\s]+@"), r"\1***@"),
    Mask(re.compile(r"(https?://[^\s?\"']+|\s/[^\s?\"']*)\?[^\s\"']+"), r"\1?***"),  # queries hold what people search for
    Mask(re.compile(r"\b[A-Za-z0-9_-]{40,}\b"), "***"),  # as long as a key or its digest
    Mask(re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.]+\b"), "***"),
    Mask(re.compile(r"(?<![\d.:-])(?:\+84|0)(?:[ .-]?\d){9}(?!\.?\d)"), "***"),  # telephone numbers
    Mask(re.compile(r"(?<![\d.:-])\d{12}(?!\.?\d)"), "***"),  # identity numbers
)


@dataclass
class Asking:
    """The request a line belongs to. `actor()` = who asks, once that is known: user:<name>, a key's label, demo."""

    id: str
    actor: Callable[[], str] = str


ASKING: ContextVar[Asking | None] = ContextVar("toancanh_request", default=None)


def begin_request(given: str = "", actor: Callable[[], str] = str) -> Asking:
    """Name the request that starts in this context; a proxy's own id is kept when it looks like one."""
    asking = Asking(given if _KNOWN_ID.fullmatch(given) else secrets.token_hex(8), actor)
    ASKING.set(asking)
    return asking


def masked(words: str) -> str:
    """The text without anything that looks like a secret, a query or a person's number."""
    for mask in MASKS:
        words = mask.pattern.sub(mask.shown, words)
    return words


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """What a line says beside its message: request, actor, and what the logger added."""
    asking = ASKING.get()
    found: dict[str, object] = {}
    if asking:
        found["request"] = asking.id
        if actor := asking.actor():
            found["actor"] = actor.removeprefix("user:")
    found |= {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) not in (None, "")}
    return found


class Line(logging.Formatter):
    """A plain line: time in UTC, level, logger, message, then the fields as name=value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(name)s %(message)s")
        self.converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """The line, masked; a trace follows it."""
        first, _, trace = super().format(record).partition("\n")
        tail = "".join(f" {name}={value}" for name, value in fields_of(record).items())
        return masked(first) + tail + (f"\n{masked(trace)}" if trace else "")


class JsonLine(logging.Formatter):
    """One JSON object a line: time, level, logger, message, fields, trace."""

    def format(self, record: logging.LogRecord) -> str:
        """The object, its texts masked."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told: dict[str, object] = {"time": at, "level": record.levelname.lower(), "logger": record.name}
        told |= {"message": masked(record.getMessage()), **fields_of(record)}
        if record.exc_info:
            told["trace"] = masked(self.formatException(record.exc_info))
        return json.dumps(told, ensure_ascii=False, default=str)


def set_up(form: str = "text", stream: IO[str] | None = None, level: int = logging.INFO) -> None:
    """Send all log lines of this process to `stream` (stderr) in a form. ValueError for an unknown one."""
    if form not in FORMS:
        raise ValueError(f"log form {form!r} is not one of {', '.join(FORMS)}")
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLine() if form == "json" else Line())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # a line for every answer is for programs to count; a person at a terminal wants to see what is wrong
    logging.getLogger(ANSWERS).setLevel(logging.NOTSET if form == "json" else logging.WARNING)


def form_of(environ: Mapping[str, str], asked: str = "") -> str:
    """The form that was asked for, else the environment's, else text."""
    return asked or environ.get(VARIABLE, "") or "text"
