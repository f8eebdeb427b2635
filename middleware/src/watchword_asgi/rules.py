"""Which paths need what. The first rule that matches decides; where none does, the request needs a valid token."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .errors import Reason, Refused
from .identity import Identity

_SCOPE_NAME = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749 section 3.3; also keeps quotes out of the challenge
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SLASHES = re.compile(r"//+")


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
    is_literal: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.path.startswith(("/", "*")) or "*" in self.path[:-1]:
            raise ValueError(f"rule path {self.path!r} must start with / and may have one * at its end")
        set_field = object.__setattr__
        set_field(self, "is_literal", not self.path.endswith("*"))
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
        if self.is_literal:
            if path != self.path:
                return False
        elif not path.startswith(self.path[:-1]) and f"{path}/*" != self.path:
            return False
        return not self.only_methods or (method is not None and method.upper() in self.only_methods)

    def check(self, identity: Identity) -> None:
        """Raise Refused unless the identity has every scope and one of the roles."""
        if not identity.scopes.issuperset(self.needed_scopes):
            raise Refused(Reason.INSUFFICIENT_SCOPE)
        if self.accepted_roles and self.accepted_roles.isdisjoint(identity.roles):
            raise Refused(Reason.INSUFFICIENT_ROLE)


def find_rules(rules: Sequence[Rule], path: str, method: str | None, *, default: Rule) -> tuple[Rule, ...]:
    """The rules that a request has to satisfy, all of them: mostly one, the first that matches, else the default.

    Some routers (Litestar's, Quart's) take `//orders` or `/orders/` for `/orders`. So a path that no rule names to the
    letter has to satisfy its own rule and also those for its other spellings, or a slash would lead around them.
    """
    found = _first(rules, path, method)
    if found is not None and found.is_literal:
        return (found,)
    needed = [found or default]
    for spelling in _other_spellings(path):
        other = _first(rules, spelling, method)
        if other is not None and other not in needed:
            needed.append(other)
    return tuple(needed)


def _first(rules: Sequence[Rule], path: str, method: str | None) -> Rule | None:
    for rule in rules:
        if rule.matches(path, method):
            return rule
    return None


def _other_spellings(path: str) -> tuple[str, ...]:
    merged = _SLASHES.sub("/", path) if "//" in path else path
    turned = merged[:-1] if merged.endswith("/") else f"{merged}/"
    return tuple(spelling for spelling in (merged, turned) if spelling and spelling != path)


def check_path(path: str) -> None:
    """Refuse paths that two readers could take for two places.

    These are paths with control characters (a pattern that ends in `$` matches before a final line feed, and routers
    have such patterns), with segments that are `.` or `..`, and those that do not start with a slash.
    """
    if (not path.isprintable() and _CONTROL.search(path)) or (
        path and not path.startswith("/")
    ):  # empty: the very mount
        raise Refused(Reason.MALFORMED_PATH)
    if "/." in path and any(segment in (".", "..") for segment in path.split("/")):
        raise Refused(Reason.MALFORMED_PATH)
