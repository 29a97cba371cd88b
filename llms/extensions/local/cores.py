"""How many processor cores this process may really use."""

import os
import sys
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(quota: Path = _QUOTA) -> int:
    """Cores by affinity and container quota, at least 1: one thread too many stalls all of them."""
    available = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    try:
        limit, period = quota.read_text(encoding="ascii").split()
        allowed = int(limit) // int(period)
    except (OSError, ValueError):  # no cgroup here, or "max": no quota
        return available
    return max(1, min(available, allowed))
