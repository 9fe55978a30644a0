"""The commands. Each calls one function; nothing is decided here."""

from __future__ import annotations

import json
import logging
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from app import make_app
from auth import make_feed_key
from config import Config, ConfigError, load_config, read_environment
from data_sources.demo.run import demo_environment, free_port, run_demo
from data_sources.feed import FeedError
from data_sources.preview import mapping_faults, preview_feed
from data_sources.quarantine import resend
from data_sources.sync import Sync
from metrics.rollups import drain, rebuild
from pipeline import Ingest, prepare, refresh, utc_now
from processes import Children, stop_with_parent
from store.days import instant
from store.engine import Store, open_store
from store.keys import add_key
from text import t

ROOT = Path(__file__).resolve().parent
DEMO_CITY = ROOT / "examples" / "demo" / "city.toml"
DEMO_PORT = 8990
LOOPBACK = ("127.0.0.1", "::1", "localhost")

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Live operations picture of a province.")
key_cli = typer.Typer(no_args_is_help=True, help="Keys that feeds push with.")
cli.add_typer(key_cli, name="key")

City = Annotated[Path | None, typer.Option("--city", help="City file (TOML). Without it: the demo province.")]
StoreUrl = Annotated[str, typer.Option("--store", help="Database URL; default: a SQLite file under var/.")]
Shift = Annotated[bool, typer.Option("--shift-to-now", help="Move dates by whole weeks so that the data end now; screens say so.")]
Port = Annotated[int, typer.Option("--port", help="Port of the web server.")]
Host = Annotated[str, typer.Option("--host", help="Address of the web server; others than loopback need users.")]
Parent = Annotated[int, typer.Option("--parent", hidden=True)]


def settle(city: Path | None, store_url: str = "", shift: bool = False) -> tuple[Config, Store]:
    """The configuration and an open store; ends the program with every fault of the city file listed."""
    environ = read_environment()
    path = city or (Path(environ["TOANCANH_CITY"]) if environ.get("TOANCANH_CITY") else None)
    is_demo = path is None or path.resolve() == DEMO_CITY
    try:
        config = load_config(path or DEMO_CITY, {**demo_environment(ROOT / "var", utc_now(), DEMO_PORT), **environ} if is_demo else environ)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    config = replace(config, shift_to_now=shift or config.shift_to_now)
    return config, open_store(store_url or config.store_url or _default_store(path or DEMO_CITY, config), config.tz)


def _default_store(path: Path, config: Config) -> str:
    folder = ROOT / "var" / (path.resolve().parent.name + ("-shifted" if config.shift_to_now else ""))
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'store.sqlite'}"


@cli.command()
def run(city: City = None, port: Port = 8050, host: Host = "127.0.0.1", store: StoreUrl = "", shift_to_now: Shift = False) -> None:
    """Everything on this machine: web and ingest; without a city file also the demo province."""
    _require_loopback(host)
    _log()
    is_demo = city is None and not read_environment().get("TOANCANH_CITY")
    if is_demo:
        os.environ.setdefault("TOANCANH_DEMO_URL", f"http://127.0.0.1:{free_port()}")  # the children read it too
    config, opened = settle(city, store, shift_to_now)
    prepare(opened, config)
    common = _common(city, store, shift_to_now)
    children = Children(ROOT / "cli.py")
    children.start("ingest", *common)
    if is_demo:
        children.start("demo", "--push", f"http://127.0.0.1:{port}", *common)
    typer.echo(f"{t('app.name', 'en')}: http://{host}:{port}/ (desk), http://{host}:{port}/wall (wall). Ctrl-C stops.")
    try:
        _serve(config, opened, host, port)
    finally:
        children.stop()


@cli.command()
def serve(city: City = None, port: Port = 8050, host: Host = "127.0.0.1", store: StoreUrl = "", shift_to_now: Shift = False) -> None:
    """The web server alone; several may share one PostgreSQL store."""
    _require_loopback(host)
    _log()
    config, opened = settle(city, store, shift_to_now)
    prepare(opened, config)
    _serve(config, opened, host, port)


@cli.command()
def ingest(city: City = None, store: StoreUrl = "", shift_to_now: Shift = False, parent: Parent = 0) -> None:
    """Read feeds on their schedules, step the clock, fold; until stopped."""
    config, opened = settle(city, store, shift_to_now)
    _log()
    prepare(opened, config)
    work = Ingest(opened, config)
    _stop_on_signals(work.stop)
    stop_with_parent(parent, work.stop)
    work.run()
    opened.dispose()


@cli.command()
def demo(push: str = "", city: City = None, store: StoreUrl = "", shift_to_now: Shift = False, parent: Parent = 0) -> None:
    """The demo province's own systems: local Open311 and SensorThings servers, and dossiers pushed to --push URL."""
    config, opened = settle(city, store, shift_to_now)
    opened.dispose()
    _log()
    stop = threading.Event()
    _stop_on_signals(stop)
    stop_with_parent(parent, stop)
    run_demo(config, push, ROOT / "var", stop, utc_now, typer.echo)


