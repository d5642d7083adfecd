import { CloudPromise, rejected } from "./promise.mjs";

var root =
    typeof globalThis !== "undefined" ? globalThis : typeof self !== "undefined" ? self : Function("return this")();

var TIMEOUT = 30000; // ms
var CORDOVA_TIMEOUT = 3000; // ms; a plugin that does not answer in time must not stop the app
var LONGEST_TIMER = 2147483647; // ms; more, and a timer fires at once
var SOMEBODY_ELSE = "Somebody else has signed in in another tab; sign in with the password.";
var SESSION_HEADER = "X-Set-Monaca-Cloud-Session";

function has(object, name) {
    return Object.prototype.hasOwnProperty.call(object, name);
}

function copy(target, source) {
    Object.keys(source).forEach(function (name) {
        target[name] = source[name];
    });
    return target;
}

// --- errors ----------------------------------------------------------------------------------------------

/**
 * What a call fails with: the server's error, or one of -11 (timed out), -12 (invalid response) and -13 (invalid
 * status, or no connection), which are raised here. `data` is an object; of -32602 it has a sentence for each
 * parameter that was wrong. Works with and without `new`.
 */
function CloudError(code, message, data) {
    var error = this instanceof CloudError ? this : Object.create(CloudError.prototype);
    error.code = code;
    error.message = message;
    error.data = data === undefined || data === null ? {} : data;
    if (Error.captureStackTrace) {
        Error.captureStackTrace(error, CloudError);
    }
    return error;
}
CloudError.prototype = Object.create(Error.prototype, {
    constructor: { value: CloudError, writable: true, configurable: true },
    name: { value: "CloudError", writable: true, configurable: true }
});

function timedOut(ms) {
    return new CloudError(-11, "Timed out", { reason: "The server has not answered within " + ms / 1000 + " s." });
}

function invalidResponse(reason) {
    return new CloudError(-12, "Invalid response", { reason: reason });
}

function invalidStatus(reason) {
    return new CloudError(-13, "Invalid status", { reason: reason });
}

// --- what is kept ----------------------------------------------------------------------------------------

/** A storage like localStorage that lasts as long as the page. */
function memoryStorage() {
    var items = {};
    return {
        getItem: function (key) {
            return has(items, key) ? items[key] : null;
        },
        setItem: function (key, value) {
            items[key] = String(value);
        },
        removeItem: function (key) {
            delete items[key];
        }
    };
}

/** A storage that may be denied or full, with one before it that has what the other does not take. */
function lenientStorage(storage) {
    var memory = memoryStorage();
    function attempt(name, key, value) {
        try {
            return storage[name](key, value);
        } catch (_) {
            return undefined;
        }
    }
    return {
        getItem: function (key) {
            var value = memory.getItem(key);
            if (value === null) {
                value = attempt("getItem", key);
            }
            return value === undefined ? null : value;
        },
        setItem: function (key, value) {
            try {
                storage.setItem(key, value);
                memory.removeItem(key);
            } catch (_) {
                attempt("removeItem", key); // an old value would be taken for the new one after a reload
                memory.setItem(key, value);
            }
        },
        removeItem: function (key) {
            memory.removeItem(key);
            attempt("removeItem", key);
        }
    };
}

var shared = null;

/** The page's localStorage. Elsewhere each client has a memory of its own; Node's localStorage is left alone. */
function defaultStorage() {
    if (!root.document) {
        return memoryStorage();
    }
    if (shared === null) {
        var storage = null;
        try {
            storage = root.localStorage;
        } catch (_) {
            // Denied.
        }
        shared = lenientStorage(storage);
    }
    return shared;
}

/** What follows the name of a key: nothing for the first backend of an app, the endpoint for every further one. */
function keySuffix(storage, prefix, endpoint) {
    var owner = storage.getItem(prefix + "Backend");
    if (owner === null) {
        storage.setItem(prefix + "Backend", endpoint);
        owner = endpoint;
    }
    return owner === endpoint ? "" : "@" + endpoint;
}

