"""Fixtures shared by all tests: real databases, a real browser, real servers, the real data sets."""

from __future__ import annotations

import gc
import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import hypothesis
import psycopg
import pytest
from argon2 import PasswordHasher
from httpx._transports import default
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from auth import passwords
from store.engine import open_store
from store.migrate import migrate
from tests import servers
from tests.forks import Forks

pytest_plugins = ("pytester",)

# Two shared cores: a deadline per example would measure the machine, not the code.
hypothesis.settings.register_profile("toancanh", deadline=None, print_blob=True)
hypothesis.settings.load_profile("toancanh")

CHROMIUM_ARGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)


@pytest.fixture(scope="session", autouse=True)
def light_hashes() -> Iterator[None]:
    """Passwords are hashed by real argon2id, but lightly: 64 MiB a sign-in are an attacker's hardship, not the tests'."""
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: hasher)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_tls_context() -> Iterator[None]:
    """httpx reads all the certificates of the world for each client, 21 CPU ms; ours ask loopback, and one reading does for all."""
    make = cache(default.create_ssl_context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(default, "create_ssl_context", make)
        yield


def pytest_collection_finish() -> None:
    """What is imported by now stays: the collector need not look through it all the time (three files: 51 CPU s -> 43)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests run last: Playwright's loop stays in the main thread, where asyncio.run() then fails."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


# --- databases --------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres() -> Iterator[servers.PostgresServer]:
    """The PostgreSQL server of this test run (one per xdist worker)."""
    with servers.postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres: servers.PostgresServer) -> str:
    """URL of its maintenance database; tests that write want `postgres_database`."""
    return postgres.url()


@pytest.fixture(scope="session")
def make_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., str]:
    """make_database(kind, template=None) -> URL of a new database; kind is "sqlite" or "postgresql".

    Of session scope, so that module fixtures and property tests can use it too. `template` (the URL of an
    earlier one to which nobody is connected) makes a copy: fill once, copy for each test.
    """
    numbers = itertools.count(1)

    def make(kind: str, template: str | None = None) -> str:
        name = f"t{next(numbers)}"
        if kind == "sqlite":
            path = tmp_path_factory.mktemp("sqlite") / f"{name}.sqlite"
            if template:
                shutil.copyfile(template.removeprefix("sqlite:///"), path)
            return f"sqlite:///{path}"
        assert kind == "postgresql", f"no such database kind: {kind}"
        server: servers.PostgresServer = request.getfixturevalue("postgres")
        source = template.rsplit("/", 1)[1] if template else "template1"
        with _maintenance(server) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"'.encode())
        return server.url(name)

    return make


def _maintenance(server: servers.PostgresServer) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host="127.0.0.1", port=server.port, user="postgres", password=server.password, dbname="postgres",
        autocommit=True,
    )


@pytest.fixture(scope="session")
def migrated(make_database: Callable[..., str]) -> Callable[[str], str]:
    """migrated(kind) -> URL of a store with the whole schema and no row: a template to be copied. The migrations run once."""
    made: dict[str, str] = {}

    def give(kind: str) -> str:
        if kind not in made:
            url = make_database(kind)
            store = open_store(url, ZoneInfo("Asia/Ho_Chi_Minh"))
            migrate(store)
            store.dispose()
            made[kind] = url
        return made[kind]

    return give


@pytest.fixture
def sqlite_database(make_database: Callable[..., str], migrated: Callable[[str], str]) -> str:
    """URL of a SQLite store of this test alone, without a row. `make_database` gives one without a schema too."""
    return make_database("sqlite", migrated("sqlite"))


@pytest.fixture
def postgres_database(
    make_database: Callable[..., str], migrated: Callable[[str], str], postgres: servers.PostgresServer
) -> Iterator[str]:
    """URL of a PostgreSQL store of this test alone, without a row, dropped afterwards."""
    url = make_database("postgresql", migrated("postgresql"))
    yield url
    with _maintenance(postgres) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{url.rsplit("/", 1)[1]}" WITH (FORCE)'.encode())


@pytest.fixture(params=("sqlite", "postgresql"))
def engine_url(request: pytest.FixtureRequest) -> str:
    """URL of a store without a row; the test runs once on each engine."""
    fixture = {"sqlite": "sqlite_database", "postgresql": "postgres_database"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


# --- servers ----------------------------------------------------------------------------------------------


@pytest.fixture
def live_server() -> Iterator[Callable[..., servers.LiveServer]]:
    """live_server(app, port=0) -> LiveServer(url, stop(), start()); all are stopped after the test."""
    running: list[servers.LiveServer] = []

    def serve(app: Any, port: int = 0) -> servers.LiveServer:
        running.append(servers.LiveServer(app, port).start())
        return running[-1]

    yield serve
    for server in running:
        server.stop()


@pytest.fixture
def spawn() -> Iterator[Callable[..., servers.Spawned]]:
    """spawn(*cli_args, serves=True, timeout=90, env=None) -> Spawned(url, logs, kill(), wait()).

    Runs `cli.py`; with `serves` it gets `--port` and /readyz is awaited. Killed with its children afterwards.
    """
    children: list[servers.Spawned] = []

    def start(
        *args: str, serves: bool = True, timeout: float = 90, env: Mapping[str, str] | None = None
    ) -> servers.Spawned:
        children.append(servers.spawn_cli(*args, serves=serves, timeout=timeout, env=env))
        return children[-1]

    yield start
    for child in children:
        child.close()


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Forks of a process that has imported everything: jobs to be killed."""
    started = Forks()
    yield started
    started.close()


# --- browser ----------------------------------------------------------------------------------------------


def chromium_path() -> str:
    """The installed Chromium (its headless shell first: pages open in a third of the time) or Chrome.

    FileNotFoundError names the Debian package.
    """
    for name in ("chromium-headless-shell", "/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise FileNotFoundError("Chromium not found: apt-get install chromium-headless-shell (make test does it)")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the run."""
    expect.set_options(timeout=30_000)  # what is waited for on a busy machine; a test that passes does not wait for it
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_ARGS))
        yield chromium
        chromium.close()


