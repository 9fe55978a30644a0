"""Push streams: the wall's frames and the desk's ticks. One hub per process; its cost does not grow with the screens.

A change in the store is heard by one watcher, the frame is built once per view in a thread, serialised once, and the same
text goes into every screen's queue. A slow screen loses old frames, never new ones: its queue is emptied for a whole frame.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import StreamingResponse

from api.errors import dump
from api.observed import Observed
from api.streams import Seats, StreamLimits, caller_of, require_whole, still_may
from components.context import AppContext
from metrics.city import City
from metrics.rollups import backlog
from scope import Scope, scope_of
from store.days import instant
from store.watch import is_away, watch

log = logging.getLogger("api.live")
FrameBuilder = Callable[[City, str], Mapping[str, Any]]
QUEUE = 4
FOLD_WAIT_S = 0.2
SMALL = "see.small_counts"
HEADERS = {"Cache-Control": "no-cache, no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True)
class Pace:
    """Seconds: two frames at most in any 2 x `least`, one at least every `frame` (the clock moves too), a beat every `beat`.

    Two in two and not one in one: a change that comes right after the clock's own frame need not wait for it.
    """

    least: float = 1.0
    frame: float = 30.0
    beat: float = 15.0


EASY = Pace()


class View(NamedTuple):
    """What the frames of a stream are drawn for: a language, and whether small counts are told. TICKS has no frames."""

    lang: str
    tells_small: bool


TICKS = View("", False)


@dataclass(eq=False)
class Listener:
    """One open stream. `has_whole` = differences make sense to it.

    `may` asks the store whether whoever opened it still may (in a thread).
    """

    view: View
    queue: asyncio.Queue[bytes | None]
    may: Callable[[], bool]
    has_whole: bool = False

    def put(self, message: bytes | None) -> bool:
        """Queue a message (None = the end); False when there was no room, and the queue was emptied."""
        if not self.queue.full():
            self.queue.put_nowait(message)
            return True
        while not self.queue.empty():
            self.queue.get_nowait()
        return False


@dataclass
class Picture:
    """The last frame of one view, serialised part by part, so that the next one can leave out what is the same."""

    props: dict[str, bytes] = field(default_factory=dict)
    ages: bytes = b"{}"
    revision: int = 0
    as_of: int | None = None
    drawn: float = 0.0  # monotonic seconds


class Hub:
    """Hears the store, builds frames, hands them out. All but the building runs on the event loop that serves the streams."""

    def __init__(
        self,
        context: AppContext,
        observed: Observed,
        build_frame: FrameBuilder,
        build: str,
        pace: Pace = EASY,
        rights: Scope | None = None,
        limits: StreamLimits | None = None,
    ) -> None:
        self.context, self.observed, self.build, self.pace = context, observed, build, pace
        self._build_frame = build_frame
        # the wall is for a room: figures and lists, no free text, no exact point, whoever has opened it
        self._rights = rights or scope_of("leader", actor="wall")
        self._seats = Seats(limits or StreamLimits())
        self._listeners: set[Listener] = set()
        self._pictures: dict[View, Picture] = {}
        self._seq = 0
        self._revisions: dict[str, int] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()

    # ---- streams ----------------------------------------------------------------------------------------------------
    def wall(self, request: Request, lang: str) -> StreamingResponse:
        """GET /live/wall: a whole frame at once, then what changes."""
        return self._open(request, lang, "wall", "see.wall")

    def ticks(self, request: Request, lang: str) -> StreamingResponse:
        """GET /live/ticks: {topic: revision} at once, then after every change."""
        return self._open(request, "", "ticks", "see.desk")

    def _open(self, request: Request, lang: str, name: str, permission: str) -> StreamingResponse:
        """A stream for as long as its opener may have it. Raises ApiError 403 or 503."""
        rights = self.context.scope_of(request)
        is_wall = name == "wall"
        if is_wall:
            require_whole(rights)
        caller = caller_of(request, rights)
        self._seats.require(*caller)
        view = View(lang, rights.permits(SMALL)) if is_wall else TICKS
        needs = (permission, SMALL) if view.tells_small else (permission,)
        may = still_may(request, self.context.scope_of, rights.actor, needs, whole=is_wall)
        listener = Listener(view, asyncio.Queue(QUEUE), may)
        return StreamingResponse(self._stream(listener, name, caller), media_type="text/event-stream", headers=HEADERS)

    async def _stream(self, listener: Listener, name: str, caller: tuple[str, str]) -> AsyncIterator[bytes]:
        self._run()
        gauge = self.observed.clients.labels(name)
        gauge.inc()
        try:
            with self._seats.hold(*caller):
                yield b"retry: 2000\n\n" + self._beat()
                self._greet(listener)
                self._listeners.add(listener)
                while (message := await listener.queue.get()) is not None:
                    yield message
        finally:
            self._listeners.discard(listener)
            gauge.dec()

    def close(self) -> None:
        """End every open stream, from any thread: a server that stops need not wait for them. Later streams are served again."""
        if self._tasks and not self._tasks[0].get_loop().is_closed():
            self._tasks[0].get_loop().call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._end_some(self._listeners)

    def _end_some(self, listeners: Iterable[Listener]) -> None:
        for listener in listeners:
            if not listener.put(None):
                listener.put(None)

    def _greet(self, listener: Listener) -> None:
        """What is known goes out at once; a frame nobody has yet is asked for."""
        if listener.view == TICKS:
            if self._revisions:
                listener.queue.put_nowait(self._tick())
            return
        picture = self._pictures.get(listener.view)
        is_now = picture is not None and self._is_now(picture)
        if picture is not None and (is_now or self._revisions == {}):
            listener.has_whole = listener.put(self._whole(listener.view))
        if not is_now:
            self._changed.set()

    def _is_now(self, picture: Picture) -> bool:
        """A view nobody has watched for a while has an old picture."""
        young = time.monotonic() - picture.drawn <= self.pace.frame
        return young and bool(self._revisions) and picture.revision == sum((self._revisions or {}).values())

    # ---- tasks ------------------------------------------------------------------------------------------------------
    def _run(self) -> None:
        """Start the tasks with the first stream; again when the loop they ran on is gone."""
        if self._tasks and not any(task.done() or task.get_loop() is not asyncio.get_running_loop() for task in self._tasks):
            return
        for task in self._tasks:
            if not task.done() and not task.get_loop().is_closed():
                task.cancel()
        self._changed, self._listeners, self._revisions = asyncio.Event(), set(), None
        self._tasks = [asyncio.create_task(self._keep(run)) for run in (self._listen, self._paint, self._beats)]

    async def _keep(self, run: Callable[[], Awaitable[None]]) -> None:
        """Run a task for ever: a fault in it is logged, and it starts again."""
        while True:
            try:
                await run()
            except Exception:
                log.exception("a task of the push streams failed; it starts again")
            await asyncio.sleep(self.pace.least)

    async def _listen(self) -> None:
        """Hear the store; while it is away the streams stay open and say so."""
        async for found in watch(self.context.store):
            was_away = self._revisions == {}
            self._revisions = found
            if not found or was_away:
                self._send(self._beat(), None)
            if found:
                self._changed.set()

    async def _paint(self) -> None:
        """Build frames and ticks: at once after a change, but no third one within 2 x `least`; after `frame` in any case."""
        before_last, last = 0.0, 0.0
        while True:
            try:
                await asyncio.wait_for(self._changed.wait(), self.pace.frame)
            except TimeoutError:
                if self._revisions == {}:
                    continue
            self._changed.clear()
            began = time.monotonic()
            if self._revisions:
                self._send(self._tick(), TICKS)
            # the landing's and the fold's news are often in one picture: then there is nothing to draw and nothing to rest from
            views = sorted({listener.view for listener in self._listeners} - {TICKS})
            behind = [view for view in views if view not in self._pictures or not self._is_now(self._pictures[view])]
            for view in behind:
                await self._paint_one(view)
            self._catch_up()
            if behind or not views:
                before_last, last = last, began
                await asyncio.sleep(max(0.0, before_last + 2 * self.pace.least - time.monotonic()))

    async def _paint_one(self, view: View) -> None:
        try:
            before = self._pictures.get(view)
            with self.observed.frame_time.time():
                picture = await asyncio.to_thread(self._draw, view)
        except Exception as fault:  # a fault in a scene must not end the stream: the last frame stays
            self.observed.frames.labels("away" if is_away(fault) else "failed").inc()
            if is_away(fault):
                log.warning("no frame: the store is away (%s)", type(fault).__name__)
            else:
                log.exception("the wall's frame could not be built; the last one stays")
            return
        self.observed.frames.labels("built").inc()
        self._pictures[view] = picture
        self._seq += 1
        self._send_frame(view, self._difference(before, picture) if before else b"")

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(self.pace.beat)
            self._send(self._beat(), None)
            self._end_some(await asyncio.to_thread(_gone, tuple(self._listeners)))

    def _await_fold(self) -> None:
        """Rows just landed are heard of before they are folded: a frame drawn at once would show the old sums for a second more."""
        until = time.monotonic() + FOLD_WAIT_S
        while backlog(self.context.store) and time.monotonic() < until:
            time.sleep(0.01)

    def _draw(self, view: View) -> Picture:
        """One frame, in a thread: the only part that reads the store."""
        self._await_fold()
        rights = self._rights if view.tells_small else replace(self._rights, permissions=self._rights.permissions - {SMALL})
        city = self.context.city(rights)
        frame = self._build_frame(city, view.lang)
        props = {key: dump(value) for key, value in frame.get("props", {}).items()}
        return Picture(props, dump(frame.get("ages", {})), city.revision, city.as_of, time.monotonic())

    # ---- messages ---------------------------------------------------------------------------------------------------
    def _send(self, message: bytes, view: View | None) -> None:
        """A beat or tick into every queue of that view (None = all); a screen that was too slow gets a whole frame next."""
        for listener in self._listeners:
            if view in (None, listener.view) and not listener.put(message):
                listener.has_whole = listener.view in self._pictures
                listener.put(self._whole(listener.view) if listener.has_whole else message)

    def _send_frame(self, view: View, difference: bytes) -> None:
        """The difference to those who have the frame before, the whole frame to everyone else."""
        whole = b""
        for listener in self._listeners:
            if listener.view == view and not (difference and listener.has_whole and listener.put(difference)):
                whole = whole or self._whole(view)
                listener.has_whole = listener.put(whole) or listener.put(whole)

    def _catch_up(self) -> None:
        """The last frame to whoever came between two frames, when there was nothing to draw."""
        for listener in self._listeners:
            if listener.view in self._pictures and not listener.has_whole:
                whole = self._whole(listener.view)
                listener.has_whole = listener.put(whole) or listener.put(whole)

    def _whole(self, view: View) -> bytes:
        """The whole last frame, with the server's time of now."""
        picture = self._pictures[view]
        return self._frame(picture, picture.props)

    def _difference(self, before: Picture, picture: Picture) -> bytes:
        """The frame without the components that are the same as before; ages are always whole."""
        if before.props.keys() - picture.props.keys():
            return self._frame(picture, picture.props)
        return self._frame(picture, {key: value for key, value in picture.props.items() if before.props.get(key) != value})

    def _frame(self, picture: Picture, props: Mapping[str, bytes]) -> bytes:
        head = dump(
            {
                "seq": self._seq,
                "build": self.build,
                "revision": picture.revision,
                "server_at": self._now(),
                "as_of": picture.as_of,
            }
        )
        body = b",".join(dump(key) + b":" + value for key, value in props.items())
        return b"data: " + head[:-1] + b',"props":{' + body + b'},"ages":' + picture.ages + b"}\n\n"

    def _beat(self) -> bytes:
        state = "away" if self._revisions == {} else "ok"
        return b"event: beat\ndata: " + dump({"server_at": self._now(), "store": state, "build": self.build}) + b"\n\n"

    def _tick(self) -> bytes:
        return b"event: tick\ndata: " + dump(self._revisions) + b"\n\n"

    def _now(self) -> int:
        return instant(self.context.now())


def _gone(listeners: Iterable[Listener]) -> list[Listener]:
    """Those whose openers have lost their rights since; asks the store, so it runs in a thread."""
    return [one for one in listeners if not one.may()]
