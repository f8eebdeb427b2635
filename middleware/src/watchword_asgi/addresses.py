"""Checks on configured and discovered addresses."""

import ipaddress
import re
from urllib.parse import urlsplit

_PLAIN = re.compile(r"[\x21-\x7e]+")  # what can stand in a Location header without a second meaning


def is_loopback(host: str) -> bool:
    """Whether the host name means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_trustworthy(url: str) -> bool:
    """Whether secrets may travel to the address: https anywhere, or http to this machine; no user info in it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or not _PLAIN.fullmatch(url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def check_issuer(issuer: str) -> str:
    """Return the issuer unchanged, or raise ValueError with one line (OpenID Connect Discovery 1.0 section 3)."""
    if issuer != issuer.strip():
        raise ValueError(f"issuer {issuer!r} has white space around it; it is compared byte by byte")
    if not is_trustworthy(issuer):
        raise ValueError(f"issuer {issuer!r} must be an https address (http only for localhost)")
    if "?" in issuer or "#" in issuer:
        raise ValueError(f"issuer {issuer!r} must not have a query or a fragment")
    return issuer


def check_base_url(base_url: str) -> str:
    """Return the app's public address without a final slash, or raise ValueError with one line."""
    if not is_trustworthy(base_url) or "?" in base_url or "#" in base_url:
        raise ValueError(f"base_url {base_url!r} must be the app's https address (http only for localhost)")
    return base_url.rstrip("/")


def origin_of(url: str) -> str:
    """The origin as browsers send it: scheme, host and port, without a default port (RFC 6454 section 6.2)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    name = f"[{host}]" if ":" in host else host
    default = {"https": 443, "http": 80}.get(parts.scheme)
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{name}{port}"
