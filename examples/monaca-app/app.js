/*
 * Accounts with monaca.cloud.User: every call that an app needs, one function each.
 */
(function () {
    "use strict";
    var User; // monaca.cloud.User
    var username = ""; // of the one who is signed in

    function byId(id) {
        return document.getElementById(id);
    }

    // --- who is signed in ---------------------------------------------------------------------------------

    /** The app starts: whoever was signed in last time is signed in again. */
    function start(settings) {
        monaca.cloud.configure({ url: settings.url, backendId: settings.backendId, apiKey: settings.apiKey });
        User = monaca.cloud.User;
        showMailPage(SETTINGS.mailPage);
        return User.autoLogin().then(signedIn, function (error) {
            if (error.code !== -32602 && error.code !== 13) {
                throw error; // the server cannot be reached, say
            }
            // Nobody was signed in, or the operator has turned auto-login off.
            return User.isAuthenticated() ? signOut() : Page.show("sign-in");
        });
    }

    function signedIn(result) {
        username = result.user._username;
        // So that nobody types it again, and password managers know whose password it is.
        ["sign-in-form", "forgot-form", "password-form", "delete-form"].forEach(function (id) {
            byId(id).elements.username.value = username;
        });
        return showProfile();
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

    // --- signing up, in and out ---------------------------------------------------------------------------

    Page.onSubmit("sign-up-form", function (fields) {
        return User.register(fields.username.value, fields.password.value, { nickname: fields.nickname.value }).then(
            signedIn
        );
    });

    Page.onSubmit("sign-in-form", function (fields) {
        return User.login(fields.username.value, fields.password.value).then(signedIn);
    });

    Page.onSubmit("sign-out-form", signOut);

    function signOut() {
        return User.logout().then(function () {
            Page.show("sign-in");
            Page.tell("You are signed out.");
        });
    }

    // --- the profile: properties of the user --------------------------------------------------------------

    function showProfile() {
        return asUser(function () {
            return User.getProperties(["nickname", "age", "note"]);
        }).then(function (properties) {
            var fields = byId("profile-form").elements;
            fields.nickname.value = properties.nickname || "";
            fields.age.value = typeof properties.age === "number" ? properties.age : "";
            fields.note.value = properties.note || "";
            byId("signed-in-as").textContent = username;
            Page.show("profile");
        });
    }

    Page.onSubmit("profile-form", function (fields) {
        return asUser(function () {
            return User.saveProperties({
                nickname: fields.nickname.value,
                age: fields.age.value === "" ? null : Number(fields.age.value),
                note: fields.note.value
            });
        }).then(function () {
            Page.tell("Your profile is saved.");
        });
    });

    // --- passwords ----------------------------------------------------------------------------------------

    Page.onSubmit("password-form", function (fields) {
        return asUser(function () {
            return User.updatePassword(fields.oldPassword.value, fields.newPassword.value);
        })
            .then(showProfile)
            .then(function () {
                Page.tell("Your password is changed.");
            });
    });

    Page.onSubmit("forgot-form", function (fields) {
        return User.sendPasswordResetToken(fields.username.value).then(function () {
            byId("reset-username").value = fields.username.value;
            Page.show("reset");
            Page.tell("If " + fields.username.value + " has an account, a mail with a code is on its way.");
        });
    });

    Page.onSubmit("reset-form", function (fields) {
        return User.resetPasswordAndLogin(fields.username.value, fields.newPassword.value, fields.token.value.trim())
            .then(signedIn)
            .then(function () {
                Page.tell("Your password is changed.");
            });
    });

    /** During development the mail is not sent but shown by the server. */
    function showMailPage(address) {
        byId("mail-page").hidden = !address;
        byId("mail-link").href = address || "";
    }

    // --- the end ------------------------------------------------------------------------------------------

    Page.onSubmit("delete-form", function (fields) {
        return asUser(function () {
            return User.unregister(fields.password.value);
        }).then(function () {
            Page.show("sign-in");
            Page.tell("Your account and all its data are deleted.");
        });
    });

    connect("monaca.cloud.js", start);
})();
