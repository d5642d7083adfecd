import type { Methods } from "./methods.mjs";

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

/** Works with and without `new`. */
export interface Maker<Params extends any[], T> {
    new (...params: Params): T;
    (...params: Params): T;
}

export type Properties = { [name: string]: any };
export type Result<M extends keyof Methods> = CloudPromise<Methods[M]["result"]>;
export type Params<M extends keyof Methods> = Methods[M]["params"];
