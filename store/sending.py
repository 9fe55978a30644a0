"""Which letter went to whom: briefs, notices that one is held, reminders. Rows are only added: one when a try begins, one how it ended.

A try is claimed in one transaction, so of several processes one sends. Where a process died over it, nobody knows whether the mail
server took the letter: it is tried again later under the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, text

from store.audit import Entry, append
from store.days import DAY
from store.engine import Store
from store.locks import lock_sending
from store.revisions import bump

# trying: begun; sent; failed: tried again; refused: for good; held: there is no brief to send, error says why
TRYING, SENT, FAILED, REFUSED, HELD = STATES = ("trying", "sent", "failed", "refused", "held")
MINUTE = 60_000_000
PAUSES = (MINUTE, 5 * MINUTE, 15 * MINUTE, 60 * MINUTE)  # after the first try, the second ...; then the last one again and again
TRIED_FOR = DAY  # from the first try on
CLAIM = 15 * MINUTE  # longer than a mail server may take with all its answers
HOLD = 15 * MINUTE  # between two tries to issue
MOST_ERROR = 300
_COLUMNS = "id, brief_id, week, lang, address, tried_at, state, error, attempt"


@dataclass(frozen=True)
class Letter:
    """What is sent at most once. week: 2026-W46, or the day of a reminder, 2026-11-16; brief_id None = a notice or a reminder."""

    week: str
    lang: str
    address: str
    brief_id: int | None = None


@dataclass(frozen=True)
class Try:
    """A row: what became of a letter at an instant; attempt counts from 1."""

    id: int
    brief_id: int | None
    week: str
    lang: str
    address: str
    tried_at: int
    state: str
    error: str
    attempt: int


@dataclass(frozen=True)
class Sending:
    """How the brief of a week stands with those it goes to. held_at: since when there is none, and why; None = there is one.

    waiting = will be tried again, lost = refused or given up; error of the last that failed, next_at = when one is tried again.
    """

    week: str
    sent: int = 0
    sent_at: int | None = None
    waiting: int = 0
    next_at: int | None = None
    lost: int = 0
    error: str = ""
    held_at: int | None = None
    held_why: str = ""


def next_at(tries: Sequence[Try]) -> int | None:
    """The instant from which a letter may be tried, from all its tries, oldest first; 0 = at once, None = never again."""
    if not tries:
        return 0
    last = tries[-1]
    if any(one.state in (SENT, REFUSED) for one in tries):
        return None
    at = last.tried_at + (CLAIM if last.state == TRYING else PAUSES[min(last.attempt, len(PAUSES)) - 1])
    return at if at - tries[0].tried_at <= TRIED_FOR else None


def read_tries(connection: Connection, week: str) -> tuple[Try, ...]:
    """Every row of a week or day, oldest first."""
    found = connection.execute(text(f"SELECT {_COLUMNS} FROM ops_brief_sending WHERE week = :week ORDER BY id"), {"week": week})
    return tuple(Try(*row) for row in found)


def tries_of(tries: Sequence[Try], letter: Letter, *, any_issue: bool = False) -> tuple[Try, ...]:
    """Those of one letter; any_issue = those of all issues of the week's brief to that address."""
    return tuple(
        one for one in tries
        if (one.lang, one.address) == (letter.lang, letter.address) and one.state != HELD
        and (one.brief_id == letter.brief_id or (any_issue and None not in (one.brief_id, letter.brief_id)))
    )


def claim(store: Store, letter: Letter, now: int, *, is_asked: bool = False) -> int:
    """Take a try of this letter, if it is time for one and nobody else is at it; its number, 0 = not now.

    is_asked: somebody wants it sent now: no pause is kept, and only what was sent of this very issue counts.
    """

    def work(connection: Connection) -> int:
        lock_sending(connection)
        tries = tries_of(read_tries(connection, letter.week), letter, any_issue=not is_asked)
        is_due = _is_free(tries, now) if is_asked else _is_time(tries, now)
        if not is_due:
            return 0
        attempt = 1 + max((one.attempt for one in tries), default=0)
        _add(connection, letter, now, TRYING, "", attempt)
        return attempt

    return store.write(work)


