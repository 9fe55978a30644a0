"""A real mail server on 127.0.0.1 that keeps what it gets and refuses what it is told to; and a city that mails its brief."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from config import Config
from config.brief import BriefConfig, MailConfig
from tests.servers import free_port
from tests.signal_city import CONFIG

FROM, LEADER, DEPUTY, CENTRE = "trungtam@tinh.example", "chutich@tinh.example", "phochutich@tinh.example", "dieuhanh@tinh.example"
USER, PASSWORD = "may", "Bi-mat-61"


@dataclass
class MailServer:
    """`answers` = what the next letters are told instead of 250; `refused` = addresses nobody has here; `on_data` is called with each
    letter before it is accepted, `on_rcpt` with each address."""

    port: int
    got: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: tuple[str, ...] = ()
    on_data: Callable[[], object] = lambda: None
    on_rcpt: Callable[[], object] = lambda: None
    is_encrypted: list[bool] = field(default_factory=list)

    @property
    def letters(self) -> list[EmailMessage]:
        """What was accepted, read."""
        return [message_from_bytes(body, policy=default) for _, body in self.got]  # type: ignore[arg-type, misc]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: Any) -> str:
        self.on_rcpt()
        if address in self.refused:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        self.is_encrypted.append(session.ssl is not None)
        self.got.append((tuple(envelope.rcpt_tos), envelope.content))
        self.on_data()
        return "250 OK"


def _known(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


@contextmanager
def mail_server(port: int = 0, *, has_auth: bool = False, tls: ssl.SSLContext | None = None) -> Iterator[MailServer]:
    """It listens until the end of the block. tls = STARTTLS is offered and needed."""
    kept = MailServer(port or free_port())
    given: dict[str, Any] = {"tls_context": tls, "require_starttls": True} if tls else {"auth_require_tls": False}
    if has_auth:
        given["authenticator"] = _known
    controller = Controller(kept, "127.0.0.1", kept.port, **given)
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()


def mailing(port: int, config: Config = CONFIG, **brief: Any) -> Config:
    """A city file that mails to two leaders, and says to the centre what is held."""
    told = BriefConfig(**{"send_to": (LEADER, DEPUTY), "notice_to": (CENTRE,), **brief})
    web = replace(config.web, public_url="https://toancanh.tinh.example")
    return replace(config, brief=told, web=web, mail=MailConfig("127.0.0.1", port, FROM))


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now
