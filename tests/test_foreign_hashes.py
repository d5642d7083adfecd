"""Hashes of other systems: vectors of their specifications and reference code, bounds, and the first sign-in."""

import base64
import contextlib
import hashlib
import json
import logging
from collections.abc import Iterator

import argon2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jsonrpc_backend.accounts import foreign_hashes
from jsonrpc_backend.accounts.foreign_hashes import UnusableHash, adopt
from jsonrpc_backend.accounts.passwords import PasswordHasher
from jsonrpc_backend.config import PasswordsConfig
from jsonrpc_backend.fairness.tally import OwnTally
from jsonrpc_backend.telemetry.events import Observer
from tests.servers import InProcessServer
from tests.shell import QuickShell
from tests.wire import Wire


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def phc(name: str, parameters: str, salt: bytes, key_hex: str) -> str:
    return f"${name}${parameters}${b64(salt)}${b64(bytes.fromhex(key_hex))}"


RFC_7914_PBKDF2_1 = (
    "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
    "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783"
)
RFC_7914_PBKDF2_80000 = (
    "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
    "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"
)
RFC_7914_SCRYPT_16 = (
    "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
    "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"
)
RFC_7914_SCRYPT_1024 = (
    "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
    "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
)
RFC_7914_SCRYPT_16384 = (
    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
)
LONG_SALT = b"saltSALTsaltSALTsaltSALTsaltSALTsalt"
EIGHTY_BYTES = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
PASSLIB_SHA512 = (
    "$pbkdf2-sha512$25000$ltLae69VihFirDVGSOmdUw$pcLVv3Vnm3XRx9aHNUgI1FQaF8.UmKHBYt.Hs2EI7at/V80kbsb2P1A2t9akjN"
    "om8ZUgVJ4AcbA5vk/7QTgEJQ"
)
DJANGO_SCRYPT = (
    "scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw=="
)
DJANGO_ARGON2_OLD = (
    "argon2$argon2i$m=8,t=1,p=1$c29tZXNhbHQ$gwQOXSNhxiOxPOA0+PY10P9QFO4NAYysnqRt1GSQLE55m+2GYDt9FEjPMHhP2Cuf0nOEXX"
    "MocVrsJAtNSsKyfg"
)

