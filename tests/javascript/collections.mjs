// Runs the snippets of collections.cjs with the module; the test gives the addresses. Prints what went wrong.
import collections from "./collections.cjs";

const [moduleUrl, url, backendId, apiKey] = process.argv.slice(2);
const { createCloud } = await import(moduleUrl);

const cloud = createCloud({ url, backendId, apiKey });
console.log(JSON.stringify(await collections.runSnippets(cloud), null, 2));
