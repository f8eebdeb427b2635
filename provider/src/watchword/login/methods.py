"""By which ways a person can sign in here, and what each of them amounts to."""

from watchword.delivery.message import Channel
from watchword.protocol.acr import KIND_OF_METHOD, AcrDemand, acr_of, kinds_for
from watchword.protocol.interaction import Session
from watchword.services import Services


def open_methods(services: Services) -> frozenset[str]:
    """Return the methods that codes can be sent by: an email gateway's, and the one that codes to phones travel by."""
    gateways, settings = services.gateways, services.settings
    methods = {"email"} if Channel.EMAIL in gateways else set()
    phone = next((channel for channel in (Channel.SMS, Channel.WHATSAPP) if channel in gateways), None)
    if settings.phone_regions and phone is not None:
        methods.add(phone.value)
    return frozenset(methods)


def acr_table(services: Services) -> dict[str, str]:
    """Return the `acr` of each method that is open, in the order of the operator's table."""
    methods = open_methods(services)
    return {method: acr for method, acr in services.settings.acr.items() if method in methods}


def acr_values(services: Services) -> tuple[str, ...]:
    """Return the `acr` values that somebody can sign in with here, each once: what discovery announces."""
    return tuple(dict.fromkeys(acr_table(services).values()))


def session_acr(services: Services, session: Session) -> str | None:
    """Return the `acr` of a session's last sign-in."""
    return acr_of(session.amr, services.settings.acr)


def accepted_kinds(services: Services, demand: AcrDemand | None = None) -> frozenset[str]:
    """Return the kinds of identifiers that some gateway serves; with a `demand`, only those whose proof meets it."""
    if demand is None or not demand.values:
        return frozenset(KIND_OF_METHOD[method] for method in open_methods(services))
    return kinds_for(demand, acr_table(services))
