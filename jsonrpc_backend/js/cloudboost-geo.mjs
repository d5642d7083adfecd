import { CloudError } from "./errors.mjs";

var EARTH_RADIUS = { km: 6371, miles: 3959 };

var MOST = { longitude: 180, latitude: 90 };

function isInRange(name, value) {
    return value !== null && value !== "" && Math.abs(Number(value)) <= MOST[name];
}

function inRange(name, value) {
    var most = MOST[name];
    if (!isInRange(name, value)) {
        var sentence =
            "CB.CloudGeoPoint(longitude, latitude): " + name + " must be from -" + most + " to " + most + ".";
        throw new CloudError(-32602, sentence);
    }
    return Number(value);
}

/** A place, in degrees. Longitude comes first, as CloudBoost had it. */
function CloudGeoPoint(longitude, latitude) {
    this.document = { _type: "point" };
    this.set("longitude", longitude);
    this.set("latitude", latitude);
}

CloudGeoPoint.prototype = {
    constructor: CloudGeoPoint,

    get: function (name) {
        return this.document[name];
    },

    set: function (name, value) {
        if (name !== "longitude" && name !== "latitude") {
            throw new CloudError(-32602, "A CB.CloudGeoPoint has a longitude and a latitude, no " + name + ".");
        }
        this.document[name] = inRange(name, value);
    },

    distanceInKMs: function (other) {
        return this.distanceInRadians(other) * EARTH_RADIUS.km;
    },

    distanceInMiles: function (other) {
        return this.distanceInRadians(other) * EARTH_RADIUS.miles;
    },

    /** The angle between two places, by the haversine formula, which is exact for near ones too. */
    distanceInRadians: function (other) {
        var here = radians(this.latitude);
        var there = radians(other.latitude);
        var half = haversine(there - here);
        half += Math.cos(here) * Math.cos(there) * haversine(radians(other.longitude - this.longitude));
        return 2 * Math.asin(Math.min(1, Math.sqrt(half)));
    },

    toJSON: function () {
        return { _type: "point", longitude: this.longitude, latitude: this.latitude };
    }
};

["longitude", "latitude"].forEach(function (name) {
    Object.defineProperty(CloudGeoPoint.prototype, name, {
        get: function () {
            return this.get(name);
        },
        set: function (value) {
            this.set(name, value);
        }
    });
});

function radians(degrees) {
    return (degrees * Math.PI) / 180;
}

function haversine(angle) {
    var sine = Math.sin(angle / 2);
    return sine * sine;
}

/** Whether a plain value is one that a place is stored as. */
function isPlace(value) {
    return value._type === "point" && isInRange("longitude", value.longitude) && isInRange("latitude", value.latitude);
}

export { CloudGeoPoint, isPlace };
