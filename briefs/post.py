"""Letters and how they leave: a brief with its files, a notice that one is held, reminders; one SMTP conversation with time-outs.

A letter's Message-ID follows from what it is and whom it goes to: sent a second time, it is the same letter to mail servers and readers.
"""

from __future__ import annotations

import hashlib
import json
import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from briefs.content import cell_of
from config import Config
from config.brief import MailConfig
from metrics.city.followups import Reminder
from metrics.city.weekly.parts import SECTIONS, Word
from metrics.city.weekly.written import said, written
from metrics.periods import parse_period
from store.briefs import BriefRow
from store.sending import Letter
from text import t
from text.formats import day, instant, number, period_label

TIMEOUT_S = 30  # for each answer of the mail server; all of them stay below store.sending.CLAIM
TYPES = {"pdf": ("application", "pdf"), "xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")}
MOST_WORDS = 200  # of what a mail server says
_GONE_FOR_GOOD = (smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused)


class Undelivered(Exception):
    """The mail server did not take the letter; the message says why, without secrets. is_final: it will never take it."""

    def __init__(self, why: str, *, is_final: bool = False) -> None:
        super().__init__(why)
        self.is_final = is_final


@dataclass(frozen=True)
class Writing:
    """What every letter needs: the city file, its language, the instant it is written."""

    config: Config
    lang: str
    now: datetime

    @property
    def place(self) -> str:
        """The city's name in the letter's language."""
        return self.config.name_en if self.lang == "en" and self.config.name_en else self.config.name

    def page(self, path: str, **query: str) -> str:
        """The full address of a page; '' where the city file does not say how the desk is reached."""
        base = self.config.web.public_url.rstrip("/")
        more = {"lang": self.lang} if self.lang != self.config.language else {}
        return f"{base}{path}?{urlencode({**query, **more})}".rstrip("?") if base else ""


def week_name(week: str, lang: str) -> str:
    """A week in words: Tuần 46/2026 (09/11-15/11/2026)."""
    found = parse_period(week, date.min)
    return period_label(found.kind, found.start_on, found.end_on, lang)


def brief_letter(writing: Writing, letter: Letter, row: BriefRow, content: str, files: Mapping[str, bytes]) -> EmailMessage:
    """An issued brief: its first page as text, its files as they lie in the archive."""
    subject = f"{t('page.weekly', writing.lang)} · {week_name(row.week, writing.lang)} · {writing.place}"
    message = _message(writing, letter, subject, _first_page(writing, row, json.loads(content)), row.sha256)
    for form, body in files.items():
        main, sub = TYPES[form]
        message.add_attachment(body, main, sub, filename=f"brief-{row.week}-{row.lang}.{form}")
    return message


def notice_letter(writing: Writing, letter: Letter, why: str) -> EmailMessage:
    """That the brief of a week is held, and why."""
    lang = writing.lang
    subject = t("brief.held_subject", lang, week=week_name(letter.week, lang), place=writing.place)
    return _message(writing, letter, subject, (why, "", t("brief.held_again", lang), writing.page("/feeds")))


def reminder_letter(writing: Writing, letter: Letter, told: Sequence[Reminder]) -> EmailMessage:
    """What was promised and is due or late."""
    lang = writing.lang
    subject = t("brief.remind_subject", lang, n=number(len(told), lang, 0), place=writing.place)
    lines = []
    for why in ("overdue", "soon"):
        own = [one.followup for one in told if one.why == why]
        if own:
            lines += [t(f"brief.remind_{why}", lang, n=number(len(own), lang, 0))]
            lines += [f"- {one.what} ({'; '.join(part for part in (one.agency, one.who, day(one.due_on, lang)) if part)})" for one in own]
            lines += [""]
    return _message(writing, letter, subject, (*lines, writing.page("/weekly")))


