"""Which paths need what. The first rule that matches decides; where none does, the request needs a valid token."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .errors import Reason, Refused
from .identity import Identity

_SCOPE_NAME = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3; also keeps quotes out of the challenge


def _split_names(names: str | Iterable[str]) -> tuple[str, ...]:
    return tuple(names.split()) if isinstance(names, str) else tuple(names)


@dataclass(frozen=True, slots=True)
class Rule:
    """What requests to a path need.

    Attributes:
        path: the decoded path inside the mount, compared exactly. A final `*` stands for anything; `/docs/*` covers
            `/docs` too.
        public: nothing is needed and nothing is looked at.
        optional: no credentials are fine, wrong ones are not.
        login: a signed-in browser opens it as well as a bearer token; a person without a session is sent to sign in.
        scopes: all of them are needed; a list, or names with spaces between.
        roles: any one of them is needed.
        methods: the rule is for these HTTP methods only (GET covers HEAD); such a rule never matches a WebSocket.
    """

    path: str
    public: bool = False
    optional: bool = False
    login: bool = False
    scopes: str | Iterable[str] = ()
    roles: str | Iterable[str] = ()
    methods: str | Iterable[str] = ()
    needed_scopes: tuple[str, ...] = field(init=False, repr=False)
    accepted_roles: frozenset[str] = field(init=False, repr=False)
    only_methods: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.path.startswith(("/", "*")) or "*" in self.path[:-1]:
            raise ValueError(f"rule path {self.path!r} must start with / and may have one * at its end")
        set_field = object.__setattr__
        set_field(self, "needed_scopes", _split_names(self.scopes))
        set_field(self, "accepted_roles", frozenset(_split_names(self.roles)))
        methods = frozenset(method.upper() for method in _split_names(self.methods))
        set_field(self, "only_methods", methods | {"HEAD"} if "GET" in methods else methods)
        if not all(_SCOPE_NAME.fullmatch(name) for name in self.needed_scopes):
            raise ValueError(f"rule {self.path!r} names a scope with characters that scopes cannot have")
        if self.public and (self.optional or self.login or self.needed_scopes or self.accepted_roles):
            raise ValueError(f"rule {self.path!r} is public and yet asks for something")

    def matches(self, path: str, method: str | None) -> bool:
        """Whether the rule is for this path and method (None: a WebSocket)."""
        if self.only_methods and method not in self.only_methods:
            return False
        if not self.path.endswith("*"):
            return path == self.path
        prefix = self.path[:-1]
        return path.startswith(prefix) or (prefix.endswith("/") and path == prefix[:-1])

    def check(self, identity: Identity) -> None:
        """Raise Refused unless the identity has every scope and one of the roles."""
        if not identity.scopes.issuperset(self.needed_scopes):
            raise Refused(Reason.INSUFFICIENT_SCOPE)
        if self.accepted_roles and self.accepted_roles.isdisjoint(identity.roles):
            raise Refused(Reason.INSUFFICIENT_ROLE)


def find_rule(rules: Sequence[Rule], path: str, method: str | None, *, default: Rule) -> Rule:
    """The first rule that matches, else the default."""
    for rule in rules:
        if rule.matches(path, method):
            return rule
    return default


def check_path(path: str) -> None:
    """Refuse paths that two readers could take for two places: NUL, and segments that are `.` or `..`."""
    if "/." in path and any(segment in (".", "..") for segment in path.split("/")):
        raise Refused(Reason.MALFORMED_PATH)
    if "\0" in path:
        raise Refused(Reason.MALFORMED_PATH)
