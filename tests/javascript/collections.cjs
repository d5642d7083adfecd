// What apps do with collections, devices and push. Runs in Node.js and, as a plain script, in pages. There are the
// collections Diary, whose items are private; Board, whose items everybody may read; and News, which takes no items from
// apps. Each snippet goes on where the one before has ended: what is printed, and what prints it.
const titles = (items) => items.map((item) => item.title).join(" ");
const json = JSON.stringify;
const BAD_NAME =
    '"Property names must consist of the letters a-z and A-Z, digits and underscores, and start with a letter."';
const INVALID = "Err#-32602: Invalid params";

const SNIPPETS = {
    "insert, in the style of the original documentation": [
        ["string null Milk Two bottles shop", "true true true", '{"name":"Diary"}', "This message will always appear."],
        ({ Collection, CollectionItem }, log) =>
            Collection("Diary")
                .insert({ title: "Milk", body: "Two bottles", tags: ["shop"] })
                .done((item) => {
                    log(typeof item._id, item._ownerUserOid, item.title, item.body, item.tags[0]);
                    const isNew = item._updatedAt.getTime() === item._createdAt.getTime();
                    log(item._createdAt instanceof Date, isNew, item instanceof CollectionItem);
                    log(json(item._collection));
                })
                .fail((error) => log(error))
                .always(() => {
                    log("This message will always appear.");
                })
    ],
    "insert, with new and a permission": [
        ["Diary true Bread", "Tea 7"],
        async (cloud, log) => {
            const diary = new cloud.Collection("Diary");
            const bread = await diary.insert({ title: "Bread", price: 3 }, { public: "r" });
            log(diary.name, diary instanceof cloud.Collection, bread.title);
            const tea = await diary.insert({ title: "Tea", price: 7 }, null);
            log(tea.title, tea.price);
        }
    ],
    "insert into what takes no items": [
        ["Err#14: Permission denied {}"],
        ({ Collection }) => Collection("News").insert({})
    ],
    "insert what may not be": [
        [`${INVALID} {"item._id":${BAD_NAME}}`],
        ({ Collection }) => Collection("Diary").insert({ _id: "mine" })
    ],
    "a collection that does not exist": [
        [`${INVALID} {"collectionName":"Collection not found."}`],
        ({ Collection }) => Collection("Dairy").find()
    ],
    "find by a string": [
        ["1 Two bottles items totalItems"],
        ({ Collection }, log) =>
            Collection("Diary")
                .find('title == "Milk"')
                .done((result) => log(result.totalItems, result.items[0].body, Object.keys(result).join(" ")))
    ],
    "find by Criteria, and a copy of them": [
        ['{"query":"price > ?","bindParams":[5]} {"query":"price","bindParams":[]}', "Tea", "Tea"],
        async ({ Collection, Criteria }, log) => {
            const criteria = new Criteria("price > ?", [5]);
            log(json(criteria), json(Criteria("price", null)));
            log(titles((await Collection("Diary").find(criteria)).items));
            log(titles((await Collection("Diary").find(JSON.parse(json(criteria)), "", {})).items));
        }
    ],
    "find in order, page by page": [
        ["Tea Milk 3", "Bread _collection _createdAt _id _ownerUserOid _updatedAt title"],
        async ({ Collection }, log) => {
            const first = await Collection("Diary").find("", "title DESC", { limit: 2, page: 1 });
            log(titles(first.items), first.totalItems);
            const options = { limit: 2, page: 2, propertyNames: ["title"] };
            const { items } = await Collection("Diary").find("", ["title DESC", "_createdAt"], options);
            log(titles(items), Object.keys(items[0]).sort().join(" "));
        }
    ],
    "find with the options in second place": [
        ["Bread Tea", '{"orderBy":"price ASC","limit":2}'],
        async ({ Collection }, log) => {
            const options = { orderBy: "price ASC", limit: 2 };
            log(titles((await Collection("Diary").find("price != null", options)).items));
            log(json(options));
        }
    ],
    "find by members": [
        ["Tea", "0 3"],
        async ({ Collection }, log) => {
            const tea = await Collection("Diary").findOne({ title: "Tea", price: 7 });
            log((await Collection("Diary").findOne({ _id: tea._id, _createdAt: tea._createdAt })).title);
            const [none, all] = [await Collection("Diary").find({ title: null }), await Collection("Diary").find({})];
            log(none.totalItems, all.totalItems);
        }
    ],
    "find by a member that cannot be": [
        [`${INVALID} {"criteria":"\\"title == 1 || title\\" cannot be the name of a property."}`],
        ({ Collection }) => Collection("Diary").find({ "title == 1 || title": 2 })
    ],
    "find by a member without a value": [
        [`${INVALID} {"criteria":"The value of title is undefined; null finds the items without it."}`],
        ({ Collection }) => Collection("Diary").findMine({ title: undefined })
    ],
    "find by what is no string": [
        [`${INVALID} {"criteria":"Criteria must be a string."}`],
        ({ Collection }) => Collection("Diary").findOne(5)
    ],
    "a query with a slip of the pen": [
        [`${INVALID} {"criteria":"Criteria is wrong at position 7: this character has no meaning here."}`],
        ({ Collection }) => Collection("Diary").find("title = 1")
    ],
    "find with nothing, and with null where the original threw": [
        ["Milk Bread Tea", "Milk Bread Tea", "Milk", "Milk"],
        async ({ Collection }, log) => {
            for (const name of ["find", "findMine", "findOne", "findOneMine"]) {
                await Collection("Diary")[name]();
                const found = await Collection("Diary")[name](null, null, null);
                log(found.items ? titles(found.items) : found.title);
            }
        }
    ],
    "findOne": [
        ["Tea", "Tea", "null"],
        async ({ Collection }, log) => {
            log((await Collection("Diary").findOne("", "price DESC")).title);
            log((await Collection("Diary").findOne("", "title", { page: 2, limit: 2 })).title);
            log(await Collection("Diary").findOne('title == "Coffee"'));
        }
    ],
    "findMine leaves the criteria alone": [
        ["1 Tea", '{"query":"price > ?","bindParams":[5]} {"limit":5}'],
        async ({ Collection, Criteria }, log) => {
            const [criteria, options] = [Criteria("price > ?", [5]), { limit: 5 }];
            const mine = await Collection("Diary").findMine(criteria, null, options);
            log(mine.totalItems, (await Collection("Diary").findOneMine(criteria, options)).title);
            log(json(criteria), json(options));
        }
    ],
    "update what was found in part": [
        ["OK", "Two bottles true true"],
        async ({ Collection }, log) => {
            const part = await Collection("Diary").findOne({ title: "Milk" }, null, { propertyNames: ["title"] });
            part.title = "Cream";
            part.done = true;
            part.$$hashKey = "object:3"; // as AngularJS does
            log(await part.update());
            const whole = await Collection("Diary").findOne({ title: "Cream" });
            log(whole.body, whole.done, whole._updatedAt > whole._createdAt);
        }
    ],
    "update copies": [
        ['{"name":"Diary"} true', "One bottle", "None", "No bottle"],
        async ({ Collection, CollectionItem }, log) => {
            const cream = () => Collection("Diary").findOne({ title: "Cream" });
            const item = await cream();
            const copied = new CollectionItem(JSON.parse(json(item)), item._collection);
            log(json(copied._collection), copied._createdAt.getTime() === item._createdAt.getTime());
            await Object.assign(copied, { body: "One bottle" }).update();
            log((await cream()).body);
            const extended = {}; // with all members, as $.extend makes it
            for (const name in item) {
                extended[name] = item[name];
            }
            await Object.assign(extended, { body: "None" }).update();
            log((await cream()).body);
            const stored = CollectionItem(JSON.parse(json(item))); // its collection is in the JSON
            await Object.assign(stored, { body: "No bottle" }).update();
            log((await cream()).body);
        }
    ],
    "permissions": [
        ['{"permission":{"public":""}}', '{"numUpdates":1} {"public":"r","u1":"rw"}', '{"public":""}', "2 3"],
        async ({ Collection }, log) => {
            const item = await Collection("Diary").findOne({ title: "Cream" });
            log(json(await item.getPermission()));
            const updated = await item.updatePermission({ u1: "rw", public: "r" });
            log(json(updated), json((await item.getPermission()).permission));
            await item.updatePermission({ public: "" }, { forceOverwrite: true });
            log(json((await item.getPermission()).permission));
            const some = await Collection("Diary").updatePermission("price > 1", { u2: "r" });
            log(some.numUpdates, (await Collection("Diary").updatePermission(null, { public: "r" }, null)).numUpdates);
        }
    ],
    "a permission that cannot be": [
        [`${INVALID} {"permission":"Permission must give each of its keys \\"r\\", \\"w\\", \\"rw\\" or \\"\\"."}`],
        ({ Collection }) => Collection("Diary").updatePermission({ title: "Tea" }, { public: "rwx" })
    ],
    "remove and delete": [
        ["OK OK", `${INVALID} {"itemOid":"Item not found."}`],
        async ({ Collection }, log) => {
            const { items } = await Collection("Diary").find("price != null", "price ASC");
            log(await items[0].remove(), await items[1].delete());
            await items[0].remove();
        }
    ],
    "names that JavaScript itself uses": [
        [
            'later 1 me false {"__proto__":{"then":1}}',
            'OK 1 4 a string {"__proto__":{"then":1}}',
            "undefined undefined"
        ],
        async ({ Collection, CollectionItem }, log) => {
            const odd =
                '{"then":"later","update":1,"remove":2,"getPermission":null,"constructor":"me","hasOwnProperty":false,' +
                '"toString":"a string","valueOf":3,"toJSON":"json","length":4,"query":"q","bindParams":[],"items":[],' +
                '"a_b":{"__proto__":{"then":1}}}';
            const item = await Collection("Board").insert(JSON.parse(odd));
            log(item.then, item.update, item.constructor, item.hasOwnProperty, json(item.a_b));
            item.update = 5;
            const said = await CollectionItem.prototype.update.call(item);
            const { totalItems } = await Collection("Board").find("update == 5");
            const found = await Collection("Board").findOne({ constructor: "me" });
            log(said, totalItems, found.length, found.toString, json(found.a_b));
            log(typeof {}.then, typeof CollectionItem.prototype.then);
        }
    ],
    "a name that nothing may have": [
        [`${INVALID} {"item.__proto__":${BAD_NAME}}`],
        ({ Collection }) => Collection("Board").insert(JSON.parse('{"__proto__":1}'))
    ],
    "share with another user": [
        ["For Bea Secret", "0", "For Bea true", "Err#14: Permission denied {}"],
        async ({ Collection, User }, log) => {
            const bea = (await User.register("bea@example.com", "password")).user._id;
            const anna = (await User.register("anna@example.com", "password")).user._id;
            await Collection("Diary").insert({ title: "Secret" });
            await Collection("Diary").insert({ title: "For Bea" }, { [bea]: "r" });
            log(titles((await Collection("Diary").findMine("", "title")).items));
            await User.login("bea@example.com", "password");
            log((await Collection("Diary").findMine()).totalItems);
            const { items } = await Collection("Diary").find({ _ownerUserOid: anna }, "title");
            log(titles(items), items[0]._ownerUserOid === anna);
            await items[0].update();
        }
    ],
    "a session that has ended": [
        ["Err#11: User login is required {}", "false null"],
        async ({ Collection, User, call }, log, tell) => {
            await call("User.logout"); // without the client's knowledge
            await Collection("Diary").findMine().then(undefined, tell);
            log(User.isAuthenticated(), (await Collection("Diary").insert({}))._ownerUserOid);
        }
    ],
    "properties of the device": [
        ["{} OK OK", "dark undefined undefined mine", '{"volume":3} constructor theme volume'],
        async ({ Device }, log) => {
            const before = json(await Device.getProperties());
            const saved = await Device.saveProperty("theme", "dark");
            log(before, saved, await Device.saveProperties({ volume: 3, constructor: "mine" }));
            const names = ["theme", "none", "toString", "constructor"];
            log(...(await Promise.all(names.map((name) => Device.getProperty(name)))));
            const some = json(await Device.getProperties(["volume", "none"]));
            log(
                some,
                Object.keys(await Device.getProperties(null))
                    .sort()
                    .join(" ")
            );
        }
    ],
    "a property without a value": [
        [`${INVALID} {"value":"Value is required."}`],
        ({ Device }) => Device.saveProperty("theme", undefined)
    ],
    "the id of the device": [["true"], async (cloud, log) => log(/^[0-9a-f]{32}$/.test(cloud.deviceId))],
    "push": [
        ["first kept", "first later", "second last"],
        async ({ Push }, log) => {
            Push.send({ item: "early" });
            Push.send({ item: "kept" });
            Push.setHandler((data) => log("first", data.item));
            Push.send({ item: "later" });
            Push.setHandler((data) => log("second", data.item));
            Push.send({ item: "last" });
        }
    ]
};

/** Runs all snippets; of those that print something else a line with the name, and what they have printed. */
async function runSnippets(cloud) {
    const wrong = [];
    for (const [name, [expected, run]] of Object.entries(SNIPPETS)) {
        const printed = [];
        const log = (...values) => printed.push(values.map(String).join(" "));
        const tell = (error) => log(`Err#${error.code}: ${error.message} ${json(error.data)}`);
        await run(cloud, log, tell).then(undefined, tell);
        if (printed.join("\n") !== expected.join("\n")) {
            wrong.push(`${name}: ${printed.join("\n")}`);
        }
    }
    return wrong;
}

if (typeof module === "object") {
    module.exports = { runSnippets };
}
