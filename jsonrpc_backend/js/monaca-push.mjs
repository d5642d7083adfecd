/**
 * Hands what native code sends to the page's handler. What comes before there is one is kept, the last of it, for an app
 * may have been started by a tap on a notification.
 */
function createPush() {
    var handler = null;
    var kept = [];
    return {
        setHandler: function (callback) {
            if (typeof callback !== "function") {
                console.warn("Push.setHandler takes a function; this call of it is ignored.");
                return;
            }
            handler = callback;
            kept.splice(0).forEach(function (data) {
                handler(data);
            });
        },
        send: function (data) {
            if (handler) {
                handler(data);
            } else {
                kept = [data];
            }
        }
    };
}

export { createPush };
