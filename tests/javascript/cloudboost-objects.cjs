// Snippets with objects of CloudBoost; cloudboost-run.cjs says how they are written, and runs them.
let first;

const OBJECTS = {
    "a new object": [
        ['"votes" "custom" null', "undefined undefined", '"red" "red"'],
        async ({ CB, log }) => {
            first = new CB.CloudObject("votes");
            first.set("colour", "red");
            first.set("rank", 3);
            log(first.document._tableName, first.document._type, first.document.expires);
            log(first.id, first.createdAt);
            log(first.get("colour"), first.document.colour);
        }
    ],
    "save with callbacks": [
        ["true true true", "true true"],
        async ({ log, called }) => {
            const saved = await called(first, "save");
            log(saved === first, /^i[0-9a-f-]{36}$/.test(first.id), first.get("id") === first.document._id);
            const isTime = (text) => new Date(text).toISOString() === text;
            log(isTime(first.createdAt), first.createdAt === first.updatedAt);
        }
    ],
    "save with a promise, and only what was set": [
        ["1 1", "true", '"red" "blue"'],
        async ({ CB, log, called }) => {
            const [one, other] = [await called(first, "fetch"), await called(first, "fetch")];
            one.set("rank", 1);
            await one.save();
            other.set("colour", "blue");
            other.document.rank = 7; // not set
            await other.save();
            const now = await first.fetch();
            log(now.get("rank"), (await new CB.CloudQuery("votes").count()) || 0);
            log(now !== first && now.id === first.id);
            log(first.get("colour"), now.get("colour"));
        }
    ],
    "nothing set: success without a call": [
        ["true"],
        async ({ log, called }) => log((await called(first, "save")) === first)
    ],
    "own members, unset and get": [
        ["null 5 null", "5"],
        async ({ log }) => {
            first.mine = 5;
            first.unset("rank");
            await first.save();
            log(first.get("rank"), first.mine, (await first.fetch()).get("rank"));
            log(Object.keys(first).includes("mine") ? first.mine : 0);
        }
    ],
    "what cannot be set": [
        Array(8).fill('"thrown"'),
        async ({ CB, log }) => {
            for (const name of ["id", "_id", "_tableName", "_type", "operator", "1st", "a.b", "cb_x"]) {
                try {
                    new CB.CloudObject("votes").set(name, 1);
                    log(name);
                } catch (_) {
                    log("thrown");
                }
            }
        }
    ],
    "names with underscores": [
        ["1 2 3"],
        async ({ CB, log }) => {
            const vote = new CB.CloudObject("votes");
            vote.set("my_rank", 1);
            vote.set("_hidden", 2);
            vote.set("__x", 3);
            await vote.save();
            const found = await new CB.CloudQuery("votes").equalTo("_hidden", 2).findOne();
            log(found.get("my_rank"), found.get("_hidden"), found.document.__x);
            await found.delete();
        }
    ],
    "values of every kind": [
        ['"2026-01-31T09:00:00.000Z" 17.9 79.6 true', '{"deep":["@cb:no/relation"]} "@@cb:x" [1,[null]] true'],
        async ({ CB, log }) => {
            const vote = new CB.CloudObject("votes");
            vote.set("at", new Date("2026-01-31T09:00:00Z"));
            vote.set("place", new CB.CloudGeoPoint(17.9, 79.6));
            vote.set("nested", { deep: ["@cb:no/relation"] });
            vote.set("text", "@@cb:x");
            vote.set("list", [1, [null]]);
            vote.set("yes", true);
            await vote.save();
            const now = await vote.fetch();
            const place = now.get("place");
            log(now.get("at"), place.longitude, place.get("latitude"), place instanceof CB.CloudGeoPoint);
            log(now.get("nested"), now.get("text"), now.get("list"), now.get("yes"));
            await vote.delete();
        }
    ],
    "places": [
        ["true true", '"thrown" "thrown"', "5 6"],
        async ({ CB, log }) => {
            const [tokyo, osaka] = [new CB.CloudGeoPoint(139.69, 35.69), new CB.CloudGeoPoint(135.5, 34.69)];
            const distance = tokyo.distanceInKMs(osaka);
            log(distance > 390 && distance < 400, Math.abs(tokyo.distanceInMiles(osaka) * 1.609 - distance) < 1);
            const thrown = (make) => {
                try {
                    make();
                    return "made";
                } catch (_) {
                    return "thrown";
                }
            };
            log(
                thrown(() => new CB.CloudGeoPoint(181, 0)),
                thrown(() => tokyo.set("latitude", 91))
            );
            tokyo.set("longitude", 5);
            tokyo.latitude = 6;
            log(tokyo.get("longitude"), tokyo.latitude);
        }
    ],
    "relations are saved with the object": [
        ["true true", '"ACME" true "ACME"', "null true"],
        async ({ CB, log }) => {
            const [vote, company] = [new CB.CloudObject("votes"), new CB.CloudObject("company")];
            company.set("name", "ACME");
            vote.set("colour", "grey");
            vote.set("company", company);
            vote.set("companies", [company]);
            await vote.save();
            log(Boolean(company.id), company.id === vote.get("company").id);
            const query = new CB.CloudQuery("votes");
            query.equalTo("colour", "grey");
            query.include("company");
            query.include("companies");
            const [found] = await query.find();
            const included = found.get("companies")[0];
            log(found.get("company").get("name"), included instanceof CB.CloudObject, included.get("name"));
            const [plain] = await new CB.CloudQuery("votes").equalTo("company", company).find();
            log(plain.get("company").get("name") ?? null, plain.document.company.id === company.id);
        }
    ],
    "relate, and changes of what it leads to": [
        ["true", '"ACME Ltd"'],
        async ({ CB, log }) => {
            const company = await new CB.CloudQuery("company").findOne();
            const vote = await new CB.CloudQuery("votes").equalTo("colour", "grey").findOne();
            vote.relate("company", "company", company.id);
            log(vote.get("company").id === company.id);
            company.set("name", "ACME Ltd");
            vote.set("company", company);
            await vote.save();
            log((await company.fetch()).get("name"));
        }
    ],
    "a circle of new objects ends": [
        ["true true"],
        async ({ CB, log }) => {
            const [one, other] = [new CB.CloudObject("votes"), new CB.CloudObject("votes")];
            one.set("other", other);
            other.set("other", one);
            await one.save();
            await other.save(); // which had to wait for the id
            log((await other.fetch()).get("other").id === one.id, (await one.fetch()).get("other").id === other.id);
            await CB.CloudObject.deleteAll([one, other]);
        }
    ],
    "saveAll and deleteAll": [
        ['"a b c"', "true", "true", "0"],
        async ({ CB, log, called }) => {
            const list = ["a", "b", "c"].map((colour) => {
                const song = new CB.CloudObject("song");
                song.set("colour", colour);
                return song;
            });
            log((await CB.CloudObject.saveAll(list)).map((song) => song.get("colour")).join(" "));
            log((await called(CB.CloudObject, "saveAll", list)).every((each, index) => each === list[index]));
            log((await CB.CloudObject.deleteAll(list))[2] === list[2]);
            log(await new CB.CloudQuery("song").count());
        }
    ],
    "one failure of many": [
        [
            '"Err#-32602: There is no collection \\"nowhere\\" on this server. Its operator has to create it and let apps insert."',
            "1"
        ],
        async ({ CB, log, called }) => {
            const [good, bad] = [new CB.CloudObject("song"), new CB.CloudObject("nowhere")];
            log(await called(CB.CloudObject, "saveAll", [bad, good]));
            log(await new CB.CloudQuery("song").count());
            await good.delete();
        }
    ],
    "delete and fetch": [
        ["true", "null", '"thrown" "thrown"'],
        async ({ CB, log, called }) => {
            const song = new CB.CloudObject("song");
            await song.save();
            log((await called(song, "delete")) === song);
            log(await song.fetch());
            const thrown = ["fetch", "delete"].map((method) => {
                try {
                    new CB.CloudObject("song")[method]();
                    return "called";
                } catch (_) {
                    return "thrown";
                }
            });
            log(...thrown);
        }
    ],
    "toJSON and fromJSON": [
        ['"red" "ACME" true', "true true true", '"{\\"document\\":"', "true"],
        async ({ CB, log }) => {
            const [vote, company] = [new CB.CloudObject("votes"), new CB.CloudObject("company")];
            company.set("name", "ACME");
            company.set("vote", vote); // a circle
            vote.set("colour", "red");
            vote.set("company", company);
            vote.set("place", new CB.CloudGeoPoint(1, 2));
            const plain = CB.toJSON(vote);
            log(plain.colour, plain.company.name, plain !== vote.document);
            const back = CB.fromJSON(JSON.parse(JSON.stringify(plain)));
            log(
                back instanceof CB.CloudObject,
                back.get("place") instanceof CB.CloudGeoPoint,
                back.ACL instanceof CB.ACL
            );
            log(JSON.stringify(vote).slice(0, 12));
            log(CB.toJSON([vote, vote]).length === 2 && vote.document.company === company);
        }
    ]
};

if (typeof module === "object") {
    module.exports = OBJECTS;
}
