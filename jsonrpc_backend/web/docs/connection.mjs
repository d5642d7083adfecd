/** The form with what the tab keeps: which backend, its keys, who is signed in. */

import { reserved, send } from "./calls.mjs";
import { methodAt, settings } from "./documents.mjs";
import { byId, make, say } from "./dom.mjs";
import { SIGNED_OUT, keep, newDevice, onChange, state } from "./tab.mjs";

const FIELDS = [
    ["backend", "Backend id", "The last part of the endpoint's address."],
    ["apiKey", "API key", "Sent as __api_key. The server's operator has it; so does every copy of the app."],
    ["device", "Device", "Sent as __device. Made up for this tab."],
    ["session", "Session", "Sent as __session once you are signed in."],
    ["loginToken", "Login token", "For User.autoLogin; each sign-in hands out another one."],
];
const MANAGEMENT_KEY = [
    "managementKey",
    "Management key",
    "For operators: opens their methods, which act on all users.",
];

/** Builds the form; `reload` shows what is known of the backend and the management key that it has now. */
export function buildConnection(reload) {
    for (const [name, label, hint] of settings.operators ? [...FIELDS, MANAGEMENT_KEY] : FIELDS) {
        const control = controlOf(name);
        control.addEventListener("input", () => change(name, control.value.trim(), reload));
        if (name === "managementKey") {
            control.addEventListener("change", reload); // not at each key: a wrong one is refused, and told so
        }
        const attributes = { class: "hint", id: `${control.id}-hint` };
        byId("connect").append(
            make(
                "div",
                { class: "field" },
                make("label", { for: control.id }, label),
                control,
                make("p", attributes, hint),
            ),
        );
    }
    byId("connect").addEventListener("submit", (event) => event.preventDefault());
    byId("forget").addEventListener("click", () => forget(reload));
    onChange(showConnection);
}

function controlOf(name) {
    const id = `connection-${name}`;
    const attributes = { id, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-hint` };
    if (name === "backend" && settings.backends.length > 1) {
        return make(
            "select",
            attributes,
            settings.backends.map((entry) => make("option", {}, entry.id)),
        );
    }
    return make("input", name === "managementKey" ? { ...attributes, type: "password" } : attributes);
}

const known = (backend) => settings.backends.find((entry) => entry.id === backend) || {};

async function change(name, value, reload) {
    if (name !== "backend") {
        keep({ [name]: value, ...(name === "session" ? { username: "" } : {}) });
        return;
    }
    const { id, apiKey = "" } = known(value);
    keep({ backend: value, ...SIGNED_OUT, managementKey: "", ...(id ? { apiKey } : {}) });
    await reload();
}

async function forget(reload) {
    const logout = methodAt("User.logout");
    if (state.session && logout) {
        await send(logout, reserved(logout));
    }
    keep({ apiKey: known(state.backend).apiKey || "", device: newDevice(), ...SIGNED_OUT, managementKey: "" });
    await reload();
    say("Signed out and forgotten.");
}

function showConnection() {
    for (const input of byId("connect").querySelectorAll("input, select")) {
        if (input !== document.activeElement) {
            input.value = state[input.id.replace("connection-", "")];
        }
    }
    const who = state.session ? `signed in as ${state.username || "somebody"}` : "not signed in";
    const session = state.session ? ` · session ${state.session.slice(0, 8)}…` : "";
    byId("who").textContent = `Backend ${state.backend || "?"} · ${who}${session} · device ${state.device}`;
    byId("forget").textContent = state.session ? "Sign out and forget" : "Forget";
}
