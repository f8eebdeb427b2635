"""The OpenID provider as seen from here: its metadata, its keys, its userinfo."""

from collections.abc import Callable

from ..addresses import check_issuer
from ..clock import Clock
from ..errors import Unavailable
from ..tokens.jwk import VerificationKey, parse_jwk_set
from .fetch import Fetcher, FetchFailed
from .keyset import Keyset
from .metadata import ProviderMetadata, fetch_metadata
from .remembered import Freshness, Remembered

_METADATA_FRESHNESS = Freshness(fresh=3600.0, tolerated=7200.0, stale=86400.0)


class Provider:
    """One issuer. Nothing is fetched before it is needed, so an app starts whether or not the provider is up."""

    def __init__(
        self,
        issuer: str,
        fetcher: Fetcher,
        clock: Clock,
        *,
        on_withdrawn: Callable[[frozenset[VerificationKey]], None] = lambda _: None,
    ) -> None:
        self.issuer = check_issuer(issuer)
        self.fetcher = fetcher
        self._metadata: Remembered[ProviderMetadata] = Remembered(
            "the issuer's metadata", self._fetch_metadata, freshness=_METADATA_FRESHNESS, monotonic=clock.monotonic
        )
        self.keyset = Keyset(self._fetch_keys, monotonic=clock.monotonic, on_withdrawn=on_withdrawn)

    async def metadata(self) -> ProviderMetadata:
        """The provider's metadata. Raises Unavailable when there is none to be had."""
        return await self._metadata.get()

    async def _fetch_metadata(self) -> ProviderMetadata:
        return await fetch_metadata(self.fetcher, self.issuer)

    async def _fetch_keys(self) -> tuple[VerificationKey, ...]:
        metadata = await self._metadata.get()
        try:
            fetched = await self.fetcher.get(metadata.jwks_uri)
            return parse_jwk_set(fetched.require_success())
        except (FetchFailed, ValueError) as error:
            self._metadata.expire()  # the keys may have moved
            raise FetchFailed(str(error)) from None

    async def endpoint(self, name: str) -> str:
        """The address of an endpoint by its name in the metadata. Raises Unavailable when there is none."""
        address: str | None = getattr(await self.metadata(), name)
        if address is None:
            raise Unavailable(60, f"the provider has no {name}")
        return address
