import type { CloudError, CloudPromise, Options } from "./jsonrpc-backend.mjs";

type Columns = { [column: string]: any };

/** The callbacks of CloudBoost's API; each is optional. */
export interface Callbacks<T> {
    success?(result: T): unknown;
    error?(error: CloudBoostError): unknown;
}

/** What a call of CloudBoost's API fails with. */
export interface CloudBoostError extends CloudError {
    /** As apps of CloudBoost read it: 401 of a log-in with a wrong password, else 400. */
    response: { status: 400 | 401; data: { error: string; message: string } };
}

/** Who may read and write an object; in the beginning everybody. */
export interface ACL {
    setPublicReadAccess(value: boolean): void;
    setPublicWriteAccess(value: boolean): void;
    /** Gives the right to a user, and takes it from the public. */
    setUserReadAccess(userId: string, value: boolean): void;
    setUserWriteAccess(userId: string, value: boolean): void;
    toJSON(): Columns;
}

/** A place, in degrees. */
export interface CloudGeoPoint {
    longitude: number;
    latitude: number;
    get(name: "longitude" | "latitude"): number;
    set(name: "longitude" | "latitude", value: number): void;
    distanceInKMs(other: CloudGeoPoint): number;
    distanceInMiles(other: CloudGeoPoint): number;
    distanceInRadians(other: CloudGeoPoint): number;
}

/** A row of a table. Apps may hang members of their own on it. */
export interface CloudObject {
    /** All that is known: `_id`, `_tableName`, `_type`, `createdAt`, `updatedAt`, `ACL`, `expires`, and the columns. */
    document: Columns;
    readonly id: string | undefined;
    readonly createdAt: string | Date | undefined;
    readonly updatedAt: string | Date | undefined;
    ACL: ACL;
    get(column: string): any;
    set(column: string, value: any): void;
    unset(column: string): void;
    /** Sets a column to an object that is there, without asking for it. */
    relate(column: string, tableName: string, id: string): void;
    /** Saves what was set since, after the objects that this one leads to. */
    save(callbacks?: Callbacks<this>): CloudPromise<this>;
    delete(callbacks?: Callbacks<this>): CloudPromise<this>;
    /** A new object with what the server has now; null where there is none that may be read. */
    fetch(callbacks?: Callbacks<this | null>): CloudPromise<this | null>;
    toJSON(): { document: Columns };
    [own: string]: any;
}

export interface CloudObjectConstructor {
    new (tableName: string, id?: string): CloudObject;
    saveAll<T extends CloudObject>(objects: T[], callbacks?: Callbacks<T[]>): CloudPromise<T[]>;
    deleteAll<T extends CloudObject>(objects: T[], callbacks?: Callbacks<T[]>): CloudPromise<T[]>;
}

export interface CloudUser extends CloudObject {
    readonly createdAt: Date | undefined;
    readonly updatedAt: Date | undefined;
    username: string | undefined;
    /** Only until it has been sent; the server never tells it. */
    password: string | undefined;
    email: string | undefined;
    /** Creates the user and signs in; in pages only. */
    signUp(callbacks?: Callbacks<CloudUser>): CloudPromise<CloudUser>;
    logIn(callbacks?: Callbacks<CloudUser>): CloudPromise<CloudUser>;
    logOut(callbacks?: Callbacks<CloudUser>): CloudPromise<CloudUser>;
    changePassword(oldPassword: string, newPassword: string, callbacks?: Callbacks<CloudUser>): CloudPromise<CloudUser>;
}

export interface CloudUserConstructor {
    new (): CloudUser;
    readonly current: CloudUser | null;
    /** The one who is logged in, as the server knows him now; a user without id where nobody is. */
    getCurrentUser(callbacks?: Callbacks<CloudUser>): CloudPromise<CloudUser>;
    /** Has a code for a new password mailed to the user of this address. */
    resetPassword(email: string, callbacks?: Callbacks<"OK">): CloudPromise<"OK">;
}

