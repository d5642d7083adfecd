import { failed } from "./cloudboost-errors.mjs";
import { copy, has } from "./objects.mjs";
import { root } from "./root.mjs";

var USE_SAVE =
    "signUp does not work in Node.js, for a server is not a user. To create a new user here, use save() of CloudUser.";

// What CloudBoost calls by another name than the wire.
var WIRE_NAMES = { id: "_id", username: "_username", createdAt: "_createdAt", updatedAt: "_updatedAt" };

function isServerSide() {
    return typeof process === "object" && Boolean(process.versions && process.versions.node) && !root.document;
}

/** The class CloudUser of a CloudBoostApp. */
function cloudUserOf(app) {
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
            return app.answer(callbacks, function () {
                if (isServerSide()) {
                    return failed(13, USE_SAVE);
                }
                return user._register(app.connection).then(function (result) {
                    return user._becomeCurrent(result.user);
                });
            });
        },

        /** Signs in with the username and the password that have been set. */
        logIn: function (callbacks) {
            var user = this;
            return app.answer(callbacks, function () {
                var params = { username: user.get("username"), password: user._password };
                return app.connection.call("User.login", params).then(function (result) {
                    return user._becomeCurrent(result.user);
                });
            });
        },

        /** Signs the current user out. */
        logOut: function (callbacks) {
            var user = this;
            return app.answer(callbacks, function () {
                if (!user._isCurrent()) {
                    return failed(11, "This user is not logged in, so there is nobody to log out.");
                }
                return app.connection
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
            return app.answer(callbacks, function () {
                return user.id === undefined ? user._create() : user._update();
            });
        },

        /** Deletes the current user for good; the password must have been set, for the server asks for it. */
        "delete": function (callbacks) {
            var user = this;
            return app.answer(callbacks, function () {
                if (!user._isCurrent()) {
                    return failed(11, "Only the user who is logged in can be deleted. Log in first.");
                }
                if (user._password === undefined) {
                    return failed(-32602, "Set the password first, user.set('password', …): the server asks for it.");
                }
                return app.callSignedIn("User.unregister", { password: user._password }).then(function () {
                    app.connection.signIn.end();
                    return user._load({});
                });
            });
        },

        /** Changes the password of the current user. */
        changePassword: function (oldPassword, newPassword, callbacks) {
            var user = this;
            return app.answer(callbacks, function () {
                if (!user._isCurrent()) {
                    return failed(11, "Only the user who is logged in can change the password. Log in first.");
                }
                return app.connection.updatePassword(oldPassword, newPassword).then(function () {
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
            app.current = this._load(document);
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
            return this._register(app.apart()).then(function (result) {
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
            return app.callSignedIn("User.saveProperties", { properties: changes }).then(function () {
                user._document = copy(copy({}, user._document), changes);
                // The server tells its own time at the next log-in only.
                user._document._updatedAt = Math.max(user._document._updatedAt, Date.now());
                app.connection.signIn.remember(user._document);
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
            var document = app.connection && app.connection.signIn.user;
            if (!document) {
                return null;
            }
            if (app.current === null || app.current.id !== document._id) {
                app.current = new CloudUser()._load(document);
            }
            return app.current;
        }
    });

    return CloudUser;
}

export { cloudUserOf };
