"""`jsonrpc-backend user`: the group's verbs, on a database or at a running server."""
