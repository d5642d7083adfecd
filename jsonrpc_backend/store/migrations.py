"""The schema, as the steps that lead to it. Append only: a released step never changes.

`PRAGMA user_version` of a file counts the steps that it has taken.
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Times are milliseconds since 1970 UTC. password_version counts changes of the password (not of its
        # hash): what was verified against an older one does not count any more.
        """
        CREATE TABLE users (
            key              INTEGER PRIMARY KEY,
            id               TEXT    NOT NULL UNIQUE,
            username         TEXT    NOT NULL,
            username_key     TEXT    NOT NULL UNIQUE,
            password_hash    TEXT    NOT NULL,
            password_version INTEGER NOT NULL DEFAULT 1,
            created_at       INTEGER NOT NULL,
            updated_at       INTEGER NOT NULL,
            properties       TEXT    NOT NULL DEFAULT '{}'
        ) STRICT
        """,
        # All login tokens that descend from one sign-in, on one device.
        """
        CREATE TABLE login_families (
            key      INTEGER PRIMARY KEY,
            user_key INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            device   TEXT    NOT NULL
        ) STRICT
        """,
        "CREATE INDEX login_families_user ON login_families (user_key, device)",
        # digest and parent are SHA-256. A token is superseded once one of its successors has been presented.
        """
        CREATE TABLE login_tokens (
            digest     BLOB    PRIMARY KEY,
            family_key INTEGER NOT NULL REFERENCES login_families ON DELETE CASCADE,
            parent     BLOB,
            superseded INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX login_tokens_family ON login_tokens (family_key)",
        "CREATE INDEX login_tokens_created ON login_tokens (created_at)",
        """
        CREATE TABLE sessions (
            digest     BLOB    PRIMARY KEY,
            user_key   INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            family_key INTEGER REFERENCES login_families ON DELETE SET NULL,
            created_at INTEGER NOT NULL,
            used_at    INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX sessions_user ON sessions (user_key)",
        "CREATE INDEX sessions_family ON sessions (family_key)",
        "CREATE INDEX sessions_used ON sessions (used_at)",
        "CREATE INDEX sessions_created ON sessions (created_at)",
    ),
)
