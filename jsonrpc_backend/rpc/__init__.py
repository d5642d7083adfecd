"""JSON-RPC 2.0 over HTTP: from the bytes of a request to a handler and back."""
