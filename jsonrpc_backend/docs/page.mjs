/**
 * The reference page. Everything on it is made of the server's OpenRPC document: the list of methods, their forms, the
 * same call in three languages, and what an error means. The start page uses the copy buttons only.
 */

const BASE = new URL(".", location.href);
const KEPT = "jsonrpc-backend reference";
const TIMEOUT_MS = 30000;

const SIGNING_IN = "User.login";
const ENDING_A_SESSION = new Set(["User.logout", "User.unregister"]);
const ENDING_LOGIN_TOKENS = new Set([...ENDING_A_SESSION, "User.updatePassword"]);

const byId = (id) => document.getElementById(id);

/** An element: attributes by name, `on…` functions as listeners, then children (elements or text; others are left out). */
function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (typeof value === "function") {
            element.addEventListener(name.slice(2), value);
        } else if (value !== false && value !== undefined && value !== null) {
            element.setAttribute(name, value === true ? "" : value);
        }
    }
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
}

/** Sentences with `code` in them. */
function prose(text) {
    return text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

function say(text) {
    byId("said").textContent = text;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => (byId("said").textContent = ""), 4000);
}

// --- what the tab keeps -----------------------------------------------------------------------------------

const CONNECTION = [
    ["backend", "Backend id", "The last part of the endpoint's address."],
    ["apiKey", "API key", "Sent as __api_key. The server's operator has it; so does every copy of the app."],
    ["device", "Device", "Sent as __device. Made up for this tab."],
    ["session", "Session", "Sent as __session once you are signed in."],
    ["loginToken", "Login token", "For User.autoLogin; each sign-in hands out another one."],
];

const state = { backend: "", apiKey: "", device: "", session: "", loginToken: "", username: "" };

