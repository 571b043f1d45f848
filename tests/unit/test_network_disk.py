"""A runs folder on another machine's disk is said once, whatever opens its database, and nothing of any other."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from backend import store
from backend.store.network_disk import network_disk


class Disk(NamedTuple):
    device: str
    mountpoint: str
    fstype: str
    opts: str = "rw,relatime"


@pytest.fixture
def mounts(monkeypatch: pytest.MonkeyPatch) -> list[Disk]:
    disks = [Disk("/dev/sda1", "/", "ext4")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: disks)
    return disks


@pytest.mark.parametrize(
    ("disk", "kind"),
    [
        (("nfs4",), "nfs4"),
        (("cifs",), "cifs"),
        (("lustre",), "lustre"),
        (("fuse.sshfs",), "fuse.sshfs"),
        (("NTFS", "rw,remote"), "NTFS"),
        (("fuse.ext2",), ""),
        (("tmpfs",), ""),
    ],
)
def test_kinds_of_disks(tmp_path: Path, mounts: list[Disk], disk: tuple[str, ...], kind: str) -> None:
    mounts.append(Disk("server:/share", str(tmp_path / "share"), *disk))
    assert network_disk(tmp_path / "share" / "runs" / "not there yet") == kind
    assert network_disk(tmp_path / "shared") == ""  # a name that only begins so


def test_the_last_of_two_disks_at_one_place_counts(tmp_path: Path, mounts: list[Disk]) -> None:
    mounts += [Disk("server:/share", str(tmp_path), "nfs"), Disk("/dev/sdb1", str(tmp_path), "xfs")]
    assert network_disk(tmp_path) == ""
    mounts.append(Disk("server:/share", str(tmp_path / "deeper"), "nfs"))
    assert network_disk(tmp_path / "deeper" / "runs") == "nfs"


def test_it_is_said_once(tmp_path: Path, mounts: list[Disk], caplog: pytest.LogCaptureFixture) -> None:
    mounts.append(Disk("server:/share", str(tmp_path / "share"), "nfs4"))
    with caplog.at_level(logging.WARNING):
        for home in (
            tmp_path / "own",
            tmp_path / "share" / "runs",
            tmp_path / "share" / ".." / "share" / "runs",
        ):
            store.queue_job(home, "map-0", "map", "0123456789abcdef")
            store.find_job(home, "map-0")
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(f"{tmp_path / 'share' / 'runs'} is on a network file system (nfs4)")
    assert "--runs-dir FOLDER" in said