def _is_time(tries: Sequence[Try], now: int) -> bool:
    at = next_at(tries)
    return at is not None and at <= now


def _is_free(tries: Sequence[Try], now: int) -> bool:
    """Not sent yet, and nobody is at it."""
    is_busy = bool(tries) and tries[-1].state == TRYING and now < tries[-1].tried_at + CLAIM
    return not is_busy and all(one.state != SENT for one in tries)


def note(store: Store, letter: Letter, attempt: int, outcome: tuple[str, str], actor: str, now: int) -> None:
    """Keep how a try ended, (state, error), with its audit entry and the next revision of operations, in one transaction."""
    state, error = outcome

    def work(connection: Connection) -> None:
        _add(connection, letter, now, state, error, attempt)
        bump(connection, "operations", now)
        told = {"brief": letter.brief_id, "to": letter.address, "state": state, "attempt": attempt}
        append(connection, Entry(now, actor, "brief.send", "brief", letter.week, told))

    store.write(work)


def hold(store: Store, week: str, lang: str, why: str, now: int) -> bool:
    """Keep that there is no brief to send, and why; False when that was kept within HOLD."""

    def work(connection: Connection) -> bool:
        lock_sending(connection)
        if not may_issue(read_tries(connection, week), lang, now):
            return False
        _add(connection, Letter(week, lang, ""), now, HELD, why, 0)
        bump(connection, "operations", now)
        return True

    return store.write(work)


def may_issue(tries: Sequence[Try], lang: str, now: int) -> bool:
    """Is it time to try to issue (again)?"""
    return all(one.state != HELD or one.lang != lang or now >= one.tried_at + HOLD for one in tries)


def read_sending(connection: Connection, week: str) -> Sending | None:
    """How the sending of a week's brief stands; None when nothing was ever to be sent."""
    return _standing(week, read_tries(connection, week))


def newest_sending(connection: Connection) -> Sending | None:
    """The same of the newest week of which anything is known."""
    week = connection.execute(
        text("SELECT max(week) FROM ops_brief_sending WHERE week LIKE '%-W%' AND (brief_id IS NOT NULL OR state = 'held')")
    ).scalar()
    return read_sending(connection, str(week)) if week else None


def count_tries(connection: Connection) -> dict[str, int]:
    """How many rows there are of each state, since ever."""
    found: dict[str, int] = dict(connection.execute(text("SELECT state, count(*) FROM ops_brief_sending GROUP BY state")).all())
    return {state: int(found.get(state, 0)) for state in STATES}


def _standing(week: str, tries: Sequence[Try]) -> Sending | None:
    letters = [one for one in tries if one.brief_id is not None]
    held = [one for one in tries if one.state == HELD]
    if not letters:
        return Sending(week, held_at=held[0].tried_at, held_why=held[-1].error) if held else None
    each = list(_by(letters, lambda one: (one.lang, one.address)))
    sent = [next(one for one in own if one.state == SENT) for own in each if any(one.state == SENT for one in own)]
    open_ = [own for own in each if all(one.state != SENT for one in own)]
    again = [at for own in open_ if (at := next_at(own)) is not None]
    errors = [one for own in open_ for one in own if one.error]
    return Sending(
        week, len(sent), max((one.tried_at for one in sent), default=None), len(again), min(again, default=None), len(open_) - len(again),
        max(errors, key=lambda one: one.id).error if errors else "",
    )


def _by(tries: Sequence[Try], key: Callable[[Try], tuple[str, str]]) -> Iterator[tuple[Try, ...]]:
    for _, group in groupby(sorted(tries, key=lambda one: (key(one), one.id)), key=key):
        yield tuple(group)


def _add(connection: Connection, letter: Letter, now: int, state: str, error: str, attempt: int) -> None:
    connection.execute(
        text(
            "INSERT INTO ops_brief_sending (brief_id, week, lang, address, tried_at, state, error, attempt) "
            "VALUES (:brief, :week, :lang, :address, :now, :state, :error, :attempt)"
        ),
        {
            "brief": letter.brief_id, "week": letter.week, "lang": letter.lang, "address": letter.address, "now": now, "state": state,
            "error": error[:MOST_ERROR], "attempt": attempt,
        },
    )
