/*
 * Finds out where the server is, from settings.js or from a form, and loads the client script from there.
 *
 *     connect("monaca.cloud.js", function (settings) { … the script is there … });
 *
 * An app of your own that knows its server needs none of this, only the script tag.
 */
// biome-ignore lint/correctness/noUnusedVariables: app.js uses it
function connect(scriptName, start) {
    "use strict";
    var STORED = "exampleSettings";
    var form = document.getElementById("connect-form");
    var isFixed = SETTINGS.apiKey !== "";

    function stored() {
        try {
            return JSON.parse(localStorage.getItem(STORED));
        } catch (_) {
            return null; // storage denied
        }
    }

    function remember(settings) {
        try {
            localStorage.setItem(STORED, JSON.stringify(settings));
        } catch (_) {
            // storage denied: the form comes up again next time
        }
    }

    function loadScript(url) {
        return new Promise(function (resolve, reject) {
            var script = document.createElement("script");
            script.src = url + "/js/" + scriptName;
            script.onload = resolve;
            script.onerror = function () {
                script.parentNode.removeChild(script);
                reject(
                    wrong({
                        url:
                            "There is no server at this address. Start it with “python3 run.py serve --dev”, " +
                            "or check the address."
                    })
                );
            };
            document.head.appendChild(script);
        });
    }

    /** The same kind of error that the server answers wrong parameters with: a sentence for each field. */
    function wrong(data) {
        return { code: -32602, message: "Invalid params", data: data };
    }

    function connectTo(settings) {
        return loadScript(settings.url)
            .then(function () {
                return start(settings);
            })
            .then(
                function () {
                    if (!isFixed) {
                        remember(settings);
                    }
                    document.getElementById("change-server").hidden = isFixed;
                },
                function (error) {
                    Page.show("connect");
                    throw error.code === 4
                        ? wrong({ apiKey: "The server knows no backend of this id with this API key." })
                        : error;
                }
            );
    }

    function fill(settings) {
        form.elements.url.value = settings.url;
        form.elements.backendId.value = settings.backendId;
        form.elements.apiKey.value = settings.apiKey;
    }

    Page.onSubmit("connect-form", function (fields) {
        return connectTo({
            url: fields.url.value.trim().replace(/\/(json-rpc.*)?$/, ""),
            backendId: fields.backendId.value.trim(),
            apiKey: fields.apiKey.value.trim()
        });
    });

    var settings = isFixed ? SETTINGS : stored();
    fill(settings || SETTINGS);
    if (settings) {
        Page.submit(form);
    } else {
        Page.show("connect");
    }
}
