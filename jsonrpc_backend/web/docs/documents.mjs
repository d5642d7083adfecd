/**
 * What the server says of its methods: an OpenRPC document of the apps' API, and one of the operators', which it tells
 * to holders of a management key only.
 */

import { state } from "./tab.mjs";

export const BASE = new URL(".", location.href);
export const KEY_HEADER = "X-Monaca-Backend-Management-API-Key";

const UNKNOWN = { methods: [], info: {} };

/** How each API is called, and its document once it is known; `refused`: the key was sent, and is not taken. */
export const apps = { path: "json-rpc", route: "", headers: () => ({}), document: UNKNOWN, refused: false };
export const operators = {
    path: "manage/json-rpc",
    route: "manage/",
    headers: () => ({ [KEY_HEADER]: state.managementKey }),
    document: UNKNOWN,
    refused: false,
};

/** What the server tells without being asked for a backend; see send_settings of reference.py. */
export let settings = { backends: [], operators: false };

export async function loadSettings() {
    settings = await (await fetch(new URL("docs/settings.json", BASE))).json();
}

/** Loads the documents of the backend; one that is not to be had is empty. */
export async function loadDocuments() {
    await Promise.all([
        load(apps, "openrpc.json", Boolean(state.backend)),
        load(operators, "manage/openrpc.json", Boolean(state.backend && state.managementKey && settings.operators)),
    ]);
}

async function load(api, path, isWanted) {
    const url = new URL(path, BASE);
    url.searchParams.set("backend", state.backend);
    const response = isWanted ? await fetch(url, { headers: api.headers() }).catch(() => null) : null;
    const document = response?.ok ? await response.json() : UNKNOWN;
    api.document = withoutReferences(document, document);
    api.refused = isWanted && document === UNKNOWN;
}

/** A part of a document with what it refers to in the place of each reference. */
function withoutReferences(part, document) {
    if (Array.isArray(part)) {
        return part.map((each) => withoutReferences(each, document));
    }
    if (part === null || typeof part !== "object") {
        return part;
    }
    const { $ref, allOf, ...own } = part;
    const others = [...($ref ? [target($ref, document)] : []), ...(allOf || [])];
    const members = Object.entries(own).map(([name, value]) => [name, withoutReferences(value, document)]);
    return Object.assign({}, ...others.map((each) => withoutReferences(each, document)), Object.fromEntries(members));
}

function target(reference, document) {
    return reference
        .slice(2)
        .split("/")
        .reduce((part, name) => part[name], document);
}

/** All methods, each with the API that it belongs to and its address on the page. */
export function allMethods() {
    return [apps, operators].flatMap((api) =>
        api.document.methods.map((method) => ({ ...method, api, route: api.route + method.name })),
    );
}

export const methodAt = (route) => allMethods().find((method) => method.route === route);

export const endpoint = (api) => new URL(`${api.path}/${state.backend}`, BASE).href;

export const isReserved = (param) => param.name.startsWith("__");
export const ownParams = (method) => method.params.filter((param) => !isReserved(param));
