import { hasChanges, related } from "./cloudboost-document.mjs";
import { CloudPromise, resolved } from "./promise.mjs";

/** Calls `work` with one after the other, each when the promise before has come to its end. */
function inTurn(list, work) {
    return list.reduce(function (before, each) {
        return before.then(function () {
            return work(each);
        });
    }, resolved());
}

/** Saves the objects that an object leads to, but for those `seen`; each once, so a circle ends where it began. */
function saveRelated(object, seen) {
    return inTurn(related(object), function (other) {
        return seen.indexOf(other) >= 0 ? undefined : saveWhole(other, seen);
    });
}

/** Saves the objects that an object leads to, then itself. */
function saveWhole(object, seen) {
    seen.push(object);
    return saveRelated(object, seen).then(function () {
        return object === seen[0] || hasChanges(object) ? sendInTurn(object) : undefined;
    });
}

/** Sends an object when what is sent of it already has come to its end: only then is it known to have an id. */
function sendInTurn(object) {
    var before = object._underWay;
    function send() {
        return before && !hasChanges(object) ? undefined : object._send();
    }
    var sending = before ? before.then(send, send) : send();
    // Not one of the members that apps see and copy.
    Object.defineProperty(object, "_underWay", { value: sending, configurable: true, enumerable: false });
    return sending.then(end, function (error) {
        end();
        throw error;
    });

    function end() {
        if (object._underWay === sending) {
            delete object._underWay;
        }
    }
}

function begun(work, each) {
    return new CloudPromise(function (resolve) {
        resolve(work(each));
    });
}

/** A promise of all results in order; of the first failure where there is one, when all have come to their end. */
function allOf(list, work) {
    var failures = [];
    var results = [];
    return new CloudPromise(function (resolve, reject) {
        var open = list.length;
        function ended() {
            open -= 1;
            if (open <= 0) {
                if (failures.length) {
                    reject(failures[0]);
                } else {
                    resolve(results);
                }
            }
        }
        if (open === 0) {
            ended();
        }
        list.forEach(function (each, index) {
            begun(work, each).then(
                function (result) {
                    results[index] = result;
                    ended();
                },
                function (error) {
                    failures.push(error);
                    ended();
                }
            );
        });
    });
}

export { allOf, begun, saveRelated, saveWhole };
