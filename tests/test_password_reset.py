"""Somebody who forgot a password gets back in; nobody else does."""

import asyncio
import logging
from typing import Any

import pytest

from tests.conftest import StartServer
from tests.mailbox import Arrived, Mailbox
from tests.servers import InProcessServer, TickingClock
from tests.wire import Answer, Wire

UNUSABLE = {"token": "Token is wrong, used or expired; ask for another one."}

JAPANESE = {
    "subject": "パスワード再設定 %USERNAME%",
    "from": "サンプル <app@example.com>",
    "bcc": "archive@example.com",
    "body": "%nickname% 様\n\n認証コード: %PASSWORD_RESET_TOKEN%\n年齢 %age% / %missing% / %tags%\n",
}


@pytest.fixture
async def server(start: StartServer, mailbox: Mailbox) -> InProcessServer:
    """A server that sends its mails to `mailbox`; `ja` is a template of its own."""
    templates = {"ja": JAPANESE}
    started: InProcessServer = await start(
        {"smtp": mailbox.settings, "backends": {"app": {"mail_templates": templates}}}
    )
    return started


async def forget(app: Wire, username: str = "me@example.com", **options: Any) -> Answer:
    params: dict[str, Any] = {"username": username} | ({"options": options} if options else {})
    return await app.call("User.sendPasswordResetToken", **params)


async def reset(app: Wire, token: str, password: str = "newPassword", username: str = "me@example.com") -> Answer:
    return await app.call("User.resetPasswordAndLogin", username=username, newPassword=password, token=token)


async def forgotten(wire: Wire, mailbox: Mailbox, **options: Any) -> Arrived:
    """The mail that the user asks for on another device."""
    assert (await forget(wire.elsewhere(), **options)).result == "OK"
    return await mailbox.next()


async def can_sign_in(wire: Wire, password: str) -> bool:
    answer = await wire.elsewhere().call("User.login", username="me@example.com", password=password)
    return answer.session is not None


# --- the whole way ---------------------------------------------------------------------------------------


async def test_from_forgotten_to_signed_in(wire: Wire, other: Wire, mailbox: Mailbox) -> None:
    await wire.register()
    await other.call("User.login", username="me@example.com", password="password")
    mail = await forgotten(wire, mailbox)

    fresh = wire.elsewhere("new-phone")
    answer = await reset(fresh, mail.token.lower().replace("-", ""))
    assert answer.result["user"]["_username"] == "me@example.com"
    assert answer.session
    assert (await fresh.call("User.isAuthenticated")).result is True
    assert (await fresh.call("User.autoLogin", loginToken=fresh.login_token)).session

    for device in (wire, other):
        assert (await device.call("User.isAuthenticated")).result is False
        assert (await device.elsewhere().call("User.autoLogin", loginToken=device.login_token)).code == -32602
    assert await can_sign_in(wire, "newPassword")
    assert not await can_sign_in(wire, "password")


