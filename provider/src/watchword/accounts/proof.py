"""The proof that somebody holds an identifier. `login` produces it, accounts and sessions take it."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from watchword.accounts.masking import mask_identifier
from watchword.delivery.message import Channel


@dataclass(frozen=True, slots=True)
class Identifier:
    """An address or number in canonical form; `display` is how the person wrote it, tidied up."""

    kind: Literal["email", "phone"]
    value: str = field(repr=False)
    display: str = field(repr=False)

    @property
    def masked(self) -> str:
        """How it may appear in logs, events and elsewhere."""
        return mask_identifier(self.kind, self.value)


@dataclass(frozen=True, slots=True)
class Proof:
    """An identifier somebody just proved, by which channel, and the hash of what was spent for it.

    `guess_id` is the charge of the guess that was right, None where none was charged; whoever makes something of the
    proof hands it back.
    """

    identifier: Identifier
    channel: Channel
    origin: bytes = field(repr=False)
    guess_id: UUID | None = None

    @property
    def amr(self) -> tuple[str, ...]:
        """How it was proved: `otp`, and the channel where that was not email.

        `sms` is a registered value (RFC 8176 section 2). The registry knows no word for a messenger, and `sms` would be
        untrue of one, so WhatsApp is told by a word of ours.
        """
        return ("otp",) if self.channel is Channel.EMAIL else ("otp", self.channel.value)
