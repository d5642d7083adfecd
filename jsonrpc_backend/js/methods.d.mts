// Made of schemas/ by `python3 run.py docs`; edit those.

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
    /** Removes an item that the caller may write. */
    "Collection.delete": {
        params: {
            collectionName: string;
            itemOid: string;
        };
        result: "OK";
    };
    /** Gives the items that match and that the caller may read: his own, public ones, and those that others have opened to him. */
    "Collection.find": {
        params: {
            collectionName: string;
            criteria?: string | null;
            bindParams?: any[] | null;
            /** A property, _id, _ownerUserOid, _createdAt or _updatedAt, with ASC or DESC behind it, or an array of at most 10 of these. Values come in this order: absent and null, false, true, numbers, strings by code point, arrays and objects. Items that do not differ are in the order of insertion, backwards where the last entry is descending. */
            orderBy?: string | string[] | null;
            /** What of the items is wanted. Other members are ignored. */
            options?: {
                /** Which properties the items have beside the fields that begin with an underscore: an array of names, or names in one string with commas between them. All of them when absent. */
                propertyNames?: string[] | string | null | null;
                /** Items on a page. When absent, or above 10,000: one page of all, which ends after 10,000 items or 32 MiB. */
                limit?: number | null | null;
                /** Which page, from 1. */
                page?: number | null | null;
                /** Only what the caller owns: as a user when signed in, else as a device. */
                mine?: boolean | null | null;
            } | null;
        };
        result: {
            items: {
                /** Identifier within the collection. */
                _id: string;
                /** The user who has inserted it; null where nobody was signed in, or the user is gone. */
                _ownerUserOid: string | null;
                _createdAt: number;
                _updatedAt: number;
                /** The user's properties. */
                [property: string]: any;
            }[];
            /** How many items match, on all pages. */
            totalItems: number;
        };
    };
    /** Gives the rights that others than the owner have to an item that the caller may write; `public` is always there. */
    "Collection.getPermission": {
        params: {
            collectionName: string;
            itemOid: string;
        };
        result: {
            permission: { [name: string]: any };
        };
    };
    /** Adds an item. It belongs to the user who is signed in, else to the device. */
    "Collection.insert": {
        params: {
            collectionName: string;
            item: { [name: string]: any };
            permission?: { [name: string]: any } | null;
        };
        result: {
            item: {
                /** Identifier within the collection. */
                _id: string;
                /** The user who has inserted it; null where nobody was signed in, or the user is gone. */
                _ownerUserOid: string | null;
                _createdAt: number;
                _updatedAt: number;
                /** The user's properties. */
                [property: string]: any;
            };
        };
    };
    /** Adds and updates properties of an item that the caller may write, all of them or none. Others stay as they are. */
    "Collection.update": {
        params: {
            collectionName: string;
            itemOid: string;
            data: { [name: string]: any };
        };
        result: "OK";
    };
    /** Changes the permissions of the items that match and that the caller may write: overlays entries, or replaces all of them. */
    "Collection.updatePermission": {
        params: {
            collectionName: string;
            criteria?: string | null;
            bindParams?: any[] | null;
            permission: { [name: string]: any };
            /** How. Other members are ignored. */
            options?: {
                /** Whether what is given is the whole permission from now on. */
                forceOverwrite?: boolean | null | null;
            } | null;
        };
        result: {
            /** How many items match, changed or not. */
            numUpdates: number;
        };
    };
    /** Gives properties of the device that calls, whoever is signed in on it. Those that it lacks are left out. */
    "Device.getProperties": {
        params: {
            /** Which ones; all when absent. */
            names?: string[] | null;
        };
        result: {
            properties: { [name: string]: any };
        };
    };
    /** Gives the value of one property of the device that calls; null when it lacks it. */
    "Device.getProperty": {
        params: {
            /** Name of the property. */
            name: string;
        };
        result: {
            /** Any JSON. */
            value: any;
        };
    };
    /** Adds and updates properties of the device that calls, all of them or none. Others stay as they are. */
    "Device.saveProperties": {
        params: {
            properties: { [name: string]: any };
        };
        result: "OK";
    };
    /** Adds or updates one property of the device that calls. Others stay as they are. */
    "Device.saveProperty": {
        params: {
            name: string;
            /** Any JSON. */
            value: any;
        };
        result: "OK";
    };
    /** Mails a user by one of the operator's templates. In its subject and text %NAME% stands for what substituteParams has under that name, else for the recipient's property; %USERNAME% is the recipient's. The mail is queued, and tried for 24 hours. Where it goes is not told. */
    "Mailer.sendMail": {
        params: {
            /** Who gets the mail. */
            userOid: string;
            /** The template of the mail. Templates are settings of the backend; not those of the server's own mails, such as send_password_token. */
            templateName: string;
            /** What the placeholders of the template stand for: text, or any JSON, which is written as such. A null is none. */
            substituteParams?: { [name: string]: any } | null;
            /** Where the mail goes. */
            options?: {
                emailPropertyName?: string | null;
            } | null;
        };
        result: "OK";
    };
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
    /** Gives this description of all methods, an OpenRPC document. It needs no API key, no device and no session, and is there only where the operator has turned the reference on. */
    "rpc.discover": {
        params: {};
        result: {
            openrpc: string;
            info: { [name: string]: any };
            methods: any[];
            components?: { [name: string]: any };
        };
    };
}

