import { addAbsentOfCloudBoost } from "./cloudboost-absent.mjs";
import { CloudError, Connection, copy, has, memoryStorage, root } from "./connection.mjs";
import { rejected } from "./promise.mjs";

var UNCONFIGURED = "Call CB.CloudApp.init(url, backendId, apiKey) first.";
var USE_SAVE =
    "signUp does not work in Node.js, for a server is not a user. To create a new user here, use save() of CloudUser.";
var SIGN_IN = "You are not signed in any more. Log in again.";

// What CloudBoost calls by another name than the wire.
var WIRE_NAMES = { id: "_id", username: "_username", createdAt: "_createdAt", updatedAt: "_updatedAt" };

function wholeUser(user) {
    return user;
}

function isServerSide() {
    return typeof process === "object" && Boolean(process.versions && process.versions.node) && !root.document;
}

/** The error with a message that tells a person what to do; code and data are those of the call. */
function explained(error) {
    if (!(error instanceof CloudError)) {
        return error;
    }
    var data = error.data;
    var message = error.message;
    if (data.reason) {
        message = data.reason;
    } else if (error.code === -32602) {
        message = Object.keys(data)
            .map(function (name) {
                return data[name];
            })
            .join(" ");
    } else if (error.code === 4) {
        message = "The backend id or the API key is wrong. Check CB.CloudApp.init(url, backendId, apiKey).";
    } else if (error.code === 11) {
        message = SIGN_IN;
    } else if (error.code === 9999) {
        message = "Too many calls. Try again in " + data.retryAfter + " s.";
    }
    return new CloudError(error.code, message, data);
}

function failed(code, message) {
    return rejected(new CloudError(code, message, { reason: message }));
}

/**
 * The client of CloudBoost's documented API for users: `CB.CloudApp.init` and `CB.CloudUser`.
 *
 * `options` are those of a script tag: url, backendId, apiKey; optional: storage (like localStorage).
 */
