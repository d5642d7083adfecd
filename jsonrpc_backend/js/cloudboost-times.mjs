var LATEST = 8.64e15; // ms, by the language's standard

// 2016-11-23, 2016/11/23 10:30, 2016-11-23T10:30:00.000Z, … with blanks where people put them.
var TIME = new RegExp(
    "^\\s*(\\d{4})\\s*[-/]\\s*(\\d{1,2})\\s*[-/]\\s*(\\d{1,2})" +
        "(?:[T\\s]\\s*(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:\\.(\\d{1,3})\\d*)?)?)?\\s*(Z|[+-]\\d{2}:?\\d{2})?\\s*$"
);

/**
 * Milliseconds of a Date, a number or a text; undefined for what is no time. Read here, for WebViews read dates in different
 * ways. A text without a zone is UTC, as CloudBoost's servers took it.
 */
function millisecondsOf(value) {
    if (typeof value === "number" || value instanceof Date) {
        return isTime(Number(value)) ? Number(value) : undefined;
    }
    var found = typeof value === "string" && TIME.exec(value);
    if (!found) {
        return undefined;
    }
    var part = found.map(Number);
    var fraction = found[7] ? Number((found[7] + "00").slice(0, 3)) : 0;
    var time = Date.UTC(part[1], part[2] - 1, part[3], part[4] || 0, part[5] || 0, part[6] || 0, fraction);
    var isReal = new Date(Date.UTC(part[1], part[2] - 1, part[3])).getUTCDate() === part[3];
    return isReal ? time - zoneOf(found[8]) : undefined;
}

/** Whether a Date can have this number; not NaN, which an invalid one has. */
function isTime(number) {
    return Math.abs(number) <= LATEST;
}

function zoneOf(text) {
    if (!text || text === "Z") {
        return 0;
    }
    var minutes = Number(text.slice(1, 3)) * 60 + Number(text.slice(-2));
    return (text.charAt(0) === "-" ? -1 : 1) * minutes * 60000;
}

export { isTime, millisecondsOf };