/**
 * Who is signed in at one backend.
 *
 * Session and user belong to this page: another tab may be somebody else. The storage has those of the latest sign-in,
 * for pages that are opened later, and its login token. The user outlives the session: the token can renew that.
 */
function SignIn(storage, prefix, endpoint, kept) {
    var suffix = keySuffix(storage, prefix, endpoint);
    this._storage = storage;
    this._recordKey = prefix + "SignIn" + suffix;
    this._tokenKey = prefix + "LoginToken" + suffix;
    this._kept = kept;
    var record = this._record();
    this.session = record && record.session;
    this.user = record && record.user;
}

SignIn.prototype = {
    /** {session, user} of the latest sign-in of any tab, or null; the session is null when it has ended. */
    _record: function () {
        try {
            var record = JSON.parse(this._storage.getItem(this._recordKey));
            return record && record.user && typeof record.user._id === "string" ? record : null;
        } catch (_) {
            return null;
        }
    },

    _store: function () {
        this._storage.setItem(this._recordKey, JSON.stringify({ session: this.session, user: this.user }));
    },

    begin: function (session, result) {
        this.session = session;
        this.user = this._kept(result.user);
        this._store();
        if (result.loginToken) {
            this._storage.setItem(this._tokenKey, result.loginToken);
        } else {
            this._storage.removeItem(this._tokenKey); // it would sign in somebody else
        }
    },

    /** Whether the storage has the sign-in of this page's user, not one that somebody else has made in another tab. */
    isStored: function () {
        var record = this._record();
        return record === null || this.user === null || record.user._id === this.user._id;
    },

    /** Stores other data of the user. */
    remember: function (user) {
        this.user = this._kept(user);
        if (this.isStored()) {
            this._store();
        }
    },

    /** The login token, read anew each time, for another tab may have used it; null where it is somebody else's. */
    loginToken: function () {
        return this.isStored() ? this._storage.getItem(this._tokenKey) : null;
    },

    /** Forgets the session, which has ended by itself. */
    endSession: function () {
        var record = this._record();
        var isLatest = record !== null && record.session === this.session;
        this.session = null;
        if (isLatest) {
            this._store();
        }
    },

    /** Forgets all: this user has signed out here, in whichever tab. */
    end: function () {
        if (this.isStored()) {
            this._storage.removeItem(this._recordKey);
            this._storage.removeItem(this._tokenKey);
        }
        this.session = null;
        this.user = null;
    },

    /** Forgets a login token that the server has refused, unless another one has taken its place. */
    dropLoginToken: function (token) {
        if (this.loginToken() === token) {
            this._storage.removeItem(this._tokenKey);
        }
    },

    /** The password was changed: the server has left this session only, and the login token that came with it. */
    passwordChanged: function () {
        if (this.isStored()) {
            this._store();
        }
    }
};

// --- the device ------------------------------------------------------------------------------------------

/**
 * Tells `found` the id of this installation: Cordova's where the Monaca plugin tells one, else one that is made once.
 * A plugin that answers late makes it tell another one; the storage then has that one for the next start.
 */
function findDevice(storage, found) {
    var isFound = false;
    function use(id) {
        isFound = true;
        storage.setItem("monacaCloudDevice", id);
        found(id);
    }
    function useOwn() {
        if (!isFound) {
            use(storage.getItem("monacaCloudDevice") || randomId());
        }
    }
    function useCordovas(configuration) {
        var id = configuration && configuration.deviceId ? String(configuration.deviceId) : "";
        if (id.length >= 1 && id.length <= 255) {
            use(id);
        } else {
            useOwn();
        }
    }
    function ask(work) {
        setTimeout(useOwn, CORDOVA_TIMEOUT);
        try {
            work();
        } catch (_) {
            useOwn();
        }
    }
    var monaca = root.monaca;
    if (monaca && typeof monaca.getRuntimeConfiguration === "function") {
        ask(function () {
            monaca.getRuntimeConfiguration(useCordovas, useOwn);
        });
    } else if (root.cordova && typeof root.cordova.exec === "function") {
        root.document.addEventListener("deviceready", function () {
            ask(function () {
                root.cordova.exec(useCordovas, useOwn, "Monaca", "getRuntimeConfiguration", []);
            });
        });
        setTimeout(useOwn, CORDOVA_TIMEOUT);
    } else {
        useOwn();
    }
}

