"""When letters leave: last week's brief at its weekly moment, again after a pause when the mail server fails; reminders each working
morning.

All is decided from the store, so any number of processes may look at any time: each letter has one sender (store/sending.py).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage

from briefs.issue import BriefRefused, issue
from briefs.pdf import NoTypesetter
from briefs.post import Undelivered, Writing, brief_letter, deliver, notice_letter, reminder_letter
from config import Config
from config.workcalendar import is_working_day
from metrics.calendars import calendar_for
from metrics.city import City, followups, open_city
from metrics.city.typed import TypedFault
from metrics.periods import Period, parse_period
from scope import scope_of
from store.briefs import FORMS, BriefRow, newest_brief, read_content, read_file
from store.days import instant
from store.engine import Store
from store.keys import By
from store.sending import FAILED, HELD, REFUSED, SENT, Letter, Try, claim, hold, may_issue, next_at, note, read_tries, tries_of
from text import t

log = logging.getLogger("toancanh.post")
ACTOR = "program"


@dataclass(frozen=True)
class Post:
    """Who sends: the store, the city file, a clock, the actor of the audit trail; `stop` ends a round between two letters."""

    store: Store
    config: Config
    clock: Callable[[], datetime]
    actor: str = ACTOR
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def now(self) -> int:
        """The instant, microseconds UTC."""
        return instant(self.clock())

    @property
    def lang(self) -> str:
        """The language of letters."""
        return self.config.brief.language or self.config.language

    @property
    def writing(self) -> Writing:
        """What a letter written now needs."""
        return Writing(self.config, self.lang, self.clock())

    def city(self) -> City:
        """The whole province as a leader sees it."""
        return open_city(self.store, self.config, scope_of("leader", actor=self.actor), self.clock())


def is_on(config: Config) -> bool:
    """Is there anything to look for? An archive, whose clock stands still, sends nothing by itself."""
    return config.mail is not None and config.brief.is_mailed and (not config.as_of or config.shift_to_now)


def look(post: Post) -> None:
    """Send what is due now. Each job alone: a fault of one is logged and does not keep the other from its work."""
    if not is_on(post.config):
        return
    for job in (_send_week, _remind):
        try:
            job(post)
        except Exception:
            log.exception("%s failed; it is tried again", job.__name__.strip("_"))


def week_due(config: Config, now: datetime) -> Period:
    """The week whose brief is the last that was due: the one before the last weekly moment, in the city's zone."""
    return parse_period("last_week", config.brief.last_on(now, config.tz))


def send_issue(post: Post, row: BriefRow, address: str, *, is_asked: bool = False) -> tuple[str, str]:
    """Send an issued brief to an address if it is time to: (state, error); state '' = not now, or it was sent before."""
    letter = Letter(row.week, row.lang, address, row.id)

    def write() -> EmailMessage:
        with post.store.reading() as connection:
            content, files = read_content(connection, row.id), {form: read_file(connection, row.id, form) for form in FORMS}
        return brief_letter(Writing(post.config, row.lang, post.clock()), letter, row, content, files)

    return _send(post, letter, (address,), write, is_asked=is_asked)


# ---- the brief ------------------------------------------------------------------------------------------------------
def _send_week(post: Post) -> None:
    week = week_due(post.config, post.clock())
    with post.store.reading() as connection:
        tries, row = read_tries(connection, week.text), newest_brief(connection, week.text, post.lang)
    waiting = [address for address in post.config.brief.send_to if _is_due(post, tries, Letter(week.text, post.lang, address, 0))]
    if not waiting:
        return
    row = row or _issued(post, week, tries)
    for address in waiting if row else ():
        if row and not post.stop.is_set():
            send_issue(post, row, address)


def _is_due(post: Post, tries: Sequence[Try], letter: Letter) -> bool:
    at = next_at(tries_of(tries, letter, any_issue=True))
    return at is not None and at <= post.now


def _issued(post: Post, week: Period, tries: Sequence[Try]) -> BriefRow | None:
    """The brief, issued now; None = it is held, and those who look after the feeds are told once."""
    why = next((one.error for one in reversed(tries) if one.state == HELD and one.lang == post.lang), "")
    if may_issue(tries, post.lang, post.now):
        try:
            return issue(post.city(), week, post.lang, By(post.actor), post.now).row
        except BriefRefused as fault:
            why = fault.says(post.lang)
        except NoTypesetter as fault:
            why = str(fault)
        except Exception:
            log.exception("the brief of %s could not be made", week.text)
            why = t("brief.held_fault", post.lang)
        with post.store.reading() as connection:
            row = newest_brief(connection, week.text, post.lang)
        if row:  # somebody else was faster
            return row
        if hold(post.store, week.text, post.lang, why, post.now):
            log.warning("the brief of %s is held: %s", week.text, why)
    to = post.config.brief.notice_to
    letter = Letter(week.text, post.lang, ", ".join(to))
    if to and _is_due(post, tries, letter):
        _send(post, letter, to, lambda: notice_letter(post.writing, letter, why))
    return None


# ---- reminders ------------------------------------------------------------------------------------------------------
def _remind(post: Post) -> None:
    """One letter a working morning: promises due within two working days or overdue, each told once for its date."""
    brief, local = post.config.brief, post.clock().astimezone(post.config.tz)
    moment = datetime.combine(local.date(), brief.time, post.config.tz)
    if local < moment or not is_working_day(calendar_for(post.config), local.date()):
        return
    to = brief.notice_to or brief.send_to
    letter = Letter(local.date().isoformat(), post.lang, ", ".join(to))
    with post.store.reading() as connection:
        tries = read_tries(connection, letter.week)
    if not _is_due(post, tries, letter):
        return
    city = post.city()
    # what a meeting promises today is told tomorrow
    told = [one for one in followups.due(city) if one.followup.made_at < instant(moment)]

    def taken() -> None:
        for one in told:
            with suppress(TypedFault, KeyError):  # somebody closed it meanwhile
                followups.remind(city, one, post.now)

    if told:
        _send(post, letter, to, lambda: reminder_letter(post.writing, letter, told), taken)


def _send(
    post: Post, letter: Letter, to: Sequence[str], write: Callable[[], EmailMessage], taken: Callable[[], None] | None = None,
    *, is_asked: bool = False,
) -> tuple[str, str]:
    """Claim a try, hand the letter over, keep how it ended: (state, error), ('', '') when it was not the time. `taken` = what to do
    once the mail server has it."""
    assert post.config.mail is not None
    attempt = claim(post.store, letter, post.now, is_asked=is_asked)
    if not attempt:
        return "", ""
    outcome = SENT, ""
    try:
        deliver(post.config.mail, write(), to)
    except Undelivered as fault:
        outcome = REFUSED if fault.is_final else FAILED, str(fault)
    if taken and outcome[0] == SENT:
        taken()
    note(post.store, letter, attempt, outcome, post.actor, post.now)
    log.log(logging.INFO if outcome[0] == SENT else logging.WARNING, "letter of %s, try %d: %s %s", letter.week, attempt, *outcome)
    return outcome
