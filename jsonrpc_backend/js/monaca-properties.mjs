import { has } from "./objects.mjs";

/** The functions for properties of the user or of the device; `kind` begins the names of their methods. */
function propertiesOf(kind, call) {
    function getProperties(names) {
        return call(kind + ".getProperties", { names: names }).then(function (result) {
            return result.properties;
        });
    }

    return {
        getProperty: function (name) {
            if (typeof name !== "string") {
                return call(kind + ".getProperty", { name: name }); // which says what is wrong with it
            }
            return getProperties([name]).then(function (found) {
                return has(found, name) ? found[name] : undefined;
            });
        },
        getProperties: getProperties,
        saveProperty: function (name, value) {
            return call(kind + ".saveProperty", { name: name, value: value });
        },
        saveProperties: function (properties) {
            return call(kind + ".saveProperties", { properties: properties });
        }
    };
}

export { propertiesOf };
