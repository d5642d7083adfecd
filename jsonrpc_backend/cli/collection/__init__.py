"""`jsonrpc-backend collection`: the group's verbs, on a database or at a running server."""
