/** The same call elsewhere: with curl, and by the clients as docs/clients.md shows them. */

import { reserved } from "./calls.mjs";
import { snippet } from "./copying.mjs";
import { BASE, KEY_HEADER, apps, endpoint, ownParams } from "./documents.mjs";
import { byId, make, pretty } from "./dom.mjs";
import { ABSENT } from "./fields.mjs";
import { state } from "./tab.mjs";

const LANGUAGES = [
    ["curl", "curl", curlOf],
    ["python", "Python", pythonOf],
    ["javascript", "JavaScript", javascriptOf],
];
let language = "curl";

/** Operators' programs are servers: no client for pages has their key. */
const languagesOf = (method) => LANGUAGES.filter(([key]) => method.api === apps || key !== "javascript");

/** The tabs of a form {method, fields}, and the code of the one that is chosen. */
export function samples(form) {
    const list = make("div", { role: "tablist", "aria-label": "Language", onkeydown: (event) => turnTab(event, form) });
    list.append(
        ...languagesOf(form.method).map(([key, label]) =>
            make(
                "button",
                {
                    type: "button",
                    role: "tab",
                    id: `tab-${key}`,
                    "aria-controls": "code",
                    onclick: () => choose(key, form),
                },
                label,
            ),
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

function choose(key, form) {
    language = key;
    redrawSamples(form);
}

function turnTab(event, form) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) {
        const keys = languagesOf(form.method).map(([key]) => key);
        choose(keys[(keys.indexOf(language) + step + keys.length) % keys.length], form);
        byId(`tab-${language}`).focus();
    }
}

/** Writes the code anew, of what the form holds now. */
export function redrawSamples(form) {
    const languages = languagesOf(form.method);
    const [chosen, , write] = languages.find(([key]) => key === language) || languages[0];
    for (const [key] of languages) {
        byId(`tab-${key}`).setAttribute("aria-selected", String(key === chosen));
        byId(`tab-${key}`).tabIndex = key === chosen ? 0 : -1;
    }
    language = chosen;
    byId("code").setAttribute("aria-labelledby", `tab-${chosen}`);
    const { params, leftOut } = held(form);
    byId("code").querySelector("code").textContent = write(form.method, params);
    byId("left-out").textContent = leftOut.length
        ? `Left out, because it cannot be sent as it is: ${leftOut.join(", ")}.`
        : "";
}

function held({ fields }) {
    const params = {};
    const leftOut = [];
    for (const each of fields) {
        try {
            const value = each.value();
            if (value !== ABSENT) {
                params[each.name] = value;
            }
        } catch {
            leftOut.push(each.name);
        }
    }
    return { params, leftOut };
}

const serverUrl = () => BASE.href.replace(/\/$/, "");
const apiKeyShown = () => state.apiKey || "<API key>";
const needsSession = (method) => method.params.some((param) => param.name === "__session" && param.required);
const credentials = () => [state.username || "<username>", "<password>"].map((text) => JSON.stringify(text)).join(", ");

// --- curl -------------------------------------------------------------------------------------------------

function curlOf(method, params) {
    const sent = { ...reserved(method), ...params };
    if ("__api_key" in sent) {
        sent.__api_key = apiKeyShown();
    }
    if (needsSession(method) && !state.session) {
        sent.__session = "<session id>";
    }
    const lines = pretty(sent).replaceAll("\n", "\n  ");
    const message = `{\n  "jsonrpc": "2.0", "id": "1", "method": ${JSON.stringify(method.name)},\n  "params": ${lines}\n}`;
    const header = method.api === apps ? "-i " : `-H "${KEY_HEADER}: <management key>" `; // -i: the session is a header
    return `curl ${header}${quoted(endpoint(method.api))} -d ${quoted(message)}`;
}

/** For a POSIX shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// --- Python -----------------------------------------------------------------------------------------------

const PYTHON = { words: { null: "None", true: "True", false: "False" }, name: (name) => JSON.stringify(name) };

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const keywords = (values) => Object.entries(values).map(([name, value]) => `${snake(name)}=${python(value)}`);
const python = (value) => literal(value, PYTHON);

/** The arguments of the operators' client, whose names are not those of the wire. */
const OPERATORS_ARGUMENTS = {
    "User.list": ({ sortProperty: sort, sortOrder, userQuery: query, userQueryBindParams: bind, ...others }) => {
        const renamed = { ...others, sort, query, bind, descending: sortOrder === "desc" ? true : undefined };
        return keywords(Object.fromEntries(Object.entries(renamed).filter(([, value]) => value !== undefined)));
    },
    "User.create": ({ username, password, properties }) => positional([username, password, properties], python, "None"),
    "User.get": ({ _id }) => positional([_id], python, "None"),
    "User.update": ({ _id, user }) => {
        const { _username: username, ...properties } = user || {};
        return [
            ...positional([_id, properties], python, "None"),
            ...(username === undefined ? [] : keywords({ username })),
        ];
    },
    "User.delete": ({ idList, _idList }) => positional([idList || _idList], python, "None"),
    "User.getPropertyNames": () => [],
};

function pythonOf(method, params) {
    const isForApps = method.api === apps;
    const client = isForApps ? "Client" : "ManagementClient";
    const key = isForApps ? `api_key=${python(apiKeyShown())}` : 'key="<management key>"';
    return [
        `from jsonrpc_backend.client import ${client}`,
        "",
        `with ${client}(${python(serverUrl())}, backend_id=${python(state.backend)}, ${key}) as client:`,
        ...(needsSession(method) ? [`    client.user.login(${credentials()})`] : []),
        `    print(client.${pythonCall(method, params)})`,
    ].join("\n");
}

function pythonCall(method, params) {
    const name = method.name.replace("User.", "");
    if (method.api === apps && name !== method.name) {
        return `user.${snake(name)}(${[...positionalOf(method, params, python, "None"), ...optionsOf(method, params)].join(", ")})`;
    }
    const ofOperators = method.api !== apps && OPERATORS_ARGUMENTS[method.name];
    if (ofOperators) {
        return `user.${snake(name)}(${ofOperators(params).join(", ")})`;
    }
    return `call(${[python(method.name), ...Object.entries(params).map(([key, value]) => `${key}=${python(value)}`)].join(", ")})`;
}

/** The members of a parameter such as `options` are keywords in Python. */
function optionsOf(method, params) {
    return groupsOf(method).flatMap((param) => keywords(params[param.name] || {}));
}

const groupsOf = (method) => ownParams(method).filter((param) => param.schema.properties);

// --- JavaScript -------------------------------------------------------------------------------------------

const JAVASCRIPT = { words: {}, name: (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name)) };
const javascript = (value) => literal(value, JAVASCRIPT);

