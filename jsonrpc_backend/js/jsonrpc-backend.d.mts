import type { ManagementMethods, Methods, SignedIn, User } from "./methods.mjs";

export type { ManagementMethods, Methods, SignedIn, User };

/**
 * What a call fails with: the server's error, or one of -11 (timed out), -12 (invalid response) and -13 (invalid status,
 * or no connection), which the client raises. Works with and without `new`.
 */
export interface CloudError extends Error {
    code: number;
    /** Of -32602 a sentence for each wrong parameter; of 13, -11, -12 and -13 `reason`; of 9999 `retryAfter` (s). */
    data: { [name: string]: any };
}

export interface CloudErrorConstructor {
    new (code: number, message: string, data?: { [name: string]: any } | null): CloudError;
    (code: number, message: string, data?: { [name: string]: any } | null): CloudError;
    readonly prototype: CloudError;
}

export const CloudError: CloudErrorConstructor;

/** A promise that has jQuery's done, fail and always as well; they return the same promise. */
export interface CloudPromise<T> extends Promise<T> {
    done(...callbacks: Array<((result: T) => unknown) | null | undefined>): this;
    fail(...callbacks: Array<((error: CloudError) => unknown) | null | undefined>): this;
    always(...callbacks: Array<((outcome: T | CloudError) => unknown) | null | undefined>): this;
    then<A = T, B = never>(
        onResolved?: ((result: T) => A | PromiseLike<A>) | null,
        onRejected?: ((error: any) => B | PromiseLike<B>) | null
    ): CloudPromise<A | B>;
    catch<B = never>(onRejected?: ((error: any) => B | PromiseLike<B>) | null): CloudPromise<T | B>;
    finally(callback?: (() => void) | null): CloudPromise<T>;
    pipe: CloudPromise<T>["then"];
    state(): "pending" | "resolved" | "rejected";
}

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

type Properties = { [name: string]: any };
type Result<M extends keyof Methods> = CloudPromise<Methods[M]["result"]>;
type Params<M extends keyof Methods> = Methods[M]["params"];

export interface CloudUserMethods {
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
    /** The value; undefined where the user has no such property. */
    getProperty(name: string): CloudPromise<any>;
    /** The values by name; those that the user has. Without names all of them. */
    getProperties(names?: string[] | null): CloudPromise<Properties>;
    saveProperty(name: string, value: any): Result<"User.saveProperty">;
    saveProperties(properties: Properties): Result<"User.saveProperties">;
}

/** What the server has not yet: every call fails with code 13 and a sentence as its message. */
export type NotServed<Names extends string> = { readonly [N in Names]: (...args: any[]) => CloudPromise<never> };

/** Works with and without `new`. */
export interface Maker<Params extends any[], T> {
    new (...params: Params): T;
    (...params: Params): T;
}

type CollectionMethod = "find" | "findMine" | "findOne" | "findOneMine" | "insert" | "updatePermission";
type ItemMethod = "update" | "remove" | "delete" | "getPermission" | "updatePermission";

export interface Cloud {
    readonly User: CloudUserMethods;
    readonly Error: CloudErrorConstructor;
    readonly Collection: Maker<[name: string], { readonly name: string } & NotServed<CollectionMethod>>;
    readonly CollectionItem: Maker<[item: Properties, collection: object], NotServed<ItemMethod>>;
    readonly Criteria: Maker<[query: string, bindParams?: any[]], { query: string; bindParams: any[] }>;
    readonly Device: NotServed<"getProperty" | "getProperties" | "saveProperty" | "saveProperties">;
    readonly Mailer: NotServed<"sendMail">;
    readonly Push: NotServed<"setHandler" | "send">;
    url: string | undefined;
    backendId: string | undefined;
    apiKey: string | undefined;
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

/** The callbacks of CloudBoost's API; each is optional. */
export interface Callbacks<T> {
    success?(result: T): unknown;
    error?(error: CloudError): unknown;
}

export interface CloudUser {
    readonly id: string | undefined;
    readonly createdAt: Date | undefined;
    readonly updatedAt: Date | undefined;
    username: string | undefined;
    /** Only until it has been sent; the server never tells it. */
    password: string | undefined;
    email: string | undefined;
    get(name: string): any;
    set(name: string, value: any): void;
    /** Creates the user and signs in; in pages only. */
    signUp(callbacks?: Callbacks<CloudUser>): CloudPromise<CloudUser>;
    logIn(callbacks?: Callbacks<CloudUser>): CloudPromise<CloudUser>;
    logOut(callbacks?: Callbacks<CloudUser>): CloudPromise<CloudUser>;
    /** Creates a new user without signing in, or saves the properties of the current one. */
    save(callbacks?: Callbacks<CloudUser>): CloudPromise<CloudUser>;
    /** Deletes the current user; `password` must have been set. */
    delete(callbacks?: Callbacks<CloudUser>): CloudPromise<CloudUser>;
    changePassword(oldPassword: string, newPassword: string, callbacks?: Callbacks<CloudUser>): CloudPromise<CloudUser>;
    toJSON(): Properties;
}

/** A class that the server does not serve yet: its objects can be made and filled, what would call the server fails. */
export interface NotServedClass {
    new (
        ...args: any[]
    ): {
        document: Properties;
        get(column: string): any;
        set(column: string, value: any): void;
        readonly [method: string]: any;
    };
    readonly [method: string]: (...args: any[]) => CloudPromise<never>;
}

type NotServedClassName =
    | "CloudObject"
    | "CloudQuery"
    | "CloudSearch"
    | "SearchQuery"
    | "SearchFilter"
    | "CloudTable"
    | "Column"
    | "CloudFile"
    | "CloudRole"
    | "ACL"
    | "CloudGeoPoint"
    | "CloudQueue"
    | "QueueMessage"
    | "CloudCache"
    | "CloudPush"
    | "CloudNotification"
    | "CloudEvent";

export interface CloudBoost extends Readonly<Record<NotServedClassName, NotServedClass>> {
    readonly CloudApp: {
        init(url: string, backendId: string, apiKey: string): void;
        init(backendId: string, apiKey: string): void;
    };
    readonly CloudUser: {
        new (): CloudUser;
        readonly current: CloudUser | null;
    } & NotServed<"getCurrentUser" | "resetPassword" | "authenticateWithProvider">;
}

/** The client of CloudBoost's documented API for users; call `CloudApp.init` of what it returns. */
export function createCloudBoost(options?: Pick<Options, "url" | "backendId" | "apiKey" | "storage">): CloudBoost;
