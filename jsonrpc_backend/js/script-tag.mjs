import { root } from "./root.mjs";

/**
 * The options of the script tag that has loaded `file`: data-backend-id, data-api-key, data-url. Without data-url it is
 * the server that the file came from. Nothing where there is no such tag.
 */
function scriptOptions(file) {
    var script = findScript(file);
    if (!script) {
        return {};
    }
    var address = script.src.split(/[?#]/)[0];
    var end = address.length - ("/js/" + file).length;
    var isServed = /^https?:/.test(address) && address.slice(end) === "/js/" + file;
    return {
        url: script.getAttribute("data-url") || (isServed ? address.slice(0, end) : undefined),
        backendId: script.getAttribute("data-backend-id") || undefined,
        apiKey: script.getAttribute("data-api-key") || undefined
    };
}

function findScript(file) {
    var document = root.document;
    if (!document) {
        return null;
    }
    if (document.currentScript) {
        return document.currentScript;
    }
    var scripts = document.getElementsByTagName("script");
    for (var i = scripts.length - 1; i >= 0; i--) {
        if (scripts[i].src.indexOf(file) >= 0) {
            return scripts[i];
        }
    }
    return null;
}

export { scriptOptions };
