/**
 * The clients of jsonrpc-backend as a module, for browsers, bundlers and Node.js 20 or later.
 *
 *     import { createCloud } from "http://localhost:8080/js/jsonrpc-backend.mjs";
 *     const cloud = createCloud({ url: "http://localhost:8080", backendId: "app", apiKey: "…" });
 *     const { user } = await cloud.User.login("me@example.com", "password");
 */

export { createCloudBoost } from "./cloudboost.mjs";
export { CloudError } from "./errors.mjs";
export { createCloud } from "./monaca.mjs";