async def test_mail_of_the_default_template(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register()
    mail = await forgotten(wire, mailbox)
    message = mail.message
    assert message["To"] == "me@example.com"
    assert message["From"] == "no-reply@localhost"
    assert message["Subject"] == "Your password reset code"
    assert message["Date"].datetime.timestamp() * 1000 == wire_clock(wire)
    assert message["Message-ID"].endswith("@localhost>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert (mail.envelope.mail_from, mail.envelope.rcpt_tos) == ("no-reply@localhost", ["me@example.com"])
    assert f"enter this code in the app:\n\n    {mail.token}\n" in mail.text
    assert "%" not in mail.text


def wire_clock(wire: Wire) -> int:
    assert isinstance(wire.server, InProcessServer)
    return wire.server.clock()


async def test_mail_of_an_own_template(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register(nickname="太郎", age=21, tags=["a", {"b": None}])
    mail = await forgotten(wire, mailbox, templateName="ja")
    assert mail.message["Subject"] == "パスワード再設定 me@example.com"
    assert mail.message["From"].addresses[0].display_name == "サンプル"
    assert mail.message["Bcc"] is None
    assert mail.envelope.rcpt_tos == ["me@example.com", "archive@example.com"]
    assert mail.text == f'太郎 様\n\n認証コード: {mail.token}\n年齢 21 /  / ["a", {{"b": null}}]\n'
    assert (await reset(wire.elsewhere(), mail.token)).session


# --- the token -------------------------------------------------------------------------------------------


async def test_token_is_typable(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register()
    tokens = {(await forgotten(wire, mailbox)).token for _ in range(20)}
    assert len(tokens) == 20
    letters = set("".join(tokens)) - {"-"}
    assert not letters & set("0O1IL2Z5S6G8BUVQ")
    assert {len(token) for token in tokens} == {14}


@pytest.mark.parametrize("typed", ["{}", " {}\n", "{} ", "\u3000{}"])
@pytest.mark.parametrize(
    "change", [str.lower, lambda token: token.replace("-", " "), lambda t: t.replace("-", "\u2010")]
)
async def test_token_may_be_typed_carelessly(wire: Wire, mailbox: Mailbox, typed: str, change: Any) -> None:
    await wire.register()
    token = (await forgotten(wire, mailbox)).token
    assert (await reset(wire.elsewhere(), typed.format(change(token)))).session


async def test_token_works_once(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register()
    token = (await forgotten(wire, mailbox)).token
    assert (await reset(wire.elsewhere(), token)).session
    again = await reset(wire.elsewhere(), token, "thirdPassword")
    assert (again.code, again.data) == (-32602, UNUSABLE)
    assert await can_sign_in(wire, "newPassword")


async def test_newest_token_only(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register()
    first = (await forgotten(wire, mailbox)).token
    second = (await forgotten(wire, mailbox)).token
    assert (await reset(wire.elsewhere(), first)).data == UNUSABLE
    assert (await reset(wire.elsewhere(), second)).session


@pytest.mark.parametrize(("minutes", "is_usable"), [(15 - 1 / 60, True), (15, False), (60 * 24, False)])
async def test_token_expires(
    wire: Wire, server: InProcessServer, mailbox: Mailbox, minutes: float, is_usable: bool
) -> None:
    await wire.register()
    token = (await forgotten(wire, mailbox)).token
    server.clock.advance(minutes=minutes)
    answer = await reset(wire.elsewhere(), token)
    assert ("result" in answer.body) is is_usable
    assert await can_sign_in(wire, "newPassword") is is_usable


@pytest.mark.parametrize(("tries", "is_usable"), [(1, True), (2, False), (3, False)])
async def test_a_million_wrong_tries_spend_the_token(
    wire: Wire, server: InProcessServer, mailbox: Mailbox, tries: int, is_usable: bool
) -> None:
    await wire.register()
    token = (await forgotten(wire, mailbox)).token
    server.execute("UPDATE password_reset_tokens SET wrong_tries = 999999")
    for number in range(tries):
        assert (await reset(wire.elsewhere(), f"AAAA-AAAA-{number:04}")).data == UNUSABLE
    assert ("result" in (await reset(wire.elsewhere(), token)).body) is is_usable


async def test_new_token_has_new_tries(wire: Wire, server: InProcessServer, mailbox: Mailbox) -> None:
    await wire.register()
    await forgotten(wire, mailbox)
    server.execute("UPDATE password_reset_tokens SET wrong_tries = 1000000")
    token = (await forgotten(wire, mailbox)).token
    for _ in range(5):
        await reset(wire.elsewhere(), "wrong")
    assert (await reset(wire.elsewhere(), token)).session


async def test_fifty_parallel_submissions_give_one_success(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register()
    token = (await forgotten(wire, mailbox)).token
    answers = await asyncio.gather(*(reset(wire.elsewhere(str(n)), token, f"password{n}") for n in range(50)))
    winners = [number for number, answer in enumerate(answers) if answer.session]
    assert len(winners) == 1
    assert all(answer.data == UNUSABLE for answer in answers if answer.session is None)
    assert await can_sign_in(wire, f"password{winners[0]}")


async def test_token_is_the_users_own(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register()
    await wire.elsewhere().register("you@example.com")
    token = (await forgotten(wire, mailbox)).token
    assert (await reset(wire.elsewhere(), token, username="you@example.com")).data == UNUSABLE
    assert (await reset(wire.elsewhere(), token, username="nobody@example.com")).data == UNUSABLE
    assert (await reset(wire.elsewhere(), token, username="ME@example.com")).session


async def test_another_password_ends_the_token(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register()
    token = (await forgotten(wire, mailbox)).token
    await wire.call("User.updatePassword", oldPassword="password", newPassword="better")
    assert (await reset(wire.elsewhere(), token)).data == UNUSABLE


async def test_refused_password_leaves_the_token(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register()
    token = (await forgotten(wire, mailbox)).token
    refused = await reset(wire.elsewhere(), token, "new password")
    assert refused.data == {"newPassword": "New password must not contain spaces."}
    assert (await reset(wire.elsewhere(), token)).session


async def test_resetting_while_signed_in_works(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register()
    token = (await forgotten(wire, mailbox)).token
    assert (await reset(wire, token)).session


async def test_snippet_of_the_document(wire: Wire) -> None:
    answer = await wire.call(
        "User.resetPasswordAndLogin", username="username", newPassword="newPassword", token="000000"
    )
    assert (answer.code, answer.data) == (-32602, UNUSABLE)


# --- who gets a mail -------------------------------------------------------------------------------------


async def test_not_while_signed_in(wire: Wire) -> None:
    await wire.register()
    answer = await forget(wire)
    assert answer.error == {
        "code": 13,
        "message": "Invalid operation",
        "data": {"reason": "This cannot be used while signed in; sign out first."},
    }


@pytest.mark.parametrize(
    ("options", "data"),
    [
        (
            {"emailPropertyName": "mail"},
            {"options.emailPropertyName": "Email property name must be one of: _username, email."},
        ),
        (
            {"emailPropertyName": 1},
            {"options.emailPropertyName": "Email property name must be one of: _username, email."},
        ),
        ({"templateName": "x"}, {"options.templateName": "Template name must be one of: send_password_token, ja."}),
        (
            {"template": "ja"},
            {"options.template": "There is no such parameter; known here: emailPropertyName, templateName."},
        ),
        ("ja", {"options": "Options must be an object."}),
    ],
)
async def test_wrong_options(wire: Wire, options: Any, data: dict[str, str]) -> None:
    answer = await wire.call("User.sendPasswordResetToken", username="me@example.com", options=options)
    assert (answer.code, answer.data) == (-32602, data)


@pytest.mark.parametrize("options", [None, {}, {"emailPropertyName": None, "templateName": None}])
async def test_null_stands_for_absent(wire: Wire, mailbox: Mailbox, options: Any) -> None:
    await wire.register()
    answer = await wire.elsewhere().call("User.sendPasswordResetToken", username="me@example.com", options=options)
    assert answer.result == "OK"
    assert (await mailbox.next()).message["To"] == "me@example.com"


async def test_address_in_a_property(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register("taro", email="taro@example.jp")
    await forget(wire.elsewhere(), "taro", emailPropertyName="email")
    assert (await mailbox.next()).envelope.rcpt_tos == ["taro@example.jp"]


NO_ADDRESS = {
    "no property": {},
    "number": {"email": 1},
    "list": {"email": ["a@example.com"]},
    "empty": {"email": ""},
    "no address": {"email": "taro"},
    "two": {"email": "a@example.com, b@example.com"},
    "header": {"email": "a@example.com\r\nBcc: b@example.com"},
    "line break": {"email": "a@example.com\n"},
    "name": {"email": "A <a@example.com>"},
    "source route": {"email": "@b.example.com:a@example.com"},
    "percent sign and blank": {"email": "a b@example.com"},
    "too long": {"email": "a" * 250 + "@example.com"},
    "no host name": {"email": "a@" + "b" * 64 + "..com"},
}


@pytest.mark.parametrize("properties", NO_ADDRESS.values(), ids=NO_ADDRESS.keys())
async def test_no_mail_without_exactly_one_address(wire: Wire, mailbox: Mailbox, properties: dict[str, Any]) -> None:
    await wire.register("taro", **properties)
    await wire.elsewhere().register()
    assert (await forget(wire.elsewhere(), "taro", emailPropertyName="email")).result == "OK"
    assert (await forgotten(wire, mailbox)).envelope.rcpt_tos == ["me@example.com"]  # the next one is another's
    assert mailbox.is_empty


async def test_odd_addresses_that_exist(wire: Wire, mailbox: Mailbox) -> None:
    addresses = {
        "foo..bar.@docomo.ne.jp": "foo..bar.@docomo.ne.jp",
        "a+b@sub.example.com": "a+b@sub.example.com",
        "taro@日本語.jp": "taro@xn--wgv71a119e.jp",
    }
    for number, (address, expected) in enumerate(addresses.items()):
        await wire.elsewhere().register(f"user{number}", email=address)
        await forget(wire.elsewhere(), f"user{number}", emailPropertyName="email")
        assert (await mailbox.next()).envelope.rcpt_tos == [expected]


async def test_values_bring_in_neither_headers_nor_placeholders(
    start: StartServer, http: Any, mailbox: Mailbox
) -> None:
    template = {"subject": "Hi %nick%", "from": "a@example.com", "body": "%nick% %PASSWORD_RESET_TOKEN%"}
    server = await start(
        {"smtp": mailbox.settings, "backends": {"app": {"mail_templates": {"send_password_token": template}}}}
    )
    wire = Wire(http, server)
    await wire.register(nick="x\r\nBcc: evil@example.com\r\n\r\n%PASSWORD_RESET_TOKEN%%USERNAME%")
    mail = await forgotten(wire, mailbox)
    assert mail.message["Subject"] == "Hi x Bcc: evil@example.com %PASSWORD_RESET_TOKEN%%USERNAME%"
    assert mail.message["Bcc"] is None
    assert mail.envelope.rcpt_tos == ["me@example.com"]
    assert mail.text.count("%PASSWORD_RESET_TOKEN%%USERNAME%") == 1


async def test_interval_between_mails_to_one_user(start: StartServer, http: Any, mailbox: Mailbox) -> None:
    server = await start({"smtp": mailbox.settings, "throttle": {"enabled": True}})
    wire = Wire(http, server)
    await wire.register()
    await wire.elsewhere().register("you@example.com")
    token = (await forgotten(wire, mailbox)).token
    server.clock.advance(seconds=59)
    assert (await forget(wire.elsewhere())).result == "OK"
    await forget(wire.elsewhere(), "you@example.com")
    assert (await mailbox.next()).envelope.rcpt_tos == ["you@example.com"]
    assert (await reset(wire.elsewhere(), token)).session  # the request within the interval changed nothing
    server.clock.advance(seconds=1)
    assert (await forgotten(wire, mailbox)).token != token


# --- what it tells others --------------------------------------------------------------------------------


async def test_unknown_user_is_answered_alike(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register()
    app = wire.elsewhere()
    known, unknown = await forget(app), await forget(app, "nobody@example.com")
    assert known.body == unknown.body
    for name in ("Date",):
        known.headers.pop(name)
        unknown.headers.pop(name)
    assert known.headers == unknown.headers
    await mailbox.next()
    assert mailbox.is_empty


async def test_nothing_secret_in_log_or_database(
    start: StartServer, http: Any, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = await start({"smtp": mailbox.settings}, TickingClock())
    wire = Wire(http, server)
    await wire.register(password="geheim-4711")
    answers = iter([None, "451 try again, me@example.com", "550 no such user me@example.com"])
    mailbox.rcpt = lambda _: next(answers, None)
    token = (await forgotten(wire, mailbox)).token
    for _ in range(2):
        await forget(wire.elsewhere())
    await mailbox.next()  # the one that was put off
    await reset(wire.elsewhere(), "wrong-token")
    ours = [record for record in caplog.records if not record.name.startswith("mail.")]  # that is the listener
    text = "\n".join(record.getMessage() + str(record.exc_info or "") for record in ours)
    stored = b"".join(file.read_bytes() for file in server.database_path().parent.glob("app.sqlite3*"))
    for secret in (token, token.replace("-", ""), "geheim-4711", "wrong-token"):
        assert secret not in text
        assert secret.encode() not in stored
    assert "me@example.com" not in text