class Pages:
    """Opens pages; `faults` keeps what went wrong on them: console errors, exceptions, outside requests."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[Any] = []
        self.faults: list[str] = []

    def __call__(
        self, viewport: tuple[int, int] = (1920, 1080), *, allow: tuple[str, ...] = (), **context: Any
    ) -> Page:
        """A page in a fresh context (vi-VN, Asia/Ho_Chi_Minh) of somebody who wants less motion: drawing it is a fifth of a page's CPU.

        What moves is asked with reduced_motion="no-preference".
        `allow` holds regular expressions of console errors that belong to the test, for example
        `r"ERR_CONNECTION_REFUSED"` while a server is away. `context` goes to Browser.new_context.
        """
        width, height = viewport
        opened = self._browser.new_context(
            viewport={"width": width, "height": height}, locale="vi-VN", timezone_id="Asia/Ho_Chi_Minh",
            **{"reduced_motion": "reduce", **context},
        )
        self._contexts.append(opened)
        page = opened.new_page()

        def note(kind: str, text: str) -> None:
            if not any(re.search(pattern, text) for pattern in allow):
                self.faults.append(f"{kind}: {text}")

        def on_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                note("console error", f"{message.text} ({message.location.get('url', '')})")

        def on_request(request: Request) -> None:
            if urlsplit(request.url).hostname not in ("127.0.0.1", None):  # None: data:, blob:, about:
                note("outside request", request.url)

        page.on("console", on_console)
        page.on("pageerror", lambda error: note("page error", str(error)))
        opened.on("request", on_request)
        return page

    def close(self) -> None:
        """Close all contexts; later messages are not of interest."""
        while self._contexts:
            self._contexts.pop().close()


@pytest.fixture
def page(browser: Browser, live_server: object, spawn: object) -> Iterator[Pages]:
    """page(viewport=(1920, 1080), *, allow=(), **context) -> Playwright Page.

    Asks for the servers' fixtures so that its pages close before any server stops. The test fails at its end on
    any console error, uncaught exception or request to a host other than 127.0.0.1 (see Pages; `page.faults`
    shows them earlier).
    """
    pages = Pages(browser)
    yield pages
    pages.close()
    if pages.faults:
        pytest.fail("the page complained:\n" + "\n".join(pages.faults), pytrace=False)


# --- real data --------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data sets: TOANCANH_REAL_DATA, else ../shared/data; skips the test without it."""
    named = os.environ.get("TOANCANH_REAL_DATA")
    folder = Path(named) if named else servers.ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real data sets not found in {folder}; set TOANCANH_REAL_DATA")
    return folder
