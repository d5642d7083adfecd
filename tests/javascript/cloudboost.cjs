// The snippets of CloudBoost's document for Node.js, with the script that the server gives out.
const assert = require("node:assert/strict");

const [script, url, backendId, apiKey] = process.argv.slice(2);
const CB = require(script);

async function main() {
    CB.CloudApp.init(url, backendId, apiKey);

    // Signing up does not work in Node.js; save() makes a new user instead.
    const refused = await new Promise((end) => {
        const user = new CB.CloudUser();
        user.set("username", "my_username");
        user.set("password", "my_solid_password");
        user.signUp({ success: () => end("signed up"), error: (error) => end(error) });
    });
    assert.equal(refused.code, 13);
    assert.match(refused.message, /signUp does not work in Node\.js.*use save\(\) of CloudUser/);

    const created = new CB.CloudUser();
    created.set("username", "my_username");
    created.set("password", "my_solid_password");
    created.set("email", "email@sample.com");
    assert.equal(created.password, "my_solid_password");
    assert.equal(await created.save(), created);
    assert.deepEqual(
        [created.username, created.password, created.email],
        ["my_username", undefined, "email@sample.com"]
    );
    assert.match(created.id, /^u[0-9a-f-]{36}$/);
    assert.equal(CB.CloudUser.current, null);

    // Log in, current, log out.
    const user = new CB.CloudUser();
    user.set("username", "my_username");
    user.set("password", "my_solid_password");
    const loggedIn = await new Promise((end) => user.logIn({ success: end, error: end }));
    assert.equal(loggedIn, user);
    assert.equal(CB.CloudUser.current, user);
    assert.equal(user.id, created.id);
    const loggedOut = await new Promise((end) => CB.CloudUser.current.logOut({ success: end, error: end }));
    assert.equal(loggedOut, user);
    assert.equal(CB.CloudUser.current, null);

    const taken = new CB.CloudUser();
    taken.set("username", "my_username");
    taken.set("password", "another");
    await assert.rejects(async () => taken.save(), { code: -32602, message: "Username is already taken." });
    console.log("through");
}

main();
