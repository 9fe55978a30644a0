"""Passwords: what a good one is, and their argon2id hashes. Hashing takes 64 MiB and a tenth of a second: whoever serves it bounds it."""

from __future__ import annotations

import functools
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from store.rights import PeopleFault

LEAST, MOST = 12, 200
DISTINCT = 5
# of lists of leaked passwords only those long enough to pass the first rule are left, and what people here would type
COMMON = (
    "123456789012", "1234567890123", "12345678901234", "123456789abc", "1234567890qwerty", "123456123456", "1q2w3e4r5t6y",
    "1qaz2wsx3edc", "1qaz2wsx3edc4rfv", "abcdefghijkl", "abcd1234abcd", "abc123abc123", "adminadminadmin", "administrator",
    "administrator1", "changeme1234", "iloveyou1234", "letmein12345", "matkhau12345", "matkhau123456", "matkhaucuatoi",
    "p@ssw0rd1234", "password1234", "password12345", "password123456", "passwordpassword", "qazwsxedcrfv", "qwerty123456",
    "qwertyqwerty", "qwertyuiop12", "qwertyuiop123", "qwertyuiopasdfgh", "toancanh1234", "toancanh12345", "toancanh2026",
    "vietnam12345", "vietnam123456", "vietnamvietnam", "welcome12345", "xinchao12345",
)
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another
_GROUPS, _GROUP = 4, 4


def check_password(password: str, username: str) -> None:
    """Raise PeopleFault saying what is wrong with a new password for this user."""
    plain = prepared(password).lower()
    if len(plain) < LEAST:
        raise PeopleFault("password.short", least=LEAST)
    if len(plain) > MOST:
        raise PeopleFault("password.long", most=MOST)
    if username and username.lower() in plain:
        raise PeopleFault("password.has_name")
    if plain in COMMON or len(set(plain)) < DISTINCT:
        raise PeopleFault("password.common")


def make_temporary() -> str:
    """A password to hand over: 78 random bits in letters nobody confuses."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


def prepared(password: str) -> str:
    """The same letters in one encoding: keyboards differ in how they compose Vietnamese ones."""
    return unicodedata.normalize("NFKC", password)


def hash_password(password: str) -> str:
    """The argon2id hash of a password, with its salt and parameters."""
    return _hasher().hash(_bytes(password))


def is_password(kept: str, password: str) -> bool:
    """Is this the password of the hash? '' (no such user) takes as long as a wrong one, so that time does not tell who exists."""
    try:
        return _hasher().verify(kept or _dummy(), _bytes(password)) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Was this hash made with other parameters than today's?"""
    return _hasher().check_needs_rehash(kept)


def _bytes(password: str) -> bytes:
    return prepared(password[: MOST + 1]).encode("utf-8", "surrogatepass")


@functools.cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@functools.cache
def _dummy() -> str:
    return _hasher().hash(secrets.token_bytes(16))
