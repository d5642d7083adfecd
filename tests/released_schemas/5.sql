-- {"password": "annas-password", "session": "d3c9aa1e66e5ad4153133cae7a3697a76b28264c7c6270c5890d3dd22f48f7ad", "loginToken": "febf7f6c3e49a96b7e3ef13d7996decc03b24676cec8b0d71d95c6cd30d8c206"}
PRAGMA application_id = 1246908482;
PRAGMA user_version = 5;
BEGIN TRANSACTION;
CREATE TABLE address_notices (
            key         INTEGER PRIMARY KEY,
            user_key    INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            recipient   TEXT    NOT NULL,
            property    TEXT    NOT NULL,
            address     TEXT,
            counts_from INTEGER NOT NULL,
            due_at      INTEGER NOT NULL DEFAULT 0
        ) STRICT
        ;
CREATE TABLE attempts (key INTEGER PRIMARY KEY, scope BLOB NOT NULL, at INTEGER NOT NULL, user_key INTEGER) STRICT;
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
        ;
CREATE TABLE email_properties (
            name             TEXT    PRIMARY KEY,
            last_user_before INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID
        ;
INSERT INTO "email_properties" VALUES('_username',0);
INSERT INTO "email_properties" VALUES('email',0);
CREATE TABLE known_devices (
            digest   BLOB    PRIMARY KEY,
            user_key INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            used_at  INTEGER NOT NULL
        , device BLOB) STRICT, WITHOUT ROWID
        ;
INSERT INTO "known_devices" VALUES(X'286ED2CA5D8A7FE831C0E0BA656A493C4BA1743CF1065063E1491694743EE7F5',1,1800000000000,X'92B108F9A4A649727798050847E1ADE1');
INSERT INTO "known_devices" VALUES(X'FE83A7E8E39E8369B9F9BD2A8FEED2899A23A0A52893F60BAD9A21846582A503',2,1800000000000,X'23EF8BF4ECFBCE0963E0097F3EAE668B');
CREATE TABLE known_places (
            user_key INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            place    BLOB    NOT NULL,
            used_at  INTEGER NOT NULL,
            PRIMARY KEY (user_key, place)
        ) STRICT, WITHOUT ROWID
        ;
INSERT INTO "known_places" VALUES(1,X'E4A6',1800000000000);
INSERT INTO "known_places" VALUES(2,X'310A',1800000000000);
CREATE TABLE leftovers (user_key INTEGER PRIMARY KEY) STRICT;
CREATE TABLE "login_families" (
            key              INTEGER PRIMARY KEY AUTOINCREMENT,
            user_key         INTEGER NOT NULL,
            device           TEXT    NOT NULL,
            password_version INTEGER NOT NULL DEFAULT 1,
            stem             BLOB,
            renewed_at       INTEGER NOT NULL,
            uses             INTEGER NOT NULL DEFAULT 0,
            uses_since       INTEGER NOT NULL DEFAULT 0
        ) STRICT
        ;
INSERT INTO "login_families" VALUES(1,1,'device-1',1,X'1E92C44CF963207482E5C567BE0E090931E5AB3E1B8CC8457FEB26578071344C',1800000000000,1,1800000000000);
CREATE TABLE "login_tokens" (
            digest     BLOB    PRIMARY KEY,
            family_key INTEGER NOT NULL,
            parent     BLOB,
            superseded INTEGER NOT NULL DEFAULT 0,
            created_at INTEGER NOT NULL,
            used_at    INTEGER
        ) STRICT, WITHOUT ROWID
        ;
INSERT INTO "login_tokens" VALUES(X'85AC85765AFB9EC389CCA50A8F24B9BFAB6352783662D4023638A039E9133901',1,NULL,0,1800000000000,1800000000000);
INSERT INTO "login_tokens" VALUES(X'B813F23DA813B61E4DAE9121973F0DA3803B644E988D742AA11DC52A16F8171B',1,X'85AC85765AFB9EC389CCA50A8F24B9BFAB6352783662D4023638A039E9133901',0,1800000000000,NULL);
CREATE TABLE look_alikes (
            user_key INTEGER PRIMARY KEY REFERENCES users ON DELETE CASCADE,
            skeleton TEXT    NOT NULL,
            version  TEXT    NOT NULL
        ) STRICT
        ;
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
        , share BLOB) STRICT
        ;
INSERT INTO "mails" VALUES(1,2,'<179552952391.31608.14884223110118841016@localhost>','send_password_token','bert@example.com',X'6741414141414272425A737A5F4E7451506949424F6B5359644A42485F5168395A4B6A5670614E6E627549756C6C426D5171557279546767636830466577666977727242566E7237636830384562716A716E4965577135643445444744656D35786B635A374F6B687A5A3536463449794C4245436A32533633566247786339614275506F765F55514659474D39645642373059754C6D3631776979617A483149625139514256654F312D504B4F7670566D545172384C517A545854487A436A6C416C73434F364A47703436456C345472413176445F3164536971465352646D3361664C613837783835726B354B61394573494C54444531574F736568717157514C3651556D7163327936643848734D555259676850772D4169446C366770575357427141643843616B35694B365761645035766C5863645250634C424B5946742D4F65474269617A4F592D4E586F64436E4F50375F4D65516A575F63714B6B5A435748304C585F2D53735F794D6749714A47423737465A7A695545434D6E3033574E366931516559534E6458443557736154355842456B4577566568657A5152503033346F5F75785635577654654A2D6B5F75424C5F6C46766B564F6C6A627462306B69516A6755726A6D5F5943634E4A6177717274394748524D77574F586832382D474562785961475F504639373765616143424F6F3D',1800000000000,1800000900000,0,1800000000000,NULL,NULL,X'4441522329F510B3C5B9494702A310F8');
CREATE TABLE password_reset_requests (
            key            INTEGER PRIMARY KEY,
            username_key   TEXT    NOT NULL,
            email_property TEXT    NOT NULL,
            template       TEXT    NOT NULL
        , due_at INTEGER NOT NULL DEFAULT 0, valid_minutes INTEGER, requester BLOB NOT NULL DEFAULT x'', share BLOB) STRICT
        ;
