"""Compiles Argon2 for this machine as an operator would, and looks whether the server then runs it and says so."""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from check_wheel import ROOT, served, try_server

PYTHON = ROOT / ".venv" / "bin" / "python"

# Hashes must be the same whatever computes them, or nobody could sign in after a change of the build.
KNOWN = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21l$LN0RCdH3UM/h2ivl8kWXIou7Qf59z3V4TLE9/lqsjzU"
VERIFY = "import argon2, sys; argon2.PasswordHasher().verify(sys.argv[1], 'password')"
PROCESSOR = "from jsonrpc_backend.accounts.argon2_build import processor; print(processor() or '')"


def main() -> None:
    subprocess.check_call([PYTHON, "-c", VERIFY, KNOWN])
    subprocess.check_call([sys.executable, str(ROOT / "run.py"), "build-argon2"])
    subprocess.check_call([PYTHON, "-c", VERIFY, KNOWN])
    processor = subprocess.check_output([PYTHON, "-c", PROCESSOR], text=True).strip()
    assert processor, "the build does not say which processor it is for"
    program = PYTHON.with_name("jsonrpc-backend")
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), program) as (endpoint, body):
        try_server(endpoint, body)
    print(f"Argon2 is built for {processor}.")


if __name__ == "__main__":
    main()
