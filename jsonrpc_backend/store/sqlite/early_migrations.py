"""The first steps of migrations.py."""

EARLY_MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        # Times are milliseconds since 1970 UTC. password_version counts changes of the password (not of its
        # hash): what was verified against an older one does not count any more. AUTOINCREMENT, so that a call about
        # a user who is deleted meanwhile never finds another one under the same key.
        """
        CREATE TABLE users (
            key              INTEGER PRIMARY KEY AUTOINCREMENT,
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
            key      INTEGER PRIMARY KEY AUTOINCREMENT,
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
    (
        """
        CREATE TABLE password_reset_requests (
            key            INTEGER PRIMARY KEY,
            username_key   TEXT    NOT NULL,
            email_property TEXT    NOT NULL,
            template       TEXT    NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE password_reset_tokens (
            user_key    INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
            digest      BLOB    NOT NULL,
            created_at  INTEGER NOT NULL,
            wrong_tries INTEGER NOT NULL
        ) STRICT
        """,
        """
        CREATE TABLE mails (
            key        INTEGER PRIMARY KEY,
            user_key   INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            message_id TEXT    NOT NULL,
            template   TEXT    NOT NULL,
            recipient  TEXT    NOT NULL,
            sealed     BLOB,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            attempts   INTEGER NOT NULL DEFAULT 0,
            next_at    INTEGER,
            sent_at    INTEGER,
            last_error TEXT
        ) STRICT
        """,
        "CREATE INDEX mails_user ON mails (user_key)",
        "CREATE INDEX mails_next ON mails (next_at) WHERE next_at IS NOT NULL",
        "CREATE INDEX mails_created ON mails (created_at)",
    ),
    (
        # What counts against a limit: who has done what (a digest) when. Rows older than the window are purged.
        "CREATE TABLE attempts (key INTEGER PRIMARY KEY, scope BLOB NOT NULL, at INTEGER NOT NULL) STRICT",
        "CREATE INDEX attempts_scope ON attempts (scope, at)",
        "CREATE INDEX attempts_at ON attempts (at)",
        # Devices that have signed in as a user, also after signing out. digest: SHA-256 of username key and device.
        """
        CREATE TABLE known_devices (
            digest   BLOB    PRIMARY KEY,
            user_key INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            used_at  INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX known_devices_user ON known_devices (user_key, used_at)",
        # Whose hash is verified for usernames that nobody has: each user draws a random lot; and the secret that gives
        # each unknown username its own.
        "ALTER TABLE users ADD COLUMN lot INTEGER NOT NULL DEFAULT 0",
        "UPDATE users SET lot = random()",
        "CREATE INDEX users_lot ON users (lot)",
        "CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
        "INSERT INTO secrets (name, value) VALUES ('unknown users', randomblob(32))",
        # What is written where there is no token whose wrong tries could be counted: a flush of the disk takes time.
        "CREATE TABLE reset_tries_without_token (tries INTEGER NOT NULL) STRICT",
        "INSERT INTO reset_tries_without_token (tries) VALUES (0)",
        # In the order of their age, to find those beyond the number that a user may have.
        "DROP INDEX sessions_user",
        "CREATE INDEX sessions_user ON sessions (user_key, created_at)",
        "CREATE INDEX login_families_age ON login_families (user_key, key)",
    ),
    (
        # What operators changed. actor: the label of a management key, or a user of the operating system.
        # users: how many; user_ids: a JSON array of the first of them. address: NULL on the command line.
        """
        CREATE TABLE audit (
            key        INTEGER PRIMARY KEY AUTOINCREMENT,
            created_at INTEGER NOT NULL,
            via        TEXT    NOT NULL,
            actor      TEXT    NOT NULL,
            method     TEXT    NOT NULL,
            user_ids   TEXT    NOT NULL,
            users      INTEGER NOT NULL,
            address    TEXT
        ) STRICT
        """,
        "CREATE INDEX audit_created ON audit (created_at)",
        # Mailings: a request waits until it is due (ms since 1970 UTC), and its token is valid for longer than others
        # (NULL: as configured), until expires_at.
        "ALTER TABLE password_reset_requests ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE password_reset_requests ADD COLUMN valid_minutes INTEGER",
        "CREATE INDEX password_reset_requests_due ON password_reset_requests (due_at)",
        "ALTER TABLE password_reset_tokens ADD COLUMN expires_at INTEGER",
    ),
)
