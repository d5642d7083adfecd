/*
 * The example apps in Japanese, for those whose browser asks for it before English: puts translations in the place of
 * the English sentences that stand on the page or come onto it later, so that the other scripts know of one language.
 * `{}` stands for what is put into a sentence; what stands inside translate="no" is the user's own.
 */
(function () {
    "use strict";
    var TEXTS = {
        "Monaca example": "Monaca サンプル",
        "CloudBoost example": "CloudBoost サンプル",
        "Notes example": "メモ サンプル",
        "One moment …": "少しお待ちください…",
        "This page needs JavaScript.": "このページには JavaScript が必要です。",
        "Connect to your server": "サーバーに接続",
        "Start it with ": "サーバーは ",
        ": it prints what to enter here.": " で起動します。ここに入力する値が表示されます。",
        Address: "アドレス",
        "Such as http://127.0.0.1:8080, the beginning of the line “Endpoint”":
            "例: http://127.0.0.1:8080 (“Endpoint” の行の先頭)",
        "Backend id": "バックエンド ID",
        "API key": "API キー",
        Connect: "接続する",
        "Change the server": "サーバーを変更",
        "There is no server at this address. Start it with “python3 run.py serve --dev”, or check the address.":
            "このアドレスにサーバーがありません。「python3 run.py serve --dev」で起動するか、アドレスを確認してください。",
        "The server knows no backend of this id with this API key.":
            "この ID と API キーのバックエンドはサーバーにありません。",
        "Sign in": "ログイン",
        "Log in": "ログイン",
        "Email address": "メールアドレス",
        Username: "ユーザー名",
        Password: "パスワード",
        "Forgotten your password?": "パスワードを忘れた場合",
        "New here? Sign up": "はじめての方は新規登録",
        "Sign up": "新規登録",
        "This is your username; codes for a new password go there.":
            "ユーザー名になります。パスワード再設定のコードもここに届きます。",
        "Nickname ": "ニックネーム",
        Nickname: "ニックネーム",
        "(optional)": "(任意)",
        "Already have an account? Sign in": "アカウントをお持ちの方はログイン",
        "Already have an account? Log in": "アカウントをお持ちの方はログイン",
        "Forgotten password": "パスワードを忘れた場合",
        "We send a code to your email address. With it you choose a new password.":
            "メールアドレスにコードを送ります。そのコードで新しいパスワードを設定できます。",
        "Send the code": "コードを送る",
        "I have a code": "コードを入力する",
        "Back to sign in": "ログインに戻る",
        "New password": "新しいパスワード",
        "Code from the mail": "メールに書かれたコード",
        "Change password and sign in": "パスワードを変更してログイン",
        "During development mails are shown by the server:": "開発中は、メールをサーバーが表示します:",
        "open the mails": "メールを開く",
        "Send another code": "コードをもう一度送る",
        "Your profile": "プロフィール",
        "Signed in as ": "ログイン中: ",
        "Logged in as ": "ログイン中: ",
        ", member since ": "、登録日 ",
        Age: "年齢",
        Note: "メモ",
        City: "市区町村",
        Save: "保存",
        "Sign out": "ログアウト",
        "Log out": "ログアウト",
        "Vote for the next meeting": "次の集まりの場所に投票",
        "Where do we meet?": "集まる場所",
        "Nobody has named a place yet.": "場所はまだありません。",
        "Another place": "別の場所",
        "Add it": "追加する",
        "Vote ({})": "投票 ({})",
        "Change password": "パスワードを変更",
        "Delete account": "アカウントを削除",
        "Old password": "現在のパスワード",
        "Back to your profile": "プロフィールに戻る",
        "Your account and all its data will be gone for good.":
            "アカウントとすべてのデータが削除されます。元に戻すことはできません。",
        "Delete my account": "アカウントを削除する",
        "One step is missing": "あと一歩です",
        "Only the operator of a server can make a collection. In the folder of the server:":
            "コレクションを作れるのはサーバーの運営者だけです。サーバーのフォルダーで次を実行します:",
        "Try again": "もう一度試す",
        Notes: "メモ",
        "New note": "新しいメモ",
        "Title begins with": "タイトルの先頭",
        Whose: "だれのメモ",
        All: "すべて",
        Mine: "自分のもの",
        Search: "検索",
        "There are no notes here.": "メモはありません。",
        More: "もっと見る",
        "Others share a note with you by your id:": "ほかの人は、この ID であなたとメモを共有できます:",
        "1 note found.": "1 件見つかりました。",
        "{} notes found.": "{} 件見つかりました。",
        "You may read this note, but not change it.": "このメモは読めますが、変更はできません。",
        Title: "タイトル",
        Text: "本文",
        "Who else": "共有",
        Everybody: "全員",
        "May not see it": "見られない",
        "May read it": "読める",
        "May read and change it": "読んで変更できる",
        "One more person, by id ": "共有する相手の ID ",
        "The other one finds it at the end of the notes.": "相手のメモ一覧の最後に表示されています。",
        "This person": "その人は",
        "Take away": "取り消す",
        Delete: "削除",
        "Back to the notes": "メモ一覧に戻る",
        "The note is saved.": "メモを保存しました。",
        "The note is deleted.": "メモを削除しました。",
        "You are signed out.": "ログアウトしました。",
        "You are logged out.": "ログアウトしました。",
        "Your profile is saved.": "プロフィールを保存しました。",
        "Your password is changed.": "パスワードを変更しました。",
        "If {} has an account, a mail with a code is on its way.":
            "{} のアカウントがあれば、コードを書いたメールが届きます。",
        "Your account and all its data are deleted.": "アカウントとすべてのデータを削除しました。",
        "You are not signed in any more. Please sign in again.":
            "ログインの有効期限が切れました。もう一度ログインしてください。",
        "The server does not know this app. Its API key may have changed.":
            "サーバーにこのアプリが登録されていません。API キーが変わった可能性があります。",
        "Too many attempts. Try again in {} seconds.": "試行回数が多すぎます。{}秒後にもう一度お試しください。",
        "Too many attempts. Try again in {} minutes.": "試行回数が多すぎます。{}分後にもう一度お試しください。",
        "The server takes too long to answer. Please try again.":
            "サーバーの応答に時間がかかっています。もう一度お試しください。",
        "The server cannot be reached. Check the connection and try again.":
            "サーバーに接続できません。通信状況を確認して、もう一度お試しください。",
        "You have no right to do that.": "その操作をする権限がありません。",
        "Something went wrong (error {}). Please try again later.":
            "問題が発生しました(エラー {})。しばらくしてからもう一度お試しください。"
    };

    function readsJapanese() {
        var languages = navigator.languages || [navigator.language];
        for (var i = 0; i < languages.length; i += 1) {
            var language = languages[i].split("-")[0];
            if (language === "ja" || language === "en") {
                return language === "ja";
            }
        }
        return false;
    }

    /** The translation, or undefined. */
    function translationOf(text) {
        if (Object.prototype.hasOwnProperty.call(TEXTS, text)) {
            return TEXTS[text];
        }
        var found;
        Object.keys(TEXTS).forEach(function (english) {
            var parts = english.split("{}");
            var hasPlace = parts.length === 2 && text.length > english.length - 2;
            if (hasPlace && text.indexOf(parts[0]) === 0 && text.slice(-parts[1].length) === parts[1]) {
                found = TEXTS[english].replace("{}", function () {
                    return text.slice(parts[0].length, -parts[1].length);
                });
            }
        });
        return found;
    }

    function isLeftAlone(node) {
        for (var element = node.parentNode; element; element = element.parentNode) {
            if (/^(SCRIPT|STYLE|CODE|TEXTAREA)$/.test(element.nodeName) || element.translate === false) {
                return true;
            }
        }
        return false;
    }

    function translate(node) {
        if (node.nodeType !== Node.TEXT_NODE) {
            Array.prototype.forEach.call(node.childNodes, translate);
            return;
        }
        var translation = translationOf(node.data.replace(/\s+/g, " ")) || translationOf(node.data.trim());
        if (translation !== undefined && !isLeftAlone(node)) {
            node.data = translation;
        }
    }

    if (readsJapanese()) {
        document.documentElement.lang = "ja";
        translate(document.documentElement);
        new MutationObserver(function (changes) {
            changes.forEach(function (change) {
                Array.prototype.forEach.call(change.addedNodes, translate);
                if (change.type === "characterData") {
                    translate(change.target);
                }
            });
        }).observe(document.documentElement, { subtree: true, childList: true, characterData: true });
    }
})();
