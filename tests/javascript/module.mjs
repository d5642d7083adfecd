// What an author of a Node.js program writes; the test gives the addresses. Prints what it has seen as JSON.
import assert from "node:assert/strict";

const [moduleUrl, url, backendId, apiKey] = process.argv.slice(2);
const { createCloud, createCloudBoost, CloudError } = await import(moduleUrl);

const cloud = createCloud({ url, backendId, apiKey });
const { user } = await cloud.User.register("anna@example.com", "secret", { age: 21 });
assert.equal(cloud.User._oid, user._id);
assert.equal(await cloud.User.getProperty("age"), 21);
assert.equal(await cloud.User.getProperty("nothing"), undefined);
assert.equal(await cloud.User.saveProperty("nickname", "Anna"), "OK");
assert.deepEqual(await cloud.User.getProperties(), { age: 21, nickname: "Anna" });
assert.deepEqual(await cloud.call("User.getProperty", { name: "age" }), { value: 21 });

// Two users in one program: each cloud is a device of its own.
const other = createCloud({ url, backendId, apiKey });
assert.equal(other.User.isAuthenticated(), false);
await other.User.register("bea@example.com", "secret");
assert.equal(cloud.User._oid, user._id);

await assert.rejects(
    async () => other.User.login("bea@example.com", "wrong"),
    (error) => {
        assert.ok(error instanceof CloudError && error instanceof Error);
        assert.deepEqual([error.code, error.message], [-32602, "Invalid params"]);
        assert.deepEqual(error.data, { password: "Username or password is incorrect." });
        return true;
    }
);
await assert.rejects(async () => createCloud({ url: "http://127.0.0.1:1", backendId, apiKey }).User.validate("anna"), {
    code: -13
});

// A storage of one's own lasts longer than the program.
const items = new Map();
const storage = {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key)
};
await createCloud({ url, backendId, apiKey, storage }).User.login("anna@example.com", "secret");
const restarted = createCloud({ url, backendId, apiKey, storage });
assert.equal(restarted.User._oid, user._id);
assert.equal((await restarted.User.autoLogin()).user._id, user._id);
await restarted.User.logout();
assert.deepEqual([...items.keys()].sort(), ["monacaCloudBackend", "monacaCloudDevice"]);

const CB = createCloudBoost();
CB.CloudApp.init(url, backendId, apiKey);
assert.equal(CB.CloudUser.current, null);
console.log("through");
