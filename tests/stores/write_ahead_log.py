"""Reading SQLite's write-ahead log, to see how often a file was committed."""

import struct
from pathlib import Path


def commits(path: Path) -> int:
    """Count the commits in the write-ahead log: the frames that say how large the file is afterwards."""
    log = path.with_name(f"{path.name}-wal").read_bytes()
    page_size = struct.unpack(">I", log[8:12])[0]
    frames = range(32, len(log), 24 + page_size)
    return sum(struct.unpack(">I", log[frame + 4 : frame + 8])[0] > 0 for frame in frames)
