import { begin, giveBack, stepsOf, takeChanges, takeOver } from "./cloudboost-document.mjs";
import { failed, refuse } from "./cloudboost-errors.mjs";
import { addAccessors } from "./cloudboost-object.mjs";
import { saveRelated } from "./cloudboost-saving.mjs";
import { CloudError } from "./errors.mjs";
import { copy, has } from "./objects.mjs";
import { resolved } from "./promise.mjs";
import { root } from "./root.mjs";

var USE_SAVE =
    "signUp does not work in Node.js, for a server is not a user. To create a new user here, use save() of CloudUser.";
var SHARED =
    "In Node.js CB.CloudUser.current belongs to the whole process: whoever logs in next takes the place of who was there.";
var NO_ACCESS_RULES = "An account is its user's own; an ACL says nothing of it.";

var NOT_BY_APPS = ["id", "_id", "_tableName", "_type", "operator", "createdAt", "updatedAt"];

function isServerSide() {
    return typeof process === "object" && Boolean(process.versions && process.versions.node) && !root.document;
}

/** The class CloudUser of a CloudBoostApp, whose CloudObject is there already. */
function cloudUserOf(app) {
    var hasWarned = false;

    function stub(tableName, id) {
        return new app.CloudObject(tableName, id);
    }

    /** A user: a new one, or one who has signed up or logged in. */
    function CloudUser() {
        begin(this, "User", "user");
        this._password = undefined;
    }

    CloudUser.prototype = copy(Object.create(app.CloudObject.prototype), {
        constructor: CloudUser,

        get: function (name) {
            if (name === "password") {
                return this._password;
            }
            var value = app.CloudObject.prototype.get.call(this, name);
            if (value === undefined && (name === "roles" || name === "verified")) {
                return name === "roles" ? [] : false;
            }
            return value !== undefined && (name === "createdAt" || name === "updatedAt") ? new Date(value) : value;
        },

        /** Sets a property; it is on the server after signUp or save. */
        set: function (name, value) {
            if (NOT_BY_APPS.indexOf(name) >= 0) {
                throw new Error(name + " is made by the server and cannot be set.");
            }
            if (name === "password") {
                this._password = value;
                return;
            }
            app.CloudObject.prototype.set.call(this, name, value);
        },

        /** Creates the user and signs in. */
        signUp: function (callbacks) {
            var user = this;
            return app.answer(callbacks, function () {
                if (isServerSide()) {
                    return failed(13, USE_SAVE);
                }
                return user._register(app.connection).then(function (result) {
                    var before = user.document;
                    var since = Object.keys(user._changed); // while the call ran
                    user._becomeCurrent(result.user);
                    since.forEach(function (name) {
                        user.set(name, before[name]);
                    });
                    return user;
                });
            });
        },

        /** Signs in with the username and the password that have been set. */
        logIn: function (callbacks) {
            var user = this;
            return app.answer(callbacks, function () {
                var params = { username: user.get("username"), password: user._password };
                return app.connection.call("User.login", params).then(
                    function (result) {
                        return user._becomeCurrent(result.user);
                    },
                    function (error) {
                        var isWrong = error.code === -32602 && params.username && params.password;
                        throw isWrong
                            ? copy(new CloudError(error.code, error.message, error.data), { status: 401 })
                            : error;
                    }
                );
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
                        app.current = null;
                        return user;
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

        /** A new object with what the server has of the current user. */
        fetch: function (callbacks) {
            var user = this;
            return app.answer(callbacks, function () {
                return new app.CloudQuery("User")._byId(user.id).then(function (current) {
                    return current === null ? null : new CloudUser()._load(app.connection.signIn.user);
                });
            });
        },

        _isCurrent: function () {
            return this.id !== undefined && CloudUser.current !== null && CloudUser.current.id === this.id;
        },

        /** The password must have been set, for the server asks for it. */
        _remove: function () {
            var user = this;
            if (!this._isCurrent()) {
                return failed(11, "Only the user who is logged in can be deleted. Log in first.");
            }
            if (this._password === undefined) {
                return failed(-32602, "Set the password first, user.set('password', …): the server asks for it.");
            }
            return app.callSignedIn("User.unregister", { password: this._password }).then(function () {
                app.connection.signIn.end();
                app.current = null;
                begin(user, "User", "user");
                user._password = undefined;
            });
        },

        _needsId: function () {}, // without one he is not the current user, which is told

        _register: function (on) {
            var user = this;
            function register(properties) {
                var params = { username: user.get("username"), password: user._password, properties: properties };
                return on.call("User.register", params);
            }
            return saveRelated(user, [user]).then(function () {
                return user._sending(register);
            });
        },

        _becomeCurrent: function (item) {
            if (isServerSide() && !hasWarned && app.current && app.current.id !== item._id) {
                hasWarned = true;
                console.warn(SHARED);
            }
            app.current = this._load(item);
            return this;
        },

        /** Takes over what the server has of this user. */
        _load: function (item) {
            begin(this, "User", "user");
            this._password = undefined;
            return takeOver(this, item, stub);
        },

        /** Creates a new user, without signing in, or saves the changed properties of the current one. */
        _send: function () {
            var user = this;
            return this.id !== undefined
                ? this._update()
                : this._register(app.apart()).then(function (result) {
                      user._load(result.user);
                  });
        },

        _update: function () {
            var user = this;
            var signIn = app.connection.signIn;
            if (!this._isCurrent()) {
                return failed(11, "Only the user who is logged in can be saved. Log in first.");
            }
            if (this._password !== undefined) {
                return failed(13, "To change the password use user.changePassword(oldPassword, newPassword).");
            }
            if (this.username !== undefined && this.username !== signIn.user._username) {
                return failed(13, "The username of a user cannot be changed.");
            }
            return this._sending(function (properties) {
                return app.callSignedIn("User.saveProperties", { properties: properties }).then(function () {
                    if (!user._isCurrent()) {
                        return; // signed out while the call ran
                    }
                    // The server tells its own time at the next log-in only.
                    var updatedAt = Math.max(signIn.user._updatedAt, Date.now());
                    signIn.remember(copy(copy(copy({}, signIn.user), properties), { _updatedAt: updatedAt }));
                    user.document.updatedAt = new Date(updatedAt).toISOString();
                    user.document._version += 1;
                });
            });
        },

        /** Hands the properties that were set to `send`; a failure leaves them to be sent again. */
        _sending: function (send) {
            var user = this;
            return resolved().then(function () {
                user._checkColumns();
                if (user._changed.ACL || stepsOf(user).length) {
                    refuse(NO_ACCESS_RULES);
                }
                var changes = takeChanges(user);
                delete changes.item._username;
                return send(changes.item).then(undefined, function (error) {
                    giveBack(user, changes.columns);
                    throw error;
                });
            });
        },

        /** What the server has of the properties now, but for what was set here since. */
        _refresh: function (properties) {
            var signIn = app.connection.signIn;
            signIn.remember(copy(copy({}, signIn.user), properties));
            var fresh = takeOver({ document: copy({}, this.document) }, signIn.user, stub).document;
            var user = this;
            Object.keys(fresh).forEach(function (name) {
                if (!has(user._changed, name)) {
                    user.document[name] = fresh[name];
                }
            });
            return this;
        }
    });

    addAccessors(CloudUser.prototype, ["username", "password", "email"]);

    /** The user who is logged in, also after a reload; null where nobody is. */
    Object.defineProperty(CloudUser, "current", {
        enumerable: true,
        get: function () {
            var user = app.connection && app.connection.signIn.user;
            if (!user) {
                return null;
            }
            if (app.current === null || app.current.id !== user._id) {
                app.current = new CloudUser()._load(user);
            }
            return app.current;
        },
        set: function () {
            console.warn("CB.CloudUser.current tells who is logged in; setting it signs nobody in or out.");
        }
    });

    /** The user who is logged in, as the server knows him now; a user without id where nobody is. */
    CloudUser.getCurrentUser = function (callbacks) {
        return app.answer(callbacks, function () {
            return app.currentUser();
        });
    };

    /** Has a code for a new password mailed to the user of this address; the answer does not tell whether there is one. */
    CloudUser.resetPassword = function (email, callbacks) {
        return app.answer(callbacks, function () {
            var params = { username: email, options: { emailPropertyName: "email" } };
            return app.connection.call("User.sendPasswordResetToken", params);
        });
    };

    return CloudUser;
}

export { cloudUserOf };
