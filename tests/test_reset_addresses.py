"""Which mail addresses count for password resets: a session never becomes the account, and the owner is told."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import NewApp, StartServer
from tests.mailbox import Arrived, Mailbox
from tests.operators import KEYS, Operator
from tests.servers import FakeClock, InProcessServer, make_config, running
from tests.shell import QuickShell
from tests.wire import Wire

HOURS = 72
OWNER_MINUTES = 15

numbers = itertools.count()


@pytest.fixture
async def server(start: StartServer, mailbox: Mailbox) -> InProcessServer:
    started: InProcessServer = await start({"smtp": mailbox.settings})
    return started


def clock_of(app: Wire) -> FakeClock:
    assert isinstance(app.server, InProcessServer)
    return app.server.clock


async def copied(owner: Wire) -> Wire:
    """Somebody who has got hold of the session."""
    thief = owner.elsewhere("thief")
    thief.session = owner.session
    return thief


async def ask(app: Wire, username: str, name: str | None = None) -> None:
    options = {"options": {"emailPropertyName": name}} if name else {}
    answer = await app.elsewhere().call("User.sendPasswordResetToken", username=username, **options)
    assert answer.result == "OK"


async def save(app: Wire, **properties: Any) -> None:
    assert (await app.call("User.saveProperties", properties=properties)).result == "OK"


async def reset(app: Wire, username: str, token: str, password: str = "another") -> bool:
    answer = await app.elsewhere("new").call(
        "User.resetPasswordAndLogin", username=username, newPassword=password, token=token
    )
    return answer.session is not None


async def next_to(mailbox: Mailbox, recipient: str) -> Arrived:
    mail = await mailbox.next()
    assert mail.envelope.rcpt_tos == [recipient], mail.text
    return mail


def is_notice(mail: Arrived, address: str) -> bool:
    return address in mail.text and re.search(r"[3-9A-Z]{4}-[3-9A-Z]{4}-", mail.text) is None


async def nobody_gets(mailbox: Mailbox, app: Wire, username: str, name: str) -> None:
    """A request that causes no mail: one to somebody else, made afterwards, is the next that arrives."""
    await ask(app, username, name)
    await app.elsewhere("witness").register(username="witness@example.com")
    await ask(app, "witness@example.com")
    await next_to(mailbox, "witness@example.com")


async def told(app: Wire, mailbox: Mailbox) -> list[Arrived]:
    """What has been on its way: requests and notices are answered in turn, but notices first.

    So the mail to a second witness comes after what the requests before have caused.
    """
    mails: list[Arrived] = []
    for _ in range(2):
        witness = f"witness{next(numbers)}@example.net"
        await app.elsewhere("witness").register(username=witness)
        await ask(app, witness)
        while (mail := await mailbox.next()).envelope.rcpt_tos != [witness]:
            mails.append(mail)
    return mails


async def witnessed(app: Wire, mailbox: Mailbox, *recipients: str) -> list[Arrived]:
    """What has been on its way: one mail to each of these, and no others."""
    mails = await told(app, mailbox)
    assert sorted(mail.envelope.rcpt_tos[0] for mail in mails) == sorted(recipients)
    return mails


# --- the attacks -------------------------------------------------------------------------------------------


async def test_a_copied_session_does_not_become_the_account(
    wire: Wire, mailbox: Mailbox, server: InProcessServer
) -> None:
    await wire.register(username="mary@example.com", email="mary@home.example")
    server.clock.advance(minutes=OWNER_MINUTES + 1)
    thief = await copied(wire)
    await save(thief, email="thief@evil.example")
    for recipient in ("mary@home.example", "mary@example.com"):
        assert is_notice(await next_to(mailbox, recipient), "thief@evil.example")
    # The property is saved and read as ever; but mail goes where it went before.
    assert (await thief.call("User.getProperty", name="email")).result == {"value": "thief@evil.example"}
    await ask(wire, "mary@example.com", "email")
    mail = await next_to(mailbox, "mary@home.example")
    assert await reset(wire, "mary@example.com", mail.token)
    # From then on all other addresses wait anew, the thief's too.
    for address in ("mary@example.com", "thief@evil.example"):
        assert is_notice(await next_to(mailbox, "mary@home.example"), address)
    server.clock.advance(minutes=(HOURS - 1) * 60)
    await ask(wire, "mary@example.com", "email")
    await next_to(mailbox, "mary@home.example")


async def test_with_the_default_property_only(wire: Wire, mailbox: Mailbox, server: InProcessServer) -> None:
    """No address before: none counts until the new one has waited, and the username is told."""
    await wire.register(username="mary@example.com")
    server.clock.advance(minutes=OWNER_MINUTES + 1)
    await save(await copied(wire), email="thief@evil.example")
    assert is_notice(await next_to(mailbox, "mary@example.com"), "thief@evil.example")
    await nobody_gets(mailbox, wire, "mary@example.com", "email")


async def test_a_session_of_auto_login_is_none_of_the_password(
    wire: Wire, mailbox: Mailbox, server: InProcessServer
) -> None:
    await wire.register(username="mary@example.com")
    again = wire.elsewhere(wire.device)
    assert (await again.call("User.autoLogin", loginToken=wire.login_token)).session
    await save(again, email="other@example.com")
    assert is_notice(await next_to(mailbox, "mary@example.com"), "other@example.com")
    await nobody_gets(mailbox, wire, "mary@example.com", "email")


async def test_who_has_registered_with_the_address_of_another_is_out(
    wire: Wire, mailbox: Mailbox, server: InProcessServer
) -> None:
    """Mary recovers the account that somebody has made with her address, and with one of his own."""
    await wire.register(username="mary@example.com", email="squatter@evil.example")
    await ask(wire, "mary@example.com")
    mail = await next_to(mailbox, "mary@example.com")
    assert await reset(wire, "mary@example.com", mail.token)
    assert is_notice(await next_to(mailbox, "mary@example.com"), "squatter@evil.example")
    await nobody_gets(mailbox, wire, "mary@example.com", "email")
    # She has been told, and puts in her own address, with the password: it counts at once.
    mary = wire.elsewhere("mary")
    await mary.call("User.login", username="mary@example.com", password="another")
    await save(mary, email="mary@home.example")
    await ask(wire, "mary@example.com", "email")
    await next_to(mailbox, "mary@home.example")


async def test_the_username_waits_after_a_reset_by_another_address(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register(username="old@example.com", email="new@example.com")
    await ask(wire, "old@example.com", "email")
    mail = await next_to(mailbox, "new@example.com")
    assert await reset(wire, "old@example.com", mail.token)
    assert is_notice(await next_to(mailbox, "new@example.com"), "old@example.com")
    await nobody_gets(mailbox, wire, "old@example.com", "_username")


async def test_sending_the_profile_back_confirms_nothing(wire: Wire, mailbox: Mailbox, server: InProcessServer) -> None:
    """An app that saves whole profiles would make the thief's address count when the owner signs in."""
    await wire.register(username="mary@example.com")
    server.clock.advance(minutes=OWNER_MINUTES + 1)
    await save(await copied(wire), email="thief@evil.example")
    await next_to(mailbox, "mary@example.com")
    mary = wire.elsewhere("mary")
    await mary.call("User.login", username="mary@example.com", password="password")
    await save(mary, email="thief@evil.example", nickname="Mary")
    await nobody_gets(mailbox, wire, "mary@example.com", "email")


