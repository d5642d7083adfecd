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

/** Saves the objects that an object leads to, then itself; each once, so a circle ends where it began. */
function saveWhole(object, seen) {
    seen.push(object);
    return inTurn(related(object), function (other) {
        return seen.indexOf(other) >= 0 ? undefined : saveWhole(other, seen);
    }).then(function () {
        return object === seen[0] || hasChanges(object) ? object._send() : undefined;
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
            work(each).then(
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

export { allOf, saveWhole };
