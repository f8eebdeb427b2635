"""Settings of running the provider: what is kept for how long, and what is measured."""

from datetime import timedelta

from pydantic import BaseModel, Field

from watchword.settings.values import Lifetime


class OperationSettings(BaseModel):
    """How long records are kept, and who may read the metrics."""

    audit_kept: Lifetime = Field(
        default=timedelta(days=365),
        ge=timedelta(days=30),
        le=timedelta(days=3 * 366),
        description="Audit events are deleted after this.",
    )
