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
        var sentences = Object.keys(data).map(function (name) {
            return data[name];
        });
        message = sentences.join(" ") || message;
    } else if (error.code === 4) {
        message = "The backend id or the API key is wrong. Check CB.CloudApp.init(url, backendId, apiKey).";
    } else if (error.code === 11) {
        message = SIGN_IN;
    } else if (error.code === 9999) {
        message = "Too many calls. Try again in " + data.retryAfter + " s.";
    }
    var told = new CloudError(error.code, message, data);
    // As apps of CloudBoost read it as well: `error.response.data.error`.
    told.response = { status: error.status || 400, data: { error: message, message: message } };
    return told;
}

/** Throws what a call fails with that is not there. */
function refuse(sentence) {
    throw new CloudError(13, sentence, { reason: sentence });
}

function failed(code, message) {
    return rejected(new CloudError(code, message, { reason: message }));
}

export { explained, failed, refuse };
