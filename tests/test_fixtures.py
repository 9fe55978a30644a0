"""The fixtures themselves: each gives the real thing, and fails when the thing is broken."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.routing import Route

from tests import servers
from tests.conftest import Pages

GREETING = "<!doctype html><link rel=icon href='data:,'><h1 style='color:#123456'>Toàn Cảnh</h1>"


def _html(text: str) -> Starlette:
    async def answer(_: Request) -> HTMLResponse:
        return HTMLResponse(text)

    return Starlette(routes=[Route("/", answer)])


@pytest.mark.parametrize("turn", [1, 2])
def test_engine_url_is_a_store_of_this_test_alone(engine_url: str, turn: int) -> None:
    engine = sqlalchemy.create_engine(engine_url)
    with engine.begin() as connection:
        assert "core_dossier" in (names := sqlalchemy.inspect(connection).get_table_names())
        assert not any(connection.execute(sqlalchemy.text(f"SELECT 1 FROM {name}")).first() for name in names if name.startswith("core_"))
        connection.execute(sqlalchemy.text("INSERT INTO core_domain (code, name) VALUES ('a', 'left behind')"))
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_make_database_gives_an_empty_one(make_database: Callable[..., str], kind: str) -> None:
    engine = sqlalchemy.create_engine(make_database(kind))
    with engine.connect() as connection:
        assert sqlalchemy.inspect(connection).get_table_names() == []
    engine.dispose()


def test_postgres_is_a_real_server_of_version_15_or_later(postgres_url: str) -> None:
    engine = sqlalchemy.create_engine(postgres_url)
    with engine.connect() as connection:
        version = connection.execute(sqlalchemy.text("select version()")).scalar_one()
    engine.dispose()
    assert version.startswith("PostgreSQL ")
    assert int(version.split()[1].split(".")[0]) >= 15


def test_postgres_refuses_a_wrong_password(postgres: servers.PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"host=127.0.0.1 port={postgres.port} user=postgres password=no")


def test_a_broken_postgres_fails_with_its_output() -> None:
    with tempfile.TemporaryDirectory() as folder:  # not tmp_path: the user PostgreSQL runs as must reach it
        Path(folder).chmod(0o755)
        (Path(folder) / "initdb").write_text("#!/bin/sh\necho no space left on device >&2\nexit 1\n")
        (Path(folder) / "initdb").chmod(0o755)
        with pytest.raises(RuntimeError, match="no space left"), servers.postgres_server(Path(folder)):
            pass


@pytest.mark.parametrize("kind", ("sqlite", "postgresql"))
def test_a_copy_of_a_database_has_its_rows(make_database: Callable[..., str], kind: str) -> None:
    first = make_database(kind)
    engine = sqlalchemy.create_engine(first)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE seen AS SELECT 7 AS n"))
    engine.dispose()
    copy = sqlalchemy.create_engine(make_database(kind, template=first))
    with copy.connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT n FROM seen")).scalar_one() == 7
    copy.dispose()


def test_live_server_stops_under_an_open_stream_and_returns_on_its_port(live_server: Any) -> None:
    async def endless(_: Request) -> StreamingResponse:
        async def events() -> AsyncIterator[str]:
            yield "data: 1\n\n"
            await _never()

        return StreamingResponse(events(), media_type="text/event-stream")

    server = live_server(Starlette(routes=[Route("/", endless)]))
    with httpx.stream("GET", server.url) as answer:
        assert next(answer.iter_lines()) == "data: 1"
        server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)
    server.start()
    with httpx.stream("GET", server.url) as answer:
        assert answer.status_code == 200


async def _never() -> None:
    await asyncio.Event().wait()


PARENT_AND_CHILD = """
import subprocess, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
child = subprocess.Popen([sys.executable, "-c", "import time; print('child up', flush=True); time.sleep(600)"])
print("child", child.pid, flush=True)
HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""


def test_a_killed_process_takes_its_children_along() -> None:
    port = servers.free_port()
    parent = servers.Spawned((sys.executable, "-c", PARENT_AND_CHILD, str(port)), env={}, port=port)
    try:
        parent.wait_ready(30)
        parent.wait_until(lambda: "child up" in parent.logs, "the child speaks", 30)
        assert parent.kill() == -signal.SIGKILL
        # The reader ends only when every holder of the output is gone.
        assert not parent.is_writing
    finally:
        parent.close()


def test_a_process_that_ends_before_it_is_ready_shows_its_output(spawn: Any) -> None:
    with pytest.raises(RuntimeError, match="before /readyz answers 200"):
        spawn("no-such-command", timeout=60)


def test_chromium_renders_a_local_page(page: Pages, live_server: Any) -> None:
    opened = page((800, 600))
    opened.goto(live_server(_html(GREETING)).url)
    assert opened.locator("h1").inner_text() == "Toàn Cảnh"
    assert opened.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(18, 52, 86)"
    assert opened.evaluate("[innerWidth, innerHeight, navigator.language]") == [800, 600, "vi-VN"]
    assert opened.evaluate("new Date().getTimezoneOffset()") == -7 * 60


@pytest.mark.parametrize(
    ("script", "event", "fault"),
    (
        ("console.error('broken widget')", "console", "console error: broken widget"),
        ("setTimeout(() => { throw new Error('boom') })", "pageerror", "page error: boom"),
        ("fetch('http://198.51.100.1/x').catch(() => 0)", "request", "outside request: http://198.51.100.1/x"),
    ),
)
def test_page_notes_every_kind_of_fault(
    page: Pages, live_server: Any, script: str, event: str, fault: str
) -> None:
    opened = page()
    opened.goto(live_server(_html(GREETING)).url)
    with opened.expect_event(event):
        opened.add_script_tag(content=script)
    noted = page.faults.copy()
    page.close()  # what follows the fault is not waited for
    page.faults.clear()
    assert [kept for kept in noted if kept.startswith(fault)], noted


def test_an_allowed_fault_is_not_noted(page: Pages, live_server: Any) -> None:
    opened = page(allow=("broken widget",))
    opened.goto(live_server(_html(GREETING)).url)
    with opened.expect_event("console"):
        opened.evaluate("console.error('broken widget')")
    assert page.faults == []


def test_a_noted_fault_fails_the_test(pytester: pytest.Pytester) -> None:
    """A run of pytest on a test that passes but for what its page says."""
    pytester.makeconftest("from tests.conftest import *  # noqa: F403")
    pytester.makepyfile("def test_page(page):\n    page().evaluate('console.error(\"broken widget\")')\n")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-o", f"pythonpath={servers.ROOT}")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the page complained:*", "*console error: broken widget*"])
