import { CloudPromise } from "./promise.mjs";
import { root } from "./root.mjs";
import { startTimer } from "./timer.mjs";

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

export { exclusively };
