/**
 * What a call fails with: the server's error, or one of -11 (timed out), -12 (invalid response) and -13 (invalid
 * status, or no connection), which are raised here. `data` is an object; of -32602 it has a sentence for each
 * parameter that was wrong. Works with and without `new`.
 */
function CloudError(code, message, data) {
    var error = this instanceof CloudError ? this : Object.create(CloudError.prototype);
    error.code = code;
    error.message = message;
    error.data = data === undefined || data === null ? {} : data;
    if (Error.captureStackTrace) {
        Error.captureStackTrace(error, CloudError);
    }
    return error;
}
CloudError.prototype = Object.create(Error.prototype, {
    constructor: { value: CloudError, writable: true, configurable: true },
    name: { value: "CloudError", writable: true, configurable: true }
});

function timedOut(ms) {
    return new CloudError(-11, "Timed out", { reason: "The server has not answered within " + ms / 1000 + " s." });
}

function invalidResponse(reason) {
    return new CloudError(-12, "Invalid response", { reason: reason });
}

function invalidStatus(reason) {
    return new CloudError(-13, "Invalid status", { reason: reason });
}

export { CloudError, invalidResponse, invalidStatus, timedOut };
