"""The house rules of docs/architecture.md, checked on every import and every literal of the program.

Each rule is a function tree -> faults ("file:line what"). Each is run on this repository, where it must find
nothing, and on a made-up tree that breaks it, where it must find exactly that.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = ("tests", "benchmarks", "examples", "docs")  # folders that are not rooms of the house

SQL = ("sqlalchemy", "alembic", "psycopg", "sqlite3", "geoalchemy2")
SQL_PLACES = ("store/", "metrics/rollups.py", "metrics/city/", "operations/")
NETWORK = ("httpx", "requests", "urllib.request", "urllib3", "socket", "http.client", "aiohttp", "smtplib")
NETWORK_PLACES = re.compile(r"(data_sources/(.+/client\w*|http_source|demo/.+)|operations/notify\w*(/.+)?|briefs/post)\.py")
NOT_IN_METRICS = ("dash", "dash_*", "plotly", "flask", "fastapi", "starlette", "uvicorn")
SPEAKING_PLACES = ("text/", "data_sources/", "examples/")  # may hold Vietnamese words in .py files
VIETNAMESE = re.compile("[ăâđêôơưàảãạáằẳẵặắầẩẫậấèẻẽẹéềểễệếìỉĩịíòỏõọóồổỗộốờởỡợớùủũụúừửữựứỳỷỹỵý]", re.I)
WRITTEN_ONCE = ("store/migrations/versions/",)  # records of the past: nobody edits or splits them
CITATION = re.compile(r"\d/(QĐ|NĐ|TT|NQ|QH)")  # a legal document has one name in every language
MAX_LINES, MAX_TEST_LINES, MAX_FUNCTION_LINES = 400, 600, 40


@dataclass(frozen=True)
class Import:
    """One imported module: `local` = inside a function, `line` = the source line it stands on."""

    name: str
    lineno: int
    line: str
    relative: bool
    local: bool


@dataclass(frozen=True)
class Module:
    """A .py file; `path` is relative to the root, with slashes."""

    path: str
    source: str

    @property
    def room(self) -> str:
        """First part of the path, as in the floors block: `store/` or `config.py`."""
        first, slash, _ = self.path.partition("/")
        return first + slash

    @property
    def name(self) -> str:
        """Top-level import name."""
        return self.room.removesuffix("/").removesuffix(".py")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, self.path)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(self._walk(self.tree, local=False))

    def _walk(self, node: ast.AST, *, local: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield self._import(alias.name, child, relative=False, local=local)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                for alias in child.names:  # `from a import b`: b may be a module
                    yield self._import(f"{base}.{alias.name}", child, relative=child.level > 0, local=local)
            else:
                inside = local or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from self._walk(child, local=inside)

    def _import(self, name: str, node: ast.stmt, *, relative: bool, local: bool) -> Import:
        line = "\n".join(self.source.splitlines()[node.lineno - 1 : node.end_lineno])
        return Import(name, node.lineno, line, relative, local)


@dataclass(frozen=True)
class Tree:
    """The modules of a repository and its floors: room -> floor."""

    modules: tuple[Module, ...]
    floors: dict[str, int]
    declared: frozenset[str] = frozenset()  # distributions named in requirements.txt

    @property
    def house(self) -> tuple[Module, ...]:
        """The program itself, without tests, benchmarks and examples."""
        return tuple(module for module in self.modules if module.name not in OUTSIDE)

    def room_of(self, import_name: str) -> str | None:
        """The room an import leads to; None = not ours."""
        top = import_name.split(".")[0]
        return next((room for room in (f"{top}/", f"{top}.py") if room in self.floors), None)


def read_floors(document: Path) -> dict[str, int]:
    """Room -> floor from the block of docs/architecture.md that is fenced as `floors`."""
    assert document.exists(), f"{document.name} is missing: it holds the floors this test checks"
    block = re.search(r"^```floors\n(.*?)^```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert block, f"{document.name} has no block fenced as ```floors"
    floors: dict[str, int] = {}
    for line in block[1].splitlines():
        number, *rooms = line.replace("|", " ").split()
        floors |= dict.fromkeys(rooms, int(number))
    return floors


def python_files(root: Path) -> list[str]:
    """Paths of all tracked .py files; without git (an unpacked archive) all but those in hidden folders."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "*.py"], cwd=root, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0 and listed.stdout:
        paths = listed.stdout.rstrip("\0").split("\0")
        return sorted(path for path in paths if (root / path).is_file())
    found = (path.relative_to(root) for path in root.rglob("*.py"))
    return sorted(path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts))


