"""The settings: one frozen tree, read from the environment, `.env`, a secrets directory and a TOML file.

Every field becomes `WATCHWORD_<FIELD>`. A wrong or unknown setting stops the start with one line that names the
setting, what is wrong with its value, and the remedy. The reference page is generated from the fields below.
"""

import difflib
import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PREFIX = "WATCHWORD_"
_SECRETS_DIR = "WATCHWORD_SECRETS_DIR"
_TOML = "watchword.toml"
LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_SECRET_KEY_BYTES = 32
_DEVELOPMENT_GATEWAYS = frozenset({"mailbox", "console"})


class SettingsError(Exception):
    """A setting that cannot be used. `str()` is the one line for the operator."""

    def __init__(self, name: str, problem: str, remedy: str) -> None:
        self.name, self.problem, self.remedy = name, problem, remedy
        super().__init__(f"{name}: {problem}. {remedy}")


def is_loopback(url: str) -> bool:
    """Say whether a URL's host is this machine's loopback. What is no URL is not."""
    try:
        return urlsplit(url).hostname in LOOPBACK_HOSTS
    except ValueError:
        return False


def _seconds(value: object) -> object:
    """Read a bare number as seconds; ISO 8601 durations pass through."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]+", value):
        return timedelta(seconds=int(value))
    return value


def _pairs(value: object) -> object:
    """Read `a@b.example:123456,+9198...:654321` into a mapping."""
    if isinstance(value, str):
        pairs = [pair.strip().rpartition(":") for pair in value.split(",") if pair.strip()]
        if not all(left and right for left, _, right in pairs):
            raise ValueError("needs a colon and a code behind every identifier")
        return {left: right for left, _, right in pairs}
    return value


def _words(value: object) -> object:
    """Read a comma-separated list."""
    return tuple(word.strip() for word in value.split(",") if word.strip()) if isinstance(value, str) else value


def _issuer(value: str) -> str:
    parts = urlsplit(value)
    _ = parts.port  # raises ValueError when it is out of range
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("is not an http or https URL")
    if parts.query or parts.fragment or parts.username or value.endswith("/"):
        raise ValueError("may hold no query, fragment, user name or closing slash")
    # Compared letter by letter by everyone who trusts it, while browsers send their Origin in lower case.
    if not value.startswith(f"{parts.scheme}://{parts.netloc.lower()}"):
        raise ValueError("must have its scheme and host in lower case")
    return value


def _link(value: str) -> str:
    parts = urlsplit(value)
    usable = "@" in parts.path if parts.scheme == "mailto" else parts.scheme in {"http", "https"} and parts.hostname
    if not usable or not value.isprintable() or re.search(r"[ \\]", value):
        raise ValueError("is not an http, https or mailto URL")
    return value


def _scheme(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value().strip().partition(":")[0].lower() if secret is not None else None


_SHORTEST = timedelta(minutes=1)
Lifetime = Annotated[timedelta, BeforeValidator(_seconds)]
Link = Annotated[str, AfterValidator(_link)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)]


class _OwnLines(DotEnvSettingsSource):
    """`.env` without the lines of other programs: only what begins with our prefix is ours to judge."""

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        return {k: v for k, v in super().__call__().items() if k in fields or k.upper().startswith(PREFIX)}


class Settings(BaseSettings):
    """Everything an operator may choose."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", toml_file=_TOML, secrets_dir=None, frozen=True, extra="forbid"
    )

    issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        description="The provider's own URL, exactly as relying parties will configure it; no closing slash."
    )
    env: Literal["production", "development", "test"] = Field(
        default="production",
        description="`development` and `test` open conveniences that production refuses; both need a loopback issuer.",
    )
    database_url: str = Field(
        default="sqlite:///watchword.sqlite3", description="The durable store. SQLite file by default."
    )
    ephemeral_url: str = Field(
        default="sqlite:///watchword-ephemeral.sqlite3",
        description="The ephemeral store. SQLite file by default; `memory://` allows one worker.",
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
        ge=_SHORTEST,
        le=timedelta(days=90),
        description="A refresh token unused this long is over.",
    )
    refresh_token_lifetime: Lifetime = Field(
        default=timedelta(days=30),
        ge=_SHORTEST,
        le=timedelta(days=365),
        description="A family of refresh tokens is over after this.",
    )
    session_idle: Lifetime = Field(
        default=timedelta(hours=24),
        ge=_SHORTEST,
        le=timedelta(days=30),
        description="Single sign-on ends after this long unused.",
    )
    session_lifetime: Lifetime = Field(
        default=timedelta(days=30),
        ge=_SHORTEST,
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

    registration: Literal["off", "open"] = Field(
        default="off", description="Dynamic client registration (RFC 7591). `open` lets anybody register a client."
    )
    trusted_proxies: Words = Field(
        default=(), description="Networks (CIDR) whose `X-Forwarded-For` is believed. None by default."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")

    test_limits: Literal["on", "off"] = Field(default="on", description="Test mode only: `off` lifts cool-downs.")
    test_identifiers: Annotated[dict[str, str], NoDecode, BeforeValidator(_pairs)] = Field(
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
            text = value.get_secret_value()
            if len(text.encode()) < _SECRET_KEY_BYTES or len(set(text)) < 8:
                raise ValueError("is too weak: it needs at least 32 random bytes (`openssl rand -base64 48` makes one)")
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
    def _mode_fits(self) -> Self:
        """Refuse what the mode does not allow."""
        if self.development and not is_loopback(self.issuer):
            raise SettingsError(
                "WATCHWORD_ENV",
                f"{self.env} mode allows only a loopback issuer",
                "Use http://localhost:9000, or production.",
            )
        if self.env == "production":
            self._refuse_development_switches()
        digits = self.one_time_code_length
        if not all(re.fullmatch(rf"[0-9]{{{digits}}}", code) for code in self.test_identifiers.values()):
            raise SettingsError(
                "WATCHWORD_TEST_IDENTIFIERS", f"holds a code that is not {digits} digits", "Give codes of that length."
            )
        if self.ephemeral_url.startswith("memory:") and self.workers > 1:
            raise SettingsError(
                "WATCHWORD_EPHEMERAL_URL", "memory:// allows one worker", "Use a SQLite file or Redis, or one worker."
            )
        return self

    def _refuse_development_switches(self) -> None:
        if not self.secure and not is_loopback(self.issuer):
            raise SettingsError("WATCHWORD_ISSUER", "plain http is for loopback only", "Give the https URL.")
        if self.secret_key is None:
            raise SettingsError("WATCHWORD_SECRET_KEY", "production needs one", "`openssl rand -base64 48` makes one.")
        for name, used in (
            ("test_limits", self.test_limits == "off"),
            ("test_identifiers", bool(self.test_identifiers)),
            ("test_loopback_fetch", self.test_loopback_fetch == "on"),
            ("extra_ca", self.extra_ca is not None),
        ):
            if used:
                raise SettingsError(PREFIX + name.upper(), "is a test switch", "Remove it, or set WATCHWORD_ENV=test.")
        for name in ("smtp_url", "sms_url", "whatsapp_url"):
            if _scheme(getattr(self, name)) in _DEVELOPMENT_GATEWAYS:
                raise SettingsError(
                    PREFIX + name.upper(),
                    "is a development gateway",
                    "Name a real gateway, or leave development mode on.",
                )

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


def load_settings() -> Settings:
    """Read and check the settings.

    Raises:
        SettingsError: naming the first setting that is unknown or cannot be used.
    """
    _refuse_unknown_variables(os.environ)
    secrets_dir = os.environ.get(_SECRETS_DIR)
    if secrets_dir is not None and not Path(secrets_dir).is_dir():
        raise SettingsError(_SECRETS_DIR, "is no directory", "Name the directory that holds one file for each secret.")
    try:
        arguments: dict[str, Any] = {"_secrets_dir": secrets_dir}
        return Settings(**arguments)
    except ValidationError as error:
        raise _first_problem(error) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(_TOML, f"is not TOML: {error}", "Correct the file or remove it.") from None
    except UnicodeDecodeError:
        raise SettingsError(
            "settings", "a settings file is not UTF-8 text", "Correct .env or watchword.toml."
        ) from None


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    known = _known_variables()
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            raise _unknown(name)


def _known_variables() -> set[str]:
    return {PREFIX + name.upper() for name in Settings.model_fields} | {_SECRETS_DIR}


def _unknown(name: str) -> SettingsError:
    near = difflib.get_close_matches(name, _known_variables(), n=1)
    hint = f"Did you mean {near[0]}?" if near else "Remove it; `docs/reference/settings.md` lists all of them."
    return SettingsError(name, "is not a setting", hint)


def _first_problem(error: ValidationError) -> SettingsError:
    first = error.errors(include_url=False, include_input=False)[0]
    name = PREFIX + str(first["loc"][0]).upper().removeprefix(PREFIX) if first["loc"] else "settings"
    problem = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    if first["type"] == "missing":
        return SettingsError(name, "is required", _REMEDIES.get(name, "Set it."))
    if first["type"] == "extra_forbidden":
        return _unknown(name)
    return SettingsError(name, problem, _REMEDIES.get(name, "`docs/reference/settings.md` says what it may hold."))


_REMEDIES = {"WATCHWORD_ISSUER": "Give the provider's own URL, such as https://id.example.com."}
