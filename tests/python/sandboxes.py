# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a container may forbid, for a program that a test runs."""

import errno

# the same wherever Linux runs
NUMBERS = {"pidfd_open": 434, "clone3": 435, "landlock_create_ruleset": 444}

CODE = """
import ctypes, struct
def forbid(number):
    # load the number; equal: an error; else: allow
    code = b"".join(struct.pack("=HBBI", *line) for line in (
        (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | %d),
        (0x06, 0, 0, 0x7FFF0000)))
    lines = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("HP", 4, ctypes.addressof(lines))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, program) == 0  # PR_SET_SECCOMP
forbid(%d)
"""


def forbidding(name, error="EPERM"):
    """Python code after which the system call `name` is not permitted."""
    return CODE % (getattr(errno, error), NUMBERS[name])
