/** What every page uses: elements, sentences, and a line that is read out. */

export const byId = (id) => document.getElementById(id);

/** An element: attributes by name, `on…` functions as listeners, then children (elements or text; others are left out). */
export function make(tag, attributes = {}, ...children) {
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
export function prose(text) {
    return text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

/** Shows a line for some seconds, and has it read out. */
export function say(text) {
    byId("said").textContent = text;
    clearTimeout(say.timer);
    say.timer = setTimeout(() => (byId("said").textContent = ""), 4000);
}

export function listOfCode(names) {
    return names.flatMap((name, index) => [index ? ", " : "", make("code", {}, name)]);
}

export const pretty = (value) => JSON.stringify(value, null, 2);
