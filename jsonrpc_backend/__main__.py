"""`python -m jsonrpc_backend` is the `jsonrpc-backend` command."""

from jsonrpc_backend.cli import main

if __name__ == "__main__":
    main(prog_name="jsonrpc-backend")
