"""One address gets a bounded number of mails, whoever causes them, and its owner can still recover the account."""

from pathlib import Path

import aiohttp

from tests.conftest import NewApp
from tests.mailbox import Mailbox
from tests.servers import API_KEY, FakeClock, InProcessServer, make_config, running
from tests.wire import Wire

VICTIM = "victim@example.com"
IN_ALL, FOR_NEW = 4, 2
LIMITS = {
    "enabled": True,
    "mails_per_recipient": IN_ALL,
    "mails_per_recipient_of_new_accounts": FOR_NEW,
    "registrations_per_address": 1000,
}
WINDOW = 15  # minutes


async def account(app: Wire, name: str, address: str = VICTIM) -> None:
    assert (await app.elsewhere(name).register(username=name, email=address)).session


async def ask(app: Wire, name: str, email_property: str = "email") -> None:
    answer = await app.elsewhere(f"asks-{name}").call(
        "User.sendPasswordResetToken", username=name, options={"emailPropertyName": email_property}
    )
    assert answer.result == "OK"


async def arrived(app: Wire, mailbox: Mailbox) -> int:
    """How many mails have gone to the victim; all those that were asked for before have been written by then."""
    witness = f"witness{mailbox.attempts}@example.com"
    await app.elsewhere(witness).register(username=witness)
    await ask(app, witness, "_username")
    number = 0
    while (mail := await mailbox.next()).envelope.rcpt_tos != [witness]:
        assert [each.casefold() for each in mail.envelope.rcpt_tos] == [VICTIM]
        number += 1
    return number


def clock_of(app: Wire) -> FakeClock:
    assert isinstance(app.server, InProcessServer)
    return app.server.clock


async def test_accounts_that_are_minutes_old_cause_few(new_app: NewApp, mailbox: Mailbox) -> None:
    app = await new_app(smtp=mailbox.settings, throttle=LIMITS)
    for number in range(FOR_NEW + 3):
        await account(app, f"user{number}")
        await ask(app, f"user{number}")
    assert await arrived(app, mailbox) == FOR_NEW


async def test_older_accounts_share_the_limit(new_app: NewApp, mailbox: Mailbox) -> None:
    app = await new_app(smtp=mailbox.settings, throttle=LIMITS)
    for number in range(IN_ALL + 3):
        await account(app, f"user{number}", VICTIM if number % 2 else "Victim@EXAMPLE.com")
    clock_of(app).advance(minutes=WINDOW)
    for number in range(IN_ALL + 3):
        await ask(app, f"user{number}")
    assert await arrived(app, mailbox) == IN_ALL
    clock_of(app).advance(minutes=WINDOW)
    await ask(app, "user0")
    assert await arrived(app, mailbox) == 1


async def test_who_has_the_address_as_username_gets_in_again(new_app: NewApp, mailbox: Mailbox) -> None:
    """Nobody else can have this username, so nobody can use up its mails."""
    app = await new_app(smtp=mailbox.settings, throttle=LIMITS)
    await app.elsewhere("victim").register(username=VICTIM)
    for number in range(IN_ALL):
        await account(app, f"user{number}")
    clock_of(app).advance(minutes=WINDOW)
    for number in range(IN_ALL):
        await ask(app, f"user{number}")
    assert await arrived(app, mailbox) == IN_ALL
    await ask(app, VICTIM, "_username")
    assert await arrived(app, mailbox) == 1


async def test_all_backends_count_together_and_a_restart_forgets_nothing(
    http: aiohttp.ClientSession, mailbox: Mailbox, tmp_path: Path
) -> None:
    backends = {"shop": {"api_key": API_KEY}}
    changes = {"smtp": mailbox.settings, "throttle": LIMITS, "backends": backends}
    config = make_config(tmp_path / "data", changes)
    async with running(config) as server:
        app, shop = Wire(http, server), Wire(http, InProcessServer(server.url, config, server.clock, "shop"))
        await account(app, "anna")
        await ask(app, "anna")
        assert await arrived(app, mailbox) == 1
        await account(shop, "bert")
        await ask(shop, "bert")
        assert await arrived(shop, mailbox) == 1
        await account(shop, "carl")
        await ask(shop, "carl")
        assert await arrived(shop, mailbox) == 0
    async with running(config, server.clock) as again:
        app = Wire(http, again)
        await account(app, "dora")
        await ask(app, "dora")
        assert await arrived(app, mailbox) == 0
        again.clock.advance(minutes=WINDOW)
        await ask(app, "dora")
        assert await arrived(app, mailbox) == 1


async def test_a_tag_makes_no_other_mailbox(new_app: NewApp, mailbox: Mailbox) -> None:
    app = await new_app(smtp=mailbox.settings, throttle=LIMITS)
    names = [f"victim+{number}@example.com" for number in range(IN_ALL + 2)]
    for name in names:
        await account(app, name, name)
    clock_of(app).advance(minutes=WINDOW)
    for name in names:
        await ask(app, name, "_username")
    witness = app.elsewhere("tags")
    await witness.register(username="tags@example.net")
    await ask(app, "tags@example.net", "_username")
    for name in [*names[:IN_ALL], "tags@example.net"]:
        assert (await mailbox.next()).envelope.rcpt_tos == [name]


async def test_who_registers_the_name_of_another_does_not_flood_him(new_app: NewApp, mailbox: Mailbox) -> None:
    """Each known device has its share; all of them together have no more than one address gets."""
    app = await new_app(smtp=mailbox.settings, throttle={**LIMITS, "reset_mails_per_user": 3})
    devices = [app.elsewhere(f"device{number}") for number in range(IN_ALL + 2)]
    await devices[0].register(username=VICTIM)
    for device in devices[1:]:
        assert (await device.call("User.login", username=VICTIM, password="password")).session
    clock_of(app).advance(minutes=WINDOW)
    for device in devices:
        asking = app.elsewhere(device.device)
        assert (await asking.call("User.sendPasswordResetToken", username=VICTIM)).result == "OK"
    assert await arrived(app, mailbox) == IN_ALL
