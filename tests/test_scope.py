"""What a scope lets through: permissions, agency and area subtrees, roles."""

from __future__ import annotations

import dataclasses

import pytest

from scope import DEMO_SCOPE, FIELD_CLASSES, PERMISSIONS, ROLES, Forbidden, Scope, scope_of
from text import LANGUAGES, t


def test_an_empty_scope_permits_nothing_and_covers_nothing() -> None:
    scope = Scope()
    assert not any(scope.permits(permission) for permission in PERMISSIONS)
    assert not scope.covers_agency("H56") and not scope.covers_area("22")


def test_require_raises_forbidden_naming_permission_and_actor() -> None:
    with pytest.raises(Forbidden, match=r"lan lacks the permission 'see\.audit'") as caught:
        scope_of("viewer", actor="lan").require("see.audit")
    assert caught.value.permission == "see.audit"


def test_require_is_silent_when_permitted() -> None:
    scope_of("auditor").require("see.audit")


@pytest.mark.parametrize("ask", ["permits", "require"])
def test_asking_for_a_permission_that_does_not_exist_is_an_error(ask: str) -> None:
    with pytest.raises(ValueError, match=r"unknown permission see\.walls; there are: see\.wall"):
        getattr(scope_of("admin"), ask)("see.walls")


def test_a_scope_with_an_unknown_permission_or_field_class_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="unknown permission fly"):
        Scope(permissions=frozenset({"fly"}))
    with pytest.raises(ValueError, match="unknown field class secret"):
        Scope(field_classes=frozenset({"secret"}))


@pytest.mark.parametrize(
    ("code", "is_covered"),
    [
        ("H56.1", True),
        ("H56.1.3", True),
        ("H56.14", False),
        ("H56", False),
        ("H5", False),
        ("H57.1", False),
        ("", False),
    ],
)
def test_an_agency_covers_its_subtree_by_dot_segments(code: str, is_covered: bool) -> None:
    assert scope_of("leader", agencies=("H56.1",)).covers_agency(code) is is_covered


def test_any_of_several_roots_covers() -> None:
    scope = scope_of("leader", agencies=("H56.1", "H57"), areas=("22", "24.07"))
    assert scope.covers_agency("H57.14") and scope.covers_area("22") and scope.covers_area("24.07.001")
    assert not scope.covers_area("24")


def test_none_covers_all_and_an_empty_tuple_covers_none() -> None:
    assert scope_of("leader").covers_agency("H56") and scope_of("leader").covers_area("")
    assert not scope_of("leader", agencies=()).covers_agency("H56")


def test_an_empty_root_does_not_open_everything() -> None:
    scope = scope_of("leader", agencies=("",), areas=("",))
    assert not scope.covers_agency("H56") and not scope.covers_agency("") and not scope.covers_area("")


def test_agencies_do_not_limit_areas() -> None:
    scope = scope_of("leader", agencies=("H56",))
    assert scope.covers_area("22") and not scope.covers_agency("22")


def test_every_permission_is_held_by_some_role() -> None:
    assert set(PERMISSIONS) == set().union(*(role.permissions for role in ROLES))


def test_roles_name_only_known_permissions_and_field_classes() -> None:
    for role in ROLES:
        assert role.permissions <= set(PERMISSIONS), role.key
        assert role.field_classes <= set(FIELD_CLASSES), role.key


def test_only_the_auditor_reads_the_audit_trail() -> None:
    assert [role.key for role in ROLES if "see.audit" in role.permissions] == ["auditor"]


def test_only_the_operator_sees_personal_fields() -> None:
    assert [role.key for role in ROLES if "personal" in role.field_classes] == ["operator"]


def test_the_wall_role_sees_the_wall_and_nothing_else() -> None:
    assert scope_of("display").permissions == {"see.wall", "see.small_counts"}
    assert scope_of("display").field_classes == {"public"}


def test_the_demo_changes_no_figure_and_sees_no_person() -> None:
    changing = {"ingest", "manage.feeds", "manage.users", "manage.city", "manage.baselines"}
    assert not DEMO_SCOPE.permissions & changing
    assert "personal" not in DEMO_SCOPE.field_classes
    assert DEMO_SCOPE.permits("see.wall") and DEMO_SCOPE.permits("see.rejects")


def test_an_unknown_role_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown role 'boss'; there are: display, viewer"):
        scope_of("boss")


def test_a_scope_cannot_be_widened_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DEMO_SCOPE.actor = "root"  # type: ignore[misc]


def test_every_role_has_a_shown_name_in_each_language() -> None:
    names = {(lang, t(f"role.{role.key}", lang)) for lang in LANGUAGES for role in ROLES}
    assert len(names) == len(LANGUAGES) * len(ROLES)
