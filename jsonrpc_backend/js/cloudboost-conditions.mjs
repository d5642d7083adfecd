import { refuse } from "./cloudboost-errors.mjs";
import { millisecondsOf } from "./cloudboost-times.mjs";
import { checkColumn, encoded, isRelation, isUserTable, keyOf } from "./cloudboost-values.mjs";
import { CloudError } from "./errors.mjs";

var NO_PASSWORDS = "Log in with logIn(); passwords cannot be asked for.";

var COMPARISONS = {
    equalTo: "==",
    notEqualTo: "!=",
    greaterThan: ">",
    greaterThanEqualTo: ">=",
    lessThan: "<",
    lessThanEqualTo: "<=",
    containedIn: "IN",
    notContainedIn: "NIN",
    exists: "!=",
    doesNotExists: "=="
};
var LISTS = { containedIn: true, notContainedIn: true };
var REPLACING = { equalTo: true, notEqualTo: true };

function wrongValue(sentence) {
    throw new CloudError(-32602, sentence, { reason: sentence });
}

/** What a condition compares with: as it is stored, or as milliseconds where the server has times. */
function boundOf(method, column, value) {
    if (value === undefined) {
        wrongValue("CloudQuery." + method + '("' + column + '", …): the value is undefined.');
    }
    if (column === "createdAt" || column === "updatedAt") {
        var time = value === null ? null : millisecondsOf(value);
        return time === undefined ? wrongValue('"' + column + '" is compared with a date: ' + value) : time;
    }
    if (isRelation(value) && !value.document._id) {
        wrongValue('"' + column + '" is compared with an object that is not saved.');
    }
    return column === "id" || column === "_id" ? (isRelation(value) ? value.document._id : value) : encoded(value);
}

/** The name of a column in a condition; `company._id` is compared with an object, of which the table is known. */
function columnIn(name, value) {
    var path = /^(.*)\.(_id|id)$/.exec(name);
    if (path === null) {
        return name;
    }
    var values = Array.isArray(value) ? value : [value];
    if (!values.every(isRelation)) {
        wrongValue('To compare "' + path[1] + '" with an id, its table must be known: hand over the object.');
    }
    return path[1];
}

function listOf(condition, column) {
    if (!Array.isArray(condition.value)) {
        wrongValue("CloudQuery." + condition.method + '("' + column + '", …) takes values.');
    }
    return condition.value.map(function (value) {
        return boundOf(condition.method, column, value);
    });
}

function checkName(column) {
    if (column !== "_id") {
        checkColumn(column);
    }
}

/** Adds a condition to a query, in the place of those that it replaces. */
function addCondition(query, method, column, value) {
    checkName(String(column).replace(/\._?id$/, ""));
    var others = query._conditions.filter(function (each) {
        return each.column !== column || (!REPLACING[method] && each.method !== method);
    });
    if (LISTS[method] && !Array.isArray(value) && value !== undefined) {
        var former = query._conditions.filter(function (each) {
            return each.column === column && each.method === method;
        })[0];
        value = (former ? former.value : []).concat([value]);
    }
    query._conditions = others.concat({ method: method, column: column, value: value });
}

/** The text of a query's conditions, empty where there are none; adds the values in it to `bind`. */
function criteriaOf(query, bind) {
    if (query._absent) {
        refuse(query._absent);
    }
    var terms = query._either.map(function (queries) {
        var values = [];
        var parts = queries.map(function (each) {
            return criteriaOf(each, values);
        });
        if (parts.indexOf("") >= 0) {
            return ""; // one without conditions is always true
        }
        bind.push.apply(bind, values);
        return "(" + parts.join(") || (") + ")";
    });
    var conditions = query._conditions.map(function (condition) {
        return termOf(condition, query.tableName, bind);
    });
    terms = terms.filter(Boolean).concat(conditions);
    return terms.length > 1 ? "(" + terms.join(") && (") + ")" : terms.join("");
}

function termOf(condition, table, bind) {
    var method = condition.method;
    var column = columnIn(condition.column, condition.value);
    var key = keyOf(column, table);
    if (column === "password" && isUserTable(table)) {
        refuse(NO_PASSWORDS);
    }
    if (method === "exists" || method === "doesNotExists") {
        return key + " " + COMPARISONS[method] + " null";
    }
    bind.push(LISTS[method] ? listOf(condition, column) : boundOf(method, column, condition.value));
    return key + " " + COMPARISONS[method] + " ?";
}

export { COMPARISONS, addCondition, checkName, criteriaOf };
