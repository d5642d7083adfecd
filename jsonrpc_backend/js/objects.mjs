function has(object, name) {
    return Object.prototype.hasOwnProperty.call(object, name);
}

function copy(target, source) {
    Object.keys(source).forEach(function (name) {
        target[name] = source[name];
    });
    return target;
}

export { copy, has };
