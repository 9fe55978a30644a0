"""What rights users and API keys may be given: a role, and limits to agencies and areas where the role knows limits.

The one rule for whoever gives them: /admin and the commands both come by here, through store/people.py and store/keys.py.
"""

from __future__ import annotations

import json
from typing import Any

from scope import ROLES
from text import t

ROLE_KEYS = tuple(role.key for role in ROLES)
# limits would shut out of what these roles are for: the wall, the audit trail and users cannot be cut by agency or area
UNLIMITED = ("display", "auditor", "admin")


class PeopleFault(ValueError):
    """A user or key cannot be made or changed like this. The shown words are the text of `key` with `words` in it."""

    def __init__(self, key: str, **words: Any) -> None:
        super().__init__(t(key, "en", **words))
        self.key, self.words = key, words


def require_rights(role: str, agencies: tuple[str, ...] | None, areas: tuple[str, ...] | None) -> None:
    """Raise PeopleFault for an unknown role, for limits (None = all) the role knows not, and for limits with nothing in them."""
    if role not in ROLE_KEYS:
        raise PeopleFault("people.unknown_role", role=role, roles=", ".join(ROLE_KEYS))
    if (agencies is not None or areas is not None) and role in UNLIMITED:
        raise PeopleFault("admin.no_limits")
    if agencies == () or areas == ():
        raise PeopleFault("admin.nothing_chosen")


def codes_kept(codes: tuple[str, ...] | None) -> str | None:
    """Agency or area codes as they are stored: a JSON list, NULL = all."""
    return None if codes is None else json.dumps(list(codes), ensure_ascii=False)


def codes_read(kept: str | None) -> tuple[str, ...] | None:
    """The reverse of codes_kept."""
    return None if kept is None else tuple(json.loads(kept))
