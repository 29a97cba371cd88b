"""Cores by affinity and quota."""

import os
from pathlib import Path

import pytest

from llms.extensions.local.cores import usable_cores

HERE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(
    ("quota", "cores"),
    [
        ("max 100000\n", HERE),
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("990000000 100000\n", HERE),
        ("", HERE),
        ("rubbish", HERE),
    ],
)
def test_a_containers_quota_limits_the_cores(tmp_path: Path, quota: str, cores: int) -> None:
    path = tmp_path / "cpu.max"
    path.write_text(quota)
    assert usable_cores(path) == cores


def test_without_a_quota_file_all_cores_count(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "away") == HERE
