"""The commands for users and keys: user, key (feeds push with it), apikey (programs read with it). A new secret is printed once."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from auth import make_api_key, make_feed_key
from auth.passwords import check_password, hash_password, make_temporary
from commands.terminal import City, StoreUrl, get_ready, operator, settle, stop
from config import Config, parse_duration
from pipeline import utc_now
from scope import ROLES
from store.days import MICROSECONDS, instant
from store.engine import Store
from store.keys import (
    By,
    NewApiKey,
    add_api_key,
    add_key,
    list_api_keys,
    list_keys,
    revoke_api_key,
    revoke_key,
    rotate_api_key,
    rotate_key,
)
from store.people import (
    NewUser,
    add_user,
    change_user,
    disable_user,
    enable_user,
    find_user,
    fold_username,
    list_users,
    set_password,
)
from store.rights import PeopleFault
from text.formats import MISSING
from text.formats import instant as shown_instant

people_cli = typer.Typer()
user_cli = typer.Typer(no_args_is_help=True, help="People who sign in, and displays.")
key_cli = typer.Typer(no_args_is_help=True, help="Keys that feeds push with.")
apikey_cli = typer.Typer(no_args_is_help=True, help="Keys that programs read the API with.")
for _group, _name in ((user_cli, "user"), (key_cli, "key"), (apikey_cli, "apikey")):
    people_cli.add_typer(_group, name=_name)

ROLE_NAMES = ", ".join(role.key for role in ROLES)
Role = Annotated[str, typer.Option("--role", help=f"One of: {ROLE_NAMES}.")]
Agencies = Annotated[list[str] | None, typer.Option("--agency", help="Agency in sight, with all below it; repeatable. Default: all.")]
Areas = Annotated[list[str] | None, typer.Option("--area", help="Area in sight, with all below it; repeatable. Default: all.")]
Name = Annotated[str, typer.Option("--name", help="Full name, for the lists.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
Temporary = Annotated[bool, typer.Option("--temporary", help="Make a password to be changed at the first sign-in, and print it.")]
Grace = Annotated[str, typer.Option("--grace", help="How long the old key still opens: 0s, 12h, 7d.")]


def _begin(city: Path | None, store: str, what: str) -> tuple[Config, Store, By, int]:
    """The city, its store, who types, and now."""
    config, opened = settle(city, store)
    get_ready(opened, config, what)
    return config, opened, By(operator()), instant(utc_now())


@contextmanager
def _told(without_limits: str = "leave out --agency and --area") -> Iterator[None]:
    """Faults of what was asked for are said, not traced; for limits a role knows not, with how to type it without."""
    try:
        yield
    except (PeopleFault, ValueError, KeyError) as fault:
        words = str(fault.args[0] if isinstance(fault, KeyError) else fault)
        is_limits = isinstance(fault, PeopleFault) and fault.key == "admin.no_limits"
        raise stop(f"{words} Here: {without_limits}." if is_limits else words, 1) from fault


# ---- users ----------------------------------------------------------------------------------------------------------
@user_cli.command("add")
def user_add(
    username: str, role: Role, agency: Agencies = None, area: Areas = None, name: Name = "", password_stdin: FromStdin = False,
    temporary: Temporary = False, city: City = None, store: StoreUrl = "",
) -> None:
    """Make a user. The password is asked for twice, read from standard input, or made and printed."""
    _, opened, by, now = _begin(city, store, "user add")
    with _told():
        password = _password(fold_username(username), password_stdin, temporary)
        new = NewUser(username, role, name, _codes(agency), _codes(area))
        user = add_user(opened, new, hash_password(password), by, now, is_temporary=temporary)
    typer.echo(f"{user.username} can sign in as {user.role}")
    if temporary:
        _say_temporary(password)


@user_cli.command("list")
def user_list(city: City = None, store: StoreUrl = "") -> None:
    """All users: role, limits, state."""
    _, opened, _, _ = _begin(city, store, "user list")
    rows = [
        (user.username, user.role, _limits(user.agencies), _limits(user.areas), _state(user.disabled_at, user.is_temporary), user.name)
        for user in list_users(opened)
    ]
    _table(("user", "role", "agencies", "areas", "state", "name"), rows)


@user_cli.command("change")
def user_change(
    username: str, role: Role = "", agency: Agencies = None, area: Areas = None, name: Name = "",
    all_agencies: Annotated[bool, typer.Option("--all-agencies", help="Lift the limit to agencies.")] = False,
    all_areas: Annotated[bool, typer.Option("--all-areas", help="Lift the limit to areas.")] = False,
    city: City = None, store: StoreUrl = "",
) -> None:
    """Change role, limits or name; what is not given stays. Counts from that user's next request."""
    _, opened, by, now = _begin(city, store, "user change")
    found = find_user(opened, username)
    if found is None:
        _unknown(f"there is no user {username!r}")
    changed = replace(
        found, role=role or found.role, name=name or found.name,
        agencies=None if all_agencies else _codes(agency) or found.agencies, areas=None if all_areas else _codes(area) or found.areas,
    )
    with _told("lift the limits with --all-agencies --all-areas"):
        after = change_user(opened, changed, by, now)
    typer.echo(f"{after.username}: {after.role}, agencies {_limits(after.agencies)}, areas {_limits(after.areas)}")


