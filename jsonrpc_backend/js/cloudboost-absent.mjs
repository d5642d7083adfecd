import { absent, addEach } from "./absent.mjs";
import { CloudError } from "./errors.mjs";

// Of each class: what calls the server, the same of the class itself, and what returns the object for more calls.
var CLASSES = {
    CloudObject: [
        "save fetch delete pin unPin saveEventually disableSync",
        "on off saveAll deleteAll pin unPin clearLocalStore sync enableSync disableSync"
    ],
    CloudQuery: [
        "find findOne findById get count distinct paginate search",
        "or",
        "equalTo notEqualTo greaterThan greaterThanEqualTo lessThan lessThanEqualTo containedIn notContainedIn " +
            "containsAll exists doesNotExists startsWith regex substring near geoWithin include includeList " +
            "orderByAsc orderByDesc setLimit setSkip selectColumn doNotSelectColumn"
    ],
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
    ACL: [
        "",
        "",
        "setPublicReadAccess setPublicWriteAccess setUserReadAccess setUserWriteAccess setRoleReadAccess " +
            "setRoleWriteAccess"
    ],
    CloudGeoPoint: ["distanceInKMs distanceInMiles distanceInRadians", ""],
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

var OF_USERS = ["fetch unset relate addToRole removeFromRole", "getCurrentUser resetPassword authenticateWithProvider"];

function thisObject() {
    return this;
}

function sentenceOf(method) {
    return method + " is not there: this server keeps users, but no tables, files or roles.";
}

/** Gives a class functions that fail with a sentence. */
function addAbsent(Class, name, calls, ofClass) {
    function failing(prefix) {
        return function (method) {
            return absent(sentenceOf(prefix + method));
        };
    }
    addEach(Class.prototype, calls, failing(name + "."));
    addEach(Class, ofClass, failing("CB." + name + "."));
}

/** A class whose objects can be made and filled, as apps do before they call what fails. */
function absentClass(name) {
    function Absent() {
        this.document = {};
    }
    Absent.prototype.set = function (column, value) {
        this.document[column] = value;
    };
    Absent.prototype.unset = function (column) {
        this.document[column] = null;
    };
    Absent.prototype.relate = thisObject;
    Absent.prototype.get = function (column) {
        return this.document[column];
    };
    addEach(Absent.prototype, CLASSES[name][2] || "", function () {
        return thisObject;
    });
    addAbsent(Absent, name, CLASSES[name][0], CLASSES[name][1]);
    return Absent;
}

/** Adds to `CB` what CloudBoost had and this server has not yet: it is there to fail with a sentence. */
function addAbsentOfCloudBoost(CB) {
    addAbsent(CB.CloudUser, "CloudUser", OF_USERS[0], OF_USERS[1]);
    CB.CloudUser.prototype.isInRole = function () {
        throw new CloudError(13, sentenceOf("CloudUser.isInRole")); // a promise would count as true
    };
    Object.keys(CLASSES).forEach(function (name) {
        CB[name] = absentClass(name);
    });
    return CB;
}

export { addAbsentOfCloudBoost };
