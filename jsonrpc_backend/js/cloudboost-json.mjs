import { ACL, aclOf, isOpenToAll, looksLikeAcl } from "./cloudboost-acl.mjs";
import { isSaved, markColumns } from "./cloudboost-document.mjs";
import { CloudGeoPoint, isPlace } from "./cloudboost-geo.mjs";
import { isPlain, isRelation, isUserTable, mapped } from "./cloudboost-values.mjs";
import { put } from "./objects.mjs";

/** A plain copy: of objects their documents, one inside another; where a circle closes, of the object only its id. */
function plainCopy(value, within) {
    var outer = within || [];
    function inner(each) {
        return plainCopy(each, outer);
    }
    if (value instanceof Date) {
        return value.toISOString();
    }
    if (value instanceof ACL) {
        return value.toJSON();
    }
    if (isRelation(value)) {
        return plainObject(value, outer);
    }
    if (value && value.document && isPlain(value.document)) {
        return mapped(value.document, inner);
    }
    if (Array.isArray(value)) {
        return value.map(inner);
    }
    return isPlain(value) ? mapped(value, inner) : value;
}

function plainObject(object, outer) {
    var document = object.document;
    if (outer.indexOf(object) >= 0) {
        return { _id: document._id, _tableName: document._tableName, _type: document._type };
    }
    return mapped(document, function (value) {
        return plainCopy(value, outer.concat([object]));
    });
}

/** Gives an object the members of its document. Of a new one all is to be saved, but a password is none of them. */
function filled(object, members) {
    Object.keys(members).forEach(function (name) {
        if (name === "password" && isUserTable(members._tableName)) {
            object.set(name, members[name]);
        } else {
            put(object.document, name, members[name]);
        }
    });
    if (!isSaved(object)) {
        markColumns(object);
        if (!isOpenToAll(object.document.ACL)) {
            object._changed.ACL = true; // otherwise the collection's own rules hold
        }
    }
    return object;
}

/** What `CB.fromJSON` makes of a plain copy. */
function fromPlain(app, value) {
    function inner(each) {
        return fromPlain(app, each);
    }
    if (Array.isArray(value)) {
        return value.map(inner);
    }
    if (!isPlain(value)) {
        return value;
    }
    if (isPlace(value)) {
        return new CloudGeoPoint(value.longitude, value.latitude);
    }
    if (looksLikeAcl(value)) {
        return aclOf(value);
    }
    if (isRelation(value)) {
        return fromPlain(app, value.document); // as JSON.stringify writes an object
    }
    var members = mapped(value, inner);
    if (typeof value._tableName !== "string") {
        return members;
    }
    return filled(new app.CloudObject(value._tableName, value._id), members);
}

export { fromPlain, plainCopy };
