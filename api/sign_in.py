"""The pages that work without scripts: /sign-in, /sign-out, /first-run, /account. They ask themselves who is there.

Whatever hashes a password runs in two threads of its own with a bounded queue: it takes 64 MiB and a tenth of a second each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.parameters import language_of
from auth.keys import form_token, is_form_token, make_session
from auth.requests import COOKIE, SignedIn, is_open_to, signed_in
from auth.sign_in import Attempt, SignInRefused, change_password, make_first_user, sign_in, sign_out
from components import forms
from components.context import AppContext
from components.forms import FormPage
from scope import scope_of
from store.days import instant
from store.keys import By
from store.people import User, find_user, has_users
from store.rights import PeopleFault
from store.sessions import close_session, close_sessions, list_sessions
from text import t

FORM_COOKIE = "toancanh_form"  # what the form token of someone who is not signed in is bound to
HASHERS, MOST_WAITING = 2, 32
FIELDS, BODY_BYTES = 20, 20_000
SHOWN = ("show_sign_in", "show_sign_out", "show_first_run", "show_account")
DONE = ("do_sign_in", "do_sign_out", "do_first_run", "do_account")
Fields = Mapping[str, str]


class Forms:
    """Answers the form pages of one application."""

    def __init__(self, context: AppContext) -> None:
        self.context = context
        self._hashers = ThreadPoolExecutor(HASHERS, thread_name_prefix="password")
        self._waiting = 0

    async def answer(self, handler: str, request: Request) -> Response:
        """One of SHOWN or DONE."""
        work: Callable[..., Response] = getattr(self, handler)
        if handler in SHOWN:
            return await asyncio.to_thread(work, request)
        if int(request.headers.get("content-length") or BODY_BYTES + 1) > BODY_BYTES:
            return Response(status_code=413)
        fields = read_fields(await request.body())
        if self._waiting >= MOST_WAITING:
            return self._message(request, "sign_in.title", "sign_in.busy", 503, {"Retry-After": "5"})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._hashers, work, request, fields)
        finally:
            self._waiting -= 1

    # ---- signing in and out -----------------------------------------------------------------------------------------
    def show_sign_in(self, request: Request) -> Response:
        """GET /sign-in."""
        signed = self._signed(request)
        if signed:
            return _to(landing(signed.user, request.query_params.get("next", "")))
        if not has_users(self.context.store):
            return _to("/first-run") if self._is_open(request) else self._nobody_yet(request)
        said = "sign_in.out_done" if request.query_params.get("out") else ""
        return self._page(request, lambda view: forms.sign_in_page(view), said=said)

    def do_sign_in(self, request: Request, fields: Fields) -> Response:
        """POST /sign-in: 303 to where the reader wanted to go, with a new session; or the form again, saying why not."""
        username = fields.get("username", "")
        if not self._is_own_form(request, fields):
            return self._page(request, lambda view: forms.sign_in_page(view, username), 403, "sign_in.stale_form")
        attempt = Attempt(
            username, fields.get("password", ""), _address(request), request.headers.get("user-agent", ""), request.cookies.get(COOKIE, "")
        )
        now = self._now()
        try:
            token = sign_in(self.context.store, self.context.config, attempt, now)
        except SignInRefused as no:
            headers = {"Retry-After": str(no.wait_s)} if no.wait_s else {}
            status = 429 if no.wait_s else 401
            return self._page(request, lambda view: forms.sign_in_page(view, username), status, no.key, no.words, headers)
        user = find_user(self.context.store, username)
        answer = _to(landing(user, request.query_params.get("next", "")) if user else "/")
        self._keep(answer, token, is_display=bool(user and user.role == "display"))
        return answer

    def show_sign_out(self, request: Request) -> Response:
        """GET /sign-out: a button, for a link alone must not end a session."""
        signed = self._signed(request)
        return self._page(request, lambda view: forms.sign_out_page(view, signed.user)) if signed else _to("/sign-in")

    def do_sign_out(self, request: Request, fields: Fields) -> Response:
        """POST /sign-out."""
        signed = self._signed(request)
        if signed and not self._is_own_form(request, fields):
            return self._page(request, lambda view: forms.sign_out_page(view, signed.user), 403, "sign_in.stale_form")
        if signed:
            sign_out(self.context.store, signed, _address(request), self._now())
        answer = _to(f"/sign-in?out=1&lang={self._lang(request)}")
        answer.delete_cookie(COOKIE, path="/")
        return answer

    # ---- the first administrator ------------------------------------------------------------------------------------
    def show_first_run(self, request: Request) -> Response:
        """GET /first-run: only while there are no users, and only on this machine."""
        if self._is_open(request):
            return self._page(request, lambda view: forms.first_run_page(view))
        return _to("/sign-in") if has_users(self.context.store) else self._nobody_yet(request)

    def do_first_run(self, request: Request, fields: Fields) -> Response:
        """POST /first-run: makes the first administrator and says what to do next."""
        if not self._is_open(request):
            return self.show_first_run(request)
        username, name, password = (fields.get(key, "") for key in ("username", "name", "password"))

        def again(status: int, key: str, words: Mapping[str, Any] | None = None) -> Response:
            return self._page(request, lambda view: forms.first_run_page(view, username, name), status, key, words)

        if not self._is_own_form(request, fields):
            return again(403, "sign_in.stale_form")
        if password != fields.get("again", ""):
            return again(422, "password.unequal")
        try:
            user = make_first_user(self.context.store, username, name, password, _address(request), self._now())
        except PeopleFault as no:
            return again(422, no.key, no.words)
        return self._page(request, lambda view: forms.first_run_done(view, user.username))

    # ---- one's own account ------------------------------------------------------------------------------------------
    def show_account(self, request: Request) -> Response:
        """GET /account."""
        signed = self._signed(request)
        return self._account(request, signed) if signed else self._stranger(request)

    def do_account(self, request: Request, fields: Fields) -> Response:
        """POST /account: change the password, end one session or all others."""
        signed = self._signed(request)
        if signed is None:
            return self._stranger(request)
        if not self._is_own_form(request, fields):
            return self._account(request, signed, 403, "sign_in.stale_form")
        if fields.get("do") == "password":
            return self._change_password(request, signed, fields)
        if signed.user.is_temporary:
            return self._account(request, signed, 403)
        by, own = By(f"user:{signed.user.username}", _address(request)), signed.session.token_hash
        store, now = self.context.store, self._now()
        if fields.get("do") == "end_others":
            ended = close_sessions(store, signed.user, by, now, keep=own)
        else:
            wanted = fields.get("session", "")
            found = [row for row in list_sessions(store, signed.user.id, now) if row.token_hash[:16] == wanted and row.token_hash != own]
            ended = sum(close_session(store, signed.user, row.token_hash, by, now) for row in found)
        return self._account(request, signed, said="account.ended", words={"count": ended})

    def _change_password(self, request: Request, signed: SignedIn, fields: Fields) -> Response:
        if fields.get("password", "") != fields.get("again", ""):
            return self._account(request, signed, 422, "password.unequal")
        old, new = fields.get("old", ""), fields.get("password", "")
        try:
            token = change_password(self.context.store, self.context.config, signed, old, new, _address(request), self._now())
        except PeopleFault as no:
            return self._account(request, signed, 429 if getattr(no, "wait_s", 0) else 422, no.key, no.words)
        answer = _to(f"/account?said=password&lang={self._lang(request)}")
        self._keep(answer, token, is_display=signed.user.role == "display")
        return answer

    def _account(
        self, request: Request, signed: SignedIn, status: int = 200, fault: str = "", words: Mapping[str, Any] | None = None, said: str = ""
    ) -> Response:
        now = self._now()
        sessions = list_sessions(self.context.store, signed.user.id, now)
        said = said or ("account.password_changed" if request.method == "GET" and request.query_params.get("said") == "password" else "")

        def draw(view: FormPage) -> str:
            return forms.account_page(view, signed.user, sessions, signed.session.token_hash, now)

        return self._page(request, draw, status, fault, words, said=said)

    # ---- what they share --------------------------------------------------------------------------------------------
    def _page(
        self, request: Request, draw: Callable[[FormPage], str], status: int = 200, fault: str = "",
        words: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None, said: str = "",
    ) -> Response:
        lang, seed = self._lang(request), self._seed(request)
        fresh = "" if seed else make_session()
        query = tuple((key, value) for key, value in request.query_params.items() if key == "next")
        shown = {key: t(key, lang, **(words or {})) if key else "" for key in (fault, said)}
        view = FormPage(self.context.config, request.url.path, query, lang, form_token(seed or fresh), shown[fault], shown[said])
        answer = Response(draw(view), status, {"Cache-Control": "no-store", **(headers or {})}, "text/html")
        if fresh:
            self._set(answer, FORM_COOKIE, fresh, None)
        return answer

    def _message(self, request: Request, title: str, words: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
        lang = self._lang(request)
        return self._page(request, lambda view: forms.message_page(view, t(title, lang), t(words, lang)), status, headers=headers)

    def _nobody_yet(self, request: Request) -> Response:
        return self._message(request, "sign_in.no_users_title", "sign_in.no_users", 403)

    def _stranger(self, request: Request) -> Response:
        return _to("/sign-in?next=/account") if has_users(self.context.store) else self.show_first_run(request)

    def _keep(self, answer: Response, token: str, *, is_display: bool) -> None:
        """Give the browser its token: a person's until it is closed, a display's across restarts."""
        self._set(answer, COOKIE, token, self.context.config.sign_in.display_s if is_display else None)

    def _set(self, answer: Response, name: str, value: str, seconds: int | None) -> None:
        is_https = self.context.config.web.public_url.startswith("https://")
        answer.set_cookie(name, value, max_age=seconds, path="/", secure=is_https, httponly=True, samesite="lax")

    def _seed(self, request: Request) -> str:
        """What form tokens of this browser are bound to: its session, else its form cookie, '' without either."""
        signed = self._signed(request)
        return signed.token if signed else request.cookies.get(FORM_COOKIE, "")

    def _is_own_form(self, request: Request, fields: Fields) -> bool:
        return is_form_token(fields.get("csrf", ""), self._seed(request))

    def _signed(self, request: Request) -> SignedIn | None:
        return signed_in(self.context.config, self.context.store, request, self._now())

    def _is_open(self, request: Request) -> bool:
        return is_open_to(self.context.config, self.context.store, request)

    def _lang(self, request: Request) -> str:
        asked = request.query_params.get("lang", "")
        return language_of(asked, request.headers.get("accept-language", ""), self.context.config.language)

    def _now(self) -> int:
        return instant(self.context.now())


def read_fields(body: bytes) -> dict[str, str]:
    """The fields of a urlencoded form; {} when it is none. The first of a name counts."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS)
    except ValueError:
        return {}
    return dict(reversed(pairs))


def local_path(asked: str) -> str:
    """An address of this server to go on to, else '/': no other site, however it is written, and not the sign-in itself."""
    is_odd = any(letter <= " " or letter in "\\\x7f" for letter in asked)
    if not asked.startswith("/") or asked.startswith("//") or is_odd or urlsplit(asked).netloc:
        return "/"
    return "/" if asked.partition("?")[0] in ("/sign-in", "/sign-out", "/first-run") else asked


def landing(user: User, asked: str) -> str:
    """Where a user goes after signing in: the page wanted, else the first one the role may see; first its own password."""
    if user.is_temporary:
        return "/account"
    wanted = local_path(asked)
    return "/wall" if wanted == "/" and not scope_of(user.role).permits("see.desk") else wanted


def _to(path: str) -> RedirectResponse:
    return RedirectResponse(quote(path, safe="/?&=%#:+,;~!@$'()*[]"), 303, {"Cache-Control": "no-store"})


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
