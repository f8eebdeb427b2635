"""The outbox job that sends a one-time code: it derives the code, renders the message and hands it to a gateway."""

from typing import Any
from urllib.parse import urlsplit

from watchword.delivery.message import Message
from watchword.delivery.render import Brand, CodeNotice, render_one_time_code
from watchword.login.asking import JOB
from watchword.login.challenge import Challenge, challenge_key, read_challenge
from watchword.login.guessing import CodeGone, expected_code
from watchword.messages import send
from watchword.outbox import Abandon, JobRunner, Lease
from watchword.services import Services

__all__ = ["JOB", "code_sender"]


def code_sender(services: Services) -> JobRunner:
    """Return what runs the jobs that `request_code` orders."""

    async def run(payload: dict[str, Any], lease: Lease) -> None:
        record = await services.ephemeral.get(challenge_key(payload["challenge"]))
        if record is None:
            return  # expired or already used: nothing to send
        challenge = read_challenge(record)
        if challenge.origin.hex() != payload["seed"] or payload["send"] < challenge.sends:
            return  # a newer send of the same code, or another challenge, is on its way
        try:
            # By the origin, not the id: that stays the same in this browser, and mail systems drop what repeats a name.
            message = _message(services, challenge, delivery_id=f"{payload['seed'][:32]}-{challenge.sends}")
        except CodeGone:
            raise Abandon("the secret key of this code is gone") from None
        await send(services, message, lease, masked=challenge.identifier.masked, client_id=challenge.client_id)

    return run


def _message(services: Services, challenge: Challenge, *, delivery_id: str) -> Message:
    notice = CodeNotice(
        one_time_code=expected_code(services, challenge),
        sent_at=challenge.sent_at,
        expires_at=challenge.expires_at,
        brand=Brand(services.settings.brand_name, services.settings.support_url),
        client_name=challenge.client_name,
        origin_host=urlsplit(services.issuer).hostname or "",
        locale=challenge.locale,
    )
    return render_one_time_code(challenge.channel, notice, to=challenge.identifier.value, delivery_id=delivery_id)
