// Reads an OpenRPC document with the tools of the OpenRPC project: validates it, resolves its references, and checks
// every example, and a call of the method that makes a user that is wrong, against the params. Prints the names of the
// methods, as JSON. Arguments: where the document is, the request's headers as JSON, the method that makes a user.
const assert = require("node:assert/strict");
const { MethodCallValidator, parseOpenRPCDocument, validateOpenRPCDocument } = require("@open-rpc/schema-utils-js");

async function main(url, headers, register) {
    const published = await (await fetch(url, { headers: JSON.parse(headers) })).json();
    assert.equal(validateOpenRPCDocument(published), true);
    assert.notEqual(validateOpenRPCDocument({ ...published, methods: 1 }), true);

    const document = await parseOpenRPCDocument(published);
    const calls = new MethodCallValidator(document);
    for (const method of document.methods) {
        assert.ok(method.examples.length, method.name);
        for (const example of method.examples) {
            const params = Object.fromEntries(example.params.map(({ name, value }) => [name, value]));
            assert.deepEqual(calls.validate(method.name, params), [], method.name);
        }
    }
    const wrong = calls.validate(register, { __api_key: "k", __device: "d", username: "ab", password: 1 });
    assert.deepEqual(wrong.map((error) => error.paramIndex).sort(), ["password", "username"]);
    console.log(JSON.stringify(document.methods.map((method) => method.name)));
}

main(...process.argv.slice(2));
