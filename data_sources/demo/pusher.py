"""Pushes the demo's dossiers as a province's one-stop system does: log in, DongBoHoSoMC, then CapNhatTienDoHoSoMC.

Talks to {url}/login and {url}. Logs in again when the session has run out, waits and repeats when the server is away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Any

import httpx
import orjson

from data_sources.demo.catalogue import ROOT
from data_sources.demo.story import Story

DOSSIERS, PROGRESS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
BATCH = 1000
SUCCESS = ("0", "00")
HEARTBEAT_S = 60.0  # an empty push says: alive, nothing new
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0


class PushError(Exception):
    """The server refuses or stays away. The message names URL and what it answered."""


@dataclass(frozen=True)
class Pushed:
    """What has been accepted so far: dossier objects, step objects, calls, seconds since the start."""

    dossiers: int = 0
    steps: int = 0
    calls: int = 0
    seconds: float = 0.0


Callback = Callable[[Pushed], None]


class Portal:
    """One login session at a receiving endpoint. Use as a context manager."""

    def __init__(self, url: str, username: str, password: str, *, patience_s: float, stop: threading.Event) -> None:
        self._url, self._login = url.rstrip("/"), {"username": username, "password": password}
        self._patience_s, self._stop = patience_s, stop
        self._session = ""
        self._http = httpx.Client(timeout=60.0, trust_env=False)

    def __enter__(self) -> Portal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.close()

    def call(self, service: str, data: list[Any], *, is_updating: bool) -> None:
        """One service call; logs in first, or again when the answer is not success. Raises PushError."""
        if not self._session:
            self._log_in()
        answer = self._call(service, data, is_updating)
        if _is_success(answer):
            return
        self._log_in()
        answer = self._call(service, data, is_updating)
        if not _is_success(answer):
            raise PushError(f"{self._url}: {service} of {len(data)} objects was refused: {_shown(answer)}")

    def _call(self, service: str, data: list[Any], is_updating: bool) -> dict[str, Any]:
        envelope = {
            "session": self._session, "madonvi": ROOT, "service": service, "isUpdating": str(is_updating), "data": data,
        }
        return self._post(self._url, envelope)

    def _log_in(self) -> None:
        answer = self._post(f"{self._url}/login", self._login)
        if not _is_success(answer) or not answer.get("session"):
            raise PushError(f"{self._url}/login: login was refused: {_shown(answer)}")
        self._session = str(answer["session"])

    def _post(self, url: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer as an object; waits and repeats while the server is away, busy or failing."""
        content, pause, given_up = orjson.dumps(body), FIRST_PAUSE_S, time.monotonic() + self._patience_s
        while True:
            try:
                answer = self._http.post(url, content=content, headers={"Content-Type": "application/json"})
                if answer.status_code < 500 and answer.status_code != 429:
                    return _object(answer)
                fault = f"HTTP {answer.status_code}"
            except httpx.TransportError as error:
                fault = f"{type(error).__name__}: {error}"
            if time.monotonic() + pause > given_up or self._stop.wait(pause):
                raise PushError(f"{url}: no answer within {self._patience_s:.0f} s ({fault})")
            pause = min(pause * 2, LONGEST_PAUSE_S)


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return {"error_code": str(answer.status_code), "message": answer.text[:200]}
    return found if answer.status_code < 400 else {"error_code": str(answer.status_code), **found}


def _is_success(answer: dict[str, Any]) -> bool:
    return str(answer.get("error_code")) in SUCCESS


def _shown(answer: dict[str, Any]) -> str:
    return f"error_code {answer.get('error_code')}, {str(answer.get('message', ''))[:200]}"


def push_dossiers(
    story: Story, url: str, username: str, password: str, since: datetime, until: datetime, *, progress: Callback | None = None,
    batch: int = BATCH, patience_s: float = 120.0, stop: threading.Event | None = None,
) -> Pushed:
    """Push what changed in (since, until]: all dossiers as known at `until`, then all steps. Raises PushError.

    `url` is the feed's ingest address, e.g. http://127.0.0.1:8050/ingest/one_stop; `progress` hears after every call.
    """
    halt = stop or threading.Event()
    with Portal(url, username, password, patience_s=patience_s, stop=halt) as portal:
        return _push(portal, story, since, until, batch, progress or _quiet, halt)


def _quiet(done: Pushed) -> None:
    """Nobody listens."""


def _push(
    portal: Portal, story: Story, since: datetime, until: datetime, batch: int, progress: Callback, stop: threading.Event,
) -> Pushed:
    began, done = time.monotonic(), Pushed()
    is_living = since > story.start
    for objects, is_updating in _dossier_calls(story, since, until, batch, is_living):
        if stop.is_set():
            raise PushError("stopped before everything was pushed")
        portal.call(DOSSIERS, objects, is_updating=is_updating)
        done = replace(done, dossiers=done.dossiers + len(objects), calls=done.calls + 1, seconds=time.monotonic() - began)
        progress(done)
    for steps in story.progress_batches(since, until, batch):
        if stop.is_set():
            raise PushError("stopped before everything was pushed")
        portal.call(PROGRESS, steps, is_updating=False)
        done = replace(done, steps=done.steps + len(steps), calls=done.calls + 1, seconds=time.monotonic() - began)
        progress(done)
    return done


def _dossier_calls(story: Story, since: datetime, until: datetime, batch: int, is_living: bool) -> Any:
    """(objects, isUpdating): the history as creations; the living day as creations and updates apart."""
    if not is_living:
        yield from ((objects, False) for objects in story.dossier_batches(since, until, batch))
        return
    for found, is_updating in zip(story.new_and_updated(since, until), (False, True), strict=True):
        for at in range(0, len(found), batch):
            yield found[at:at + batch], is_updating


def live_loop(
    story: Story, url: str, username: str, password: str, *, clock: Callable[[], datetime], stop: threading.Event,
    since: datetime, every_s: float = 5.0, on_push: Callback | None = None, on_error: Callable[[PushError], None] | None = None,
) -> datetime:
    """Push every few seconds what has happened since, until `stop` is set; the instant up to which all was accepted.

    A failed round is repeated whole with the next one, so nothing is lost; receiving twice must be harmless.
    """
    spoke = time.monotonic()
    with Portal(url, username, password, patience_s=60.0, stop=stop) as portal:
        while not stop.is_set():
            now = clock()
            try:
                done = _push(portal, story, since, now, BATCH, _quiet, stop)
                since = now
                if not done.calls and time.monotonic() - spoke >= HEARTBEAT_S:
                    portal.call(DOSSIERS, [], is_updating=False)
                if done.calls or time.monotonic() - spoke >= HEARTBEAT_S:
                    spoke = time.monotonic()
                if on_push:
                    on_push(done)
            except PushError as error:
                if on_error and not stop.is_set():
                    on_error(error)
            stop.wait(every_s)
    return since
