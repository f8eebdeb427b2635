"""One client assertion, sent sixty times at one moment to two workers, on each pair of stores."""

from collections.abc import Iterator

import pytest
from joserfc.jwk import ECKey

from tests.journeys.http_racers import Request, running_racers
from tests.support.asserting_party import GRANT, AssertingParty, asserting_party
from tests.support.pairs import PAIRS
from tests.support.provider import running_provider

pytestmark = pytest.mark.races


@pytest.fixture(scope="module", params=PAIRS)
def party(request: pytest.FixtureRequest) -> Iterator[AssertingParty]:
    with running_provider(workers=2, pair=request.param, test_limits="off") as running:
        yield asserting_party(running, ECKey.generate_key("P-256"))


def test_of_sixty_uses_of_one_assertion_one_succeeds(party: AssertingParty) -> None:
    request = Request(f"{party.provider.issuer}/token", data=GRANT | party.form())
    with running_racers() as racers:
        answers = racers.race([request] * 60)
    assert sorted(answer.status for answer in answers) == [200] + [401] * 59
    assert {answer.json()["error"] for answer in answers if answer.status == 401} == {"invalid_client"}
