import { Criteria, criteriaParams } from "./monaca-criteria.mjs";
import { copy, has, put } from "./objects.mjs";
import { CloudPromise } from "./promise.mjs";

// What frameworks hang on the objects that they show, such as Angular's $$hashKey, is no property of the item either.
var NO_PROPERTY = /^(_|\$\$)/;

/**
 * Collections and their items, as `call` reaches them: a function of a method and its params.
 *
 * All data of an item are members of its own, and everything else is on the prototype, where a property may have any
 * name: one that hides a method, or what JavaScript itself has there.
 */
function collectionsOf(call) {
    var CollectionItem = itemClass(call);
    return { Collection: collectionClass(call, CollectionItem), CollectionItem: CollectionItem, Criteria: Criteria };
}

function itemClass(call) {
    function CollectionItem(item, collection) {
        var made = this instanceof CollectionItem ? this : Object.create(CollectionItem.prototype);
        copy(made, item || {});
        ["_createdAt", "_updatedAt"].forEach(function (name) {
            if (has(made, name)) {
                put(made, name, new Date(made[name]));
            }
        });
        put(made, "_collection", collection || made._collection);
        return made;
    }

    function onItem(item, method, params) {
        var collection = item._collection || {};
        return call(method, copy({ collectionName: collection.name }, params));
    }

    function remove() {
        return onItem(this, "Collection.delete", { itemOid: this._id });
    }

    CollectionItem.prototype.remove = remove;
    CollectionItem.prototype["delete"] = remove;

    /** Saves all properties that are here. */
    CollectionItem.prototype.update = function () {
        var item = this;
        var data = {};
        Object.keys(item).forEach(function (name) {
            if (!NO_PROPERTY.test(name)) {
                put(data, name, item[name]);
            }
        });
        return onItem(item, "Collection.update", { itemOid: item._id, data: data });
    };

    CollectionItem.prototype.getPermission = function () {
        return onItem(this, "Collection.getPermission", { itemOid: this._id });
    };

    CollectionItem.prototype.updatePermission = function (permission, options) {
        var params = { criteria: "_id == ?", bindParams: [this._id], permission: permission, options: options };
        return onItem(this, "Collection.updatePermission", params);
    };

    return CollectionItem;
}

function collectionClass(call, CollectionItem) {
    function Collection(name) {
        var made = this instanceof Collection ? this : Object.create(Collection.prototype);
        made.name = name;
        return made;
    }

    /** A call about the items that the criteria tell; a promise, which fails where they are none. */
    function onItems(collection, method, criteria, params) {
        return new CloudPromise(function (resolve) {
            var which = copy({ collectionName: collection.name }, criteriaParams(criteria));
            resolve(call(method, copy(which, params)));
        });
    }

    function find(collection, criteria, wanted) {
        return onItems(collection, "Collection.find", criteria, wanted).then(function (result) {
            var items = result.items.map(function (item) {
                return new CollectionItem(item, collection);
            });
            return { items: items, totalItems: result.totalItems };
        });
    }

    function findOne(collection, criteria, wanted) {
        if (!wanted.options.page) {
            wanted.options.limit = 1;
        }
        return find(collection, criteria, wanted).then(function (result) {
            return result.items.length > 0 ? result.items[0] : null;
        });
    }

    Collection.prototype.find = function (criteria, orderBy, options) {
        return find(this, criteria, asWanted(orderBy, options));
    };

    Collection.prototype.findMine = function (criteria, orderBy, options) {
        return find(this, criteria, ofMine(asWanted(orderBy, options)));
    };

    Collection.prototype.findOne = function (criteria, orderBy, options) {
        return findOne(this, criteria, asWanted(orderBy, options));
    };

    Collection.prototype.findOneMine = function (criteria, orderBy, options) {
        return findOne(this, criteria, ofMine(asWanted(orderBy, options)));
    };

    Collection.prototype.insert = function (item, permission) {
        var collection = this;
        var params = { collectionName: collection.name, item: item, permission: permission };
        return call("Collection.insert", params).then(function (result) {
            return new CollectionItem(result.item, collection);
        });
    };

    Collection.prototype.updatePermission = function (criteria, permission, options) {
        var params = { permission: permission, options: options };
        return onItems(this, "Collection.updatePermission", criteria, params);
    };

    return Collection;
}

/** Order and options as params of a search, a copy of them; an object in the place of the order is the options. */
function asWanted(orderBy, options) {
    if (orderBy && typeof orderBy === "object" && !Array.isArray(orderBy)) {
        options = orderBy;
        orderBy = null;
    }
    var copied = copy({}, options || {});
    return { orderBy: orderBy || copied.orderBy, options: copied };
}

function ofMine(wanted) {
    wanted.options.mine = true;
    return wanted;
}

export { collectionsOf };
