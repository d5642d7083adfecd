"""SQLite as the engine: one file for each backend."""
