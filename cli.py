"""The commands. Each calls one function; nothing is decided here."""

from __future__ import annotations

import json
import os
import signal
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from api.wire import server_config
from app import make_app
from auth.addresses import is_address, is_loopback
from commands.brief import brief_cli
from commands.people import people_cli
from commands.processes import Children, stop_with_parent
from commands.risk import risk_cli
from commands.terminal import City, LogForm, Shift, StoreUrl, get_ready, is_demo, operator, settle, start_log, stop
from commands.upkeep import upkeep_cli
from config import Config, ConfigError, city_path, read_environment
from data_sources.demo.run import fill_meetings, free_port, run_demo
from data_sources.feed import FeedError
from data_sources.preview import mapping_faults, preview_feed
from data_sources.quarantine import resend
from data_sources.sync import Sync
from metrics.judging import judge, judge_anew
from metrics.kpis import setting_faults
from metrics.rollups import drain, rebuild
from pipeline import Ingest, refresh, utc_now
from store.audit import Entry, record
from store.days import instant
from store.engine import Store
from store.people import has_admin
from text import t
from upkeep.upgrade import watch_schema

ROOT = Path(__file__).resolve().parent
EVERY_ADDRESS = ("0.0.0.0", "::")

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Live operations picture of a province.")
cli.add_typer(brief_cli)
cli.add_typer(people_cli)
cli.add_typer(risk_cli)
cli.add_typer(upkeep_cli)

Port = Annotated[int, typer.Option("--port", help="Port of the web server.")]
Host = Annotated[str, typer.Option("--host", help="Address of the web server; others than loopback need users.")]
Parent = Annotated[int, typer.Option("--parent", hidden=True)]


@cli.command()
def run(
    city: City = None, port: Port = 8050, host: Host = "127.0.0.1", store: StoreUrl = "", shift_to_now: Shift = False, log: LogForm = "",
) -> None:
    """Everything on this machine: web and ingest; without a city file also the demo province."""
    start_log(log)
    has_demo = city is None and city_path(read_environment()) is None
    if has_demo:
        os.environ.setdefault("TOANCANH_DEMO_URL", f"http://127.0.0.1:{free_port()}")  # the children read it too
    config, opened = settle(city, store, shift_to_now)
    get_ready(opened, config, "run", may_upgrade=is_demo(city or city_path(read_environment())))
    _require_admin_beyond(host, port, opened)
    if has_demo:
        fill_meetings(opened, ROOT / "var", utc_now())
    common = _common(city, store, shift_to_now)
    children = Children(ROOT / "cli.py")
    children.start("ingest", *common)
    if has_demo:
        children.start("demo", "--push", f"http://{'127.0.0.1' if host in EVERY_ADDRESS else host}:{port}", *common)
    typer.echo(f"{t('app.name', 'en')}: http://{host}:{port}/ (desk), http://{host}:{port}/wall (wall). Ctrl-C stops.")
    try:
        _serve(config, opened, host, port)
    finally:
        children.stop()


@cli.command()
def serve(
    city: City = None, port: Port = 8050, host: Host = "127.0.0.1", store: StoreUrl = "", shift_to_now: Shift = False, log: LogForm = "",
) -> None:
    """The web server alone; several may share one PostgreSQL store."""
    start_log(log)
    config, opened = settle(city, store, shift_to_now)
    get_ready(opened, config, "serve")
    _require_admin_beyond(host, port, opened)
    _serve(config, opened, host, port)


@cli.command()
def ingest(city: City = None, store: StoreUrl = "", shift_to_now: Shift = False, parent: Parent = 0, log: LogForm = "") -> None:
    """Read feeds on their schedules, step the clock, fold; until stopped."""
    config, opened = settle(city, store, shift_to_now)
    start_log(log)
    get_ready(opened, config, "ingest")
    work = Ingest(opened, config)
    moved: list[str] = []
    _stop_on_signals(work.stop)
    stop_with_parent(parent, work.stop)
    watch_schema(opened, lambda why: (moved.append(why), work.stop.set()), stop=work.stop)
    work.run()
    opened.dispose()
    if moved:
        raise typer.Exit(2)


@cli.command()
def demo(push: str = "", city: City = None, store: StoreUrl = "", shift_to_now: Shift = False, parent: Parent = 0) -> None:
    """The demo province's own systems: local Open311 and SensorThings servers, and dossiers pushed to --push URL."""
    config, opened = settle(city, store, shift_to_now)
    start_log()
    stop = threading.Event()
    _stop_on_signals(stop)
    stop_with_parent(parent, stop)
    run_demo(config, opened, push, ROOT / "var", stop, utc_now, typer.echo)
    opened.dispose()


