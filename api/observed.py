"""What operators' monitoring reads (Prometheus text): counters of this process, and the store's state when asked."""

from __future__ import annotations

import logging
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from api.streams import RIGHTS
from config import Config
from metrics.city import feeds, open_city
from metrics.rollups import read_clock
from scope import scope_of
from store.backlog import Backlog, read_backlog
from store.days import MICROSECONDS, instant
from store.engine import Store
from store.health import newest_audit_seq, sign_ins
from store.revisions import revisions
from store.sending import count_tries
from store.sizes import store_bytes, store_folder, wal_bytes
from store.watch import is_away
from upkeep.logs import ANSWERS, HEADER, begin_request

log = logging.getLogger(ANSWERS)
GROUPS = ("api", "ingest", "live", "assets", "healthz", "readyz", "metrics", "wall", "sign-in", "admin", "audit")
STREAMS = "/live/"
# too many and too dull to log one by one
UNLOGGED = ("assets", "healthz", "readyz", "metrics")
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# where api.gate writes which of its rows named the address
ROW = "toancanh.row"
SIGN_IN_WINDOW_S = 900


@dataclass
class Observed:
    """The process's counters. `text()` adds the store's state; with the store away only toancanh_store_up 0 stands for it."""

    store: Store
    config: Config
    now: Callable[[], datetime]
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    marks: dict[str, deque[tuple[float, int]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.http = Histogram(
            "toancanh_http_seconds", "Time to answer", ("group", "route", "method", "status"), registry=self.registry, buckets=BUCKETS
        )
        self.in_flight = Gauge("toancanh_http_in_flight", "Requests being answered", ("group",), registry=self.registry)
        self.pushed = Counter("toancanh_ingest_requests", "Pushes by outcome", ("feed", "status"), registry=self.registry)
        self.clients = Gauge("toancanh_push_clients", "Open push streams", ("stream",), registry=self.registry)
        self.frames = Counter("toancanh_frames", "Wall frames built", ("outcome",), registry=self.registry)
        self.frame_time = Histogram("toancanh_frame_seconds", "Time to build a wall frame", registry=self.registry)
        self.registry.register(_StoreState(self))

    def text(self) -> bytes:
        """All metrics in Prometheus' text form."""
        return generate_latest(self.registry)

    def fold_lag(self, backlog: Backlog, at: float) -> float:
        """Seconds since the oldest waiting cell was first seen by this process; a lower bound, as fine as it is asked."""
        marks = self.marks.setdefault(backlog.topic, deque(maxlen=10_000))
        while marks and marks[0][1] < backlog.first_seq:
            marks.popleft()
        if not marks or marks[-1][1] < backlog.last_seq:
            marks.append((at, backlog.last_seq))
        return at - marks[0][0]


class _StoreState:
    """Reads the store when metrics are asked for."""

    def __init__(self, observed: Observed) -> None:
        self.observed = observed

    def describe(self) -> list[Metric]:
        """Nothing beforehand: the store may be away when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The store's own metrics, or its absence."""
        up = GaugeMetricFamily("toancanh_store_up", "1 = the store answers")
        try:
            found = [*self._feeds(), *self._state(), *self._trail(), *self._mail(), *self._room()]
            up.add_metric([], 1)
        except Exception as fault:
            if not is_away(fault):
                raise
            found = []
            up.add_metric([], 0)
        yield up
        yield from found

    def _feeds(self) -> list[Metric]:
        o = self.observed
        city = open_city(o.store, o.config, scope_of("viewer", actor="metrics"), o.now())
        landed = CounterMetricFamily("toancanh_ingested_rows", "Rows landed", labels=["feed"])
        rejected = CounterMetricFamily("toancanh_rejected_rows", "Rows refused", labels=["feed"])
        waiting = GaugeMetricFamily("toancanh_open_rejects", "Rows in quarantine", labels=["feed"])
        failing = GaugeMetricFamily("toancanh_feed_failing", "1 = the last attempt to read it failed", labels=["feed"])
        age = GaugeMetricFamily("toancanh_feed_age_seconds", "Age of what a feed speaks for", labels=["feed", "state"])
        for state in feeds.read(city):
            landed.add_metric([state.key], state.landed)
            rejected.add_metric([state.key], state.rejected)
            waiting.add_metric([state.key], state.open_rejects)
            failing.add_metric([state.key], 1 if state.error else 0)
            if state.through_at is not None:
                age.add_metric([state.key, state.state], max(0, city.as_of - state.through_at) / 1e6)
        return [landed, rejected, waiting, failing, age]

    def _state(self) -> list[Metric]:
        o = self.observed
        with o.store.reading() as connection:
            backlog, counters, clock = read_backlog(connection), revisions(connection), read_clock(connection)
        rows = GaugeMetricFamily("toancanh_fold_backlog_rows", "Logged cells not yet folded", labels=["topic"])
        lag = GaugeMetricFamily(
            "toancanh_fold_lag_seconds", "Time the oldest logged cell has waited, as seen here", labels=["topic"]
        )
        revision = GaugeMetricFamily("toancanh_revision", "Revision of a topic", labels=["topic"])
        waiting = {one.topic: one for one in backlog}
        for topic, number in counters.items():
            revision.add_metric([topic], number)
            one = waiting.get(topic)
            rows.add_metric([topic], one.rows if one else 0)
            lag.add_metric([topic], o.fold_lag(one, time.monotonic()) if one else 0)
            if one is None:
                o.marks.pop(topic, None)
        behind = GaugeMetricFamily(
            "toancanh_clock_lag_seconds", "How far the store's clock is behind; grows when the worker has stopped"
        )
        if clock:
            behind.add_metric([], max(0, instant(o.config.clock(o.now())) - clock) / 1e6)
        return [rows, lag, revision, behind]


    def _trail(self) -> list[Metric]:
        o = self.observed
        with o.store.reading() as connection:
            seq = newest_audit_seq(connection)
            counted = sign_ins(connection, instant(o.now()) - SIGN_IN_WINDOW_S * MICROSECONDS)
        head = GaugeMetricFamily("toancanh_audit_seq", "Newest row of the audit trail; never falls", value=seq)
        recent = GaugeMetricFamily("toancanh_sign_ins_15m", "Sign-ins of the last 15 minutes", labels=["outcome"])
        for outcome, number in counted.items():
            recent.add_metric([outcome], number)
        return [head, recent]

    def _mail(self) -> list[Metric]:
        with self.observed.store.reading() as connection:
            counted = count_tries(connection)
        tries = CounterMetricFamily("toancanh_brief_mails", "Tries to mail briefs, notices and reminders", labels=["state"])
        for state, number in counted.items():
            tries.add_metric([state], number)
        return [tries]

    def _room(self) -> list[Metric]:
        store = self.observed.store
        found: list[Metric] = [GaugeMetricFamily("toancanh_store_bytes", "Bytes of the store on disk", value=store_bytes(store))]
        if (log_bytes := wal_bytes(store)) is not None:
            found.append(GaugeMetricFamily("toancanh_wal_bytes", "Bytes of the write-ahead log", value=log_bytes))
        if folder := store_folder(store):
            free = shutil.disk_usage(folder).free
            found.append(GaugeMetricFamily("toancanh_disk_free_bytes", "Free where the store lies", value=free))
        return found


class TimedRequests:
    """ASGI middleware, outermost: names every request, times all but push streams, and logs what was answered."""

    def __init__(self, app: ASGIApp, observed: Observed) -> None:
        self.app, self.observed = app, observed

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Pass on, and note how long it took. Every answer carries the id its log lines have."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asking = begin_request(_header(scope, HEADER), lambda: getattr(scope.get(RIGHTS), "actor", ""))
        started, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", ()), (HEADER.encode(), asking.id.encode())]}
            await send(message)

        if scope["path"].startswith(STREAMS):
            await self.app(scope, receive, noting)
            return
        group = group_of(scope["path"])
        try:
            with self.observed.in_flight.labels(group).track_inprogress():
                await self.app(scope, receive, noting)
        finally:
            self._note(scope, group, status, time.perf_counter() - started)

    def _note(self, scope: AsgiScope, group: str, status: int, taken: float) -> None:
        route, method = route_of(scope), _method(scope["method"])
        self.observed.http.labels(group, route, method, str(status)).observe(taken)
        if group not in UNLOGGED or status >= 400:
            told = {"route": route, "method": method, "status": status, "ms": round(taken * 1000, 1)}
            log.log(logging.WARNING if status >= 500 else logging.INFO, "answered", extra=told)


def route_of(scope: AsgiScope) -> str:
    """The row of the gate that named the address, or the router's template: never what was asked for."""
    if row := scope.get(ROW):
        return str(row)
    return str(getattr(scope.get("route"), "path", "none"))


def _header(scope: AsgiScope, name: str) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name.encode()), "")


def group_of(path: str) -> str:
    """The group an address is counted under: few, whatever is asked for."""
    first = path.strip("/").partition("/")[0]
    if first in GROUPS:
        return first
    return "callback" if first.startswith("_dash") else "page"


def _method(method: str) -> str:
    return method if method in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE") else "other"
