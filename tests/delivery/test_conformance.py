"""What every gateway owes: the same outcomes in the same words, and silence about whom and what."""

import logging
import traceback
from pathlib import Path

import pytest

from tests.delivery.examples import message, private_parts
from tests.delivery.rigs import RIGS, FarSide
from watchword.delivery.gateways import GATEWAYS
from watchword.delivery.message import Channel, Message
from watchword.delivery.outcome import DeliveryFailed, Failure

FAILURES = {
    FarSide.REFUSES_RECIPIENT: Failure.REFUSED_RECIPIENT,
    FarSide.FAILS_FOR_NOW: Failure.TRANSIENT,
    FarSide.HANGS: Failure.TIMEOUT,
}
SERVED = [(name, channel) for name in RIGS for channel in sorted(GATEWAYS[name].channels)]
FAILING = [(name, far_side) for name, (_, able) in RIGS.items() for far_side in sorted(able & FAILURES.keys())]


def _first_channel(gateway: str) -> Channel:
    return min(GATEWAYS[gateway].channels)


def _assert_silent(sent: Message, caplog: pytest.LogCaptureFixture, *others: str) -> None:
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name != "mail.log")
    for private in private_parts(sent):
        assert private not in "\n".join((ours, *others))


def test_every_gateway_has_a_rig() -> None:
    assert {GATEWAYS[name] for name in RIGS} == set(GATEWAYS.values())


@pytest.mark.parametrize(("name", "channel"), SERVED)
async def test_a_taken_message_arrives_once_and_is_named(
    name: str, channel: Channel, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    opener, _ = RIGS[name]
    sent = message(channel)
    async with opener(FarSide.TAKES, channel, tmp_path) as rig:
        outcome = await rig.gateway.send(sent)
        await rig.gateway.close()
        assert rig.arrived() == 1
    assert outcome.gateway == rig.gateway.name == name
    assert outcome.gateway_message_id is not None
    assert sent.id in outcome.gateway_message_id
    captured = capfd.readouterr()
    _assert_silent(sent, caplog, repr(outcome), repr(rig.gateway), repr(sent), captured.out, captured.err)


@pytest.mark.parametrize(("name", "far_side"), FAILING)
async def test_a_failure_has_its_reason_and_says_neither_recipient_nor_code(
    name: str, far_side: FarSide, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    opener, _ = RIGS[name]
    channel = _first_channel(name)
    sent = message(channel)
    async with opener(far_side, channel, tmp_path) as rig:
        with pytest.raises(DeliveryFailed) as caught:
            await rig.gateway.send(sent)
        assert rig.arrived() == 0
    failed = caught.value
    assert failed.failure is FAILURES[far_side]
    assert failed.retryable is (far_side is not FarSide.REFUSES_RECIPIENT)
    captured = capfd.readouterr()
    trace = "".join(traceback.format_exception(failed))
    _assert_silent(sent, caplog, repr(failed), str(failed), failed.detail, trace, captured.out, captured.err)


@pytest.mark.parametrize("name", [name for name, (_, able) in RIGS.items() if FarSide.REFUSES_RECIPIENT in able])
async def test_a_gateway_still_serves_after_a_refusal(name: str, tmp_path: Path) -> None:
    opener, _ = RIGS[name]
    channel = _first_channel(name)
    async with opener(FarSide.REFUSES_RECIPIENT, channel, tmp_path) as rig:
        for _ in range(2):
            with pytest.raises(DeliveryFailed) as caught:
                await rig.gateway.send(message(channel))
            assert caught.value.failure is Failure.REFUSED_RECIPIENT


def test_only_what_may_pass_is_worth_repeating() -> None:
    worth = {failure for failure in Failure if DeliveryFailed(failure, "x").retryable}
    assert worth == {Failure.TRANSIENT, Failure.TIMEOUT, Failure.RATE_LIMITED}
