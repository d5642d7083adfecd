import { explained, failed } from "./cloudboost-errors.mjs";
import { fromPlain, plainCopy } from "./cloudboost-json.mjs";
import { begun } from "./cloudboost-saving.mjs";
import { Connection } from "./connection.mjs";
import { CloudError } from "./errors.mjs";
import { copy } from "./objects.mjs";
import { resolved } from "./promise.mjs";
import { memoryStorage } from "./storage.mjs";

var UNCONFIGURED = "Call CB.CloudApp.init(url, backendId, apiKey) first.";

function wholeUser(user) {
    return user;
}

function connected(settings) {
    return new Connection(settings, "cloudBoost", wholeUser);
}

/** The backend that an app speaks to, once it has named one, and the CloudUser who is logged in there. */
function CloudBoostApp() {
    this.connection = null;
    this.current = null; // the CloudUser of connection.signIn.user
    // The classes, which know of each other by this app.
    this.CloudObject = null;
    this.CloudQuery = null;
    this.CloudUser = null;
}

CloudBoostApp.prototype = {
    /** Speaks to this backend from now on: url, backendId, apiKey, storage. The same once more changes nothing. */
    connect: function (settings) {
        var now = this.connection && this.connection.settings;
        var isSame = ["url", "backendId", "apiKey"].every(function (name) {
            return now && now[name] === settings[name];
        });
        if (!isSame) {
            this.connection = connected(settings);
            this.current = null;
        }
    },

    /** A connection to the same backend that keeps nothing: the one who is logged in stays. */
    apart: function () {
        return connected(copy(copy({}, this.connection.settings), { storage: memoryStorage() }));
    },

    /** A promise of what the work comes to; the callbacks {success, error} hear of it. */
    answer: function (callbacks, work) {
        var promise = (this.connection ? begun(work) : failed(-13, UNCONFIGURED)).then(undefined, function (error) {
            throw explained(error);
        });
        if (callbacks && typeof callbacks.success === "function") {
            promise.done(callbacks.success);
        }
        if (callbacks && typeof callbacks.error === "function") {
            promise.fail(callbacks.error);
        }
        return promise;
    },

    /** Calls a method that needs a session; with the login token for a new one where it has ended. */
    callSignedIn: function (method, params) {
        var app = this;
        return app.connection.call(method, params).then(undefined, function (error) {
            if (error.code !== 11 || !app.connection.signIn.loginToken()) {
                if (error.code === 11) {
                    app.connection.signIn.end();
                }
                throw error;
            }
            return app.connection.autoLogin().then(
                function () {
                    return app.connection.call(method, params);
                },
                function (reason) {
                    if (reason.code !== -32602 && reason.code !== 13) {
                        throw reason; // to be tried again
                    }
                    app.connection.signIn.end();
                    throw error;
                }
            );
        });
    },

    /** Calls a method of collections for a table. */
    callTable: function (method, table, params) {
        return this.callSignedIn(method, copy({ collectionName: table }, params)).then(undefined, function (error) {
            var sentence;
            if (error.code === -32602 && error.data.collectionName) {
                sentence =
                    'There is no collection "' +
                    table +
                    '" on this server. Its operator has to create it and let apps insert.';
            } else if (error.code === 14) {
                sentence =
                    method === "Collection.insert"
                        ? 'Apps may not insert into "' + table + '". Its operator can let them.'
                        : 'This object of "' + table + '" may be read, but not written.';
            }
            throw sentence ? new CloudError(error.code, sentence, { reason: sentence }) : error;
        });
    },

    /** The CloudUser of an id: the one who is logged in, or one of whom nothing else is known; without an id a new one. */
    user: function (id) {
        var user = new this.CloudUser();
        if (id !== undefined) {
            user.document._id = id;
        }
        return user;
    },

    /** A promise of the one who is logged in, as the server knows him now; a blank user where nobody is. */
    currentUser: function () {
        var app = this;
        var current = app.CloudUser.current;
        if (current === null) {
            return resolved(new app.CloudUser());
        }
        return app.callSignedIn("User.getProperties", {}).then(
            function (result) {
                return current._isCurrent() ? current._refresh(result.properties) : new app.CloudUser();
            },
            function (error) {
                if (error.code !== 11) {
                    throw error;
                }
                return new app.CloudUser();
            }
        );
    },

    toJSON: function (value) {
        return plainCopy(value);
    },

    fromJSON: function (value) {
        return fromPlain(this, value);
    }
};

export { CloudBoostApp };
