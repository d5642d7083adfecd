import { absent, addEach } from "./absent.mjs";

/**
 * What Monaca Backend had and this server has not yet: it is there to fail with a sentence. Works with and without
 * `new`, as it did.
 */
function absentOfMonaca() {
    function failing(target, prefix, names, reason) {
        return addEach(target, names, function (name) {
            return absent(prefix + "." + name + " is not there: " + reason);
        });
    }

    function Collection(name) {
        var names = "find findMine findOne findOneMine insert updatePermission";
        return failing({ name: name }, "Collection", names, "this server keeps users, but no collections.");
    }

    function CollectionItem() {
        var names = "update remove delete getPermission updatePermission";
        return failing({}, "CollectionItem", names, "this server keeps users, but no collections.");
    }

    function Criteria(query, bindParams) {
        return { query: query, bindParams: bindParams || [] };
    }

    var properties = "getProperty getProperties saveProperty saveProperties";
    return {
        Collection: Collection,
        CollectionItem: CollectionItem,
        Criteria: Criteria,
        Device: failing({}, "Device", properties, "this server keeps properties of users, but not of devices."),
        Mailer: failing({}, "Mailer", "sendMail", "this server mails tokens for forgotten passwords only."),
        Push: failing({}, "Push", "setHandler send", "this server sends no push notifications.")
    };
}

export { absentOfMonaca };
