"""docs/roles.md says what scope.ROLES says: each role's sentence, each permission, each class of fields."""

from __future__ import annotations

from pathlib import Path

from scope import FIELD_CLASSES, PERMISSIONS, ROLES
from text import t

DOCUMENT = (Path(__file__).resolve().parent.parent / "docs" / "roles.md").read_text(encoding="utf-8")


def table() -> dict[str, list[str]]:
    """The rows of the document's table: name -> cells."""
    found = {}
    for line in DOCUMENT.splitlines():
        if line.startswith("|") and not line.startswith("|--"):
            name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            found[name] = cells
    return found


def test_the_table_holds_every_role_permission_and_field_class() -> None:
    assert table()[""] == [role.key for role in ROLES]
    assert set(table()) == {"", *PERMISSIONS, *(f"field class {name}" for name in FIELD_CLASSES)}


def test_every_cell_is_what_the_role_holds() -> None:
    told = {name: [bool(cell) for cell in cells] for name, cells in table().items() if name}
    held = {name: [name in role.permissions for role in ROLES] for name in PERMISSIONS}
    held |= {f"field class {name}": [name in role.field_classes for role in ROLES] for name in FIELD_CLASSES}
    assert told == held


def test_every_role_has_the_sentence_its_readers_are_shown() -> None:
    for role in ROLES:
        assert f"- **{role.key}** ({t(f'role.{role.key}', 'vi')}): {t(f'role_may.{role.key}', 'en')}" in DOCUMENT
