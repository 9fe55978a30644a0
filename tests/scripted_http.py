"""A real HTTP server on loopback whose answers a test writes down: for clients of feeds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests.servers import serve_asgi


@dataclass
class Request:
    """What a client asked."""

    path: str
    query: dict[str, str]
    raw_query: str
    headers: dict[str, str]


@dataclass
class Reply:
    """What it gets; a body that is no bytes is sent as JSON."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class ScriptedApp:
    """Answers with `script(request)`, remembers every request."""

    def __init__(self, script: Callable[[Request], Reply]) -> None:
        self.script = script
        self.requests: list[Request] = []

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        raw = scope["query_string"].decode()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        request = Request(scope["path"], dict(parse_qsl(raw)), raw, headers)
        self.requests.append(request)
        reply = self.script(request)
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        sent = {"content-type": "application/json", **reply.headers}
        pairs = [(name.encode(), value.encode()) for name, value in sent.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})


@contextmanager
def scripted_server(script: Callable[[Request], Reply]) -> Iterator[tuple[str, list[Request]]]:
    """(base URL, requests so far) of a server that answers by `script` for the length of the block."""
    app = ScriptedApp(script)
    with serve_asgi(app) as server:
        yield server.url, app.requests
