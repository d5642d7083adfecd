"""Password hashes that moved-in users bring from other systems, until their first sign-in replaces them by ours.

| form | written by |
|---|---|
| `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, also `argon2i`, `argon2d`, without `v=` | Argon2, PHP, Django |
| `$2a$12$…`, `$2b$12$…`, `$2y$12$…` | bcrypt: Parse Server, PHP, Rails, Node, Django |
| `$scrypt$ln=16,r=8,p=1$salt$hash` (base64) | passlib, @phc/scrypt |
| `scrypt:32768:8:1$salt$hash` (text, hex) | Werkzeug, Flask |
| `scrypt$16384$salt$8$1$hash` (text, base64) | Django |
| `$pbkdf2-sha256$29000$salt$hash` (base64), also `$i=29000$`, `$pbkdf2$` (SHA-1), `-sha512` | passlib, PHC |
| `pbkdf2:sha256:600000$salt$hash` (text, hex), also `sha1`, `sha512` | Werkzeug, Flask |
| `pbkdf2_sha256$600000$salt$hash` (text, base64), also `pbkdf2_sha1` | Django; CloudBoost's hashes can be written so |

One verification takes at most about two seconds and 256 MiB: costlier hashes are refused when they come in, for a
sign-in must not be able to stop the server. The bounds are what took two seconds of a processor of 2026, each measured
by itself. What no bound tells, whether OpenSSL can do it as it is built here, is tried once for each set of parameters.
"""

import base64
import binascii
import functools
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

import bcrypt

MAX_LENGTH = 1024
MAX_BCRYPT_COST = 15
MAX_PBKDF2_ROUNDS = {"sha1": 4_000_000, "sha256": 4_000_000, "sha512": 2_500_000}  # iterations times blocks of the key
MAX_MEMORY_KIB = 262_144
MAX_SCRYPT_WORK = 2**22  # N * r * p
MAX_ARGON2_WORK_KIB = 2**21  # memory times passes
MAX_LANES = 64
MAX_LANES_WORK = 2**12  # lanes times passes: with several lanes, four threads are started for each lane in each pass

_DIGEST_BYTES = {"sha1": 20, "sha256": 32, "sha512": 64}

# Hashes that are shorter fit too many passwords, longer ones were made by nobody.
KEY_BYTES = range(16, 129)

BCRYPT_BYTES = 72  # bcrypt never looks at more of a password


class UnusableHash(Exception):
    """The text is no hash that can be verified here; the message, the end of a sentence, says why."""


@dataclass(frozen=True, slots=True)
class _Bcrypt:
    encoded: str

    def check(self) -> None:
        if not 4 <= int(self.encoded[4:6]) <= MAX_BCRYPT_COST:
            raise UnusableHash(f"has a bcrypt cost that is not from 4 to {MAX_BCRYPT_COST}")

    def matches(self, password: bytes) -> bool:
        # The library refuses longer ones since its version 5; whoever made the hash has cut them.
        return bcrypt.checkpw(password[:BCRYPT_BYTES], self.encoded.encode())


@dataclass(frozen=True, slots=True)
class _Pbkdf2:
    digest: str
    iterations: int
    salt: bytes
    key: bytes

    def check(self) -> None:
        _check_key(self.key)
        blocks = -(-len(self.key) // _DIGEST_BYTES[self.digest])
        most = MAX_PBKDF2_ROUNDS[self.digest] // blocks
        if not 1 <= self.iterations <= most:
            raise UnusableHash(f"has PBKDF2 iterations that are not from 1 to {most:,}")
        _try_pbkdf2(self.digest)

    def matches(self, password: bytes) -> bool:
        found = hashlib.pbkdf2_hmac(self.digest, password, self.salt, self.iterations, len(self.key))
        return hmac.compare_digest(found, self.key)


@dataclass(frozen=True, slots=True)
class _Scrypt:
    n: int
    r: int
    p: int
    salt: bytes
    key: bytes

    def check(self) -> None:
        _check_key(self.key)
        if min(self.n - 1, self.r, self.p) < 1 or self.n & (self.n - 1):
            raise UnusableHash("has scrypt parameters that do not exist (N must be a power of 2; r and p from 1)")
        if self._kib > MAX_MEMORY_KIB or self.n * self.r * self.p > MAX_SCRYPT_WORK:
            raise UnusableHash(f"has scrypt parameters that take more than {MAX_MEMORY_KIB // 1024} MiB or too long")
        _try_scrypt(self.n, self.r, self.p)

    @property
    def _kib(self) -> int:
        return (self.n + self.p) * self.r // 8

    def matches(self, password: bytes) -> bool:
        found = _scrypt(password, self.salt, n=self.n, r=self.r, p=self.p, length=len(self.key))
        return hmac.compare_digest(found, self.key)


_Hash = _Bcrypt | _Pbkdf2 | _Scrypt


def _scrypt(password: bytes, salt: bytes, *, n: int, r: int, p: int, length: int) -> bytes:
    most = 128 * r * (n + p) + (4 << 20)  # OpenSSL's own limit is lower, and counts a little more than the memory
    return hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=most, dklen=length)


@functools.lru_cache(256)
def _try_scrypt(n: int, r: int, p: int) -> None:
    """Raises UnusableHash for parameters that this build of OpenSSL refuses, such as a large N with a small r."""
    try:
        _scrypt(b"", b"", n=n, r=r, p=p, length=KEY_BYTES.start)
    except Exception as error:
        raise UnusableHash("has scrypt parameters that OpenSSL on this machine cannot do") from error


@functools.lru_cache(8)
def _try_pbkdf2(digest: str) -> None:
    """Raises UnusableHash for a digest that this build of OpenSSL lacks or forbids."""
    try:
        hashlib.pbkdf2_hmac(digest, b"", b"", 1)
    except Exception as error:
        raise UnusableHash(f"is made with {digest}, which OpenSSL on this machine cannot do") from error


