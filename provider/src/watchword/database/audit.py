"""The audit trail: one row an event, written in the transaction that made it happen."""

from typing import Any
from uuid import UUID

from watchword.database.connection import Transaction
from watchword.database.records import write_json
from watchword.database.statement import Statement

_INSERT = Statement(
    """INSERT INTO audit_event (name, at, account_id, client_id, session_id, request_id, address, detail)
    VALUES (:name, :now, :account_id, :client_id, :session_id, :request_id, :address, :detail)"""
)


async def add(
    transaction: Transaction,
    *,
    name: str,
    account_id: UUID | None,
    client_id: str | None,
    session_id: UUID | None,
    request_id: str,
    address: str,
    detail: dict[str, Any],
) -> None:
    """Write one event. One statement."""
    await transaction.execute(
        _INSERT,
        name=name,
        account_id=account_id,
        client_id=client_id,
        session_id=session_id,
        request_id=request_id,
        address=address,
        detail=write_json(detail),
    )
