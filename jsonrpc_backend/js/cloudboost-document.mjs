import { ACL } from "./cloudboost-acl.mjs";
import { refuse } from "./cloudboost-errors.mjs";
import { columnOf, decoded, encoded, isColumn, isOfType, keyOf, relationsIn } from "./cloudboost-values.mjs";
import { put } from "./objects.mjs";

var OF_THE_OBJECT = ["_id", "_tableName", "_type", "_version", "createdAt", "updatedAt", "ACL", "expires"];

/** Gives an object its document, which is all that it knows: what it is, then its columns. */
function begin(object, tableName, type, id) {
    object.document = { _tableName: tableName, _type: type, _version: 0, ACL: new ACL(), expires: null };
    if (id !== undefined) {
        object.document._id = id;
    }
    object._changed = {}; // the columns that were set since, and ACL where another one was assigned
}

/** Takes over what the server has. Whoever may insert chooses the keys: none may say what object this is. */
function takeOver(object, item, stub) {
    var document = object.document;
    Object.keys(item).forEach(function (key) {
        var column = columnOf(key, document._tableName);
        if (column !== null && isOwnColumn(column)) {
            put(document, column, decoded(item[key], stub));
        }
    });
    document._id = item._id;
    document.createdAt = new Date(item._createdAt).toISOString();
    document.updatedAt = new Date(item._updatedAt).toISOString();
    return object;
}

function columnsOf(object) {
    return Object.keys(object.document).filter(isOwnColumn);
}

function related(object) {
    return columnsOf(object).reduce(function (found, column) {
        return found.concat(relationsIn(object.document[column]));
    }, []);
}

function isSaved(object) {
    return object.document._id !== undefined && object.document._id !== null;
}

function hasChanges(object) {
    return !isSaved(object) || Object.keys(object._changed || {}).length > 0 || stepsOf(object).length > 0;
}

function stepsOf(object) {
    return (object.document.ACL && object.document.ACL._steps) || [];
}

/** Fails for what the server does not keep. */
function checkColumns(object) {
    var document = object.document;
    if (document.expires !== null && document.expires !== undefined) {
        refuse("Objects do not expire here.");
    }
    columnsOf(object).forEach(function (column) {
        var values = Array.isArray(document[column]) ? document[column] : [document[column]];
        values.forEach(function (value) {
            if (isOfType(value, "file")) {
                refuse('Files are not kept by this server; store a URL in the column "' + column + '".');
            }
        });
    });
}

/** Marks what was written into the document of a new object without `set`. */
function markColumns(object) {
    columnsOf(object)
        .filter(isColumn)
        .forEach(function (column) {
            put(object._changed, column, true);
        });
}

/** What is to be sent, by its names on the wire; what leads to an object that has no id yet has to wait. */
function takeChanges(object) {
    var item = {};
    var taken = object._changed;
    object._changed = {};
    Object.keys(taken).forEach(function (column) {
        var value = object.document[column];
        if (relationsIn(value).every(isSaved)) {
            if (column !== "ACL" && value !== undefined) {
                item[keyOf(column, object.document._tableName)] = encoded(value);
            }
        } else {
            put(object._changed, column, true);
            delete taken[column];
        }
    });
    return { item: item, columns: taken };
}

function giveBack(object, columns) {
    Object.keys(columns).forEach(function (column) {
        put(object._changed, column, true);
    });
}

/** Whether a column is the object's own, not one that all objects have. */
function isOwnColumn(name) {
    return OF_THE_OBJECT.indexOf(name) < 0;
}

export {
    begin,
    checkColumns,
    giveBack,
    hasChanges,
    isOwnColumn,
    isSaved,
    markColumns,
    related,
    stepsOf,
    takeChanges,
    takeOver
};
