/**
 * A promise of the Promises/A+ kind that has jQuery's done, fail and always as well.
 *
 * Written out because the WebViews of old phones have no Promise, and because `.done(…).fail(…)` on a native one would
 * leave rejections that nobody handles. Like jQuery's it may come to several values, if it was resolved by a promise
 * that does, such as $.when(…): the callbacks get them all, `await` the first.
 */
function CloudPromise(start) {
    this._state = "pending";
    this._values = [];
    this._listeners = [];
    this._heard = false; // somebody will learn of a failure
    settleBy(this, start);
}

/** Lets `start(resolve, reject)` decide the promise; what it does after that, and throws after that, is ignored. */
function settleBy(promise, start) {
    var decided = false;
    function once(settle) {
        return function () {
            if (!decided) {
                decided = true;
                settle(promise, arguments);
            }
        };
    }
    var reject = once(rejectWith);
    try {
        start(once(resolveWith), reject);
    } catch (error) {
        reject(error);
    }
}

function resolveWith(promise, values) {
    var value = values[0];
    if (value === promise) {
        rejectWith(promise, [new TypeError("A promise cannot wait for itself.")]);
        return;
    }
    settleBy(promise, function (resolve, reject) {
        var then = value !== null && (typeof value === "object" || typeof value === "function") && value.then;
        if (typeof then === "function") {
            then.call(value, resolve, reject);
        } else {
            settle(promise, "resolved", values);
        }
    });
}

function rejectWith(promise, values) {
    var error = values[0];
    settle(promise, "rejected", values);
    setTimeout(function () {
        if (promise._heard) {
            return;
        }
        if (!error || typeof error.code !== "number") {
            throw error; // a mistake in a callback, for the page's error handler
        }
        console.warn("A call failed, and nothing handles it (.fail, .catch): Err#" + error.code + ": " + error.message);
    }, 0);
}

function settle(promise, state, values) {
    promise._state = state;
    promise._values = values;
    var listeners = promise._listeners;
    promise._listeners = [];
    for (var i = 0; i < listeners.length; i++) {
        notify(promise, listeners[i]);
    }
}

function notify(promise, listener) {
    later(function () {
        listener[promise._state].apply(null, promise._values);
    });
}

function listen(promise, onResolved, onRejected) {
    var listener = { resolved: onResolved, rejected: onRejected };
    if (promise._state === "pending") {
        promise._listeners.push(listener);
    } else {
        notify(promise, listener);
    }
}

function later(work) {
    if (typeof Promise === "function") {
        Promise.resolve().then(work);
    } else {
        setTimeout(work, 0);
    }
}

function ignore() {}

/** Calls every function of `callbacks`, also in arrays, with the values; an error in one reaches the page's handler. */
function callEach(callbacks) {
    callbacks = Array.prototype.concat.apply([], callbacks);
    return function () {
        for (var i = 0; i < callbacks.length; i++) {
            try {
                if (typeof callbacks[i] === "function") {
                    callbacks[i].apply(null, arguments);
                }
            } catch (error) {
                throwLater(error);
            }
        }
    };
}

function throwLater(error) {
    setTimeout(function () {
        throw error;
    }, 0);
}

CloudPromise.prototype = {
    constructor: CloudPromise,

    then: function (onResolved, onRejected) {
        var promise = this;
        promise._heard = true;
        return new CloudPromise(function (resolve, reject) {
            function passOn(callback, otherwise) {
                return function () {
                    if (typeof callback !== "function") {
                        otherwise.apply(null, arguments);
                        return;
                    }
                    try {
                        resolve(callback.apply(null, arguments));
                    } catch (error) {
                        reject(error);
                    }
                };
            }
            listen(promise, passOn(onResolved, resolve), passOn(onRejected, reject));
        });
    },

    /** The older name of `then`, in jQuery 1.7. */
    pipe: function (onResolved, onRejected) {
        return this.then(onResolved, onRejected);
    },

    "catch": function (onRejected) {
        return this.then(undefined, onRejected);
    },

    "finally": function (callback) {
        var outcome = this;
        function run() {
            return new CloudPromise(function (resolve) {
                resolve(typeof callback === "function" ? callback() : undefined);
            }).then(function () {
                return outcome;
            });
        }
        return this.then(run, run);
    },

    /** Calls the functions with the result; returns this same promise, as jQuery does. */
    done: function () {
        listen(this, callEach(arguments), ignore);
        return this;
    },

    /** Calls the functions with the error; returns this same promise. */
    fail: function () {
        this._heard = true;
        listen(this, ignore, callEach(arguments));
        return this;
    },

    /** Calls the functions with the result or the error; returns this same promise. */
    always: function () {
        this._heard = true;
        listen(this, callEach(arguments), callEach(arguments));
        return this;
    },

    // What $.when of jQuery 1 and 2 asks of a promise.
    progress: function () {
        return this;
    },
    promise: function () {
        return this;
    },

    /** "pending", "resolved" or "rejected". */
    state: function () {
        return this._state;
    }
};

if (typeof Symbol === "function" && Symbol.toStringTag) {
    CloudPromise.prototype[Symbol.toStringTag] = "Promise";
}

function rejected(error) {
    return new CloudPromise(function (_, reject) {
        reject(error);
    });
}

function resolved(value) {
    return new CloudPromise(function (resolve) {
        resolve(value);
    });
}

export { CloudPromise, rejected, resolved };
