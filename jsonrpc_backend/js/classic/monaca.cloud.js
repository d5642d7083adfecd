import { CloudError } from "../errors.mjs";
import { createCloud } from "../monaca.mjs";
import { root } from "../root.mjs";
import { scriptOptions } from "../script-tag.mjs";

/* Last part of monaca.cloud.js: the global that apps use, configured by the script tag. */
var cloud = createCloud(scriptOptions("monaca.cloud.js"));
root.monaca = root.monaca || {};
root.monaca.cloud = cloud;
if (typeof module === "object" && module.exports) {
    module.exports = { createCloud: createCloud, CloudError: CloudError, monaca: root.monaca };
}
