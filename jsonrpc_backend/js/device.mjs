import { root } from "./root.mjs";

var CORDOVA_TIMEOUT = 3000; // ms; a plugin that does not answer in time must not stop the app

/**
 * Tells `found` the id of this installation: Cordova's where the Monaca plugin tells one, else one that is made once.
 * A plugin that answers late makes it tell another one; the storage then has that one for the next start.
 */
function findDevice(storage, found) {
    var isFound = false;
    function use(id) {
        isFound = true;
        storage.setItem("monacaCloudDevice", id);
        found(id);
    }
    function useOwn() {
        if (!isFound) {
            use(storage.getItem("monacaCloudDevice") || randomId());
        }
    }
    function useCordovas(configuration) {
        var id = configuration && configuration.deviceId ? String(configuration.deviceId) : "";
        if (id.length >= 1 && id.length <= 255) {
            use(id);
        } else {
            useOwn();
        }
    }
    function ask(work) {
        setTimeout(useOwn, CORDOVA_TIMEOUT);
        try {
            work();
        } catch (_) {
            useOwn();
        }
    }
    var monaca = root.monaca;
    if (monaca && typeof monaca.getRuntimeConfiguration === "function") {
        ask(function () {
            monaca.getRuntimeConfiguration(useCordovas, useOwn);
        });
    } else if (root.cordova && typeof root.cordova.exec === "function") {
        root.document.addEventListener("deviceready", function () {
            ask(function () {
                root.cordova.exec(useCordovas, useOwn, "Monaca", "getRuntimeConfiguration", []);
            });
        });
        setTimeout(useOwn, CORDOVA_TIMEOUT);
    } else {
        useOwn();
    }
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

export { findDevice };
