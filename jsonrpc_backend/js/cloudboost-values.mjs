import { CloudGeoPoint, isPlace } from "./cloudboost-geo.mjs";
import { isTime } from "./cloudboost-times.mjs";
import { CloudError } from "./errors.mjs";
import { has, put } from "./objects.mjs";

var COLUMN = /^[A-Za-z_][A-Za-z0-9_]*$/;

// What a relation is stored as: a string, which no other string looks like, for those that do get one more @.
var RELATION = /^@cb:([^/]+)\/(.+)$/;
var LIKE_A_RELATION = /^@+cb:/;

var KEYS = { id: "_id", _id: "_id", createdAt: "_createdAt", updatedAt: "_updatedAt" };
var USER_KEYS = { id: "_id", _id: "_id", createdAt: "_createdAt", updatedAt: "_updatedAt", username: "_username" };

function isUserTable(table) {
    return table === "User";
}

/** What a column is called on the wire, where names do not begin with an underscore. */
function keyOf(column, table) {
    var keys = isUserTable(table) ? USER_KEYS : KEYS;
    if (has(keys, column)) {
        return keys[column];
    }
    return column.charAt(0) === "_" ? "cb" + column : column;
}

/** The column of a key, or null for what the server keeps for itself. */
function columnOf(key, table) {
    if (key.charAt(0) === "_") {
        return key === "_username" && isUserTable(table) ? "username" : null;
    }
    return key.indexOf("cb_") === 0 ? key.slice(2) : key;
}

function isColumn(name) {
    return typeof name === "string" && COLUMN.test(name) && name.indexOf("cb_") !== 0;
}

function checkColumn(name) {
    if (!isColumn(name)) {
        var rule =
            "A column is called by letters, digits and underscores, and begins with none of the digits nor with cb_: ";
        throw new CloudError(-32602, rule + name);
    }
}

function isRelation(value) {
    return Boolean(value && value.document && typeof value.document._tableName === "string");
}

function isOfType(value, type) {
    return Boolean(value && value.document && value.document._type === type);
}

function isPlain(value) {
    return Object.prototype.toString.call(value) === "[object Object]";
}

function mapped(object, work) {
    var result = {};
    Object.keys(object).forEach(function (name) {
        put(result, name, work(object[name]));
    });
    return result;
}

function relationOf(object) {
    return "@cb:" + object.document._tableName + "/" + object.document._id;
}

/** A value as it is stored. Objects in it must have an id. */
function encoded(value) {
    if (value instanceof Date) {
        return isTime(value.getTime()) ? value.toISOString() : null;
    }
    if (isOfType(value, "point")) {
        return { _type: "point", longitude: value.document.longitude, latitude: value.document.latitude };
    }
    if (isRelation(value)) {
        return relationOf(value);
    }
    if (typeof value === "string") {
        return LIKE_A_RELATION.test(value) ? "@" + value : value;
    }
    if (Array.isArray(value)) {
        return value.map(encoded);
    }
    return isPlain(value) && typeof value.toJSON !== "function" ? mapped(value, encoded) : value;
}

/** A stored value as apps see it; `stub(table, id)` makes the object that a relation leads to. */
function decoded(value, stub) {
    function decode(inner) {
        return decoded(inner, stub);
    }
    if (typeof value === "string") {
        var relation = RELATION.exec(value);
        if (relation) {
            return stub(relation[1], relation[2]);
        }
        return LIKE_A_RELATION.test(value) ? value.slice(1) : value;
    }
    if (Array.isArray(value)) {
        return value.map(decode);
    }
    if (!isPlain(value)) {
        return value;
    }
    return isPlace(value) ? new CloudGeoPoint(value.longitude, value.latitude) : mapped(value, decode);
}

/** The objects that a value of a column leads to: it is one, or has some in it. */
function relationsIn(value) {
    if (isRelation(value)) {
        return [value];
    }
    if (!Array.isArray(value) && !(isPlain(value) && typeof value.toJSON !== "function")) {
        return [];
    }
    return Object.keys(value).reduce(function (found, name) {
        return found.concat(relationsIn(value[name]));
    }, []);
}

export {
    checkColumn,
    columnOf,
    decoded,
    encoded,
    isColumn,
    isOfType,
    isPlain,
    isRelation,
    isUserTable,
    keyOf,
    mapped,
    relationsIn
};
