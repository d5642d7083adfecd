/*
 * Accounts with CB.CloudUser: sign up, log in, save, log out, delete.
 */
(function () {
    "use strict";

    function field(id) {
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
        return Promise.resolve();
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
        var fields = field("profile-form").elements;
        fields.email.value = user.email || "";
        fields.city.value = user.get("city") || "";
        field("signed-in-as").textContent = user.username;
        field("member-since").textContent = user.createdAt.toLocaleDateString("en", { dateStyle: "long" });
        Page.show("profile");
    }

    Page.onSubmit("profile-form", function (fields) {
        var user = CB.CloudUser.current;
        user.set("email", fields.email.value);
        user.set("city", fields.city.value);
        return user.save().then(function () {
            Page.tell("Your profile is saved.");
        });
    });

    Page.onSubmit("password-form", function (fields) {
        var user = CB.CloudUser.current;
        return user
            .changePassword(fields.oldPassword.value, fields.newPassword.value)
            .then(function () {
                user.set("password", fields.newPassword.value);
                return user.logIn(); // stays logged in: the login tokens for the old password have ended
            })
            .then(showProfile)
            .then(function () {
                Page.tell("Your password is changed.");
            });
    });

    Page.onSubmit("sign-out-form", function () {
        return CB.CloudUser.current.logOut().then(function () {
            Page.show("sign-in");
            Page.tell("You are logged out.");
        });
    });

    Page.onSubmit("delete-form", function (fields) {
        var user = CB.CloudUser.current;
        user.set("password", fields.password.value); // the server asks for it
        return user["delete"]().then(function () {
            Page.show("sign-in");
            Page.tell("Your account and all its data are deleted.");
        });
    });

    connect("cloudboost.js", start);
})();