def read_tree(root: Path) -> Tree:
    """The repository at `root`."""
    modules = tuple(Module(path, (root / path).read_text("utf-8")) for path in python_files(root))
    names = re.findall(r"^[\w.-]+", (root / "requirements.txt").read_text(), re.MULTILINE)
    declared = frozenset(_normal(name) for name in names)
    return Tree(modules, read_floors(root / "docs" / "architecture.md"), declared)


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _is_any(name: str, packages: tuple[str, ...]) -> bool:
    """Is `name` one of the packages or inside one? `dash_*` stands for a family."""
    return any(
        name.startswith(package[:-1]) if package.endswith("*") else f"{name}.".startswith(f"{package}.")
        for package in packages
    )


# --- the rules --------------------------------------------------------------------------------------------


def rooms_without_floor(tree: Tree) -> list[str]:
    """Every file stands in a room of the floors block."""
    homeless = (module for module in tree.house if module.room not in tree.floors)
    return [f"{module.path}: {module.room} has no floor" for module in homeless]


def imports_up(tree: Tree) -> list[str]:
    """Imports go down only; rooms on one floor of 4-5 never import each other; nobody imports tests."""
    faults = []
    for module in tree.house:
        floor = tree.floors.get(module.room, 0)
        for found in module.imports:
            room = tree.room_of(found.name)
            if found.name.split(".")[0] in OUTSIDE and not found.relative:
                faults.append(f"{module.path}:{found.lineno} imports {found.name}, outside the house")
            elif room and room != module.room and (
                tree.floors[room] > floor or (tree.floors[room] == floor and floor in (4, 5))
            ):
                where = f"{module.path}:{found.lineno} (floor {floor})"
                faults.append(f"{where} imports {room} ({tree.floors[room]})")
    return faults


def pages_imported(tree: Tree) -> list[str]:
    """Dash runs pages by path; importing one registers it twice."""
    return [
        f"{module.path}:{found.lineno} imports a page"
        for module in tree.modules for found in module.imports if _is_any(found.name, ("pages",))
    ]


def relative_imports(tree: Tree) -> list[str]:
    """Absolute imports only."""
    return [
        f"{module.path}:{found.lineno} imports relatively"
        for module in tree.modules for found in module.imports if found.relative
    ]


def unexplained_local_imports(tree: Tree) -> list[str]:
    """An import inside a function has a comment on its line that says why."""
    return [
        f"{module.path}:{found.lineno} imports {found.name} inside a function without a comment"
        for module in tree.house for found in module.imports
        if found.local and not re.search(r"#(?!\s*(noqa|type:))", found.line)
    ]


def sql_elsewhere(tree: Tree) -> list[str]:
    """SQL lives in the store, the roll-ups, City and operations."""
    return [
        f"{module.path}:{found.lineno} imports {found.name}"
        for module in tree.house for found in module.imports
        if _is_any(found.name, SQL) and not module.path.startswith(SQL_PLACES)
    ]


def network_elsewhere(tree: Tree) -> list[str]:
    """Network clients live in the feeds' client files, in briefs/post and in operations/notify."""
    return [
        f"{module.path}:{found.lineno} imports {found.name}"
        for module in tree.house for found in module.imports
        if _is_any(found.name, NETWORK) and not NETWORK_PLACES.fullmatch(module.path)
    ]


def metrics_knows_web(tree: Tree) -> list[str]:
    """metrics/ knows no Dash."""
    return [
        f"{module.path}:{found.lineno} imports {found.name}"
        for module in tree.house for found in module.imports
        if module.name == "metrics" and _is_any(found.name, NOT_IN_METRICS)
    ]


