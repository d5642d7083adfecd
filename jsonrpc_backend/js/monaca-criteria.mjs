import { CloudError } from "./errors.mjs";

var NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** A query in MonaQL and the values for its question marks. Works with and without `new`. */
function Criteria(query, bindParams) {
    var criteria = this instanceof Criteria ? this : Object.create(Criteria.prototype);
    criteria.query = query;
    criteria.bindParams = bindParams === undefined || bindParams === null ? [] : bindParams;
    return criteria;
}

/** What a call is told of the items that it is about: of a string, a Criteria or a copy of one; nothing means all. */
function criteriaParams(criteria) {
    if (criteria === undefined || criteria === null) {
        return {};
    }
    if (typeof criteria !== "object") {
        return { criteria: criteria }; // of one that is no string the server says so
    }
    if (criteria instanceof Criteria || (typeof criteria.query === "string" && Array.isArray(criteria.bindParams))) {
        return { criteria: criteria.query, bindParams: criteria.bindParams };
    }
    return allEqual(criteria);
}

/** Of a plain object: each of its members is equal to the item's. */
function allEqual(members) {
    var names = Object.keys(members);
    return {
        criteria: names
            .map(function (name) {
                return equal(name, members[name]);
            })
            .join(" && "),
        bindParams: names.map(function (name) {
            return members[name];
        })
    };
}

function equal(name, value) {
    if (!NAME.test(name)) {
        throw invalidCriteria(JSON.stringify(name) + " cannot be the name of a property.");
    }
    if (value === undefined) {
        throw invalidCriteria("The value of " + name + " is undefined; null finds the items without it.");
    }
    return name + " == ?";
}

function invalidCriteria(sentence) {
    return new CloudError(-32602, "Invalid params", { criteria: sentence });
}

export { Criteria, criteriaParams };