function newDevice() {
    const bytes = crypto.getRandomValues(new Uint8Array(8)); // randomUUID() is not there without TLS
    return "docs-" + [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function restore() {
    try {
        Object.assign(state, JSON.parse(sessionStorage.getItem(KEPT) || "{}"));
    } catch {
        // without storage it lasts as long as the page
    }
    state.device = state.device || newDevice();
}

function keep(changes) {
    Object.assign(state, changes);
    try {
        sessionStorage.setItem(KEPT, JSON.stringify(state));
    } catch {
        // the same
    }
    showConnection();
}

function showConnection() {
    for (const [name] of CONNECTION) {
        const field = byId(`connection-${name}`);
        if (field && field !== document.activeElement) {
            field.value = state[name];
        }
    }
    const who = state.session ? `signed in as ${state.username || "somebody"}` : "not signed in";
    const session = state.session ? ` · session ${state.session.slice(0, 8)}…` : "";
    byId("who").textContent = `Backend ${state.backend || "?"} · ${who}${session} · device ${state.device}`;
    byId("forget").textContent = state.session ? "Sign out and forget" : "Forget";
    redrawSnippets();
}

function buildConnection(backends) {
    for (const [name, label, hint] of CONNECTION) {
        const id = `connection-${name}`;
        const attributes = { id, autocomplete: "off", spellcheck: "false", "aria-describedby": `${id}-hint` };
        const control =
            name === "backend" && backends.length > 1
                ? make("select", attributes, backends.map((entry) => make("option", {}, entry.id)))
                : make("input", attributes);
        control.addEventListener("input", () => changeConnection(name, control.value.trim(), backends));
        byId("connect").append(
            make("div", { class: "field" }, make("label", { for: id }, label), control, make("p", { class: "hint", id: `${id}-hint` }, hint)),
        );
    }
    byId("connect").addEventListener("submit", (event) => event.preventDefault());
    byId("forget").addEventListener("click", () => forget(backends));
}

async function changeConnection(name, value, backends) {
    if (name !== "backend") {
        keep({ [name]: value, ...(name === "session" ? { username: "" } : {}) });
        return;
    }
    const known = backends.find((entry) => entry.id === value);
    keep({ backend: value, session: "", loginToken: "", username: "", ...(known ? { apiKey: known.apiKey || "" } : {}) });
    await load();
}

async function forget(backends) {
    if (state.session) {
        await send("User.logout", reserved("User.logout"));
    }
    const apiKey = (backends.find((entry) => entry.id === state.backend) || {}).apiKey || "";
    keep({ apiKey, device: newDevice(), session: "", loginToken: "", username: "" });
    show();
    say("Signed out and forgotten.");
}

// --- the document -----------------------------------------------------------------------------------------

const UNKNOWN = { methods: [], components: {} };
let api = UNKNOWN;
let loading = false;

/** Loads the document of the backend; until it is known the page asks for it. */
async function load() {
    const url = new URL("openrpc.json", BASE);
    if (state.backend) {
        url.searchParams.set("backend", state.backend);
    }
    loading = true;
    const response = state.backend ? await fetch(url).catch(() => null) : null;
    const found = response && response.ok ? await response.json() : UNKNOWN;
    loading = false;
    api = found;
    show();
}

const methodNamed = (name) => api.methods.find((method) => method.name === name);
const isReserved = (param) => param.name.startsWith("__");
const ownParams = (method) => method.params.filter((param) => !isReserved(param));

/** A schema without references: what it refers to, with what it says itself on top. */
function resolved(schema) {
    const { $ref, allOf, ...own } = schema;
    const parts = [...($ref ? [api.components.schemas[$ref.split("/").pop()]] : []), ...(allOf || [])];
    return Object.assign({}, ...parts.map(resolved), own);
}

function groups(methods) {
    const found = new Map();
    for (const method of methods) {
        const tag = method.tags[0].name;
        found.set(tag, [...(found.get(tag) || []), method]);
    }
    return [...found];
}

/** Whether each word occurs in what is written about a method. */
function matches(method, words) {
    const { name, summary, description, params, tags } = method;
    const text = [name, summary, description, ...params.map((param) => param.name), ...tags.map((tag) => tag.name)];
    return words.every((word) => text.join(" ").toLowerCase().includes(word));
}

// --- list and routes --------------------------------------------------------------------------------------

const chosen = () => decodeURIComponent(location.hash.slice(1));

function showList() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = api.methods.filter((method) => matches(method, words));
    byId("found").textContent = words.length ? `${found.length} of ${api.methods.length} methods` : "";
    byId("list").replaceChildren(
        ...groups(found).map(([tag, methods]) =>
            make("section", {}, make("h2", {}, tag), make("ul", {}, methods.map(listed))),
        ),
    );
}

function listed(method) {
    const attributes = { href: `#${method.name}`, "aria-current": method.name === chosen() ? "page" : null };
    return make("li", {}, make("a", attributes, make("code", {}, method.name), make("span", {}, method.summary)));
}

function show() {
    if (loading) {
        return; // it shows what there is when it is done
    }
    const method = methodNamed(chosen());
    document.body.classList.toggle("reading", Boolean(method));
    document.title = `${method ? method.name : "Methods"} · jsonrpc-backend`;
    byId("content").replaceChildren(...(method ? pageOf(method) : overview()));
    showList();
    showConnection();
}

function overview() {
    if (!api.methods.length) {
        byId("connection").open = true;
        const problem = state.backend ? `The server describes no backend “${state.backend}”.` : "Which backend?";
        return [make("h1", { tabindex: "-1" }, "Methods"), make("p", {}, `${problem} Enter its id above.`)];
    }
    return [
        make("h1", { tabindex: "-1" }, api.info.title),
        make("p", {}, api.info.description),
        make("h2", {}, "Endpoint"),
        snippet(endpoint()),
        make("p", {}, "For programs: ", make("a", { href: `openrpc.json?backend=${state.backend}` }, "the OpenRPC document"), "."),
    ];
}

function endpoint() {
    return new URL(`json-rpc/${state.backend}`, BASE).href;
}

// --- a method ---------------------------------------------------------------------------------------------

let form = null; // of the method that is shown: {method, fields, snippets}

function pageOf(method) {
    const fields = ownParams(method).map((param) => fieldOf(param.name, param.schema, param.required, param.description));
    form = { method, fields };
    const own = method.params.filter(isReserved).map((param) => param.name);
    const answer = make("section", { id: "answer", hidden: true, tabindex: "-1", "aria-label": "Answer" });
    const parameters = fields.length ? fields.map((field) => field.element) : [make("p", {}, "It has none of its own.")];
    return [
        make("p", { class: "faint tag" }, method.tags[0].name),
        make("h1", { tabindex: "-1" }, method.name),
        make("p", {}, method.description),
        make(
            "form",
            { id: "call", class: "card", novalidate: true, autocomplete: "off", onsubmit: callNow, oninput: redrawSnippets },
            make("h2", {}, "Parameters"),
            parameters,
            own.length ? make("p", { class: "faint" }, "Sent along from the connection above: ", listOfCode(own), ".") : null,
            make(
                "div",
                { class: "actions" },
                make("button", {}, "Call it"),
                method.examples.length && fields.length
                    ? make("button", { type: "button", class: "quiet", onclick: fillExample }, "Fill in the example")
                    : null,
            ),
        ),
        answer,
        make("h2", {}, "The same call"),
        tabs(),
        make("h2", {}, "Result"),
        resultOf(method),
        make("h2", {}, "Errors"),
        errorsOf(method),
    ];
}

function listOfCode(names) {
    return names.flatMap((name, index) => [index ? ", " : "", make("code", {}, name)]);
}

function resultOf(method) {
    const { description } = resolved(method.result.schema);
    const [example] = method.examples;
    return make(
        "div",
        {},
        description ? make("p", {}, description) : null,
        example ? make("p", { class: "faint" }, `For example (${example.name}):`) : null,
        example ? snippet(pretty(example.result.value)) : null,
    );
}

function errorsOf(method) {
    const causes = method["x-error-causes"];
    const errors = method.errors.map((error) => (error.$ref ? api.components.errors[error.$ref.split("/").pop()] : error));
    errors.sort((one, other) => Number(String(other.code) in causes) - Number(String(one.code) in causes));
    return make(
        "dl",
        { class: "errors" },
        errors.map((error) => [
            make("dt", {}, make("code", {}, String(error.code)), ` ${error.message}`),
            make("dd", {}, prose(causes[error.code] || api["x-error-meanings"][error.code])),
        ]),
    );
}

const pretty = (value) => JSON.stringify(value, null, 2);

// --- forms made of schemas --------------------------------------------------------------------------------

/** What cannot be sent: the message stands at its field. */
class Refused extends Error {}

const ABSENT = Symbol("absent");

/**
 * The form field of a parameter: `element`, `value()` (ABSENT where it is not sent; raises Refused), `fill(value)`,
 * `complain(sentence)`, which gives an empty one to take it back, and `find(path)` of itself or a field within.
 */
function fieldOf(name, schema, required, description, path = name) {
    const rules = resolved(schema);
    if (rules.type === "object" && rules.properties) {
        return groupField(name, rules, required, description || rules.description, path);
    }
    const control = controlOf(rules, required, name);
    const id = `param-${path}`;
    const error = make("p", { class: "error", id: `${id}-error` });
    control.input.id = id;
    control.input.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
    if (required) {
        control.input.setAttribute("aria-required", "true");
    }
    const mode = required || control.hasOwnAbsence ? null : modeOf(path, control.input);
    const element = make(
        "div",
        { class: "field" },
        make("label", { for: id }, make("code", {}, name), " ", make("span", { class: "faint" }, required ? "required" : "optional")),
        make("div", { class: "control" }, control.input, mode),
        make("p", { class: "hint", id: `${id}-hint` }, `${ruleOf(rules)}. ${description || rules.description || ""}`),
        error,
    );
    const complain = (sentence) => {
        error.textContent = sentence;
        control.input.toggleAttribute("aria-invalid", Boolean(sentence));
        if (sentence) {
            control.input.setAttribute("aria-invalid", "true");
        }
    };
    return {
        name,
        element,
        complain,
        focus: () => control.input.focus(),
        find: (wanted) => (wanted === path || wanted.startsWith(`${path}.`) ? field(control, complain) : null),
        fields: () => [field(control, complain)],
        value: () => (mode && mode.value === "absent" ? ABSENT : mode && mode.value === "null" ? null : control.value()),
        fill: (value) => {
            control.fill(value);
            if (mode) {
                mode.value = value === ABSENT ? "absent" : value === null ? "null" : "value";
            }
        },
    };
}

const field = (control, complain) => ({ complain, focus: () => control.input.focus(), value: control.value });

/** Whether an optional parameter is sent. Typing a value means: yes. */
function modeOf(path, input) {
    const choices = [
        ["absent", "not sent"],
        ["null", "null"],
        ["value", "this value"],
    ];
    const select = make(
        "select",
        { "aria-label": `How ${path} is sent` },
        choices.map(([value, text]) => make("option", { value }, text)),
    );
    input.addEventListener("input", () => (select.value = "value"));
    return select;
}

/** The fields of an object whose members are known. It is sent when it is required or one of them is. */
function groupField(name, rules, required, description, path) {
    const members = Object.entries(rules.properties).map(([member, schema]) =>
        fieldOf(member, schema, (rules.required || []).includes(member), "", `${path}.${member}`),
    );
    const legend = make("legend", {}, make("code", {}, name), " ", make("span", { class: "faint" }, required ? "required" : "optional"));
    return {
        name,
        element: make("fieldset", {}, legend, make("p", { class: "hint" }, description || ""), members.map((m) => m.element)),
        complain: (sentence) => members[0].complain(sentence),
        focus: () => members[0].focus(),
        find: (wanted) => (wanted === path ? members[0] : members.map((member) => member.find(wanted)).find(Boolean) || null),
        fields: () => members.flatMap((member) => member.fields()),
        value: () => {
            const sent = valuesOf(members);
            return required || Object.keys(sent).length ? sent : ABSENT;
        },
        fill: (value) => {
            for (const member of members) {
                member.fill(value && member.name in value ? value[member.name] : ABSENT);
            }
        },
    };
}

/** The values by name. Raises Refused after every field has said what is wrong with it. */
function valuesOf(fields) {
    const values = {};
    let refused = null;
    for (const each of fields) {
        try {
            const value = each.value();
            if (value !== ABSENT) {
                values[each.name] = value;
            }
        } catch (error) {
            if (!(error instanceof Refused)) {
                throw error;
            }
            each.complain(error.message);
            refused = refused || error;
        }
    }
    if (refused) {
        throw refused;
    }
    return values;
}

/** The input of a value that is no object with known members: `input`, `value()`, `fill(value)`. */
function controlOf(rules, required, name) {
    if (rules.enum || rules.type === "boolean") {
        return choiceControl(rules.enum || [true, false], required);
    }
    if (rules.type === "string") {
        const type = /password$/i.test(name) ? "password" : "text";
        const input = make("input", { type, autocomplete: type === "password" ? "new-password" : "off", spellcheck: "false", autocapitalize: "none" });
        return { input, value: () => input.value, fill: (value) => (input.value = typeof value === "string" ? value : "") };
    }
    if (rules.type === "integer" || rules.type === "number") {
        const input = make("input", { inputmode: "decimal", autocomplete: "off" });
        return { input, value: () => numberIn(input.value), fill: (value) => (input.value = typeof value === "number" ? value : "") };
    }
    const input = make("textarea", { rows: "4", spellcheck: "false", class: "json" });
    return { input, value: () => jsonIn(input.value), fill: (value) => (input.value = value === ABSENT || value === null ? "" : pretty(value)) };
}

function choiceControl(choices, required) {
    const values = required ? choices.filter((choice) => choice !== null) : [ABSENT, ...new Set([...choices, null])];
    const text = (value) => (value === ABSENT ? "not sent" : value === null ? "null" : String(value));
    const input = make("select", {}, values.map((value, index) => make("option", { value: String(index) }, text(value))));
    return {
        input,
        hasOwnAbsence: true,
        value: () => values[Number(input.value)],
        fill: (value) => (input.value = String(Math.max(0, values.indexOf(value)))),
    };
}

function numberIn(text) {
    if (text.trim() === "" || !Number.isFinite(Number(text))) {
        throw new Refused("Enter a number.");
    }
    return Number(text);
}

function jsonIn(text) {
    if (text.trim() === "") {
        throw new Refused("Enter JSON: text in double quotes, a number, true, false, null, a list or an object.");
    }
    try {
        return JSON.parse(text);
    } catch (error) {
        throw new Refused(`This is not JSON: ${error.message}. Text needs double quotes.`);
    }
}

/** The rule of a schema in words. */
function ruleOf(rules) {
    if (rules.enum) {
        return "One of these";
    }
    if (rules.type === "string") {
        return `Text${range(rules.minLength, rules.maxLength, " characters")}`;
    }
    if (rules.type === "integer" || rules.type === "number") {
        return `${rules.type === "integer" ? "Integer" : "Number"}${range(rules.minimum, rules.maximum, "")}`;
    }
    if (rules.type === "array") {
        const { type } = resolved(rules.items || {});
        return `JSON: a list${type ? ` of ${type}s` : ""}${type === "string" ? ', such as ["a", "b"]' : ""}`;
    }
    return { object: 'JSON: an object, such as {"age": 21}', boolean: "true or false" }[rules.type] || "Any JSON; text in double quotes";
}

function range(least, most, unit) {
    if (least !== undefined && most !== undefined) {
        return `, ${least} to ${most}${unit}`;
    }
    return most !== undefined ? `, at most ${most}${unit}` : least !== undefined ? `, at least ${least}${unit}` : "";
}

function fillExample() {
    const values = Object.fromEntries(form.method.examples[0].params.map(({ name, value }) => [name, value]));
    if (state.loginToken && "loginToken" in values) {
        values.loginToken = state.loginToken; // the one of the example signs nobody in
    }
    for (const each of form.fields) {
        each.fill(each.name in values ? values[each.name] : ABSENT);
    }
    clearComplaints();
    redrawSnippets();
}

function clearComplaints() {
    form.fields.flatMap((each) => each.fields()).forEach((each) => each.complain(""));
}

// --- calling ----------------------------------------------------------------------------------------------

/** What rides along in the params of a method. */
function reserved(name) {
    const values = { __api_key: state.apiKey, __device: state.device, __session: state.session };
    const { params } = methodNamed(name) || { params: [] };
    const sent = params.filter(isReserved).map((param) => [param.name, values[param.name]]);
    return Object.fromEntries(sent.filter(([key, value]) => value || key === "__api_key"));
}

const request = (method, params) => ({ jsonrpc: "2.0", method, params, id: "1" });

/** Calls a method and keeps what its answer says of the session; `response`, the new `session`, `milliseconds`. */
async function send(method, params) {
    const began = performance.now();
    const { response, session } = await post(request(method, params));
    if (session) {
        keep({ session, username: response.result.user._username });
    }
    if (response.result && response.result.loginToken) {
        keep({ loginToken: response.result.loginToken });
    }
    if ("result" in response && ENDING_LOGIN_TOKENS.has(method)) {
        keep({ loginToken: "", ...(ENDING_A_SESSION.has(method) ? { session: "", username: "" } : {}) });
    }
    return { response, session, milliseconds: Math.round(performance.now() - began) };
}

const failed = (code, message, reason) => ({ response: { error: { code, message, data: { reason } } }, session: null });

async function post(message) {
    let answer, body;
    try {
        const signal = AbortSignal.timeout(TIMEOUT_MS);
        answer = await fetch(endpoint(), { method: "POST", body: JSON.stringify(message), signal });
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

async function callNow(event) {
    event.preventDefault();
    const { method, fields } = form;
    clearComplaints();
    let params;
    try {
        params = { ...reserved(method.name), ...valuesOf(fields) };
    } catch (error) {
        if (!(error instanceof Refused)) {
            throw error;
        }
        byId("call").querySelector("[aria-invalid]").focus();
        return;
    }
    const button = byId("call").querySelector("button");
    button.setAttribute("aria-disabled", "true");
    const outcome = await send(method.name, params);
    button.removeAttribute("aria-disabled");
    if (form.method === method) {
        showAnswer(method, outcome);
    }
}

function showAnswer(method, { response, session, milliseconds }) {
    const { error } = response;
    const title = error ? `Error ${error.code}: ${error.message}` : "Result";
    byId("answer").className = `card ${error ? "problem" : "success"}`;
    byId("answer").replaceChildren(
        make("h2", {}, title),
        ...(error ? explanation(method, error) : []),
        make("p", { class: "faint" }, `Answered in ${milliseconds} ms.`),
        session ? make("p", {}, "The session id came in the header ", make("code", {}, "X-Set-Monaca-Cloud-Session"), " and is kept above.") : "",
        snippet(pretty(response)),
    );
    byId("answer").hidden = false;
    byId("answer").focus();
    byId("answer").scrollIntoView({ block: "nearest" });
}

function explanation(method, error) {
    const cause = method["x-error-causes"][error.code];
    return [
        make("p", {}, prose(api["x-error-meanings"][error.code] || "A code of the app's own.")),
        cause ? make("p", {}, make("strong", {}, "Of this method: "), cause) : "",
        error.data ? make("ul", {}, Object.entries(error.data).map(([name, text]) => sentence(error, name, text))) : "",
        error.code === 11 ? make("p", {}, make("a", { href: `#${SIGNING_IN}` }, `Sign in with ${SIGNING_IN}`), " first.") : "",
        error.code === 4 ? make("p", {}, "Enter the API key under the connection above.") : "",
    ];
}

function sentence(error, name, text) {
    const found = error.code === -32602 && form.fields.map((each) => each.find(name)).find(Boolean);
    if (found) {
        found.complain(String(text));
    }
    return make("li", {}, make("code", {}, name), `: ${text}`);
}

// --- the same call elsewhere ------------------------------------------------------------------------------

const LANGUAGES = [
    ["curl", "curl", curlOf],
    ["python", "Python", pythonOf],
    ["javascript", "JavaScript", javascriptOf],
];
let language = "curl";

function tabs() {
    const list = make("div", { role: "tablist", "aria-label": "Language", onkeydown: turnTab });
    list.append(
        ...LANGUAGES.map(([key, label]) =>
            make("button", { type: "button", role: "tab", id: `tab-${key}`, "aria-controls": "code", onclick: () => choose(key) }, label),
        ),
    );
    return make(
        "div",
        {},
        list,
        make("div", { id: "code", role: "tabpanel" }, snippet("")),
        make("p", { id: "left-out", class: "error" }),
    );
}

function choose(key) {
    language = key;
    redrawSnippets();
}

function turnTab(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
        const index = LANGUAGES.findIndex(([key]) => key === language);
        choose(LANGUAGES[(index + step + LANGUAGES.length) % LANGUAGES.length][0]);
        byId(`tab-${language}`).focus();
    }
}

function redrawSnippets() {
    if (!form || !byId("code")) {
        return;
    }
    for (const [key] of LANGUAGES) {
        byId(`tab-${key}`).setAttribute("aria-selected", String(key === language));
        byId(`tab-${key}`).tabIndex = key === language ? 0 : -1;
    }
    byId("code").setAttribute("aria-labelledby", `tab-${language}`);
    const params = {};
    const leftOut = [];
    for (const each of form.fields) {
        try {
            const value = each.value();
            if (value !== ABSENT) {
                params[each.name] = value;
            }
        } catch {
            leftOut.push(each.name);
        }
    }
    const write = LANGUAGES.find(([key]) => key === language)[2];
    byId("code").querySelector("code").textContent = write(form.method, params);
    byId("left-out").textContent = leftOut.length ? `Left out, because it cannot be sent as it is: ${leftOut.join(", ")}.` : "";
}

const serverUrl = () => BASE.href.replace(/\/$/, "");
const apiKeyShown = () => state.apiKey || "<API key>";
const needsSession = (method) => method.params.some((param) => param.name === "__session" && param.required);
const credentials = () => [state.username || "<username>", "<password>"].map((text) => JSON.stringify(text)).join(", ");

function curlOf(method, params) {
    const sent = { ...reserved(method.name), ...params };
    if ("__api_key" in sent) {
        sent.__api_key = apiKeyShown();
    }
    if (needsSession(method) && !state.session) {
        sent.__session = "<session id>";
    }
    return `curl -i ${quoted(endpoint())} -d ${quoted(pretty(request(method.name, sent)))}`;
}

/** For a POSIX shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function pythonOf(method, params) {
    const named = Object.entries(params).map(([name, value]) => `, ${name}=${python(value)}`);
    return [
        "from jsonrpc_backend.client import Client",
        "",
        "with Client(",
        `    ${python(serverUrl())},`,
        `    backend_id=${python(state.backend)},`,
        `    api_key=${python(apiKeyShown())},`,
        `    device=${python(state.device)},`,
        ") as client:",
        ...(needsSession(method) ? [`    client.user.login(${credentials()})`] : []),
        `    print(client.call(${python(method.name)}${named.join("")}))`,
    ].join("\n");
}

/** A value as Python writes it. JSON's strings and numbers are Python's. */
function python(value) {
    if (Array.isArray(value)) {
        return `[${value.map(python).join(", ")}]`;
    }
    if (value && typeof value === "object") {
        return `{${Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${python(member)}`).join(", ")}}`;
    }
    return value === null ? "None" : value === true ? "True" : value === false ? "False" : JSON.stringify(value);
}

function javascriptOf(method, params) {
    const settings = { url: serverUrl(), backendId: state.backend, apiKey: apiKeyShown(), deviceId: state.device };
    const given = Object.keys(params).length ? `, ${pretty(params)}` : "";
    return [
        `import { createCloud } from "${new URL("js/jsonrpc-backend.mjs", BASE).href}";`,
        "",
        `const cloud = createCloud(${pretty(settings)});`,
        ...(needsSession(method) ? [`await cloud.User.login(${credentials()});`] : []),
        `console.log(await cloud.call(${JSON.stringify(method.name)}${given}));`,
    ].join("\n");
}

// --- copying ----------------------------------------------------------------------------------------------

/** Code with a button that copies it. */
function snippet(text) {
    return make(
        "div",
        { class: "snippet" },
        make("pre", { tabindex: "0" }, make("code", {}, text)),
        make("button", { type: "button", class: "copy" }, "Copy"),
    );
}

async function copy(event) {
    const button = event.target.closest(".copy");
    if (!button) {
        return;
    }
    const code = button.parentElement.querySelector("code");
    try {
        await navigator.clipboard.writeText(code.textContent); // not there without TLS
        say("Copied.");
    } catch {
        getSelection().selectAllChildren(code);
        say(document.execCommand("copy") ? "Copied." : "Selected; press Ctrl+C to copy.");
    }
}

// --- start ------------------------------------------------------------------------------------------------

async function start() {
    const { backends } = await (await fetch(new URL("docs/settings.json", BASE))).json();
    restore();
    const asked = new URLSearchParams(location.search).get("backend");
    const known = backends.find((entry) => entry.id === (asked || state.backend)) || (asked ? { id: asked } : backends[0]);
    buildConnection(backends);
    if (known) {
        const same = known.id === state.backend;
        keep({ backend: known.id, apiKey: known.apiKey || (same ? state.apiKey : ""), ...(same ? {} : { session: "", loginToken: "", username: "" }) });
    }
    byId("connection").open = !state.apiKey;
    byId("search").addEventListener("input", showList);
    byId("find").addEventListener("submit", openFirst);
    addEventListener("hashchange", () => {
        show();
        scrollTo(0, 0);
        byId("content").querySelector("h1")?.focus();
    });
    await load();
}

function openFirst(event) {
    event.preventDefault();
    const first = byId("list").querySelector("a");
    if (first) {
        location.hash = first.hash;
    }
}

document.addEventListener("click", copy);
if (byId("list")) {
    start();
}