INSERT INTO "password_reset_requests" VALUES(1,'anna@example.com','_username','send_password_token',0,NULL,X'C837C5D3697904DD4891B0809ACE0337',X'4441522329F510B3C5B9494702A310F8');
CREATE TABLE "password_reset_tokens" (
            user_key    INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            requester   BLOB    NOT NULL,
            digest      BLOB    NOT NULL,
            created_at  INTEGER NOT NULL,
            wrong_tries INTEGER NOT NULL,
            expires_at  INTEGER, recipient TEXT,
            PRIMARY KEY (user_key, requester)
        ) STRICT
        ;
INSERT INTO "password_reset_tokens" VALUES(2,X'C837C5D3697904DD4891B0809ACE0337',X'AB11BE3EF27B97A939A15881A0271061C3E749CBDA6682F02EAB5F743E5D7E0A',1800000000000,0,NULL,'bert@example.com');
CREATE TABLE reset_addresses (
            user_key    INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
            property    TEXT    NOT NULL,
            meanwhile   TEXT,
            counts_from INTEGER NOT NULL,
            PRIMARY KEY (user_key, property)
        ) STRICT, WITHOUT ROWID
        ;
CREATE TABLE reset_tries_without_token (tries INTEGER NOT NULL) STRICT;
INSERT INTO "reset_tries_without_token" VALUES(0);
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "secrets" VALUES('unknown users',X'217222EB724AC63174BFF235ED42E2BD6B0D36CB531797AFC7E5839506AA3555');
CREATE TABLE "sessions" (
            digest           BLOB    PRIMARY KEY,
            user_key         INTEGER NOT NULL,
            family_key       INTEGER,
            password_version INTEGER NOT NULL DEFAULT 1,
            created_at       INTEGER NOT NULL,
            used_at          INTEGER NOT NULL
        , by_password INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID
        ;
INSERT INTO "sessions" VALUES(X'3A0275E6ED30C5B2130BA6D1DE34C5CCF6E13D2B3F42EF6F74E0206B3283D014',1,1,1,1800000000000,1800000000000,0);
INSERT INTO "sessions" VALUES(X'9F29F8FA7792F6BC3153BC0D198BA5A36487211FD9A07E86962F95E0942AF057',1,1,1,1800000000000,1800000000000,1);
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
        , lot INTEGER NOT NULL DEFAULT 0, disabled_at INTEGER) STRICT
        ;
INSERT INTO "users" VALUES(1,'u69aaf4ed-9885-4ad1-be0d-a3d8ac8bf53f','anna@example.com','anna@example.com','$argon2id$v=19$m=64,t=1,p=1$R+bjkhdJd2RzL5UeqvpCtg$Lbpkzh2Zk2iIJo+gDDFewPmDfzWx/dkFfpie77AiYNU',1,1800000000000,1800000000000,'{"age":21,"tags":["a","b"],"city":"Köln"}',1750791054191043866,NULL);
INSERT INTO "users" VALUES(2,'u58edae8b-89fc-43dd-b310-e2652a5552cc','bert@example.com','bert@example.com','$argon2id$v=19$m=64,t=1,p=1$Qnp/kGMtw6Y4o47hRdXbbg$enP5Kx1NTEyoyQDaHJ0ZFTuVl5acv2qKychNyLZpnC8',1,1800000000000,1800000000000,'{}',-9051161055234044356,NULL);
CREATE INDEX mails_user ON mails (user_key);
CREATE INDEX mails_next ON mails (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX mails_created ON mails (created_at);
CREATE INDEX attempts_scope ON attempts (scope, at);
CREATE INDEX attempts_at ON attempts (at);
CREATE INDEX known_devices_user ON known_devices (user_key, used_at);
CREATE INDEX users_lot ON users (lot);
CREATE INDEX audit_created ON audit (created_at);
CREATE INDEX password_reset_requests_due ON password_reset_requests (due_at);
CREATE INDEX known_devices_device ON known_devices (device);
CREATE INDEX attempts_user ON attempts (user_key, at) WHERE user_key IS NOT NULL;
CREATE INDEX sessions_user ON sessions (user_key, created_at);
CREATE INDEX sessions_family ON sessions (family_key, created_at);
CREATE INDEX sessions_used ON sessions (used_at);
CREATE INDEX sessions_created ON sessions (created_at);
CREATE INDEX login_families_user ON login_families (user_key, device);
CREATE INDEX login_families_age ON login_families (user_key, key);
CREATE INDEX login_families_stem ON login_families (stem);
CREATE INDEX login_families_renewed ON login_families (renewed_at);
CREATE INDEX login_tokens_family ON login_tokens (family_key);
CREATE INDEX address_notices_user ON address_notices (user_key);
CREATE INDEX mails_recipient ON mails (created_at, recipient);
CREATE INDEX look_alikes_skeleton ON look_alikes (skeleton);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('login_families',2);
INSERT INTO "sqlite_sequence" VALUES('users',2);
COMMIT;
