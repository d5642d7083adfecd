import { createCloudBoost } from "../cloudboost.mjs";
import { root } from "../root.mjs";
import { scriptOptions } from "../script-tag.mjs";

/* Last part of cloudboost.js: the global that apps use, or what Node's require returns. */
var options = scriptOptions("cloudboost.js");
var CB = createCloudBoost(options);
if (typeof module === "object" && module.exports) {
    module.exports = CB;
}
if (root.document) {
    root.CB = CB;
}
