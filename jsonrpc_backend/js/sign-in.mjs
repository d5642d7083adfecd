/** What follows the name of a key: nothing for the first backend of an app, the endpoint for every further one. */
function keySuffix(storage, prefix, endpoint) {
    var owner = storage.getItem(prefix + "Backend");
    if (owner === null) {
        storage.setItem(prefix + "Backend", endpoint);
        owner = endpoint;
    }
    return owner === endpoint ? "" : "@" + endpoint;
}

/**
 * Who is signed in at one backend.
 *
 * Session and user belong to this page: another tab may be somebody else. The storage has those of the latest sign-in,
 * for pages that are opened later, and its login token. The user outlives the session: the token can renew that.
 */
function SignIn(storage, prefix, endpoint, kept) {
    var suffix = keySuffix(storage, prefix, endpoint);
    this._storage = storage;
    this._recordKey = prefix + "SignIn" + suffix;
    this._tokenKey = prefix + "LoginToken" + suffix;
    this._kept = kept;
    var record = this._record();
    this.session = record && record.session;
    this.user = record && record.user;
}

SignIn.prototype = {
    /** {session, user} of the latest sign-in of any tab, or null; the session is null when it has ended. */
    _record: function () {
        try {
            var record = JSON.parse(this._storage.getItem(this._recordKey));
            return record && record.user && typeof record.user._id === "string" ? record : null;
        } catch (_) {
            return null;
        }
    },

    _store: function () {
        this._storage.setItem(this._recordKey, JSON.stringify({ session: this.session, user: this.user }));
    },

    begin: function (session, result) {
        this.session = session;
        this.user = this._kept(result.user);
        this._store();
        if (result.loginToken) {
            this._storage.setItem(this._tokenKey, result.loginToken);
        } else {
            this._storage.removeItem(this._tokenKey); // it would sign in somebody else
        }
    },

    /** Whether the storage has the sign-in of this page's user, not one that somebody else has made in another tab. */
    isStored: function () {
        var record = this._record();
        return record === null || this.user === null || record.user._id === this.user._id;
    },

    /** Stores other data of the user. */
    remember: function (user) {
        this.user = this._kept(user);
        if (this.isStored()) {
            this._store();
        }
    },

    /** The login token, read anew each time, for another tab may have used it; null where it is somebody else's. */
    loginToken: function () {
        return this.isStored() ? this._storage.getItem(this._tokenKey) : null;
    },

    /** Forgets the session, which has ended by itself. */
    endSession: function () {
        var record = this._record();
        var isLatest = record !== null && record.session === this.session;
        this.session = null;
        if (isLatest) {
            this._store();
        }
    },

    /** Forgets all: this user has signed out here, in whichever tab. */
    end: function () {
        if (this.isStored()) {
            this._storage.removeItem(this._recordKey);
            this._storage.removeItem(this._tokenKey);
        }
        this.session = null;
        this.user = null;
    },

    /** Forgets a login token that the server has refused, unless another one has taken its place. */
    dropLoginToken: function (token) {
        if (this.loginToken() === token) {
            this._storage.removeItem(this._tokenKey);
        }
    },

    /** The password was changed: the server has left this session only, and the login token that came with it. */
    passwordChanged: function () {
        if (this.isStored()) {
            this._store();
        }
    }
};

export { SignIn };
