"""What is long over, and the statements that delete it: a batch at a time, found by an index.

Audit events are not here: they leave the chain whole seals at a time (`database/seals.py`).
"""

from dataclasses import dataclass
from datetime import timedelta

from watchword.database.connection import Transaction
from watchword.database.statement import Statement


@dataclass(frozen=True, slots=True)
class Bound:
    """Rows that may go once they are over for longer than `kept`."""

    statement: Statement
    kept: timedelta


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

# Codes that nobody redeemed; the others went then.
_CODES = Statement(
    """DELETE FROM authorization_code WHERE hash IN
    (SELECT hash FROM authorization_code WHERE expires_at < :now - :kept LIMIT :most)"""
)
# With a grant its family of refresh tokens goes. Access tokens live an hour at most, so none is left by then. The grant
# is looked up apart: in a join, the index over all grants without a session might be walked through.
_GRANTS_OF_DEAD_FAMILIES = Statement(
    """DELETE FROM authorization_grant WHERE id IN
    (SELECT refresh_family.grant_id FROM refresh_family WHERE refresh_family.expires_at < :now - :kept
        AND (SELECT session_id FROM authorization_grant WHERE id = refresh_family.grant_id) IS NULL LIMIT :most)"""
)
_FAMILIES = Statement(
    """DELETE FROM authorization_grant WHERE id IN
    (SELECT refresh_family.grant_id FROM refresh_family
        JOIN authorization_grant ON authorization_grant.id = refresh_family.grant_id
        WHERE refresh_family.expires_at < :now - :kept AND COALESCE(authorization_grant.session_id, '') = ''
        LIMIT :most)"""
)
_FAMILIES = Statement(
    """DELETE FROM refresh_family WHERE id IN
    (SELECT id FROM refresh_family WHERE expires_at < :now - :kept LIMIT :most)"""
)
# Grants that a family still lives on outlive their session.
_GRANTS_OF_DEAD_SESSIONS = Statement(
    """DELETE FROM authorization_grant WHERE id IN
    (SELECT authorization_grant.id FROM session
        JOIN authorization_grant ON authorization_grant.session_id = session.id
        WHERE session.expires_at < :now - :kept AND NOT EXISTS
            (SELECT 1 FROM refresh_family WHERE refresh_family.grant_id = authorization_grant.id) LIMIT :most)"""
)
_SESSIONS = Statement(
    """DELETE FROM session WHERE id IN
    (SELECT id FROM session WHERE expires_at < :now - :kept AND NOT EXISTS
        (SELECT 1 FROM authorization_grant WHERE authorization_grant.session_id = session.id AND NOT EXISTS
            (SELECT 1 FROM refresh_family WHERE refresh_family.grant_id = authorization_grant.id)) LIMIT :most)"""
)
# Their tokens are refused by their own expiry from then on.
_REVOKED_TOKENS = Statement(
    """DELETE FROM revoked_token WHERE jti IN
    (SELECT jti FROM revoked_token WHERE expires_at < :now - :kept LIMIT :most)"""
)
_DEAD_JOBS = Statement(
    """DELETE FROM outbox WHERE id IN
    (SELECT id FROM outbox WHERE state = 'dead' AND available_at < :now - :kept LIMIT :most)"""
)
_GUESSES = Statement("DELETE FROM guess WHERE id IN (SELECT id FROM guess WHERE at < :now - :kept LIMIT :most)")
_BUDGETS = Statement(
    """DELETE FROM guess_budget WHERE tag IN
    (SELECT tag FROM guess_budget WHERE charged_at < :now - :kept LIMIT :most)"""
)
_INITIAL_ACCESS_TOKENS = Statement(
    """DELETE FROM initial_access_token WHERE id IN
    (SELECT id FROM initial_access_token WHERE expires_at < :now - :kept LIMIT :most)"""
)
_DEVICES = Statement(
    "DELETE FROM device WHERE id IN (SELECT id FROM device WHERE expires_at < :now - :kept LIMIT :most)"
)
_REPLICAS = Statement(
    "DELETE FROM replica WHERE id IN (SELECT id FROM replica WHERE seen_at < :now - :kept LIMIT :most)"
)

BOUNDS = {
    "authorization codes": Bound(_CODES, _HOUR),
    "grants of dead families": Bound(_GRANTS_OF_DEAD_FAMILIES, _DAY),
    "refresh families": Bound(_FAMILIES, 2 * _DAY),  # later, so that none leaves before its grant could be found by it
    "grants of dead sessions": Bound(_GRANTS_OF_DEAD_SESSIONS, 30 * _DAY),
    "sessions": Bound(_SESSIONS, 30 * _DAY),
    "revoked tokens": Bound(_REVOKED_TOKENS, _HOUR),
    "dead jobs": Bound(_DEAD_JOBS, 7 * _DAY),
    "guesses": Bound(_GUESSES, 31 * _DAY),
    "budgets of guesses": Bound(_BUDGETS, 31 * _DAY),
    "initial access tokens": Bound(_INITIAL_ACCESS_TOKENS, _DAY),
    "devices": Bound(_DEVICES, _DAY),
    "replicas": Bound(_REPLICAS, _HOUR),
}
"""By what they bound, in the order in which they run: what hangs on a row goes before it."""


async def forget(transaction: Transaction, bound: Bound, *, most: int) -> int:
    """Delete up to `most` rows that are over; returns how many. One statement."""
    return await transaction.execute(bound.statement, kept=bound.kept, most=most)
