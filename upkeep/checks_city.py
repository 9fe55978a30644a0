"""What the doctor looks at in the city: its feeds, the fold, plans of its questions, users, settings; and the table of all checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from data_sources.preview import mapping_faults
from metrics.city import City, feeds, open_city
from metrics.city.numbers import kpis, series
from metrics.city.records import dossiers, reports
from metrics.periods import parse_period
from metrics.rollups import read_clock
from scope import scope_of
from store.backlog import read_backlog
from store.days import DAY, instant
from store.keys import list_keys
from store.people import list_users
from store.plans import explained
from store.sending import newest_sending
from store.sizes import table_sizes
from upkeep.checks import check_audit, check_backup, check_clock, check_disk, check_engine, check_files, check_versions
from upkeep.doctor import FAIL, NOTE, OK, WARN, Check, Finding, Patient

FEED_SEVERITY = {feeds.DEAD: FAIL, feeds.STALE: WARN, feeds.LATE: WARN, feeds.NEVER: WARN}
WAITING_WARN = 100_000  # logged cells
CLOCK_LAG_FAIL_S = 120
MANY_ROWS = 10_000  # below, reading a table whole is right
TEMPORARY_DAYS, KEY_DAYS = 7, 365
WELL_KNOWN = ("demo", "test", "admin", "password", "123456", "changeme", "secret", "toancanh", "mock")


def check_feeds(patient: Patient) -> Iterator[Finding]:
    """State, age, last error and quarantine of every feed."""
    city = _city(patient)
    for state in feeds.read(city):
        age = "" if state.through_at is None else f", speaks until {(city.as_of - state.through_at) / 3.6e9:.1f} h ago"
        remedy = f"python cli.py preview {state.key}; the source's operator; docs/feeds.md"
        severity = FEED_SEVERITY.get(state.state, OK)
        yield Finding(severity, f"{state.key}: {state.state}{age}, {state.landed} rows landed, {state.rejected} refused", remedy)
        if state.error:
            yield Finding(WARN, f"{state.key}: its last attempt failed: {state.error[:200]}", remedy)
        if state.open_rejects:
            yield Finding(
                NOTE, f"{state.key}: {state.open_rejects} items in quarantine", f"/feeds/{state.key}; then python cli.py resend {state.key}"
            )
    if not patient.config.feeds:
        yield Finding(WARN, "the city file names no feed", "docs/feeds.md")


def check_fold(patient: Patient) -> Iterator[Finding]:
    """Whether the worker keeps up: logged cells, the store's clock."""
    with patient.store.reading() as connection:
        waiting, clock = read_backlog(connection), read_clock(connection)
    rows = sum(one.rows for one in waiting)
    remedy = "is ingest running? else: python cli.py fold"
    yield Finding(WARN if rows > WAITING_WARN else OK, f"{rows} logged cells wait to be folded", remedy)
    if not clock:
        yield Finding(NOTE, "the store's clock has never been set", "start ingest")
        return
    lag = (instant(patient.config.clock(patient.now)) - clock) / 1e6
    severity = FAIL if lag > CLOCK_LAG_FAIL_S else OK
    yield Finding(severity, f"the store's clock is {max(lag, 0):.0f} s behind", "ingest is not running: start it")


@dataclass(frozen=True)
class Question:
    """Something screens ask all the time."""

    key: str
    ask: Callable[[City], object]


QUESTIONS = (
    Question("KPI values of today", lambda city: kpis.read(city, [], parse_period("today", city.today))),
    Question("open dossiers by day", lambda city: series.read(city, "dossiers_open", "day", parse_period("last_30d", city.today))),
    Question("overdue dossiers by agency", lambda city: series.read(city, "dossiers_overdue", "agency", parse_period("today", city.today))),
    Question("list of overdue dossiers", lambda city: dossiers.read(city, dossiers.DossierFilter(state="overdue"), limit=20)),
    Question("list of overdue reports", lambda city: reports.read(city, reports.ReportFilter(state="overdue"), limit=20)),
)


def check_plans(patient: Patient) -> Iterator[Finding]:
    """Hot questions are answered from indexes: none reads a big table from end to end."""
    city = _city(patient)
    with patient.store.reading() as connection:
        small = {one.table for one in table_sizes(connection, city.as_of) if one.rows < MANY_ROWS}
    for question in QUESTIONS:
        with explained(patient.store) as plans:
            question.ask(city)
        whole = [line.strip() for plan in plans for line in plan.whole_reads()]
        # a planner that knows that a table is small reads it whole, and is right; SQLite always plans for large ones
        whole = [line for line in whole if patient.store.is_sqlite or not any(name in line for name in small)]
        if whole:
            yield Finding(WARN, f"{question.key}: {whole[0][:120]}", "ANALYZE the database; if it stays, report it with this line")
        else:
            yield Finding(OK, f"{question.key}: {len(plans)} statements on large tables, each by an index")


