"""The whole journey on one screen: sync -> clock step -> judge -> fold -> announce. `Ingest` repeats it for as long as the program runs."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

from briefs.schedule import Post, is_on, look
from config import Config, FeedConfig
from data_sources.feed import FeedError
from data_sources.redact import redact
from data_sources.registry import protocol_of
from data_sources.sync import Progress, Sync
from metrics.city import open_city
from metrics.city.findings import at_risk_learning, signals
from metrics.judging import ROUND, ask_anew, is_waiting, judge, judge_round
from metrics.rollups import TOPICS, clock_step, drain, fold_topic, logged_topics
from scope import scope_of
from store.catalogue_files import load_catalogue
from store.days import instant
from store.engine import Store
from store.feed_state import newest_load
from store.migrate import settle_schema
from upkeep import retention

log = logging.getLogger("toancanh.ingest")
FOLD_WAKE_S = 0.05
FOLD_ROUND_S = 0.3
# the fold rests so many times as long as it worked: a busy hour's cells gather and are computed once, writers get their turn;
# when it is behind by whole rounds nothing is gained by gathering
FOLD_REST, FOLD_REST_BEHIND = 12.0, 0.3
QUIET_S = 0.15  # no batch for so long: nobody brings any (landing a large one takes less)
LONGEST_REST_S = 1.0  # whatever else keeps the machine busy: screens wait for the fold
JUDGE_REST = 0.3  # so many times as long as it wrote: while a backlog is judged, writers get their turn
FOLD_WAITS_S = 1.0  # while dossiers wait to be judged, their cells gather too, but not longer
CLOCK_STEP_S = 5.0
RETENTION_CHECK_S = 600.0
POST_CHECK_S = 30.0
RISK_CHECK_S, RISK_FIRST_S = 300.0, 60.0  # a start has other work to do first


def utc_now() -> datetime:
    """The process clock; everything below takes its result as an argument."""
    return datetime.now(UTC)


def prepare(store: Store, config: Config) -> None:
    """Make sure the schema is ours (a fresh store gets it) and the city's catalogues are in. Raises SchemaTooOld, SchemaTooNew."""
    settle_schema(store)
    load_catalogue(store, config.catalogue)


def refresh(store: Store, config: Config, now: datetime, progress: Progress | None = None) -> list[str]:
    """Read every pulled feed once, step the clock, fold. Returns one line per feed that could not be read."""
    sync, faults = Sync(store, config), []
    for feed in in_order(config):
        try:
            sync.pull(feed, now, progress)
        except FeedError as error:
            faults.append(str(error))
    clock_step(store, instant(config.clock(now)))
    judge(store, config)
    drain(store, instant(now))
    return faults


def in_order(config: Config) -> list[FeedConfig]:
    """Pulled feeds, areas first: what lies in an area is placed when it lands."""
    pulled = [feed for feed in config.feeds if feed.enabled and protocol_of(feed).client]
    return sorted(pulled, key=lambda feed: feed.role != "areas")


