"""Real servers for tests: PostgreSQL in a temporary folder, an ASGI app in a thread, `cli.py` as a process.

Not fixtures, so that those of any scope, and benchmarks, can use them. Nothing here is a stand-in.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from api.wire import server_config

ROOT = Path(__file__).resolve().parent.parent

POSTGRES_SETTINGS = (
    "fsync=off",  # the folder is thrown away: speed over survival
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=100",
    "timezone=Asia/Ho_Chi_Minh",  # not UTC: a statement that leans on the session's zone shows itself
)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- PostgreSQL -------------------------------------------------------------------------------------------


def postgres_bin() -> Path:
    """The folder of the newest real PostgreSQL (15 or later) of this machine.

    Raises FileNotFoundError naming the Debian package. Debian's own folders come before PATH, where a wrapper
    may sit.
    """
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda found: int(found.parts[-3]))
    if debian:
        return debian[-1].parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    raise FileNotFoundError("PostgreSQL server not found: apt-get install postgresql-15 (make test does it)")


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Who PostgreSQL runs as: None = ourselves; as root another user, because initdb refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("running as root and neither user postgres nor nobody exists to run PostgreSQL as")


def _run_as(user: pwd.struct_passwd | None, *command: str | Path) -> None:
    """Run to the end as `user`; RuntimeError with all the output when it fails."""
    identity: dict[str, Any] = {}
    if user is not None:
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    # Output goes to a file: the server inherits the descriptors, a pipe would never reach its end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [str(part) for part in command], stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, check=False, timeout=120, **identity,
        )
        output.seek(0)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed ({done.returncode}):\n{output.read().decode()}")


@dataclass(frozen=True)
class PostgresServer:
    """A running server; `url(database)` is a SQLAlchemy URL, `log` the file PostgreSQL writes."""

    port: int
    password: str = field(repr=False)
    log: Path
    bin: Path

    def url(self, database: str = "postgres") -> str:
        """SQLAlchemy URL (psycopg 3) of one of its databases."""
        return f"postgresql+psycopg://postgres:{self.password}@127.0.0.1:{self.port}/{database}"


@contextmanager
def postgres_server(bin_dir: Path | None = None) -> Iterator[PostgresServer]:
    """A new PostgreSQL on a free loopback port, stopped and deleted at the end; about 2 s to start."""
    binaries = bin_dir or postgres_bin()
    user = _unprivileged_user()
    # Not under pytest's tmp_path: those folders are closed to the other user.
    home = Path(tempfile.mkdtemp(prefix="toancanh-pg-"))
    try:
        password = secrets.token_hex(16)
        (home / "password").write_text(password)
        if user is not None:
            for path in (home, home / "password"):
                os.chown(path, user.pw_uid, user.pw_gid)
        _run_as(
            user, binaries / "initdb", "-D", home / "data", "-U", "postgres", "--auth=password",
            f"--pwfile={home / 'password'}", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        )
        port = _start_postgres(user, binaries, home)
        try:
            yield PostgresServer(port, password, home / "log", binaries)
        finally:
            _run_as(user, binaries / "pg_ctl", "-D", home / "data", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _start_postgres(user: pwd.struct_passwd | None, binaries: Path, home: Path, tries: int = 3) -> int:
    """Start on a free port; another test run may take the port in between, so a few tries."""
    settings = " ".join(f"-c {setting}" for setting in POSTGRES_SETTINGS)
    for attempt in range(1, tries + 1):
        port = free_port()
        options = f"-h 127.0.0.1 -p {port} -k '' {settings}"
        try:
            _run_as(
                user, binaries / "pg_ctl", "-D", home / "data", "-l", home / "log", "-w", "-t", "60",
                "-o", options, "start",
            )
            return port
        except RuntimeError as fault:
            log = (home / "log").read_text() if (home / "log").exists() else ""
            if attempt == tries or "could not bind" not in log:
                raise RuntimeError(f"{fault}\n{log}") from fault
    raise AssertionError("unreachable")


# --- an ASGI app in a thread --------------------------------------------------------------------------------


class _Announcing(uvicorn.Server):
    """uvicorn that sets an event when it accepts connections, so that nobody polls for it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()


