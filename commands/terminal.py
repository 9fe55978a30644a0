"""What every command begins with: the city and its store settled, logs set up, the schema ours, the store's lock shared."""

from __future__ import annotations

import atexit
import os
import pwd
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from config import Config, ConfigError, city_path, load_config, read_environment
from data_sources.demo.run import demo_environment
from pipeline import prepare, utc_now
from store.engine import Store, open_store
from store.migrate import OLDER, SchemaMismatch, schema_state
from store.serving import StoreInUse, serving
from store.watch import STORE_AWAY
from upkeep.logs import FORMS, VARIABLE, form_of, set_up
from upkeep.upgrade import upgrade

ROOT = Path(__file__).resolve().parent.parent
DEMO_CITY = ROOT / "examples" / "demo" / "city.toml"
DEMO_PORT = 8990

City = Annotated[Path | None, typer.Option("--city", help="City file (TOML). Without it: the demo province.")]
StoreUrl = Annotated[str, typer.Option("--store", help="Database URL; default: a SQLite file under var/.")]
Shift = Annotated[bool, typer.Option("--shift-to-now", help="Move dates by whole weeks so that the data end now; screens say so.")]
LogForm = Annotated[str, typer.Option("--log", help=f"Form of log lines: {' or '.join(FORMS)}; default: {VARIABLE}, else text.")]


def settle(city: Path | None, store_url: str = "", shift: bool = False) -> tuple[Config, Store]:
    """The configuration and an open store; ends the program with every fault of the city file listed."""
    environ = read_environment()
    path = city or city_path(environ)
    try:
        config = load_config(path or DEMO_CITY, {**_demo_environment(), **environ} if is_demo(path) else environ)
    except ConfigError as error:
        raise stop(str(error)) from error
    config = replace(config, shift_to_now=shift or config.shift_to_now)
    return config, open_store(store_url or config.store_url or default_store(path or DEMO_CITY, config), config.tz)


def is_demo(path: Path | None) -> bool:
    """Is this the demo's own city file, or none?"""
    return path is None or path.resolve() == DEMO_CITY


def _demo_environment() -> dict[str, str]:
    return dict(demo_environment(ROOT / "var", utc_now(), DEMO_PORT))


def default_store(path: Path, config: Config) -> str:
    """URL of the SQLite file under var/ that a city file has when it names no store."""
    folder = ROOT / "var" / (path.resolve().parent.name + ("-shifted" if config.shift_to_now else ""))
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'store.sqlite'}"


def get_ready(store: Store, config: Config, what: str, *, may_upgrade: bool = False) -> None:
    """Share the store until this process ends, its schema ours and the city's lists in it; ends the program where that cannot be.

    `may_upgrade`: bring older data along without asking (the demo).
    """
    try:
        if may_upgrade and _is_older(store):
            upgrade(store, now=utc_now(), actor=operator(), say=typer.echo)
        shared = ExitStack()
        shared.enter_context(serving(store, what))
        atexit.register(shared.close)
        prepare(store, config)
    except (SchemaMismatch, StoreInUse) as error:
        raise stop(str(error)) from error
    except STORE_AWAY as error:
        raise stop(f"the store cannot be reached: {str(getattr(error, 'orig', None) or error).splitlines()[0]}", 1) from error


def _is_older(store: Store) -> bool:
    with store.reading() as connection:
        return schema_state(connection) == OLDER


def operator() -> str:
    """Who types, for the audit trail: the system's user name."""
    try:
        return f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"cli:{os.getuid()}"


def stop(why: str, code: int = 2) -> typer.Exit:
    """Say why on stderr; raise what is returned to end the program."""
    typer.echo(why, err=True)
    return typer.Exit(code)


def start_log(form: str = "") -> None:
    """Log lines in the form asked for here or in the environment; child processes follow."""
    try:
        chosen = form_of(read_environment(), form)
        set_up(chosen)
    except ValueError as error:
        raise stop(str(error)) from error
    os.environ[VARIABLE] = chosen
