"""Settings of running the provider: what is kept for how long, how strong keys are, and what is measured."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from watchword.settings.strength import check_secret
from watchword.settings.values import Lifetime


def _number(value: object) -> object:
    """Read a number out of the environment, where everything is text."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class OperationSettings(BaseModel):
    """How long records are kept, how strong new keys are, and who may read the metrics."""

    rsa_bits: Annotated[Literal[2048, 3072, 4096], BeforeValidator(_number)] = Field(
        default=3072,
        description="Size of a new RSA key, which signs ID tokens by RS256; a key that exists keeps its own. 2048 has "
        "112 bits of strength instead of 128, which NIST accepts through 2030, and signs in a third of the time.",
    )

    key_lifetime: Lifetime = Field(
        default=timedelta(days=90),
        ge=timedelta(hours=1),
        le=timedelta(days=365),
        description="A signing key signs for this long; then the next one follows, which is published a day before, or "
        "half this time where that is less. `watchword keys rotate` does it at once.",
    )
    database_pool: int = Field(
        default=10,
        ge=1,
        le=200,
        description="Connections to a PostgreSQL server that each worker holds at most. All workers together have to "
        "stay below the server's `max_connections`.",
    )
    audit_kept: Lifetime = Field(
        default=timedelta(days=365),
        ge=timedelta(days=30),
        le=timedelta(days=3 * 366),
        description="Audit events are deleted after this.",
    )
    undelivered_messages: int = Field(
        default=10_000,
        ge=100,
        le=1_000_000,
        description="While more messages than this wait to be sent, no further code is (503 `delivery_unavailable`).",
    )
    metrics: Literal["off", "token", "open"] = Field(
        default="off",
        description="Whether `/metrics` answers: to whoever presents the token, or to anybody who reaches it.",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        validate_default=True,
        description="Bearer token of `/metrics`, at least 32 random bytes as text.",
    )

    @field_validator("metrics_token")
    @classmethod
    def _strong_token(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Hold the token to the same strength as the secret key; `metrics` says whether there must be one."""
        if value is not None:
            check_secret(value.get_secret_value())
        if (info.data.get("metrics") == "token") != (value is not None):
            raise ValueError("and WATCHWORD_METRICS=token belong together")
        return value
