import type { CloudErrorConstructor, CloudPromise, Maker, Params, Properties, Result } from "./calls.mjs";
import type { CollectionItemMaker, CollectionMaker, Criteria } from "./collections.mjs";
import type { ManagementMethods, Methods, SignedIn, User } from "./methods.mjs";

export { CloudError, type CloudErrorConstructor, type CloudPromise, type Maker } from "./calls.mjs";
export type {
    Collection,
    CollectionItemMaker,
    CollectionMaker,
    Criteria,
    FindOptions,
    Item,
    ItemFields,
    ItemMethods,
    OrderBy,
    Page,
    Permission,
    PermissionOptions,
    Wanted
} from "./collections.mjs";
export type { ManagementMethods, Methods, SignedIn, User };

/** What localStorage can do, as far as it is needed. */
export interface KeyStorage {
    getItem(key: string): string | null;
    setItem(key: string, value: string): void;
    removeItem(key: string): void;
}

export interface Options {
    /** The server's address, such as `https://example.com`. */
    url?: string;
    backendId?: string;
    apiKey?: string;
    /** How long a call may take, in milliseconds; 0 for no limit. Default 30000. */
    timeout?: number;
    /** The id of this installation, 1 to 255 characters; made once and kept by default. */
    deviceId?: string;
    /** Where session and login token are kept: localStorage by default in a page, the memory elsewhere. */
    storage?: KeyStorage;
}

export interface CloudUserMethods extends PropertyMethods<"User"> {
    /** The `_id` of the user who is signed in, or null. */
    readonly _oid: string | null;
    register(username: string, password: string, properties?: Properties | null): Result<"User.register">;
    validate(username: string, properties?: Properties | null): Result<"User.validate">;
    unregister(password: string): Result<"User.unregister">;
    login(username: string, password: string): Result<"User.login">;
    /** At once: whether somebody is signed in, as far as is known here. */
    isAuthenticated(): boolean;
    /** Signs in with the login token of an earlier sign-in. */
    autoLogin(): Result<"User.autoLogin">;
    logout(): Result<"User.logout">;
    updatePassword(oldPassword: string, newPassword: string): Result<"User.updatePassword">;
    sendPasswordResetToken(
        username: string,
        options?: Params<"User.sendPasswordResetToken">["options"]
    ): Result<"User.sendPasswordResetToken">;
    resetPasswordAndLogin(username: string, newPassword: string, token: string): Result<"User.resetPasswordAndLogin">;
}

export interface PropertyMethods<Kind extends "User" | "Device"> {
    /** The value; undefined where there is no such property. */
    getProperty(name: string): CloudPromise<any>;
    /** The values by name, of those that there are. Without names all of them. */
    getProperties(names?: string[] | null): CloudPromise<Properties>;
    saveProperty(name: string, value: any): Result<`${Kind}.saveProperty`>;
    saveProperties(properties: Properties): Result<`${Kind}.saveProperties`>;
}

export interface Cloud {
    readonly User: CloudUserMethods;
    readonly Error: CloudErrorConstructor;
    readonly Collection: CollectionMaker;
    readonly CollectionItem: CollectionItemMaker;
    readonly Criteria: Maker<[query: string, bindParams?: any[] | null], Criteria>;
    /** Properties of this installation of the app. */
    readonly Device: PropertyMethods<"Device">;
    readonly Mailer: {
        /** Sends a user a mail made of a template of the server. */
        sendMail(
            userOid: string,
            templateName: string,
            substituteParams?: Properties | null,
            options?: Params<"Mailer.sendMail">["options"]
        ): Result<"Mailer.sendMail">;
    };
    /** What native code sends to the page. */
    readonly Push: {
        setHandler(handler: (data: any) => unknown): void;
        /** For native code. What comes before there is a handler waits for it, the last of it. */
        send(data: any): void;
    };
    url: string | undefined;
    backendId: string | undefined;
    apiKey: string | undefined;
    /** The id of this installation, null until it is known. */
    get deviceId(): string | null;
    set deviceId(id: string);
    /** Milliseconds. */
    timeout: number | undefined;
    setTimeout(ms: number): void;
    /** Speaks to this backend from now on; returns a cloud that stays with it. */
    configure(options: Options): Cloud;
    /** Calls any method by its name; those of the server itself are checked. */
    call<M extends string>(
        method: M,
        ...params: M extends keyof Methods
            ? {} extends Params<M>
                ? [params?: Params<M>]
                : [params: Params<M>]
            : [params?: Properties]
    ): M extends keyof Methods ? Result<M> : CloudPromise<any>;
}

/** The client of Monaca Backend's documented API: `cloud.User.login(…)`. */
export function createCloud(options?: Options): Cloud;

export type {
    ACL,
    Callbacks,
    CloudBoost,
    CloudBoostError,
    CloudGeoPoint,
    CloudObject,
    CloudQuery,
    CloudUser
} from "./cloudboost.mjs";
export { createCloudBoost } from "./cloudboost.mjs";
