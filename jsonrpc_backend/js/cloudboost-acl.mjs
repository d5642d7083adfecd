import { isPlain } from "./cloudboost-values.mjs";
import { CloudError } from "./errors.mjs";

var EVERYBODY = "all";
var RIGHTS = [
    ["read", "r"],
    ["write", "w"]
];
var NO_ROLES = "Roles are not there; give access to user ids.";

function openToAll() {
    return { allow: { user: [EVERYBODY], role: [] }, deny: { user: [], role: [] } };
}

function without(list, item) {
    return list.filter(function (each) {
        return each !== item;
    });
}

/** Who may read and write an object: in the beginning everybody. */
function ACL() {
    this.read = openToAll();
    this.write = openToAll();
    this._steps = []; // what was changed since the object was read or saved: [right, user id or "all", whether allowed]
}

ACL.prototype = {
    constructor: ACL,

    setPublicReadAccess: function (value) {
        this._allow("read", EVERYBODY, value);
    },

    setPublicWriteAccess: function (value) {
        this._allow("write", EVERYBODY, value);
    },

    /** Gives a user the right and takes it from everybody else who has it as one of all, or takes it from the user. */
    setUserReadAccess: function (userId, value) {
        this._allow("read", userId, value);
    },

    setUserWriteAccess: function (userId, value) {
        this._allow("write", userId, value);
    },

    setRoleReadAccess: function (roleId, value) {
        this._role("read", roleId, value);
    },

    setRoleWriteAccess: function (roleId, value) {
        this._role("write", roleId, value);
    },

    toJSON: function () {
        return JSON.parse(JSON.stringify({ read: this.read, write: this.write }));
    },

    _allow: function (right, who, value) {
        var users = without(this[right].allow.user, who);
        if (value && who !== EVERYBODY) {
            users = without(users, EVERYBODY);
        }
        this[right].allow.user = value ? users.concat(who) : users;
        this._steps.push([right, who, Boolean(value)]);
    },

    _role: function (right, roleId, value) {
        var roles = without(this[right].allow.role, roleId);
        this[right].allow.role = value ? roles.concat(roleId) : roles;
        this._steps.push([right, EVERYBODY, this[right].allow.user.indexOf(EVERYBODY) >= 0]);
    }
};

/** The ACL with this content, which is as `JSON.stringify` gives it. */
function aclOf(content) {
    var acl = new ACL();
    if (content instanceof ACL) {
        return content;
    }
    RIGHTS.forEach(function (right) {
        var given = (content && content[right[0]]) || {};
        ["allow", "deny"].forEach(function (way) {
            ["user", "role"].forEach(function (kind) {
                var list = given[way] && given[way][kind];
                if (Array.isArray(list)) {
                    acl[right[0]][way][kind] = list.slice();
                }
            });
        });
    });
    return acl;
}

function looksLikeAcl(value) {
    return isPlain(value) && isPlain(value.read) && isPlain(value.read.allow) && isPlain(value.write);
}

/** Whether an ACL says what one says that nobody has touched. */
function isOpenToAll(acl) {
    var open = openToAll();
    return JSON.stringify(acl) === JSON.stringify({ read: open, write: open });
}

function denied(acl) {
    return RIGHTS.some(function (right) {
        var rule = acl[right[0]];
        return rule.deny.user.length > 0 && rule.allow.user.indexOf(EVERYBODY) >= 0;
    });
}

function namesRoles(acl) {
    return RIGHTS.some(function (right) {
        return acl[right[0]].allow.role.length > 0 || acl[right[0]].deny.role.length > 0;
    });
}

/** The permission that says the same to the server. Throws for what cannot be said. */
function permissionOf(acl) {
    if (namesRoles(acl)) {
        throw new CloudError(13, NO_ROLES, { reason: NO_ROLES });
    }
    if (denied(acl)) {
        var sentence =
            "Nobody can be kept from what everybody may do; take the right from the public, give it to users.";
        throw new CloudError(13, sentence, { reason: sentence });
    }
    var permission = { "public": "" };
    RIGHTS.forEach(function (right) {
        acl[right[0]].allow.user.forEach(function (who) {
            grant(permission, who, right[1], true);
        });
    });
    return permission;
}

function grant(permission, who, letter, isAllowed) {
    var key = who === EVERYBODY ? "public" : who;
    var others = (permission[key] || "").replace(letter, "");
    permission[key] = isAllowed ? (letter === "r" ? "r" + others : others + "w") : others;
}

/** A permission of the server after the changes that were made to an ACL. */
function permissionAfter(acl, permission) {
    permissionOf(acl); // for what cannot be said
    acl._steps.forEach(function (step) {
        var letter = step[0] === "read" ? "r" : "w";
        grant(permission, step[1], letter, step[2]);
        if (step[2] && step[1] !== EVERYBODY) {
            grant(permission, EVERYBODY, letter, false);
        }
    });
    return permission;
}

export { ACL, aclOf, isOpenToAll, looksLikeAcl, permissionAfter, permissionOf };
