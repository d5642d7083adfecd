import { findDevice } from "./device.mjs";
import { CloudError } from "./errors.mjs";
import { exclusively } from "./locks.mjs";
import { copy } from "./objects.mjs";
import { CloudPromise, rejected } from "./promise.mjs";
import { SignIn } from "./sign-in.mjs";
import { defaultStorage, lenientStorage } from "./storage.mjs";
import { post, read } from "./transport.mjs";

var TIMEOUT = 30000; // ms
var SOMEBODY_ELSE = "Somebody else has signed in in another tab; sign in with the password.";

/** The server's address without what an app may have written behind it: a slash, or `/json-rpc/`. */
function endpointOf(settings) {
    var server = settings.url.replace(/\/+$/, "").replace(/\/json-rpc$/, "");
    return server + "/json-rpc/" + encodeURIComponent(settings.backendId);
}

/**
 * Calls the methods of one backend as one device, and remembers who is signed in.
 *
 * `settings`: url, backendId, apiKey; optional: timeout (ms), deviceId, storage (like localStorage).
 * `prefix` begins the names of the stored items; `kept(user)` is what is stored of a user.
 */
function Connection(settings, prefix, kept) {
    this.settings = settings;
    this.timeout = settings.timeout === undefined ? TIMEOUT : settings.timeout;
    this.deviceId = settings.deviceId || null;
    this._endpoint = endpointOf(settings);
    this._storage = settings.storage ? lenientStorage(settings.storage) : defaultStorage();
    this.signIn = new SignIn(this._storage, prefix, this._endpoint, kept);
}

Connection.prototype = {
    /** Calls any method; a promise of its `result`. */
    call: function (method, params) {
        var connection = this;
        return this._device().then(function (device) {
            return connection._exchange(method, params || {}, device);
        });
    },

    /** A promise of the id of this installation, as far as it is known by then. */
    _device: function () {
        var connection = this;
        this._finding =
            this._finding ||
            new CloudPromise(function (resolve) {
                if (connection.deviceId !== null) {
                    resolve();
                    return;
                }
                findDevice(connection._storage, function (id) {
                    connection.deviceId = id;
                    resolve();
                });
            });
        return this._finding.then(function () {
            return connection.deviceId;
        });
    },

    /** The id of this installation, as far as it is known now; null where Cordova has not told it yet. */
    knownDevice: function () {
        this._device();
        return this.deviceId;
    },

    _exchange: function (method, params, device) {
        var signIn = this.signIn;
        var session = signIn.session;
        var all = copy({}, params);
        all.__api_key = this.settings.apiKey;
        all.__device = device;
        if (session !== null) {
            all.__session = session;
        }
        var body;
        try {
            body = JSON.stringify({ jsonrpc: "2.0", method: method, params: all, id: "1" });
        } catch (_) {
            return rejected(new CloudError(-32602, "Invalid params", { params: "Not to be written as JSON." }));
        }
        return post(this._endpoint, body, this.timeout).then(function (answer) {
            var response = read(answer.text);
            var error = response.error;
            if (error) {
                if (error.code === 11 && session !== null && signIn.session === session) {
                    signIn.endSession();
                }
                throw new CloudError(error.code, error.message, error.data);
            }
            if (answer.session && response.result.user) {
                signIn.begin(answer.session, response.result);
            }
            return response.result;
        });
    },

    /** Signs in with the stored login token. Tabs take turns, so that none uses a token that another has replaced. */
    autoLogin: function () {
        var connection = this;
        var signIn = this.signIn;
        return exclusively("monacaCloudAutoLogin", this.timeout, function () {
            if (!signIn.isStored()) {
                return rejected(new CloudError(-32602, "Invalid params", { loginToken: SOMEBODY_ELSE }));
            }
            var token = signIn.loginToken();
            return connection
                .call("User.autoLogin", { loginToken: token || undefined })
                .then(undefined, function (error) {
                    if (error.code === -32602) {
                        signIn.dropLoginToken(token);
                    }
                    throw error;
                });
        });
    },

    /** Signs out. Where the session had ended by itself, the login token is forgotten all the same. */
    logout: function () {
        var end = this._endOfSignIn();
        return this.call("User.logout").then(end, function (error) {
            if (error.code === 11) {
                end();
            }
            throw error;
        });
    },

    unregister: function (password) {
        return this.call("User.unregister", { password: password }).then(this._endOfSignIn());
    },

    /** Forgets who is signed in now, unless somebody has signed in again by then. */
    _endOfSignIn: function () {
        var signIn = this.signIn;
        var session = signIn.session;
        return function (result) {
            if (signIn.session === session || signIn.session === null) {
                signIn.end();
            }
            return result;
        };
    },

    /** Changes the password; the server ends every other session of the user with it. */
    updatePassword: function (oldPassword, newPassword) {
        var signIn = this.signIn;
        var session = signIn.session;
        var params = { oldPassword: oldPassword, newPassword: newPassword };
        return this.call("User.updatePassword", params).then(function (result) {
            if (signIn.session === session) {
                signIn.passwordChanged();
            }
            return result;
        });
    }
};

export { Connection, endpointOf };
