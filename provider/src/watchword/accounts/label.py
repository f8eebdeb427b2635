"""How a page names the person who is signed in."""

from uuid import UUID

from watchword.accounts.masking import mask_identifier
from watchword.database import Reader, accounts


async def account_label(reader: Reader, account_id: UUID) -> str:
    """Return the account's oldest identifier, masked; empty when it has none. One statement."""
    identifiers = await accounts.identifiers_of(reader, account_id)
    return mask_identifier(*identifiers[0]) if identifiers else ""