def _check_key(key: bytes) -> None:
    if len(key) not in KEY_BYTES:
        raise UnusableHash(f"holds {len(key)} bytes; a hash has {KEY_BYTES.start} to {KEY_BYTES.stop - 1}")


def _base64(text: str) -> bytes:
    """Base64 with or without padding, with `+` or with passlib's `.` for it."""
    bare = text.rstrip("=").replace(".", "+")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error as error:
        raise UnusableHash("is cut or damaged") from error


def _is_canonical(text: str) -> bool:
    """Whether base64 without padding has no bits left over."""
    return base64.b64encode(_base64(text)).decode().rstrip("=") == text


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise UnusableHash("is cut or damaged") from error


# Six digits more than any bound: Python takes quadratic time to read long numbers.
_N = r"([0-9]{1,12})"
_B64 = r"([A-Za-z0-9+/.]*={0,2})"
_TEXT = r"([^$]*)"
_HEX = r"([0-9a-fA-F]+)"

_FORMS: tuple[tuple[re.Pattern[str], Callable[..., _Hash]], ...] = (
    (
        # The last characters of salt and hash hold fewer bits than others; a text with more of them is damaged.
        re.compile(r"(\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26])"),
        _Bcrypt,
    ),
    (
        re.compile(rf"\$scrypt\$ln={_N},r={_N},p={_N}\${_B64}\${_B64}"),
        # An exponent past 40 is past every bound; do not compute it.
        lambda ln, r, p, salt, key: _Scrypt(2 ** min(int(ln), 40), int(r), int(p), _base64(salt), _base64(key)),
    ),
    (
        re.compile(rf"scrypt:{_N}:{_N}:{_N}\${_TEXT}\${_HEX}"),
        lambda n, r, p, salt, key: _Scrypt(int(n), int(r), int(p), salt.encode(), _hex(key)),
    ),
    (
        re.compile(rf"scrypt\${_N}\${_TEXT}\${_N}\${_N}\${_B64}"),
        lambda n, salt, r, p, key: _Scrypt(int(n), int(r), int(p), salt.encode(), _base64(key)),
    ),
    (
        re.compile(rf"\$pbkdf2(?:-(sha1|sha256|sha512))?\$(?:i=)?{_N}(?:,l=[0-9]+)?\${_B64}\${_B64}"),
        lambda digest, i, salt, key: _Pbkdf2(digest or "sha1", int(i), _base64(salt), _base64(key)),
    ),
    (
        re.compile(rf"pbkdf2:(sha1|sha256|sha512):{_N}\${_TEXT}\${_HEX}"),
        lambda digest, i, salt, key: _Pbkdf2(digest, int(i), salt.encode(), _hex(key)),
    ),
    (
        re.compile(rf"pbkdf2_(sha1|sha256)\${_N}\${_TEXT}\${_B64}"),
        lambda digest, i, salt, key: _Pbkdf2(digest, int(i), salt.encode(), _base64(key)),
    ),
)

_ARGON2 = re.compile(rf"\$argon2(?:id|i|d)(?:\$v=(?:16|19))?\$m={_N},t={_N},p={_N}\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")

# Django puts the name of its class before forms that have a name of their own.
_DJANGO = re.compile(r"argon2(?=\$argon2)|bcrypt\$(?=\$2)")


def looks_like_hash(text: str) -> bool:
    """Whether a text that should be a password is rather the hash of one."""
    bare = _DJANGO.sub("", text, count=1)
    return any(pattern.fullmatch(bare) for pattern in (_ARGON2, *(pattern for pattern, _ in _FORMS)))


def adopt(text: str) -> str:
    """A hash in one of the forms above, as it is stored. Raises UnusableHash for what no sign-in could verify."""
    if len(text) > MAX_LENGTH:
        raise UnusableHash(f"is longer than {MAX_LENGTH} characters")
    bare = _DJANGO.sub("", text, count=1)
    argon2 = _ARGON2.fullmatch(bare)
    if argon2 is not None:
        _check_argon2(*argon2.groups())
    else:
        _parse(bare).check()
    return bare


def matches(stored_hash: str, password: str) -> bool:
    """Whether an adopted hash, other than Argon2, was made of this password. Takes as long as its parameters say."""
    return _parse(stored_hash).matches(password.encode())


def _parse(text: str) -> _Hash:
    for pattern, make in _FORMS:
        found = pattern.fullmatch(text)
        if found is not None:
            return make(*found.groups())
    raise UnusableHash("is in no known form (Argon2, bcrypt, scrypt, PBKDF2: see docs/moving-in.md)")


def _check_argon2(memory: str, passes: str, lanes: str, salt: str, key: str) -> None:
    m, t, p = int(memory), int(passes), int(lanes)
    # Its library reads strictly, and it would be at a sign-in that it refuses.
    if (memory, passes, lanes) != (str(m), str(t), str(p)) or not (_is_canonical(salt) and _is_canonical(key)):
        raise UnusableHash("is cut or damaged")
    _check_key(_base64(key))
    if len(_base64(salt)) < 8:
        raise UnusableHash("has a salt of less than 8 bytes, which Argon2 does not allow")
    if not 1 <= p <= MAX_LANES or m < 8 * p or t < 1:
        raise UnusableHash("has Argon2 parameters that do not exist")
    if m > MAX_MEMORY_KIB or m * t > MAX_ARGON2_WORK_KIB or (p > 1 and t * p > MAX_LANES_WORK):
        raise UnusableHash(f"has Argon2 parameters that take more than {MAX_MEMORY_KIB // 1024} MiB or too long")