type OneOrMore = string | string[] | { [column: string]: 1 | true };

/** The first ten rows of a table that may be read, until it is told otherwise. */
export interface CloudQuery {
    readonly tableName: string;
    limit: number;
    skip: number;
    equalTo(column: string, value: any): this;
    notEqualTo(column: string, value: any): this;
    greaterThan(column: string, value: string | number | Date): this;
    greaterThanEqualTo(column: string, value: string | number | Date): this;
    lessThan(column: string, value: string | number | Date): this;
    lessThanEqualTo(column: string, value: string | number | Date): this;
    containedIn(column: string, values: any): this;
    notContainedIn(column: string, values: any): this;
    exists(column: string): this;
    doesNotExists(column: string): this;
    setLimit(limit: number): this;
    setSkip(skip: number): this;
    orderByAsc(column: string): this;
    orderByDesc(column: string): this;
    selectColumn(columns: OneOrMore): this;
    /** Has the objects of a column read too, with one more call for each of their tables. */
    include(column: string): this;
    find(callbacks?: Callbacks<CloudObject[]>): CloudPromise<CloudObject[]>;
    findOne(callbacks?: Callbacks<CloudObject | null>): CloudPromise<CloudObject | null>;
    findById(id: string, callbacks?: Callbacks<CloudObject | null>): CloudPromise<CloudObject | null>;
    get(id: string, callbacks?: Callbacks<CloudObject | null>): CloudPromise<CloudObject | null>;
    count(callbacks?: Callbacks<number>): CloudPromise<number>;
    /** A page, from 1; the callback hears also how many rows and how many pages there are. */
    paginate(
        page: number,
        size: number,
        callbacks?: {
            success?(objects: CloudObject[], count: number, pages: number): unknown;
            error?(error: CloudBoostError): unknown;
        }
    ): CloudPromise<CloudObject[]>;
}

export interface CloudQueryConstructor {
    new (tableName: string): CloudQuery;
    or(first: CloudQuery, second: CloudQuery): CloudQuery;
    or(queries: CloudQuery[]): CloudQuery;
}

/** A class that the server does not serve: its objects can be made and filled, what would call the server fails. */
export interface NotServedClass {
    new (
        ...args: any[]
    ): {
        document: Columns;
        get(column: string): any;
        set(column: string, value: any): void;
        readonly [method: string]: any;
    };
    readonly [method: string]: (...args: any[]) => CloudPromise<never>;
}

type NotServedClassName =
    | "CloudSearch"
    | "SearchQuery"
    | "SearchFilter"
    | "CloudTable"
    | "Column"
    | "CloudFile"
    | "CloudRole"
    | "CloudQueue"
    | "QueueMessage"
    | "CloudCache"
    | "CloudPush"
    | "CloudNotification"
    | "CloudEvent";

export interface CloudBoost extends Readonly<Record<NotServedClassName, NotServedClass>> {
    /** The server's address, for `CloudApp.init` without one. */
    apiUrl?: string;
    readonly CloudApp: {
        /** What CloudBoost took as options concerned its live updates; they are ignored. */
        init(url: string, backendId: string, apiKey: string, options?: object): void;
        init(backendId: string, apiKey: string, options?: object): void;
    };
    readonly CloudUser: CloudUserConstructor;
    readonly CloudObject: CloudObjectConstructor;
    readonly CloudQuery: CloudQueryConstructor;
    readonly ACL: { new (): ACL };
    readonly CloudGeoPoint: { new (longitude: number, latitude: number): CloudGeoPoint };
    /** A plain copy of objects, arrays and what is in them. */
    toJSON(value: any): any;
    /** Objects of a plain copy. */
    fromJSON(value: any): any;
}

/** The client of CloudBoost's documented API; call `CloudApp.init` of what it returns. */
export function createCloudBoost(options?: Pick<Options, "url" | "backendId" | "apiKey" | "storage">): CloudBoost;
