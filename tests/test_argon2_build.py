"""Which build of Argon2 runs can be told. (.ci/check_argon2_build.py makes one; that takes a compiler and a while.)"""

from pathlib import Path

import pytest

from jsonrpc_backend.accounts import argon2_build
from tests.servers import ServerProcess


def test_server_says_which_build_runs(served: ServerProcess) -> None:
    assert f"built for {argon2_build.processor() or 'any processor'}" in served.output


def test_library_without_a_record_is_for_any_processor(tmp_path: Path) -> None:
    (tmp_path / "library.so").write_bytes(b"\x7fELF and code")
    assert argon2_build.compiled_for(tmp_path / "library.so") is None


@pytest.mark.parametrize(
    ("recorded", "processor"),
    [
        (b"GNU C17 12.2.0 -march=znver3 -mmmx -O3", "znver3"),
        (b"GNU C17 13.2.0 -march=armv8.2-a+crypto -O3", "armv8.2-a+crypto"),
        (b"GNU C17 12.2.0 -mtune=generic -march=x86-64 -O3", None),
    ],
)
def test_record_names_the_processor(recorded: bytes, processor: str | None, tmp_path: Path) -> None:
    (tmp_path / "library.so").write_bytes(b"\x7fELF\0" + recorded + b"\0")
    assert argon2_build.compiled_for(tmp_path / "library.so") == processor
