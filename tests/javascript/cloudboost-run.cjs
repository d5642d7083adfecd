// Runs what apps of CloudBoost do with objects, queries and access rules, in Node.js and, as a plain script, in pages.
// There are the collections votes, company and song, which everybody may read and write, as CloudBoost's tables were;
// notes, whose items are private; and closed, which takes no items from apps. Each snippet goes on where the one before
// has ended: what is printed, and what prints it. `log` prints its values as JSON.
const called = (object, method, ...params) =>
    new Promise((end) => {
        object[method](...params, {
            success: (...results) => end(results.length > 1 ? results : results[0]),
            error: (error) => end(`Err#${error.code}: ${error.message}`)
        });
    });
/** Calls a method as the script would: with what it has sent along in the call before. */
function asTheScript(endpoint) {
    let along = {};
    const note = (body) => {
        const { __api_key, __device, __session } = JSON.parse(body).params;
        along = { __api_key, __device, __session };
    };
    const ask = globalThis.fetch;
    if (globalThis.XMLHttpRequest) {
        const send = XMLHttpRequest.prototype.send;
        XMLHttpRequest.prototype.send = function (body) {
            note(body);
            send.call(this, body);
        };
    } else {
        globalThis.fetch = (url, options) => {
            note(options.body);
            return ask(url, options);
        };
    }
    return async (method, params) => {
        const message = { jsonrpc: "2.0", method, params: { ...along, ...params }, id: 1 };
        return (await (await ask(endpoint, { method: "POST", body: JSON.stringify(message) })).json()).result;
    };
}

/** Runs all snippets; of those that print something else a line with the name, and what they have printed. */
async function runCloudBoost(snippets, CB, url, backendId, apiKey) {
    const wrong = [];
    const init = () => CB.CloudApp.init(url, backendId, apiKey);
    const ask = asTheScript(`${url}/json-rpc/${backendId}`);
    init();
    for (const [name, [expected, run]] of Object.entries(snippets)) {
        const printed = [];
        const print = (line) => printed.push(line);
        const text = (value) => (value === undefined ? "undefined" : JSON.stringify(value));
        const log = (...values) => print(values.map(text).join(" "));
        await run({ CB, log, print, init, ask, called, url, backendId, apiKey }).then(undefined, (error) =>
            print(`rejected: ${error.code} ${error.stack}`)
        );
        if (printed.join("\n") !== expected.join("\n")) {
            wrong.push(`${name}: ${printed.join("\n")}`);
        }
    }
    return wrong;
}

if (typeof module === "object") {
    const snippets = ["objects", "queries", "rights", "edges"].map((name) => require(`./cloudboost-${name}.cjs`));
    const [script, ...where] = process.argv.slice(2);
    runCloudBoost(Object.assign({}, ...snippets), require(script), ...where).then((wrong) =>
        console.log(JSON.stringify(wrong, null, 2))
    );
}
