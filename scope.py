"""What a caller may see and do: a frozen Scope that every question needs, and the roles it is made of.

It knows no user, session or database: auth makes a Scope, everyone else only asks it. Deny by default.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

PERMISSIONS = (
    "see.wall",
    "see.desk",
    "see.dossiers",
    "see.reports",
    "see.report_text",
    "see.stations",
    "see.feeds",
    "see.rejects",
    "see.small_counts",
    "export",
    "api.read",
    "ingest",
    "manage.feeds",
    "manage.keys",
    "manage.users",
    "see.audit",
    "manage.city",
    "manage.baselines",
    "manage.followups",
    "manage.annotations",
    "issue.briefs",
    "share.views",
    "manage.reports",
)
FIELD_CLASSES = ("public", "free_text", "personal")


class Forbidden(Exception):
    """The caller's scope lacks a permission. `permission` names it."""

    def __init__(self, permission: str, actor: str = "") -> None:
        super().__init__(f"{actor or 'this caller'} lacks the permission {permission!r}")
        self.permission = permission
        self.actor = actor


@dataclass(frozen=True, slots=True)
class Scope:
    """Rights of one caller. agencies/areas: dotted codes, subtrees visible; None = all, () = none."""

    permissions: frozenset[str] = frozenset()
    agencies: tuple[str, ...] | None = ()
    areas: tuple[str, ...] | None = ()
    field_classes: frozenset[str] = frozenset()
    actor: str = ""

    def __post_init__(self) -> None:
        _check_known("permission", self.permissions, PERMISSIONS)
        _check_known("field class", self.field_classes, FIELD_CLASSES)

    def permits(self, permission: str) -> bool:
        """True when the caller holds the permission. Raises ValueError when there is no such permission."""
        _check_known("permission", frozenset([permission]), PERMISSIONS)
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise Forbidden, naming the permission, unless the caller holds it."""
        if not self.permits(permission):
            raise Forbidden(permission, self.actor)

    @property
    def is_limited(self) -> bool:
        """True when some agency or area is out of sight: what cannot be told apart by them is not for this caller."""
        return self.agencies is not None or self.areas is not None

    def covers_agency(self, code: str) -> bool:
        """True when the agency is one of the caller's or below one: H56.1 covers H56.1.3, never H56.14."""
        return _covers(self.agencies, code)

    def covers_area(self, code: str) -> bool:
        """True when the area is one of the caller's or below one of them by dotted code.

        Official area codes are not dotted: whoever makes the scope lists a district's communes too.
        """
        return _covers(self.areas, code)


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions; its shown name is the text `role.<key>`."""

    key: str
    permissions: frozenset[str]
    field_classes: frozenset[str] = frozenset({"public"})


_WATCH = frozenset({"see.wall", "see.desk", "see.stations", "see.feeds"})
_LEAD = _WATCH | {"see.small_counts", "see.dossiers", "see.reports", "export"}
_WORK = _LEAD | {"see.report_text", "see.rejects", "api.read"}
_MEET = frozenset({"manage.followups", "manage.annotations", "share.views"})  # what a meeting writes down, and looks at together
_TEXT = frozenset({"public", "free_text"})

ROLES = (
    # a display hangs where the centre works: it tells the counts the centre works with
    Role("display", frozenset({"see.wall", "see.small_counts"})),
    Role("viewer", _WATCH),
    Role("leader", _LEAD | _MEET | {"manage.baselines", "issue.briefs"}),
    Role("analyst", _WORK | _MEET | {"manage.baselines", "issue.briefs", "manage.reports"}, _TEXT),
    # reporter identity is for the centre's own staff, never for handling agencies
    Role("operator", _WORK | _MEET | {"manage.reports"}, frozenset(FIELD_CLASSES)),
    Role("feed_owner", _WATCH | {"see.rejects", "ingest", "manage.feeds"}, _TEXT),
    Role("auditor", frozenset({"see.desk", "see.feeds", "see.audit", "api.read", "export"})),  # the trail as a file, too
    # who manages users must not also be the one who reads, or could doubt, the audit trail
    Role("admin", _WATCH | {"see.rejects", "api.read", "manage.feeds", "manage.keys", "manage.users", "manage.city", "manage.baselines"}),
)


def scope_of(
    role: str,
    agencies: tuple[str, ...] | None = None,
    areas: tuple[str, ...] | None = None,
    actor: str = "",
) -> Scope:
    """The Scope of a role, limited to agency and area subtrees (None = all).

    Raises ValueError for an unknown role.
    """
    for row in ROLES:
        if row.key == role:
            return Scope(row.permissions, agencies, areas, row.field_classes, actor)
    raise ValueError(f"unknown role {role!r}; there are: {', '.join(row.key for row in ROLES)}")


def _check_known(what: str, given: frozenset[str], known: tuple[str, ...]) -> None:
    unknown = sorted(given.difference(known))
    if unknown:
        raise ValueError(f"unknown {what} {', '.join(unknown)}; there are: {', '.join(known)}")


def _covers(roots: tuple[str, ...] | None, code: str) -> bool:
    if roots is None:
        return True
    segments = code.split(".")
    return any(segments[: len(root.split("."))] == root.split(".") for root in roots if root)


# the demo without sign-in, bound to 127.0.0.1 only: an analyst who writes what a meeting writes, and changes no figure
_ANALYST = scope_of("analyst", actor="demo")
DEMO_SCOPE = replace(_ANALYST, permissions=_ANALYST.permissions - {"manage.baselines"})
