/** The global object: a page's window, a worker's or Node's. */
var root =
    typeof globalThis !== "undefined" ? globalThis : typeof self !== "undefined" ? self : Function("return this")();

export { root };
