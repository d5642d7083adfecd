import { CloudPromise, rejected } from "./promise.mjs";

var root =
    typeof globalThis !== "undefined" ? globalThis : typeof self !== "undefined" ? self : Function("return this")();

var TIMEOUT = 30000; // ms
var CORDOVA_TIMEOUT = 3000; // ms; a plugin that does not answer must not stop the app
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

/** localStorage where there is one that can be used; it may be denied, or full. Node's own is left alone. */
function pageStorage() {
    try {
        var storage = root.document && root.localStorage;
        storage.setItem("monacaCloudProbe", "1");
        storage.removeItem("monacaCloudProbe");
        return storage;
    } catch (_) {
        return memoryStorage();
    }
}

// The first endpoint of this page under each prefix: another one with the same backend id gets keys of its own.
var claims = {};

/** What follows the name of a key: nothing for an app's own backend, the endpoint for every further one. */
function keySuffix(storage, prefix, settings) {
    var owner = prefix + "Backend";
    var endpoint = endpointOf(settings);
    var claimed = claims[prefix];
    if (storage.getItem(owner) === null) {
        write(storage, owner, settings.backendId);
    }
    if (storage.getItem(owner) !== settings.backendId || (claimed !== undefined && claimed !== endpoint)) {
        return "@" + endpoint;
    }
    claims[prefix] = endpoint;
    return "";
}

function write(storage, key, value) {
    try {
        if (value === null) {
            storage.removeItem(key);
        } else {
            storage.setItem(key, value);
        }
    } catch (_) {
        // Full: the sign-in then lasts as long as the page.
    }
}

/**
 * Who is signed in at one backend.
 *
 * Session and user belong to this page: another tab may be somebody else. The storage has those of the latest sign-in,
 * for pages that are opened later. The login token is read from there each time, for another tab may have used it.
 */
function SignIn(storage, prefix, suffix, kept) {
    this._storage = storage;
    this._keys = {
        session: prefix + "Session" + suffix,
        user: prefix + "User" + suffix,
        loginToken: prefix + "LoginToken" + suffix
    };
    this._kept = kept;
    this._loginToken = null; // where the storage is full
    this.session = storage.getItem(this._keys.session);
    this.user = this.session === null ? null : this._storedUser();
    if (this.user === null) {
        this.session = null;
    }
}

SignIn.prototype = {
    _storedUser: function () {
        try {
            return JSON.parse(this._storage.getItem(this._keys.user));
        } catch (_) {
            return null;
        }
    },

    loginToken: function () {
        return this._storage.getItem(this._keys.loginToken) || this._loginToken;
    },

    begin: function (session, result) {
        this.session = session;
        write(this._storage, this._keys.session, session);
        this._setLoginToken(result.loginToken || null); // without one, an older one would sign in somebody else
        this.remember(result.user);
    },

    remember: function (user) {
        this.user = this._kept(user);
        write(this._storage, this._keys.user, JSON.stringify(this.user));
    },

    /** Forgets the session; that of another tab, if it is the stored one, stays. */
    endSession: function () {
        if (this._storage.getItem(this._keys.session) === this.session) {
            write(this._storage, this._keys.session, null);
            write(this._storage, this._keys.user, null);
        }
        this.session = null;
        this.user = null;
    },

    /** Forgets session and login token, unless the token is of somebody who has signed in in another tab. */
    end: function () {
        if (this.user === null || this.holdsTokenOf(this.user._id)) {
            this._setLoginToken(null);
        }
        this.endSession();
    },

    /** Whether there is a login token, and not that of somebody who has signed in in another tab. */
    holdsTokenOf: function (userId) {
        var stored = this._storedUser();
        return Boolean(this.loginToken()) && (stored === null || stored._id === userId);
    },

    /** Forgets a login token that the server has refused, unless another one has taken its place. */
    dropLoginToken: function (token) {
        if (this.loginToken() === token) {
            this._setLoginToken(null);
        }
    },

    _setLoginToken: function (token) {
        this._loginToken = token;
        write(this._storage, this._keys.loginToken, token);
    }
};

// --- the device ------------------------------------------------------------------------------------------

