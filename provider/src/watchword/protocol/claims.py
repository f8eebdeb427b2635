"""Claims about a person: what each scope shows at /userinfo (OpenID Connect Core section 5)."""

from collections.abc import Iterable, Mapping
from typing import Any

from watchword.protocol.vocabulary import SCOPE_CLAIMS


def userinfo_claims(*, subject: str, scopes: Iterable[str], known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims that `scopes` allow; what is unknown is absent, never null (section 5.3.2)."""
    names = [name for scope in scopes for name in SCOPE_CLAIMS.get(scope, ())]
    answer = {name: known[name] for name in names if name != "sub" and known.get(name) not in (None, "", {})}
    return {"sub": subject, **answer}
