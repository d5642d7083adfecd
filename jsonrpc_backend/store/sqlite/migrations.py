"""The schema, as the steps that lead to it. Append only: a released step never changes.

`PRAGMA user_version` of a file counts the steps that it has taken.
"""

from jsonrpc_backend.store.sqlite.early_migrations import EARLY_MIGRATIONS

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    *EARLY_MIGRATIONS,
    (
        # How many users have signed in on a device (device: of its digest), to tell the id of an installation from that
        # of an app; NULL until it is used again. And from where: some bits of a digest, see accounts/origins.py.
        "ALTER TABLE known_devices ADD COLUMN device BLOB",
        "CREATE INDEX known_devices_device ON known_devices (device)",
        """
        CREATE TABLE known_places (
            user_key INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            place    BLOB    NOT NULL,
            used_at  INTEGER NOT NULL,
            PRIMARY KEY (user_key, place)
        ) STRICT, WITHOUT ROWID
        """,
        # Who has asked for a reset mail (a digest, empty: an operator), so that it does not replace a token that
        # somebody else has asked for; and of whose share of the mails it is: NULL of that of all strangers together.
        "ALTER TABLE password_reset_requests ADD COLUMN requester BLOB NOT NULL DEFAULT x''",
        "ALTER TABLE password_reset_requests ADD COLUMN share BLOB",
        "ALTER TABLE mails ADD COLUMN share BLOB",
        """
        CREATE TABLE tokens_by_requester (
            user_key    INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            requester   BLOB    NOT NULL,
            digest      BLOB    NOT NULL,
            created_at  INTEGER NOT NULL,
            wrong_tries INTEGER NOT NULL,
            expires_at  INTEGER,
            PRIMARY KEY (user_key, requester)
        ) STRICT
        """,
        """
        INSERT INTO tokens_by_requester (user_key, requester, digest, created_at, wrong_tries, expires_at)
        SELECT user_key, x'', digest, created_at, wrong_tries, expires_at FROM password_reset_tokens
        """,
        "DROP TABLE password_reset_tokens",
        "ALTER TABLE tokens_by_requester RENAME TO password_reset_tokens",
        # Since when a user may not sign in, ms since 1970 UTC.
        "ALTER TABLE users ADD COLUMN disabled_at INTEGER",
        # The existing user whom a failure is about: so operators can see who has to wait, and let them in.
        "ALTER TABLE attempts ADD COLUMN user_key INTEGER",
        "CREATE INDEX attempts_user ON attempts (user_key, at) WHERE user_key IS NOT NULL",
        # Sessions and families end with the version of the password that they began with, and with the user. Their rows
        # are removed in steps, hence no foreign keys between users, families, tokens and sessions any more; leftovers
        # has the users of whom there is something to remove. In this order, for what is dropped takes with it what
        # refers to it.
        #
        # used_at: when a token was presented first. Of tokens that are superseded the latest 50 of a family stay.
        """
        DELETE FROM login_tokens WHERE digest IN (
            SELECT digest FROM (
                SELECT digest, row_number() OVER (PARTITION BY family_key ORDER BY superseded, created_at DESC) AS rank
                FROM login_tokens WHERE family_key IN
                    (SELECT family_key FROM login_tokens GROUP BY family_key HAVING count(*) > 50)
            ) WHERE rank > 50
        )
        """,
        """
        CREATE TABLE new_login_tokens (
            digest     BLOB    PRIMARY KEY,
            family_key INTEGER NOT NULL,
            parent     BLOB,
            superseded INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL,
            used_at    INTEGER
        ) STRICT, WITHOUT ROWID
        """,
        """
        INSERT INTO new_login_tokens (digest, family_key, parent, superseded, created_at, used_at)
        SELECT digest, family_key, login_tokens.parent, superseded, created_at, first_use.at
        FROM login_tokens LEFT JOIN
            (SELECT parent, min(created_at) AS at FROM login_tokens WHERE parent IS NOT NULL GROUP BY parent)
            AS first_use ON first_use.parent = digest
        ORDER BY digest
        """,
        "DROP TABLE login_tokens",
        "ALTER TABLE new_login_tokens RENAME TO login_tokens",
        """
        CREATE TABLE new_sessions (
            digest           BLOB    PRIMARY KEY,
            user_key         INTEGER NOT NULL,
            family_key       INTEGER,
            password_version INTEGER NOT NULL DEFAULT 1,
            created_at       INTEGER NOT NULL,
            used_at          INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        """
        INSERT INTO new_sessions (digest, user_key, family_key, password_version, created_at, used_at)
        SELECT digest, user_key, family_key, password_version, sessions.created_at, used_at
        FROM sessions JOIN users ON users.key = user_key
        """,
        "DROP TABLE sessions",
        "ALTER TABLE new_sessions RENAME TO sessions",
        "CREATE INDEX sessions_user ON sessions (user_key, created_at)",
        "CREATE INDEX sessions_family ON sessions (family_key, created_at)",
        "CREATE INDEX sessions_used ON sessions (used_at)",
        "CREATE INDEX sessions_created ON sessions (created_at)",
        # stem: SHA-256 of the part that the tokens of a family have in common; NULL where they were made without, until
        # one is used. renewed_at: when the latest token was made. uses: how many since uses_since, for the throttle.
        """
        CREATE TABLE new_login_families (
            key              INTEGER PRIMARY KEY AUTOINCREMENT,
            user_key         INTEGER NOT NULL,
            device           TEXT    NOT NULL,
            password_version INTEGER NOT NULL DEFAULT 1,
            stem             BLOB,
            renewed_at       INTEGER NOT NULL,
            uses             INTEGER NOT NULL DEFAULT 0,
            uses_since       INTEGER NOT NULL DEFAULT 0
        ) STRICT
        """,
        """
        INSERT INTO new_login_families (key, user_key, device, password_version, renewed_at)
        SELECT login_families.key, user_key, device, password_version, coalesce(latest.at, 0)
        FROM login_families JOIN users ON users.key = user_key LEFT JOIN
            (SELECT family_key, max(created_at) AS at FROM login_tokens GROUP BY family_key)
            AS latest ON latest.family_key = login_families.key
        """,
        "DROP TABLE login_families",
        "ALTER TABLE new_login_families RENAME TO login_families",
        "CREATE INDEX login_families_user ON login_families (user_key, device)",
        "CREATE INDEX login_families_age ON login_families (user_key, key)",
        "CREATE INDEX login_families_stem ON login_families (stem)",
        "CREATE INDEX login_families_renewed ON login_families (renewed_at)",
        "CREATE INDEX login_tokens_family ON login_tokens (family_key)",
        "CREATE TABLE leftovers (user_key INTEGER PRIMARY KEY) STRICT",
        # Whether a session was opened with the password. Addresses that have to wait before reset mails go there, what
        # users are to be told of that, and to which address a token was mailed.
        "ALTER TABLE sessions ADD COLUMN by_password INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE password_reset_tokens ADD COLUMN recipient TEXT",
        """
        CREATE TABLE reset_addresses (
            user_key    INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            property    TEXT    NOT NULL,
            meanwhile   TEXT,
            counts_from INTEGER NOT NULL,
            PRIMARY KEY (user_key, property)
        ) STRICT, WITHOUT ROWID
        """,
        # The operator's list of properties that may hold addresses, kept to see what is new in it: of what users up to
        # last_user_before had saved there before, nobody was told.
        """
        CREATE TABLE email_properties (
            name             TEXT    PRIMARY KEY,
            last_user_before INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        """
        CREATE TABLE address_notices (
            key         INTEGER PRIMARY KEY,
            user_key    INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            recipient   TEXT    NOT NULL,
            property    TEXT    NOT NULL,
            address     TEXT,
            counts_from INTEGER NOT NULL,
            due_at      INTEGER NOT NULL DEFAULT 0
        ) STRICT
        """,
        "CREATE INDEX address_notices_user ON address_notices (user_key)",
        "CREATE INDEX mails_recipient ON mails (created_at, recipient)",
        # What usernames look like, for backends that refuse one that looks like another. version: of the data by which.
        """
        CREATE TABLE look_alikes (
            user_key INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
            skeleton TEXT    NOT NULL,
            version  TEXT    NOT NULL
        ) STRICT
        """,
        "CREATE INDEX look_alikes_skeleton ON look_alikes (skeleton)",
    ),
    (
        # default_*: the rights of everybody to new items. indexes: a JSON object, property -> whether it is built.
        """
        CREATE TABLE collections (
            key               INTEGER PRIMARY KEY AUTOINCREMENT,
            name              TEXT    NOT NULL UNIQUE,
            insertable        INTEGER NOT NULL,
            default_read      INTEGER NOT NULL,
            default_write     INTEGER NOT NULL,
            delete_with_owner TEXT    NOT NULL,
            indexes           TEXT    NOT NULL,
            created_at        INTEGER NOT NULL
        ) STRICT
        """,
        # owner: the public id of a user, who may come later than the item. device: the owner where owner is NULL.
        # Neither they nor the collection are references: what is deleted takes its items with it in slices.
        """
        CREATE TABLE items (
            key          INTEGER PRIMARY KEY AUTOINCREMENT,
            collection   INTEGER NOT NULL,
            id           TEXT    NOT NULL,
            owner        TEXT,
            device       TEXT,
            public_read  INTEGER NOT NULL,
            public_write INTEGER NOT NULL,
            created_at   INTEGER NOT NULL,
            updated_at   INTEGER NOT NULL,
            properties   TEXT    NOT NULL
        ) STRICT
        """,
        "CREATE UNIQUE INDEX items_id ON items (collection, id)",
        "CREATE INDEX items_everything ON items (collection, created_at)",
        "CREATE INDEX items_public ON items (collection, public_read, created_at)",
        "CREATE INDEX items_owner ON items (owner, collection, public_read, created_at) WHERE owner IS NOT NULL",
        "CREATE INDEX items_device ON items (device, collection, public_read, created_at) WHERE device IS NOT NULL",
        # opens: the user can read the item because of this grant alone. collection, created_at: those of the item.
        """
        CREATE TABLE grants (
            item       INTEGER NOT NULL,
            user       TEXT    NOT NULL,
            reads      INTEGER NOT NULL,
            writes     INTEGER NOT NULL,
            collection INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            opens      INTEGER NOT NULL,
            PRIMARY KEY (item, user)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX grants_opening ON grants (user, collection, opens, created_at, item)",
        # Of operators' indexes: the rank of a value's type, and the number or the beginning of the string.
        """
        CREATE TABLE item_values (
            item       INTEGER NOT NULL,
            property   TEXT    NOT NULL,
            collection INTEGER NOT NULL,
            rank       INTEGER NOT NULL,
            number     ANY     NOT NULL,
            string     TEXT    NOT NULL,
            PRIMARY KEY (item, property)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX item_values_sorted ON item_values (collection, property, rank, number, string, item)",
        # What is left to be done in slices: remove what a user, a collection or an index has left, or build an index.
        # after: the key of the item that has been done last.
        """
        CREATE TABLE upkeep (
            key        INTEGER PRIMARY KEY AUTOINCREMENT,
            kind       TEXT    NOT NULL,
            name       TEXT    NOT NULL,
            collection INTEGER NOT NULL,
            after      INTEGER NOT NULL
        ) STRICT
        """,
        # device: the digest of its id, for who knows that acts as the device.
        """
        CREATE TABLE devices (
            device     BLOB    PRIMARY KEY,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            properties TEXT    NOT NULL
        ) STRICT, WITHOUT ROWID
        """,
        # What operators do with collections: the name of one, and of items what user_ids and users say of users.
        "ALTER TABLE audit ADD COLUMN collection TEXT",
        "ALTER TABLE audit ADD COLUMN item_ids TEXT NOT NULL DEFAULT '[]'",
        "ALTER TABLE audit ADD COLUMN items INTEGER NOT NULL DEFAULT 0",
        # Of an app, for its limit. month: when it began, ms since 1970 UTC.
        """
        CREATE TABLE call_counts (
            month INTEGER PRIMARY KEY,
            calls INTEGER NOT NULL
        ) STRICT
        """,
    ),
)
