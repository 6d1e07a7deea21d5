# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sandbox of a plugin's process, made with the kernel's own interfaces.

Landlock prevents the process from writing outside a folder and from reaching
other processes. seccomp prevents it from opening sockets and from leaving the
sandbox. Both hold for the process, and for all processes that it starts, for
good. This text follows ndapyembed.py in one program.
"""

# linux/landlock.h
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
# Changes of a file or folder, by the version of Landlock that knows them. For
# a file: writing, truncating, device control. For a folder: making, removing,
# moving.
WRITE_FILE, TRUNCATE, IOCTL_DEV = 1 << 1, 1 << 14, 1 << 15
CHANGES = (
    (1, sum(1 << bit for bit in range(4, 13)) | WRITE_FILE),
    (2, 1 << 13),
    (3, TRUNCATE),
    (5, IOCTL_DEV),
)
ALL_OF_TCP, ALL_SCOPES = 3, 3

# System calls that fail: their numbers on x86-64 and on arm64
FORBIDDEN = {
    "socket": (41, 198),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_by_handle_at": (304, 265),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    # Landlock does not know these as changes of a file
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattrat": (463, 463),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
    # nor what programs share that is no file
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "semctl": (66, 191),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
}
PRLIMIT = (302, 261)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

# linux/capability.h: the only right of root that stays, for the block thread
CAPGET, CAPSET = (125, 90), (126, 91)
CAPABILITY_VERSION_3, CAP_SYS_NICE = 0x20080522, 1 << 23

# linux/filter.h and linux/seccomp.h
LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
FORBID, ALLOW = 0x00050001, 0x7FFF0000  # with EPERM
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


class _Kernel:
    """System calls, which raise OSError."""

    def __init__(self):
        import ctypes

        self._ctypes = ctypes
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.syscall.restype = ctypes.c_long
        self.buffer = ctypes.create_string_buffer
        self.address = ctypes.addressof

    def _check(self, result):
        if result < 0:
            error = self._ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        return result

    def call(self, number, *arguments):
        long, pointer = self._ctypes.c_long, self._ctypes.c_char_p
        return self._check(self._libc.syscall(long(number), *(
            pointer(a) if isinstance(a, bytes) else long(a)
            for a in arguments
        )))

    def prctl(self, option, *arguments):
        long = self._ctypes.c_long
        self._check(self._libc.prctl(option, *map(long, arguments)))

    def filter(self, lines):
        code = b"".join(struct.pack("=HBBI", *line) for line in lines)
        held = self.buffer(code, len(code))
        program = self.buffer(
            struct.pack("HP", len(lines), self.address(held))
        )
        self.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, self.address(program))


def _give_up_rights(kernel, column):
    """Give up root's rights, which would let the process read other processes.
    """
    head = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    held = kernel.buffer(24)
    kernel.call(CAPGET[column], head, kernel.address(held))
    kept = struct.unpack_from("=I", held)[0] & CAP_SYS_NICE
    kernel.call(CAPSET[column], head, struct.pack("=6I", kept, kept, 0, 0, 0,
                                                  0))


def _allow(kernel, ruleset, path, changes):
    folder = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", changes, folder)
        kernel.call(ADD_RULE, ruleset, 1, rule, 0)
    finally:
        os.close(folder)


def _forbid_changes(kernel, folder):
    """Forbid changes of files outside `folder` ("": of all files), and access
    to other processes."""
    version = kernel.call(CREATE_RULESET, 0, 0, 1)
    changes = sum(bits for since, bits in CHANGES if since <= version)
    attributes = struct.pack("=3Q", changes, ALL_OF_TCP, ALL_SCOPES)
    n_bytes = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = kernel.call(
        CREATE_RULESET, attributes[:n_bytes], n_bytes, 0
    )
    try:
        _allow(kernel, ruleset, os.devnull,
               changes & (WRITE_FILE | TRUNCATE | IOCTL_DEV))
        if folder:
            _allow(kernel, ruleset, folder, changes)
        kernel.call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _forbid_limits_of_others(number):
    """Lines that let prlimit () read limits, but change those of the caller
    alone: a limit of the host can end it."""
    return [
        (EQUAL, 0, 8, number),
        (LOAD, 0, 0, 16),  # whose; 0: of the caller
        (EQUAL, 5, 0, 0),
        (LOAD, 0, 0, 32),  # where the new limit is, in two halves
        (EQUAL, 0, 2, 0),
        (LOAD, 0, 0, 36),
        (EQUAL, 1, 0, 0),
        (RETURN, 0, 0, FORBID),
        (RETURN, 0, 0, ALLOW),
    ]


def _forbid_calls(kernel, column, machine):
    numbers = [row[column] for row in FORBIDDEN.values()]
    numbers = [number for number in numbers if number is not None]
    n = len(numbers)
    lines = [
        (LOAD, 0, 0, 4),  # the machine, and then the number
        (EQUAL, 1, 0, machine),
        (RETURN, 0, 0, FORBID),
        (LOAD, 0, 0, 0),
        *_forbid_limits_of_others(PRLIMIT[column]),
        (AT_LEAST, n + 1, 0, 0x40000000),  # x32
    ]
    lines += [(EQUAL, n - at, 0, number) for at, number in enumerate(numbers)]
    lines += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, FORBID)]
    kernel.filter(lines)


def enter_sandbox(folder):
    """Enter the sandbox, before any code of the plugin runs. Raise a Problem
    if the system cannot make one."""
    try:
        if len(os.listdir("/proc/self/task")) > 1:
            raise OSError("the interpreter has more than one thread by now")
        kernel, (column, machine) = _Kernel(), MACHINES[os.uname().machine]
        kernel.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _give_up_rights(kernel, column)
        _forbid_changes(kernel, folder)
        _forbid_calls(kernel, column, machine)
    except (OSError, ImportError, KeyError) as error:
        raise Problem(
            "load", "", "it cannot be put into a sandbox on this system "
            "(Linux 5.13 or later with Landlock and seccomp, x86-64 or "
            f"arm64): {_one_line(error)}. Without one: sandbox=off."
        ) from None