def undeclared_packages(tree: Tree) -> list[str]:
    """Every package the program imports is named in requirements.txt, not only pulled in by another."""
    known = packages_distributions()
    faults = set()
    for module in tree.house:
        for found in module.imports:
            top = found.name.split(".")[0]
            if found.relative or top in sys.stdlib_module_names or tree.room_of(found.name) or top in OUTSIDE:
                continue
            if not {_normal(name) for name in known.get(top, ())} & tree.declared:
                faults.add(f"{module.path}:{found.lineno} imports {top}, not named in requirements.txt")
    return sorted(faults)


def long_modules(tree: Tree) -> list[str]:
    """No module over 400 lines; tests may reach 600."""
    faults = []
    for module in tree.modules:
        limit, length = MAX_TEST_LINES if module.name == "tests" else MAX_LINES, module.source.count("\n")
        if length > limit and not module.path.startswith(WRITTEN_ONCE):
            faults.append(f"{module.path} has {length} lines, at most {limit}: split it by subject")
    return faults


def long_functions(tree: Tree) -> list[str]:
    """No function over 40 lines, its docstring not counted."""
    return [
        f"{module.path}:{node.lineno} {node.name} has {_body_lines(node)} lines, at most {MAX_FUNCTION_LINES}"
        for module in tree.house if not module.path.startswith(WRITTEN_ONCE)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _body_lines(node) > MAX_FUNCTION_LINES
    ]


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    doc = node.body[0] if ast.get_docstring(node, clean=False) is not None else None
    doc_lines = (doc.end_lineno or 0) - doc.lineno + 1 if doc else 0
    return (node.end_lineno or 0) - node.lineno + 1 - doc_lines


def shown_literals(tree: Tree) -> list[str]:
    """Vietnamese words stand in text/, not in code; docstrings, letters and citations of law may."""
    faults = []
    for module in tree.house:
        if module.path.startswith(SPEAKING_PLACES):
            continue
        unshown = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Constant) or id(node) in unshown:
                continue
            text = node.value if isinstance(node.value, str) else ""
            if len(text) > 2 and VIETNAMESE.search(text) and not CITATION.search(text):
                faults.append(f"{module.path}:{node.lineno} holds the text {text[:40]!r}")
    return faults


def undocumented_modules(tree: Tree) -> list[str]:
    """Every module opens with what it holds."""
    return [
        f"{module.path} has no opening lines"
        for module in tree.house if module.source.strip() and ast.get_docstring(module.tree) is None
    ]


