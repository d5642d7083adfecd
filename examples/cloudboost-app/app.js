/*
 * Accounts with CB.CloudUser: sign up, log in, save, log out, delete. Then votes with CB.CloudObject and CB.CloudQuery:
 * rows of the table "votes" that everybody may read and change.
 */
(function () {
    "use strict";
    var me = null; // the CloudUser who is logged in

    function byId(id) {
        return document.getElementById(id);
    }

    /** The app starts: whoever was logged in last time still is. */
    function start(settings) {
        CB.CloudApp.init(settings.url, settings.backendId, settings.apiKey);
        if (CB.CloudUser.current) {
            showProfile(CB.CloudUser.current);
        } else {
            Page.show("sign-in");
        }
    }

    Page.onSubmit("sign-up-form", function (fields) {
        var user = new CB.CloudUser();
        user.set("username", fields.username.value);
        user.set("password", fields.password.value);
        user.set("email", fields.email.value);
        return user.signUp().then(showProfile);
    });

    Page.onSubmit("sign-in-form", function (fields) {
        var user = new CB.CloudUser();
        user.set("username", fields.username.value);
        user.set("password", fields.password.value);
        return user.logIn().then(showProfile);
    });

    function showProfile(user) {
        me = user;
        // So that nobody types it again, and password managers know whose password it is.
        ["sign-in-form", "password-form", "delete-form"].forEach(function (id) {
            byId(id).elements.username.value = user.username;
        });
        var fields = byId("profile-form").elements;
        fields.email.value = user.email || "";
        fields.city.value = user.get("city") || "";
        byId("signed-in-as").textContent = user.username;
        byId("member-since").textContent = user.createdAt.toLocaleDateString(document.documentElement.lang, {
            dateStyle: "long"
        });
        Page.show("profile");
    }

    Page.onSubmit("profile-form", function (fields) {
        me.set("email", fields.email.value);
        me.set("city", fields.city.value);
        return me.save().then(function () {
            Page.tell("Your profile is saved.");
        });
    });

    Page.onSubmit("password-form", function (fields) {
        return me
            .changePassword(fields.oldPassword.value, fields.newPassword.value)
            .then(showProfile)
            .then(function () {
                Page.tell("Your password is changed.");
            });
    });

    Page.onSubmit("sign-out-form", function () {
        return me.logOut().then(function () {
            Page.show("sign-in");
            Page.tell("You are logged out.");
        });
    });

    Page.onSubmit("delete-form", function (fields) {
        me.set("password", fields.password.value); // the server asks for it
        return me["delete"]().then(function () {
            Page.show("sign-in");
            Page.tell("Your account and all its data are deleted.");
        });
    });

    // --- votes: objects and a query -----------------------------------------------------------------------

    var chosen = null; // the place that the latest vote is for

    Page.onSubmit("votes-form", showVotes);

    function showVotes() {
        var query = new CB.CloudQuery("votes");
        query.orderByDesc("count");
        query.orderByAsc("name");
        return query.find().then(function (places) {
            var list = byId("places");
            list.textContent = "";
            places.forEach(function (place) {
                list.appendChild(placeItem(place));
            });
            byId("no-places").hidden = places.length > 0;
            Page.show("votes");
        });
    }

    function placeItem(place) {
        var item = document.createElement("li");
        var name = document.createElement("span");
        var button = document.createElement("button");
        name.textContent = place.get("name");
        name.setAttribute("translate", "no");
        button.type = "button";
        button.className = "quiet";
        button.textContent = "Vote (" + place.get("count") + ")";
        button.setAttribute("aria-label", "Vote for " + place.get("name") + ", " + place.get("count") + " so far");
        button.addEventListener("click", function () {
            chosen = place;
            Page.submit(byId("vote-form"));
        });
        item.appendChild(name);
        item.appendChild(button);
        return item;
    }

    Page.onSubmit("vote-form", function () {
        chosen.set("count", chosen.get("count") + 1);
        return chosen.save().then(showVotes);
    });

    Page.onSubmit("place-form", function (fields) {
        var place = new CB.CloudObject("votes");
        place.set("name", fields.name.value.trim());
        place.set("count", 1);
        return place
            .save()
            .then(showVotes)
            .then(function () {
                fields.name.value = "";
            });
    });

    connect("cloudboost.js", start);
})();
