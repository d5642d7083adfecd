"""Configuration: what is read, from where, and what is said about what is wrong."""

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from jsonrpc_backend.config import (
    AutoLoginConfig,
    BackendConfig,
    Config,
    ConfigError,
    ManagementConfig,
    ManagementKeyConfig,
    PasswordResetConfig,
    PasswordsConfig,
    ServerConfig,
    SmtpConfig,
    ThrottleConfig,
    load_config,
    read_config,
    setting_key,
)
from jsonrpc_backend.config.example import render
from jsonrpc_backend.config.mail_templates import MailTemplateConfig

ROOT = Path(__file__).parent.parent

MINIMAL = '[backends.app]\napi_key = "key"\n'


def template(name: str = "x", **changes: str) -> str:
    """A configuration with a mail template, changed."""
    values = {"subject": "S", "from": "a@example.com", "body": "%PASSWORD_RESET_TOKEN%"}
    values |= {"from" if key == "sender" else key: value for key, value in changes.items()}
    lines = [f'{key} = "{value}"' for key, value in values.items()]
    return MINIMAL + f"[backends.app.mail_templates.{name}]\n" + "\n".join(lines)


def load(toml: str, **environment: str) -> Config:
    return load_config(tomllib.loads(toml), environment=environment)


def problems(toml: str, **environment: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load(toml, **environment)
    return [str(problem) for problem in raised.value.problems]


def test_defaults_are_the_documented_ones() -> None:
    config = load(MINIMAL)
    assert config == Config(backends={"app": BackendConfig(api_key="key")})
    assert (config.server.host, config.server.port, config.server.data_dir) == ("127.0.0.1", 8080, "data")
    assert (config.server.max_body_bytes, config.server.max_batch) == (1048576, 50)
    assert (config.passwords.memory_kib, config.passwords.iterations, config.passwords.parallelism) == (19456, 2, 1)
    app = config.backends["app"]
    assert (app.min_username_length, app.min_password_length) == (3, 4)
    assert (app.session_idle_minutes, app.session_valid_minutes) == (1440, 10080)
    assert app.auto_login == dataclasses.replace(app.auto_login, enabled=True, valid_minutes=43200)


def test_example_file_has_every_setting_with_its_default() -> None:
    example = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    assert example == render()
    api_key = tomllib.loads(example)["backends"]["app"]["api_key"]
    assert load(example) == Config(backends={"app": BackendConfig(api_key=api_key)})


def test_example_file_names_every_setting() -> None:
    example = render()
    for section in (
        ServerConfig,
        PasswordsConfig,
        SmtpConfig,
        ThrottleConfig,
        BackendConfig,
        AutoLoginConfig,
        PasswordResetConfig,
        MailTemplateConfig,
        ManagementConfig,
        ManagementKeyConfig,
    ):
        for field in dataclasses.fields(section):
            if "rule" in field.metadata:
                assert re.search(rf"^(# )?{setting_key(field)} = ", example, re.MULTILINE), field.name


def test_documented_configuration_is_accepted() -> None:
    """The block of the contract, with its placeholders filled in."""
    config = load(
        """
        [server]
        host = "0.0.0.0"
        port = 80
        allowed_origins = ["https://app.example.com", "null", "capacitor://localhost"]
        trusted_proxies = ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]
        [smtp]
        host = "smtp.example.com"
        security = "tls"
        [throttle]
        enabled = false
        [backends.app]
        api_key = "k"
        email_properties = ["_username", "email"]
        [backends.app.auto_login]
        enabled = false
        [backends.app.password_reset]
        valid_minutes = 15
        [backends.app.mail_templates.send_password_token]
        subject = "S"
        from = "a@example.com"
        bcc = ""
        body = "%PASSWORD_RESET_TOKEN%"
        [backends.other-1]
        api_key = "l"
        """
    )
    assert list(config.backends) == ["app", "other-1"]
    assert config.backends["app"].mail_templates["send_password_token"].sender == "a@example.com"
    assert "send_password_token" in config.backends["other-1"].mail_templates
    assert config.server.trusted_proxies == ("127.0.0.1", "10.0.0.0/8", "2001:db8::/32")


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("", "backends: there is none; add a table [backends.app] with an api_key"),
        ("[backends.app]", "backends.app.api_key: is missing; use a string of 1 to 255 characters without spaces"),
        ('[backends.app]\napi_key = ""', "backends.app.api_key: this value is not allowed; use a string of 1 to 255"),
        (
            MINIMAL + "min_password_length = 0",
            "backends.app.min_password_length: 0 is not allowed; use an integer from 1",
        ),
        (MINIMAL + 'min_password_length = "4"', "backends.app.min_password_length: '4' is not allowed; use an integer"),
        (
            MINIMAL + "min_password_length = true",
            "backends.app.min_password_length: true is not allowed; use an integer",
        ),
        (
            MINIMAL + "min_pasword_length = 4",
            "backends.app.min_pasword_length: is not a setting; did you mean min_password",
        ),
        (
            MINIMAL + "email_properties = ['_id']",
            "backends.app.email_properties: ['_id'] is not allowed; use a list of",
        ),
        (MINIMAL + "[server]\nport = 65536", "server.port: 65536 is not allowed; use an integer from 0 to 65535"),
        (
            MINIMAL + "[server]\nallowed_origins = '*'",
            "server.allowed_origins: '*' is not allowed; use a list of origins",
        ),
        (
            MINIMAL + "[server]\ntrusted_proxies = ['me']",
            "server.trusted_proxies: ['me'] is not allowed; use a list of",
        ),
        (MINIMAL + "[sever]\nport = 1", "sever: is not a setting; did you mean server?"),
        ("server = 1\n" + MINIMAL, "server: 1 is not allowed; use a table, [server]"),
        ("backends = 1\n", "backends: 1 is not allowed; use tables, [backends.NAME]"),
        ('[backends."a b"]\napi_key = "k"', "backends.a b: this name is not allowed; use letters, digits, - and _"),
        ('[backends."../x"]\napi_key = "k"', "backends.../x: this name is not allowed"),
        (
            MINIMAL + '[backends.APP]\napi_key = "k"',
            "backends.APP: differs from app in upper and lower case or - and _ only",
        ),
        (
            MINIMAL + "[smtp]\nsecurity = 'ssl'",
            'smtp.security: \'ssl\' is not allowed; use "starttls" or "tls" or "none"',
        ),
        (MINIMAL + "[passwords]\nmemory_kib = 8\nparallelism = 2", "passwords.memory_kib: Argon2 needs at least 8 KiB"),
        (MINIMAL + "[backends.app.mail_templates.x]\nbody = ''", "backends.app.mail_templates.x.subject: is missing"),
        (template(sender="app"), "backends.app.mail_templates.x.from: 'app' is not allowed; use one address such as"),
        (template(sender="a@b.c, d@e.f"), "backends.app.mail_templates.x.from: 'a@b.c, d@e.f' is not allowed; use one"),
        (
            template(bcc="A <a@b.c>"),
            "backends.app.mail_templates.x.bcc: 'A <a@b.c>' is not allowed; use one mail address",
        ),
        (
            template(subject="a\\nb"),
            "backends.app.mail_templates.x.subject: 'a\\nb' is not allowed; use one line of text",
        ),
        (
            template("send_password_token", body="hello"),
            "backends.app.mail_templates.send_password_token.body: does not contain %PASSWORD_RESET_TOKEN%",
        ),
        (
            template("send_password_token", body="%PASSWORD_RESET_TOKEN% %USER_NAME%"),
            "backends.app.mail_templates.send_password_token: %USER_NAME% is not a placeholder; did you mean USERNAME?",
        ),
    ],
)
def test_problem_names_key_value_and_what_is_allowed(toml: str, expected: str) -> None:
    assert any(problem.startswith(expected) for problem in problems(toml)), problems(toml)