@user_cli.command("disable")
def user_disable(username: str, city: City = None, store: StoreUrl = "") -> None:
    """Let a user in no more; open sessions end at once."""
    _, opened, by, now = _begin(city, store, "user disable")
    with _told():
        disable_user(opened, username, by, now)
    typer.echo(f"{fold_username(username)} is disabled")


@user_cli.command("enable")
def user_enable(username: str, city: City = None, store: StoreUrl = "") -> None:
    """Let a disabled user in again."""
    _, opened, by, now = _begin(city, store, "user enable")
    with _told():
        enable_user(opened, username, by, now)
    typer.echo(f"{fold_username(username)} is enabled")


@user_cli.command("reset")
def user_reset(username: str, city: City = None, store: StoreUrl = "") -> None:
    """Give a user a temporary password, printed once; open sessions end at once."""
    _, opened, by, now = _begin(city, store, "user reset")
    password = make_temporary()
    with _told():
        set_password(opened, username, hash_password(password), by, now, is_temporary=True)
    _say_temporary(password)


def _password(username: str, from_stdin: bool, temporary: bool) -> str:
    if temporary:
        return make_temporary()
    password = sys.stdin.readline().rstrip("\n") if from_stdin else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    check_password(password, username)
    return password


def _say_temporary(password: str) -> None:
    typer.echo(f"temporary password, shown only now; it must be changed at the next sign-in:\n{password}")


# ---- feed keys ------------------------------------------------------------------------------------------------------
@key_cli.command("add")
def key_add(feed: str, city: City = None, store: StoreUrl = "", label: str = "") -> None:
    """Make a key for a feed; it is shown once and stored only as a hash."""
    config, opened, by, now = _begin(city, store, "key add")
    key = make_feed_key()
    with _told():
        add_key(opened, config.feed(feed).key, key, label, by, now)
    typer.echo(key)


@key_cli.command("list")
def key_list(feed: Annotated[str, typer.Argument()] = "", city: City = None, store: StoreUrl = "") -> None:
    """All feed keys, or those of one feed; never the keys themselves."""
    config, opened, _, now = _begin(city, store, "key list")
    rows = [
        (str(key.id), key.feed, key.label, _ends(config, now, key.revoked_at), _at(config, key.created_at), key.created_by)
        for key in list_keys(opened, feed)
    ]
    _table(("id", "feed", "label", "state", "made", "by"), rows)


@key_cli.command("revoke")
def key_revoke(number: int, city: City = None, store: StoreUrl = "") -> None:
    """Let a feed key open no more."""
    _, opened, by, now = _begin(city, store, "key revoke")
    _require(revoke_key(opened, number, by, now), number)
    typer.echo(f"key {number} opens no more")


