/** The page of a method: its form, the answer, the same call elsewhere, and what its errors mean. */

import { reserved, send } from "./calls.mjs";
import { snippet } from "./copying.mjs";
import { BASE, apps, isReserved, ownParams, settings } from "./documents.mjs";
import { byId, listOfCode, make, pretty, prose } from "./dom.mjs";
import { ABSENT, Refused, fieldOf, valuesOf } from "./fields.mjs";
import { redrawSamples, samples } from "./samples.mjs";
import { onChange, state } from "./tab.mjs";

const SIGNING_IN = "User.login";
const MAILING = "User.sendPasswordResetToken";

let form = null; // of the method that is shown: {method, fields}

const redraw = () => form && byId("code") && redrawSamples(form);
onChange(redraw);

export function pageOf(method) {
    const fields = ownParams(method).map((param) =>
        fieldOf(param.name, param.schema, param.required, param.description),
    );
    form = { method, fields };
    return [
        make("p", { class: "faint tag" }, `${method.api === apps ? "" : "For operators: "}${method.tags[0].name}`),
        make(
            "h1",
            { tabindex: "-1" },
            method.name.split(/(?<=\.)/).map((part) => [part, make("wbr")]),
        ),
        make("p", {}, prose(method.description)),
        formOf(method, fields),
        make("section", { id: "answer", hidden: true, tabindex: "-1", "aria-label": "Answer" }),
        make("h2", {}, "The same call"),
        samples(form),
        make("h2", {}, "Result"),
        resultOf(method),
        make("h2", {}, "Errors"),
        errorsOf(method),
    ];
}

function formOf(method, fields) {
    const parameters = fields.length
        ? fields.map((field) => field.element)
        : [make("p", {}, "It has none of its own.")];
    const fill = make("button", { type: "button", class: "quiet", onclick: fillExample }, "Fill in the example");
    return make(
        "form",
        { id: "call", class: "card", novalidate: true, autocomplete: "off", onsubmit: callNow, oninput: redraw },
        make("h2", {}, "Parameters"),
        parameters,
        make("p", { class: "faint" }, sentAlong(method)),
        make(
            "div",
            { class: "actions" },
            make("button", {}, "Call it"),
            method.examples.length && fields.length ? fill : null,
        ),
    );
}

function sentAlong(method) {
    const own = method.params.filter(isReserved).map((param) => param.name);
    if (method.api !== apps) {
        return "Sent along from the connection above: the management key. What it changes is changed.";
    }
    return own.length ? ["Sent along from the connection above: ", listOfCode(own), "."] : "";
}

function resultOf(method) {
    const { description } = method.result.schema;
    const [example] = method.examples;
    return make(
        "div",
        {},
        description ? make("p", {}, prose(description)) : null,
        example ? make("p", { class: "faint" }, `For example (${example.name}):`) : null,
        example ? snippet(pretty(example.result.value)) : null,
    );
}

function errorsOf(method) {
    const causes = method["x-error-causes"];
    const errors = [...method.errors];
    errors.sort((one, other) => Number(String(other.code) in causes) - Number(String(one.code) in causes));
    return make(
        "dl",
        { class: "errors" },
        errors.map((error) => [
            make("dt", {}, make("code", {}, String(error.code)), ` ${error.message}`),
            make("dd", {}, prose(causes[error.code] || method.api.document["x-error-meanings"][error.code])),
        ]),
    );
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
    redraw();
}

function clearComplaints() {
    for (const field of form.fields.flatMap((each) => each.fields())) {
        field.complain("");
    }
}

// --- calling ----------------------------------------------------------------------------------------------

async function callNow(event) {
    event.preventDefault();
    const { method, fields } = form;
    clearComplaints();
    let params;
    try {
        params = { ...reserved(method), ...valuesOf(fields) };
    } catch (error) {
        if (!(error instanceof Refused)) {
            throw error;
        }
        byId("call").querySelector("[aria-invalid]").focus();
        return;
    }
    const button = byId("call").querySelector("button");
    button.setAttribute("aria-disabled", "true");
    const outcome = await send(method, params);
    button.removeAttribute("aria-disabled");
    if (form.method === method) {
        showAnswer(method, outcome);
    }
}

function showAnswer(method, { response, session, milliseconds }) {
    const { error } = response;
    byId("answer").className = `card ${error ? "problem" : "success"}`;
    byId("answer").replaceChildren(
        make("h2", {}, error ? `Error ${error.code}: ${error.message}` : "Result"),
        ...(error ? explanation(method, error) : []),
        make("p", { class: "faint" }, `Answered in ${milliseconds} ms.`),
        session
            ? make(
                  "p",
                  {},
                  "The session id came in the header ",
                  make("code", {}, "X-Set-Monaca-Cloud-Session"),
                  " and is kept above.",
              )
            : "",
        error || method.name !== MAILING || !settings.mailPage ? "" : whereTheMailIs(),
        snippet(pretty(response)),
    );
    byId("answer").hidden = false;
    byId("answer").focus();
    byId("answer").scrollIntoView({ block: "nearest" });
}

function whereTheMailIs() {
    const link = make("a", { href: new URL(settings.mailPage, BASE).href, target: "mails" }, "Look at the mails");
    return make("p", {}, link, " of this server: if there is such a user, the token is there in a moment.");
}

function explanation(method, error) {
    const cause = method["x-error-causes"][error.code];
    const meaning = method.api.document["x-error-meanings"][error.code];
    const key = method.api === apps ? "API key" : "management key";
    return [
        make("p", {}, prose(meaning || "A code of the app's own.")),
        cause ? make("p", {}, make("strong", {}, "Of this method: "), prose(cause)) : "",
        error.data
            ? make(
                  "ul",
                  {},
                  Object.entries(error.data).map(([name, text]) => sentence(error, name, text)),
              )
            : "",
        error.code === 11
            ? make("p", {}, make("a", { href: `#${SIGNING_IN}` }, `Sign in with ${SIGNING_IN}`), " first.")
            : "",
        error.code === 4 ? make("p", {}, `Enter the ${key} under the connection above.`) : "",
    ];
}

function sentence(error, name, text) {
    const found = error.code === -32602 && form.fields.map((each) => each.find(name)).find(Boolean);
    if (found) {
        found.complain(String(text));
    }
    return make("li", {}, make("code", {}, name), `: ${text}`);
}