async def test_changing_again_and_again_hides_nothing(wire: Wire, mailbox: Mailbox, server: InProcessServer) -> None:
    await wire.register(username="mary@example.com", email="mary@home.example")
    server.clock.advance(minutes=OWNER_MINUTES + 1)
    thief = await copied(wire)
    for address in ("one@evil.example", "two@evil.example", ""):
        await save(thief, email=address)
        for recipient in ("mary@home.example", "mary@example.com"):
            await next_to(mailbox, recipient)
        await ask(wire, "mary@example.com", "email")
        await next_to(mailbox, "mary@home.example")


# --- the owner ---------------------------------------------------------------------------------------------


async def test_an_address_given_at_registration_counts(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register(username="mary", email="mary@home.example")
    await ask(wire, "mary", "email")
    await next_to(mailbox, "mary@home.example")


@pytest.mark.parametrize("method", ["User.saveProperties", "User.saveProperty"])
async def test_an_address_saved_shortly_after_the_password_counts(wire: Wire, mailbox: Mailbox, method: str) -> None:
    await wire.register(username="mary")
    params = {"name": "email", "value": "mary@home.example"}
    await wire.call(method, **(params if method.endswith("y") else {"properties": {"email": "mary@home.example"}}))
    await ask(wire, "mary", "email")
    await next_to(mailbox, "mary@home.example")


async def test_another_address_counts_after_its_time(wire: Wire, mailbox: Mailbox, server: InProcessServer) -> None:
    await wire.register(username="mary@example.com", email="mary@home.example")
    server.clock.advance(minutes=OWNER_MINUTES + 1)
    await save(wire, email="mary@work.example")
    for recipient in ("mary@home.example", "mary@example.com"):
        assert is_notice(await next_to(mailbox, recipient), "mary@work.example")
    server.clock.advance(minutes=HOURS * 60 - 1)
    await ask(wire, "mary@example.com", "email")
    await next_to(mailbox, "mary@home.example")
    server.clock.advance(minutes=1)
    await ask(wire, "mary@example.com", "email")
    await next_to(mailbox, "mary@work.example")


async def test_changing_back_counts_as_before(wire: Wire, mailbox: Mailbox, server: InProcessServer) -> None:
    await wire.register(username="mary", email="mary@home.example")
    server.clock.advance(minutes=OWNER_MINUTES + 1)
    await save(wire, email="typing-error@work.example")
    assert is_notice(await next_to(mailbox, "mary@home.example"), "typing-error@work.example")
    await save(wire, email="mary@home.example")
    server.clock.advance(minutes=HOURS * 60 + 1)
    await ask(wire, "mary", "email")
    await next_to(mailbox, "mary@home.example")


async def test_other_properties_tell_nobody(wire: Wire, mailbox: Mailbox, server: InProcessServer) -> None:
    await wire.register(username="mary@example.com", contact="old@example.com")
    server.clock.advance(minutes=OWNER_MINUTES + 1)
    await save(wire, contact="new@example.com", nickname="Mary", email=5)
    await ask(wire, "mary@example.com")
    assert (await next_to(mailbox, "mary@example.com")).token


async def test_what_waits_survives_a_restart(http: aiohttp.ClientSession, mailbox: Mailbox, tmp_path: Path) -> None:
    config = make_config(tmp_path / "data", {"smtp": mailbox.settings})
    async with running(config) as server:
        wire = Wire(http, server)
        await wire.register(username="mary@example.com", email="mary@home.example")
        server.clock.advance(minutes=OWNER_MINUTES + 1)
        await save(wire, email="thief@evil.example")
    async with running(config, server.clock) as again:
        for recipient in ("mary@home.example", "mary@example.com"):
            assert is_notice(await next_to(mailbox, recipient), "thief@evil.example")
        await ask(Wire(http, again), "mary@example.com", "email")
        await next_to(mailbox, "mary@home.example")


async def test_a_setting_makes_it_count_at_once(new_app: NewApp, mailbox: Mailbox) -> None:
    wire = await new_app(smtp=mailbox.settings, password_reset={"address_hours": 0})
    await wire.register(username="mary")
    clock_of(wire).advance(minutes=OWNER_MINUTES + 1)
    await save(wire, email="mary@home.example")
    await ask(wire, "mary", "email")
    await next_to(mailbox, "mary@home.example")


# --- the mail ----------------------------------------------------------------------------------------------


async def notice(new_app: NewApp, mailbox: Mailbox, **backend: Any) -> Arrived:
    wire = await new_app(smtp=mailbox.settings, **backend)
    await wire.register(username="mary@example.com")
    clock_of(wire).advance(minutes=OWNER_MINUTES + 1)
    await save(wire, email="other@example.com")
    return await next_to(mailbox, "mary@example.com")


async def test_the_mail_says_what_to_do(new_app: NewApp, mailbox: Mailbox) -> None:
    mail = await notice(new_app, mailbox)
    assert mail.message["Subject"] == "Another mail address of your account"
    assert "mary@example.com has this mail address (email) beside yours" in mail.text
    assert re.search(r"From \d{4}-\d\d-\d\d \d\d:\d\d UTC on", mail.text)
    assert "sign in with your password, change it" in mail.text


async def test_the_mail_in_japanese(new_app: NewApp, mailbox: Mailbox) -> None:
    mail = await notice(new_app, mailbox, language="ja")
    assert mail.message["Subject"] == "アカウントのメールアドレスについて"
    assert "mary@example.com" in mail.text
    assert "other@example.com" in mail.text


async def test_the_mail_in_words_of_the_operator(new_app: NewApp, mailbox: Mailbox) -> None:
    template = {"subject": "New: %NEW_ADDRESS%", "from": "app@example.com", "body": "%PROPERTY_NAME% %NEW_ADDRESS%"}
    mail = await notice(new_app, mailbox, mail_templates={"address_changed": template})
    assert mail.message["Subject"] == "New: other@example.com"
    assert mail.text.strip() == "email other@example.com"


async def test_it_is_no_template_for_apps(wire: Wire) -> None:
    answer = await wire.call(
        "User.sendPasswordResetToken", username="mary", options={"templateName": "address_changed"}
    )
    assert (answer.code, list(answer.data)) == (-32602, ["options.templateName"])


async def test_a_user_is_told_a_few_times_only(new_app: NewApp, mailbox: Mailbox) -> None:
    """A thief cannot fill the owner's mailbox."""
    wire = await new_app(smtp=mailbox.settings, throttle={"enabled": True, "reset_mails_per_user": 2})
    await wire.register(username="mary@example.com")
    clock_of(wire).advance(minutes=OWNER_MINUTES + 1)
    for number in range(5):
        await save(wire, email=f"thief{number}@evil.example")
    for number in range(2):
        assert is_notice(await next_to(mailbox, "mary@example.com"), f"thief{number}@evil.example")
    await wire.elsewhere("witness").register(username="witness@example.com")
    await ask(wire, "witness@example.com")
    await next_to(mailbox, "witness@example.com")


async def test_what_the_limits_hold_up_is_told_later(new_app: NewApp, mailbox: Mailbox) -> None:
    """Else a thief could hide the change that matters behind others, or behind mails that other accounts cause."""
    wire = await new_app(smtp=mailbox.settings, throttle={"enabled": True, "reset_mails_per_user": 2})
    await wire.register(username="mary", email="mary@home.example")
    clock_of(wire).advance(minutes=OWNER_MINUTES + 1)
    for number in range(5):
        await save(wire, email=f"thief{number}@evil.example")
        await witnessed(wire, mailbox, *(["mary@home.example"] if number < 2 else []))
    clock_of(wire).advance(minutes=OWNER_MINUTES)
    (mail,) = await witnessed(wire, mailbox, "mary@home.example")
    assert is_notice(mail, "thief4@evil.example")  # of those that were held up the last one is enough


# --- who could be kept out, or get in by another way -------------------------------------------------------

LONG = {"session_idle_minutes": 50000, "session_valid_minutes": 50000}


async def goes_to(app: Wire, mailbox: Mailbox, username: str, name: str, *recipients: str) -> list[Arrived]:
    """Where a reset mail goes that is asked for; what is told besides is among the recipients."""
    await ask(app, username, name)
    return await witnessed(app, mailbox, *recipients)


async def test_nobody_keeps_the_username_waiting_for_ever(
    wire: Wire, mailbox: Mailbox, server: InProcessServer
) -> None:
    """By one reset through another address after the other."""
    await wire.register(username="mary@example.com", email="squatter@evil.example")
    for _ in range(5):
        (mail,) = await goes_to(wire, mailbox, "mary@example.com", "email", "squatter@evil.example")
        assert await reset(wire, "mary@example.com", mail.token)
        server.clock.advance(minutes=HOURS * 60 / 4)
        for late in await told(wire, mailbox):
            assert is_notice(late, "mary@example.com")
    (mail,) = await goes_to(wire, mailbox, "mary@example.com", "_username", "mary@example.com")
    assert await reset(wire, "mary@example.com", mail.token)
    await told(wire, mailbox)
    await goes_to(wire, mailbox, "mary@example.com", "email")


async def test_the_username_waits_again_when_it_has_counted_for_as_long(
    wire: Wire, mailbox: Mailbox, server: InProcessServer
) -> None:
    await wire.register(username="old@example.com", email="new@example.com")
    for _ in range(2):
        (mail,) = await goes_to(wire, mailbox, "old@example.com", "email", "new@example.com")
        assert await reset(wire, "old@example.com", mail.token)
        await told(wire, mailbox)
        await goes_to(wire, mailbox, "old@example.com", "_username")
        server.clock.advance(minutes=HOURS * 60)
        await goes_to(wire, mailbox, "old@example.com", "_username", "old@example.com")
        server.clock.advance(minutes=HOURS * 60 + 1)


async def test_a_token_ends_when_its_address_does_not_count_any_more(wire: Wire, mailbox: Mailbox) -> None:
    await wire.register(username="mary", email="old@example.com")
    (mail,) = await goes_to(wire, mailbox, "mary", "email", "old@example.com")
    await save(wire, email="new@example.com")
    assert not await reset(wire, "mary", mail.token)
    (mail,) = await goes_to(wire, mailbox, "mary", "email", "new@example.com")
    assert await reset(wire, "mary", mail.token)


async def test_a_property_that_is_listed_later(http: aiohttp.ClientSession, mailbox: Mailbox, tmp_path: Path) -> None:
    """Nobody was told what a session saved there: it waits from the first request on, and then they are."""

    def config(*names: str) -> Any:
        backend = {"email_properties": ["_username", *names], **LONG}
        return make_config(tmp_path / "data", {"smtp": mailbox.settings, "backends": {"app": backend}})

    async with running(config()) as server:
        clock, wire = server.clock, Wire(http, server)
        await wire.register(username="mary@example.com")
        clock.advance(minutes=OWNER_MINUTES + 1)
        await save(await copied(wire), email="thief@evil.example")
    async with running(config("email"), clock) as server:
        wire.server = server
        await wire.elsewhere("new").register(username="newcomer", email="newcomer@example.com")
        await goes_to(wire, mailbox, "newcomer", "email", "newcomer@example.com")
        (mail,) = await goes_to(wire, mailbox, "mary@example.com", "email", "mary@example.com")
        assert is_notice(mail, "thief@evil.example")
        await goes_to(wire, mailbox, "mary@example.com", "email")
        clock.advance(minutes=HOURS * 60)
        await goes_to(wire, mailbox, "mary@example.com", "email", "thief@evil.example")
    async with running(config(), clock) as server:
        wire.server = server
        await save(wire, email="other@evil.example")
    async with running(config("email"), clock) as server:
        wire.server = server
        # What was known before it was taken off the list is of no help.
        (mail,) = await goes_to(wire, mailbox, "mary@example.com", "email", "mary@example.com")
        assert is_notice(mail, "other@evil.example")
        mary = wire.elsewhere("mary")
        await mary.call("User.login", username="mary@example.com", password="password")
        await save(mary, email="mary@home.example")
        await goes_to(wire, mailbox, "mary@example.com", "email", "mary@home.example")


@pytest.mark.parametrize("saved", [None, "", "nonsense", {"a": "thief@evil.example"}], ids=repr)
async def test_a_property_that_is_cleared_leaves_the_way_back(
    wire: Wire, mailbox: Mailbox, server: InProcessServer, saved: Any
) -> None:
    await wire.register(username="mary", email="mary@home.example")
    server.clock.advance(minutes=OWNER_MINUTES + 1)
    await save(await copied(wire), email=saved)
    await next_to(mailbox, "mary@home.example")
    server.clock.advance(minutes=HOURS * 60 - 1)
    (mail,) = await goes_to(wire, mailbox, "mary", "email", "mary@home.example")
    assert await reset(wire, "mary", mail.token)
    assert (await wire.call("User.isAuthenticated")).result is False


async def test_many_changes_wait_from_the_last_one(new_app: NewApp, mailbox: Mailbox) -> None:
    wire = await new_app(smtp=mailbox.settings, **LONG)
    await wire.register(username="mary", email="mary@home.example")
    clock_of(wire).advance(minutes=OWNER_MINUTES + 1)
    for number in range(3):
        await save(wire, email=f"thief{number}@evil.example")
        clock_of(wire).advance(minutes=HOURS * 60 - 1)
        assert len(await goes_to(wire, mailbox, "mary", "email", *["mary@home.example"] * 2)) == 2
    clock_of(wire).advance(minutes=1)
    await goes_to(wire, mailbox, "mary", "email", "thief2@evil.example")


async def test_one_address_counts_on_when_another_is_changed(new_app: NewApp, mailbox: Mailbox) -> None:
    wire = await new_app(smtp=mailbox.settings, email_properties=["email", "backup"])
    await wire.register(username="mary", email="mary@home.example", backup="mary@work.example")
    clock_of(wire).advance(minutes=OWNER_MINUTES + 1)
    await save(await copied(wire), email="thief@evil.example")
    await next_to(mailbox, "mary@home.example")
    (mail,) = await goes_to(wire, mailbox, "mary", "backup", "mary@work.example")
    assert await reset(wire, "mary", mail.token)
    await told(wire, mailbox)
    await goes_to(wire, mailbox, "mary", "email")  # neither the thief's nor the one before


async def test_the_username_waits_also_where_it_is_not_listed(new_app: NewApp, mailbox: Mailbox) -> None:
    """It is asked for where an app says nothing else."""
    wire = await new_app(smtp=mailbox.settings, email_properties=["email"])
    await wire.register(username="old@example.com", email="new@example.com")
    (mail,) = await goes_to(wire, mailbox, "old@example.com", "email", "new@example.com")
    assert await reset(wire, "old@example.com", mail.token)
    assert is_notice(await next_to(mailbox, "new@example.com"), "old@example.com")
    await ask(wire, "old@example.com")
    await witnessed(wire, mailbox)


async def test_a_clock_that_was_ahead_makes_no_owner(wire: Wire, mailbox: Mailbox, server: InProcessServer) -> None:
    await wire.register(username="mary", email="mary@home.example")
    server.clock.advance(minutes=-1)
    await save(wire, email="other@example.com")
    assert is_notice(await next_to(mailbox, "mary@home.example"), "other@example.com")


async def test_who_is_gone_leaves_nothing(wire: Wire, server: InProcessServer) -> None:
    await wire.register(username="mary", email="mary@home.example")
    server.clock.advance(minutes=OWNER_MINUTES + 1)
    await save(wire, email="other@example.com")
    assert (await wire.call("User.unregister", password="password")).result == "OK"
    for table in ("reset_addresses", "address_notices"):
        assert server.rows(f"SELECT * FROM {table}") == []


# --- operators ---------------------------------------------------------------------------------------------

CHANGES: dict[str, Callable[[QuickShell], str]] = {
    "user set": lambda quick: quick.ok("user", "set", "mary", "--properties", '{"email": "new@example.com"}'),
    "user import": lambda quick: quick.ok("user", "import", "u.jsonl", "--existing", "update"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_what_the_command_line_writes_counts_at_once(
    quick: QuickShell, new_app: NewApp, mailbox: Mailbox, change: Callable[[QuickShell], str]
) -> None:
    (quick.folder / "u.jsonl").write_text('{"username": "mary", "email": "new@example.com"}')
    wire = await new_app(smtp=mailbox.settings)
    await wire.register(username="mary", email="mary@home.example")
    clock_of(wire).advance(minutes=OWNER_MINUTES + 1)
    await save(wire, email="thief@evil.example")
    await next_to(mailbox, "mary@home.example")
    change(quick)
    await goes_to(wire, mailbox, "mary", "email", "new@example.com")


async def test_what_operators_write_counts_at_once(
    start: StartServer, http: aiohttp.ClientSession, mailbox: Mailbox
) -> None:
    server = await start({"smtp": mailbox.settings, "backends": {"app": KEYS}})
    wire, operator = Wire(http, server), Operator(http, server)
    user = (await wire.register(username="mary", email="mary@home.example")).result["user"]
    server.clock.advance(minutes=OWNER_MINUTES + 1)
    await save(wire, email="thief@evil.example")
    await next_to(mailbox, "mary@home.example")
    await operator.call("User.update", _id=user["_id"], user={"email": "new@example.com"})
    await goes_to(wire, mailbox, "mary", "email", "new@example.com")
    await operator.call("User.update", _id=user["_id"], user={"_username": "mary@example.com"})
    await goes_to(wire, mailbox, "mary@example.com", "_username", "mary@example.com")