/** The same of the operators' API, which needs a key of its own. */
export interface ManagementMethods {
    /** Makes an empty collection. Apps cannot. */
    "Collection.create": {
        params: {
            _id: string;
            isInsertable?: boolean | null;
            defaultPublicPermission?: "" | "r" | "w" | "rw" | null;
            deleteWithOwner?: "private" | "all" | "none" | null;
            indexes?: string[] | null;
        };
        result: "OK";
    };
    /** Deletes a collection with all items: at once nobody finds them, and the name is free. */
    "Collection.drop": {
        params: {
            /** Name of the collection. */
            _id: string;
        };
        result: "OK";
    };
    /** Gives a collection with its settings. */
    "Collection.getConfig": {
        params: {
            /** Name of the collection. */
            _id: string;
        };
        result: {
            config: {
                /** The name. */
                _id: string;
                isInsertable: boolean;
                defaultPublicPermission: "" | "r" | "w" | "rw";
                deleteWithOwner: "private" | "all" | "none";
                indexes: string[];
                _createdAt: number;
            };
        };
    };
    /** Gives the names of the properties that the newest 100 items of a collection have. */
    "Collection.getPropertyNames": {
        params: {
            /** Name of the collection. */
            _id: string;
        };
        result: {
            /** In alphabetical order. */
            names: string[];
        };
    };
    /** Gives all collections with their settings, by name. */
    "Collection.list": {
        params: {};
        result: {
            items: {
                /** The name. */
                _id: string;
                isInsertable: boolean;
                defaultPublicPermission: "" | "r" | "w" | "rw";
                deleteWithOwner: "private" | "all" | "none";
                indexes: string[];
                _createdAt: number;
            }[];
        };
    };
    /** Changes the settings that are given; others stay as they are. New indexes are built beside the calls, which find by them once they are ready. */
    "Collection.setConfig": {
        params: {
            /** Name of the collection. */
            _id: string;
            isInsertable?: boolean | null;
            defaultPublicPermission?: "" | "r" | "w" | "rw" | null;
            deleteWithOwner?: "private" | "all" | "none" | null;
            indexes?: string[] | null;
        };
        result: "OK";
    };
    /** Adds an item, whether apps may insert or not. It belongs to the user who is named, else to nobody; what its permission does not say of everybody is the collection's default. */
    "CollectionItem.create": {
        params: {
            /** Name of the collection. */
            collectionName: string;
            /** Properties, and perhaps _ownerUserOid (an existing user) and _permission. All properties take at most 512,000 bytes as compact UTF-8 JSON. */
            item: {
                /** The user who will own it; absent or null: nobody. */
                _ownerUserOid?: string | null | null;
                _permission?: { [name: string]: any } | null;
                /** The user's properties. */
                [property: string]: any;
            };
        };
        result: {
            item: {
                /** Identifier within the collection. */
                _id: string;
                /** The user who owns it; null where none does. */
                _ownerUserOid: string | null;
                /** The device that owns it: it was inserted there while nobody was signed in. Apps never see it, for who knows it can act as the owner. */
                _ownerDeviceOid: string | null;
                _permission: { [name: string]: any };
                _createdAt: number;
                _updatedAt: number;
                /** The user's properties. */
                [property: string]: any;
            };
        };
    };
    /** Deletes items. A long list is worked off in steps, each with an entry in the audit log. */
    "CollectionItem.delete": {
        params: {
            /** Name of the collection. */
            collectionName: string;
            /** Identifiers of items. Those that are not there count as deleted. */
            idList?: string[] | null;
            /** The same as idList: the documents of the original service use both names. */
            _idList?: string[] | null;
        };
        result: "OK";
    };
    /** Gives an item with all properties, its owner and its permission. */
    "CollectionItem.get": {
        params: {
            /** Name of the collection. */
            collectionName: string;
            _id: string;
        };
        result: {
            item: {
                /** Identifier within the collection. */
                _id: string;
                /** The user who owns it; null where none does. */
                _ownerUserOid: string | null;
                /** The device that owns it: it was inserted there while nobody was signed in. Apps never see it, for who knows it can act as the owner. */
                _ownerDeviceOid: string | null;
                _permission: { [name: string]: any };
                _createdAt: number;
                _updatedAt: number;
                /** The user's properties. */
                [property: string]: any;
            };
        };
    };
    /** Gives the rights that others than the owner have. */
    "CollectionItem.getPermission": {
        params: {
            /** Name of the collection. */
            collectionName: string;
            _id: string;
        };
        result: {
            permission: { [name: string]: any };
        };
    };
    /** Gives one page of the items that match, sorted. Without a query that is the whole collection. No rights are checked. */
    "CollectionItem.list": {
        params: {
            /** Name of the collection. */
            collectionName: string;
            /** Which page, from 1. */
            page: number;
            /** Items on one page. */
            itemsInPage: number;
            /** A property, or _id, _ownerUserOid, _createdAt or _updatedAt. In ascending order come: absent and null, false, true, numbers, strings by code point, arrays and objects. Items that do not differ stay in the order of insertion. */
            sortProperty?: string | null;
            /** Ascending, or descending: exactly the other way round. */
            sortOrder?: "asc" | "desc" | null;
            /** Which properties the items have beside the fields that begin with an underscore: an array of names, or names in one string with commas between them. All of them when absent. */
            propertyNames?: string[] | string | null;
            /** Only items of which this MonaQL query is true, e.g. `mood > 2 && _ownerUserOid == ?`. Fields are properties, _id, _ownerUserOid, _ownerDeviceOid, _createdAt and _updatedAt. */
            itemQuery?: string | null;
            /** Values for each `?` of the query, in their order. */
            itemQueryBindParams?: any[] | null;
        };
        result: {
            items: {
                /** Identifier within the collection. */
                _id: string;
                /** The user who owns it; null where none does. */
                _ownerUserOid: string | null;
                /** The device that owns it: it was inserted there while nobody was signed in. Apps never see it, for who knows it can act as the owner. */
                _ownerDeviceOid: string | null;
                _permission: { [name: string]: any };
                _createdAt: number;
                _updatedAt: number;
                /** The user's properties. */
                [property: string]: any;
            }[];
            /** How many items match, on all pages. */
            totalItems: number;
        };
    };
    /** Gives an item this permission and no other. Without `public` in it everybody else has no right. */
    "CollectionItem.setPermission": {
        params: {
            /** Name of the collection. */
            collectionName: string;
            _id: string;
            permission: { [name: string]: any };
        };
        result: "OK";
    };
    /** Adds and updates properties, removes none. Owner and permission stay. */
    "CollectionItem.update": {
        params: {
            /** Name of the collection. */
            collectionName: string;
            _id: string;
            /** Properties to add or replace. The six fields of an item that begin with an underscore are ignored, so that a whole item can be sent back; other names with an underscore in front are refused. */
            item: { [name: string]: any };
        };
        result: "OK";
    };
    /** Checks the params and answers with error 13: this server sends no push notifications. The result is the documented one. */
    "Push.send": {
        params: {
            /** Identifier of the push project. */
            pushProjectId: string;
            /** The kind of devices. */
            platform: "android" | "ios";
            /** What is installed there. */
            target: "app";
            /** How the app was built. */
            buildType: "debug" | "release" | "adhoc";
            /** Title of the notification. */
            title?: string | null;
            /** Text of the notification. */
            message: string;
            /** Number at the app's icon. */
            badge?: number | null;
            /** Data for the app. */
            json?: any | null;
            /** The same as json: the documents of the original service use both names. */
            extra_json?: any | null;
            /** Identifiers of the users to send to. */
            userOidList?: string[] | null;
            /** A MonaQL query for the users to send to. */
            userQuery?: string | null;
            /** Values for each `?` of the query, in their order. */
            userQueryBindParams?: any[] | null;
            /** Identifiers of the devices to send to. */
            deviceIdList?: string[] | null;
        };
        result: {
            /** For Push.status. */
            queueIdList: string[];
        };
    };
    /** Checks the params and answers with error 13: this server sends no push notifications. The result is the documented one, which has three times beside. */
    "Push.status": {
        params: {
            /** Identifier of the push project. */
            pushProjectId: string;
            /** Identifier from Push.send. */
            queueId: string;
        };
        result: {
            /** How far it is. */
            status: string;
            /** Devices to send to. */
            numTarget: number;
            /** Devices that it was sent to. */
            numPushed: number;
            /** Devices that it could not be sent to. */
            numFailed: number;
        };
    };
    /** Gives the sessions of a user that have not ended, latest use first. */
    "Session.list": {
        params: {
            /** The user's identifier. */
            _id: string;
        };
        result: {
            sessions: {
                /** Tells the sessions of a user apart, and is good for Session.revoke only: it is not what an app sends. */
                id: string;
                /** When the user signed in. */
                createdAt: number;
                /** The latest use, to a minute. */
                usedAt: number;
                /** What the device calls itself; null where the backend hands out no login tokens, or the session's have ended. */
                device: string | null;
            }[];
        };
    };
    /** Ends a session of a user, with the login tokens of the same sign-in, so that auto-login stops working there; or all sessions and all login tokens of the user. */
    "Session.revoke": {
        params: {
            /** The user's identifier. */
            _id: string;
            /** The id of a session as Session.list gives it; absent: all. */
            session?: string | null;
        };
        result: {
            /** How many sessions have ended. */
            ended: number;
        };
    };
    /** Forgets the failures about a user, wherever they came from, or what counts for an address and the networks around it: failed sign-ins, registrations and requests for reset mails. The next call is let in. */
    "Throttle.clear": {
        params: {
            /** A username or an identifier. */
            name?: string | null;
            /** An IP address. Either this or a name is needed. */
            address?: string | null;
        };
        result: {
            /** How much has counted; 0: there was nothing. */
            removed: number;
        };
    };
    /** Gives the users as whom nobody can sign in from somewhere now, because of wrong passwords or reset tokens: at most 1,000, those first who have to wait for longest. Devices on which a user has signed in before are hardly ever among what is held up. Of addresses there is no list, for they are kept as digests only. */
    "Throttle.list": {
        params: {};
        result: {
            users: {
                /** Public identifier. */
                _id: string;
                /** The username, spelled as it was registered. */
                _username: string;
                until: number;
            }[];
        };
    };
    /** Makes a user account. Nobody is signed in. */
    "User.create": {
        params: {
            username: string;
            password: string;
            properties?: { [name: string]: any } | null;
        };
        result: {
            user: User;
        };
    };
    /** Deletes users with their properties, sessions and tokens. A long list is worked off in steps, each with an entry in the audit log. */
    "User.delete": {
        params: {
            /** Identifiers of users. Those of users who are not there count as deleted. */
            idList?: string[] | null;
            /** The same as idList: the documents of the original service use both names. */
            _idList?: string[] | null;
        };
        result: "OK";
    };
    /** Ends the user's sessions, login tokens and password reset, and keeps the user from signing in: the answer is then that of a wrong password, and no reset mail is sent. Nothing is deleted, and the username stays taken; _disabledAt says since when. */
    "User.disable": {
        params: {
            /** The user's identifier. */
            _id: string;
        };
        result: "OK";
    };
    /** Lets a user who was disabled sign in again, with the same password. */
    "User.enable": {
        params: {
            /** The user's identifier. */
            _id: string;
        };
        result: "OK";
    };
    /** Gives a user with all properties. */
    "User.get": {
        params: {
            /** The user's identifier. */
            _id: string;
        };
        result: {
            user: User;
        };
    };
    /** Gives the names of the properties that the 100 users who registered last have. */
    "User.getPropertyNames": {
        params: {};
        result: {
            /** In alphabetical order. */
            names: string[];
        };
    };
    /** Gives one page of the users who match, sorted. Without a filter and a query that is everybody, in the order of registration. */
    "User.list": {
        params: {
            /** Which page, from 1. */
            page: number;
            /** Users on one page. */
            itemsInPage: number;
            /** A property, or _id, _username, _createdAt or _updatedAt. In ascending order come: absent and null, false, true, numbers, strings by code point, arrays and objects. Users who do not differ stay in the order of registration. Usernames are sorted as they are compared, without regard to case. */
            sortProperty?: string | null;
            /** Ascending, or descending: exactly the other way round. */
            sortOrder?: "asc" | "desc" | null;
            /** Which properties the items have beside the fields that begin with an underscore: an array of names, or names in one string with commas between them. All of them when absent. */
            propertyNames?: string[] | string | null;
            /** Only users whose username or _id contains this; upper and lower case count as the same. */
            nameFilter?: string | null;
            /** Only users of whom this MonaQL query is true, e.g. `country == "US" && age > ?`. */
            userQuery?: string | null;
            /** Values for each `?` of the query, in their order. */
            userQueryBindParams?: any[] | null;
        };
        result: {
            items: User[];
            /** How many users match, on all pages. */
            totalItems: number;
        };
    };
    /** Gives a user another password and ends the user's sessions, login tokens and password resets. The old password is not asked for. */
    "User.setPassword": {
        params: {
            /** The user's identifier. */
            _id: string;
            password: string;
        };
        result: "OK";
    };
    /** Adds and updates properties, removes none, and changes the username where one is given: all of it or nothing. The user stays signed in; a password reset that is under way ends with the old username. */
    "User.update": {
        params: {
            /** The user's identifier. */
            _id: string;
            /** Properties, and perhaps _username. An _id is ignored; other names that begin with an underscore are refused. */
            user: {
                _username?: string | null;
                /** The user's properties. */
                [property: string]: any;
            };
        };
        result: "OK";
    };
    /** Gives this description of all methods of the operators' API, an OpenRPC document. */
    "rpc.discover": {
        params: {};
        result: {
            openrpc: string;
            info: { [name: string]: any };
            methods: any[];
            components?: { [name: string]: any };
        };
    };
}
