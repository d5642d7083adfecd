"""`python -m tests.serve_once …`: `jsonrpc-backend serve …` on a free port, told to stop once it is up."""

import signal
import subprocess
import sys

if __name__ == "__main__":
    command = [sys.executable, "-m", "jsonrpc_backend", "serve", "--port", "0", *sys.argv[1:]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        up = any("Press Ctrl+C" in line for line in server.stdout)
        server.send_signal(signal.SIGTERM)
    sys.exit(server.returncode if up else 1)