@pytest.mark.parametrize(("body", "is_for_resets"), [("%FROM_WHOM% is here", False), ("%PASSWORD_RESET_TOKEN%", True)])
def test_templates_of_an_app_may_say_anything(body: str, is_for_resets: bool) -> None:
    backend = load(template(body=body)).backends["app"]
    assert backend.app_templates == ("x",)
    assert backend.reset_templates == ("send_password_token", "x")[: 1 + is_for_resets]


def test_all_problems_are_reported_together() -> None:
    found = problems(MINIMAL + "min_username_length = 0\nmin_password_length = 81\n[server]\nport = -1\nprot = 1")
    assert len(found) == 4


@pytest.mark.parametrize("toml", ["[smtp]\npassword = 4711", "[backends.app]\napi_key = 'geheim 4711'"])
def test_secrets_are_not_repeated(toml: str) -> None:
    assert "4711" not in "".join(problems(toml))


@pytest.mark.parametrize(
    ("variable", "value", "read"),
    [
        ("JSONRPC_BACKEND_SERVER_PORT", "81", lambda config: config.server.port == 81),
        ("JSONRPC_BACKEND_SMTP_PASSWORD", "geheim", lambda config: config.smtp.password == "geheim"),
        ("JSONRPC_BACKEND_THROTTLE_ENABLED", "false", lambda config: config.throttle.enabled is False),
        (
            "JSONRPC_BACKEND_SERVER_ALLOWED_ORIGINS",
            "a://b, null",
            lambda c: c.server.allowed_origins == ("a://b", "null"),
        ),
        ("JSONRPC_BACKEND_BACKENDS_MY_APP_API_KEY", "k2", lambda c: c.backends["my-app"].api_key == "k2"),
        (
            "JSONRPC_BACKEND_BACKENDS_MY_APP_AUTO_LOGIN_ENABLED",
            "0",
            lambda c: not c.backends["my-app"].auto_login.enabled,
        ),
        ("JSONRPC_BACKEND_PORT_8080_TCP_ADDR", "10.0.0.1", lambda config: config.server.port == 8080),
    ],
)
def test_environment_wins_over_the_file(variable: str, value: str, read: Any) -> None:
    toml = '[server]\nport = 8080\n[smtp]\npassword = "file"\n[backends.my-app]\napi_key = "k1"\n'
    assert read(load(toml, **{variable: value}))


