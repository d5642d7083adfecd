import type { CloudPromise, Params, Properties, Result } from "./calls.mjs";

/** Rights by whom they are given to: `public` or a user's `_id`. */
export type Permission = { [who: string]: "" | "r" | "w" | "rw" };

export interface PermissionOptions {
    /** Whether the permission given takes the place of what there was; else its entries are laid over that. */
    forceOverwrite?: boolean | null;
}

/** A query in MonaQL and the values for its question marks. */
export interface Criteria {
    query: string;
    bindParams: any[];
}

/** What of a collection is wanted: a query, its Criteria, or an object whose members are all to be equal; else all. */
export type Wanted<T = Properties> = string | Criteria | Readonly<Partial<T & ItemFields>> | null;

export type OrderBy = Params<"Collection.find">["orderBy"];

export type FindOptions = NonNullable<Params<"Collection.find">["options"]> & { orderBy?: OrderBy };

/** What an item has beside its properties. */
export interface ItemFields {
    readonly _id: string;
    /** The user who has inserted it, or null. */
    readonly _ownerUserOid: string | null;
    readonly _createdAt: Date;
    readonly _updatedAt: Date;
}

export interface ItemMethods {
    /** Saves the properties that the object has. The item keeps others, and those that are removed here. */
    update(): Result<"Collection.update">;
    remove(): Result<"Collection.delete">;
    delete(): Result<"Collection.delete">;
    getPermission(): CloudPromise<{ permission: Permission }>;
    updatePermission(permission: Permission, options?: PermissionOptions | null): Result<"Collection.updatePermission">;
}

/** An item with these properties, one of which may hide a method. */
export type Item<T = Properties> = T &
    ItemFields & { readonly _collection: { readonly name: string } } & (string extends keyof T
        ? ItemMethods
        : Omit<ItemMethods, keyof T>);

export interface Page<T = Properties> {
    items: Item<T>[];
    /** How many items match, on all pages. */
    totalItems: number;
}

interface Find<T, Found> {
    (criteria?: Wanted<T>, orderBy?: OrderBy, options?: FindOptions | null): CloudPromise<Found>;
    (criteria: Wanted<T> | undefined, options: FindOptions): CloudPromise<Found>;
}

/** A collection of items with the properties T. Nothing is asked of the server before one of these is called. */
export interface Collection<T = Properties> {
    readonly name: string;
    /** The items that match and that the caller may read. */
    readonly find: Find<T, Page<T>>;
    /** Of these the caller's own: the user's, or the device's when nobody is signed in. */
    readonly findMine: Find<T, Page<T>>;
    /** The first one, or null. */
    readonly findOne: Find<T, Item<T> | null>;
    readonly findOneMine: Find<T, Item<T> | null>;
    insert(item: T, permission?: Permission | null): CloudPromise<Item<T>>;
    /** Of all items that match and that the caller may write. */
    updatePermission(
        criteria: Wanted<T> | undefined,
        permission: Permission,
        options?: PermissionOptions | null
    ): Result<"Collection.updatePermission">;
}

export interface CollectionMaker {
    new <T = Properties>(name: string): Collection<T>;
    <T = Properties>(name: string): Collection<T>;
}

export interface CollectionItemMaker {
    new <T = Properties>(item: T, collection: { readonly name: string }): Item<T>;
    <T = Properties>(item: T, collection: { readonly name: string }): Item<T>;
}