class LiveServer:
    """An ASGI app served by uvicorn in a thread of this process.

    `url` has no trailing slash. `stop()` and `start()` may be called again and again on the same port.
    """

    def __init__(self, app: Any, port: int = 0) -> None:
        self.app = app
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: _Announcing | None = None
        self._thread: threading.Thread | None = None

    def start(self, timeout: float = 30) -> LiveServer:
        """Serve; returns when connections are accepted. RuntimeError when the app does not start."""
        config = server_config(self.app, "127.0.0.1", self.port, timeout_graceful_shutdown=1)
        server = _Announcing(config)
        thread = threading.Thread(target=server.run, name=f"live-server-{self.port}", daemon=True)
        thread.start()
        deadline = time.monotonic() + timeout
        while not server.accepting.wait(0.05):
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError(f"the app did not start on port {self.port} within {timeout:.0f} s")
        self._server, self._thread = server, thread
        return self

    def stop(self, timeout: float = 10) -> None:
        """Close all connections (push streams too) and wait for the thread."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(timeout)
        assert not self._thread.is_alive(), f"the server on port {self.port} does not stop"
        self._server = self._thread = None


@contextmanager
def serve_asgi(app: Any, port: int = 0) -> Iterator[LiveServer]:
    """The app on a free loopback port for the length of the block."""
    server = LiveServer(app, port).start()
    try:
        yield server
    finally:
        server.stop()


# --- cli.py as a process ------------------------------------------------------------------------------------


class Spawned:
    """A child process in its own process group, its output (both streams) collected line by line."""

    def __init__(self, command: tuple[str, ...], *, env: Mapping[str, str], port: int | None) -> None:
        self.command, self.port = command, port
        self.url = f"http://127.0.0.1:{port}" if port else ""
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "PYTHONUNBUFFERED": "1", **env}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )
        self._reader = threading.Thread(target=self._collect, daemon=True)
        self._reader.start()

    def _collect(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self.lines.append(line.rstrip("\n"))

    @property
    def logs(self) -> str:
        """Everything printed so far."""
        return "\n".join(self.lines)

    @property
    def is_writing(self) -> bool:
        """Does any process of the group still hold the output open?"""
        return self._reader.is_alive()

    def wait_until(self, is_so: Callable[[], bool], what: str, timeout: float) -> None:
        """Poll `is_so` every 50 ms; TimeoutError, or RuntimeError when the process ended, with the logs."""
        deadline = time.monotonic() + timeout
        while not is_so():
            if self.process.poll() is not None:
                self._reader.join(2)
                code = self.process.returncode
                raise RuntimeError(f"{self.command} ended with {code} before {what}:\n{self.logs}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.command}: {what} not within {timeout:.0f} s:\n{self.logs}")
            time.sleep(0.05)

    def wait_ready(self, timeout: float = 90) -> None:
        """Return when GET /readyz answers 200."""
        self.wait_until(self._is_ready, "/readyz answers 200", timeout)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def wait(self, timeout: float = 60) -> int:
        """Wait for the end; the exit code."""
        code = self.process.wait(timeout)
        self._reader.join(5)
        return code

    def kill(self, sig: int = signal.SIGKILL) -> int:
        """Send `sig` to the process and all its children, wait for the end; the exit code."""
        self._signal_group(sig)
        return self.wait(20)

    def close(self) -> None:
        """End it politely, then by force. Harmless when it is gone."""
        self._signal_group(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self._signal_group(signal.SIGKILL)  # also children that outlived their parent
        self.process.wait(10)
        self._reader.join(5)

    def _signal_group(self, sig: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, sig)


def spawn_cli(
    *args: str, serves: bool = True, timeout: float = 90, env: Mapping[str, str] | None = None
) -> Spawned:
    """Start `cli.py *args`. With `serves`, add `--port <free port>` and wait for /readyz.

    The caller closes it. `env` is added to ours.
    """
    port = free_port() if serves else None
    tail = ("--port", str(port)) if serves else ()
    child = Spawned((sys.executable, "cli.py", *args, *tail), env=env or {}, port=port)
    if serves:
        try:
            child.wait_ready(timeout)
        except BaseException:
            child.close()
            raise
    return child


def restart(server: PostgresServer, command: str) -> None:
    """Stop or start a PostgreSQL of our own on its old port."""
    home = server.log.parent
    options = ["-o", f"-h 127.0.0.1 -p {server.port} -k ''", "-l", str(server.log)] if command == "start" else ["-m", "fast"]
    _run_as(_unprivileged_user(), server.bin / "pg_ctl", "-D", home / "data", "-w", *options, command)
