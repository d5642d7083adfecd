/** What the tab keeps until it is closed: the backend, keys, who is signed in. */

const KEPT = "jsonrpc-backend reference";

export const state = {
    backend: "",
    apiKey: "",
    device: "",
    session: "",
    loginToken: "",
    username: "",
    managementKey: "",
};

export const SIGNED_OUT = { session: "", loginToken: "", username: "" };

const listeners = [];

/** Calls back after every change of the state. */
export function onChange(listener) {
    listeners.push(listener);
}

export function newDevice() {
    const bytes = crypto.getRandomValues(new Uint8Array(8)); // randomUUID() is not there without TLS
    return `docs-${[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export function restore() {
    try {
        Object.assign(state, JSON.parse(sessionStorage.getItem(KEPT) || "{}"));
    } catch {
        // without storage it lasts as long as the page
    }
    state.device = state.device || newDevice();
}

export function keep(changes) {
    Object.assign(state, changes);
    try {
        sessionStorage.setItem(KEPT, JSON.stringify(state));
    } catch {
        // the same
    }
    for (const listener of listeners) {
        listener();
    }
}
