"""Trust the tokens of any OpenID provider in any ASGI app.

    app = Watchword(app, issuer="https://id.example.com", audience="https://api.example.com")

Every route now needs a valid access token, and finds who asks in `scope["watchword"]`.
"""

from .browser.login import Login
from .browser.sessions import MemoryStore, SessionStore
from .errors import Reason, Refused, Unavailable
from .identity import Identity
from .middleware import Watchword
from .rules import Rule
from .tokens.access_token import ANY
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
