"""The connection under the requests: bounds on headers and on how long they may take, which uvicorn leaves open.

Slow bodies are bounded by the gate, idle connections by uvicorn itself (keep-alive 5 s).
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADERS_S = 15.0
HEAD_BYTES = 64_000
CONNECTIONS = 4_000
REFUSED = b"HTTP/1.1 %s\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """Closes a connection whose request line and headers are not there within HEADERS_S, or exceed HEAD_BYTES."""

    _deadline: TimerHandle | None = None
    _head_bytes = 0
    _in_head = True

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Expect the first request."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more to expect."""
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before the headers are whole; the parser itself would keep any amount."""
        if self._in_head:
            if self._deadline is None:
                self._expect_head()
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large")

    def on_headers_complete(self) -> None:
        """The head is whole: from here on the gate looks at the clock."""
        self._in_head, self._head_bytes = False, 0
        self._forget()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """What comes next is a head again; its time starts with its first byte, before that keep-alive's holds."""
        super().on_message_complete()
        self._in_head = True

    def _unsupported_upgrade_warning(self) -> None:
        """WebSockets are not spoken here; whoever tries gets what the address answers, and no line in the log."""

    def _expect_head(self) -> None:
        self._deadline = self.loop.call_later(HEADERS_S, self._refuse, b"408 Request Timeout")

    def _refuse(self, status: bytes) -> None:
        self._forget()
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(REFUSED % status)
            self.transport.close()

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def server_config(application: Any, host: str, port: int, **more: Any) -> uvicorn.Config:
    """How the application is served: the gate, not uvicorn, believes proxies; no Server header; a bound on connections."""
    return uvicorn.Config(
        application, host=host, port=port, http=BoundedProtocol, ws="none", proxy_headers=False, server_header=False,
        limit_concurrency=CONNECTIONS, log_level="warning", **more,
    )
