// Snippets with queries of CloudBoost; cloudboost-run.cjs says how they are written, and runs them.
const QUERIES = {
    "rows to look for": [
        ["20"],
        async ({ CB, log, called }) => {
            const list = [];
            for (let rank = 1; rank <= 20; rank += 1) {
                const song = new CB.CloudObject("song");
                song.set("rank", rank);
                song.set("colour", rank % 2 ? "odd" : "even");
                if (rank % 5 === 0) {
                    song.set("fifth", true);
                }
                song.set("tags", ["all", String(rank)]);
                list.push(song);
            }
            await list.reduce((before, song) => before.then(() => song.save()), Promise.resolve());
            log(await called(new CB.CloudQuery("song"), "count"));
        }
    ],
    "the first ten, unless told otherwise": [
        ["[1,2,3,4,5,6,7,8,9,10]", "[1,2,3]", "[3,4,5]", "20", "[20,19]"],
        async ({ CB, log, called }) => {
            const ranks = (list) => list.map((song) => song.get("rank"));
            const query = new CB.CloudQuery("song");
            log(ranks(await called(query, "find")));
            query.limit = 3;
            log(ranks(await query.find()));
            query.setSkip(2);
            log(ranks(await query.find()));
            log((await new CB.CloudQuery("song").setLimit(0).find()).length);
            log(ranks(await new CB.CloudQuery("song").orderByDesc("rank").setLimit(2).find()));
        }
    ],
    conditions: [
        [
            "equalTo [7]",
            "notEqualTo 19",
            "greaterThan [18,19,20]",
            "greaterThanEqualTo [17,18,19,20]",
            "lessThan [1,2]",
            "lessThanEqualTo [1,2,3]",
            "between [5,6]",
            "containedIn [2,4]",
            "one by one [2,4]",
            "notContainedIn 18",
            "nothing 0",
            "everything 20",
            "exists [5,10,15,20]",
            "doesNotExists 16",
            "or [1,20]",
            "or, and more [20]",
            "of a list [0]"
        ],
        async ({ CB, print }) => {
            const found = async (name, fill, isCount) => {
                const made = fill(new CB.CloudQuery("song"));
                const list = await made.setLimit(100).find();
                print(`${name} ${isCount ? list.length : JSON.stringify(list.map((song) => song.get("rank")))}`);
            };
            const song = () => new CB.CloudQuery("song");
            await found("equalTo", (query) => query.equalTo("rank", 3).equalTo("rank", 7));
            await found("notEqualTo", (query) => query.notEqualTo("rank", 7), true);
            await found("greaterThan", (query) => query.greaterThan("rank", 17));
            await found("greaterThanEqualTo", (query) => query.greaterThanEqualTo("rank", 17));
            await found("lessThan", (query) => query.lessThan("rank", 3));
            await found("lessThanEqualTo", (query) => query.lessThanEqualTo("rank", 3));
            await found("between", (query) => query.greaterThan("rank", 4).lessThan("rank", 7));
            await found("containedIn", (query) => query.containedIn("rank", [2, 4]));
            await found("one by one", (query) => query.containedIn("rank", 2).containedIn("rank", 4));
            await found("notContainedIn", (query) => query.notContainedIn("rank", [2, 4]), true);
            await found("nothing", (query) => query.containedIn("rank", []), true);
            await found("everything", (query) => query.notContainedIn("rank", []), true);
            await found("exists", (query) => query.exists("fifth"));
            await found("doesNotExists", (query) => query.doesNotExists("fifth"), true);
            await found("or", () => CB.CloudQuery.or(song().lessThan("rank", 2), song().greaterThan("rank", 19)));
            await found("or, and more", () =>
                CB.CloudQuery.or([song().lessThan("rank", 2), song().greaterThan("rank", 19)]).equalTo("colour", "even")
            );
            print(`of a list [${(await song().equalTo("tags", "all").find()).length}]`);
        }
    ],
    times: [
        ["20 0 20 0", '"Err#-32602: \\"createdAt\\" is compared with a date: soon"'],
        async ({ CB, log, called }) => {
            const many = (method, value) => new CB.CloudQuery("song")[method]("createdAt", value).count();
            log(
                await many("greaterThan", "2016 /11/23"),
                await many("lessThan", new Date(1000)),
                await many("greaterThanEqualTo", 0),
                await many("equalTo", "2016-11-23T10:00:00.000Z")
            );
            log(await called(new CB.CloudQuery("song").greaterThan("createdAt", "soon"), "find"));
        }
    ],
    "one by its id": [
        ["true true", "null", "20"],
        async ({ CB, log, called }) => {
            const some = await new CB.CloudQuery("song").orderByDesc("rank").findOne();
            const query = new CB.CloudQuery("song");
            log((await query.findById(some.id)).id === some.id, (await called(query, "get", some.id)).id === some.id);
            log(await query.findById("i-none"));
            log((await new CB.CloudQuery("song").equalTo("id", some.id).findOne()).get("rank"));
        }
    ],
    "columns and pages": [
        ['["rank"] true', '["colour","rank"]', "[[11,12,13],20,7]", "3"],
        async ({ CB, log, called }) => {
            const own = (song) =>
                Object.keys(song.document).filter((name) => ["rank", "colour", "tags"].includes(name));
            const one = await new CB.CloudQuery("song").selectColumn("rank").findOne();
            log(own(one), Boolean(one.createdAt));
            log(own(await new CB.CloudQuery("song").selectColumn({ rank: 1, colour: 1 }).findOne()).sort());
            const query = new CB.CloudQuery("song").orderByAsc("rank").setSkip(1);
            const [list, count, pages] = await called(
                new CB.CloudQuery("song").greaterThan("rank", 0),
                "paginate",
                5,
                3
            );
            log([list.map((song) => song.get("rank") - 2), count, pages]);
            log((await query.paginate(1, 3)).length);
        }
    ],
    "what is wrong with a query": [
        [
            '"Err#-32602: CloudQuery.equalTo(\\"rank\\", …): the value is undefined."',
            '"Err#-32602: To compare \\"company\\" with an id, its table must be known: hand over the object."',
            '"thrown" "thrown"'
        ],
        async ({ CB, log, called }) => {
            log(await called(new CB.CloudQuery("song").equalTo("rank", undefined), "find"));
            log(await called(new CB.CloudQuery("song").equalTo("company._id", "i1"), "find"));
            const thrown = (work) => {
                try {
                    work();
                    return "done";
                } catch (_) {
                    return "thrown";
                }
            };
            log(
                thrown(() => CB.CloudQuery.or(new CB.CloudQuery("song"), new CB.CloudQuery("votes"))),
                thrown(() => new CB.CloudQuery("song").equalTo("a == 1 || b", 1))
            );
        }
    ]
};

if (typeof module === "object") {
    module.exports = QUERIES;
}
