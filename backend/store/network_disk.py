"""Whether a runs folder is on a disk of another machine, where SQLite's write-ahead log does not hold.

The log's index is memory that the processes of one machine share; those of another machine do not see it and may damage the
database (https://sqlite.org/wal.html, "all processes using a database must be on the same host computer").
"""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

import psutil

# as the operating systems name them; with FUSE the name stands behind "fuse."
NETWORK = {
    "9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "davfs", "gcsfuse", "glusterfs", "gpfs", "juicefs", "lustre", "ncpfs",
    "nfs", "nfs3", "nfs4", "orangefs", "panfs", "pvfs2", "rclone", "s3fs", "smb", "smb2", "smb3", "smbfs", "sshfs", "wekafs",
    "webdav", "blobfuse", "blobfuse2", "goofys", "mfs", "moosefs", "cvmfs",
}  # fmt: skip

logger = logging.getLogger(__name__)


def network_disk(path: Path) -> str:
    """The kind of network file system that a path (which need not exist) is on, "nfs4" for instance; "" for a disk of this
    machine, and where the operating system does not say."""
    path = Path(path).resolve()
    over = {
        Path(disk.mountpoint): disk for disk in psutil.disk_partitions(all=True)
    }  # of one place the last holds
    for place in (path, *path.parents):
        if place in over:
            disk = over[place]
            name = disk.fstype.lower().removeprefix("fuse.")
            remote = name in NETWORK or "remote" in disk.opts.split(",")  # Windows says so of a drive
            return disk.fstype if remote else ""
    return ""


@lru_cache(maxsize=32)
def warn_of_network_disk(home: Path) -> None:
    """Say once in a process that a runs folder is on a network file system, and what to do."""
    _warn(Path(home).resolve())  # asked for each time that the database is opened, by whatever name


@lru_cache(maxsize=32)
def _warn(home: Path) -> None:
    kind = network_disk(home)
    if kind:
        logger.warning(
            "%s is on a network file system (%s), on which the database of a runs folder (SQLite with a write-ahead log) is safe "
            "for the processes of one machine only, and slow. Let one machine alone use it, the app and its runs together; "
            "or put it on a disk of this machine (--runs-dir FOLDER, or ITERIT_RUNS_DIR) and copy the whole folder while nothing uses it",
            home,
            kind,
        )
