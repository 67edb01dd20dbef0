"""What SNS sends by e-mail: to a mail server, if there is one to take it."""

from __future__ import annotations

import logging
import smtplib
from email.message import EmailMessage
from email.policy import SMTP

SENDER = "AWS Notifications <no-reply@sns.amazonaws.com>"
TIMEOUT_SECONDS = 10

LOG = logging.getLogger(__name__)


class Mail:
    """`server` is the host and port that take the mails by SMTP; while it is None, none is sent."""

    def __init__(self) -> None:
        self.server: tuple[str, int] | None = None

    def send(self, address: str, subject: str, text: str) -> None:
        """Send a mail; one that the server does not take is lost, as it would be on its way."""
        if self.server is None:
            return
        mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
        mail["From"], mail["To"], mail["Subject"] = SENDER, address, subject
        mail.set_content(text)
        try:
            with smtplib.SMTP(*self.server, timeout=TIMEOUT_SECONDS) as server:
                server.send_message(mail)
        except (smtplib.SMTPException, OSError) as refusal:
            LOG.warning("a mail is lost: %s did not get it: %s", address, refusal)
