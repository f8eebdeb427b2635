"""Trust the tokens of any OpenID provider in any ASGI app.

    app = Watchword(app, issuer="https://id.example.com", audience="https://api.example.com")

Every route now needs a valid access token, and finds who asks in `scope["watchword"]`.
"""

from .access_token import ANY
from .errors import Reason, Refused, Unavailable
from .identity import Identity
from .login import Login
from .middleware import Watchword
from .rules import Rule
from .sessions import MemoryStore, SessionStore
from .verifier import Verifier

__all__ = [
    "ANY",
    "Identity",
    "Login",
    "MemoryStore",
    "Reason",
    "Refused",
    "Rule",
    "SessionStore",
    "Unavailable",
    "Verifier",
    "Watchword",
]
