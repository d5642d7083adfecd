var LONGEST_TIMER = 2147483647; // ms; more, and a timer fires at once

/** Calls back after `ms`, if that is a time that timers can tell; returns a function that stops it. */
function startTimer(ms, callback) {
    var timer = ms > 0 && ms <= LONGEST_TIMER ? setTimeout(callback, ms) : null;
    return function () {
        clearTimeout(timer);
    };
}

export { startTimer };
