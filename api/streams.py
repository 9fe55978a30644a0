"""Who may have a push stream open, how many, and for how long: rights are asked again while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.requests import Request

from api.errors import ApiError
from auth.addresses import place_of
from auth.requests import UNATTENDED
from scope import Forbidden, Scope
from store.watch import is_away

# where the gate keeps the rights it has asked for a request
RIGHTS = "toancanh.rights"


@dataclass(frozen=True)
class StreamLimits:
    """Streams open at once: in all, from one address (many desks behind one router), and of one user or key."""

    in_all: int = 2000
    per_address: int = 500
    per_caller: int = 60
    retry_s: int = 30


@dataclass
class Seats:
    """The open streams by who holds them; a caller '' is nobody in particular. Used on the event loop alone."""

    limits: StreamLimits = StreamLimits()
    held: Counter[str] = field(default_factory=Counter)

    def require(self, caller: str, address: str) -> None:
        """Raise ApiError 503 with Retry-After when there is no room for one more."""
        bounds = (self.limits.in_all, self.limits.per_address, self.limits.per_caller)
        if any(self.held[name] >= most for name, most in zip(_names(caller, address), bounds, strict=False)):
            raise ApiError(
                503, "too_many_streams", "too many push streams are open", remedy="close some windows, or wait as Retry-After says",
                headers={"Retry-After": str(self.limits.retry_s)},
            )

    @contextmanager
    def hold(self, caller: str, address: str) -> Iterator[None]:
        """A seat for the length of the block."""
        names = _names(caller, address)
        self.held.update(names)
        try:
            yield
        finally:
            self.held.subtract(names)
            for name in names:
                if self.held[name] <= 0:
                    del self.held[name]


def _names(caller: str, address: str) -> tuple[str, ...]:
    """What a stream is counted under: all, its address, and its caller if there is one."""
    return ("all", f"at {address}", *([caller] if caller else []))


def require_whole(rights: Scope) -> None:
    """Raise ApiError 403 unless the rights are over the whole province: the wall has one picture for everybody."""
    if rights.agencies is not None or rights.areas is not None:
        raise ApiError(
            403, "whole_province", "this shows the whole province, and your rights end at some agencies or areas",
            remedy="ask the administrator for rights over the whole province", words="error.whole_province",
        )


def caller_of(request: Request, rights: Scope) -> tuple[str, str]:
    """What streams are counted by: who opened it, and from where. Without accounts that is nobody in particular: ''."""
    address = place_of(request.client.host if request.client else "")
    return (rights.actor if rights.actor.startswith(("user:", "key:")) else "", address)


def still_may(
    request: Request, ask: Callable[[Request], Scope], actor: str, permissions: Collection[str], *, whole: bool
) -> Callable[[], bool]:
    """A function that asks the store again whether the stream's opener still may: same caller, permissions and reach.

    Asking is no use of the session: a page nobody touches ends with it. While the store is away nobody can be judged.
    """
    scope = dict(request.scope)
    scope.pop(RIGHTS, None)
    cookies = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    unattended = b"; ".join(part for part in (cookies, f"{UNATTENDED}=1".encode()) if part)
    scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"cookie"] + [(b"cookie", unattended)]

    def asked() -> bool:
        fresh = Request({name: value for name, value in scope.items() if name != RIGHTS})
        try:
            rights = ask(fresh)
            if whole:
                require_whole(rights)
            return rights.actor == actor and all(rights.permits(permission) for permission in permissions)
        except (Forbidden, ApiError):
            return False
        except Exception as fault:
            if is_away(fault):
                return True
            raise

    return asked
