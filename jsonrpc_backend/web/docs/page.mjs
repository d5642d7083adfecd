/**
 * The reference page. Everything on it is made of the server's OpenRPC documents: the list of methods, their forms, the
 * same call in three languages, and what an error means.
 */

import { buildConnection } from "./connection.mjs";
import { snippet } from "./copying.mjs";
import {
    allMethods,
    apps,
    endpoint,
    loadDocuments,
    loadSettings,
    methodAt,
    operators,
    settings,
} from "./documents.mjs";
import { byId, make } from "./dom.mjs";
import { pageOf } from "./method.mjs";
import { SIGNED_OUT, keep, restore, state } from "./tab.mjs";

let loading = false;

const chosen = () => decodeURIComponent(location.hash.slice(1));

async function reload() {
    loading = true;
    await loadDocuments();
    loading = false;
    show();
}

// --- the list ---------------------------------------------------------------------------------------------

/** Whether each word occurs in what is written about a method. */
function matches(method, words) {
    const { name, summary, description, params, tags } = method;
    const text = [name, summary, description, ...params.map((param) => param.name), ...tags.map((tag) => tag.name)];
    return words.every((word) => text.join(" ").toLowerCase().includes(word));
}

function showList() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = allMethods();
    const found = all.filter((method) => matches(method, words));
    byId("found").textContent = words.length ? `${found.length} of ${all.length} methods` : "";
    byId("list").replaceChildren(
        ...groups(found).map(([title, methods]) =>
            make("section", {}, make("h2", {}, title), make("ul", {}, methods.map(listed))),
        ),
    );
}

function groups(methods) {
    const found = new Map();
    for (const method of methods) {
        const title = `${method.api === operators ? "For operators: " : ""}${method.tags[0].name}`;
        found.set(title, [...(found.get(title) || []), method]);
    }
    return [...found];
}

function listed(method) {
    const attributes = { href: `#${method.route}`, "aria-current": method.route === chosen() ? "page" : null };
    return make("li", {}, make("a", attributes, make("code", {}, method.name), make("span", {}, method.summary)));
}

// --- what is shown ----------------------------------------------------------------------------------------

function show() {
    if (loading) {
        return; // it shows what there is when it is done
    }
    const method = methodAt(chosen());
    document.body.classList.toggle("reading", Boolean(chosen()));
    document.title = `${method ? method.name : "Methods"} · jsonrpc-backend`;
    byId("content").replaceChildren(...content(method));
    showList();
    keep({});
}

function content(method) {
    if (method) {
        return pageOf(method);
    }
    if (!apps.document.methods.length) {
        return unknownBackend();
    }
    return chosen() ? notFound() : overview();
}

function unknownBackend() {
    byId("connection").open = true;
    const problem = state.backend ? `The server describes no backend “${state.backend}”.` : "Which backend?";
    return [make("h1", { tabindex: "-1" }, "Methods"), make("p", {}, `${problem} Enter its id above.`)];
}

function notFound() {
    const isOperators = chosen().startsWith(operators.route);
    return [
        make("h1", { tabindex: "-1" }, "There is no such method"),
        make("p", {}, "This server has no method ", make("code", {}, chosen()), "."),
        isOperators ? ofOperators() : "",
        make("p", {}, make("a", { href: "#" }, "All methods")),
    ];
}

function overview() {
    const { title, description } = apps.document.info;
    const document = make(
        "a",
        { href: `openrpc.json?backend=${encodeURIComponent(state.backend)}` },
        "the OpenRPC document",
    );
    return [
        make("h1", { tabindex: "-1" }, title),
        make("p", {}, description),
        make("h2", {}, "Endpoint"),
        snippet(endpoint(apps)),
        make("p", {}, "For programs: ", document, "."),
        make("h2", {}, "For operators"),
        ofOperators(),
    ];
}

/** What there is to say of the operators' methods. */
function ofOperators() {
    if (!settings.operators) {
        return make(
            "p",
            {},
            "Their methods are at an address of their own, where this page is not; the server's configuration has it.",
        );
    }
    if (operators.document.methods.length) {
        return make("div", {}, make("p", {}, operators.document.info.description), snippet(endpoint(operators)));
    }
    return make(
        "p",
        {},
        operators.refused
            ? "The server refuses the management key, or takes it from other addresses only."
            : "Enter a management key in the connection above, and their methods are listed too.",
    );
}

// --- start ------------------------------------------------------------------------------------------------

async function start() {
    await loadSettings();
    restore();
    const { backends } = settings;
    const asked = new URLSearchParams(location.search).get("backend");
    const known =
        backends.find((entry) => entry.id === (asked || state.backend)) || (asked ? { id: asked } : backends[0]);
    buildConnection(reload);
    if (known) {
        const same = known.id === state.backend;
        const changes = same ? {} : { ...SIGNED_OUT, managementKey: "" };
        keep({ backend: known.id, apiKey: known.apiKey || (same ? state.apiKey : ""), ...changes });
    }
    byId("connection").open = !state.apiKey;
    byId("search").addEventListener("input", showList);
    byId("find").addEventListener("submit", openFirst);
    byId("skip").addEventListener("click", skip);
    addEventListener("hashchange", () => {
        show();
        scrollTo(0, 0);
        byId("content").querySelector("h1")?.focus();
    });
    await reload();
}

function openFirst(event) {
    event.preventDefault();
    const first = byId("list").querySelector("a");
    if (first) {
        location.hash = first.hash;
    }
}

/** What follows the # of the address is the name of a method. */
function skip(event) {
    event.preventDefault();
    byId("content").querySelector("h1").focus();
}

start();