class Ingest:
    """Keeps a store current: feeds on their schedules in threads, the fold and the clock in this one."""

    def __init__(self, store: Store, config: Config, now: Callable[[], datetime] = utc_now) -> None:
        self.store, self.config, self.now = store, config, now
        self.stop = threading.Event()
        self._sync = Sync(store, config)
        self._pool = ThreadPoolExecutor(4, "feed")
        self._running: dict[str, Future[None]] = {}
        self._next_at: dict[str, float] = {}
        self._next_step = 0.0
        self._fold_by = 0.0
        self._next_check = 0.0
        self.retaining: Future[None] | None = None
        self._postman = ThreadPoolExecutor(1, "post")  # its own: a slow mail server must not keep feeds waiting
        self._next_post = 0.0
        self._next_look = 0.0
        self.posting: Future[None] | None = None
        self.learning: Future[None] | None = None
        self._rounds = dict.fromkeys(TOPICS, 4000)
        self._rest_s = 0.0
        self._has_asked = False

    def run(self) -> None:
        """Loop until `stop` is set. A database that is away is waited for; nothing is lost, since cursors commit with rows."""
        while not self.stop.is_set():
            try:
                self.turn()
                self._rest()
            except Exception:
                log.exception("ingest turn failed; trying again in 2 s")
                self.stop.wait(2.0)
        self.close()

    def close(self) -> None:
        """End what was begun beside this thread, and wait for it: the store may be closed after that."""
        self.stop.set()
        self._pool.shutdown(cancel_futures=True)
        self._postman.shutdown(cancel_futures=True)

    def _rest(self) -> None:
        """Rest as long as the fold is to, or until nobody brings rows; what lands meanwhile is judged, the next fold finds that done."""
        changed, seen = time.monotonic(), newest_load(self.store)
        until = changed + min(self._rest_s, LONGEST_REST_S)
        self.stop.wait(FOLD_WAKE_S)
        while not self.stop.is_set() and time.monotonic() < until:
            self._judge(until)
            if (newest := newest_load(self.store)) != seen:
                changed, seen = time.monotonic(), newest
            elif time.monotonic() - changed > QUIET_S:
                return
            self.stop.wait(FOLD_WAKE_S)

    def turn(self) -> int:
        """One turn: start feeds that are due, step the clock when it is time, fold what is logged."""
        now, self._rest_s = self.now(), 0.0
        seconds = now.timestamp()
        self._start_due(seconds)
        if seconds >= self._next_step:
            clock_step(self.store, instant(self.config.clock(now)))
            self._next_step = seconds + CLOCK_STEP_S
        if seconds >= self._next_check and (self.retaining is None or self.retaining.done()):
            self._next_check = seconds + RETENTION_CHECK_S
            self.retaining = self._pool.submit(self._retain)
        if seconds >= self._next_post and is_on(self.config) and (self.posting is None or self.posting.done()):
            self._next_post = seconds + POST_CHECK_S
            self.posting = self._postman.submit(look, Post(self.store, self.config, self.now, stop=self.stop))
        if not self._next_look:
            self._next_look = seconds + RISK_FIRST_S
        if seconds >= self._next_look and (self.learning is None or self.learning.done()):
            self._next_look = seconds + RISK_CHECK_S
            self.learning = self._pool.submit(self._learn)
        judged = self._judge(self._fold_by)
        folded = self._fold(now)
        self._fold_by = time.monotonic() + FOLD_WAITS_S
        return judged + folded

    def _judge(self, until: float) -> int:
        """Dossiers that landed, before the fold: their cells are then computed once. All, if calendars changed since."""
        if not self._has_asked:
            ask_anew(self.store, self.config)
            self._has_asked = True
        judged, pause = 0, 0.0
        while is_waiting(self.store) and not self.stop.wait(pause):
            done, took = judge_round(self.store, self.config)
            judged, pause = judged + done, took * JUDGE_REST if done >= ROUND else FOLD_WAKE_S
            if time.monotonic() >= until:
                break
        return judged

    def _fold(self, now: datetime) -> int:
        """One round of each topic that is logged, sized so that it works about FOLD_ROUND_S: whoever brings rows must not wait long."""
        return sum(self._round(topic, now) for topic in logged_topics(self.store))

    def _round(self, topic: str, now: datetime) -> int:
        limit = self._rounds[topic]
        done, took = fold_topic(self.store, topic, instant(now), limit)
        self._rest_s += took * (FOLD_REST if done < limit else FOLD_REST_BEHIND)
        if took > 2 * FOLD_ROUND_S:
            self._rounds[topic] = max(500, limit // 2)
        elif took < FOLD_ROUND_S and 2 * done >= limit:  # before it is needed: a round that leaves rows behind is soon followed by another
            self._rounds[topic] = min(50_000, limit * 2)
        return done

    def _start_due(self, seconds: float) -> None:
        """Areas go first and alone; others are started when no area feed is being read."""
        for feed in in_order(self.config):
            running = self._running.get(feed.key)
            if running and not running.done():
                if feed.role == "areas":
                    return
                continue
            if seconds >= self._next_at.get(feed.key, 0):
                self._next_at[feed.key] = seconds + feed.schedule_s
                self._running[feed.key] = self._pool.submit(self._pull, feed)
                if feed.role == "areas":
                    return

    def _retain(self) -> None:
        """Once a day, in a thread beside the feeds: what has had its time goes, first baselines are kept."""
        try:
            if retention.is_due(self.store, self.now()):
                retention.run(self.store, self.config, self.now(), self.stop)
                signals.pin(open_city(self.store, self.config, scope_of("leader", actor="program"), self.now()), instant(self.now()))
        except Exception:
            log.exception("retention failed; it is tried again in %d s", RETENTION_CHECK_S)

    def _learn(self) -> None:
        """Once a day, in a thread beside the feeds: which open dossiers may miss their due date is learned anew."""
        try:
            if at_risk_learning.is_due(self.store, self.now()):
                at_risk_learning.relearn(self.store, self.config, self.now())
        except Exception:
            log.exception("learning which dossiers are at risk failed; it is tried again in %d s", RISK_CHECK_S)

    def _pull(self, feed: FeedConfig) -> None:
        try:
            self._sync.pull(feed, self.now())
        except FeedError as error:
            log.warning("feed %s: %s", feed.key, error)
        except Exception:
            log.error("feed %s failed\n%s", feed.key, redact(traceback.format_exc()))  # a fault may quote what it was given
