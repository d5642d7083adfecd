/**
 * The pages in Japanese, for browsers that ask for it before English: puts translations in the place of the English
 * sentences that stand on a page or come onto it later, so that no other script knows of languages. `{}` stands for
 * what is put into a sentence. What methods say of themselves comes from their schemas, in English.
 */

const TEXTS = {
    // every page
    "Start page": "スタートページ",
    "Copy": "コピー",
    "Copied.": "コピーしました。",
    "Selected; press Ctrl+C to copy.": "選択しました。Ctrl+C でコピーしてください。",
    "This page is there with ": "このページがあるのは ",
    " only.": " のときだけです。",
    // the start page
    "jsonrpc-backend in development": "jsonrpc-backend(開発用)",
    "Your server is running": "サーバーが動いています",
    "Reference": "リファレンス",
    "Every method, with a form to try it here and the same call as curl, Python and JavaScript.":
        "すべてのメソッドの説明です。フォームからその場で試せます。同じ呼び出しを curl、Python、JavaScript でも示します。",
    "Example apps": "サンプルアプリ",
    "Small pages to copy from: sign up, sign in, a profile, a forgotten password.":
        "コピーして使える小さなページ: 新規登録、ログイン、プロフィール、パスワードの再設定。",
    "Mails": "メール",
    "What the server mails, such as password reset tokens.":
        "パスワード再設定のトークンなど、サーバーが送るメールを表示します。",
    "Collections that an app asks for": "アプリが使おうとしたコレクション",
    "There are none of these names yet. This makes them, in a terminal; then the next call works.":
        "この名前のコレクションはまだありません。ターミナルで次を実行すると作成され、次の呼び出しから使えます。",
    "Backend ": "バックエンド ",
    "Endpoint": "エンドポイント",
    "Script tag": "script タグ",
    "The API key is shown to this machine only, on a server that is bound to 127.0.0.1.":
        "API キーは、127.0.0.1 で待ち受けるサーバーが、このマシンにだけ表示します。",
    "For programs: ": "プログラム用: ",
    "the OpenRPC document": "OpenRPC 文書",
    ".": "。",
    // the mails
    "Mails · jsonrpc-backend": "メール · jsonrpc-backend",
    "Mails of this server": "このサーバーのメール",
    "None yet. They appear here by themselves.": "まだありません。届くと自動的に表示されます。",
    "To {} · backend {} · ": "宛先 {} · バックエンド {} · ",
    "sent {}": "送信済み {}",
    "given up after {} attempt: {}": "{}回試して中止: {}",
    "given up after {} attempts: {}": "{}回試して中止: {}",
    "kept {}": "保管 {}",
    "waiting, {} attempt, last: {}": "送信待ち、{}回試行、最後の結果: {}",
    "waiting, {} attempts, last: {}": "送信待ち、{}回試行、最後の結果: {}",
    "waiting, {} attempts": "送信待ち、{}回試行",
    "The latest {} of each backend. This page is there with ":
        "バックエンドごとに最新の{}通です。このページがあるのは ",
    "A new mail.": "新しいメールが1通あります。",
    "{} new mails.": "新しいメールが{}通あります。",
    // the page for the code of a reset mail
    "Choose a new password": "新しいパスワードの設定",
    "This page needs JavaScript.": "このページには JavaScript が必要です。",
    "Username": "ユーザー名",
    "Code from the mail": "メールに書かれたコード",
    "New password": "新しいパスワード",
    "Save the new password": "新しいパスワードを保存",
    "Your password is changed. Sign in with it in the app.":
        "パスワードを変更しました。アプリで新しいパスワードを使ってログインしてください。",
    "That did not work; try again later.": "うまくいきませんでした。しばらくしてからもう一度お試しください。",
    // the reference: frame and connection
    "Methods": "メソッド",
    "Methods · jsonrpc-backend": "メソッド · jsonrpc-backend",
    "Skip to the content": "本文へ移動",
    "All methods": "すべてのメソッド",
    "Find a method": "メソッドを探す",
    "{} of {} methods": "{1}個中{0}個のメソッド",
    "Connection": "接続",
    "Sign out and forget": "ログアウトして消去",
    "Forget": "消去",
    "Kept in this tab only, until it is closed.": "このタブを閉じるまで、このタブにだけ保管します。",
    "Loading …": "読み込み中…",
    "This page needs JavaScript. Programs read ": "このページには JavaScript が必要です。プログラム用: ",
    "Backend id": "バックエンド ID",
    "The last part of the endpoint's address.": "エンドポイントのアドレスの末尾です。",
    "API key": "API キー",
    "Sent as __api_key. The server's operator has it; so does every copy of the app.":
        "__api_key として送ります。サーバーの運営者が知っており、アプリにも入っています。",
    "Device": "デバイス",
    "Sent as __device. Made up for this tab.": "__device として送ります。このタブのために作った値です。",
    "Session": "セッション",
    "Sent as __session once you are signed in.": "ログイン中は __session として送ります。",
    "Login token": "ログイントークン",
    "For User.autoLogin; each sign-in hands out another one.":
        "User.autoLogin で使います。ログインのたびに替わります。",
    "Management key": "管理キー",
    "For operators: opens their methods, which act on all users.":
        "運営者用: すべてのユーザーを扱うメソッドが使えるようになります。",
    "Signed out and forgotten.": "ログアウトして消去しました。",
    "Backend {} · not signed in · device {}": "バックエンド {} · 未ログイン · デバイス {}",
    "Backend {} · signed in as {} · session {} · device {}":
        "バックエンド {} · {} としてログイン中 · セッション {} · デバイス {}",
    // the reference: a method
    "Accounts": "アカウント",
    "Passwords": "パスワード",
    "Signing in": "ログイン",
    "Properties": "プロパティ",
    "Device properties": "デバイスのプロパティ",
    "Items": "アイテム",
    "Permissions": "パーミッション",
    "Collections": "コレクション",
    "Mail": "メール",
    "Discovery": "自己記述",
    "Answer": "応答",
    "Language": "言語",
    "password, token, …": "password、token、…",
    "For operators": "運営者用",
    "For operators: {}": "運営者用: {}",
    "Parameters": "パラメーター",
    "It has none of its own.": "固有のパラメーターはありません。",
    "Fill in the example": "例を入力",
    "Call it": "呼び出す",
    "Sent along from the connection above: ": "上の接続の値を一緒に送ります: ",
    "Sent along from the connection above: the management key. What it changes is changed.":
        "上の接続の管理キーを一緒に送ります。変更は実際に行われます。",
    "The same call": "同じ呼び出し",
    "Result": "結果",
    "Errors": "エラー",
    "For example ({}):": "例 ({}):",
    "Error {}: {}": "エラー {}: {}",
    "Answered in {} ms.": "応答時間 {} ミリ秒",
    "The session id came in the header ": "セッション ID はヘッダー ",
    " and is kept above.": " で届き、上に保管しました。",
    "Look at the mails": "メールを見る",
    " of this server: if there is such a user, the token is there in a moment.":
        " : そのユーザーがいれば、まもなくトークンが届きます。",
    "Of this method: ": "このメソッドでは: ",
    "A code of the app's own.": "アプリ独自のコードです。",
    "Sign in with {}": "{} でログイン",
    " first.": " してください。",
    "Enter the API key under the connection above.": "上の接続に API キーを入力してください。",
    "Enter the management key under the connection above.": "上の接続に管理キーを入力してください。",
    "not sent": "送らない",
    "Enter a number.": "数値を入力してください。",
    "Enter JSON: text in double quotes, a number, true, false, null, a list or an object.":
        "JSON を入力してください: 二重引用符で囲んだ文字列、数値、true、false、null、配列、オブジェクト。",
    "This is not JSON: {}. Text needs double quotes.": "JSON ではありません: {}。文字列は二重引用符で囲んでください。",
    "One of these": "いずれか1つ",
    "Any JSON; text in double quotes": "任意の JSON。文字列は二重引用符で囲みます",
    "Text": "文字列",
    "Text, {} to {} characters": "文字列、{}~{}文字",
    "Text, at most {} characters": "文字列、{}文字まで",
    "Text, at least {} characters": "文字列、{}文字以上",
    "Integer": "整数",
    "Integer, {} to {}": "整数、{}~{}",
    "Integer, at least {}": "整数、{}以上",
    'JSON: an object, such as {"age": 21}': 'JSON: オブジェクト。例: {"age": 21}',
    "There was no answer within {} s.": "{}秒以内に応答がありませんでした。",
    "The server could not be reached.": "サーバーに接続できませんでした。",
    "The answer came with HTTP {}.": "応答の HTTP ステータスは {} でした。",
    "The answer is not JSON.": "応答が JSON ではありません。",
    "Which backend? Enter its id above.": "バックエンドの ID を上に入力してください。",
    "The server describes no backend “{}”. Enter its id above.":
        "バックエンド「{}」の説明はありません。ID を上に入力してください。",
    "There is no such method": "そのメソッドはありません",
    "This server has no method ": "このサーバーにないメソッド: ",
    "Their methods are at an address of their own, where this page is not; the server's configuration has it.":
        "運営者用のメソッドは別のアドレスにあり、そこにこのページはありません。アドレスはサーバーの設定にあります。",
    "The server refuses the management key, or takes it from other addresses only.":
        "この管理キーは使えないか、このアドレスからは使えません。",
    "Enter a management key in the connection above, and their methods are listed too.":
        "上の接続に管理キーを入力すると、運営者用のメソッドも一覧に表示されます。",
};

