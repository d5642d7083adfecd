/*
 * What every page of forms needs: one view at a time, a message, and errors beside the fields that caused them.
 *
 * A view is a <section class="view"> with an <h1 tabindex="-1">. A field is named as the parameter that it is for, so an
 * error of the server, {"username": "Username is already taken."}, finds it; its label comes before it.
 */
// biome-ignore lint/correctness/noUnusedVariables: the other scripts use it
var Page = (function () {
    "use strict";
    var appName = document.title;

    function each(list, work) {
        Array.prototype.forEach.call(list, work);
    }

    // --- views and messages -------------------------------------------------------------------------------

    function show(id) {
        each(document.querySelectorAll(".view"), function (view) {
            view.hidden = view.id !== id;
        });
        each(document.querySelectorAll("#" + id + " form"), clearErrors);
        tell("");
        var heading = document.querySelector("#" + id + " h1");
        document.title = heading.textContent + " – " + appName;
        window.scrollTo(0, 0);
        heading.focus();
    }

    /** Says that something has been done. */
    function tell(text) {
        document.getElementById("notice").textContent = text;
        document.getElementById("problem").textContent = "";
    }

    /** Says that something went wrong; screen readers interrupt what they are reading. */
    function warn(text) {
        document.getElementById("notice").textContent = "";
        document.getElementById("problem").textContent = text;
    }

    // --- errors -------------------------------------------------------------------------------------------

    function showError(form, error) {
        if (error.code === -32602) {
            showFieldErrors(form, error.data);
        } else if (error.code === 11) {
            show("sign-in");
            warn("You are not signed in any more. Please sign in again.");
        } else {
            warn(inWords(error));
        }
    }

    function inWords(error) {
        var data = error.data || {};
        switch (error.code) {
            case 4:
                return "The server does not know this app. Its API key may have changed.";
            case 13:
                return data.reason;
            case 14:
                return "You have no right to do that.";
            case 9999:
                return "Too many attempts. Try again in " + waitingTime(data.retryAfter) + ".";
            case -11:
                return "The server takes too long to answer. Please try again.";
            case -13:
                return "The server cannot be reached. Check the connection and try again.";
            default:
                console.error(error);
                return "Something went wrong (error " + (error.code || error) + "). Please try again later.";
        }
    }

    function waitingTime(seconds) {
        return seconds < 90 ? seconds + " seconds" : Math.ceil(seconds / 60) + " minutes";
    }

    /** Puts each sentence beside its field and moves to the first one; what has no field here becomes a message. */
    function showFieldErrors(form, sentences) {
        var others = [];
        Object.keys(sentences).forEach(function (name) {
            var field = form.elements[name.split(".").pop()]; // "properties.email" is about the field "email"
            if (field) {
                markField(field, sentences[name]);
            } else {
                others.push(sentences[name]);
            }
        });
        if (others.length > 0) {
            warn(others.join(" "));
        }
        var first = form.querySelector("[aria-invalid]");
        if (first) {
            first.focus();
        }
    }

    function markField(field, sentence) {
        var note = document.createElement("p");
        note.id = field.id + "-error";
        note.className = "error";
        note.textContent = sentence;
        field.parentNode.insertBefore(note, field.nextSibling);
        field.setAttribute("aria-invalid", "true");
        field.setAttribute("aria-describedby", describedBy(field, note.id));
    }

    function describedBy(field, errorId) {
        var hint = document.getElementById(field.id + "-hint");
        return (errorId + " " + (hint ? hint.id : "")).trim();
    }

    function clearErrors(form) {
        each(form.querySelectorAll(".error"), function (note) {
            note.parentNode.removeChild(note);
        });
        each(form.querySelectorAll("[aria-invalid]"), function (field) {
            field.removeAttribute("aria-invalid");
            field.setAttribute("aria-describedby", describedBy(field, ""));
        });
    }

    // --- forms --------------------------------------------------------------------------------------------

    /** What the browser itself finds wrong: an empty field that is required, an address without @ … */
    function browserErrors(form) {
        var sentences = {};
        each(form.elements, function (field) {
            if (field.willValidate && !field.validity.valid) {
                sentences[field.name] = field.validationMessage;
            }
        });
        return sentences;
    }

    /** No button does anything while a call runs. The one that was used gets the focus back if it has lost it. */
    function setBusy(isBusy) {
        document.querySelector("main").setAttribute("aria-busy", String(isBusy));
        each(document.querySelectorAll("button"), function (button) {
            button.disabled = isBusy;
        });
    }

    function submit(form) {
        var button = document.activeElement;
        tell("");
        clearErrors(form);
        var errors = browserErrors(form);
        if (Object.keys(errors).length > 0) {
            showFieldErrors(form, errors);
            return;
        }
        setBusy(true);
        run(form).then(
            function () {
                setBusy(false);
                each(form.querySelectorAll("[type=password]"), function (field) {
                    field.value = "";
                });
                focusAgain(button);
            },
            function (error) {
                setBusy(false);
                focusAgain(button);
                showError(form, error);
            }
        );
    }

    /** A promise of what the form's work comes to, also where the work throws at once. */
    function run(form) {
        return new Promise(function (resolve) {
            resolve(works[form.id](form.elements));
        });
    }

    function focusAgain(button) {
        if (document.activeElement === document.body) {
            button.focus();
        }
    }

    var works = {};

    /** Calls `work(fields)` when the form is submitted; the promise that it returns decides what is shown. */
    function onSubmit(formId, work) {
        var form = document.getElementById(formId);
        works[formId] = work;
        form.noValidate = true; // the browser's bubbles; the same sentences appear beside the fields
        form.addEventListener("submit", function (event) {
            event.preventDefault();
            submit(form);
        });
    }

    // <button data-show="sign-up"> goes to another view.
    document.addEventListener("click", function (event) {
        var target = event.target.getAttribute("data-show");
        if (target) {
            show(target);
        }
    });

    return { show: show, tell: tell, onSubmit: onSubmit, submit: submit };
})();
