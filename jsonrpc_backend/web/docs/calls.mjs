/** Calling a method, and what its answer says of the session. */

import { endpoint, isReserved } from "./documents.mjs";
import { SIGNED_OUT, keep, state } from "./tab.mjs";

const TIMEOUT_MS = 30000;

const ENDING_A_SESSION = new Set(["User.logout", "User.unregister"]);
const ENDING_LOGIN_TOKENS = new Set([...ENDING_A_SESSION, "User.updatePassword"]);

/** What rides along in the params of a method. */
export function reserved(method) {
    const values = { __api_key: state.apiKey, __device: state.device, __session: state.session };
    const sent = method.params.filter(isReserved).map((param) => [param.name, values[param.name]]);
    return Object.fromEntries(sent.filter(([key, value]) => value || key === "__api_key"));
}

/** Calls a method and keeps what its answer says of the session; `response`, the new `session`, `milliseconds`. */
export async function send(method, params) {
    const began = performance.now();
    const { response, session } = await post(method, params);
    if (session) {
        keep({ session, username: response.result.user._username });
    }
    if (response.result?.loginToken) {
        keep({ loginToken: response.result.loginToken });
    }
    if ("result" in response && !method.api.route && ENDING_LOGIN_TOKENS.has(method.name)) {
        keep(ENDING_A_SESSION.has(method.name) ? SIGNED_OUT : { loginToken: "" });
    }
    return { response, session, milliseconds: Math.round(performance.now() - began) };
}

const failed = (code, message, reason) => ({ response: { error: { code, message, data: { reason } } }, session: null });

async function post(method, params) {
    let answer, body;
    try {
        const message = JSON.stringify({ jsonrpc: "2.0", method: method.name, params, id: "1" });
        const signal = AbortSignal.timeout(TIMEOUT_MS);
        const headers = method.api.headers();
        answer = await fetch(endpoint(method.api), { method: "POST", headers, body: message, signal });
        body = await answer.text();
    } catch (error) {
        return error.name === "TimeoutError"
            ? failed(-11, "Timed out", `There was no answer within ${TIMEOUT_MS / 1000} s.`)
            : failed(-13, "Connection failed", "The server could not be reached.");
    }
    if (answer.status !== 200) {
        return failed(-13, "Invalid status", `The answer came with HTTP ${answer.status}.`);
    }
    try {
        return { response: JSON.parse(body), session: answer.headers.get("X-Set-Monaca-Cloud-Session") };
    } catch {
        return failed(-12, "Invalid response", "The answer is not JSON.");
    }
}