function createCloudBoost(options) {
    var defaults = options || {};
    var connection = null;
    var current = null; // the CloudUser of connection.signIn.user

    function connect(url, backendId, apiKey) {
        connection = new Connection(
            { url: url, backendId: backendId, apiKey: apiKey, storage: defaults.storage },
            "cloudBoost",
            wholeUser
        );
        current = null;
    }

    /** A promise of what the work comes to; the callbacks {success, error} hear of it. */
    function answer(callbacks, work) {
        var promise = (connection ? work() : failed(-13, UNCONFIGURED)).then(undefined, function (error) {
            throw explained(error);
        });
        if (callbacks && callbacks.success) {
            promise.done(callbacks.success);
        }
        if (callbacks && callbacks.error) {
            promise.fail(callbacks.error);
        }
        return promise;
    }

    /** Calls a method that needs a session; with the login token for a new one where it has ended. */
    function callSignedIn(method, params) {
        return connection.call(method, params).then(undefined, function (error) {
            if (error.code !== 11 || !connection.signIn.loginToken()) {
                if (error.code === 11) {
                    connection.signIn.end();
                }
                throw error;
            }
            return connection.autoLogin().then(
                function () {
                    return connection.call(method, params);
                },
                function (reason) {
                    if (reason.code !== -32602 && reason.code !== 13) {
                        throw reason; // to be tried again
                    }
                    connection.signIn.end();
                    throw error;
                }
            );
        });
    }

    /** A user: a new one, or one who has signed up or logged in. */
    function CloudUser() {
        this._document = {}; // what the server has
        this._changes = {};
        this._password = undefined;
    }

    CloudUser.prototype = {
        constructor: CloudUser,

        get: function (name) {
            if (name === "password") {
                return this._password;
            }
            if (has(this._changes, name)) {
                return this._changes[name];
            }
            var stored = has(WIRE_NAMES, name) ? WIRE_NAMES[name] : name;
            if (!has(this._document, stored)) {
                return undefined;
            }
            var value = this._document[stored];
            return name === "createdAt" || name === "updatedAt" ? new Date(value) : value;
        },

        /** Sets a property; it is on the server after signUp or save. */
        set: function (name, value) {
            if (has(WIRE_NAMES, name) && name !== "username") {
                throw new Error(name + " is made by the server and cannot be set.");
            }
            if (name === "password") {
                this._password = value;
            } else {
                this._changes[name] = value;
            }
        },

        /** Creates the user and signs in. */
        signUp: function (callbacks) {
            var user = this;
            return answer(callbacks, function () {
                if (isServerSide()) {
                    return failed(13, USE_SAVE);
                }
                return user._register(connection).then(function (result) {
                    return user._becomeCurrent(result.user);
                });
            });
        },

        /** Signs in with the username and the password that have been set. */
        logIn: function (callbacks) {
            var user = this;
            return answer(callbacks, function () {
                var params = { username: user.get("username"), password: user._password };
                return connection.call("User.login", params).then(function (result) {
                    return user._becomeCurrent(result.user);
                });
            });
        },

        /** Signs the current user out. */
        logOut: function (callbacks) {
            var user = this;
            return answer(callbacks, function () {
                if (!user._isCurrent()) {
                    return failed(11, "This user is not logged in, so there is nobody to log out.");
                }
                return connection
                    .logout()
                    .then(undefined, function (error) {
                        if (error.code !== 11) {
                            throw error; // 11: the session had ended already
                        }
                    })
                    .then(function () {
                        return user;
                    });
            });
        },

        /** Creates a new user, without signing in, or saves the changed properties of the current one. */
        save: function (callbacks) {
            var user = this;
            return answer(callbacks, function () {
                return user.id === undefined ? user._create() : user._update();
            });
        },

        /** Deletes the current user for good; the password must have been set, for the server asks for it. */
        "delete": function (callbacks) {
            var user = this;
            return answer(callbacks, function () {
                if (!user._isCurrent()) {
                    return failed(11, "Only the user who is logged in can be deleted. Log in first.");
                }
                if (user._password === undefined) {
                    return failed(-32602, "Set the password first, user.set('password', …): the server asks for it.");
                }
                return callSignedIn("User.unregister", { password: user._password }).then(function () {
                    connection.signIn.end();
                    return user._load({});
                });
            });
        },

        /** Changes the password of the current user. */
        changePassword: function (oldPassword, newPassword, callbacks) {
            var user = this;
            return answer(callbacks, function () {
                if (!user._isCurrent()) {
                    return failed(11, "Only the user who is logged in can change the password. Log in first.");
                }
                return connection.updatePassword(oldPassword, newPassword).then(function () {
                    return user;
                });
            });
        },

        /** The user without the password. */
        toJSON: function () {
            var user = this;
            var json = copy(copy({}, this._document), this._changes);
            Object.keys(json).forEach(function (name) {
                if (name.charAt(0) === "_") {
                    delete json[name];
                }
            });
            Object.keys(WIRE_NAMES).forEach(function (name) {
                json[name] = user.get(name);
            });
            return json;
        },

        _isCurrent: function () {
            return this.id !== undefined && CloudUser.current !== null && CloudUser.current.id === this.id;
        },

        _properties: function () {
            var properties = {};
            var changes = this._changes;
            Object.keys(changes).forEach(function (name) {
                if (name !== "username" && changes[name] !== undefined) {
                    properties[name] = changes[name];
                }
            });
            return properties;
        },

        _register: function (on) {
            var params = { username: this.get("username"), password: this._password, properties: this._properties() };
            return on.call("User.register", params);
        },

        _becomeCurrent: function (document) {
            current = this._load(document);
            return this;
        },

        /** Takes over what the server has of this user. */
        _load: function (document) {
            this._document = document;
            this._changes = {};
            this._password = undefined;
            return this;
        },

        _create: function () {
            var user = this;
            // On a connection that keeps nothing: the one who is logged in stays.
            var settings = connection.settings;
            var apart = new Connection(
                { url: settings.url, backendId: settings.backendId, apiKey: settings.apiKey, storage: memoryStorage() },
                "cloudBoost",
                wholeUser
            );
            return this._register(apart).then(function (result) {
                return user._load(result.user);
            });
        },

        _update: function () {
            var user = this;
            if (!this._isCurrent()) {
                return failed(11, "Only the user who is logged in can be saved. Log in first.");
            }
            if (this._password !== undefined) {
                return failed(13, "To change the password use user.changePassword(oldPassword, newPassword).");
            }
            if (this.username !== this._document._username) {
                return failed(13, "The username of a user cannot be changed.");
            }
            var changes = this._properties();
            return callSignedIn("User.saveProperties", { properties: changes }).then(function () {
                user._document = copy(copy({}, user._document), changes);
                // The server tells its own time at the next log-in only.
                user._document._updatedAt = Math.max(user._document._updatedAt, Date.now());
                connection.signIn.remember(user._document);
                user._forgetChanges(changes);
                return user;
            });
        },

        /** Those that the server has now; not what was set while they were on their way. */
        _forgetChanges: function (sent) {
            var changes = this._changes;
            delete changes.username;
            Object.keys(sent).forEach(function (name) {
                if (changes[name] === sent[name]) {
                    delete changes[name];
                }
            });
        }
    };

    Object.keys(WIRE_NAMES)
        .concat("password", "email")
        .forEach(function (name) {
            Object.defineProperty(CloudUser.prototype, name, {
                get: function () {
                    return this.get(name);
                },
                set: function (value) {
                    this.set(name, value);
                }
            });
        });

    /** The user who is logged in, also after a reload; null where nobody is. */
    Object.defineProperty(CloudUser, "current", {
        enumerable: true,
        get: function () {
            var document = connection && connection.signIn.user;
            if (!document) {
                return null;
            }
            if (current === null || current.id !== document._id) {
                current = new CloudUser()._load(document);
            }
            return current;
        }
    });

    var CloudApp = {
        /**
         * Names the server, the backend and its API key. Without a server, as apps of CloudBoost's own server have it,
         * the calls go to the server that cloudboost.js came from.
         */
        init: function (url, backendId, apiKey) {
            var given = arguments.length < 3 ? [defaults.url, url, backendId] : [url, backendId, apiKey];
            if (!/^https?:\/\/[^/]/.test(given[0])) {
                throw new Error("CB.CloudApp.init(url, backendId, apiKey): url must look like https://example.com");
            }
            if (!/^[^/]+$/.test(given[1]) || typeof given[2] !== "string" || !given[2]) {
                throw new Error("CB.CloudApp.init(url, backendId, apiKey): backendId or apiKey is missing.");
            }
            connect(given[0], given[1], given[2]);
        }
    };

    if (defaults.url && defaults.backendId && defaults.apiKey) {
        connect(defaults.url, defaults.backendId, defaults.apiKey);
    }
    return addAbsentOfCloudBoost({ CloudApp: CloudApp, CloudUser: CloudUser });
}

export { createCloudBoost };