/** A promise of the id of this installation: Cordova's where the Monaca plugin tells one, else one that is made once. */
function findDevice(storage) {
    return new CloudPromise(function (resolve) {
        function useOwn() {
            var id = storage.getItem("monacaCloudDevice") || randomId();
            write(storage, "monacaCloudDevice", id);
            resolve(id);
        }
        function useCordovas(configuration) {
            var id = configuration && configuration.deviceId ? String(configuration.deviceId) : "";
            if (id.length >= 1 && id.length <= 255) {
                resolve(id);
            } else {
                useOwn();
            }
        }
        var monaca = root.monaca;
        if (monaca && typeof monaca.getRuntimeConfiguration === "function") {
            setTimeout(useOwn, CORDOVA_TIMEOUT);
            monaca.getRuntimeConfiguration(useCordovas, useOwn);
        } else if (root.cordova && typeof root.cordova.exec === "function") {
            setTimeout(useOwn, CORDOVA_TIMEOUT);
            root.document.addEventListener("deviceready", function () {
                root.cordova.exec(useCordovas, useOwn, "Monaca", "getRuntimeConfiguration", []);
            });
        } else {
            useOwn();
        }
    });
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
    var storage = settings.storage || pageStorage();
    this.settings = settings;
    this.timeout = settings.timeout === undefined ? TIMEOUT : settings.timeout;
    this.deviceId = settings.deviceId || null;
    this._storage = storage;
    this.signIn = new SignIn(storage, prefix, keySuffix(storage, prefix, settings), kept);
}

Connection.prototype = {
    /** Calls any method; a promise of its `result`. */
    call: function (method, params) {
        var connection = this;
        return this._device().then(function (device) {
            return connection._exchange(method, params || {}, device);
        });
    },

    _device: function () {
        var connection = this;
        if (this.deviceId === null) {
            this._finding = this._finding || findDevice(this._storage);
            return this._finding.then(function (device) {
                connection.deviceId = connection.deviceId || device;
                return connection.deviceId;
            });
        }
        return new CloudPromise(function (resolve) {
            resolve(connection.deviceId);
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
        return post(endpointOf(this.settings), body, this.timeout).then(function (answer) {
            var response = read(answer.text);
            var error = response.error;
            if (error) {
                if (error.code === 11 && signIn.session === session && session !== null) {
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
        return exclusively("monacaCloudAutoLogin", function () {
            var token = connection.signIn.loginToken() || undefined;
            return connection.call("User.autoLogin", { loginToken: token }).then(undefined, function (error) {
                if (error.code === -32602) {
                    connection.signIn.dropLoginToken(token);
                }
                throw error;
            });
        });
    },

    /** Signs out. Where the session had ended by itself, the login token is forgotten all the same. */
    logout: function () {
        var signIn = this.signIn;
        return this.call("User.logout").then(
            function (result) {
                signIn.end();
                return result;
            },
            function (error) {
                if (error.code === 11) {
                    signIn.end();
                }
                throw error;
            }
        );
    },

    unregister: function (password) {
        var signIn = this.signIn;
        return this.call("User.unregister", { password: password }).then(function (result) {
            signIn.end();
            return result;
        });
    },

    /** Changes the password; the server ends every login token of the user with it. */
    updatePassword: function (oldPassword, newPassword) {
        var signIn = this.signIn;
        var params = { oldPassword: oldPassword, newPassword: newPassword };
        return this.call("User.updatePassword", params).then(function (result) {
            signIn.dropLoginToken(signIn.loginToken());
            return result;
        });
    }
};

/** Runs the work while no other tab runs some under this name, where the browser can tell. */
function exclusively(name, work) {
    var locks = root.document && root.navigator && root.navigator.locks;
    if (!locks) {
        return work();
    }
    return new CloudPromise(function (resolve) {
        // A page without an origin of its own may not have locks.
        locks.request(name, function () {
            var working = work();
            resolve(working);
            return working.then(undefined, function () {});
        }).then(undefined, function () {
            resolve(work());
        });
    });
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
        var timer = null;
        var abort = (root.XMLHttpRequest ? postByXhr : postByFetch)(
            url,
            body,
            function (status, text, session) {
                clearTimeout(timer);
                if (status === 200) {
                    resolve({ text: text, session: session });
                } else {
                    reject(invalidStatus("The server has answered with HTTP status " + status + "."));
                }
            },
            function () {
                clearTimeout(timer);
                reject(invalidStatus("The server cannot be reached at " + url + "."));
            }
        );
        if (timeout > 0) {
            timer = setTimeout(function () {
                reject(timedOut(timeout));
                abort();
            }, timeout);
        }
    });
}

// Not application/json: browsers would ask for leave first, with a request of its own. The server reads JSON anyway.
var CONTENT_TYPE = "text/plain;charset=UTF-8";

function postByXhr(url, body, onAnswer, onFailure) {
    var request = new root.XMLHttpRequest();
    request.open("POST", url, true);
    request.setRequestHeader("Content-Type", CONTENT_TYPE);
    request.onload = function () {
        onAnswer(request.status, request.responseText, request.getResponseHeader(SESSION_HEADER));
    };
    request.onerror = onFailure;
    request.send(body);
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

export { CloudError, Connection, copy, has, memoryStorage, root };