@cli.command()
def sync(feed: Annotated[str, typer.Argument()] = "", city: City = None, store: StoreUrl = "", shift_to_now: Shift = False) -> None:
    """Read one feed, or all pulled feeds, once; then fold."""
    config, opened = settle(city, store, shift_to_now)
    prepare(opened, config)
    chosen = replace(config, feeds=(config.feed(feed),)) if feed else config
    faults = refresh(opened, chosen, utc_now(), lambda key, total: typer.echo(f"{key}: {total.landed} landed, {total.changed} changed"))
    for fault in faults:
        typer.echo(fault, err=True)
    raise typer.Exit(1 if faults else 0)


@cli.command()
def fold(city: City = None, store: StoreUrl = "") -> None:
    """Work off the dirty log."""
    _, opened = settle(city, store)
    typer.echo(f"{drain(opened, instant(utc_now()))} log rows folded")


@cli.command(name="rebuild")
def rebuild_command(city: City = None, store: StoreUrl = "") -> None:
    """Compute every roll-up anew from the core rows."""
    _, opened = settle(city, store)
    typer.echo(f"{rebuild(opened, instant(utc_now()))} cells recomputed")


@cli.command()
def check(city: Annotated[Path, typer.Argument(help="City file")]) -> None:
    """Check a city file: every fault at once, or the feeds it names."""
    config, opened = settle(city)
    opened.dispose()
    faults = [fault for feed in config.feeds for fault in mapping_faults(feed, utc_now())]
    for feed in config.feeds:
        typer.echo(f"{feed.key}: {feed.role} by {feed.protocol}, {feed.path or feed.url or 'pushed to us'}")
    for fault in faults:
        typer.echo(fault, err=True)
    typer.echo(f"{len(faults)} faults" if faults else "the city file is sound")
    raise typer.Exit(2 if faults else 0)


@cli.command()
def preview(feed: str, city: City = None, items: int = 2000) -> None:
    """Show what a feed would bring, landing nothing."""
    config, _ = settle(city)
    try:
        found = preview_feed(config.feed(feed), utc_now(), items=items)
    except (FeedError, KeyError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    for row in found.rows:
        typer.echo(json.dumps(row, ensure_ascii=False, default=str))
    typer.echo(f"{found.items} items read: {', '.join(f'{count} {name}' for name, count in found.counts.items())}")
    for key, (count, example) in found.rejects.items():
        typer.echo(f"rejected {count} x {key} ({example})")


@cli.command(name="import")
def import_command(feed: str, file: Path, city: City = None, store: StoreUrl = "") -> None:
    """Land one file as if the feed had delivered it."""
    config, opened = settle(city, store)
    prepare(opened, config)
    once = replace(config.feed(feed), path=str(file.resolve()), url="")
    try:
        total = Sync(opened, config).pull(once, utc_now())
    except FeedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    drain(opened, instant(utc_now()))
    typer.echo(f"{total.landed} landed, {total.changed} changed, {len(total.rejects)} rejected")


@cli.command(name="resend")
def resend_command(feed: str, reason: str = "", city: City = None, store: StoreUrl = "", shift_to_now: Shift = False) -> None:
    """Send the rejects of a feed again, with the mapping as it is now; what lands is resolved."""
    config, opened = settle(city, store, shift_to_now)
    prepare(opened, config)
    try:
        total = resend(
            Sync(opened, config), config.feed(feed), utc_now(), reason,
            lambda so_far: typer.echo(f"{so_far.looked_at} looked at, {so_far.landed} landed"),
        )
    except (FeedError, ConfigError, KeyError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    drain(opened, instant(utc_now()))
    typer.echo(f"{total.landed} rejects resolved, {total.failed} failed again, {total.unsendable} wait for the source to send them")


@key_cli.command("add")
def key_add(feed: str, city: City = None, store: StoreUrl = "", label: str = "") -> None:
    """Make a key for a feed; it is shown once and stored only as a hash."""
    config, opened = settle(city, store)
    prepare(opened, config)
    key = make_feed_key()
    add_key(opened, config.feed(feed).key, key, label, instant(utc_now()))
    typer.echo(key)


def _common(city: Path | None, store: str, shift: bool) -> list[str]:
    given = ["--parent", str(os.getpid())]
    return given + (["--city", str(city)] if city else []) + (["--store", store] if store else []) + (["--shift-to-now"] if shift else [])


def _serve(config: Config, store: Store, host: str, port: int) -> None:
    _log()
    application = make_app(config, store, now=utc_now).server
    _Server(uvicorn.Config(application, host=host, port=port, log_level="warning", timeout_graceful_shutdown=2)).run()


class _Server(uvicorn.Server):
    """Closes the push streams first, so that open walls do not hold up the end."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.config.app.state.api.hub.close()  # type: ignore[union-attr]
        super().handle_exit(sig, frame)


def _require_loopback(host: str) -> None:
    if host not in LOOPBACK:
        typer.echo(
            f"{host} can be reached by others and there are no users yet: use 127.0.0.1, and put a reverse proxy with sign-in in front.",
            err=True,
        )
        raise typer.Exit(2)


def _stop_on_signals(stop: threading.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())


def _log() -> None:
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format="%(asctime)sZ %(levelname)s %(name)s %(message)s")
    for name in ("httpx", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


if __name__ == "__main__":
    cli()
