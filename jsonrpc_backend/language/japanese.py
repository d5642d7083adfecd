"""The sentences in `data` of errors, in Japanese.

The English sentence is the key; `{}` stands for what is put into it. What stands there is looked for in `PARTS`, and
left as it is when it is not there. A sentence that is missing here is sent in English: `python -m tests.translations`
lists those.
"""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    # --- params against their schema
    "{} is required.": "{}は必須です。",
    "There is no such parameter; known here: {}.": "このパラメーターはありません。使えるもの: {}",
    "{} must be at least {} character long.": "{}は{}文字以上にしてください。",
    "{} must be at least {} characters long.": "{}は{}文字以上にしてください。",
    "{} must not be longer than {} characters.": "{}は{}文字以内にしてください。",
    "{} must not be longer than {} bytes.": "{}は{}バイト以内にしてください。",
    "{} must not have more than {} elements.": "{}の要素は{}個までです。",
    "{} must not have more than {} entries.": "{}の項目は{}個までです。",
    "{} must be one of: {}.": "{}は次のいずれかにしてください: {}",
    "{} must be {} or more.": "{}は{}以上にしてください。",
    "{} must be {} or less.": "{}は{}以下にしてください。",
    "{} must be {}.": "{}は{}で指定してください。",
    "{} must not contain spaces, line breaks or invisible characters.": (
        "{}に空白、改行、目に見えない文字は使えません。"
    ),
    "{} must not contain spaces.": "{}に空白は使えません。",
    "{} must consist of the letters a-z and A-Z and digits, and start with a letter.": (
        "{}は半角英数字(a-z、A-Z、0-9)で、先頭は英字にしてください。"
    ),
    "{} must consist of the letters a-z and A-Z, digits and underscores, and start with a letter.": (
        "{}は半角英数字(a-z、A-Z、0-9)と下線(_)で、先頭は英字にしてください。"
    ),
    "{} must not contain a lone surrogate.": "{}に対になっていないサロゲートは使えません。",
    "{} must not contain the character U+0000.": "{}に文字 U+0000 は使えません。",
    "{} must not contain an integer of more than {} digits or a number out of range.": (
        "{}に{}桁を超える整数や範囲外の数値は使えません。"
    ),
    "{} is not valid ({}).": "{}が正しくありません({})。",
    "Params must be an object with named parameters.": ("params は名前付きパラメーターのオブジェクトにしてください。"),
    # --- users
    "Username is already taken.": "このユーザー名はすでに使われています。",
    "Username looks like another one that is taken.": "このユーザー名は、使用中のユーザー名とよく似ています。",
    "Username or password is incorrect.": "ユーザー名またはパスワードが違います。",
    "Password is incorrect.": "パスワードが違います。",
    "Old password is incorrect.": "現在のパスワードが違います。",
    "Login token is unknown, expired or was replaced; sign in with the password.": (
        "ログイントークンが無効か、期限切れか、新しいものに替わっています。パスワードでログインしてください。"
    ),
    "Token is wrong, used or expired; ask for another one.": (
        "トークンが違うか、使用済みか、期限切れです。もう一度発行してください。"
    ),
    "Auto-login is turned off for this backend.": "このバックエンドでは自動ログインが無効になっています。",
    "This cannot be used while signed in; sign out first.": ("ログイン中は使えません。先にログアウトしてください。"),
    "There is no such user.": "そのユーザーは存在しません。",
    "There is no user {}.": "ユーザー「{}」は存在しません。",
    "Give either a name or an address.": "名前かアドレスのどちらか一方を指定してください。",
    "Item query bind params are given without an item query to fill.": (
        "itemQueryBindParams がありますが、itemQuery がありません。"
    ),
    "Say to whom in one way: by userOidList, userQuery or deviceIdList.": (
        "送信先は userOidList、userQuery、deviceIdList のどれか1つで指定してください。"
    ),
    "This server sends no push notifications.": "このサーバーはプッシュ通知を送信しません。",
    "User query bind params are given without a user query to fill.": (
        "userQueryBindParams がありますが、userQuery がありません。"
    ),
    "Sort property must be the name of a property, or one of: {}.": (
        "sortProperty に使えるのは、プロパティの名前か次のいずれかです: {}"
    ),
    "Address must be an IP address, such as 192.0.2.1 or 2001:db8::1.": (
        "address は IP アドレス(例: 192.0.2.1、2001:db8::1)にしてください。"
    ),
    "The user has no such session.": "このユーザーにそのセッションはありません。",
    "The properties of {} must not take more than {} bytes.": "{}のプロパティは合計{}バイトまでです。",
    "The app has no disk space left for this; its operator can make some.": (
        "アプリの保存領域が足りません。アプリの運営者に連絡してください。"
    ),
    "A user must not have more than {} bytes of properties in the first {} minutes.": (
        "登録から{1}分間は、プロパティは合計{0}バイトまでです。"
    ),
    "The app has made as many calls in this month as it may.": "アプリがその月の呼び出しを使い切りました。",
    # --- mails
    "There is no such template of mails between users.": (
        "ユーザー間のメールに使えるテンプレートに、その名前のものはありません。"
    ),
    "The user has no mail address there.": "そのユーザーのメールアドレスがありません。",
    "Filled in with these the mail takes more than {} bytes.": "値を差し込むと、メールが{}バイトを超えます。",
    # --- collections
    "Collection not found.": "コレクションが見つかりません。",
    "Collection name is already taken.": "このコレクション名はすでに使われています。",
    "The name of a collection must consist of at most 64 of the letters a-z and A-Z, digits, _ and -, and start with a"
    " letter.": "コレクション名は64文字以内の半角英数字(a-z、A-Z、0-9)、_、- で、先頭は英字にしてください。",
    "Item not found.": "アイテムが見つかりません。",
    "Permission must have `public` or ids of users as its keys.": (
        "パーミッションのキーは `public` かユーザーの ID にしてください。"
    ),
    'Permission must give each of its keys "r", "w", "rw" or "".': (
        'パーミッションの値は "r"、"w"、"rw"、"" のいずれかにしてください。'
    ),
    "Permission must leave an item at most {} entries.": ("パーミッションの項目は、1つのアイテムにつき{}個までです。"),
    "Criteria must match fewer items: one call changes at most {}, and {} entries of theirs.": (
        "条件に合うアイテムが多すぎます。一度に変更できるのはアイテム{}個、その項目{}個までです。"
    ),
    "Bind params are given without criteria to fill.": "bindParams がありますが、criteria がありません。",
    "These items take more than {} bytes; ask for fewer of them, or for some of their properties.": (
        "アイテムの合計が{}バイトを超えます。件数を減らすか、必要なプロパティだけを指定してください。"
    ),
    "The search was given up after {} seconds; ask for something simpler, or let the operator add an index.": (
        "検索が{}秒で終わらないため中止しました。条件を簡単にするか、アプリの運営者にインデックスの追加を依頼してください。"
    ),
    "The search was given up after {} seconds; ask for something simpler, or raise management.search_seconds.": (
        "検索が{}秒で終わらないため中止しました。条件を簡単にするか、management.search_seconds を増やしてください。"
    ),
    "Each entry of order by must be a name, perhaps with ASC or DESC behind it.": (
        "orderBy には名前を書き、必要なら後ろに ASC か DESC を付けてください。"
    ),
    "Order by takes the name of a property, or one of: {}.": (
        "orderBy に使えるのは、プロパティの名前か次のいずれかです: {}"
    ),
    # --- queries
    "{} is wrong at position {}: {}.": "{}の{}文字目に誤りがあります: {}。",
    "{} must have one value for each `?` of the query: {}, not {}.": (
        "{}には、クエリーの `?` と同じ数の値が必要です(必要: {}個、指定: {}個)。"
    ),
    "{} must have an array as value {}, which stands for what IN or NIN compares with.": (
        "{}の{}番目の値は IN / NIN で比べる値なので、配列にしてください。"
    ),
    "{} must not have an array or object as (or inside) value {}, but for IN or NIN an array.": (
        "{}の{}番目の値に配列やオブジェクトは使えません(IN / NIN の配列を除く)。"
    ),
    "{} must not have U+0000 in value {}.": "{}の{}番目の値に文字 U+0000 は使えません。",
}

