"""Which build of Argon2 runs: the published one, for any processor, or one made for this machine's."""

import importlib.util
import re
from pathlib import Path

_LIBRARY = "_argon2_cffi_bindings._ffi"

# GCC writes its options into what it compiles when asked with -frecord-gcc-switches, as `run.py build-argon2` does.
_PROCESSOR = re.compile(rb"-march=([a-z0-9][\w.+-]*)")


def processor() -> str | None:
    """The kind of processor that Argon2 was compiled for, as the compiler calls it; None: for any, or not known."""
    found = importlib.util.find_spec(_LIBRARY)
    return None if found is None or found.origin is None else compiled_for(Path(found.origin))


def compiled_for(library: Path) -> str | None:
    """The same of a library's file."""
    recorded = _PROCESSOR.search(library.read_bytes())
    return recorded[1].decode() if recorded and recorded[1] != b"x86-64" else None
