"""The settings as one frozen tree. Every field becomes `WATCHWORD_<FIELD>`; the reference page is made from them."""

import ipaddress
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from watchword.settings.acr import DEFAULT_ACR, AcrTable
from watchword.settings.limits import LimitSettings
from watchword.settings.operations import OperationSettings
from watchword.settings.refusals import refusals
from watchword.settings.strength import check_secret
from watchword.settings.values import (
    PREFIX,
    SHORTEST,
    Issuer,
    Lifetime,
    Link,
    Pairs,
    PublicPage,
    Words,
)

TOML = "watchword.toml"


class _OwnLines(DotEnvSettingsSource):
    """`.env` without the lines of other programs: only what begins with our prefix is ours to judge."""

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        return {k: v for k, v in super().__call__().items() if k in fields or k.upper().startswith(PREFIX)}


class Settings(LimitSettings, OperationSettings, BaseSettings):
    """Everything an operator may choose."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", toml_file=TOML, secrets_dir=None, frozen=True, extra="forbid"
    )

    issuer: Issuer = Field(
        description="The provider's own URL, exactly as relying parties will configure it; no closing slash."
    )
    env: Literal["production", "development", "test"] = Field(
        default="production",
        description="`development` and `test` open conveniences that production refuses; both need a loopback issuer.",
    )
    database_url: str = Field(
        default="sqlite:///watchword.sqlite3",
        description="The durable store: a SQLite file, or `postgresql://user:password@host:5432/name`.",
    )
    ephemeral_url: str = Field(
        default="sqlite:///watchword-ephemeral.sqlite3",
        description="The ephemeral store. SQLite file by default; `redis://`, `rediss://`, `redis+sentinel://` or "
        "`redis+cluster://` for several machines; `memory://` allows one worker.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="At least 32 random bytes as text. The key-encryption key, the pepper of one-time codes and the "
        "key of forms are derived from it. Outside production one is made and kept beside the database.",
    )
    secret_key_previous: SecretStr | None = Field(
        default=None, description="The secret key before this one, still accepted while it rotates."
    )

    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=9000, ge=1, le=65535, description="Port to listen on.")
    workers: int = Field(default=1, ge=1, le=64, description="Worker processes.")

    brand_name: str = Field(default="Watchword", min_length=1, max_length=40, description="Name shown on the pages.")
    brand_color: str = Field(
        default="#3b4cca", pattern=r"^#[0-9a-fA-F]{6}$", description="Accent colour of the hosted pages."
    )
    brand_logo_url: str | None = Field(
        default=None, description="Logo below the issuer's own origin (`/logo.svg`); the built-in mark otherwise."
    )
    support_url: Link | None = Field(default=None, description="Where the pages' help link leads, also mailto.")
    privacy_url: Link | None = Field(default=None, description="The privacy notice that the pages link to.")
    terms_url: Link | None = Field(default=None, description="The terms that the pages link to.")
    default_locale: Literal["en", "hi"] = Field(
        default="en", description="Language when the browser names none we have."
    )
    default_region: str = Field(
        default="IN", pattern=r"^[A-Z]{2}$", description="Country of phone numbers typed without `+` (ISO 3166-1)."
    )
    phone_regions: Words = Field(
        default=(),
        description="Countries that phone codes may be sent to (ISO 3166-1), comma separated. None by default.",
    )

    smtp_url: SecretStr | None = Field(
        default=None, description="Gateway for email, `smtp://user:password@host:587` (STARTTLS) or `smtps://`."
    )
    smtp_from: str | None = Field(default=None, description="Sender of email, `Name <login@id.example.com>`.")
    sms_url: SecretStr | None = Field(default=None, description="Gateway for SMS.")
    whatsapp_url: SecretStr | None = Field(default=None, description="Gateway for WhatsApp.")

    access_token_lifetime: Lifetime = Field(
        default=timedelta(minutes=15), ge=timedelta(minutes=1), le=timedelta(hours=1), description="Access tokens."
    )
    id_token_lifetime: Lifetime = Field(
        default=timedelta(minutes=15), ge=timedelta(minutes=1), le=timedelta(hours=1), description="ID tokens."
    )
    refresh_token_idle: Lifetime = Field(
        default=timedelta(days=7),
        ge=SHORTEST,
        le=timedelta(days=90),
        description="A refresh token unused this long is over.",
    )
    refresh_token_lifetime: Lifetime = Field(
        default=timedelta(days=30),
        ge=SHORTEST,
        le=timedelta(days=365),
        description="A family of refresh tokens is over after this.",
    )
    session_idle: Lifetime = Field(
        default=timedelta(hours=24),
        ge=SHORTEST,
        le=timedelta(days=30),
        description="Single sign-on ends after this long unused.",
    )
    session_lifetime: Lifetime = Field(
        default=timedelta(days=30),
        ge=SHORTEST,
        le=timedelta(days=30),
        description="A session is over after this, used or not.",
    )
    one_time_code_length: int = Field(default=6, ge=6, le=10, description="Digits of a one-time code.")
    one_time_code_lifetime: Lifetime = Field(
        default=timedelta(minutes=5),
        ge=timedelta(minutes=3),
        le=timedelta(minutes=10),
        description="How long a sent code may be used; a resend extends it, never beyond ten minutes in all.",
    )

    acr: AcrTable = Field(
        default_factory=lambda: dict(DEFAULT_ACR),
        description="What ID tokens say as `acr` of a sign-in by `email`, `sms` and `whatsapp`, "
        "`email=urn:example:low,sms=urn:example:phone`; a method left out keeps its default. A code sent by email "
        "meets no level of assurance, so its value may claim none.",
    )
    registration: Literal["off", "token", "open"] = Field(
        default="off",
        description="Dynamic client registration (RFC 7591). `token` asks for an initial access token, made with "
        "`watchword registration-tokens add`; `open` lets anybody register a client.",
    )
    service_documentation: PublicPage | None = Field(
        default=None, description="A page for developers of relying parties, named in the discovery document."
    )
    op_policy_uri: PublicPage | None = Field(
        default=None,
        description="What relying parties may do with people's data: a page named in the discovery document.",
    )
    op_tos_uri: PublicPage | None = Field(
        default=None, description="The terms for relying parties: a page named in the discovery document."
    )
    trusted_proxies: Words = Field(
        default=(), description="Networks (CIDR) whose `X-Forwarded-For` is believed. None by default."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")

    test_limits: Literal["on", "off"] = Field(
        default="on",
        description="Test mode only: `off` lifts cool-downs and the limits on sending and on networks, not those on "
        "guessing.",
    )
    test_identifiers: Pairs = Field(
        default_factory=dict, description="Test mode only: identifiers with a fixed code, `a@b.example:123456,...`."
    )
    test_loopback_fetch: Literal["on", "off"] = Field(
        default="off", description="Test and development mode only: outgoing fetches may reach loopback."
    )
    extra_ca: Path | None = Field(default=None, description="Test mode only: one more certificate authority (PEM).")

    @field_validator("secret_key", "secret_key_previous")
    @classmethod
    def _strong_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_secret(value.get_secret_value())
        return value

    @field_validator("brand_logo_url")
    @classmethod
    def _own_logo(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Keep the path alone: the pages may load pictures from their own origin only."""
        if value is None or "issuer" not in info.data:  # an issuer that was refused is told of first
            return value
        issuer = urlsplit(info.data["issuer"])
        path = value.removeprefix(f"{issuer.scheme}://{issuer.netloc}")
        if not re.fullmatch(r"/(?!/)[!-\[\]-~]*", path):
            raise ValueError("is neither a path such as /logo.svg nor a URL below the issuer's origin")
        return path

    @field_validator("phone_regions")
    @classmethod
    def _known_regions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for region in value:
            if not re.fullmatch(r"[A-Z]{2}", region):
                raise ValueError(f"holds {region!r}, which is not a two-letter country code such as IN")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _real_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                whole = ipaddress.ip_network(network, strict=False)
            except ValueError:
                raise ValueError(f"holds {network!r}, which is not a network such as 10.0.0.0/8") from None
            if str(whole.network_address) != str(ipaddress.ip_interface(network).ip):
                raise ValueError(f"holds {network!r}, which is an address inside the network {whole}")
        return value

    @property
    def development(self) -> bool:
        """Whether the conveniences of development and test mode are open."""
        return self.env != "production"

    @property
    def secure(self) -> bool:
        """Whether the issuer is https, so that cookies can be."""
        return self.issuer.startswith("https:")

    @model_validator(mode="after")
    def _nothing_refused(self) -> Self:
        problems = tuple(refusals(self))
        if problems:
            raise problems[0].with_others(problems[1:])
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ours takes its place
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read, strongest first: arguments, environment, `.env`, secrets directory, TOML."""
        toml = TomlConfigSettingsSource(settings_cls)
        return init_settings, env_settings, _OwnLines(settings_cls), file_secret_settings, toml
