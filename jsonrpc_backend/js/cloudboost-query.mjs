import { COMPARISONS, addCondition, checkName, criteriaOf } from "./cloudboost-conditions.mjs";
import { failed, refuse } from "./cloudboost-errors.mjs";
import { includeColumns } from "./cloudboost-including.mjs";
import { checkColumn, isUserTable, keyOf } from "./cloudboost-values.mjs";
import { CloudError } from "./errors.mjs";
import { resolved } from "./promise.mjs";

var DEFAULT_LIMIT = 10;
var LIMIT_OF_NONE = 20; // what CloudBoost made of 0 and -1
var MOST_ITEMS = 10000; // of one answer of the server
var OTHER_USERS = "Other users cannot be read.";

function names(list) {
    return Array.isArray(list) ? list : typeof list === "object" && list ? Object.keys(list) : [list];
}

/** The class CloudQuery of a CloudBoostApp. */
function cloudQueryOf(app) {
    /** A query on a table: the first ten rows that may be read, until it is told otherwise. */
    function CloudQuery(tableName) {
        this.tableName = String(tableName);
        this.limit = DEFAULT_LIMIT;
        this.skip = 0;
        this._conditions = []; // {method, column, value}
        this._either = []; // lists of queries of which one must be true
        this._order = [];
        this._columns = null;
        this._included = [];
        this._absent = null; // the sentence of something that is not there
    }

    CloudQuery.prototype = {
        constructor: CloudQuery,

        setLimit: function (limit) {
            this.limit = limit;
            return this;
        },

        setSkip: function (skip) {
            this.skip = skip;
            return this;
        },

        orderByAsc: function (column) {
            return this._orderBy(column, " ASC");
        },

        orderByDesc: function (column) {
            return this._orderBy(column, " DESC");
        },

        /** Which columns come: a name, several in an array, or an object with them as its names. */
        selectColumn: function (columns) {
            names(columns).forEach(checkName);
            this._columns = (this._columns || []).concat(names(columns));
            return this;
        },

        /** Has the objects of a column read too, with one more call for each of their tables. */
        include: function (column) {
            checkColumn(column);
            this._included.push(column);
            return this;
        },

        find: function (callbacks) {
            var query = this;
            return app.answer(callbacks, function () {
                return query._find(query._page()).then(function (found) {
                    return found.objects;
                });
            });
        },

        findOne: function (callbacks) {
            var query = this;
            return app.answer(callbacks, function () {
                return query._find({ skip: query._page().skip, limit: 1 }).then(first);
            });
        },

        findById: function (id, callbacks) {
            var query = this;
            return app.answer(callbacks, function () {
                return query._byId(id);
            });
        },

        get: function (id, callbacks) {
            return this.findById(id, callbacks);
        },

        /** How many there are, whatever the limit. */
        count: function (callbacks) {
            var query = this;
            return app.answer(callbacks, function () {
                return query._ask({ limit: 1, propertyNames: [] }).then(function (result) {
                    return result.totalItems;
                });
            });
        },

        /** The rows of a page, from 1; the callback hears also how many there are, and how many pages. */
        paginate: function (pageNumber, pageSize) {
            var query = this;
            var callbacks = Array.prototype.filter.call(arguments, isObject).pop(); // the numbers may be left out
            var size = pageSize >= 1 ? Math.floor(pageSize) : this._page().limit;
            var page = pageNumber >= 1 ? Math.floor(pageNumber) : 1;
            var success = callbacks && callbacks.success;
            var total = 0;
            var quiet = { error: callbacks && callbacks.error };
            return app
                .answer(quiet, function () {
                    return query._find({ skip: (page - 1) * size, limit: size }).then(function (found) {
                        total = found.total;
                        return found.objects;
                    });
                })
                .done(function (objects) {
                    if (typeof success === "function") {
                        success(objects, total, Math.ceil(total / size));
                    }
                });
        },

        _orderBy: function (column, direction) {
            checkName(column);
            this._order.push(keyOf(column, this.tableName) + direction);
            return this;
        },

        _page: function () {
            var skip = Math.max(0, Math.floor(this.skip) || 0);
            var limit = Number(this.limit);
            return { skip: skip, limit: limit >= 1 ? Math.floor(limit) : LIMIT_OF_NONE };
        },

        /** What the server answers to the query. */
        _ask: function (options) {
            var query = this;
            return resolved().then(function () {
                var bind = [];
                var criteria = criteriaOf(query, bind);
                if (isUserTable(query.tableName)) {
                    refuse(OTHER_USERS);
                }
                var params = { options: options };
                if (criteria) {
                    params.criteria = criteria;
                    params.bindParams = bind;
                }
                if (query._order.length) {
                    params.orderBy = query._order.concat("_createdAt ASC");
                }
                if (query._columns && !options.propertyNames) {
                    options.propertyNames = query._columns.map(function (column) {
                        return keyOf(column, query.tableName);
                    });
                }
                return app.callTable("Collection.find", query.tableName, params);
            });
        },

        /** {objects, total} of a stretch of the rows. The server counts in pages, so it gives those before as well. */
        _find: function (page) {
            var query = this;
            var wanted = page.skip + page.limit;
            return this._ask(optionsOf(page)).then(function (result) {
                if (!isWholePage(page) && wanted > MOST_ITEMS && result.totalItems > MOST_ITEMS) {
                    console.warn(
                        "CloudQuery: the server gives at most " + MOST_ITEMS + " of " + result.totalItems + " rows."
                    );
                }
                var from = isWholePage(page) ? 0 : page.skip;
                var objects = result.items.slice(from, from + page.limit).map(function (item) {
                    return new app.CloudObject(query.tableName)._load(item);
                });
                return includeColumns(app, objects, query._included).then(function () {
                    return { objects: objects, total: result.totalItems };
                });
            });
        },

        _byId: function (id) {
            if (isUserTable(this.tableName)) {
                return this._ownUser(id);
            }
            var byId = new CloudQuery(this.tableName);
            byId._columns = this._columns;
            byId._included = this._included;
            byId._absent = this._absent;
            return byId.equalTo("id", id)._find({ skip: 0, limit: 1 }).then(first);
        },

        _ownUser: function (id) {
            var current = app.CloudUser.current;
            if (!current || current.id !== id) {
                return failed(13, OTHER_USERS);
            }
            return app.currentUser().then(function (user) {
                return user.id === undefined ? null : user; // the session has ended
            });
        }
    };

    Object.keys(COMPARISONS).forEach(function (method) {
        CloudQuery.prototype[method] = function (column, value) {
            addCondition(this, method, column, value);
            return this;
        };
    });

    /** A query for what one or another of the queries finds; all must be on the same table. */
    CloudQuery.or = function (first, second) {
        var queries = Array.isArray(first) ? first : [first, second];
        var areQueries =
            queries.length > 0 &&
            queries.every(function (query) {
                return query instanceof CloudQuery && query.tableName === queries[0].tableName;
            });
        if (!areQueries) {
            throw new CloudError(-32602, "CB.CloudQuery.or takes queries on one table.");
        }
        var either = new CloudQuery(queries[0].tableName);
        either._either.push(queries);
        return either;
    };

    return CloudQuery;
}

function isObject(value) {
    return value !== null && typeof value === "object";
}

function first(found) {
    return found.objects.length ? found.objects[0] : null;
}

/** Whether the stretch is one of the pages that the server counts. */
function isWholePage(page) {
    return page.limit <= MOST_ITEMS && page.skip % page.limit === 0;
}

function optionsOf(page) {
    if (isWholePage(page)) {
        return { limit: page.limit, page: page.skip / page.limit + 1 };
    }
    return { limit: Math.min(page.skip + page.limit, MOST_ITEMS), page: 1 };
}

export { cloudQueryOf };
