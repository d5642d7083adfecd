"""JSON-RPC 2.0, whatever carries it: from the bytes of a request to a handler, and back to those of the answer."""
