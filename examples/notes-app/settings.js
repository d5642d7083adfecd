/*
 * Where your server is. `serve` prints the backend id and the API key; put them here before you ship the app.
 *
 * While the API key is empty, the page asks for all three. Opened from `serve --dev`, the page gets a file of this name
 * that the server has filled in.
 */
// biome-ignore lint/correctness/noUnusedVariables: the other scripts use it
var SETTINGS = {
    url: "http://127.0.0.1:8080",
    backendId: "app",
    apiKey: ""
};
