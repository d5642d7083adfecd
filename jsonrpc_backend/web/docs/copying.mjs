/** Code with a button that copies it. The start page and that of the mails use nothing else of the reference. */

import { make, say } from "./dom.mjs";

export function snippet(text) {
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

document.addEventListener("click", copy);
