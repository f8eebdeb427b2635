"""A browser's cookies, as far as a login on one origin needs them."""

from dataclasses import dataclass, field

from bench.load import Answer


@dataclass(slots=True)
class CookieJar:
    """Cookies by name and path. Expiry counts only where a cookie is taken back by an empty value."""

    _cookies: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    def keep(self, answer: Answer) -> None:
        """Keep what an answer sets."""
        for header in answer.headers(b"set-cookie"):
            pair, *attributes = header.decode().split(";")
            name, _, value = pair.partition("=")
            path = next((each.strip()[5:] for each in attributes if each.strip().lower().startswith("path=")), "/")
            if value:
                self._cookies[name, path] = value
            else:
                self._cookies.pop((name, path), None)

    def header(self, target: str) -> str:
        """Return what a browser sends to a path (RFC 6265 section 5.1.4, as far as whole segments go)."""
        path = target.partition("?")[0]
        return "; ".join(
            f"{name}={value}"
            for (name, scope), value in self._cookies.items()
            if scope in {"/", path} or path.startswith(f"{scope}/")
        )
