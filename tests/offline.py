"""Run a command where there is no network but loopback: python offline.py MARKER COMMAND…

MARKER is a file that is made if the kernel lets us have such a namespace; without it the command runs as it is.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

NEW_USER, NEW_NET = 0x10000000, 0x40000000
SET_FLAGS, UP = 0x8914, 0x1


def leave_the_network() -> bool:
    """Put this process into a network namespace of its own, with loopback up."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEW_NET if user == 0 else NEW_NET | NEW_USER):
        return False
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        fcntl.ioctl(opened, SET_FLAGS, struct.pack("16sh", b"lo", UP))
    return True


if __name__ == "__main__":
    if leave_the_network():
        Path(sys.argv[1]).touch()
    os.execvp(sys.argv[2], sys.argv[2:])
