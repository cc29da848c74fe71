"""A real SMTP server for the mails of the service under test, and what it was given."""

import email
import email.policy
import re
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from processes import eventually, free_port

LINK = re.compile(r"^http://\S+$", re.MULTILINE)


class MailServer:
    """Takes every mail, but none for the addresses in `unknown`."""

    def __init__(self):
        self.taken: list[tuple[str, bytes]] = []
        self.unknown: set[str] = set()
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self._controller.start()
        self.url = f"smtp://127.0.0.1:{self._controller.port}"

    async def handle_RCPT(self, _server, _session, envelope: Envelope, address: str, options: list) -> str:
        if address in self.unknown:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope: Envelope) -> str:
        self.taken += [(address, envelope.content) for address in envelope.rcpt_tos]
        return "250 OK"

    def to(self, address: str, count: int = 1) -> list[EmailMessage]:
        """The mails to this address, oldest first, once there are as many."""

        def look() -> list[EmailMessage] | None:
            found = [content for to, content in self.taken if to == address]
            return found if len(found) >= count else None

        found = eventually(f"{count} mails to {address}", look, seconds=30)
        return [email.message_from_bytes(content, policy=email.policy.default) for content in found]

    def close(self) -> None:
        self._controller.stop()


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Its text and its HTML."""
    assert mail.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in mail.iter_parts()]
    assert kinds == ["text/plain", "text/html"], "the preferred last"
    return tuple(part.get_content() for part in mail.iter_parts())


def link(mail: EmailMessage) -> str:
    """The one link that its text holds, on a line of its own."""
    [found] = LINK.findall(mail.get_body(("plain",)).get_content().replace("\r\n", "\n"))
    return found