// Functions of the client that do not send what the form holds: one takes the token that it keeps, one does not ask.
const OTHERWISE = new Set(["User.autoLogin", "User.isAuthenticated"]);

function javascriptOf(method, params) {
    const settings = { url: serverUrl(), backendId: state.backend, apiKey: apiKeyShown() };
    return [
        `import { createCloud } from "${new URL("js/jsonrpc-backend.mjs", BASE).href}";`,
        "",
        `const cloud = createCloud(${javascript(settings)});`,
        ...(needsSession(method) ? [`await cloud.User.login(${credentials()});`] : []),
        `console.log(await cloud.${javascriptCall(method, params)});`,
    ].join("\n");
}

function javascriptCall(method, params) {
    if (!method.name.startsWith("User.") || OTHERWISE.has(method.name)) {
        const given = Object.keys(params).length ? `, ${javascript(params)}` : "";
        return `call(${JSON.stringify(method.name)}${given})`;
    }
    const options = groupsOf(method).map((param) => params[param.name]);
    const all = [
        ...positionalOf(method, params, javascript, "undefined"),
        ...positional(options, javascript, "undefined"),
    ];
    return `${method.name}(${all.join(", ")})`;
}

// --- both -------------------------------------------------------------------------------------------------

/** The arguments in the order of the schema, but those whose members are known; what follows the last one is left out. */
function positionalOf(method, params, write, nothing) {
    const groups = groupsOf(method);
    const names = ownParams(method)
        .filter((param) => !groups.includes(param))
        .map((param) => param.name);
    return positional(
        names.map((name) => params[name]),
        write,
        nothing,
    );
}

function positional(values, write, nothing) {
    const last = values.findLastIndex((value) => value !== undefined);
    return values.slice(0, last + 1).map((value) => (value === undefined ? nothing : write(value)));
}

/** A value as the language writes it. JSON's strings and numbers are theirs too. */
function literal(value, style) {
    if (Array.isArray(value)) {
        return `[${value.map((each) => literal(each, style)).join(", ")}]`;
    }
    if (value && typeof value === "object") {
        const members = Object.entries(value).map(([name, member]) => `${style.name(name)}: ${literal(member, style)}`);
        return style === JAVASCRIPT && members.length ? `{ ${members.join(", ")} }` : `{${members.join(", ")}}`;
    }
    const text = JSON.stringify(value);
    return text in style.words ? style.words[text] : text;
}
