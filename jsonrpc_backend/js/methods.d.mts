// Made of schemas/*.json by `python -m tests.typescript`; edit those.

/** A user, with the user's properties beside the fields that begin with an underscore. */
export interface User {
    /** Public identifier. */
    _id: string;
    /** The username, spelled as it was registered. */
    _username: string;
    _createdAt: number;
    _updatedAt: number;
    /** The same as _updatedAt: documents and clients of the original service disagree on the name. */
    _updateAt: number;
    /** Since when the user may not sign in; absent for everybody else. Operators alone see such a user. */
    _disabledAt?: number;
    /** The user's properties. */
    [property: string]: any;
}

/** The user, and a login token where the backend has auto-login on. The session id is in the response header X-Set-Monaca-Cloud-Session. */
export interface SignedIn {
    user: User;
    /** For User.autoLogin on the next start of the app. */
    loginToken?: string;
}

/** What every method takes and gives. */
export interface Methods {
    /** Opens a session and hands out another login token. The old one can be used again until the new one has been presented, for a few minutes at most (auto_login.grace_minutes), in case the answer got lost; presented after that, every token of the sign-in and its sessions end. */
    "User.autoLogin": {
        params: {
            /** The loginToken of the latest result that had one. */
            loginToken: string;
        };
        result: SignedIn & Required<Pick<SignedIn, "loginToken">>;
    };
    /** Gives properties of the signed-in user. Names that the user lacks are left out. */
    "User.getProperties": {
        params: {
            /** Which properties; all of them when absent. */
            names?: string[] | null;
        };
        result: {
            properties: { [name: string]: any };
        };
    };
    /** Gives the value of one property of the signed-in user; null when the user lacks it. */
    "User.getProperty": {
        params: {
            /** Name of the property. */
            name: string;
        };
        result: {
            /** Any JSON. */
            value: any;
        };
    };
    /** Tells whether the call carries a session that has not ended. */
    "User.isAuthenticated": {
        params: {};
        result: boolean;
    };
    /** Opens a session. An unknown username and a wrong password get the same answer. */
    "User.login": {
        params: {
            username: string;
            password: string;
        };
        result: SignedIn;
    };
    /** Ends the session, the login token of this device, and every session that this token has opened: auto-login stops working. */
    "User.logout": {
        params: {};
        result: "OK";
    };
    /** Makes a user account and signs the user in. */
    "User.register": {
        params: {
            username: string;
            password: string;
            properties?: { [name: string]: any } | null;
        };
        result: SignedIn;
    };
    /** Sets another password with the token that User.sendPasswordResetToken has mailed, and signs the user in. Every older session and login token of the user ends. Upper and lower case, blanks and hyphens of the token do not matter. */
    "User.resetPasswordAndLogin": {
        params: {
            username: string;
            newPassword: string;
            /** The token from the mail. */
            token: string;
        };
        result: SignedIn;
    };
    /** Adds and updates properties of the signed-in user, all of them or none. Others stay as they are. */
    "User.saveProperties": {
        params: {
            properties: { [name: string]: any };
        };
        result: "OK";
    };
    /** Adds or updates one property of the signed-in user. */
    "User.saveProperty": {
        params: {
            name: string;
            /** Any JSON. */
            value: any;
        };
        result: "OK";
    };
    /** Mails the user a token for User.resetPasswordAndLogin. The answer is the same whether or not there is such a user or a mail address. */
    "User.sendPasswordResetToken": {
        params: {
            username: string;
            /** Where the mail goes and what it says. */
            options?: {
                emailPropertyName?: string | null;
                templateName?: string | null;
            } | null;
        };
        result: "OK";
    };
    /** Deletes the signed-in user with properties, sessions and login tokens. The username is free again. */
    "User.unregister": {
        params: {
            password: string;
        };
        result: "OK";
    };
    /** Sets another password. This session and its login token go on; every other session and login token of the user ends. */
    "User.updatePassword": {
        params: {
            oldPassword: string;
            newPassword: string;
        };
        result: "OK";
    };
    /** Says what User.register would say of these parameters, without registering anybody. */
    "User.validate": {
        params: {
            username: string;
            properties?: { [name: string]: any } | null;
        };
        result: "OK";
    };
}