PARTS: Mapping[str, str] = {
    # --- parameters, as sentences begin with them
    "Username": "ユーザー名",
    "New username": "新しいユーザー名",
    "Password": "パスワード",
    "Old password": "現在のパスワード",
    "New password": "新しいパスワード",
    "Login token": "ログイントークン",
    "Token": "トークン",
    "Properties": "プロパティ",
    "Property names": "プロパティの名前",
    "Name": "名前",
    "Names": "名前の一覧",
    "Value": "値",
    "Options": "オプション",
    "Template name": "テンプレート名",
    "Email property name": "メールアドレスのプロパティ名",
    "Collection name": "コレクション名",
    "Criteria": "条件(criteria)",
    "Bind params": "bindParams",
    "User query": "userQuery",
    "Item query": "itemQuery",
    "Item query bind params": "itemQueryBindParams",
    "User query bind params": "userQueryBindParams",
    "Order by": "orderBy",
    "Item": "アイテム",
    "Item oid": "アイテムの ID",
    "Data": "データ",
    "Permission": "パーミッション",
    "Limit": "件数(limit)",
    "Page": "ページ(page)",
    "User oid": "ユーザーの ID",
    "Substitute params": "差し込む値",
    "Element {} of {}": "{1}の要素 {0} ",
    "a user": "ユーザー",
    "an item": "アイテム",
    "a device": "デバイス",
    # --- types
    "a string": "文字列",
    "an object": "オブジェクト",
    "an array": "配列",
    "an integer": "整数",
    "a number": "数値",
    "true or false": "true か false ",
    "null": "null ",
    "a string, or an array of strings": "文字列か文字列の配列",
    "an array of names, or a string": "名前の配列か文字列",
    # --- what is wrong with a query
    "this number is out of range": "数値が範囲外です",
    "this number cannot be read": "数値として読めません",
    "this string does not end": "文字列が閉じられていません",
    "strings are written in double quotes": "文字列は二重引用符で囲んでください",
    "this character has no meaning here": "ここでは使えない文字です",
    "this string has an escape that JSON does not know": "JSON にないエスケープが文字列にあります",
    "this string holds U+0000 or a lone surrogate": "U+0000 か対になっていないサロゲートが文字列にあります",
    "a query cannot be longer than {} characters": "クエリーは{}文字までです",
    "conditions are more than {} levels deep": "条件の入れ子は{}段までです",
    "parentheses are more than {} deep": "括弧の入れ子は{}段までです",
    "there are more than {} comparisons": "比較は{}個までです",
    "arrays have more than {} elements": "配列の要素は合わせて{}個までです",
    "an array can only be compared by IN or NIN": "配列は IN か NIN でだけ比べられます",
    "there is no bind param for this `?`, which is number {}": "{}番目の `?` に対応する bindParams がありません",
    "there is no field `{}`; known here: {}": "フィールド `{}` はありません。使えるもの: {}",
    "expected {}, found {}": "{}が必要ですが、{}があります",
    "`&&`, `||` or the end": "`&&`、`||`、または終わり",
    "`)`, `&&` or `||`": "`)`、`&&`、または `||` ",
    "the name of a field, `(` or `!(`": "フィールドの名前、`(`、または `!(` ",
    "an operator": "演算子",
    "a value": "値",
    "an array or `?`": "配列か `?` ",
    "`,` or `]`": "`,` か `]` ",
    "the end": "終わり",
}
