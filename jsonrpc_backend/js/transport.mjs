import { invalidResponse, invalidStatus, timedOut } from "./errors.mjs";
import { CloudPromise } from "./promise.mjs";
import { root } from "./root.mjs";
import { startTimer } from "./timer.mjs";

var SESSION_HEADER = "X-Set-Monaca-Cloud-Session";

// Not application/json: browsers would ask for leave first, with a request of its own. The server reads JSON anyway.
var CONTENT_TYPE = "text/plain;charset=UTF-8";

/** Posts the body; a promise of {text, session}. */
function post(url, body, timeout) {
    return new CloudPromise(function (resolve, reject) {
        var abort = (root.XMLHttpRequest ? postByXhr : postByFetch)(
            url,
            body,
            function (status, text, session) {
                stop();
                if (status === 200) {
                    resolve({ text: text, session: session });
                } else {
                    reject(invalidStatus("The server has answered with HTTP status " + status + "."));
                }
            },
            function () {
                stop();
                reject(invalidStatus("The server cannot be reached at " + url + "."));
            }
        );
        var stop = startTimer(timeout, function () {
            reject(timedOut(timeout));
            abort();
        });
    });
}

function postByXhr(url, body, onAnswer, onFailure) {
    var request = new root.XMLHttpRequest();
    request.onload = function () {
        onAnswer(request.status, request.responseText, request.getResponseHeader(SESSION_HEADER));
    };
    request.onerror = onFailure;
    try {
        request.open("POST", url, true);
        request.setRequestHeader("Content-Type", CONTENT_TYPE);
        request.send(body);
    } catch (_) {
        setTimeout(onFailure, 0); // no address at all, or one that the page may not call
    }
    return function () {
        request.abort();
    };
}

function postByFetch(url, body, onAnswer, onFailure) {
    var controller = new AbortController();
    root.fetch(url, {
        method: "POST",
        headers: { "Content-Type": CONTENT_TYPE },
        body: body,
        signal: controller.signal
    })
        .then(function (response) {
            return response.text().then(function (text) {
                onAnswer(response.status, text, response.headers.get(SESSION_HEADER));
            });
        })
        .then(undefined, onFailure);
    return function () {
        controller.abort();
    };
}

function read(text) {
    var response;
    try {
        response = JSON.parse(text);
    } catch (_) {
        throw invalidResponse("The answer is not JSON; is this the address of a jsonrpc-backend server?");
    }
    var error = response && response.error;
    if (!response || response.jsonrpc !== "2.0" || (error ? typeof error.code !== "number" : !("result" in response))) {
        throw invalidResponse("The answer is not a JSON-RPC 2.0 response.");
    }
    return response;
}

export { post, read };
