"""Ask the provider in this container whether it is alive; the exit status is the answer."""

import os
import sys
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

port = os.environ.get("WATCHWORD_PORT", "9000")
path = urlsplit(os.environ.get("WATCHWORD_ISSUER", "")).path
try:
    urlopen(f"http://127.0.0.1:{port}{path}/healthz", timeout=2).close()
except URLError as problem:
    sys.exit(f"not alive: {problem.reason}")