def _first_page(writing: Writing, row: BriefRow, content: Mapping[str, Any]) -> Iterator[str]:
    """What page one says, from the archived content: no figure is asked for anew."""
    lang = writing.lang
    yield from (week_name(row.week, lang), "")
    notes = [_say(note, lang) for note in content["notes"]]
    yield from (*notes, *([""] if notes else []))
    for section in SECTIONS:
        inside = [one for one in content["statements"] if one["section"] == section]
        if inside:
            yield t(f"weekly.section.{section}", lang).upper()
            yield from (f"- {_say(one['said'], lang)}" for one in inside)
            yield ""
    at = instant(row.issued_at, writing.config.tz, lang)
    yield t("brief.mail_issued", lang, at=at, revision=number(row.revision, lang, 0), sha=row.sha256[:12])
    yield writing.page("/weekly", period=row.week)


def _say(data: Any, lang: str) -> str:
    cell = cell_of(data)
    return said(cell, lang) if isinstance(cell, Word) else written(cell, lang)


def _message(writing: Writing, letter: Letter, subject: str, lines: Iterator[str] | Sequence[str], what: str = "") -> EmailMessage:
    assert writing.config.mail is not None
    sender = writing.config.mail.sender
    message = EmailMessage(policy=SMTP)
    mark = f"[{t('app.simulated', writing.lang)}] " if writing.config.simulated else ""
    message["Subject"] = " ".join((mark + subject).split())
    message["From"], message["To"], message["Date"] = sender, letter.address, format_datetime(writing.now)
    message["Message-ID"] = message_id(letter, sender, what)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(lines).strip() + "\n", cte="quoted-printable")
    return message


def message_id(letter: Letter, sender: str, what: str = "") -> str:
    """The letter's own id, the same at every try. what = the hash of a brief: another store's issue of that number is another letter."""
    told = json.dumps([letter.week, letter.lang, letter.address, letter.brief_id, what])
    return f"<toancanh-{letter.week.lower()}-{hashlib.sha256(told.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"


def deliver(mail: MailConfig, message: EmailMessage, to: Sequence[str]) -> None:
    """Hand the letter to the mail server; returns once it has taken it for at least one of them. Raises Undelivered."""
    server = None
    try:
        server = _connect(mail)
        server.send_message(message, mail.sender, list(to))
    except (smtplib.SMTPException, OSError, ValueError) as fault:
        raise _undelivered(mail, fault) from None  # the chain would carry what was said to the server
    finally:
        if server is not None:
            with suppress(smtplib.SMTPException, OSError):  # it has the letter: whatever it says to our good-bye changes nothing
                server.quit()
            server.close()


def _connect(mail: MailConfig) -> smtplib.SMTP:
    """A conversation up to the sign-in, its certificate checked. Whoever gets it must close it."""
    own = mail.sender.rpartition("@")[2]  # said in EHLO: the machine's own name would have to be asked of a name server
    context = None if mail.security == "plain" else ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(mail.host, mail.port, local_hostname=own, timeout=TIMEOUT_S, context=context) if mail.security == "tls"
        else smtplib.SMTP(mail.host, mail.port, local_hostname=own, timeout=TIMEOUT_S)
    )
    try:
        if mail.security == "starttls":
            server.starttls(context=context)
        if mail.user:
            server.login(mail.user, mail.password)
    except BaseException:
        server.close()
        raise
    return server


def _undelivered(mail: MailConfig, fault: Exception) -> Undelivered:
    code, words = 0, ""
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        code, told = min(fault.recipients.values())  # one address that may work later keeps the letter
        words = _text(told)
    elif isinstance(fault, smtplib.SMTPResponseException):
        code, words = fault.smtp_code, _text(fault.smtp_error)
    elif isinstance(fault, (smtplib.SMTPException, OSError)):
        words = str(fault) or type(fault).__name__
    else:
        words = type(fault).__name__  # its words may quote a password
    for secret in (mail.password, mail.user):
        words = words.replace(secret, "***") if secret else words
    is_final = isinstance(fault, _GONE_FOR_GOOD) and code >= 500
    return Undelivered(f"{code or ''} {words}".strip()[:MOST_WORDS], is_final=is_final)


def _text(told: bytes | str) -> str:
    return " ".join((told.decode("utf-8", "replace") if isinstance(told, bytes) else told).split())
