"""What a mail says: from a template and a user to a message on the wire."""

import email.utils
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from jsonrpc_backend.config.mail_templates import PLACEHOLDER, MailTemplateConfig
from jsonrpc_backend.config.rules import addresses_in

_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")

MAX_SUBJECT = 255  # characters; folding a header takes long, and nobody reads more of one


class MailTooLarge(Exception):
    """A mail would take more than it may, filled in."""


@dataclass(frozen=True, slots=True)
class Content:
    """A mail without its recipient: the template with its placeholders filled in."""

    sender: str
    bcc: str
    subject: str
    body: str

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, content: bytes) -> "Content":
        return cls(**json.loads(content))


def fill(template: MailTemplateConfig, values: Mapping[str, Any], most_bytes: float = math.inf) -> Content:
    """The template with each `%NAME%` replaced by its value: of a placeholder such as USERNAME, or a user's property.

    In one pass, so that a value cannot bring in another placeholder; what has no value is empty. Raises MailTooLarge
    where subject and text take more than so many bytes, before they do.
    """
    left = most_bytes - len((template.subject + template.body).encode())
    texts = {name: _as_text(values.get(name)) for name in PLACEHOLDER.findall(template.subject + template.body)}
    sizes = {name: len(text.encode()) for name, text in texts.items()}

    def replaced(found: re.Match[str]) -> str:
        nonlocal left
        left -= sizes[found[1]] - len(found[0])
        if left < 0:
            raise MailTooLarge
        return texts[found[1]]

    subject = _LINE_BREAKS.sub(" ", PLACEHOLDER.sub(replaced, template.subject))  # a header is one line
    body = PLACEHOLDER.sub(replaced, template.body)
    return Content(template.sender, template.bcc, _cut(subject), body)


def _cut(subject: str) -> str:
    return subject if len(subject) <= MAX_SUBJECT else subject[: MAX_SUBJECT - 1] + "…"


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def new_message_id(template: MailTemplateConfig) -> str:
    """A Message-ID in the sender's domain. It stays the same when a mail is sent again."""
    return email.utils.make_msgid(domain=sender_address(template.sender).domain)


def sender_address(sender: str) -> Address:
    """The address in a `from` such as `App <app@example.com>`; the configuration has been checked for one."""
    return addresses_in(sender)[0]


def compose(content: Content, *, recipient: Address, message_id: str, created_at: int) -> bytes:
    """The message as it is sent. `created_at`: ms since 1970 UTC. Blocking: a long text takes its time."""
    message = EmailMessage(policy=SMTP)
    message["From"] = content.sender
    message["To"] = recipient
    message["Subject"] = content.subject
    message["Date"] = email.utils.formatdate(created_at / 1000)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation replies, please
    # Every relay takes it, whatever the text's characters and the length of its lines.
    message.set_content(content.body, cte="quoted-printable")
    return message.as_bytes()
