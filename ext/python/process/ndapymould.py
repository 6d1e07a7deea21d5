# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The mould, a process that workers are forked from: the other side of
ndapymould.c.

This is the last part of the program, after ndapyworker.py. Without an argument
the program is a worker at once. As a mould it loads the modules that every
worker needs, runs no code of a plugin, and forks a worker whenever it is
asked. The kernel makes the worker a child of the other process, as if that
process had started it.

Random numbers differ in each worker. The order of sets and the addresses of
objects, which are random otherwise, are the same in all workers of a mould.
"""

MARK = "NDA_PYTHON_PROCESS"
N_RECEIVED = 8  # a worker's descriptors, and the current folder
FIRST_FREE = 32  # above all that a worker finds at its number

# linux/sched.h and linux/prctl.h; the system call is 435 on every machine
CLONE3 = 435
CLONE_PARENT, CLONE_CHILD_SETTID, CLONE_CHILD_CLEARTID = (
    0x8000,
    0x1000000,
    0x200000,
)
PR_GET_TID_ADDRESS = 40
# robust lists: get and set, on x86-64 and on arm64
ROBUST_LISTS = ((274, 273), (100, 99))


class Unfit(Exception):
    """The reason why no worker can be forked here."""


class Mould:
    """Forks this process. libc's fork () cannot make a child of the other
    process. The work that fork () does beside the system call is done here."""

    def __init__(self):
        import ctypes

        self.ctypes = ctypes
        self.python = ctypes.pythonapi
        # PyDLL keeps the GIL
        self.libc = ctypes.PyDLL(None, use_errno=True)
        self.libc.syscall.restype = ctypes.c_long
        self.mark = self.find_mark()
        self.task = ctypes.c_ulong()
        self.ask_kernel("prctl", PR_GET_TID_ADDRESS, self.task)
        self.robust, self.n_robust = ctypes.c_ulong(), ctypes.c_ulong()
        column, _ = MACHINES.get(os.uname().machine, (None, 0))
        if column is None:
            raise Unfit("the machine is neither x86-64 nor arm64")
        get, self.set_robust = ROBUST_LISTS[column]
        self.ask_kernel("syscall", get, 0, self.robust, self.n_robust)

    def ask_kernel(self, function, *arguments):
        """Call a function of the kernel. It writes to the arguments that are
        not numbers."""
        ctypes = self.ctypes
        result = getattr(self.libc, function)(*(
            ctypes.c_long(a) if isinstance(a, int) else ctypes.byref(a)
            for a in arguments
        ))
        if result < 0:
            error = ctypes.get_errno()
            raise Unfit(f"{function} {arguments[0]}: {os.strerror(error)}")
        return result

    def find_mark(self):
        """Return the address of the mark in the environment that other
        processes see."""
        ctypes = self.ctypes
        entries = ctypes.POINTER(ctypes.c_void_p).in_dll(self.libc, "environ")
        begin = f"{MARK}=".encode()
        found = itertools.takewhile(bool, map(
            entries.__getitem__, itertools.count()
        ))
        for entry in found:
            if ctypes.string_at(entry).startswith(begin):
                return entry + len(begin)
        raise Unfit("its environment has no mark")

    def fork(self):
        """Fork. Return 0 in the worker; in the mould its process id, or less
        than 0."""
        flags = CLONE_PARENT | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID
        arguments = struct.pack("=8Q", flags, 0, self.task.value, *[0] * 5)
        held = self.ctypes.create_string_buffer(arguments, len(arguments))
        size, number = map(self.ctypes.c_long, (len(arguments), CLONE3))
        self.python.PyOS_BeforeFork()
        pid = self.libc.syscall(number, held, size)
        if pid:
            self.python.PyOS_AfterFork_Parent()
        else:
            self.python.PyOS_AfterFork_Child()
        return pid

    def become_worker(self, mark):
        """Make the settings that each process has for itself."""
        os.setpgid(0, 0)
        self.libc.syscall(*map(
            self.ctypes.c_long,
            (self.set_robust, self.robust.value, self.n_robust.value),
        ))
        self.ctypes.memmove(self.mark, mark, len(mark))
        os.environ[MARK] = mark.decode()
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed()


def take_descriptors(received):
    """Put the descriptors at their numbers, and close all others."""
    import fcntl

    *moved, folder = [
        fcntl.fcntl(descriptor, fcntl.F_DUPFD, FIRST_FREE)
        for descriptor in received
    ]
    for number, descriptor in enumerate(moved):
        os.dup2(descriptor, number)
    os.fchdir(folder)
    os.closerange(len(moved), os.sysconf("SC_OPEN_MAX"))


def load_modules(names):
    """Load NumPy, and the modules that a plugin names. If one is missing, the
    plugin finds out itself."""
    import dataclasses  # noqa: F401
    import enum  # noqa: F401
    import typing  # noqa: F401

    import numpy  # noqa: F401

    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(f"“{name}” cannot be loaded: {error}", file=sys.stderr)


def make_mould(names):
    """Do all that every worker begins with. Raise Unfit with the reason if
    this process cannot be a mould."""
    global _shares_frozen
    try:
        load_modules(names)
        mould = Mould()
    except ImportError as error:
        raise Unfit(str(error)) from None
    n_threads = len(os.listdir("/proc/self/task"))
    if n_threads > 1:
        raise Unfit(f"what it loads has started {n_threads - 1} threads")
    _shares_frozen = True
    gc.collect()
    gc.freeze()
    return mould


def cast_workers(channel, mould):
    """Fork workers until the other side ends. Returns in each worker."""
    while True:
        mark, received, flags, _ = socket.recv_fds(
            channel, 256, N_RECEIVED, socket.MSG_CMSG_CLOEXEC
        )
        if not mark:
            os._exit(0)
        is_whole = len(received) == N_RECEIVED
        pid = mould.fork() if is_whole else -1
        if pid == 0:
            channel.detach()
            take_descriptors(received)
            mould.become_worker(mark)
            return
        for descriptor in received:
            os.close(descriptor)
        channel.send(str(max(pid, 0)).encode())


def be_mould(names):
    channel = socket.socket(fileno=CONTROL)
    os.set_inheritable(CONTROL, False)
    die_with_parent(channel, b"nda-py-mould")
    try:
        mould = make_mould(names)
    except Unfit as error:
        channel.send(str(error).encode("utf-8", "replace")[:250])
        os._exit(0)
    channel.send(str(os.getpid()).encode())
    cast_workers(channel, mould)


names = sys.argv[1:]
sys.argv = [""]
if names:
    be_mould(names[1:])
serve()
