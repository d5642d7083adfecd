import { isUserTable, relationsIn } from "./cloudboost-values.mjs";
import { has } from "./objects.mjs";
import { resolved } from "./promise.mjs";

var MOST_IDS = 100; // of objects to include, for one call

/** Fills the objects that the columns lead to; those that may not be read stay as they are. */
function includeColumns(app, objects, columns) {
    var byTable = {};
    columns.forEach(function (column) {
        objects.forEach(function (object) {
            relationsIn(object.document[column]).forEach(function (stub) {
                add(byTable, stub.document._tableName, stub);
            });
        });
    });
    return Object.keys(byTable).reduce(function (before, table) {
        return before.then(function () {
            return isUserTable(table) ? fillOwn(app, byTable[table]) : fill(app, table, byTable[table]);
        });
    }, resolved());
}

function add(lists, name, item) {
    lists[name] = (has(lists, name) ? lists[name] : []).concat([item]);
}

function fillOwn(app, stubs) {
    var current = app.CloudUser.current;
    stubs.forEach(function (stub) {
        if (current && stub.id === current.id) {
            stub._load(app.connection.signIn.user);
        }
    });
}

function fill(app, table, stubs) {
    var byId = {};
    stubs.forEach(function (stub) {
        add(byId, stub.document._id, stub);
    });
    var ids = Object.keys(byId);
    var parts = [];
    for (var i = 0; i < ids.length; i += MOST_IDS) {
        parts.push(ids.slice(i, i + MOST_IDS));
    }
    return parts.reduce(function (before, part) {
        return before
            .then(function () {
                return new app.CloudQuery(table).containedIn("id", part)._ask({ limit: MOST_IDS });
            })
            .then(function (result) {
                result.items.forEach(function (item) {
                    byId[item._id].forEach(function (stub) {
                        stub._load(item);
                    });
                });
            })
            .then(undefined, function (error) {
                if (error.code !== -32602) {
                    throw error; // -32602: it leads to a table that is not there, which is the row's fault only
                }
            });
    }, resolved());
}

export { includeColumns };
