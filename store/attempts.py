"""Sign-in attempts, counted in the audit trail: they hold across restarts and across processes."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from store.engine import Store

_OF_USER = "kind = 'user' AND subject = :subject"


@dataclass(frozen=True)
class Attempts:
    """Failures since some instant: of a name at a place (since it last entered there), at the place, of the name anywhere.

    first/last = instants of the first and last of those counted, 0 without any.
    """

    pair: int
    pair_first: int
    place: int
    place_first: int
    user: int
    user_last: int


def count_attempts(store: Store, subject: str, place: str, since: int) -> Attempts:
    """What failed since an instant. subject = the name as the trail has it, place = its address."""
    statement = text(
        f"""
        SELECT sum(is_user * is_place * is_after), min(CASE WHEN is_user * is_place * is_after = 1 THEN at END), sum(is_place),
               min(CASE WHEN is_place = 1 THEN at END), sum(is_user), max(CASE WHEN is_user = 1 THEN at END)
        FROM (SELECT at, CASE WHEN {_OF_USER} THEN 1 ELSE 0 END AS is_user, CASE WHEN address = :place THEN 1 ELSE 0 END AS is_place,
                     CASE WHEN seq > (SELECT coalesce(max(seq), 0) FROM ops_audit WHERE {_OF_USER} AND action = 'sign_in.ok'
                                      AND address = :place) THEN 1 ELSE 0 END AS is_after
              FROM ops_audit WHERE action = 'sign_in.failed' AND at > :since) AS failed
        """
    )
    with store.reading() as connection:
        row = connection.execute(statement, {"subject": subject, "place": place, "since": since}).one()
    return Attempts(*(int(value or 0) for value in row))


def last_entry(store: Store, subject: str, place: str) -> int:
    """The instant this user last signed in from this place; 0 = never."""
    return _last(store, "sign_in.ok", subject, place)


def last_lock(store: Store, subject: str, place: str) -> int:
    """The instant a lock on this name at this place was last noted; 0 = never."""
    return _last(store, "sign_in.locked", subject, place)


def _last(store: Store, action: str, subject: str, place: str) -> int:
    statement = text(f"SELECT max(at) FROM ops_audit WHERE {_OF_USER} AND action = :action AND address = :place")
    with store.reading() as connection:
        found = connection.execute(statement, {"subject": subject, "action": action, "place": place}).scalar()
    return int(found or 0)
