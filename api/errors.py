"""Errors as answers: JSON {error: {code, message, field, remedy}}, the fitting status, never a stack trace.

What nobody foresaw is told as a reference that stands in the log too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from auth import NotLocal, NotSignedIn
from components.faults import recorded
from data_sources.feed import FeedError
from scope import Forbidden
from store.watch import REFUSED_VALUE, is_away

log = logging.getLogger("api")
RETRY_AFTER_S = 2


class ApiError(Exception):
    """An answer that is an error. `field` names the parameter or body field at fault, `remedy` what to do.

    `words` = the text key a page says it with, where the status alone would say too little; `reference` stands in the log too.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str = "",
        remedy: str = "",
        headers: Mapping[str, str] | None = None,
        words: str = "",
        reference: str = "",
    ) -> None:
        super().__init__(message)
        self.words, self.reference = words, reference
        self.status, self.code, self.message, self.field, self.remedy = status, code, message, field, remedy
        self.headers = dict(headers or {})


def error_of(fault: Exception, where: str) -> ApiError:
    """The ApiError that answers an exception; unforeseen ones are logged with `where` and told as 500 without detail."""
    if isinstance(fault, ApiError):
        return fault
    if isinstance(fault, NotSignedIn):
        return ApiError(
            401,
            "sign_in",
            str(fault),
            remedy=f"sign in at {fault.go_to}, or send an API key as Authorization: Bearer",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if isinstance(fault, NotLocal):
        return ApiError(403, "not_local", str(fault), remedy="open it on its own machine, or make users first", words="error.not_local")
    if isinstance(fault, Forbidden):
        return ApiError(403, "forbidden", str(fault), remedy="ask the administrator for this permission")
    if is_away(fault):
        log.warning("%s: the store is away: %s", where, str(fault).splitlines()[0] if str(fault) else type(fault).__name__)
        return store_away()
    if isinstance(fault, REFUSED_VALUE):
        log.warning("%s: the database refused a value: %s", where, type(fault).__name__)
        return ApiError(
            400, "refused_value", "the database refused a value in this request", remedy="send plain UTF-8 text and numbers"
        )
    if isinstance(fault, FeedError):
        return ApiError(400, "bad_body", str(fault), field="body", remedy="see the message")
    return unforeseen(recorded(log, where, fault))


def unforeseen(reference: str) -> ApiError:
    """A fault of ours, recorded under this reference."""
    return ApiError(
        500,
        "server",
        f"the server had an error; it has been recorded as {reference}",
        remedy="try again, or tell the operators this reference",
        reference=reference,
    )


def store_away() -> ApiError:
    """The database cannot be reached, or was locked for too long."""
    return ApiError(
        503,
        "store_away",
        "the database cannot be reached at the moment; nothing was changed",
        remedy="send the same request again after the time in Retry-After",
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def error_answer(fault: ApiError, extra: Mapping[str, Any] | None = None) -> Response:
    """The response of an ApiError; `extra` stands beside "error" (the portal format wants its own two fields)."""
    body = {
        **(extra or {}),
        "error": {"code": fault.code, "message": fault.message, "field": fault.field, "remedy": fault.remedy},
    }
    return Response(dump(body), fault.status, {**fault.headers, "Cache-Control": "no-store"}, "application/json")


def dump(value: Any) -> bytes:
    """JSON bytes; letters that are no Unicode (lone surrogates) are replaced rather than refused."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY, default=_other)
    except TypeError:
        return orjson.dumps(_clean(value), option=orjson.OPT_SERIALIZE_NUMPY, default=_other)


def _other(value: Any) -> Any:
    if hasattr(value, "to_plotly_json"):
        return value.to_plotly_json()
    raise TypeError(f"{type(value).__name__} is no JSON")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_clean(str(key)): _clean(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(inner) for inner in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)
    return value