@key_cli.command("rotate")
def key_rotate(number: int, grace: Grace = "7d", city: City = None, store: StoreUrl = "") -> None:
    """Make a key in place of another, which still opens for a while, so that the sender can change over."""
    _, opened, by, now = _begin(city, store, "key rotate")
    key = make_feed_key()
    _require(rotate_key(opened, number, key, _seconds(grace), by, now), number)
    typer.echo(key)


# ---- API keys -------------------------------------------------------------------------------------------------------
@apikey_cli.command("add")
def apikey_add(
    label: str, role: Role, agency: Agencies = None, area: Areas = None,
    expires: Annotated[str, typer.Option("--expires", help="How long it opens: 90d. Default: for ever.")] = "",
    city: City = None, store: StoreUrl = "",
) -> None:
    """Make an API key with the rights of a role; it is shown once and stored only as a hash."""
    _, opened, by, now = _begin(city, store, "apikey add")
    key = make_api_key()
    ends_at = now + _seconds(expires) * MICROSECONDS if expires else None
    with _told():
        add_api_key(opened, NewApiKey(label, role, _codes(agency), _codes(area), ends_at), key, by, now)
    typer.echo(key)


@apikey_cli.command("list")
def apikey_list(city: City = None, store: StoreUrl = "") -> None:
    """All API keys; never the keys themselves."""
    config, opened, _, now = _begin(city, store, "apikey list")
    rows = [
        (
            str(key.id), key.label, key.role, _limits(key.agencies), _limits(key.areas),
            _ends(config, now, key.expires_at, key.revoked_at), key.created_by,
        )
        for key in list_api_keys(opened)
    ]
    _table(("id", "label", "role", "agencies", "areas", "state", "by"), rows)


@apikey_cli.command("revoke")
def apikey_revoke(number: int, city: City = None, store: StoreUrl = "") -> None:
    """Let an API key open no more."""
    _, opened, by, now = _begin(city, store, "apikey revoke")
    _require(revoke_api_key(opened, number, by, now), number)
    typer.echo(f"API key {number} opens no more")


@apikey_cli.command("rotate")
def apikey_rotate(number: int, grace: Grace = "7d", city: City = None, store: StoreUrl = "") -> None:
    """Make an API key like another, which still opens for a while."""
    _, opened, by, now = _begin(city, store, "apikey rotate")
    key = make_api_key()
    _require(rotate_api_key(opened, number, key, _seconds(grace), by, now), number)
    typer.echo(key)


# ---- what they share ------------------------------------------------------------------------------------------------
def _codes(given: list[str] | None) -> tuple[str, ...] | None:
    return tuple(given) if given else None


def _limits(codes: tuple[str, ...] | None) -> str:
    return "all" if codes is None else " ".join(codes) or "none"


def _state(disabled_at: int | None, is_temporary: bool) -> str:
    return "disabled" if disabled_at is not None else "temporary password" if is_temporary else "enabled"


def _ends(config: Config, now: int, *ends: int | None) -> str:
    """open, open until, or ended, by the earliest of these instants."""
    known = [end for end in ends if end is not None]
    if not known:
        return "open"
    return ("open until " if min(known) > now else "ended ") + _at(config, min(known))


def _at(config: Config, at: int) -> str:
    return shown_instant(at, config.tz, "en")


def _seconds(written: str) -> int:
    found = parse_duration(written)
    if found is None:
        raise stop(f"{written!r} is no duration; write 0s, 12h or 7d")
    return found


def _require(done: bool | int | None, number: int) -> None:
    if not done:
        _unknown(f"there is no open key {number}; see the list command")


def _unknown(why: str) -> NoReturn:
    raise stop(why, 1)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    told = [head, *(tuple(value or MISSING for value in row) for row in rows)]
    widths = [max(len(row[column]) for row in told) for column in range(len(head))]
    for row in told:
        typer.echo("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())
