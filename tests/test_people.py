"""Users, sessions and keys as rows, on both engines; what a password may be."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text

from auth.addresses import place_of
from auth.keys import make_api_key, make_feed_key
from auth.passwords import check_password, hash_password, is_outdated, is_password, make_temporary
from store import audit
from store.areas import codes_below, land_areas
from store.attempts import count_attempts
from store.audit import AuditFilter, Entry, record
from store.days import DAY, instant
from store.engine import Store, open_store
from store.keys import (
    By,
    NewApiKey,
    add_api_key,
    add_key,
    check_key,
    digest,
    find_api_key,
    list_api_keys,
    list_keys,
    revoke_api_key,
    revoke_key,
    rotate_api_key,
    rotate_key,
)
from store.migrate import migrate
from store.people import (
    NewUser,
    User,
    add_user,
    change_user,
    disable_user,
    enable_user,
    find_login,
    find_user,
    has_admin,
    has_users,
    list_users,
    rehash_password,
    set_password,
)
from store.rights import UNLIMITED, PeopleFault
from store.rows import AreaRow
from store.sessions import close_session, close_sessions, find_session, list_sessions, open_session, touch_session
from tests.small_city import NOW, TZ

AT = instant(NOW)
SECOND = 1_000_000
BY = By("user:root", "192.0.2.1")
ADMIN, LAN = NewUser("Admin", "admin"), NewUser("lan", "leader", "Lan", ("H99.1",), ("27", "28"))


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    opened = open_store(engine_url, TZ)
    migrate(opened)
    yield opened
    opened.dispose()


def trail(store: Store) -> list[tuple[str, str, str]]:
    """(actor, action, subject) of the audit trail, oldest first."""
    return [(row.actor, row.action, row.subject) for row in reversed(audit.read(store, AuditFilter(), 100))]


def fault(work: Callable[[], Any]) -> str:
    """The text key of the PeopleFault that `work` raises."""
    with pytest.raises(PeopleFault) as raised:
        work()
    return raised.value.key


# --- users ------------------------------------------------------------------------------------------------


def test_a_user_is_found_again_as_made_under_any_writing_of_the_name(store: Store) -> None:
    assert not has_users(store)
    made = add_user(store, replace(LAN, username="LÂN.Nguyễn"), "hash", BY, AT)
    assert has_users(store)
    for typed in ("lân.nguyễn", " LÂN.NGUYỄN ", unicodedata.normalize("NFD", "Lân.Nguyễn")):
        assert find_user(store, typed) == made
    assert made == User(made.id, "lân.nguyễn", "Lan", "leader", ("H99.1",), ("27", "28"), False, None, AT)
    assert find_login(store, "lân.nguyễn") == (made, "hash") and find_user(store, "lan.nguyen") is None


def test_a_name_is_taken_once_in_whatever_case(store: Store) -> None:
    add_user(store, LAN, "1", BY, AT)
    assert fault(lambda: add_user(store, replace(LAN, username="LAN"), "2", BY, AT)) == "people.username_taken"
    assert find_login(store, "lan")[1] == "1"


@pytest.mark.parametrize("username", ["", " ", "a b", "_a", "a:b", "a\0b", "a\nb", "-rf", "x" * 65, "<b>", "a/b"])
def test_a_name_that_is_no_word_is_refused(store: Store, username: str) -> None:
    assert fault(lambda: add_user(store, NewUser(username, "viewer"), "h", BY, AT)) == "people.bad_username"
    assert not has_users(store)


def test_a_role_that_does_not_exist_is_refused(store: Store) -> None:
    assert fault(lambda: add_user(store, NewUser("a", "boss"), "h", BY, AT)) == "people.unknown_role"
    add_user(store, LAN, "h", BY, AT)
    assert fault(lambda: change_user(store, replace(find_user(store, "lan"), role="root"), BY, AT)) == "people.unknown_role"


REFUSED_RIGHTS = [
    *((role, limits, "admin.no_limits") for role in UNLIMITED for limits in ((("H99.1",), None), (None, ("27",)))),
    ("leader", ((), None), "admin.nothing_chosen"), ("leader", (("H99.1",), ()), "admin.nothing_chosen"),
]


@pytest.mark.parametrize(("role", "limits", "key"), REFUSED_RIGHTS)
def test_neither_user_nor_key_is_given_limits_its_role_knows_not_or_with_nothing_in_them(
    store: Store, role: str, limits: tuple[Any, Any], key: str
) -> None:
    before = add_user(store, LAN, "h", BY, AT)
    changed = replace(before, role=role, agencies=limits[0], areas=limits[1])
    assert fault(lambda: add_user(store, NewUser("a", role, "", *limits), "h", BY, AT)) == key
    assert fault(lambda: change_user(store, changed, BY, AT)) == key
    assert fault(lambda: add_api_key(store, NewApiKey("a", role, *limits), make_api_key(), BY, AT)) == key
    assert list_users(store) == (before,) and not list_api_keys(store)


def test_what_is_changed_is_kept_and_told_with_before_and_after(store: Store) -> None:
    before = add_user(store, LAN, "h", BY, AT)
    after = change_user(store, replace(before, role="viewer", agencies=None, areas=("27",)), By("cli:x"), AT)
    assert (after.role, after.agencies, after.areas) == ("viewer", None, ("27",)) and find_user(store, "lan") == after
    row = audit.read(store, AuditFilter(action="user.change"), 1)[0]
    assert (row.actor, row.detail) == ("cli:x", '{"agencies":[["H99.1"],null],"areas":[["27","28"],["27"]],"role":["leader","viewer"]}')


def test_the_last_enabled_admin_can_be_neither_disabled_nor_demoted(store: Store) -> None:
    admin = add_user(store, ADMIN, "h", BY, AT)
    add_user(store, NewUser("second", "admin"), "h", BY, AT)
    disable_user(store, "second", BY, AT)
    assert fault(lambda: disable_user(store, "admin", BY, AT)) == "people.last_admin"
    assert fault(lambda: change_user(store, replace(admin, role="viewer"), BY, AT)) == "people.last_admin"
    enable_user(store, "second", BY, AT)
    disable_user(store, "admin", BY, AT)
    assert has_admin(store) and [user.username for user in list_users(store) if user.disabled_at] == ["admin"]


def test_two_first_users_at_once_make_one(store: Store) -> None:
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        try:
            add_user(store, NewUser(f"admin{number}", "admin"), "h", BY, AT, is_first=True)
            outcomes.append("made")
        except PeopleFault as no:
            outcomes.append(no.key)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", *["people.not_first"] * 3] and len(list_users(store)) == 1


def test_two_admins_who_disable_each_other_leave_one(store: Store) -> None:
    for name in ("a1", "a2"):
        add_user(store, NewUser(name, "admin"), "h", BY, AT)
    start = threading.Barrier(2)

    def work(name: str) -> None:
        start.wait()
        try:
            disable_user(store, name, BY, AT)
        except PeopleFault as no:
            assert no.key == "people.last_admin"

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a1", "a2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert has_admin(store)


def test_every_change_is_in_the_trail_and_nothing_that_failed(store: Store) -> None:
    user = add_user(store, ADMIN, "h", BY, AT)
    fault(lambda: add_user(store, ADMIN, "h", BY, AT))
    fault(lambda: disable_user(store, "nobody", BY, AT))
    add_user(store, LAN, "h", BY, AT)
    disable_user(store, "lan", BY, AT)
    enable_user(store, "lan", BY, AT)
    set_password(store, "lan", "h2", BY, AT, is_temporary=True)
    set_password(store, "lan", "h3", By("user:lan"), AT)
    open_session(store, user, "token", AT + DAY, By("user:admin", "192.0.2.7"), "b", AT)
    close_session(store, user, digest("token"), BY, AT, "sign_out")
    assert trail(store) == [
        ("user:root", "user.add", "admin"), ("user:root", "user.add", "lan"), ("user:root", "user.disable", "lan"),
        ("user:root", "user.enable", "lan"), ("user:root", "user.password_reset", "lan"), ("user:lan", "password.change", "lan"),
        ("user:admin", "sign_in.ok", "admin"), ("user:root", "sign_out", "admin"),
    ]
    assert audit.verify(store) is None


# --- sessions ---------------------------------------------------------------------------------------------


def opened(store: Store, user: User, *tokens: str, until: int = AT + DAY) -> None:
    for token in tokens:
        assert open_session(store, user, token, until, By(f"user:{user.username}", "192.0.2.9"), "Browser", AT)


def test_a_session_is_found_by_its_token_until_it_expires(store: Store) -> None:
    user = add_user(store, LAN, "h", BY, AT)
    opened(store, user, "t1", until=AT + 10)
    session, found = find_session(store, "t1", AT + 9)
    assert (found, session.user_id, session.opened_at, session.address) == (user, user.id, AT, "192.0.2.9")
    assert find_session(store, "t1", AT + 10) is None and find_session(store, "t2", AT) is None and find_session(store, "", AT) is None


def test_tokens_and_keys_are_stored_as_digests_alone(store: Store) -> None:
    user = add_user(store, LAN, "h", BY, AT)
    opened(store, user, "the-token")
    add_key(store, "air", "the-feed-key", "l", BY, AT)
    add_api_key(store, NewApiKey("l", "viewer"), "the-api-key", BY, AT)
    with store.reading() as connection:
        for table in ("ops_session", "ops_feed_key", "ops_api_key", "ops_audit"):
            for row in connection.execute(text(f"SELECT * FROM {table}")):
                assert not any(secret in str(row) for secret in ("the-token", "the-feed-key", "the-api-key"))


def test_a_disabled_user_has_no_session_and_gets_none(store: Store) -> None:
    user = add_user(store, LAN, "h", BY, AT)
    opened(store, user, "t1")
    disable_user(store, "lan", BY, AT)
    assert find_session(store, "t1", AT) is None
    assert not open_session(store, user, "t2", AT + DAY, BY, "", AT)
    enable_user(store, "lan", BY, AT)
    assert find_session(store, "t1", AT) is None and find_session(store, "t2", AT) is None


def test_sessions_end_one_by_one_all_but_one_and_with_the_password(store: Store) -> None:
    user, other = add_user(store, LAN, "h", BY, AT), add_user(store, ADMIN, "h", BY, AT)
    opened(store, user, "t1", "t2", "t3", "t4")
    opened(store, other, "o1")
    assert not close_session(store, other, digest("t1"), BY, AT), "a session of somebody else"
    assert close_session(store, user, digest("t1"), BY, AT) and not close_session(store, user, digest("t1"), BY, AT)
    assert close_sessions(store, user, BY, AT, keep=digest("t2")) == 2
    assert [row.token_hash for row in list_sessions(store, user.id, AT)] == [digest("t2")]
    assert set_password(store, "lan", "h2", BY, AT) == 1 and list_sessions(store, user.id, AT) == ()
    assert find_session(store, "o1", AT) is not None


def test_a_new_session_replaces_the_browsers_old_one(store: Store) -> None:
    user = add_user(store, LAN, "h", BY, AT)
    opened(store, user, "old")
    assert open_session(store, user, "new", AT + DAY, BY, "", AT, replaces="old")
    assert find_session(store, "old", AT) is None and find_session(store, "new", AT) is not None


def test_a_touch_never_moves_a_session_back(store: Store) -> None:
    user = add_user(store, LAN, "h", BY, AT)
    opened(store, user, "t")
    session = find_session(store, "t", AT)[0]
    touch_session(store, session, AT + 5)
    touch_session(store, session, AT + 3)
    assert find_session(store, "t", AT)[0].seen_at == AT + 5


def test_a_password_changed_meanwhile_is_not_overwritten_by_a_rehash(store: Store) -> None:
    add_user(store, LAN, "old", BY, AT)
    rehash_password(store, "lan", "old", "costlier")
    assert find_login(store, "lan")[1] == "costlier"
    rehash_password(store, "lan", "old", "lost race")
    assert find_login(store, "lan")[1] == "costlier"


# --- keys -------------------------------------------------------------------------------------------------


def test_a_rotated_feed_key_opens_until_its_grace_ends_and_the_new_one_at_once(store: Store) -> None:
    old, new = make_feed_key(), make_feed_key()
    number = add_key(store, "air", old, "gate", BY, AT)
    assert rotate_key(store, number, new, 60, BY, AT) == list_keys(store, "air")[-1].id
    assert check_key(store, "air", old, AT + 60 * SECOND - 1) and not check_key(store, "air", old, AT + 60 * SECOND)
    assert check_key(store, "air", new, AT + DAY).label == "gate" and check_key(store, "feedback", new, AT) is None
    assert list_keys(store)[1].created_by == "user:root"


def test_a_revoked_feed_key_opens_nothing_also_within_its_grace(store: Store) -> None:
    key = make_feed_key()
    number = add_key(store, "air", key, "", BY, AT)
    rotate_key(store, number, make_feed_key(), 3600, BY, AT)
    assert revoke_key(store, number, BY, AT + 1) and check_key(store, "air", key, AT + 1) is None
    assert not revoke_key(store, number, BY, AT + 2) and rotate_key(store, number, make_feed_key(), 3600, BY, AT + 2) is None
    assert not revoke_key(store, 999, BY, AT)
    actions = [action for _, action, _ in trail(store)]
    assert actions == ["feed_key.add", "feed_key.revoke", "feed_key.add", "feed_key.revoke"]


def test_an_api_key_opens_until_it_expires_or_is_revoked(store: Store) -> None:
    key = make_api_key()
    number = add_api_key(store, NewApiKey("sync", "analyst", ("H99.1",), None, AT + 100), key, BY, AT)
    found = find_api_key(store, key, AT + 99)
    assert (found.role, found.agencies, found.areas, found.label) == ("analyst", ("H99.1",), None, "sync")
    assert find_api_key(store, key, AT + 100) is None and find_api_key(store, key + "x", AT) is None
    assert revoke_api_key(store, number, BY, AT + 1) and find_api_key(store, key, AT + 1) is None
    assert fault(lambda: add_api_key(store, NewApiKey("x", "boss"), make_api_key(), BY, AT)) == "people.unknown_role"


def test_a_rotated_api_key_has_the_same_rights_and_the_old_one_a_grace(store: Store) -> None:
    old, new = make_api_key(), make_api_key()
    number = add_api_key(store, NewApiKey("sync", "viewer", None, ("27",), AT + DAY), old, BY, AT)
    assert rotate_api_key(store, number, new, 10, BY, AT)
    first, second = list_api_keys(store)
    assert (second.role, second.areas, second.expires_at, second.label) == ("viewer", ("27",), AT + DAY, "sync")
    assert first.opens(AT + 10 * SECOND - 1) and not first.opens(AT + 10 * SECOND)
    assert rotate_api_key(store, number, make_api_key(), 10, BY, AT + 20 * SECOND) is None


def test_a_rotation_never_lengthens_the_life_of_a_key(store: Store) -> None:
    key = make_feed_key()
    number = add_key(store, "air", key, "", BY, AT)
    rotate_key(store, number, make_feed_key(), 10, BY, AT)
    assert rotate_key(store, number, make_feed_key(), 3600, BY, AT + 1) is None
    assert check_key(store, "air", key, AT + 11 * SECOND) is None


# --- attempts, areas --------------------------------------------------------------------------------------


def test_failures_are_counted_by_name_by_place_and_by_both_since_the_last_entry(store: Store) -> None:
    def failed(subject: str, place: str, at: int) -> None:
        record(store, Entry(at, "", "sign_in.failed", "user", subject, {}, place))

    for at in (1, 2, 3):
        failed("lan", "192.0.2.1", AT + at)
    failed("lan", "192.0.2.2", AT + 4)
    failed("?x", "192.0.2.1", AT + 5)
    found = count_attempts(store, "lan", "192.0.2.1", AT)
    assert (found.pair, found.pair_first, found.place, found.place_first, found.user, found.user_last) == (3, AT + 1, 4, AT + 1, 4, AT + 4)
    assert count_attempts(store, "lan", "192.0.2.1", AT + 2).pair == 1
    record(store, Entry(AT + 6, "user:lan", "sign_in.ok", "user", "lan", {}, "192.0.2.1"))
    failed("lan", "192.0.2.1", AT + 6)
    assert (count_attempts(store, "lan", "192.0.2.1", AT).pair, count_attempts(store, "lan", "192.0.2.1", AT).place) == (1, 5)
    assert count_attempts(store, "mai", "192.0.2.3", AT).place == 0


def test_areas_in_sight_are_those_given_and_all_below(store: Store) -> None:
    parents = {"01": "", "27": "01", "271": "27", "28": "01"}
    rows = [AreaRow(code, code, parent_code=parent) for code, parent in parents.items()]
    with store.writing() as connection:
        land_areas(connection, "areas", rows)
    with store.reading() as connection:
        assert codes_below(connection, ("27",)) == ("27", "271")
        assert set(codes_below(connection, ("01", "99"))) == {"01", "27", "271", "28", "99"}


# --- passwords, places ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("short", "password.short"), ("a" * 11, "password.short"), ("x y" * 100, "password.long"), ("password1234", "password.common"),
        ("PassWord1234", "password.common"), ("aaaabbbbaaaabbbb", "password.common"), ("tôi là LAN.anh ở đây", "password.has_name"),
        ("             ", "password.common"),
    ],
)
def test_a_weak_password_is_refused_saying_why(password: str, key: str) -> None:
    assert fault(lambda: check_password(password, "lan.anh")) == key


@pytest.mark.parametrize("password", ["con mèo nằm trên mái", "correct horse battery", "Zq8-tR5-mW2x"])
def test_a_good_password_is_let_pass(password: str) -> None:
    check_password(password, "lan.anh")


def test_a_temporary_password_passes_the_rules() -> None:
    check_password(make_temporary(), "lan.anh")


def test_a_password_is_known_however_its_letters_are_composed() -> None:
    kept = hash_password(unicodedata.normalize("NFC", "con mèo nằm trên mái"))
    assert kept.startswith("$argon2id$") and is_password(kept, unicodedata.normalize("NFD", "con mèo nằm trên mái"))
    assert not is_password(kept, "con mèo nằm trên mai") and not is_password("", "") and not is_password("broken", "x")


def test_a_hash_of_weaker_parameters_is_outdated() -> None:
    assert is_outdated(PasswordHasher(time_cost=1, memory_cost=8192).hash("x")) and not is_outdated(hash_password("x"))


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"), ("::1", "::1"), ("", "unknown"), ("x", "unknown"),
    ],
)
def test_a_whole_ipv6_network_is_one_place(address: str, place: str) -> None:
    assert place_of(address) == place
