"""What a mail says: from a template and a user to a message on the wire."""

import email.utils
import json
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


def fill(template: MailTemplateConfig, values: Mapping[str, Any]) -> Content:
    """The template with each `%NAME%` replaced by its value: of a placeholder such as USERNAME, or a user's property.

    In one pass, so that a value cannot bring in another placeholder; what has no value is empty.
    """

    def replace(text: str) -> str:
        return PLACEHOLDER.sub(lambda found: _as_text(values.get(found[1])), text)

    subject = _LINE_BREAKS.sub(" ", replace(template.subject))  # a header is one line
    return Content(template.sender, template.bcc, subject, replace(template.body))


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


def compose(content: Content, *, recipient: Address, message_id: str, created_at: int) -> EmailMessage:
    """The message as it is sent. `created_at`: ms since 1970 UTC."""
    message = EmailMessage(policy=SMTP)
    message["From"] = content.sender
    message["To"] = recipient
    message["Subject"] = content.subject
    message["Date"] = email.utils.formatdate(created_at / 1000)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation replies, please
    # Every relay takes it, whatever the text's characters and the length of its lines.
    message.set_content(content.body, cte="quoted-printable")
    return message
