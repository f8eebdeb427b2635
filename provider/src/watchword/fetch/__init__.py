"""The one guarded way out to addresses that others chose: keys of clients, sector documents, logout notices.

Only `https`, only the public Internet, no redirects, nothing sent but what is asked, 64 KiB and 5 seconds at most.
"""

from watchword.fetch.addresses import FetchRefused, parse_target
from watchword.fetch.guarded import Fetch, FetchFailed

__all__ = ["Fetch", "FetchFailed", "FetchRefused", "parse_target"]
