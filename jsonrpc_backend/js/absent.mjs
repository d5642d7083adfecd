import { CloudError } from "./errors.mjs";
import { rejected } from "./promise.mjs";

/** A function that fails with a sentence: its promise, and the callbacks {success, error} among its arguments. */
function absent(sentence) {
    return function () {
        var promise = rejected(new CloudError(13, sentence, { reason: sentence }));
        for (var i = 0; i < arguments.length; i++) {
            if (arguments[i] && typeof arguments[i].error === "function") {
                promise.fail(arguments[i].error);
            }
        }
        return promise;
    };
}

/** Gives `target` a function for each of the names, which have blanks between them; `make(name)` makes it. */
function addEach(target, names, make) {
    names.split(" ").forEach(function (name) {
        if (name) {
            target[name] = make(name);
        }
    });
    return target;
}

export { absent, addEach };
