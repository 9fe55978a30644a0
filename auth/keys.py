"""Makes keys and tokens, and checks the portal login of a feed. The store keeps only their digests."""

from __future__ import annotations

import hmac
import secrets

from config import FeedConfig

KEY_BYTES = 32
SESSION_S = 8 * 3600
API_KEY_PREFIX = "tca_"


def make_feed_key() -> str:
    """A new feed key: 256 random bits. Show it once; the store keeps only its digest."""
    return "tck_" + secrets.token_urlsafe(KEY_BYTES)


def make_api_key() -> str:
    """A new API key: 256 random bits. Show it once."""
    return API_KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)


def make_session() -> str:
    """A new session token, for a portal or a browser."""
    return secrets.token_urlsafe(KEY_BYTES)


def is_feed_login(feed: FeedConfig, username: str, password: str) -> bool:
    """Do these open the feed's portal login? A feed without a configured password has none. Takes the same time either way."""
    given = f"{username}\0{password}".encode("utf-8", "surrogatepass")
    wanted = f"{feed.username}\0{feed.password}".encode("utf-8", "surrogatepass")
    is_same = hmac.compare_digest(given, wanted)
    return is_same and bool(feed.username) and bool(feed.password)


def form_token(token: str) -> str:
    """What a form carries to show that it was made for the browser that holds `token`; it tells nothing about the token."""
    return hmac.new(token.encode("utf-8", "surrogatepass"), b"form", "sha256").hexdigest()


def is_form_token(given: str, token: str) -> bool:
    """Is this the form token of `token`? An empty token has none."""
    return bool(token) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), form_token(token).encode())
