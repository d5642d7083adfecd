/** The page for the code of a reset mail: posts what is typed to its own address, and shows what is wrong with it. */

const byId = (id) => document.getElementById(id);
const FIELDS = ["username", "token", "newPassword"];
const form = byId("form");
const button = form.querySelector("button");

/** A link may bring values behind `#`, which no server and no other site is sent. They do not stay in the address. */
function takeFromAddress() {
    const given = new URLSearchParams(location.hash.slice(1));
    byId("username").value = given.get("username") ?? byId("username").value;
    byId("token").value = given.get("code") ?? byId("token").value;
    history.replaceState(null, "", location.pathname);
}

async function answerTo(typed) {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(location.pathname, { method: "POST", headers, body: JSON.stringify(typed) });
    if (!response.ok) {
        throw new Error(`HTTP status ${response.status}`);
    }
    return response.json();
}

function show(sentences) {
    const others = Object.keys(sentences).filter((name) => !FIELDS.includes(name));
    byId("general").textContent = others.map((name) => sentences[name]).join(" ");
    for (const name of FIELDS) {
        byId(`${name}-error`).textContent = sentences[name] ?? "";
        byId(name).toggleAttribute("aria-invalid", name in sentences);
    }
    byId(FIELDS.find((name) => name in sentences) ?? "general").focus();
}

async function submit() {
    const typed = Object.fromEntries(FIELDS.map((name) => [name, byId(name).value]));
    const failed = { general: "That did not work; try again later." };
    const { ok, sentences } = await answerTo(typed).catch(() => ({ ok: false, sentences: failed }));
    show(ok || Object.keys(sentences).length ? sentences : failed);
    if (ok) {
        form.remove();
        byId("done").hidden = false;
        byId("done").focus();
    }
}

form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!button.hasAttribute("aria-disabled")) {
        button.setAttribute("aria-disabled", "true");
        await submit();
        button.removeAttribute("aria-disabled");
    }
});
addEventListener("hashchange", takeFromAddress);
takeFromAddress();
form.hidden = false;
