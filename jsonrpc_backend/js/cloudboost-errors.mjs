import { CloudError } from "./errors.mjs";
import { rejected } from "./promise.mjs";

var SIGN_IN = "You are not signed in any more. Log in again.";

/** The error with a message that tells a person what to do; code and data are those of the call. */
function explained(error) {
    if (!(error instanceof CloudError)) {
        return error;
    }
    var data = error.data;
    var message = error.message;
    if (data.reason) {
        message = data.reason;
    } else if (error.code === -32602) {
        message = Object.keys(data)
            .map(function (name) {
                return data[name];
            })
            .join(" ");
    } else if (error.code === 4) {
        message = "The backend id or the API key is wrong. Check CB.CloudApp.init(url, backendId, apiKey).";
    } else if (error.code === 11) {
        message = SIGN_IN;
    } else if (error.code === 9999) {
        message = "Too many calls. Try again in " + data.retryAfter + " s.";
    }
    return new CloudError(error.code, message, data);
}

function failed(code, message) {
    return rejected(new CloudError(code, message, { reason: message }));
}

export { explained, failed };
