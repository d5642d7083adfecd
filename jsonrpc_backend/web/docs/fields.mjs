/** Forms that are made of the schemas of parameters. */

import { make, pretty, prose } from "./dom.mjs";

/** What cannot be sent: the message stands at its field. */
export class Refused extends Error {}

export const ABSENT = Symbol("absent");

/**
 * The form field of a parameter: `element`, `value()` (ABSENT where it is not sent; raises Refused), `fill(value)`,
 * `complain(sentence)`, which gives an empty one to take it back, and `find(path)` of itself or a field within.
 */
export function fieldOf(name, rules, required, description, path = name) {
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
        make(
            "label",
            { for: id },
            make("code", {}, name),
            " ",
            make("span", { class: "faint" }, required ? "required" : "optional"),
        ),
        make("div", { class: "control" }, control.input, mode),
        make(
            "p",
            { class: "hint", id: `${id}-hint` },
            prose(`${ruleOf(rules)}. ${description || rules.description || ""}`),
        ),
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
        value: () =>
            mode && mode.value === "absent" ? ABSENT : mode && mode.value === "null" ? null : control.value(),
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
    const members = Object.entries(rules.properties).map(([member, memberRules]) =>
        fieldOf(member, memberRules, (rules.required || []).includes(member), "", `${path}.${member}`),
    );
    const legend = make(
        "legend",
        {},
        make("code", {}, name),
        " ",
        make("span", { class: "faint" }, required ? "required" : "optional"),
    );
    return {
        name,
        element: make(
            "fieldset",
            {},
            legend,
            make("p", { class: "hint" }, prose(description || "")),
            members.map((m) => m.element),
        ),
        complain: (sentence) => members[0].complain(sentence),
        focus: () => members[0].focus(),
        find: (wanted) =>
            wanted === path ? members[0] : members.map((member) => member.find(wanted)).find(Boolean) || null,
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
export function valuesOf(fields) {
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
        const input = make("input", {
            type,
            autocomplete: type === "password" ? "new-password" : "off",
            spellcheck: "false",
            autocapitalize: "none",
        });
        return {
            input,
            value: () => input.value,
            fill: (value) => (input.value = typeof value === "string" ? value : ""),
        };
    }
    if (rules.type === "integer" || rules.type === "number") {
        const input = make("input", { inputmode: "decimal", autocomplete: "off" });
        return {
            input,
            value: () => numberIn(input.value),
            fill: (value) => (input.value = typeof value === "number" ? value : ""),
        };
    }
    const input = make("textarea", { rows: "4", spellcheck: "false", class: "json" });
    return {
        input,
        value: () => jsonIn(input.value),
        fill: (value) => (input.value = value === ABSENT || value === null ? "" : pretty(value)),
    };
}

function choiceControl(choices, required) {
    const values = required ? choices.filter((choice) => choice !== null) : [ABSENT, ...new Set([...choices, null])];
    const text = (value) => (value === ABSENT ? "not sent" : value === null ? "null" : String(value));
    const input = make(
        "select",
        {},
        values.map((value, index) => make("option", { value: String(index) }, text(value))),
    );
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
        const { type } = rules.items || {};
        return `JSON: a list${type ? ` of ${type}s` : ""}${type === "string" ? ', such as ["a", "b"]' : ""}`;
    }
    return (
        { object: 'JSON: an object, such as {"age": 21}', boolean: "true or false" }[rules.type] ||
        "Any JSON; text in double quotes"
    );
}

function range(least, most, unit) {
    if (least !== undefined && most !== undefined) {
        return `, ${least} to ${most}${unit}`;
    }
    return most !== undefined ? `, at most ${most}${unit}` : least !== undefined ? `, at least ${least}${unit}` : "";
}
