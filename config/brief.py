"""What a city file says of the leaders' brief: which feeds it needs, who gets it by mail, when; and the mail server of the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

URL, FROM = "TOANCANH_SMTP_URL", "TOANCANH_SMTP_FROM"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NEEDED = ("one_stop", "feedback", "sensors")  # roles whose feeds speak up to an instant
PORTS = {"smtp": 25, "smtps": 465}
_SHAPE = "smtp://user:password@host:port, smtps://.., or smtp://..?starttls=1"
_LETTERS = "in a password the letters @ : / ? # as %40 %3A %2F %3F %23"
_ADDRESS = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class BriefConfig:
    """[brief]: needs = roles without whose feeds none is issued; it goes to `send_to` on `weekday` from `at` on, the city's time.

    `notice_to` = who hears that a brief is held, and of follow-ups that are due; language "" = the city's.
    """

    needs: tuple[str, ...] = ("one_stop", "feedback")
    send_to: tuple[str, ...] = ()
    notice_to: tuple[str, ...] = ()
    weekday: str = "monday"
    at: str = "07:00"
    language: str = ""

    @property
    def is_mailed(self) -> bool:
        """Does anybody get mail?"""
        return bool(self.send_to or self.notice_to)

    @property
    def time(self) -> time:
        """`at` as a time of day."""
        return time.fromisoformat(self.at)

    def last_on(self, now: datetime, tz: tzinfo) -> date:
        """The day of the last weekly moment, in the city's zone: the week before it is the one that is due."""
        local = now.astimezone(tz)
        days = (local.weekday() - WEEKDAYS.index(self.weekday)) % 7
        return local.date() - timedelta(days=7 if days == 0 and local.time() < self.time else days)


@dataclass(frozen=True)
class MailConfig:
    """The mail server; security: plain | starttls | tls. Only from the environment; the password never shows."""

    host: str
    port: int
    sender: str
    security: str = "plain"
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def check_brief(brief: BriefConfig, environ: Mapping[str, str], faults: list[str]) -> None:
    """Add every fault of [brief] to `faults`, each with what to write instead."""
    for role in brief.needs or ():
        if role not in NEEDED:
            faults.append(f"[brief] needs: {role!r} is not one of {', '.join(NEEDED)}")
    for name, addresses in (("send_to", brief.send_to), ("notice_to", brief.notice_to)):
        given = addresses or ()
        for address in given:
            if not _ADDRESS.fullmatch(str(address)):  # TOML may hold numbers
                faults.append(f"[brief] {name}: {address!r} is no mail address; write one as an@tinh.gov.vn")
        if len({str(one).lower() for one in given}) < len(given):
            faults.append(f"[brief] {name}: an address is there twice")
    if brief.weekday not in WEEKDAYS:
        faults.append(f"[brief] weekday: {brief.weekday!r} is not one of {', '.join(WEEKDAYS)}")
    if not _TIME.fullmatch(str(brief.at)):
        faults.append(f"[brief] at: {brief.at!r} is no time of day; write 07:00")
    if brief.language not in ("", "vi", "en"):
        faults.append("[brief] language must be vi or en")
    if (brief.send_to or brief.notice_to) and not environ.get(URL):
        faults.append(f"[brief] names addresses, but the environment variable {URL} is not set: {_SHAPE}")


def parse_mail(environ: Mapping[str, str], faults: list[str]) -> MailConfig | None:
    """The mail server; None when the environment names none. Faults never quote the address: it holds a password."""
    if not environ.get(URL):
        return None
    sender = environ.get(FROM, "")
    if not _ADDRESS.fullmatch(sender):
        faults.append(f"{FROM}: " + (f"{sender!r} is no mail address" if sender else "is not set; write the address mails come from"))
    try:
        url = urlsplit(environ[URL])
        port = url.port or PORTS.get(url.scheme, 0)
    except ValueError:
        faults.append(f"{URL}: the port is no number from 1 to 65535; write {_SHAPE}, {_LETTERS}")
        return None
    query = parse_qs(url.query, keep_blank_values=True)
    before = len(faults)
    _check_url(url, query, faults)
    if len(faults) > before:
        return None
    security = "tls" if url.scheme == "smtps" else "starttls" if query.get("starttls") == ["1"] else "plain"
    user, password = unquote(url.username or ""), unquote(url.password or "")
    if password and security == "plain" and not _is_here(str(url.hostname)):
        faults.append(f"{URL}: the password would travel in plain; write smtps://.. or add ?starttls=1")
    return MailConfig(str(url.hostname), port, sender, security, user, password)


def _check_url(url: SplitResult, query: Mapping[str, list[str]], faults: list[str]) -> None:
    if url.scheme not in PORTS:
        faults.append(f"{URL}: begins with neither smtp:// nor smtps://; write {_SHAPE}")
    if not url.hostname:
        faults.append(f"{URL}: names no host; write {_SHAPE}")
    if bool(url.username) != bool(url.password):
        faults.append(f"{URL}: user and password go together; {_LETTERS}")
    if query and (set(query) != {"starttls"} or query["starttls"] not in (["0"], ["1"])):
        faults.append(f"{URL}: after ? only starttls=1 may stand")
    if url.path not in ("", "/") or url.fragment:
        faults.append(f"{URL}: something stands behind host and port; {_LETTERS}")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
