"""The web servers of `examples/` in front of a server: nginx and Caddy, with the shipped files.

Only what belongs to the machine is changed in those files: ports, the certificate and where the server listens.
"""

import contextlib
import os
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.patience import HANG_SECONDS
from tests.ports import reserved_port
from tests.setup import program

EXAMPLES = Path(__file__).parent.parent / "examples"


@dataclass
class Proxy:
    """A web server with TLS; looks like the server behind it to those who call."""

    url: str
    plain_url: str
    backend_id: str
    api_key: str

    @property
    def endpoint(self) -> str:
        return f"{self.url}/json-rpc/{self.backend_id}"


def changed(text: str, changes: Mapping[str, str]) -> str:
    """The text with each of these replaced; each must be there."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in the file"
        text = text.replace(old, new)
    return text


def nginx_file(folder: Path, upstream: str, tls_port: int, plain_port: int, changes: Mapping[str, str]) -> Path:
    """A complete configuration around the shipped site."""
    site = changed(
        (EXAMPLES / "nginx.conf").read_text(encoding="utf-8"),
        {
            "    listen [::]:80;\n": "",
            "    listen [::]:443 ssl;\n": "",
            "listen 80;": f"listen 127.0.0.1:{plain_port};",
            "listen 443 ssl;": f"listen 127.0.0.1:{tls_port} ssl;",
            "/etc/letsencrypt/live/example.com/fullchain.pem": str(folder / "server.pem"),
            "/etc/letsencrypt/live/example.com/privkey.pem": str(folder / "server.pem"),
            "server 127.0.0.1:8080;": f"server {upstream};",
            **changes,
        },
    )
    (folder / "site.conf").write_text(site, encoding="utf-8")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""  # else its workers cannot enter the test's folder
    (folder / "nginx.conf").write_text(
        f"{user}pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nworker_processes 1;\n"
        f"events {{ worker_connections 256; }}\n"
        f"http {{\n    access_log {folder}/access.log;\n{paths}    include {folder}/site.conf;\n}}\n",
        encoding="utf-8",
    )
    return folder / "nginx.conf"


def caddy_file(folder: Path, upstream: str, tls_port: int, plain_port: int, changes: Mapping[str, str]) -> Path:
    text = changed(
        (EXAMPLES / "Caddyfile").read_text(encoding="utf-8"),
        {
            "\n{\n": f"\n{{\n\tadmin off\n\thttp_port {plain_port}\n\thttps_port {tls_port}\n",
            "example.com {": f"https://127.0.0.1 {{\n\tbind 127.0.0.1\n\ttls {folder}/server.pem {folder}/server.pem",
            "reverse_proxy 127.0.0.1:8080": f"reverse_proxy {upstream}",
            **changes,
        },
    )
    (folder / "Caddyfile").write_text(text, encoding="utf-8")
    return folder / "Caddyfile"


def run_nginx(config: Path, *arguments: str) -> str:
    """Runs nginx; as a server it is in the background when this returns, and listens."""
    error_log = str(config.with_name("error.log"))
    return _run(config.parent, program("nginx"), "-e", error_log, "-c", str(config), *arguments)


def run_caddy(config: Path, command: str, *arguments: str) -> str:
    """Runs Caddy; after `start` it is in the background, and listens."""
    return _run(config.parent, program("caddy"), command, "--adapter", "caddyfile", "--config", str(config), *arguments)


def _run(folder: Path, *command: str) -> str:
    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    # Not a pipe: what stays in the background would keep it open.
    with (folder / "output").open("wb") as output:
        done = subprocess.run(
            command, stdout=output, stderr=output, env=environment, cwd=folder, timeout=HANG_SECONDS, check=False
        )
    text = (folder / "output").read_text(encoding="utf-8")
    assert done.returncode == 0, text
    return text


@contextlib.contextmanager
def proxied(
    name: str, folder: Path, upstream_url: str, api_key: str, changes: Mapping[str, str] | None = None
) -> Iterator[Proxy]:
    """nginx or Caddy in front of a server, with the certificate that is in the folder."""
    with reserved_port() as tls_port, reserved_port() as plain_port:
        upstream = upstream_url.removeprefix("http://")
        pid_file = folder / f"{name}.pid"
        if name == "nginx":
            run_nginx(nginx_file(folder, upstream, tls_port, plain_port, changes or {}))
        else:
            run_caddy(
                caddy_file(folder, upstream, tls_port, plain_port, changes or {}), "start", "--pidfile", str(pid_file)
            )
        try:
            yield Proxy(f"https://127.0.0.1:{tls_port}", f"http://127.0.0.1:{plain_port}", "app", api_key)
        finally:
            _end(int(pid_file.read_text(encoding="ascii")))


def _end(process_id: int) -> None:
    process = os.pidfd_open(process_id)
    try:
        signal.pidfd_send_signal(process, signal.SIGTERM)
        ended, _, _ = select.select([process], [], [], HANG_SECONDS)
        assert ended, "the web server has not stopped"
    finally:
        os.close(process)
