import { addAbsentOfCloudBoost } from "./cloudboost-absent.mjs";
import { ACL } from "./cloudboost-acl.mjs";
import { CloudBoostApp } from "./cloudboost-app.mjs";
import { CloudGeoPoint } from "./cloudboost-geo.mjs";
import { cloudObjectOf } from "./cloudboost-object.mjs";
import { cloudQueryOf } from "./cloudboost-query.mjs";
import { cloudUserOf } from "./cloudboost-user.mjs";

/**
 * The client of CloudBoost's documented API for users, objects and queries: `CB.CloudApp.init`, `CB.CloudUser`,
 * `CB.CloudObject`, `CB.CloudQuery`, `CB.ACL`, `CB.CloudGeoPoint`.
 *
 * `options` are those of a script tag: url, backendId, apiKey; optional: storage (like localStorage).
 */
function createCloudBoost(options) {
    var defaults = options || {};
    var app = new CloudBoostApp();

    function connect(url, backendId, apiKey) {
        app.connect({ url: url, backendId: backendId, apiKey: apiKey, storage: defaults.storage });
    }

    var CloudApp = {
        /**
         * Names the server, the backend and its API key. Without a server, as apps of CloudBoost's own server have it,
         * the calls go to `CB.apiUrl`, or else to the server that cloudboost.js came from.
         */
        init: function (url, backendId, apiKey) {
            // What CloudBoost took as options after the keys concerned its live updates.
            var isShort = arguments.length < 3 || (apiKey && typeof apiKey === "object");
            var given = isShort ? [CB.apiUrl || defaults.url, url, backendId] : [url, backendId, apiKey];
            if (!/^https?:\/\/[^/]/.test(given[0])) {
                throw new Error("CB.CloudApp.init(url, backendId, apiKey): url must look like https://example.com");
            }
            if (!/^[^/]+$/.test(given[1]) || typeof given[2] !== "string" || !given[2]) {
                throw new Error("CB.CloudApp.init(url, backendId, apiKey): backendId or apiKey is missing.");
            }
            connect(given[0], given[1], given[2]);
        }
    };

    if (defaults.url && defaults.backendId && defaults.apiKey) {
        connect(defaults.url, defaults.backendId, defaults.apiKey);
    }
    app.CloudObject = cloudObjectOf(app);
    app.CloudQuery = cloudQueryOf(app);
    app.CloudUser = cloudUserOf(app);
    var CB = addAbsentOfCloudBoost({
        CloudApp: CloudApp,
        CloudUser: app.CloudUser,
        CloudObject: app.CloudObject,
        CloudQuery: app.CloudQuery,
        CloudGeoPoint: CloudGeoPoint,
        ACL: ACL,
        toJSON: app.toJSON,
        fromJSON: function (value) {
            return app.fromJSON(value);
        }
    });
    return CB;
}

export { createCloudBoost };
