"""The settings of a mail template, and the templates that are built in: of each in each language."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jsonrpc_backend.config.fields import required, setting
from jsonrpc_backend.config.problems import Problem, suggestion
from jsonrpc_backend.config.rules import ONE_LINE, address_or_empty, sender, text

PLACEHOLDER = re.compile(r"%([a-zA-Z][a-zA-Z0-9_]*)%")
RESET_TOKEN = "PASSWORD_RESET_TOKEN"  # noqa: S105 (a placeholder)
RESET_PLACEHOLDERS = [RESET_TOKEN, "USERNAME"]
ADDRESS_PLACEHOLDERS = ["USERNAME", "PROPERTY_NAME", "NEW_ADDRESS", "COUNTS_FROM"]  # of ADDRESS_CHANGED
TEMPLATE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class MailTemplateConfig:
    subject: str = required(text("one line of text", ONE_LINE), "Subject of the mail.")
    sender: str = required(sender(), "Sender's address.", key="from")
    body: str = setting(
        "",
        text(),
        "Text of the mail. %PASSWORD_RESET_TOKEN% stands for the token, %USERNAME% for the username, %name% for what"
        " Mailer.sendMail is given under that name, else for the user's property.",
    )
    body_file: str = setting(
        "", text("the path of a file"), "File with the text, instead of body; relative to the configuration's folder."
    )
    bcc: str = setting("", address_or_empty(), "Address that gets a blind copy; empty: none.")

    @property
    def has_token(self) -> bool:
        """Whether it is of use for the reset of a password."""
        return f"%{RESET_TOKEN}%" in self.body


DEFAULT_TEMPLATE = "send_password_token"

RESET_MAIL = MailTemplateConfig(
    subject="Your password reset code",
    sender="no-reply@localhost",
    body="""\
Hello,

somebody, probably you, asked to reset the password of your account.
To choose another one, enter this code in the app:

    %PASSWORD_RESET_TOKEN%

If it was not you, ignore this mail: your password stays as it is.
""",
)

# Sent to the address before when another one is saved; about all others to that by which a password is reset.
ADDRESS_CHANGED = "address_changed"

# Of mailings to users who were moved in without a password.
WELCOME_BACK = "welcome_back"

BUILT_IN_TEMPLATES: Mapping[str, Mapping[str, MailTemplateConfig]] = {
    "en": {
        DEFAULT_TEMPLATE: RESET_MAIL,
        ADDRESS_CHANGED: MailTemplateConfig(
            subject="Another mail address of your account",
            sender="no-reply@localhost",
            body="""\
Hello,

your account %USERNAME% has this mail address (%PROPERTY_NAME%) beside yours:

    %NEW_ADDRESS%

From %COUNTS_FROM% on, a new password can be asked for there.

If you want that, there is nothing to do. If that address is not yours, somebody else has been in your account. Before
that time, sign in with your password, change it, and enter your own address again. If you cannot sign in any more, ask
for a new password to be mailed to this address: that signs everybody else out.
""",
        ),
        WELCOME_BACK: MailTemplateConfig(
            subject="Your account has moved: choose a password",
            sender="no-reply@localhost",
            body="""\
Hello,

an app in which you have an account has moved to another server. Your account %USERNAME% has come along, your password
could not. To choose one, enter this code in the app, where it asks for the code of a forgotten password:

    %PASSWORD_RESET_TOKEN%

If the app says that the code has expired, ask there for another one. If you do not use the app any more, there is
nothing to do.
""",
        ),
    },
    "ja": {
        DEFAULT_TEMPLATE: MailTemplateConfig(
            subject="パスワード再設定のコード",
            sender="no-reply@localhost",
            body="""\
お使いのアカウントについて、パスワードの再設定が申し込まれました。
新しいパスワードを設定するには、次のコードをアプリに入力してください。

    %PASSWORD_RESET_TOKEN%

お心当たりがない場合は、このメールを無視してください。パスワードは変わりません。
""",
        ),
        ADDRESS_CHANGED: MailTemplateConfig(
            subject="アカウントのメールアドレスについて",
            sender="no-reply@localhost",
            body="""\
お使いのアカウント %USERNAME% に、このアドレスのほかに次のメールアドレスが %PROPERTY_NAME% として登録されています。

    %NEW_ADDRESS%

%COUNTS_FROM% 以降は、このアドレスでもパスワードを再設定できるようになります。

ご自身で登録された場合は、何もする必要はありません。お心当たりがない場合は、ほかの人がアカウントを操作しています。
上の日時までに、パスワードでログインしてパスワードを変更し、ご自身のアドレスを登録し直してください。
ログインできない場合は、このアドレス宛てにパスワードの再設定を申し込んでください。ほかの人はすべてログアウトされます。
""",
        ),
        WELCOME_BACK: MailTemplateConfig(
            subject="アカウント移行とパスワード設定のお知らせ",
            sender="no-reply@localhost",
            body="""\
アカウントをお持ちのアプリが、新しいサーバーに移りました。
アカウント %USERNAME% はそのまま引き継がれていますが、パスワードは引き継ぐことができませんでした。
新しいパスワードを設定するには、アプリの「パスワードを忘れた場合」の画面に、次のコードを入力してください。

    %PASSWORD_RESET_TOKEN%

コードの有効期限が切れている場合は、アプリで新しいコードを申し込んでください。
このアプリをもうお使いにならない場合は、何もする必要はありません。
""",
        ),
    },
}


def in_language(templates: Mapping[str, MailTemplateConfig], language: str) -> dict[str, MailTemplateConfig]:
    """Templates that are not set come in the backend's language, from the sender of its reset mails. Empty: English."""
    sender = templates[DEFAULT_TEMPLATE].sender
    return {
        name: dataclasses.replace(BUILT_IN_TEMPLATES[language or "en"][name], sender=sender)
        if template is BUILT_IN_TEMPLATES["en"].get(name)
        else template
        for name, template in templates.items()
    }


def problems_of(name: str, template: MailTemplateConfig, path: str) -> Iterator[Problem]:
    """What is wrong with the placeholders of a template of the server's own; in others they may be any."""
    if name not in BUILT_IN_TEMPLATES["en"]:
        return
    known = ADDRESS_PLACEHOLDERS if name == ADDRESS_CHANGED else RESET_PLACEHOLDERS
    needed = "%NEW_ADDRESS%" if name == ADDRESS_CHANGED else f"%{RESET_TOKEN}%"
    if needed not in template.body:
        yield Problem(f"{path}.body", f"does not contain {needed}")
    for placeholder in PLACEHOLDER.findall(template.subject + template.body):
        # Names of properties have no underscore, so this can only be a slip.
        if "_" in placeholder and placeholder not in known:
            yield Problem(path, f"%{placeholder}% is not a placeholder; {suggestion(placeholder, known)}")