// What stands there is data, in whatever language; `translate="no"` says the same of any other element.
const LEFT_ALONE = "code, pre, textarea, script, style, [translate=no]";

const patterns = Object.keys(TEXTS)
    .filter((text) => text.includes("{}"))
    .map((text) => [new RegExp(`^${text.split("{}").map(escaped).join("(.+?)")}$`, "s"), TEXTS[text]]);

function escaped(text) {
    return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function translated(text) {
    if (Object.hasOwn(TEXTS, text)) {
        return TEXTS[text];
    }
    for (const [pattern, translation] of patterns) {
        const found = pattern.exec(text);
        if (found) {
            let next = 0;
            return translation.replace(/\{(\d?)\}/g, (_, number) =>
                part(found[1 + (number ? Number(number) : next++)]),
            );
        }
    }
    return text;
}

const part = (text) => (Object.hasOwn(TEXTS, text) ? TEXTS[text] : text);

function translateIn(node) {
    if (node.nodeType === Node.TEXT_NODE) {
        translateText(node);
        return;
    }
    for (const element of node.parentNode ? node.parentNode.querySelectorAll("[aria-label], [placeholder]") : []) {
        translateAttributes(element);
    }
    const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        translateText(texts.currentNode);
    }
}

function translateText(node) {
    const text = node.data.replace(/\s+/g, " "); // as the HTML files break their lines
    if (node.parentElement && !node.parentElement.closest(LEFT_ALONE) && translated(text) !== text) {
        node.data = translated(text);
    }
}

function translateAttributes(element) {
    for (const name of ["aria-label", "placeholder"]) {
        const text = element.getAttribute(name);
        if (text && part(text) !== text) {
            element.setAttribute(name, part(text));
        }
    }
}

function translatePage() {
    document.documentElement.lang = "ja";
    translateIn(document.documentElement);
    new MutationObserver((changes) => {
        for (const { type, target, addedNodes } of changes) {
            (type === "characterData" ? [target] : addedNodes).forEach(translateIn);
        }
    }).observe(document.documentElement, { subtree: true, childList: true, characterData: true });
}

if (navigator.languages.map((each) => each.split("-")[0]).find((each) => each === "ja" || each === "en") === "ja") {
    translatePage();
}
