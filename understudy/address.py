"""The address of a language model's API: what is asked, and whether it is this machine's own."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from .core.errors import UnderstudyError

EXAMPLE = "http://localhost:8000/v1"


def completions(url: str) -> str:
    """The address at which an OpenAI-compatible API is asked; ``url`` may or may not end in it.

    >>> completions("http://localhost:8000/v1/")
    'http://localhost:8000/v1/chat/completions'

    Raises UnderstudyError for what is no address, and for one with a password, a query or a fragment, which may hold a
    secret and are not repeated.
    """
    url = url.strip()
    if "?" in url or "#" in url:
        what = "the url goes on behind '?' or '#'"
        raise UnderstudyError(what, mend=f"leave that out, as in {EXAMPLE}, and give the key apart from the url")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or " " in url:
        told = "the url" if "@" in url else repr(url)
        raise UnderstudyError(f"{told} is no address of an API", mend=f"give one as {EXAMPLE}")
    if "@" in parts.netloc:
        raise UnderstudyError("the url holds a name or password", mend="give the key apart from the url")
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith("/chat/completions") else f"{path}/chat/completions").geturl()


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own, so that what is sent there passes over no network.

    >>> is_loopback("http://localhost:8000/v1"), is_loopback("http://[::1]/v1"), is_loopback("http://10.0.0.7/v1")
    (True, True, False)
    """
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # another name
        return False
