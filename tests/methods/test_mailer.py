"""`Mailer.sendMail`: mails from one user to another."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jsonrpc_backend.web.reference import MAIL_PAGE
from tests.conftest import NewApp
from tests.mailbox import Mailbox
from tests.patience import HANG_SECONDS
from tests.servers import API_KEY, FakeClock, InProcessServer, make_config, running, served
from tests.wire import Answer, Wire

FROM = "App <app@example.com>"
TEMPLATES = {
    "invitation": {"subject": "%FROM_WHOM% says hi", "from": FROM, "body": "Dear %USERNAME%, %text% %nick% %none%."},
    "twice": {"subject": "S", "from": FROM, "body": "%text%%text%"},
    "with_token": {"subject": "S", "from": FROM, "body": "Token: %PASSWORD_RESET_TOKEN%."},
}
ADDRESS = "bert@example.com"
WINDOW = 15  # minutes


def settings(**throttle: Any) -> dict[str, Any]:
    return {"mail_templates": TEMPLATES, "throttle": {"enabled": True, **throttle} if throttle else {}}


@pytest.fixture
async def app(new_app: NewApp, mailbox: Mailbox) -> Wire:
    """Of Anna, who is signed in."""
    app = await new_app(smtp=mailbox.settings, **settings())
    await app.register("anna@example.com")
    return app


async def another(app: Wire, username: str = ADDRESS, **properties: Any) -> str:
    """The id of another user."""
    answer = await app.elsewhere(username).register(username, **properties)
    user_id: str = answer.result["user"]["_id"]
    return user_id


async def send(app: Wire, to: str, template: str = "invitation", /, **more: Any) -> Answer:
    return await app.call("Mailer.sendMail", userOid=to, templateName=template, **more)


def code(answer: Answer) -> int:
    """0: there is a result."""
    return answer.body["error"]["code"] if "error" in answer.body else 0


async def delivered(app: Wire, mailbox: Mailbox, to: str, template: str = "invitation", /, **values: Any) -> str:
    """The text of a mail that arrives."""
    assert (await send(app, to, template, substituteParams=values)).result == "OK"
    return (await mailbox.next()).text.rstrip("\n")


# --- what it says ----------------------------------------------------------------------------------------


async def test_a_mail_to_a_user(app: Wire, mailbox: Mailbox) -> None:
    bert = await another(app, nick="Bertie")
    answer = await send(app, bert, substituteParams={"FROM_WHOM": "Anna", "text": "how are you?"})
    assert answer.result == "OK"
    mail = await mailbox.next()
    assert (mail.message["Subject"], mail.message["From"]) == ("Anna says hi", FROM)
    assert mail.text == "Dear bert@example.com, how are you? Bertie .\n"
    assert mail.envelope.rcpt_tos == [ADDRESS]
    assert mail.message["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        (0, "0"),
        (True, "true"),
        (1.5, "1.5"),
        (["あ", None], '["あ", null]'),
        ({"a": {"b": 1}}, '{"a": {"b": 1}}'),
        ("%nick% %USERNAME% %text%", "%nick% %USERNAME% %text%"),
    ],
)
async def test_values_are_any_json_and_filled_in_once(app: Wire, mailbox: Mailbox, value: Any, text: str) -> None:
    bert = await another(app, nick="Bertie")
    assert await delivered(app, mailbox, bert, text=value) == f"Dear {ADDRESS}, {text} Bertie ."


async def test_what_is_given_comes_before_what_the_recipient_has(app: Wire, mailbox: Mailbox) -> None:
    bert = await another(app, nick="Bertie", USERNAME="somebody", text="his own")
    assert await delivered(app, mailbox, bert) == f"Dear {ADDRESS}, his own Bertie ."
    assert await delivered(app, mailbox, bert, USERNAME="friend", text="hers", nick=None) == (
        "Dear friend, hers Bertie ."
    )
    assert await delivered(app, mailbox, bert, username="x", TEXT="x", NICK="x") == f"Dear {ADDRESS}, his own Bertie ."


async def test_nobody_gets_a_reset_token_by_it(app: Wire, mailbox: Mailbox) -> None:
    bert = await another(app)
    assert await delivered(app, mailbox, bert, "with_token", PASSWORD_RESET_TOKEN="made-up") == "Token: ."
    assert isinstance(app.server, InProcessServer)
    assert app.server.rows("SELECT count(*) FROM password_reset_tokens") == [(0,)]


async def test_values_bring_in_no_headers(app: Wire, mailbox: Mailbox) -> None:
    evil = "x\r\nBcc: evil@example.com\r\n\r\nbody\u2028\x85\x00"
    bert = await another(app, text=evil)
    assert (await send(app, bert, substituteParams={"FROM_WHOM": evil})).result == "OK"
    mail = await mailbox.next()
    assert mail.message["Subject"] == "x Bcc: evil@example.com body  says hi"
    assert mail.message["Bcc"] is None
    assert mail.envelope.rcpt_tos == [ADDRESS]
    assert mail.envelope.mail_from == "app@example.com"


async def test_long_subjects_are_cut(app: Wire, mailbox: Mailbox) -> None:
    bert = await another(app)
    assert (await send(app, bert, substituteParams={"FROM_WHOM": "あ" * 50_000})).result == "OK"
    assert (await mailbox.next()).message["Subject"] == "あ" * 254 + "…"


async def test_a_filled_mail_has_a_bound(app: Wire, mailbox: Mailbox) -> None:
    bert = await another(app)
    most = (256 * 1024 - len("S")) // 2
    text = "あ" * (most // 3)
    assert (await delivered(app, mailbox, bert, "twice", text=text)) == 2 * text
    answer = await send(app, bert, "twice", substituteParams={"text": text + "あ"})
    assert (answer.code, answer.data) == (
        -32602,
        {"substituteParams": "Filled in with these the mail takes more than 262,144 bytes."},
    )


# --- to whom ---------------------------------------------------------------------------------------------


async def test_address_in_another_property(app: Wire, mailbox: Mailbox) -> None:
    bert = await another(app, "bert", email="b@example.org")
    assert (await send(app, bert, options={"emailPropertyName": "email"})).result == "OK"
    assert (await mailbox.next()).envelope.rcpt_tos == ["b@example.org"]


NO_ADDRESS = "The user has no mail address there."
NO_TEMPLATE = "There is no such template of mails between users."


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"userOid": "u1"}, {"userOid": "There is no such user."}),
        ({"userOid": ADDRESS}, {"userOid": "There is no such user."}),
        ({"templateName": "Invitation"}, {"templateName": NO_TEMPLATE}),
        ({"templateName": "send_password_token"}, {"templateName": NO_TEMPLATE}),
        ({"templateName": "address_changed"}, {"templateName": NO_TEMPLATE}),
        ({"templateName": "welcome_back"}, {"templateName": NO_TEMPLATE}),
        ({}, {"userOid": NO_ADDRESS}),
        ({"options": {}}, {"userOid": NO_ADDRESS}),
        ({"options": {"emailPropertyName": None}}, {"userOid": NO_ADDRESS}),
        ({"options": {"emailPropertyName": "_username"}}, {"options.emailPropertyName": NO_ADDRESS}),
        ({"options": {"emailPropertyName": "email"}}, {"options.emailPropertyName": NO_ADDRESS}),
        (
            {"options": {"emailPropertyName": "nick"}},
            {"options.emailPropertyName": "Email property name must be one of: _username, email."},
        ),
        ({"substituteParams": ["x"]}, {"substituteParams": "Substitute params must be an object."}),
        ({"userOid": None}, {"userOid": "User oid must be a string."}),
    ],
)
async def test_refused(app: Wire, mailbox: Mailbox, params: dict[str, Any], complaint: dict[str, str]) -> None:
    carl = await another(app, "carl", nick="carl@example.com", email="no address")
    answer = await app.call("Mailer.sendMail", **{"userOid": carl, "templateName": "invitation"} | params)
    assert (answer.code, answer.data) == (-32602, complaint)
    assert mailbox.is_empty


async def test_signed_in_users_only(app: Wire) -> None:
    bert = await another(app)
    assert (await send(app.elsewhere(), bert)).code == 11


async def test_resets_take_only_templates_with_a_token(app: Wire, mailbox: Mailbox) -> None:
    guest, who = app.elsewhere(), {"username": "anna@example.com"}
    answer = await guest.call("User.sendPasswordResetToken", **who, options={"templateName": "invitation"})
    assert (answer.code, answer.data) == (
        -32602,
        {"options.templateName": "Template name must be one of: send_password_token, with_token."},
    )
    assert (await guest.call("User.sendPasswordResetToken", **who, options={"templateName": "with_token"})).result
    assert (await mailbox.next()).token


# --- how many --------------------------------------------------------------------------------------------


def clock_of(app: Wire) -> FakeClock:
    assert isinstance(app.server, InProcessServer)
    return app.server.clock


async def test_a_user_sends_so_many(new_app: NewApp, mailbox: Mailbox) -> None:
    app = await new_app(smtp=mailbox.settings, **settings(mails_per_sender=2, mails_per_recipient_of_new_accounts=9))
    await app.register("anna@example.com")
    people = [await another(app, f"user{number}@example.com") for number in range(3)]
    assert (await send(app, "nobody")).code == -32602, "which does not count"
    assert [code(await send(app, person)) for person in people] == [0, 0, 9999]
    assert (await send(app, people[0])).data == {"retryAfter": WINDOW * 60}
    beside = app.elsewhere("beside")
    await beside.register("dora@example.com")
    assert (await send(beside, people[0])).result == "OK", "others may"
    clock_of(app).advance(minutes=WINDOW)
    assert (await send(app, people[2])).result == "OK"


LIMITS = {"mails_per_recipient": 3, "mails_per_recipient_of_new_accounts": 2, "registrations_per_address": 1000}


async def test_a_user_gets_so_many_whoever_sends(new_app: NewApp, mailbox: Mailbox) -> None:
    app = await new_app(smtp=mailbox.settings, **settings(**LIMITS))
    await app.register("anna@example.com")
    beside = app.elsewhere("beside")
    await beside.register("dora@example.com")
    bert, shadow = await another(app), await another(app, "shadow", email="Bert+tag@example.com")
    clock_of(app).advance(minutes=WINDOW)
    to_shadow = {"options": {"emailPropertyName": "email"}}
    assert [code(await send(app, bert)), code(await send(beside, shadow, **to_shadow))] == [0, 0]
    clock_of(app).advance(minutes=1)
    assert (await send(beside, bert)).result == "OK"
    answer = await send(app, shadow, **to_shadow)
    assert (answer.code, answer.data) == (9999, {"retryAfter": (WINDOW - 1) * 60})
    assert (await send(app, await another(app, "carl@example.com"))).result == "OK"
    clock_of(app).advance(minutes=WINDOW - 1)
    assert (await send(app, bert)).result == "OK"


async def test_a_new_account_gets_fewer(new_app: NewApp, mailbox: Mailbox) -> None:
    app = await new_app(smtp=mailbox.settings, **settings(**LIMITS))
    await app.register("anna@example.com")
    bert = await another(app)
    assert [code(await send(app, bert)) for _ in range(3)] == [0, 0, 9999]


async def test_mails_of_users_keep_no_reset_mail_from_anybody(new_app: NewApp, mailbox: Mailbox) -> None:
    app = await new_app(smtp=mailbox.settings, **settings(**LIMITS))
    await app.register("anna@example.com")
    bert, shadow = await another(app), await another(app, "shadow", email="carl@example.com")
    clock_of(app).advance(minutes=WINDOW)
    for person, options in ((bert, {}), (shadow, {"emailPropertyName": "email"})):
        assert [code(await send(app, person, options=options)) for _ in range(4)] == [0, 0, 0, 9999]
        for _ in range(3):
            await mailbox.next()
        name = {bert: ADDRESS, shadow: "shadow"}[person]
        answer = await app.elsewhere().call("User.sendPasswordResetToken", username=name, options=options)
        assert answer.result == "OK"
        assert (await mailbox.next()).token


async def test_limits_survive_a_restart(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    limits = LIMITS | {"mails_per_sender": 3}
    config = make_config(
        tmp_path, {"backends": {"app": {"mail_templates": TEMPLATES}}, "throttle": {"enabled": True, **limits}}
    )
    clock = FakeClock()
    async with running(config, clock) as server:
        app = Wire(http, server)
        await app.register("anna@example.com")
        bert, carl = await another(app), await another(app, "carl@example.com")
        assert [code(await send(app, bert)) for _ in range(2)] == [0, 0]
    async with running(config, clock) as server:
        app.server = server
        assert (await send(app, bert)).code == 9999, "the recipient has enough"
        assert [code(await send(app, carl)) for _ in range(2)] == [0, 9999]


# --- the outbox ------------------------------------------------------------------------------------------


async def test_a_queued_mail_survives_a_restart(tmp_path: Path, http: aiohttp.ClientSession, mailbox: Mailbox) -> None:
    changes = {"backends": {"app": {"mail_templates": TEMPLATES}}}
    async with running(make_config(tmp_path, changes)) as server:  # without SMTP
        app = Wire(http, server)
        await app.register("anna@example.com")
        assert (await send(app, await another(app), substituteParams={"text": "later"})).result == "OK"
        assert b"later" not in server.database_path().read_bytes()
    async with running(make_config(tmp_path, {**changes, "smtp": mailbox.settings})):
        assert "later" in (await mailbox.next()).text


async def test_a_mail_is_tried_for_a_day(new_app: NewApp, mailbox: Mailbox) -> None:
    app = await new_app(smtp=mailbox.settings, **settings())
    await app.register("anna@example.com")
    mailbox.rcpt = lambda _: "451 4.3.0 try again later"
    bert = await another(app)
    await send(app, bert, substituteParams={"text": "first"})
    await _until(app, "SELECT attempts FROM mails", [(1,)])
    clock_of(app).advance(minutes=24 * 60 - 1)
    await send(app, bert, substituteParams={"text": "second"})  # which has the outbox look at the first, too
    await _until(app, "SELECT attempts FROM mails ORDER BY key", [(2,), (1,)])
    clock_of(app).advance(minutes=2)
    mailbox.rcpt = lambda _: None
    await send(app, bert, substituteParams={"text": "third"})
    arrived = [(await mailbox.next()).text, (await mailbox.next()).text]
    assert [["first" in text, "second" in text, "third" in text] for text in arrived] == [
        [False, True, False],
        [False, False, True],
    ]


async def _until(app: Wire, query: str, expected: list[Any]) -> None:
    assert isinstance(app.server, InProcessServer)
    async with asyncio.timeout(HANG_SECONDS):
        while app.server.rows(query) != expected:
            await app.call("User.isAuthenticated")


async def test_who_is_deleted_meanwhile_gets_none(app: Wire, mailbox: Mailbox) -> None:
    guest = app.elsewhere(ADDRESS)
    bert = (await guest.register(ADDRESS)).result["user"]["_id"]
    assert (await guest.call("User.unregister", password="password")).result == "OK"
    assert (await send(app, bert)).data == {"userOid": "There is no such user."}
    assert mailbox.is_empty


async def test_full_database(new_app: NewApp, mailbox: Mailbox) -> None:
    app = await new_app(smtp=mailbox.settings, max_database_bytes=400_000, **settings())
    await app.register("anna@example.com", much="x" * 400_000)
    (user_id,) = await _ids(app)
    answer = await send(app, user_id)
    assert (answer.code, answer.data["retryAfter"]) == (9999, 3600)


async def _ids(app: Wire) -> list[str]:
    assert isinstance(app.server, InProcessServer)
    return [row[0] for row in app.server.rows("SELECT id FROM users")]


# --- development -----------------------------------------------------------------------------------------


async def test_mails_are_shown_in_development(
    tmp_path: Path, http: aiohttp.ClientSession, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_config(tmp_path, {"backends": {"app": {"mail_templates": TEMPLATES}}})
    async with running(config, development=True) as server:
        app = Wire(http, server)
        await app.register("anna@example.com")
        assert (await send(app, await another(app), substituteParams={"text": "<b>bold</b>"})).result == "OK"
        async with http.get(f"{server.url}/{MAIL_PAGE}") as response:
            page = await response.text()
    assert ADDRESS in page
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<b>bold</b>" in capsys.readouterr().out


@pytest.mark.slow
async def test_no_user_commands_the_terminal_of_who_develops(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    template = f'subject = "%FROM_WHOM%"\nfrom = "{FROM}"\nbody = "%text%"'
    table = f'[backends.app]\napi_key = "{API_KEY}"\n[backends.app.mail_templates.invitation]\n{template}\n'
    (tmp_path / "config.toml").write_text(table)
    with served(tmp_path / "data", "--dev", "--config", "config.toml") as process:
        process.api_key = API_KEY
        app = Wire(http, process)
        await app.register("anna@example.com")
        clear = "\x1b[2J\x9b2J"
        await send(app, await another(app), substituteParams={"FROM_WHOM": clear, "text": f"{clear}\n\tあ, LAST"})
        printed = process.read_until("LAST")
    assert "\\u001b[2J\\u009b2J\n  | \tあ, LAST" in printed
    assert not {"\x1b", "\x9b"} & set(printed)