VECTORS = [
    # RFC 6070, section 2
    ("password", phc("pbkdf2", "1", b"salt", "0c60c80f961f0e71f3a9b524af6012062fe037a6")),
    ("password", phc("pbkdf2-sha1", "i=2", b"salt", "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957")),
    ("password", phc("pbkdf2-sha1", "i=4096,l=20", b"salt", "4b007901b765489abead49d926f721d065a429c1")),
    (
        "passwordPASSWORDpassword",
        phc("pbkdf2", "4096", LONG_SALT, "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038"),
    ),
    ("pass\0word", phc("pbkdf2", "4096", b"sa\0lt", "56fa6aa75548099dcc37d7f03425e0c3")),
    # RFC 7914, sections 11 and 12
    ("passwd", phc("pbkdf2-sha256", "i=1", b"salt", RFC_7914_PBKDF2_1)),
    ("Password", f"pbkdf2:sha256:80000$NaCl${RFC_7914_PBKDF2_80000}"),
    ("", phc("scrypt", "ln=4,r=1,p=1", b"", RFC_7914_SCRYPT_16)),
    ("password", f"scrypt:1024:8:16$NaCl${RFC_7914_SCRYPT_1024}"),
    ("pleaseletmein", phc("scrypt", "ln=14,r=8,p=1", b"SodiumChloride", RFC_7914_SCRYPT_16384)),
    # passlib's documentation and users
    ("password", "$pbkdf2$131000$rVUq5VxLKcWYkxKiVOq99w$5zoSk15EHe9N1nmRfyFoPIIRy/Y"),
    ("password", "$pbkdf2-sha256$6400$0ZrzXitFSGltTQnBWOsdAw$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M"),
    ("password", "$pbkdf2-sha256$6400$.6UI/S.nXIk8jcbdHx3Fhg$98jZicV16ODfEsEZeYPGHU3kbrUrvUEXOPimVSQDD44"),
    ("password", PASSLIB_SHA512),
    ("password", "$scrypt$ln=8,r=8,p=1$WKs1xljLudd6z9kbY0wpJQ$yCR4iDZYDKv+iEJj6yHY0lv/epnfB6f/w1EbXrsJOuQ"),
    # Django's tests
    ("lètmein", "pbkdf2_sha1$390000$seasalt2$aDapRanzW8aHTz97v2TcfHzWD+I="),
    ("lètmein", "pbkdf2_sha256$390000$seasalt2$geC/uZ92nRXDSjSxeoiBqYyRcrLzMm8xK3ro1QS1uo8="),
    ("lètmein", DJANGO_SCRYPT),
    ("secret", DJANGO_ARGON2_OLD),
    ("secret", "argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q"),
    ("Kk4DQuMMfZL9o", "bcrypt$$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm"),
    # crypt_blowfish, jBCrypt, py-bcrypt
    ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    ("U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
    ("U*U*U", "$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
    ("U*U*U", "$2y$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
    ("", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"),
    (EIGHTY_BYTES + "chars after 72 are ignored", "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui"),
    # phc-winner-argon2, src/test.c, and its README for argon2id
    ("password", "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ"),
    ("password", "$argon2i$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$0WgHXE2YXhPr6uVgz4uUw7XYoWxRkWtvSsLaOsEbvs8"),
    ("password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"),
]


@pytest.fixture(scope="module")
def hasher() -> PasswordHasher:
    return PasswordHasher(PasswordsConfig(memory_kib=64, iterations=1), None, Observer(), OwnTally())


@pytest.mark.slow
@pytest.mark.parametrize(("password", "brought"), VECTORS)
async def test_vectors(hasher: PasswordHasher, password: str, brought: str) -> None:
    assert foreign_hashes.looks_like_hash(brought)
    stored = adopt(brought)
    assert adopt(stored) == stored
    assert await hasher.verify(stored, password, caller=("",)) is True
    assert await hasher.verify(stored, "?" + password, caller=("",)) is False
    assert hasher.is_outdated(stored)


async def test_argon2d(hasher: PasswordHasher) -> None:
    made = argon2.PasswordHasher(3, 64, 2, type=argon2.Type.D).hash("secret")
    assert await hasher.verify(adopt(made), "secret", caller=("",)) is True
    assert hasher.is_outdated(made)


BCRYPT = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
ARGON2 = "$argon2id$v=19${}$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"
KEY = "A" * 43


@pytest.mark.parametrize(
    ("brought", "reason"),
    [
        ("", "is in no known form"),
        ("!", "is in no known form"),
        ("secret", "is in no known form"),
        ("5f4dcc3b5aa765d61d8327deb882cf99", "is in no known form"),
        ("$2a$04$" + "C" * 60, "is in no known form"),
        (BCRYPT[:-1], "is in no known form"),
        (BCRYPT + "\n", "is in no known form"),
        (BCRYPT.replace("CC.", "CCu").replace("CCuE", "CC/E"), "is in no known form"),
        (BCRYPT.replace("$05$", "$03$"), "bcrypt cost that is not from 4 to 15"),
        (BCRYPT.replace("$05$", "$16$"), "bcrypt cost that is not from 4 to 15"),
        (f"$pbkdf2-sha256$0$c2FsdA${KEY}", "not from 1 to 4,000,000"),
        (f"$pbkdf2-sha256$4000001$c2FsdA${KEY}", "not from 1 to 4,000,000"),
        (f"pbkdf2:sha1:1000001$salt${'00' * 64}", "not from 1 to 1,000,000"),
        ("$pbkdf2-sha256$1000$c2FsdA$AAAAAAAAAAAA", "holds 9 bytes"),
        (f"$pbkdf2-sha256$1000$c2FsdA${'A' * 400}", "holds 300 bytes"),
        ("pbkdf2:sha256:1000$salt$abc", "is cut or damaged"),
        (f"$pbkdf2-sha256$1000$c${KEY}", "is cut or damaged"),
        (f"$scrypt$ln=0,r=8,p=1$c2FsdA${KEY}", "parameters that do not exist"),
        (f"scrypt:1000:8:1$salt${'00' * 32}", "N must be a power of 2"),
        (f"$scrypt$ln=14,r=0,p=1$c2FsdA${KEY}", "parameters that do not exist"),
        (f"$scrypt$ln=19,r=8,p=1$c2FsdA${KEY}", "more than 256 MiB"),
        (f"$scrypt$ln=999999999,r=8,p=1$c2FsdA${KEY}", "more than 256 MiB"),
        (f"$scrypt$ln=16,r=8,p=9$c2FsdA${KEY}", "too long"),
        (ARGON2.format("m=262145,t=1,p=1"), "more than 256 MiB"),
        (ARGON2.format("m=65536,t=33,p=1"), "too long"),
        (ARGON2.format("m=15,t=1,p=2"), "do not exist"),
        (ARGON2.format("m=64,t=0,p=1"), "do not exist"),
        (ARGON2.format("m=65536,t=1,p=65"), "do not exist"),
        ("$argon2i$m=65536,t=1,p=1$c2FsdA$" + KEY, "salt of less than 8 bytes"),
        ("$argon2i$m=65536,t=1,p=1$c29tZXNhbHQ$AAAA", "holds 3 bytes"),
        ("$pbkdf2$" + "1" * 5000, "is longer than 1024 characters"),
    ],
)
def test_what_no_sign_in_could_verify(brought: str, reason: str) -> None:
    with pytest.raises(UnusableHash) as refused:
        adopt(brought)
    assert reason in str(refused.value)
    assert brought not in str(refused.value) or not brought


@pytest.mark.slow
def test_costly_but_allowed() -> None:
    for brought in (
        BCRYPT.replace("$05$", "$15$"),
        f"$scrypt$ln=17,r=8,p=1$c2FsdA${KEY}",
        ARGON2.format("m=262144,t=3,p=4"),
        f"pbkdf2_sha256$1500000$seasalt${KEY}=",
    ):
        assert adopt(brought) == brought


# --- through the door ------------------------------------------------------------------------------------


def put_hash(server: InProcessServer, stored: str) -> None:
    server.execute("UPDATE users SET password_hash = ?", stored)


def hash_in(server: InProcessServer) -> str:
    return str(server.rows("SELECT password_hash FROM users")[0][0])


async def test_first_sign_in_replaces_the_hash(wire: Wire, server: InProcessServer) -> None:
    await wire.register("anna")
    put_hash(server, BCRYPT)
    other = wire.elsewhere()
    assert (await other.call("User.login", username="anna", password="U*U*")).code == -32602
    assert hash_in(server) == BCRYPT
    assert (await other.call("User.login", username="anna", password="U*U")).session
    assert hash_in(server).startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert (await wire.elsewhere().call("User.login", username="anna", password="U*U")).session
    assert (await wire.call("User.isAuthenticated")).result is True  # the same password: nobody is signed out


@pytest.mark.parametrize("password", ["", "a b", "abc", "x" * 100 + " y"])
async def test_passwords_outside_of_todays_rules(wire: Wire, server: InProcessServer, password: str) -> None:
    await wire.register("anna")
    put_hash(server, argon2.PasswordHasher(1, 8, 1, type=argon2.Type.I).hash(password))
    other = wire.elsewhere()
    assert (await other.call("User.login", username="anna", password=password)).session
    changed = await other.call("User.updatePassword", oldPassword=password, newPassword="new-password")
    assert changed.result == "OK"


async def test_user_without_a_password(wire: Wire, server: InProcessServer) -> None:
    await wire.register("anna")
    put_hash(server, "!")
    for password in ("!", "", "password"):
        answer = await wire.elsewhere().call("User.login", username="anna", password=password)
        assert answer.data == {"password": "Username or password is incorrect."}


async def test_hash_of_cloudboost(hasher: PasswordHasher) -> None:
    """Its servers keep PBKDF2-SHA1 with 10,000 rounds and 64 bytes, in base64, with one salt for all."""
    key = hashlib.pbkdf2_hmac("sha1", b"secret", b"secure-key", 10_000, 64)
    stored = adopt("pbkdf2_sha1$10000$secure-key$" + base64.b64encode(key).decode())
    assert await hasher.verify(stored, "secret", caller=("",))
    assert not await hasher.verify(stored, "secre", caller=("",))


# --- what comes in can be verified; what cannot is a wrong password ----------------------------------------


UNVERIFIABLE = {
    "scrypt that OpenSSL refuses": f"$scrypt$ln=16,r=1,p=1$c2FsdA${KEY}",
    "salt with bits left over": "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHR$" + KEY,
    "hash with bits left over": "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + "A" * 42 + "B",
    "number with a zero before it": "$argon2id$v=19$m=064,t=1,p=1$c29tZXNhbHQ$" + KEY,
    "short salt": "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$" + KEY,
    "cut": "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ",
    "no form at all": "md5:5f4dcc3b5aa765d61d8327deb882cf99",
}


@pytest.mark.parametrize("case", UNVERIFIABLE)
def test_what_the_libraries_refuse_is_a_line_of_the_report(quick: QuickShell, case: str) -> None:
    records = [{"username": "anna", "passwordHash": BCRYPT}, {"username": "bert", "passwordHash": UNVERIFIABLE[case]}]
    (quick.folder / "users.jsonl").write_text("\n".join(map(json.dumps, records)))
    error = quick.fails(1, "user", "import", "users.jsonl")
    assert "users.jsonl:2: passwordHash: The hash " in error
    assert "1 record is bad. Nothing was imported." in error
    assert UNVERIFIABLE[case] not in error


@pytest.mark.parametrize("case", UNVERIFIABLE)
async def test_hash_that_cannot_be_verified_is_a_wrong_password(
    wire: Wire, server: InProcessServer, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    """An older version has let it in. Its owner still gets a reset mail."""
    await wire.register("anna")
    put_hash(server, UNVERIFIABLE[case])
    for username in ("anna", "nobody"):  # for whom anna's is verified
        answer = await wire.elsewhere().call("User.login", username=username, password="password")
        assert (answer.code, answer.data) == (-32602, {"password": "Username or password is incorrect."})
    answer = await wire.call("User.updatePassword", oldPassword="password", newPassword="other")
    assert (answer.code, answer.data.keys()) == (-32602, {"oldPassword"})
    assert caplog.text.count("a password hash of another system cannot be verified: ") == 3
    assert UNVERIFIABLE[case] not in caplog.text


@pytest.mark.parametrize(
    "parameters",
    ["m=512,t=512,p=64", "m=16,t=16384,p=2", "m=8,t=262145,p=1"],  # 6.5 s, 2.7 s of a processor; too long by one
)
def test_work_of_argon2_counts_the_threads(parameters: str) -> None:
    with pytest.raises(UnusableHash, match="too long"):
        adopt(ARGON2.format(parameters))
    adopt(ARGON2.format("m=16384,t=64,p=64"))


def test_work_of_sha512_is_its_own() -> None:
    key = "A" * 86
    assert adopt(f"$pbkdf2-sha512$2500000$c2FsdA${key}")
    with pytest.raises(UnusableHash, match="not from 1 to 2,500,000"):
        adopt(f"$pbkdf2-sha512$2500001$c2FsdA${key}")


numbers = st.tuples(st.integers(0, 300), st.integers(0, 9), st.integers(0, 4))
base64_text = st.text("ABCDwxyz0189+/.=", max_size=48)


@pytest.mark.slow
@settings(max_examples=300)
@given(
    st.sampled_from(
        [
            "$argon2id$v=19$m={0},t={1},p={2}${3}${4}",
            "$argon2i$m={0},t={1},p={2}${3}${4}",
            "$scrypt$ln={1},r={1},p={2}${3}${4}",
            "scrypt:{0}:{1}:{2}${3}${4}",
            "scrypt${0}${3}${1}${2}${4}",
            "$pbkdf2-sha512${0}${3}${4}",
            "pbkdf2_sha1${0}${3}${4}",
            "$2b$05${3}{4}",
        ]
    ),
    numbers,
    base64_text,
    base64_text,
)
async def test_what_comes_in_never_raises(form: str, numbers: tuple[int, int, int], salt: str, key: str) -> None:
    try:
        stored = adopt(form.format(*numbers, salt, key))
    except UnusableHash:
        return
    with log_of_passwords() as lines:
        assert await HASHER.verify(stored, "password", caller=("",)) is False
    assert lines == []


HASHER = PasswordHasher(PasswordsConfig(memory_kib=64, iterations=1), None, Observer(), OwnTally())


@contextlib.contextmanager
def log_of_passwords() -> Iterator[list[str]]:
    lines: list[str] = []
    log = logging.getLogger("jsonrpc_backend.accounts.passwords")
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    log.addHandler(handler)
    try:
        yield lines
    finally:
        log.removeHandler(handler)
