import { absent, addEach } from "./absent.mjs";
import { CloudError } from "./errors.mjs";

// Of each class that is not there: what calls the server, the same of the class itself, and what returns the object.
var CLASSES = {
    CloudSearch: ["search", "", "setSkip setLimit orderByAsc orderByDesc include selectColumn doNotSelectColumn"],
    SearchQuery: ["", "", "searchOn phrase bestColumns mostColumns startsWith wildcard regexp and or not"],
    SearchFilter: [
        "",
        "",
        "equalTo notEqualTo greaterThan greaterThanEqualTo lessThan lessThanEqualTo containedIn notContainedIn " +
            "exists doesNotExists near include and or not"
    ],
    CloudTable: ["save delete", "get getAll", "addColumn deleteColumn updateColumn getColumn"],
    Column: ["", ""],
    CloudFile: ["save delete getFileContent", ""],
    CloudRole: ["save fetch delete", ""],
    CloudQueue: [
        "addMessage updateMessage getMessage getMessageById getAllMessages deleteMessage addSubscriber " +
            "deleteSubscriber peekMessage peekAllMessages push pull pullAll peek peekAll clear create delete refresh",
        "get getAll delete"
    ],
    QueueMessage: ["", ""],
    CloudCache: ["create set get getAll getInfo getItemsCount deleteItem clear delete", "get getAll deleteAll"],
    CloudPush: ["", "send"],
    CloudNotification: ["", "on off publish"],
    CloudEvent: ["", "track"]
};

var FILES = "Files are not kept by this server; store a URL in a column.";
var NO_ROLES_HERE = "Roles are not there; give access to user ids.";
var LIVE = "Live updates are not there; ask again with find().";
var LOCAL = "There is no local store.";

var SENTENCES = { CloudFile: FILES, CloudRole: NO_ROLES_HERE, CloudNotification: LIVE };

// What a query records and says no sooner than when it is asked.
var OF_QUERIES =
    "startsWith regex substring near geoWithin containsAll includeList doNotSelectColumn search searchQuery";

function thisObject() {
    return this;
}

/** Gives `target` functions that fail with a sentence. */
function addFailing(target, methods, sentence) {
    addEach(target, methods, function () {
        return absent(sentence);
    });
}

/** A class whose objects can be made and filled, as apps do before they call what fails. */
function absentClass(name) {
    var sentence = SENTENCES[name] || name + " is not part of this server.";
    function Absent() {
        this.document = name === "CloudFile" ? { _type: "file" } : {};
    }
    Absent.prototype.set = function (column, value) {
        this.document[column] = value;
    };
    Absent.prototype.get = function (column) {
        return this.document[column];
    };
    addEach(Absent.prototype, CLASSES[name][2] || "", function () {
        return thisObject;
    });
    addFailing(Absent.prototype, CLASSES[name][0], sentence);
    addFailing(Absent, CLASSES[name][1], sentence);
    return Absent;
}

function queryMethod(name) {
    return "CloudQuery." + name + " is not there; filter the result of find().";
}

/** Adds to `CB` what CloudBoost had and this server has not: it is there to fail with a sentence. */
function addAbsentOfCloudBoost(CB) {
    var user = CB.CloudUser.prototype;
    addFailing(user, "addToRole removeFromRole", NO_ROLES_HERE);
    user.isInRole = function () {
        throw new CloudError(13, NO_ROLES_HERE); // a promise would count as true
    };
    addFailing(CB.CloudUser, "authenticateWithProvider", "Users sign in with a username and a password here.");
    addFailing(CB.CloudObject.prototype, "pin unPin saveEventually disableSync", LOCAL);
    addFailing(CB.CloudObject, "pin unPin clearLocalStore sync enableSync disableSync", LOCAL);
    addFailing(CB.CloudObject, "on off", LIVE);
    addEach(CB.CloudQuery.prototype, OF_QUERIES, function (name) {
        return function () {
            this._absent = queryMethod(name);
            return this;
        };
    });
    addFailing(CB.CloudQuery.prototype, "distinct", queryMethod("distinct"));
    Object.keys(CLASSES).forEach(function (name) {
        CB[name] = absentClass(name);
    });
    return CB;
}

export { addAbsentOfCloudBoost };
