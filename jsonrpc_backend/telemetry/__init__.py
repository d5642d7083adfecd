"""What is told of a running server: events, the log, metrics."""
