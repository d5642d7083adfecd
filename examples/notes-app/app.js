/*
 * Notes with monaca.cloud.Collection: listed, searched, changed, and shared with everybody or with single users.
 */
(function () {
    "use strict";
    var PAGE = 20; // notes
    var LAST = "\udbff\udfff"; // no character comes after it

    var User; // monaca.cloud.User
    var notes; // the collection
    var listed = []; // the notes on the screen
    var page = 1; // how many pages of them
    var open = null; // the note that is shown; null: a new one
    var permission = {}; // of that one, as it will be saved

    function byId(id) {
        return document.getElementById(id);
    }

    function element(name, className, text) {
        var made = document.createElement(name);
        made.className = className;
        made.textContent = text;
        return made;
    }

    /** Other apps may have notes of other kinds in the same collection. */
    function textOf(value) {
        return typeof value === "string" ? value : "";
    }

    // --- who is signed in ---------------------------------------------------------------------------------

    /** The app starts: whoever was signed in last time is signed in again. */
    function start(settings) {
        monaca.cloud.configure({ url: settings.url, backendId: settings.backendId, apiKey: settings.apiKey });
        User = monaca.cloud.User;
        notes = monaca.cloud.Collection("notes");
        return User.autoLogin().then(showNotes, function (error) {
            if (error.code !== -32602 && error.code !== 13) {
                throw error; // the server cannot be reached, say
            }
            return User.isAuthenticated() ? signOut() : Page.show("sign-in");
        });
    }

    /**
     * Makes a call for the one who is signed in. A session ends when the app has not been used for a day: the login
     * token then opens a new one, and nobody notices.
     */
    function asUser(call) {
        return call().then(undefined, function (error) {
            if (error.code !== 11) {
                throw error;
            }
            return User.autoLogin().then(call, function (reason) {
                throw reason.code === -32602 || reason.code === 13 ? error : reason;
            });
        });
    }

    Page.onSubmit("sign-up-form", function (fields) {
        return User.register(fields.username.value, fields.password.value).then(showNotes);
    });

    Page.onSubmit("sign-in-form", function (fields) {
        return User.login(fields.username.value, fields.password.value).then(showNotes);
    });

    Page.onSubmit("sign-out-form", signOut);

    function signOut() {
        return User.logout().then(function () {
            showList([], 0);
            Page.show("sign-in");
            Page.tell("You are signed out.");
        });
    }

    // --- the list -----------------------------------------------------------------------------------------

    /** All notes, the newest change first. */
    function showNotes() {
        byId("search-form").reset();
        byId("own-id").textContent = User._oid;
        return search().then(
            function () {
                Page.show("notes");
            },
            function (error) {
                if (error.code !== -32602 || !error.data.collectionName) {
                    throw error;
                }
                Page.show("missing"); // no collection of this name
            }
        );
    }

    Page.onSubmit("missing-form", showNotes);

    function search() {
        page = 1;
        return find().then(function (result) {
            showList(result.items, result.totalItems);
            return result.totalItems;
        });
    }

    function find() {
        var fields = byId("search-form").elements;
        var options = { limit: PAGE, page: page };
        return asUser(function () {
            return fields.whose.value === "mine"
                ? notes.findMine(criteria(fields.text.value), "_updatedAt DESC", options)
                : notes.find(criteria(fields.text.value), "_updatedAt DESC", options);
        });
    }

    /** Each note has its title in lower case as `key`. Queries compare: what begins with a text comes after it. */
    function criteria(text) {
        var key = asKey(text);
        return key === "" ? null : monaca.cloud.Criteria("key >= ? && key < ?", [key, key + LAST]);
    }

    function asKey(title) {
        return title.trim().toLowerCase();
    }

    Page.onSubmit("search-form", function () {
        return search().then(function (total) {
            Page.tell(total === 1 ? "1 note found." : total + " notes found.");
        });
    });

    Page.onSubmit("more-form", function () {
        page += 1;
        return find().then(
            function (result) {
                showList(listed.concat(result.items), result.totalItems);
            },
            function (error) {
                page -= 1;
                throw error;
            }
        );
    });

    function showList(items, total) {
        listed = items;
        var list = byId("list");
        list.textContent = "";
        items.forEach(function (note) {
            var entry = document.createElement("li");
            entry.appendChild(noteButton(note));
            list.appendChild(entry);
        });
        byId("empty").hidden = items.length > 0;
        byId("more-form").hidden = items.length >= total;
    }

    function noteButton(note) {
        var button = element("button", "note", "");
        button.type = "button";
        button.translate = false; // the words are the user's own
        button.appendChild(element("span", "note-title", textOf(note.title)));
        var day = note._updatedAt.toLocaleDateString(document.documentElement.lang, { dateStyle: "medium" });
        var line = note.text ? day + " · " + textOf(note.text) : day;
        button.appendChild(element("span", "note-line", line));
        button.addEventListener("click", function () {
            open = note;
            Page.submit(byId("list-form"));
        });
        return button;
    }

    // --- one note -----------------------------------------------------------------------------------------

    Page.onSubmit("new-form", function () {
        open = null;
        permission = { public: "" };
        showNote(true);
        return Promise.resolve();
    });

    /** Only who may change a note is told its permission. */
    Page.onSubmit("list-form", function () {
        return asUser(function () {
            return open.getPermission();
        }).then(
            function (result) {
                permission = result.permission;
                showNote(true);
            },
            function (error) {
                if (error.code !== 14) {
                    throw error;
                }
                showNote(false);
            }
        );
    });

    function showNote(mayChange) {
        var fields = byId("note-form").elements;
        byId("note-form").reset();
        fields.title.value = open ? textOf(open.title) : "";
        fields.text.value = open ? textOf(open.text) : "";
        fields.everybody.value = mayChange ? permission["public"] : "";
        fields.title.readOnly = fields.text.readOnly = !mayChange;
        showPeople();
        byId("sharing").hidden = byId("note-form").querySelector("[type=submit]").hidden = !mayChange;
        byId("delete-form").hidden = !mayChange || !open;
        byId("read-only").hidden = mayChange;
        Page.show("note");
    }

    /** The users who have a right, each with a button that takes it away when the note is saved. */
    function showPeople() {
        var list = byId("people");
        list.textContent = "";
        Object.keys(permission).forEach(function (id) {
            if (id !== "public" && permission[id] !== "") {
                list.appendChild(personEntry(id));
            }
        });
    }

    function personEntry(id) {
        var entry = element("li", "person", "");
        var code = element("code", "", id);
        code.id = "person-" + id;
        code.translate = false;
        entry.appendChild(code);
        entry.appendChild(element("span", "", permission[id] === "r" ? "May read it" : "May read and change it"));
        var button = element("button", "link", "Take away");
        button.type = "button";
        button.setAttribute("aria-describedby", code.id);
        button.addEventListener("click", function () {
            permission[id] = "";
            showPeople();
            byId("note-person").focus();
        });
        entry.appendChild(button);
        return entry;
    }

    Page.onSubmit("note-form", function (fields) {
        var note = { title: fields.title.value.trim(), text: fields.text.value, key: asKey(fields.title.value) };
        var given = permissionOf(fields);
        return asUser(function () {
            return open ? change(note, given) : notes.insert(note, given);
        })
            .then(showNotes)
            .then(function () {
                Page.tell("The note is saved.");
            });
    });

    function permissionOf(fields) {
        var given = JSON.parse(JSON.stringify(permission));
        var person = fields.permission.value.trim();
        given["public"] = fields.everybody.value;
        if (person) {
            given[person] = fields.right.value;
        }
        return given;
    }

    function change(note, given) {
        open.title = note.title;
        open.text = note.text;
        open.key = note.key;
        return open.update().then(function () {
            return open.updatePermission(given);
        });
    }

    Page.onSubmit("delete-form", function () {
        return asUser(function () {
            return open.remove();
        })
            .then(showNotes)
            .then(function () {
                Page.tell("The note is deleted.");
            });
    });

    connect("monaca.cloud.js", start);
})();
