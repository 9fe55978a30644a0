"""Who is asking, as a Scope: users with sessions, API keys, or, while there are no users, this machine alone. Nobody else decides."""

from auth.addresses import FORWARDED, LOCAL_NAMES, host_name, is_loopback
from auth.keys import SESSION_S, is_feed_login, make_api_key, make_feed_key, make_session
from auth.requests import COOKIE, NotLocal, NotSignedIn, PasswordDue, is_open_to, scope_for, scope_reader, user_scope

__all__ = [
    "COOKIE", "FORWARDED", "LOCAL_NAMES", "SESSION_S", "NotLocal", "NotSignedIn", "PasswordDue", "host_name", "is_feed_login",
    "is_loopback", "is_open_to", "make_api_key", "make_feed_key", "make_session", "scope_for", "scope_reader",
    "user_scope",
]
