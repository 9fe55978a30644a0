"""The commands that keep a store for years: backup, restore, upgrade, doctor. Each calls one function of upkeep/."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.terminal import DEMO_CITY, ROOT, City, StoreUrl, default_store, operator, settle, stop
from config import city_path, load_config, read_environment
from pipeline import utc_now
from store.backup import CopyFailed
from store.migrate import SchemaMismatch
from store.serving import StoreInUse
from store.watch import STORE_AWAY
from upkeep.archive import ArchiveDamaged
from upkeep.backup import backup, verify_backup
from upkeep.checks_city import CHECKS
from upkeep.doctor import Patient, as_json, as_text, examine, exit_code
from upkeep.restore import RestoreRefused, Task, restore
from upkeep.upgrade import upgrade

BACKUPS = ROOT / "var" / "backups"
FAULTS = (ArchiveDamaged, CopyFailed, *STORE_AWAY, OSError, RestoreRefused, SchemaMismatch, StoreInUse)

upkeep_cli = typer.Typer()
backup_cli = typer.Typer(invoke_without_command=True, help="Back up the store while everything runs.")
upkeep_cli.add_typer(backup_cli, name="backup")
To = Annotated[Path, typer.Option("--to", help="Folder, or file ending in .tar.")]


@backup_cli.callback()
def backup_command(
    context: typer.Context, to: To = BACKUPS, city: City = None, store: StoreUrl = "",
    keep: Annotated[int, typer.Option(help="Keep so many of this city, delete older; 0 = all.")] = 0,
) -> None:
    """Back up the store, the city file and its lists into one file, while everything runs."""
    if context.invoked_subcommand:
        return
    config, opened = settle(city, store)
    path = city or city_path(read_environment()) or DEMO_CITY
    try:
        backup(opened, config, to, now=utc_now(), city_file=path, keep=keep, actor=operator(), say=typer.echo)
    except FAULTS as fault:
        raise stop(f"no backup was made: {_first(fault)}", 1) from fault


@backup_cli.command("verify")
def verify_command(file: Path) -> None:
    """Check every sum in a backup and open the store in it."""
    try:
        verify_backup(file, say=typer.echo)
    except FAULTS as fault:
        raise stop(f"this backup cannot be relied on: {_first(fault)}", 1) from fault
    typer.echo("the backup is whole")


@upkeep_cli.command("restore")
def restore_command(
    file: Path, store: StoreUrl = "", city: City = None,
    replace: Annotated[bool, typer.Option("--replace", help="Set a store with rows aside first.")] = False,
    unpack: Annotated[Path | None, typer.Option("--unpack", help="Folder for the city file and its lists.")] = None,
) -> None:
    """Make a store out of a backup and prove that it is the same."""
    environ = read_environment()
    try:
        config = load_config(city, environ) if city else None
        url = store or environ.get("TOANCANH_STORE", "") or (config.store_url or default_store(city, config) if city and config else "")
        if not url:
            raise RestoreRefused("say into which store: --store sqlite:////folder/store.sqlite or postgresql://.., or --city FILE")
        restore(Task(file, utc_now(), replace, config, environ, operator(), typer.echo), url, unpack)
    except (*FAULTS, ValueError) as fault:
        raise stop(f"not restored: {_first(fault)}", 1) from fault


@upkeep_cli.command("upgrade")
def upgrade_command(
    city: City = None, store: StoreUrl = "", to: To = BACKUPS,
    no_backup: Annotated[bool, typer.Option("--no-backup", help="Without a backup first.")] = False,
) -> None:
    """Bring the store to this program's schema: backed up first, all or nothing. Stop serve and ingest before."""
    config, opened = settle(city, store)
    path = city or city_path(read_environment()) or DEMO_CITY

    def take() -> None:
        backup(opened, config, to, now=utc_now(), city_file=path, actor=operator(), say=typer.echo)

    try:
        upgrade(opened, now=utc_now(), take_backup=None if no_backup else take, actor=operator(), say=typer.echo)
    except (SchemaMismatch, StoreInUse) as fault:
        raise stop(str(fault)) from fault
    except FAULTS as fault:
        raise stop(f"not upgraded: {_first(fault)}", 1) from fault
    finally:
        opened.dispose()


@upkeep_cli.command("doctor")
def doctor_command(
    city: City = None, store: StoreUrl = "", as_json_: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Look at everything that can be wrong; exit code 0 = well, 1 = look after it, 2 = broken."""
    config, opened = settle(city, store)
    path = city or city_path(read_environment()) or DEMO_CITY
    findings = examine(Patient(opened, config, utc_now(), ROOT, path), CHECKS)
    typer.echo(as_json(findings) if as_json_ else "\n".join(as_text(findings)))
    raise typer.Exit(exit_code(findings))


def _first(fault: Exception) -> str:
    """What a fault says, without the statement a database adds."""
    return str(getattr(fault, "orig", None) or fault)