def test_required_key_may_come_from_the_environment() -> None:
    assert load("[backends.app]", JSONRPC_BACKEND_BACKENDS_APP_API_KEY="k").backends["app"].api_key == "k"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        (
            "JSONRPC_BACKEND_SERVER_PORT",
            "http",
            "server.port (environment variable JSONRPC_BACKEND_SERVER_PORT): 'http' is",
        ),
        (
            "JSONRPC_BACKEND_SERVER_PROT",
            "1",
            "environment variable JSONRPC_BACKEND_SERVER_PROT: is not a setting; did you",
        ),
    ],
)
def test_problem_in_the_environment_names_the_variable(variable: str, value: str, expected: str) -> None:
    (problem,) = problems(MINIMAL, **{variable: value})
    assert problem.startswith(expected)


def keys(*entries: str) -> str:
    """A configuration with management keys."""
    return MINIMAL + "".join(f"[[backends.app.management_keys]]\n{entry}\n" for entry in entries)


GOOD_KEY = 'label = "shop"\nkey = "0123456789abcdef"'


def test_management_keys() -> None:
    table = keys(GOOD_KEY, 'label = "desk"\nkey = "fedcba9876543210"\nip_ranges = ["192.0.2.0/24", "2001:db8::1"]')
    assert load(table).backends["app"].management_keys == (
        ManagementKeyConfig("shop", "0123456789abcdef"),
        ManagementKeyConfig("desk", "fedcba9876543210", ("192.0.2.0/24", "2001:db8::1")),
    )


def test_management_key_that_is_no_table() -> None:
    assert problems(MINIMAL + 'management_keys = ["x"]')[0].startswith(
        "backends.app.management_keys.0: 'x' is not allowed; use a table"
    )


def test_management_key_from_the_environment() -> None:
    table = keys('label = "shop"', 'label = "desk"\nkey = "fedcba9876543210"')
    variables = {
        "JSONRPC_BACKEND_BACKENDS_APP_MANAGEMENT_KEYS_0_KEY": "0123456789abcdef",
        "JSONRPC_BACKEND_BACKENDS_APP_MANAGEMENT_KEYS_1_IP_RANGES": "192.0.2.1, 2001:db8::/32",
    }
    shop, desk = load(table, **variables).backends["app"].management_keys
    assert shop.key == "0123456789abcdef"
    assert desk.ip_ranges == ("192.0.2.1", "2001:db8::/32")


