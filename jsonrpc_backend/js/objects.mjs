function has(object, name) {
    return Object.prototype.hasOwnProperty.call(object, name);
}

/** Gives an object a member of any name; `__proto__` would be no member by an assignment. */
function put(target, name, value) {
    Object.defineProperty(target, name, { value: value, enumerable: true, configurable: true, writable: true });
}

function copy(target, source) {
    Object.keys(source).forEach(function (name) {
        put(target, name, source[name]);
    });
    return target;
}

export { copy, has, put };