@cli.command()
def sync(feed: Annotated[str, typer.Argument()] = "", city: City = None, store: StoreUrl = "", shift_to_now: Shift = False) -> None:
    """Read one feed, or all pulled feeds, once; then fold."""
    config, opened = settle(city, store, shift_to_now)
    get_ready(opened, config, "sync")
    chosen = replace(config, feeds=(config.feed(feed),)) if feed else config
    faults = refresh(opened, chosen, utc_now(), lambda key, total: typer.echo(f"{key}: {total.landed} landed, {total.changed} changed"))
    for fault in faults:
        typer.echo(fault, err=True)
    raise typer.Exit(1 if faults else 0)


@cli.command()
def fold(city: City = None, store: StoreUrl = "") -> None:
    """Judge what has landed and work off the dirty log."""
    config, opened = settle(city, store)
    get_ready(opened, config, "fold")
    judge(opened, config)
    typer.echo(f"{drain(opened, instant(utc_now()))} log rows folded")


@cli.command(name="rebuild")
def rebuild_command(city: City = None, store: StoreUrl = "") -> None:
    """Judge every dossier and compute every roll-up anew from the core rows."""
    config, opened = settle(city, store)
    get_ready(opened, config, "rebuild")
    typer.echo(f"{judge_anew(opened, config)} dossiers judged")
    typer.echo(f"{rebuild(opened, instant(utc_now()))} cells recomputed")


@cli.command()
def check(city: Annotated[Path, typer.Argument(help="City file")]) -> None:
    """Check a city file: every fault at once, or the feeds it names."""
    config, opened = settle(city)
    opened.dispose()
    faults = [*setting_faults(config), *(fault for feed in config.feeds for fault in mapping_faults(feed, utc_now()))]
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
    get_ready(opened, config, "import")
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
    get_ready(opened, config, "resend")
    audited = partial(Entry, actor=operator(), action="reject.resend", kind="feed", subject=feed)
    record(opened, audited(instant(utc_now()), detail={"reason": reason}))  # before: nothing is sent again that the trail does not tell of
    try:
        total = resend(
            Sync(opened, config), config.feed(feed), utc_now(), reason,
            lambda so_far: typer.echo(f"{so_far.looked_at} looked at, {so_far.landed} landed"),
        )
    except (FeedError, ConfigError, KeyError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    drain(opened, instant(utc_now()))
    counts = {"tried": total.looked_at, "landed": total.landed, "failed": total.failed}
    record(opened, audited(instant(utc_now()), detail={"reason": reason, **counts}))
    typer.echo(f"{total.landed} rejects resolved, {total.failed} failed again, {total.unsendable} wait for the source to send them")


def _common(city: Path | None, store: str, shift: bool) -> list[str]:
    given = ["--parent", str(os.getpid())]
    return given + (["--city", str(city)] if city else []) + (["--store", store] if store else []) + (["--shift-to-now"] if shift else [])


def _serve(config: Config, store: Store, host: str, port: int) -> None:
    if not config.web.public_url and not is_address(host):  # the name it is served under is its name
        config = replace(config, web=replace(config.web, public_url=f"http://{host}"))
    application = make_app(config, store, now=utc_now).server
    server = _Server(
        # no log_config: its lines go where ours go
        server_config(application, host, port, timeout_graceful_shutdown=2, log_config=None)
    )
    watch_schema(store, server.leave)
    server.run()
    if server.why:
        raise typer.Exit(2)


class _Server(uvicorn.Server):
    """Closes the push streams first, so that open walls do not hold up the end. It ends by itself once `why` says so."""

    why = ""

    def leave(self, why: str) -> None:
        """Stop, from any thread."""
        self.why, self.should_exit = why, True
        self._close_streams()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._close_streams()
        super().handle_exit(sig, frame)

    def _close_streams(self) -> None:
        self.config.app.state.api.hub.close()  # type: ignore[union-attr]


def _require_admin_beyond(host: str, port: int, store: Store) -> None:
    """End the program when others can reach the address and nobody could let them in."""
    if host == "localhost" or is_loopback(host) or has_admin(store):
        return
    raise stop(
        f"{host} can be reached by others, and there is no administrator yet. Make one first: python cli.py user add NAME --role admin "
        f"(with the same --city and --store), or start with --host 127.0.0.1 and open http://127.0.0.1:{port}/first-run on this machine."
    )


def _stop_on_signals(stop: threading.Event) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())


if __name__ == "__main__":
    cli()