def test_example_of_a_management_key_can_be_switched_on() -> None:
    """Its comment marks taken off, it is refused for its key alone, which everybody knows."""
    lines = render(api_key="key").splitlines()
    start = lines.index("# [[backends.app.management_keys]]")
    for index in range(start, lines.index("", start)):
        if re.match(r"# (\[\[|\w+ = )", lines[index]):
            lines[index] = lines[index][2:]
    (problem,) = problems("\n".join(lines))
    assert problem.startswith("backends.app.management_keys.0.key: is the example's")


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (
            MINIMAL + "management_keys = 5",
            "backends.app.management_keys: 5 is not allowed; use tables, [[backends.app.",
        ),
        (keys("label = 'x'"), "backends.app.management_keys.0.key: is missing; use a string of 16 to 255 ASCII"),
        (keys(GOOD_KEY, "key = '0123456789abcdefg'"), "backends.app.management_keys.1.label: is missing; use one line"),
        (keys("label = 'x'\nkey = 'short'"), "backends.app.management_keys.0.key: this value is not allowed"),
        (keys("label = 'x'\nkey = '0123456789abcdef é'"), "backends.app.management_keys.0.key: this value is not all"),
        (
            keys(GOOD_KEY + '\nip_ranges = ["10.0.0.1/8"]'),
            "backends.app.management_keys.0.ip_ranges: ['10.0.0.1/8'] is",
        ),
        (keys(GOOD_KEY + "\nkeys = 1"), "backends.app.management_keys.0.keys: is not a setting; did you mean key"),
        (keys('label = "a\\nb"\nkey = "0123456789abcdef"'), "backends.app.management_keys.0.label: 'a\\nb' is not"),
        (keys("label = ''\nkey = '0123456789abcdef'"), "backends.app.management_keys.0.label: '' is not allowed"),
        (
            keys(GOOD_KEY, "label = 'desk'\nkey = '0123456789abcdef'"),
            "backends.app.management_keys.1.key: is used twice; give each entry a key of its own",
        ),
        (
            keys(GOOD_KEY, "label = 'shop'\nkey = 'fedcba9876543210'"),
            "backends.app.management_keys.1.label: is used twice; the audit log could not tell them apart",
        ),
        (
            keys(GOOD_KEY) + "[backends.other]\napi_key = '0123456789abcdef'",
            "backends.app.management_keys.0.key: is an API key, which ships inside the app; use another one",
        ),
        (
            MINIMAL + '[management]\nhost = "127.0.0.1"\nport = 8080',
            "management.port: is the server's own; use another one, or no management.host",
        ),
        (MINIMAL + '[management]\nhost = "a b"', "management.host: 'a b' is not allowed; use a host name or address"),
        (MINIMAL + "keep_audit_days = 0", "backends.app.keep_audit_days: 0 is not allowed; use an integer from 1"),
    ],
)
def test_problem_with_management_is_named(toml: str, expected: str) -> None:
    (problem,) = problems(toml)
    assert problem.startswith(expected)
    assert "0123456789" not in problem


def test_relative_data_dir_starts_at_the_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(MINIMAL, encoding="utf-8")
    assert read_config(file, environment={}).server.data_dir == str(tmp_path / "data")
    file.write_text(MINIMAL + '[server]\ndata_dir = "/var/lib/x"', encoding="utf-8")
    assert read_config(file, environment={}).server.data_dir == "/var/lib/x"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read: No such file"), (b"a = ", "not valid TOML"), (b"\xff", "not valid TOML")],
)
def test_unreadable_file_is_named(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "config.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(str(file)) + ".*" + reason):
        read_config(file, environment={})


def with_body_file(tmp_path: Path, more: str = "") -> Path:
    file = tmp_path / "config.toml"
    table = "[backends.app.mail_templates.send_password_token]"
    file.write_text(f'{MINIMAL}{table}\nsubject = "S"\nfrom = "a@example.com"\nbody_file = "mail.txt"\n{more}')
    return file


def test_text_of_a_mail_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "mail.txt").write_text("コード: %PASSWORD_RESET_TOKEN%\n", encoding="utf-8")
    config = read_config(with_body_file(tmp_path), environment={})
    assert config.backends["app"].mail_templates["send_password_token"].body == "コード: %PASSWORD_RESET_TOKEN%\n"


@pytest.mark.parametrize(
    ("content", "more", "problem"),
    [
        (None, "", "body_file: mail.txt cannot be read: No such file or directory"),
        (b"\xff", "", "body_file: mail.txt cannot be read: it is not UTF-8"),
        (b"no token", "", "body: does not contain %PASSWORD_RESET_TOKEN%"),
        (b"%PASSWORD_RESET_TOKEN%", 'body = "x"', "body_file: cannot be used together with body"),
    ],
)
def test_unusable_file_of_a_mail_is_named(tmp_path: Path, content: bytes | None, more: str, problem: str) -> None:
    if content is not None:
        (tmp_path / "mail.txt").write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(f"backends.app.mail_templates.send_password_token.{problem}")):
        read_config(with_body_file(tmp_path, more), environment={})
