-- {"password": "annas-password", "session": "e337cdb7597edbcd6cd194fae03c6f0c0e8ed34eed607328ec8ef7f7565be637", "loginToken": "2c7d91cde295bcdc2e6ce45ec853874c8c41d3213e43e807b5305cd8bd0ce2ed"}
PRAGMA application_id = 1246908482;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE login_families (
            key      INTEGER PRIMARY KEY AUTOINCREMENT,
            user_key INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            device   TEXT    NOT NULL
        ) STRICT
        ;
INSERT INTO "login_families" VALUES(1,1,'device-1');
CREATE TABLE login_tokens (
            digest     BLOB    PRIMARY KEY,
            family_key INTEGER NOT NULL REFERENCES login_families ON DELETE CASCADE,
            parent     BLOB,
            superseded INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        ;
INSERT INTO "login_tokens" VALUES(X'AB22CA23F370A018BD30E0EE57B26C35B14296935E7B064A335D64BA7A843C08',1,X'C494B6DAA8DD5BBBACA836C1461D393F149B3D5A090935A04E83B6BA2BAA4451',0,1800000000000);
INSERT INTO "login_tokens" VALUES(X'C494B6DAA8DD5BBBACA836C1461D393F149B3D5A090935A04E83B6BA2BAA4451',1,NULL,0,1800000000000);
CREATE TABLE sessions (
            digest     BLOB    PRIMARY KEY,
            user_key   INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            family_key INTEGER REFERENCES login_families ON DELETE SET NULL,
            created_at INTEGER NOT NULL,
            used_at    INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        ;
INSERT INTO "sessions" VALUES(X'AD8964F69A6FF1DD76312E3B1C5341F427D6F8B2520AE88416CBD458A57630B5',1,1,1800000000000,1800000000000);
INSERT INTO "sessions" VALUES(X'BAE82824C6CF367E23375FBA2E11EA35C264B0F7D6F6029E420E693F0646448D',1,1,1800000000000,1800000000000);
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
        ;
INSERT INTO "users" VALUES(1,'ub6d70fe1-c39a-4ab7-9fad-2fc6cea8fa58','anna@example.com','anna@example.com','$argon2id$v=19$m=64,t=1,p=1$SVsQ8YQvZC7VIeUXYy+m8g$NTz4lM+uCiHanyXC05Z3R6XomdWdGrmuX6kl90TQaNw',1,1800000000000,1800000000000,'{"age":21,"tags":["a","b"],"city":"Köln"}');
INSERT INTO "users" VALUES(2,'u0ece3ba6-0089-4aaf-921e-81fcf34e4a52','bert@example.com','bert@example.com','$argon2id$v=19$m=64,t=1,p=1$ihwUDRUr37pS7beLGXUj5g$x9iBBxI10BjgJ2bf/+WKjushrdpDayMZQ4qHdkFd5i0',1,1800000000000,1800000000000,'{}');
CREATE INDEX login_families_user ON login_families (user_key, device);
CREATE INDEX login_tokens_family ON login_tokens (family_key);
CREATE INDEX login_tokens_created ON login_tokens (created_at);
CREATE INDEX sessions_user ON sessions (user_key);
CREATE INDEX sessions_family ON sessions (family_key);
CREATE INDEX sessions_used ON sessions (used_at);
CREATE INDEX sessions_created ON sessions (created_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('users',2);
INSERT INTO "sqlite_sequence" VALUES('login_families',2);
COMMIT;
