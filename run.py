#!/usr/bin/env python3
"""Runs jsonrpc-backend from this source tree; needs nothing but Python 3.11 or later.

python3 run.py serve           installs into .venv the first time, then runs the server
python3 run.py check           the same with what tests need, then lint, types and the fast tests: a minute
python3 run.py test            runs all tests that this machine can run (more arguments go to pytest)
python3 run.py test --install  installs what else those need, as root with apt-get, then runs them
python3 run.py install-locked  installs for both, of all packages the files whose hashes are in requirements/
python3 run.py docs            writes what documents, types and config.example.toml have of the program's own statements
python3 run.py site            builds the documents as a site in build/site
python3 run.py build-argon2    compiles Argon2 for this machine's processor; sign-ins then take a third less time
python3 run.py user list       any other command of jsonrpc-backend
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
LOCKED = ROOT / "requirements"
PYTHON = VENV / "bin" / "python"

PIP_INSTALL = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]

# A link to nowhere, or a page that no other leads to, is an error.
BUILD_SITE = ["-m", "sphinx", "-q", "-W", "--keep-going", "-b", "dirhtml", "-c", "docs", ".", "build/site"]

INSTALL = "--install"

# The tests wait for much of their time.
IN_PARALLEL = ["-n", str((os.cpu_count() or 1) * 3 // 2)]

# The last one lets the server see, and say, which build it runs.
FOR_THIS_PROCESSOR = "-O3 -march=native -frecord-gcc-switches"


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 (this file runs before pip has checked)
        return _fail(f"This needs Python 3.11 or later; this is {sys.version.split()[0]}.")
    if os.name != "posix":
        return _fail("This needs Linux or macOS. On Windows run it in WSL or in a container.")
    if not arguments or arguments[0] in {"-h", "--help"}:
        print(__doc__)
        return 0
    if arguments[0] in {"check", "test"}:
        return _try(*arguments)
    if len(arguments) == 1 and arguments[0] in _COMMANDS:
        return _COMMANDS[arguments[0]]()
    return _install("") or _become([str(PYTHON), "-m", "jsonrpc_backend", *arguments])


def _try(command: str, *arguments: str) -> int:
    options = [argument for argument in arguments if argument == INSTALL]
    wanted = [argument for argument in arguments if argument != INSTALL]
    ready = _install("[test]") or _python("tests.setup", *options)
    return ready or (_check() if command == "check" else _test(*(wanted or IN_PARALLEL)))


def _check() -> int:
    """What is to pass before each commit; of all its parts, each of which has its say, the exit code."""
    with subprocess.Popen([str(PYTHON), "-m", "mypy"], cwd=ROOT) as types:  # meanwhile, for it uses one core
        failed = [_python("ruff", "check", "."), _python("ruff", "format", "--check", ".")]
        failed.append(_test("-q", "-m", "fast or lint", *IN_PARALLEL))
    return int(any([*failed, types.returncode]))


def _test(*arguments: str) -> int:
    return _python("pytest", *arguments)


def _python(module: str, *arguments: str) -> int:
    # What Python has compiled is kept, for the tests start more than a thousand processes.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.call([str(PYTHON), "-m", module, *arguments], cwd=ROOT, env=environment)


def _install(extras: str) -> int:
    """Installs the tree into .venv unless that has been done as things are now; the exit code."""
    stamp = VENV / f"installed{extras}"
    if PYTHON.is_file() and stamp.is_file() and stamp.read_text() == _state():
        return 0
    exit_code = _make_venv()
    if exit_code == 0:
        print("Installing into .venv …", flush=True)
        # PEP 517: the pip of Debian 12 would warn about packages that are published as source.
        exit_code = subprocess.call([*PIP_INSTALL, "--use-pep517", "--editable", f"{ROOT}{extras}"])
    if exit_code == 0:
        stamp.write_text(_state())
    return exit_code


def _install_locked() -> int:
    """Nothing that the network has today but what the hashes name, not even to build what is published as source."""
    hashed, by_those = ["--require-hashes", "--requirement"], "--no-build-isolation"
    steps = (
        [*hashed, str(LOCKED / "build.txt")],
        [by_those, *hashed, str(LOCKED / "test.txt")],
        [by_those, "--no-deps", "--editable", str(ROOT)],
    )
    exit_code = _make_venv()
    for step in steps:
        exit_code = exit_code or subprocess.call([*PIP_INSTALL, *step])
    for extras in ("", "[test]") if exit_code == 0 else ():
        (VENV / f"installed{extras}").write_text(_state())
    return exit_code


def _state() -> str:
    """Changes with what is to be installed. A tree that was moved or copied would run the code of the old one."""
    state = f"{ROOT}\n{sys.version}\n".encode() + (ROOT / "pyproject.toml").read_bytes()
    return hashlib.sha256(state).hexdigest()


def _make_venv() -> int:
    """A virtual environment with pip, where there is none; the exit code."""
    if not PYTHON.is_file() or subprocess.call([str(PYTHON), "-c", "import pip"], stderr=subprocess.DEVNULL) != 0:
        if importlib.util.find_spec("ensurepip") is None:
            return _fail("Python's venv module is incomplete. On Debian and Ubuntu: apt install python3-venv")
        return subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)])  # also after an interrupted run
    return 0


def _build_argon2() -> int:
    """Replaces the published build; another machine may not be able to run this one."""
    if (exit_code := _install("")) != 0:
        return exit_code
    print("Compiling Argon2 for this processor; needs a C compiler …", flush=True)
    bindings = "argon2-cffi-bindings"
    # Not from pip's cache: that may hold a build for another processor, or with other options.
    source = ["--force-reinstall", "--no-deps", "--no-cache-dir", "--no-binary", bindings, bindings]
    return subprocess.call([*PIP_INSTALL, *source], env={**os.environ, "CFLAGS": FOR_THIS_PROCESSOR})


def _build_site() -> int:
    return _install("[docs]") or subprocess.call([str(PYTHON), *BUILD_SITE], cwd=ROOT)


def _become(command: list[str]) -> NoReturn:
    """Runs the command in place of this process, so that signals reach it."""
    os.execv(command[0], command)


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def _write_docs() -> int:
    return _install("[test]") or _python("tests.derived")


_COMMANDS = {
    "install-locked": _install_locked,
    "docs": _write_docs,
    "site": _build_site,
    "build-argon2": _build_argon2,
}


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
