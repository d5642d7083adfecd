import { has } from "./objects.mjs";
import { root } from "./root.mjs";

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

export { defaultStorage, lenientStorage, memoryStorage };
