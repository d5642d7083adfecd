// Snippets with rare values, rows of strangers and calls that cross; cloudboost-run.cjs says how they are written.
const made = (CB, table, columns) => {
    const object = new CB.CloudObject(table);
    for (const [name, value] of Object.entries(columns)) {
        object.set(name, value);
    }
    return object;
};

const EDGES = {
    "no rows of what ran before": [
        ["0 0"],
        async ({ CB, log }) => {
            const rest = async (table) => {
                const query = new CB.CloudQuery(table).setLimit(1000);
                await CB.CloudObject.deleteAll(await query.find());
                return query.count();
            };
            log(await rest("song"), await rest("company"));
        }
    ],
    "a stranger's row cannot pose as another object": [
        ['true "song" "custom" null true "red"', "[0,0]"],
        async ({ CB, log, ask }) => {
            const mine = await made(CB, "votes", { colour: "mine" }).save();
            const item = { cb_id: mine.id, cb_tableName: "votes", cb_type: "user", expires: 1, ACL: 2, colour: "red" };
            const posing = (await ask("Collection.insert", { collectionName: "song", item })).item;
            const found = await new CB.CloudQuery("song").equalTo("colour", "red").findOne();
            const { document } = found;
            log(
                found.id === posing._id,
                document._tableName,
                document._type,
                document.expires,
                found.ACL instanceof CB.ACL,
                document.colour
            );
            await found.delete();
            const songs = await new CB.CloudQuery("song").count();
            log([songs, (await mine.delete()).document.rank || 0]);
        }
    ],
    "a stranger's row does not keep others from being read": [
        ['2 {"_type":"point","longitude":999,"latitude":0} "nowhere"'],
        async ({ CB, log, ask }) => {
            const place = { _type: "point", longitude: 999, latitude: 0 };
            const item = { place, company: "@cb:nowhere/i1", colour: "odd" };
            await ask("Collection.insert", { collectionName: "song", item });
            await made(CB, "song", { colour: "even" }).save();
            const list = await new CB.CloudQuery("song").include("company").find();
            log(list.length, list[0].get("place"), list[0].get("company").document._tableName);
            await CB.CloudObject.deleteAll(list);
        }
    ],
    "one save after the other": [
        ["1 2 true", "3"],
        async ({ CB, log }) => {
            const song = made(CB, "song", { rank: 1 });
            const first = song.save();
            await new Promise((resolve) => setTimeout(resolve, 0)); // the call is under way
            song.set("rank", 2);
            const both = await Promise.all([first, song.save()]);
            log(await new CB.CloudQuery("song").count(), (await song.fetch()).get("rank"), both[0] === both[1]);
            song.set("rank", 3);
            await song.save();
            log((await song.fetch()).get("rank"));
            await song.delete();
        }
    ],
    "what many lead to is saved once": [
        ["1 true"],
        async ({ CB, log }) => {
            const company = made(CB, "company", { name: "one of all" });
            const votes = [1, 2, 3].map((rank) => made(CB, "votes", { rank, company }));
            await CB.CloudObject.saveAll(votes);
            log(await new CB.CloudQuery("company").equalTo("name", "one of all").count(), Boolean(company.id));
            await CB.CloudObject.deleteAll([company, ...votes]);
        }
    ],
    "a failed save, and the next one": [
        ["13 1"],
        async ({ CB, log }) => {
            const song = made(CB, "song", { rank: 1, expires: new Date() });
            const code = await song.save().then(null, (error) => error.code);
            song.set("expires", null);
            await song.save();
            log(code, (await song.fetch()).get("rank"));
            await song.delete();
        }
    ],
    "names that every JavaScript object has": [
        ['1 2 {"__proto__":3} [4]', "true undefined undefined"],
        async ({ CB, log }) => {
            const song = made(CB, "song", { constructor: 1, toString: 2, list: [4] });
            song.set("__proto__", JSON.parse('{"__proto__": 3}'));
            await song.save();
            const now = await new CB.CloudQuery("song").equalTo("constructor", 1).findOne();
            log(now.get("constructor"), now.get("toString"), now.get("__proto__"), now.get("list"));
            await now.delete();
            const blank = new CB.CloudObject("song");
            log(blank.get("constructor") === undefined, blank.get("__proto__"), new CB.CloudUser().get("valueOf"));
        }
    ],
    "objects deep in a value": [
        ["true true", '"deep"'],
        async ({ CB, log }) => {
            const company = made(CB, "company", { name: "deep" });
            const song = await made(CB, "song", { by: { whom: [company] } }).save();
            const stub = (await song.fetch()).get("by").whom[0];
            log(Boolean(company.id), stub.id === company.id);
            log((await new CB.CloudQuery("song").include("by").findOne()).get("by").whom[0].get("name"));
            await CB.CloudObject.deleteAll([song, company]);
        }
    ],
    "more objects to include than one call takes": [
        ["101 101"],
        async ({ CB, log }) => {
            const companies = Array.from({ length: 101 }, (_, rank) =>
                made(CB, "company", { name: `c${rank}`, many: 1 })
            );
            const song = await made(CB, "song", { companies }).save();
            const found = await new CB.CloudQuery("song").include("companies").findOne();
            const list = found.get("companies");
            log(list.length, list.filter((each, rank) => each.get("name") === `c${rank}`).length);
            await CB.CloudObject.deleteAll([song, ...companies]);
        }
    ],
    "a new object keeps what was written into its document": [
        ['"by hand" 1'],
        async ({ CB, log }) => {
            const song = made(CB, "song", { rank: 1 });
            song.document.title = "by hand";
            song.document.$$hashKey = "object:3"; // Angular's, no column
            await song.save();
            const now = await song.fetch();
            log(now.get("title"), now.get("rank"));
            await song.delete();
        }
    ],
    "what fromJSON makes is saved as if it were set": [
        ['{"public":"rw"} 5', "undefined true"],
        async ({ CB, log, ask }) => {
            const plain = CB.toJSON(made(CB, "notes", { rank: 5 }));
            const note = CB.fromJSON({ ...plain, createdAt: "2016-11-23T10:00:00.000Z" });
            const open = CB.fromJSON(CB.toJSON(made(CB, "votes", { rank: 5 })));
            await CB.CloudObject.saveAll([note, open]);
            const params = { collectionName: "votes", itemOid: open.id };
            log((await ask("Collection.getPermission", params)).permission, (await note.fetch()).get("rank"));
            await CB.CloudObject.deleteAll([note, open]);
            const user = CB.fromJSON({ _tableName: "User", username: "dora", password: "blue-whale-31" });
            log(user.document.password, user.get("password") === "blue-whale-31");
        }
    ],
    "the collection's access rules hold until the app touches them": [
        ['{"public":""} {"public":"rw"}'],
        async ({ CB, log, ask }) => {
            const rights = async (note) =>
                (await ask("Collection.getPermission", { collectionName: "notes", itemOid: note.id })).permission;
            const untouched = await CB.fromJSON(CB.toJSON(new CB.CloudObject("notes"))).save();
            const touched = new CB.CloudObject("notes");
            touched.ACL = new CB.ACL();
            await touched.save();
            log(await rights(untouched), await rights(touched));
            await CB.CloudObject.deleteAll([untouched, touched]);
        }
    ],
    "what a query within or cannot do": [
        ['"Err#13: CloudQuery.near is not there; filter the result of find()."', "3"],
        async ({ CB, log, called }) => {
            const song = () => new CB.CloudQuery("song");
            log(await called(CB.CloudQuery.or(song().equalTo("rank", 1), song().near("place", null, 1)), "find"));
            const list = await CB.CloudObject.saveAll([1, 2, 3].map((rank) => made(CB, "song", { rank })));
            log(await CB.CloudQuery.or(song().equalTo("rank", 1), song()).count());
            await CB.CloudObject.deleteAll(list);
        }
    ],
    "stretches of every kind": [
        ["1 3 3 2 [3]", "[[3],3,2]", "[[1,2,3],3,1]"],
        async ({ CB, log, called }) => {
            const list = await [1, 2, 3].reduce(
                async (before, rank) => [...(await before), await made(CB, "song", { rank }).save()],
                Promise.resolve([])
            );
            const song = () => new CB.CloudQuery("song").orderByAsc("rank");
            const ranks = (found) => found.map((each) => each.get("rank"));
            log(
                (await song().setSkip(-1).findOne()).get("rank"),
                (await song().setLimit(-1).find()).length,
                (await song().setLimit(10001).find()).length,
                (await song().setLimit("2").find()).length,
                ranks(await song().setSkip(2).setLimit(3).find())
            );
            const page = async (...where) => {
                const [found, ...counts] = await called(song().setLimit(2), "paginate", ...where);
                return [ranks(found), ...counts];
            };
            log(await page(2));
            log(await page(1, 3));
            await CB.CloudObject.deleteAll(list);
        }
    ],
    "values that are compared": [
        ["1 1 1 0", "1 1", '"Err#-32602"'],
        async ({ CB, log, called }) => {
            const at = new Date(0);
            const song = await made(CB, "song", { at, empty: null, text: "@cb:x" }).save();
            const many = (column, value) => new CB.CloudQuery("song").equalTo(column, value).count();
            log(await many("at", at), await many("empty", null), await many("text", "@cb:x"), await many("at", null));
            log(await many("id", song), await new CB.CloudQuery("song").containedIn("_id", [song]).count());
            log((await called(new CB.CloudQuery("song").equalTo("at", { some: "object" }), "find")).slice(0, 10));
            await song.delete();
        }
    ],
    "not every one of many can be deleted": [
        ['"Error" 0'],
        async ({ CB, log }) => {
            const song = await made(CB, "song", {}).save();
            const error = await CB.CloudObject.deleteAll([new CB.CloudObject("song"), song]).then(
                null,
                (reason) => reason
            );
            log(error.name, await new CB.CloudQuery("song").count());
        }
    ],
    "callbacks that are none": [
        ["true true", "undefined"],
        async ({ CB, log }) => {
            const song = made(CB, "song", {});
            log((await song.save("now")) === song, (await song.delete({ success: 5 })) === song);
            log((await new CB.CloudQuery("song").find(null))[0]);
        }
    ],
    "the user by the id": [
        ['"Nara" "Nara"', '"Oslo"', "null null"],
        async ({ CB, log, ask }) => {
            const eva = made(CB, "User", { username: "eva", password: "blue-whale-31" });
            await eva.save();
            await eva.logIn().then(null, () => {});
            eva.set("password", "blue-whale-31");
            await eva.logIn();
            const same = new CB.CloudObject("User", eva.id);
            same.set("city", "Nara");
            await same.save();
            log(same.get("city"), (await eva.fetch()).get("city"));
            delete eva.document.ACL;
            eva.set("city", "Oslo");
            await eva.save();
            log((await same.fetch()).get("city"));
            await ask("User.logout", {});
            const gone = await new CB.CloudQuery("User").findById(eva.id);
            log(gone, CB.CloudUser.current);
        }
    ],
    "an account has no ACL": [
        ['"Err#13: An account is its user\'s own; an ACL says nothing of it."'],
        async ({ CB, log, called }) => {
            const user = made(CB, "User", { username: "fay", password: "blue-whale-31" });
            user.ACL.setPublicReadAccess(false);
            log(await called(user, "save"));
        }
    ],
    "init with options": [
        ["undefined", "true"],
        async ({ CB, log, url, backendId, apiKey }) => {
            log(CB.CloudApp.init(url, backendId, apiKey, { disableRealtime: true }));
            CB.apiUrl = url;
            CB.CloudApp.init(backendId, apiKey, { disableRealtime: true });
            delete CB.apiUrl;
            log((await new CB.CloudQuery("votes").count()) >= 0);
        }
    ]
};

if (typeof module === "object") {
    module.exports = EDGES;
}