Rule = Callable[[Tree], list[str]]
# rule, a path and a source that break it, what is found
OFFENCES: tuple[tuple[Rule, str, str, str], ...] = (
    (rooms_without_floor, "utils/x.py", "", "utils/x.py: utils/ has no floor"),
    (imports_up, "store/x.py", "import metrics.kpis", "store/x.py:1 (floor 1) imports metrics/ (3)"),
    (imports_up, "config.py", "from app import make_app", "config.py:1 (floor 0) imports app.py (6)"),
    (imports_up, "api/x.py", "from callbacks import wall", "api/x.py:1 (floor 5) imports callbacks/ (5)"),
    (imports_up, "store/x.py", "def f():\n    import auth", "store/x.py:2 (floor 1) imports auth/ (4)"),
    (imports_up, "app.py", "from tests import servers", "app.py:1 imports tests.servers, outside the house"),
    (pages_imported, "app.py", "import pages.wall", "app.py:1 imports a page"),
    (pages_imported, "tests/test_x.py", "from pages import wall", "tests/test_x.py:1 imports a page"),
    (relative_imports, "store/x.py", "from . import y", "store/x.py:1 imports relatively"),
    (unexplained_local_imports, "store/x.py", "def f():\n    import json  # noqa: E402",
     "store/x.py:2 imports json inside a function without a comment"),
    (sql_elsewhere, "metrics/kpis.py", "import sqlalchemy as sa", "metrics/kpis.py:1 imports sqlalchemy"),
    (sql_elsewhere, "api/x.py", "from sqlalchemy import text", "api/x.py:1 imports sqlalchemy.text"),
    (network_elsewhere, "data_sources/sync.py", "import httpx", "data_sources/sync.py:1 imports httpx"),
    (network_elsewhere, "cli.py", "from urllib import request", "cli.py:1 imports urllib.request"),
    (metrics_knows_web, "metrics/x.py", "import dash_leaflet as dl", "metrics/x.py:1 imports dash_leaflet"),
    (undeclared_packages, "store/x.py", "import pytest",
     "store/x.py:1 imports pytest, not named in requirements.txt"),
    (long_modules, "store/x.py", "\n" * 401, "store/x.py has 401 lines, at most 400: split it by subject"),
    (long_modules, "tests/x.py", "\n" * 601, "tests/x.py has 601 lines, at most 600: split it by subject"),
    (long_functions, "store/x.py", "def f():\n" + "    x = 1\n" * 40,
     "store/x.py:1 f has 41 lines, at most 40"),
    (shown_literals, "pages/x.py", 'title = "Hồ sơ"', "pages/x.py:1 holds the text 'Hồ sơ'"),
    (shown_literals, "pages/x.py", 'title = f"Trễ {n}"', "pages/x.py:1 holds the text 'Trễ '"),
    (undocumented_modules, "store/x.py", "x = 1", "store/x.py has no opening lines"),
)
# what the rules must let pass
INNOCENT = (
    ("store/x.py", '"""Holds x."""\nimport config\nimport store.y\nimport sqlalchemy as sa\n'),
    ("cli.py", '"""Commands."""\nfrom app import make_app\n'),
    ("metrics/city/x.py", '"""Hồ sơ."""\nfrom sqlalchemy import text\nD = {"đ": "d"}\nS = "Quyết định 766/QĐ-TTg"\n'),
    ("data_sources/sensors/client.py", '"""Client."""\nimport httpx\nfrom urllib.parse import urlsplit\n'),
    ("app.py", '"""App."""\ndef f():\n    """Doc."""\n    import weasyprint  # heavy, rarely used\n'),
    ("store/migrations/versions/1.py", '"""First tables."""\ndef f():\n' + "    x = 1\n" * 500),
)
RULES = tuple(dict.fromkeys(offence[0] for offence in OFFENCES))


@pytest.fixture(scope="module")
def repository() -> Tree:
    return read_tree(ROOT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(repository: Tree, rule: Rule) -> None:
    faults = rule(repository)
    assert not faults, f"{rule.__doc__}\n" + "\n".join(faults)


@pytest.mark.parametrize(("rule", "path", "source", "fault"), OFFENCES)
def test_a_broken_rule_is_found(repository: Tree, rule: Rule, path: str, source: str, fault: str) -> None:
    assert rule(Tree((Module(path, source),), repository.floors, repository.declared)) == [fault]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule is not undeclared_packages])
def test_good_code_is_let_pass(repository: Tree, rule: Rule) -> None:
    modules = tuple(Module(path, source) for path, source in INNOCENT)
    assert rule(Tree(modules, repository.floors, repository.declared)) == []


def test_a_made_up_repository_is_read_from_disk(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "architecture.md").write_text(
        "# A\n```floors\n1 store/ | auth.py\n0 config.py\n```\n"
    )
    (tmp_path / "config.py").write_text("import auth\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "x.py").write_text("import store\n")
    (tmp_path / "requirements.txt").write_text("# run\ndash[fastapi]>=4\n")
    tree = read_tree(tmp_path)
    assert tree.floors == {"store/": 1, "auth.py": 1, "config.py": 0}
    assert tree.declared == {"dash"}
    assert imports_up(tree) == ["config.py:1 (floor 0) imports auth.py (1)"]


def test_without_the_floors_block_the_message_says_so(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=r"architecture\.md is missing"):
        read_floors(tmp_path / "architecture.md")
    (tmp_path / "architecture.md").write_text("no floors\n")
    with pytest.raises(AssertionError, match="no block fenced as ```floors"):
        read_floors(tmp_path / "architecture.md")


def test_the_repository_has_files_to_check(repository: Tree) -> None:
    rooms = {module.room for module in repository.house}
    assert rooms >= {"store/", "metrics/", "data_sources/", "config/"}


def test_ruff_knows_every_room_as_ours(repository: Tree) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["isort"]
    rooms = {room.removesuffix("/").removesuffix(".py") for room in repository.floors}
    assert rooms <= set(settings["known-first-party"])