def check_users(patient: Patient) -> Iterator[Finding]:
    """Whether somebody can administer, and nobody holds a password or key that others know."""
    users = list_users(patient.store)
    active = [user for user in users if user.disabled_at is None]
    if not users:
        severity = WARN if patient.config.web.public_url else NOTE
        remedy = "python cli.py user add, or /first-run on this machine"
        yield Finding(severity, "there are no users: whoever sits at this machine sees all", remedy)
    elif not any(user.role == "admin" for user in active):
        yield Finding(FAIL, "no active user is an admin", "python cli.py user add NAME --role admin")
    else:
        yield Finding(OK, f"{len(active)} active users, {sum(user.role == 'admin' for user in active)} of them admin")
    now = instant(patient.now)
    for user in active:
        if user.is_temporary and now - user.created_at > TEMPORARY_DAYS * DAY:
            yield Finding(WARN, f"{user.username} has never changed a temporary password", "disable the user or give a new password")
    for feed in patient.config.feeds:
        if feed.password and (feed.password.lower() in WELL_KNOWN or feed.password == feed.username) and not patient.config.simulated:
            yield Finding(FAIL, f"feed {feed.key}: its password is one that anybody tries first", "set another in the environment")
    old = [key for key in list_keys(patient.store) if key.revoked_at is None and now - key.created_at > KEY_DAYS * DAY]
    if old:
        yield Finding(NOTE, f"{len(old)} feed keys are older than a year", "make new ones, then revoke these (/admin)")


def check_config(patient: Patient) -> Iterator[Finding]:
    """Mappings, and how the program says it is reached."""
    faults = [fault for feed in patient.config.feeds for fault in mapping_faults(feed, patient.now)]
    for fault in faults:
        yield Finding(FAIL, fault, "python cli.py check FILE; docs/feeds.md")
    web = patient.config.web
    is_local = any(name in web.public_url for name in ("127.0.0.1", "localhost", "[::1]"))
    if web.public_url.startswith("http://") and not is_local:
        told = f"[web] public_url {web.public_url} is not https: passwords travel in plain"
        yield Finding(WARN, told, "TLS at a proxy (docs/operate.md)")
    if web.public_url.startswith("https://") and not web.proxies:
        yield Finding(NOTE, "[web] proxies is empty: behind a proxy every request seems to come from it", "name the proxy's address there")
    if not faults:
        yield Finding(OK, f"city file: {len(patient.config.feeds)} feeds, mappings sound")


def check_mail(patient: Patient) -> Iterator[Finding]:
    """Whether the leaders' brief is mailed, and how its newest week stands."""
    brief = patient.config.brief
    if not brief.send_to:
        yield Finding(OK, "the brief is mailed to nobody ([brief] send_to)")
        return
    due = parse_period("last_week", brief.last_on(patient.now, patient.config.tz)).text
    with patient.store.reading() as connection:
        sending = newest_sending(connection)
    remedy = f"docs/operate.md, The brief by mail; python cli.py brief --week {due} --send"
    if sending is None or sending.week < due:
        is_still = bool(patient.config.as_of) and not patient.config.shift_to_now
        yield Finding(NOTE if is_still else WARN, f"the brief of {due} was due by mail, nobody has tried", f"is ingest running? {remedy}")
    elif sending.held_at is not None:
        yield Finding(WARN, f"the brief of {sending.week} is held: {sending.held_why}", "the feeds it names; it is tried every 15 minutes")
    else:
        told = f"brief of {sending.week}: sent to {sending.sent}, {sending.waiting} tried again, {sending.lost} lost"
        severity = FAIL if sending.lost else WARN if sending.waiting else OK
        yield Finding(severity, f"{told}{': ' if sending.error else ''}{sending.error}", remedy)


def _city(patient: Patient) -> City:
    return open_city(patient.store, patient.config, scope_of("operator", actor="doctor"), patient.now)


CHECKS = (
    Check("versions", "Python, packages, engine, schema", check_versions),
    Check("engine", "settings of the database, its log and connections", check_engine),
    Check("disk", "size and growth of every table, days until the disk is full", check_disk),
    Check("clock", "the database's clock and the system's", check_clock),
    Check("config", "mappings and web settings of the city file", check_config),
    Check("feeds", "state, age, errors and quarantine of every feed", check_feeds),
    Check("fold", "cells that wait, the store's clock", check_fold),
    Check("plans", "hot questions use indexes", check_plans),
    Check("mail", "the newest brief left by mail", check_mail),
    Check("users", "an admin, no known passwords, no old keys", check_users),
    Check("audit", "the audit trail is unbroken", check_audit),
    Check("backup", "age of the newest backup", check_backup),
    Check("files", "file modes of the store and the city file", check_files),
)
