/**
 * The page of the mails: looks for new ones, and adds them above those that stand there, which stay as they are.
 * Whoever reads, selects or copies is not disturbed.
 */

import "./copying.mjs";
import { byId, say } from "./dom.mjs";

const SECONDS_BETWEEN_LOOKS = 2;

async function look() {
    const response = document.hidden ? null : await fetch(location.href).catch(() => null);
    if (response?.ok) {
        const found = new DOMParser().parseFromString(await response.text(), "text/html");
        update([...found.querySelectorAll("#mails article")]);
    }
    setTimeout(look, SECONDS_BETWEEN_LOOKS * 1000);
}

/** `latest` are the articles of the page as it is now, newest first. */
function update(latest) {
    const added = latest.filter((article) => !byId(article.id));
    const height = document.documentElement.scrollHeight;
    for (const article of added.reverse()) {
        byId("mails").prepend(document.adoptNode(article));
    }
    if (scrollY > 0) {
        scrollBy(0, document.documentElement.scrollHeight - height); // what is being read stays where it is
    }
    for (const article of latest) {
        showState(byId(article.id).querySelector(".state"), article.querySelector(".state").textContent);
    }
    if (added.length) {
        byId("none").hidden = true;
        say(added.length === 1 ? "A new mail." : `${added.length} new mails.`);
    }
}

function showState(shown, text) {
    if (shown.textContent !== text) {
        shown.textContent = text;
    }
}

setTimeout(look, SECONDS_BETWEEN_LOOKS * 1000);
