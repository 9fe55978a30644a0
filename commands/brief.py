"""The command that puts the leaders' week on paper."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from briefs.issue import BriefRefused, Papers, issue, prepare
from briefs.pdf import NoTypesetter
from briefs.schedule import Post, send_issue
from commands.terminal import City, Shift, StoreUrl, get_ready, operator, settle, stop
from config import Config
from metrics.city import open_city
from metrics.periods import Period, parse_period
from pipeline import utc_now
from scope import scope_of
from store.briefs import BriefRow, newest_brief
from store.days import instant
from store.engine import Store
from store.keys import By
from store.sending import SENT
from text import LANGUAGES, t

brief_cli = typer.Typer()


@brief_cli.command("brief")
def brief_command(
    week: Annotated[str, typer.Option("--week", help="The week, e.g. 2026-W46, or last_week.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the PDF and the workbook.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="vi or en; default: the city's.")] = "",
    city: City = None, store: StoreUrl = "", shift_to_now: Shift = False,
    no_archive: Annotated[bool, typer.Option("--no-archive", help="Write the files only; the archive keeps nothing of it.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Mail it now to [brief] send_to; without --out the issue there is, if any.")] = False,
) -> None:
    """Issue the brief of a week as PDF and workbook, or mail it; refused, naming them, while needed feeds do not speak for all of it."""
    config, opened = settle(city, store, shift_to_now)
    lang = lang or config.language
    if lang not in LANGUAGES:
        raise stop(f"--lang {lang!r} is not one of {', '.join(LANGUAGES)}")
    if out is None and not send:
        raise stop("--out FOLDER, --send, or both")
    if send and (no_archive or not config.brief.send_to):
        raise stop("only what is archived is sent: leave --no-archive away" if no_archive else "[brief] send_to of the city file is empty")
    get_ready(opened, config, "brief")
    row = None
    try:
        if out is None:
            row = _kept(config, opened, week, lang)
        if row is None:
            row = _told(_make(config, opened, week, lang, is_kept=not no_archive), out, lang)
    except BriefRefused as fault:
        raise stop(fault.says(lang), 1) from fault
    except (NoTypesetter, OSError) as fault:
        raise stop(str(fault), 1) from fault
    if send and row and not _sent(config, opened, row):
        raise typer.Exit(1)


def _told(made: Papers, out: Path | None, lang: str) -> BriefRow | None:
    for path in _write(made, out, lang) if out else ():
        typer.echo(str(path))
    kept = f"kept as brief {made.row.id}" if made.row else "not kept"
    typer.echo(f"revision {made.brief.weekly.revision}, sha256 {made.brief.sha256}, {kept}")
    return made.row


def _kept(config: Config, store: Store, text: str, lang: str) -> BriefRow | None:
    """The issue of the week that holds, if there is one."""
    today = open_city(store, config, scope_of("analyst"), utc_now()).today
    with store.reading() as connection:
        return newest_brief(connection, _week(text, today, lang).text, lang)


def _sent(config: Config, store: Store, row: BriefRow) -> bool:
    """Mail an issue to everybody it goes to; False when a letter did not leave."""
    post, is_sent = Post(store, config, utc_now, operator()), True
    for address in config.brief.send_to:
        state, error = send_issue(post, row, address, is_asked=True)
        typer.echo(f"{address}: {state or 'sent before, or being sent just now'}{': ' if error else ''}{error}")
        is_sent = is_sent and state in (SENT, "")
    return is_sent


def _make(config: Config, store: Store, text: str, lang: str, *, is_kept: bool) -> Papers:
    now, by = utc_now(), By(operator())
    seen = open_city(store, config, scope_of("analyst", actor=by.actor), now)
    return (issue if is_kept else prepare)(seen, _week(text, seen.today, lang), lang, by, instant(now))


def _week(text: str, today: date, lang: str) -> Period:
    try:
        found = parse_period(text, today)
    except ValueError:
        found = None
    if found is None or found.kind != "week":
        raise stop(t("brief.fault_week", lang, text=text))
    return found


def _write(made: Papers, out: Path, lang: str) -> list[Path]:
    """Whole files only: each is written beside its name, then moved there."""
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for form, body in (("pdf", made.pdf), ("xlsx", made.xlsx)):
        path = out / f"brief-{made.brief.weekly.week.text}-{lang}.{form}"
        part = path.with_suffix(path.suffix + ".part")
        part.write_bytes(body)
        paths.append(part.replace(path))
    return paths
