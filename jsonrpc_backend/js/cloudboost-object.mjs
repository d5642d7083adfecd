import { aclOf, permissionAfter, permissionOf } from "./cloudboost-acl.mjs";
import {
    begin,
    checkColumns,
    giveBack,
    hasChanges,
    isOwnColumn,
    isSaved,
    markColumns,
    stepsOf,
    takeChanges,
    takeOver
} from "./cloudboost-document.mjs";
import { failed } from "./cloudboost-errors.mjs";
import { allOf, saveWhole } from "./cloudboost-saving.mjs";
import { checkColumn, isUserTable } from "./cloudboost-values.mjs";
import { has, put } from "./objects.mjs";
import { resolved } from "./promise.mjs";

var NEVER_SET = ["id", "_id", "_tableName", "_type", "operator"];

/** The class CloudObject of a CloudBoostApp. */
function cloudObjectOf(app) {
    function stub(tableName, id) {
        return new CloudObject(tableName, id);
    }

    /** A row of a table; with an id one that is there, of which nothing else is known. */
    function CloudObject(tableName, id) {
        if (isUserTable(tableName)) {
            return app.user(id);
        }
        begin(this, String(tableName), "custom", id);
    }

    CloudObject.prototype = {
        constructor: CloudObject,

        get: function (name) {
            var column = name === "id" ? "_id" : name;
            return has(this.document, column) ? this.document[column] : undefined;
        },

        /** Sets a column; it is on the server after save. */
        set: function (name, value) {
            if (NEVER_SET.indexOf(name) >= 0) {
                throw new Error(name + " is made by the server and cannot be set.");
            }
            if (name === "ACL") {
                this.document.ACL = aclOf(value);
                this._changed.ACL = true;
                return;
            }
            checkColumn(name);
            put(this.document, name, value);
            if (isOwnColumn(name)) {
                put(this._changed, name, true);
            }
        },

        /** Empties a column. */
        unset: function (name) {
            this.set(name, null);
        },

        /** Sets a column to an object that is there, without asking for it. */
        relate: function (name, tableName, id) {
            this.set(name, new CloudObject(tableName, id));
        },

        /** Saves what was set since, after the objects that this one leads to. */
        save: function (callbacks) {
            var object = this;
            return app.answer(callbacks, function () {
                return saveWhole(object, []).then(function () {
                    return object;
                });
            });
        },

        "delete": function (callbacks) {
            var object = this;
            this._needsId("delete");
            return app.answer(callbacks, function () {
                return object._remove().then(function () {
                    return object;
                });
            });
        },

        /** A new object with what the server has now; null where there is none that may be read. */
        fetch: function (callbacks) {
            var object = this;
            this._needsId("fetch");
            return app.answer(callbacks, function () {
                return new app.CloudQuery(object.document._tableName)._byId(object.document._id);
            });
        },

        toJSON: function () {
            return { document: app.toJSON(this) };
        },

        _needsId: function (method) {
            if (!isSaved(this)) {
                throw new Error("CloudObject." + method + " needs an object with an id; save it first.");
            }
        },

        _load: function (item) {
            return takeOver(this, item, stub);
        },

        _remove: function () {
            return app.callTable("Collection.delete", this.document._tableName, { itemOid: this.document._id });
        },

        _checkColumns: function () {
            checkColumns(this);
        },

        /** Sends what was set since; a failure leaves it to be sent again. */
        _send: function () {
            var object = this;
            if (!hasChanges(this)) {
                return resolved();
            }
            return resolved().then(function () {
                object._checkColumns();
                var permission =
                    object._changed.ACL || stepsOf(object).length ? permissionOf(object.document.ACL) : null;
                if (!isSaved(object)) {
                    markColumns(object);
                }
                var changes = takeChanges(object);
                var sending = isSaved(object) ? object._update(changes) : object._insert(changes, permission);
                return sending.then(undefined, function (error) {
                    giveBack(object, changes.columns);
                    throw error;
                });
            });
        },

        _insert: function (changes, permission) {
            var object = this;
            var params = { item: changes.item };
            if (permission) {
                params.permission = permission;
            }
            var steps = stepsOf(object).length;
            return app.callTable("Collection.insert", this.document._tableName, params).then(function (result) {
                stepsOf(object).splice(0, steps);
                var item = result.item;
                object.document._id = item._id;
                object.document.createdAt = new Date(item._createdAt).toISOString();
                object.document.updatedAt = new Date(item._updatedAt).toISOString();
            });
        },

        _update: function (changes) {
            var object = this;
            var table = this.document._tableName;
            var params = { itemOid: this.document._id, data: changes.item };
            var updated = Object.keys(changes.item).length
                ? app.callTable("Collection.update", table, params)
                : resolved();
            return updated.then(function () {
                if (Object.keys(changes.item).length) {
                    object.document._version += 1;
                    object.document.updatedAt = new Date().toISOString(); // the server tells its own at the next find
                }
                return object._updatePermission(Boolean(changes.columns.ACL));
            });
        },

        /** Of an ACL that was assigned all is known; to one that was changed in place belongs what the server has. */
        _updatePermission: function (isNew) {
            var object = this;
            var table = this.document._tableName;
            var acl = this.document.ACL;
            var steps = stepsOf(this).length;
            if (!isNew && steps === 0) {
                return resolved();
            }
            var before = isNew
                ? resolved(permissionOf(acl))
                : app
                      .callTable("Collection.getPermission", table, { itemOid: this.document._id })
                      .then(function (found) {
                          return permissionAfter(acl, found.permission);
                      });
            return before.then(function (permission) {
                var params = { criteria: "_id == ?", bindParams: [object.document._id], permission: permission };
                params.options = { forceOverwrite: true };
                return app.callTable("Collection.updatePermission", table, params).then(function () {
                    stepsOf(object).splice(0, steps);
                });
            });
        }
    };

    addAccessors(CloudObject.prototype, ["id", "createdAt", "updatedAt", "ACL", "expires"]);

    CloudObject.saveAll = function (objects, callbacks) {
        return app.answer(callbacks, function () {
            return Array.isArray(objects)
                ? allOf(objects, saveEach)
                : failed(-32602, "CB.CloudObject.saveAll takes an array.");
        });
    };

    CloudObject.deleteAll = function (objects, callbacks) {
        return app.answer(callbacks, function () {
            return Array.isArray(objects)
                ? allOf(objects, deleteEach)
                : failed(-32602, "CB.CloudObject.deleteAll takes an array.");
        });
    };

    function saveEach(object) {
        return object.save();
    }

    function deleteEach(object) {
        return object["delete"]();
    }

    return CloudObject;
}

/** Columns that apps read and write as members of the object. */
function addAccessors(prototype, names) {
    names.forEach(function (name) {
        Object.defineProperty(prototype, name, {
            configurable: true,
            get: function () {
                return this.get(name);
            },
            set: function (value) {
                this.set(name, value);
            }
        });
    });
}

export { addAccessors, cloudObjectOf };
