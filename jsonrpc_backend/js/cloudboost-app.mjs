import { explained, failed } from "./cloudboost-errors.mjs";
import { Connection } from "./connection.mjs";
import { copy } from "./objects.mjs";
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
}

CloudBoostApp.prototype = {
    /** Speaks to this backend from now on: url, backendId, apiKey, storage. */
    connect: function (settings) {
        this.connection = connected(settings);
        this.current = null;
    },

    /** A connection to the same backend that keeps nothing: the one who is logged in stays. */
    apart: function () {
        return connected(copy(copy({}, this.connection.settings), { storage: memoryStorage() }));
    },

    /** A promise of what the work comes to; the callbacks {success, error} hear of it. */
    answer: function (callbacks, work) {
        var promise = (this.connection ? work() : failed(-13, UNCONFIGURED)).then(undefined, function (error) {
            throw explained(error);
        });
        if (callbacks && callbacks.success) {
            promise.done(callbacks.success);
        }
        if (callbacks && callbacks.error) {
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
    }
};

export { CloudBoostApp };