function randomId() {
    var crypto = root.crypto || root.msCrypto;
    var bytes = [];
    for (var i = 0; i < 16; i++) {
        bytes.push(Math.floor(Math.random() * 256)); // it need not be secret, only different
    }
    if (crypto && crypto.getRandomValues) {
        bytes = crypto.getRandomValues(new Uint8Array(16));
    }
    var id = "";
    for (var j = 0; j < 16; j++) {
        id += (bytes[j] + 256).toString(16).slice(1);
    }
    return id;
}

// --- calls -----------------------------------------------------------------------------------------------

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
        } catch (error) {
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

/** Runs the work while no other tab runs some under this name, where the browser can tell; waits for `timeout` ms. */
function exclusively(name, timeout, work) {
    var locks = root.document && root.navigator && root.navigator.locks;
    if (!locks) {
        return work();
    }
    return new CloudPromise(function (resolve) {
        var patience = new AbortController();
        var stop = startTimer(timeout, function () {
            patience.abort();
        });
        function begin() {
            stop();
            var working = work();
            resolve(working);
            return working.then(undefined, function () {});
        }
        // A page without an origin of its own may not have locks.
        locks.request(name, { signal: patience.signal }, begin).then(undefined, begin);
    });
}

/** Calls back after `ms`, if that is a time that timers can tell; returns a function that stops it. */
function startTimer(ms, callback) {
    var timer = ms > 0 && ms <= LONGEST_TIMER ? setTimeout(callback, ms) : null;
    return function () {
        clearTimeout(timer);
    };
}

function read(text) {
    var response;
    try {
        response = JSON.parse(text);
    } catch (_) {
        throw invalidResponse("The answer is not JSON; is this the address of a jsonrpc-backend server?");
    }
    var error = response && response.error;
    if (!response || response.jsonrpc !== "2.0" || (error ? typeof error.code !== "number" : !("result" in response))) {
        throw invalidResponse("The answer is not a JSON-RPC 2.0 response.");
    }
    return response;
}

/** Posts the body; a promise of {text, session}. */
function post(url, body, timeout) {
    return new CloudPromise(function (resolve, reject) {
        var abort = (root.XMLHttpRequest ? postByXhr : postByFetch)(
            url,
            body,
            function (status, text, session) {
                stop();
                if (status === 200) {
                    resolve({ text: text, session: session });
                } else {
                    reject(invalidStatus("The server has answered with HTTP status " + status + "."));
                }
            },
            function () {
                stop();
                reject(invalidStatus("The server cannot be reached at " + url + "."));
            }
        );
        var stop = startTimer(timeout, function () {
            reject(timedOut(timeout));
            abort();
        });
    });
}

// Not application/json: browsers would ask for leave first, with a request of its own. The server reads JSON anyway.
var CONTENT_TYPE = "text/plain;charset=UTF-8";

function postByXhr(url, body, onAnswer, onFailure) {
    var request = new root.XMLHttpRequest();
    request.onload = function () {
        onAnswer(request.status, request.responseText, request.getResponseHeader(SESSION_HEADER));
    };
    request.onerror = onFailure;
    try {
        request.open("POST", url, true);
        request.setRequestHeader("Content-Type", CONTENT_TYPE);
        request.send(body);
    } catch (_) {
        setTimeout(onFailure, 0); // no address at all, or one that the page may not call
    }
    return function () {
        request.abort();
    };
}

function postByFetch(url, body, onAnswer, onFailure) {
    var controller = new AbortController();
    root.fetch(url, {
        method: "POST",
        headers: { "Content-Type": CONTENT_TYPE },
        body: body,
        signal: controller.signal
    })
        .then(function (response) {
            return response.text().then(function (text) {
                onAnswer(response.status, text, response.headers.get(SESSION_HEADER));
            });
        })
        .then(undefined, onFailure);
    return function () {
        controller.abort();
    };
}

export { CloudError, Connection, copy, endpointOf, has, memoryStorage, root };
