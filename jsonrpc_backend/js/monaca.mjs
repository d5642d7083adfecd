import { Connection, endpointOf } from "./connection.mjs";
import { CloudError } from "./errors.mjs";
import { collectionsOf } from "./monaca-collections.mjs";
import { propertiesOf } from "./monaca-properties.mjs";
import { createPush } from "./monaca-push.mjs";
import { copy, has } from "./objects.mjs";
import { rejected } from "./promise.mjs";

var UNCONFIGURED =
    "The server is not known yet: put data-backend-id and data-api-key into the script tag, " +
    "or call configure({url: …, backendId: …, apiKey: …}).";

/**
 * The client of Monaca Backend's documented API: `User`, `Collection`, `CollectionItem`, `Criteria`, `Device`, `Mailer`,
 * `Push`, `Error`, `setTimeout`, and `configure` in place of the IDE.
 *
 * `options`: url (of the server), backendId, apiKey; optional: timeout (ms), deviceId, storage (like localStorage).
 */
function createCloud(options) {
    return cloudOf({ connections: {}, push: createPush() }, options || {});
}

function keptOfUser(user) {
    return { _id: user._id };
}

function checked(settings) {
    ["url", "backendId", "apiKey", "deviceId"].forEach(function (name) {
        if (settings[name] !== undefined && typeof settings[name] !== "string") {
            throw new TypeError(name + " must be a string");
        }
    });
    if (settings.url !== undefined && !/^https?:\/\/[^/]/.test(settings.url)) {
        throw new TypeError("url must look like https://example.com");
    }
    if (settings.timeout !== undefined) {
        checkedTimeout(settings.timeout);
    }
    return settings;
}

function checkedTimeout(ms) {
    if (typeof ms !== "number" || !(ms >= 0)) {
        throw new TypeError("the time-out must be a number of milliseconds; 0 for none");
    }
    return ms;
}

function merged(settings, changes) {
    var result = copy(copy({}, settings), changes);
    Object.keys(result).forEach(function (name) {
        if (changes[name] === undefined) {
            result[name] = settings[name];
        }
    });
    return checked(result);
}

function keyOf(settings) {
    return endpointOf(settings) + " " + settings.apiKey;
}

/**
 * `shared` is of a cloud and of all that its `configure` has returned: the connections, so that they agree on who is
 * signed in, and what native code sends.
 */
function cloudOf(shared, options) {
    var settings = merged({}, options);
    var connections = shared.connections;

    function isConfigured() {
        return Boolean(settings.url && settings.backendId && settings.apiKey);
    }

    function connection() {
        var key = keyOf(settings);
        connections[key] = connections[key] || new Connection(settings, "monacaCloud", keptOfUser);
        return connections[key];
    }

    /** A function that does nothing but fail, with a promise, until the server is known. */
    function configured(work) {
        return function () {
            if (!isConfigured()) {
                return rejected(new CloudError(-13, UNCONFIGURED, { reason: UNCONFIGURED }));
            }
            return work.apply(null, arguments);
        };
    }

    function call(method, params) {
        return connection().call(method, params);
    }

    /** A function that calls a method with its arguments as the parameters of these names. */
    function caller(method, names) {
        return configured(function () {
            var params = {};
            for (var i = 0; i < names.length; i++) {
                params[names[i]] = arguments[i];
            }
            return call(method, params);
        });
    }

    var callWhenConfigured = configured(call);
    var user = {
        register: caller("User.register", ["username", "password", "properties"]),
        validate: caller("User.validate", ["username", "properties"]),
        unregister: configured(function (password) {
            return connection().unregister(password);
        }),
        login: caller("User.login", ["username", "password"]),
        /** True or false at once: whether somebody is signed in, as far as is known here. */
        isAuthenticated: function () {
            return user._oid !== null;
        },
        autoLogin: configured(function () {
            return connection().autoLogin();
        }),
        logout: configured(function () {
            return connection().logout();
        }),
        updatePassword: configured(function (oldPassword, newPassword) {
            return connection().updatePassword(oldPassword, newPassword);
        }),
        sendPasswordResetToken: caller("User.sendPasswordResetToken", ["username", "options"]),
        resetPasswordAndLogin: caller("User.resetPasswordAndLogin", ["username", "newPassword", "token"])
    };
    copy(user, propertiesOf("User", callWhenConfigured));
    Object.defineProperty(user, "_oid", {
        enumerable: true,
        get: function () {
            var signIn = isConfigured() ? connection().signIn : null;
            return signIn && signIn.session ? signIn.user._id : null;
        }
    });

    var cloud = {
        User: user,
        Device: propertiesOf("Device", callWhenConfigured),
        Mailer: { sendMail: caller("Mailer.sendMail", ["userOid", "templateName", "substituteParams", "options"]) },
        Push: shared.push,
        Error: CloudError,

        /** How long a call may take, in milliseconds; 0 for no limit. */
        setTimeout: function (ms) {
            cloud.timeout = ms;
        },

        /**
         * Speaks to this backend from now on. Returns a cloud that stays with it, for pages with several backends:
         * `var shop = monaca.cloud.configure({…}), chat = monaca.cloud.configure({…})`.
         */
        configure: function (changes) {
            settings = merged(settings, changes || {});
            if (isConfigured() && (has(settings, "deviceId") || has(settings, "storage") || has(settings, "timeout"))) {
                delete connections[keyOf(settings)]; // one that was made without these
            }
            return cloudOf(shared, settings);
        },

        /** Calls any method by its name, with named parameters; a promise of its result. */
        call: callWhenConfigured
    };
    copy(cloud, collectionsOf(callWhenConfigured));
    // As apps of the original client may set them.
    ["url", "backendId", "apiKey"].forEach(function (name) {
        Object.defineProperty(cloud, name, {
            enumerable: true,
            get: function () {
                return settings[name];
            },
            set: function (value) {
                var change = {};
                change[name] = value;
                settings = merged(settings, change);
            }
        });
    });
    // The id of this installation, null until it is known. Apps outside of Cordova had to set it.
    Object.defineProperty(cloud, "deviceId", {
        enumerable: true,
        get: function () {
            return (isConfigured() ? connection().knownDevice() : settings.deviceId) || null;
        },
        set: function (id) {
            cloud.configure({ deviceId: id });
        }
    });
    Object.defineProperty(cloud, "timeout", {
        enumerable: true,
        get: function () {
            return isConfigured() ? connection().timeout : settings.timeout;
        },
        set: function (ms) {
            settings = merged(settings, { timeout: checkedTimeout(ms) });
            if (isConfigured()) {
                connection().timeout = ms;
            }
        }
    });
    return cloud;
}

export { createCloud };
