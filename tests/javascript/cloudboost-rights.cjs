// Snippets with access rules and users of CloudBoost; cloudboost-run.cjs says how they are written, and runs them.
const RIGHTS = {
    "not to be inserted": [
        ['"Err#14: Apps may not insert into \\"closed\\". Its operator can let them."'],
        async ({ CB, log, called }) => log(await called(new CB.CloudObject("closed"), "save"))
    ],
    "nobody is signed in": [
        ["null undefined undefined", "true"],
        async ({ CB, log, called }) => {
            const blank = await called(CB.CloudUser, "getCurrentUser");
            log(CB.CloudUser.current, blank.id, blank.get("username"));
            log(blank instanceof CB.CloudUser && blank instanceof CB.CloudObject);
        }
    ],
    "a user has a document and is an object": [
        ['"anna" "User" "user" null 0', "[] false", '"Kyoto" "Kyoto"', "true true", "true false"],
        async ({ CB, log, called }) => {
            const anna = new CB.CloudObject("User");
            anna.set("username", "anna");
            anna.set("password", "it's-a-secret");
            anna.set("email", "anna@example.com");
            await anna.save();
            const user = new CB.CloudUser();
            user.set("username", "anna");
            user.set("password", "it's-a-secret");
            await called(user, "logIn");
            const { document } = user;
            log(document.username, document._tableName, document._type, document.expires, document._version);
            log(user.get("roles"), user.get("verified"));
            const before = user.createdAt.getTime();
            user.set("city", "Kyoto");
            await called(user, "save");
            const again = await called(CB.CloudUser, "getCurrentUser");
            log(user.document.city, again.get("city"));
            log(user.createdAt.getTime() === before, (await user.fetch()).createdAt.getTime() === before);
            log(CB.CloudUser.current.document.ACL instanceof CB.ACL, JSON.stringify(user).includes("secret"));
        }
    ],
    "a repeated init keeps the sign-in": [
        ['"anna"'],
        async ({ CB, log, init }) => {
            init();
            log(CB.CloudUser.current.get("username"));
        }
    ],
    "notes for the owner only, and for one more": [
        ['{"public":""} {"public":""}', '{"public":"","u1":"rw"}', '{"public":"r","u1":"rw"}', "1 0"],
        async ({ CB, log, ask, called }) => {
            const permissionOf = async (object) =>
                (await ask("Collection.getPermission", { collectionName: "votes", itemOid: object.id })).permission;
            const note = new CB.CloudObject("votes");
            note.set("text", "mine");
            note.ACL.setPublicReadAccess(false);
            note.ACL.setPublicWriteAccess(false);
            await note.save();
            const other = new CB.CloudObject("votes");
            const acl = new CB.ACL();
            acl.setPublicWriteAccess(false);
            acl.setPublicReadAccess(false);
            other.set("ACL", acl);
            await other.save();
            log(await permissionOf(note), await permissionOf(other));
            const fetched = await new CB.CloudQuery("votes").equalTo("text", "mine").findOne();
            fetched.ACL.setUserReadAccess("u1", true);
            fetched.ACL.setUserWriteAccess("u1", true);
            await fetched.save();
            log(await permissionOf(note));
            fetched.ACL.setPublicReadAccess(true);
            await fetched.save();
            log(await permissionOf(note));
            fetched.ACL.setPublicReadAccess(false);
            await fetched.save();
            const count = () => new CB.CloudQuery("votes").equalTo("text", "mine").count();
            const mine = await count();
            await called(CB.CloudUser.current, "logOut");
            log(mine, await count());
        }
    ],
    "what an ACL cannot say": [
        [
            '"Err#13: Roles are not there; give access to user ids."',
            '"Err#13: Nobody can be kept from what everybody may do; take the right from the public, give it to users."'
        ],
        async ({ CB, log, called }) => {
            const one = new CB.CloudObject("votes");
            one.ACL.setRoleReadAccess("admin", true);
            log(await called(one, "save"));
            const other = CB.fromJSON(CB.toJSON(new CB.CloudObject("votes")));
            other.ACL.read.deny.user.push("u1");
            other.set("ACL", other.ACL);
            log(await called(other, "save"));
        }
    ],
    "errors as they were read": [
        [
            '401 "Username or password is incorrect."',
            "400 true",
            '"Err#11: This user is not logged in, so there is nobody to log out."'
        ],
        async ({ CB, log, called }) => {
            const user = new CB.CloudUser();
            user.set("username", "anna");
            user.set("password", "wrong-password");
            const error = await user.logIn().then(null, (reason) => reason);
            log(error.response.status, error.response.data.error);
            const other = await new CB.CloudObject("closed").save().then(null, (reason) => reason);
            log(other.response.status, other.response.data.message === other.message);
            log(await called(user, "logOut"));
        }
    ],
    "other users": [
        [
            '"Err#13: Other users cannot be read."',
            '"Err#13: Log in with logIn(); passwords cannot be asked for."',
            "true"
        ],
        async ({ CB, log, called }) => {
            log(await called(new CB.CloudQuery("User").equalTo("username", "anna"), "find"));
            log(await called(new CB.CloudQuery("User").equalTo("password", "x"), "findOne"));
            const user = new CB.CloudUser();
            user.set("username", "anna");
            user.set("password", "it's-a-secret");
            await user.logIn();
            log((await new CB.CloudQuery("User").findById(user.id)).id === user.id);
            await user.logOut();
        }
    ],
    "a mail for a new password": [
        ['"OK"'],
        async ({ CB, log, called }) => log(await called(CB.CloudUser, "resetPassword", "anna@example.com"))
    ],
    "what is left out fails with a sentence, and no constructor throws": [
        [
            '"Err#13: CloudQuery.near is not there; filter the result of find()."',
            '"Err#13: CloudQuery.startsWith is not there; filter the result of find()."',
            '"Err#13: Objects do not expire here."',
            '"Err#13: Files are not kept by this server; store a URL in the column \\"photo\\"."',
            '"Err#13: Live updates are not there; ask again with find()."',
            '"Err#13: There is no local store."',
            '"Err#13: CloudTable is not part of this server."',
            '"Err#13: Roles are not there; give access to user ids."'
        ],
        async ({ CB, log, called }) => {
            log(await called(new CB.CloudQuery("song").near("place", new CB.CloudGeoPoint(1, 2), 10), "find"));
            log(await called(new CB.CloudQuery("song").startsWith("colour", "e").setLimit(2), "findOne"));
            const song = new CB.CloudObject("song");
            song.set("expires", new Date());
            log(await called(song, "save"));
            const picture = new CB.CloudObject("song");
            picture.set("photo", new CB.CloudFile({ name: "me.png" }));
            log(await called(picture, "save"));
            log(await called(CB.CloudObject, "on", "song", "created"));
            log(await called(song, "pin"));
            log(await called(new CB.CloudTable("song"), "save"));
            log(await called(new CB.CloudUser(), "addToRole", new CB.CloudRole("admin")));
        }
    ]
};

if (typeof module === "object") {
    module.exports = RIGHTS;
}
