"""Who is signed in, and who only looks like it."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from llms.kernel.errors import AuthRequired, ConfigError
from llms.kernel.types import Json
from llms.users.auth import Auth, AuthProvider

ANN: Json = {"userId": "1", "userName": "ann", "roles": ["User"]}
CHIEF: Json = {"userId": "2", "userName": "chief", "roles": ["User", "Admin"]}


def request(path: str = "/", **headers: str) -> web.Request:
    return make_mocked_request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
def auth() -> Auth:
    """With two sessions, and a provider that looks them up."""
    auth = Auth()
    auth.sessions.update({"ann-token": ANN, "chief-token": CHIEF})
    auth.set_provider(AuthProvider(auth), extension="credentials")
    return auth


class Vouching:
    """A provider that says what it is told to say."""

    def __init__(self, check: Any = (True, ANN), session: Any = None, name: Any = "ann") -> None:
        self.check, self.session, self.name = check, session, name

    def check_auth(self, _: web.Request) -> Any:
        return self._say(self.check)

    def get_session(self, _: web.Request) -> Any:
        return self._say(self.session)

    def get_username(self, _: web.Request) -> Any:
        return self._say(self.name)

    def get_session_token(self, _: web.Request) -> Any:
        return None

    def _say(self, answer: Any) -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer


def asking(**answers: Any) -> Auth:
    auth = Auth()
    auth.set_provider(Vouching(**answers), extension="vouching")
    return auth


def is_signed_in(auth: Auth) -> bool:
    """Whether any way to ask says so."""
    who = request()
    return auth.check(who)[0] or auth.session(who) is not None or auth.username(who) is not None or auth.is_admin(who)


# -- without a provider ------------------------------------------------------------------------------------------


def test_without_a_provider_everybody_may_pass_and_nobody_has_a_name() -> None:
    auth = Auth()
    assert not auth.is_enabled
    assert auth.check(request(X_Session_Token="ann-token")) == (True, None)
    assert auth.session(request()) is None
    assert auth.username(request()) is None
    assert auth.assert_username(request()) is None
    assert auth.is_admin(request())


def test_the_name_that_was_chosen_is_kept() -> None:
    assert Auth().chosen == "credentials"
    assert Auth("github_auth").chosen == "github_auth"


# -- the token ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        request("/?session=ann-token"),
        request(X_Session_Token="ann-token"),
        request(Cookie="other=1; llms-token=ann-token"),
    ],
    ids=["query", "header", "cookie"],
)
def test_a_token_is_read_from_query_header_and_cookie(auth: Auth, sent: web.Request) -> None:
    assert auth.check(sent) == (True, ANN)
    assert auth.session(sent) is ANN
    assert auth.username(sent) == "ann"
    assert auth.assert_username(sent) == "ann"


@pytest.mark.parametrize(
    "sent",
    [
        request(),
        request("/?session="),
        request("/?session=unknown"),
        request(X_Session_Token=""),
        request(X_Session_Token="ANN-TOKEN"),
        request(X_Session_Token="ann-token/../chief-token"),
        request(X_Session_Token="../sessions/ann-token"),
        request(Cookie="llms-token="),
        request(Authorization="Bearer ann-token"),
    ],
)
def test_without_the_very_token_nobody_is_signed_in(auth: Auth, sent: web.Request) -> None:
    auth.sessions[""] = CHIEF
    assert auth.check(sent) == (False, None)
    assert auth.username(sent) is None
    assert not auth.is_admin(sent)
    with pytest.raises(AuthRequired, match="Authentication required"):
        auth.assert_username(sent)


def test_a_session_that_ends_ends_at_once(auth: Auth) -> None:
    sent = request(X_Session_Token="ann-token")
    assert auth.check(sent)[0]
    del auth.sessions["ann-token"]
    assert not auth.check(sent)[0]


def test_whatever_has_sessions_can_be_the_app_of_a_provider() -> None:
    provider = AuthProvider(SimpleNamespace(sessions={"t": ANN}))
    assert provider.get_session(request("/?session=t")) is ANN
    assert provider.get_session_token(request("/?session=t")) == "t"
    assert provider.get_username(request("/?session=t")) == "ann"


# -- admins ------------------------------------------------------------------------------------------------------


def test_an_admin_is_who_has_the_role(auth: Auth) -> None:
    assert auth.is_admin(request(X_Session_Token="chief-token"))
    assert not auth.is_admin(request(X_Session_Token="ann-token"))


@pytest.mark.parametrize("roles", [None, "Admin", "NotAdmin", "Administrator", ["admin"], [["Admin"]], {"Admin": 1}, 5])
def test_roles_that_only_look_like_an_admins_make_none(roles: Any) -> None:
    assert not asking(check=(True, {"roles": roles})).is_admin(request())


# -- providers that fail -----------------------------------------------------------------------------------------


async def later() -> tuple[bool, Json]:
    return True, CHIEF


@pytest.mark.parametrize(
    "answers",
    [
        {"check": ValueError("broken")},
        {"check": SystemExit(0)},
        {"check": True},
        {"check": None},
        {"check": "yes"},
        {"check": CHIEF},
        {"check": (True,)},
        {"check": (True, CHIEF, 1)},
        {"check": [True, CHIEF]},
        {"check": (1, CHIEF)},
        {"check": ("no", CHIEF)},
        {"check": (False, CHIEF)},
        {"check": (True, "chief")},
        {"check": (True, None), "session": ValueError("broken")},
        {"check": (True, None), "session": ["Admin"]},
        {"check": (True, CHIEF), "name": ValueError("broken")},
        {"check": (True, CHIEF), "name": b"chief"},
        {"check": (True, CHIEF), "name": 5},
    ],
    ids=repr,
)
def test_a_provider_that_does_not_clearly_say_yes_lets_nobody_in(answers: Json) -> None:
    assert not is_signed_in(asking(**answers))


@pytest.mark.parametrize("method", ["check", "session", "name"])
def test_an_answer_that_comes_later_is_none(method: str, caplog: pytest.LogCaptureFixture) -> None:
    answers = {"check": (True, None), "session": CHIEF, "name": "chief"}
    coroutine = later()
    assert not asking(**{**answers, method: coroutine}).check(request())[0]
    assert "must not be async" in caplog.text


def test_a_provider_that_raises_is_named_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    asking(check=ValueError("the reason")).check(request())
    assert [(record.name, record.levelno) for record in caplog.records] == [("llms.ext.vouching", logging.ERROR)]
    assert "the reason" in caplog.text


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../chief", "a/b", "a\\b", "a\0b", "C:", "default", "Default", " ann", "x" * 300]
)
def test_a_name_that_cannot_be_a_folder_of_its_own_signs_nobody_in(name: str) -> None:
    assert not is_signed_in(asking(check=(True, CHIEF), name=name))


def test_a_provider_may_know_sessions_without_names() -> None:
    auth = asking(check=(True, None), session=None, name=None)
    assert auth.check(request()) == (True, None)
    assert not auth.is_admin(request())
    with pytest.raises(AuthRequired):
        auth.assert_username(request())


@pytest.mark.parametrize("provider", [None, object(), SimpleNamespace(check_auth=lambda _: (True, CHIEF))])
def test_what_is_no_provider_is_refused_with_what_it_lacks(provider: Any) -> None:
    auth = Auth()
    with pytest.raises(ConfigError, match="get_session, get_username"):
        auth.set_provider(provider)
    assert not auth.is_enabled


# -- taking back -------------------------------------------------------------------------------------------------


def test_a_provider_nobody_asked_yet_leaves_nothing_behind() -> None:
    auth = Auth()
    undo = auth.set_provider(Vouching(), extension="vouching")
    assert (auth.is_enabled, auth.extension) == (True, "vouching")
    undo()
    undo()
    assert (auth.is_enabled, auth.provider, auth.extension) == (False, None, None)


def test_the_provider_before_counts_again() -> None:
    auth = asking(name="ann")
    undo = auth.set_provider(Vouching(name="bob"), extension="other")
    assert auth.username(request()) == "bob"
    undo()
    assert auth.username(request()) == "ann"
    assert auth.extension == "vouching"


def test_taking_back_an_earlier_provider_changes_nothing() -> None:
    auth = Auth()
    undo = auth.set_provider(Vouching(name="ann"))
    auth.set_provider(Vouching(name="bob"))
    undo()
    assert auth.username(request()) == "bob"


def test_a_server_whose_guard_is_gone_lets_nobody_in_until_another_comes() -> None:
    auth = Auth()
    undo = auth.set_provider(Vouching())
    assert is_signed_in(auth)
    undo()
    assert auth.is_enabled
    assert not is_signed_in(auth)
    auth.set_provider(Vouching())
    assert is_signed_in(auth)


def test_the_provider_says_how_the_page_asks() -> None:
    class ByKey(AuthProvider):
        auth_type = "apikey"

    auth = Auth()
    assert auth.kind is None
    auth.set_provider(ByKey(auth))
    assert auth.kind == "apikey"


def test_it_is_known_when_somebody_was_last_seen(auth: Auth) -> None:
    assert auth.username(request(X_Session_Token="nobody")) is None
    assert auth.last_seen == {}
    auth.username(request(X_Session_Token="ann-token"))
    assert list(auth.last_seen) == ["ann"]


def test_a_sealed_server_stays_shut_although_nobody_was_asked_yet() -> None:
    auth = Auth()
    undo = auth.set_provider(AuthProvider(auth))
    auth.seal()
    undo()
    assert auth.check(request()) == (False, None)


def test_sealing_a_server_without_a_provider_keeps_it_open() -> None:
    auth = Auth()
    auth.seal()
    assert auth.check(request()) == (True, None)
