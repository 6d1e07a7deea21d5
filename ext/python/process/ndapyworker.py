# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process of one plugin: the other side of ndapyworker.c.

Handed to an interpreter on its standard input, behind ndapyembed.py, whose
functions it uses. Any CPython from 3.10 on with NumPy will do.

THREADS. The main thread answers requests on the control socket: load,
parameters, stop, shut down. The block thread starts the plugin and makes its
block calls, one for each ring of the doorbell; stop () may be called beside
it, which is how some plugins are unblocked (9.2). What ends the other process
ends this one: the kernel kills it, and the socket ends.
"""

import mmap
import resource
import signal
import socket
import struct

__file__ = "<stdin>"  # whose frames describe () leaves out

CONTROL, MEMORY, REQUEST, REPLY = 3, 4, 5, 6  # descriptors

# The head of the shared memory, in numbers of 32 bits; then text; then audio
OP, N_FRAMES, IS_GATED, RESULT = range(4)
RATE_AT, CHANNELS_AT, FRAMES_AT, N_TEXT = range(4, 8)
TEXT_AT, AUDIO_AT = 64, 32768  # bytes

OP_START, OP_CALL = 1, 2
OK, REFUSED, FAILED, NO_SPACE = range(4)

PRIORITY = 10  # of the block thread, where real-time scheduling is allowed


def log(is_error, line):  # noqa: F811
    """A line to the GStreamer log of the other process; or to nobody."""
    try:
        os.write(2 if is_error else 1, line.encode("utf-8", "replace") + b"\n")
    except OSError:
        pass  # it does not read at present, and must not be waited for (10.1)


def calling(method):  # noqa: F811
    """What is about to be called of the plugin."""


class Instance:
    """The plugin, and its place in the shared memory."""

    def __init__(self, memory):
        self.memory = memory
        self.head = memoryview(memory)[:TEXT_AT].cast("I")
        self.path = self.role = self.module = self.plugin = None
        self.call = None  # one block call; what came of it
        self.thread = None
        self.data = self.buffer = None

    def load(self, path, role):
        if _owns_gc:
            gc.disable()  # settle () collects once, when all is imported
        try:
            self.module, self.plugin = open_plugin(path, role)
        except Problem as problem:
            if isinstance(problem.__cause__, ImportError):
                kind, name, text = problem.args
                reason, rest = text.split("\n", 1)
                # which may lack a package
                reason += f" under {sys.executable}"
                raise Problem(kind, name, f"{reason}\n{rest}") from None
            raise
        self.path, self.role = path, role
        self.call = {
            "Processor": self.process,
            "AudioSource": self.read,
            "AudioSink": self.write,
        }[role]

    def make_buffer(self, n_channels, n_frames):
        import numpy

        data = numpy.frombuffer(
            self.memory, numpy.float32, n_channels * n_frames, AUDIO_AT
        ).reshape(n_channels, n_frames)
        self.buffer, self.data = make_buffer(n_channels, n_frames, data)

    def start(self):
        head = self.head
        rate, n_channels, n_frames = start_plugin(
            self.plugin, self.path, self.role, head[CHANNELS_AT]
        )
        try:
            self.make_buffer(n_channels, n_frames)
        except BaseException as error:
            reason = describe(error)
            self.stop()
            raise Problem("configure", "", reason) from None
        head[RATE_AT], head[CHANNELS_AT], head[FRAMES_AT] = (
            rate,
            n_channels,
            n_frames,
        )

    def stop(self):
        stop_plugin(self.plugin, self.path)

    def interrupt(self):
        """End a loop in Python in the block call."""
        try:
            import ctypes

            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self.thread.ident),
                ctypes.py_object(SystemExit),
            )
        except ImportError:
            pass  # it will be killed

    def process(self):
        buffer, data = self.buffer, self.data
        try:
            if not truth(self.plugin.process_audio(buffer), "process_audio"):
                return REFUSED
            if buffer.data is not data:
                adopt(data, buffer.data)
            return OK
        finally:
            buffer.data = data

    def read(self):
        buffer, data = self.buffer, self.data
        data.fill(0)
        try:
            if not truth(self.plugin.read_audio(buffer), "read_audio"):
                return REFUSED
            if buffer.data is not data:
                adopt(data, buffer.data)
            return OK
        finally:
            buffer.data = data

    def has_space(self, n_frames):
        try:
            space = _ask(self.plugin, "get_available_space")
            return float(space) >= n_frames
        except PluginError:
            raise
        except BaseException:
            return True

    def write(self):
        n_frames = self.head[N_FRAMES]
        if self.head[IS_GATED] and not self.has_space(n_frames):
            return NO_SPACE
        if n_frames != self.data.shape[1]:
            self.make_buffer(self.data.shape[0], n_frames)
        buffer, data = self.buffer, self.data
        try:
            answer = self.plugin.write_audio(buffer)
            return OK if truth(answer, "write_audio") else REFUSED
        finally:
            buffer.data = data

    def shut_down(self):
        if self.plugin is not None:
            shut_down(self.module, self.plugin)
        self.module = self.plugin = None

    def put_text(self, text):
        data = text.encode("utf-8", "replace")[: AUDIO_AT - TEXT_AT]
        data = data.decode("utf-8", "ignore").encode()  # no half of a letter
        self.memory[TEXT_AT : TEXT_AT + len(data)] = data
        self.head[N_TEXT] = len(data)


def become_real_time(deadline):
    """Where it is allowed, and no longer than a call may take anyway."""
    if not deadline:
        return
    limit = deadline // 1000 + 100_000
    try:
        # SIGXCPU, by which the other side knows what it was; then SIGKILL
        resource.setrlimit(resource.RLIMIT_RTTIME, (limit, limit + 100_000))
        os.sched_setscheduler(
            0,
            os.SCHED_FIFO | os.SCHED_RESET_ON_FORK,
            os.sched_param(PRIORITY),
        )
    except (OSError, ValueError):
        pass


def answer_ring(instance):
    """What came of a start or a block call; a text with it if it failed."""
    try:
        if instance.head[OP] == OP_CALL:
            return instance.call()
        instance.start()
        return OK
    except Problem as problem:
        instance.put_text("\0".join(problem.args))
    except BaseException as error:
        instance.put_text(describe(error))
    return FAILED


def serve_blocks(instance, deadline):
    """The block thread."""
    become_real_time(deadline)
    wait, ring, head = os.eventfd_read, os.eventfd_write, instance.head
    while True:
        wait(REQUEST)
        head[RESULT] = answer_ring(instance)
        ring(REPLY, 1)
        collect()


def receive(control):
    """The next request, as a list of texts; None: there is nobody left."""
    size = control.recv(4, socket.MSG_WAITALL)
    if len(size) < 4:
        return None
    (n_bytes,) = struct.unpack("=I", size)
    data = control.recv(n_bytes, socket.MSG_WAITALL) if n_bytes else b""
    if len(data) < n_bytes:
        return None
    return [os.fsdecode(text) for text in data.split(b"\0")]


def send(control, *texts):
    data = b"\0".join(
        text.replace("\0", "").encode("utf-8", "surrogateescape")
        for text in texts
    )
    control.sendall(struct.pack("=I", len(data)) + data)


def answer(instance, verb, arguments):
    """What came of a request, as texts."""
    if verb == "set":
        return [set_parameter(instance.plugin, *arguments) or ""]
    if verb == "get":
        return [get_parameter(instance.plugin, *arguments)]
    if verb == "facts":
        return [str(fact) for fact in facts(instance.plugin, instance.role)]
    if verb == "stop":
        instance.stop()
    elif verb == "interrupt":
        instance.interrupt()
    elif verb == "shut-down":
        instance.shut_down()
    else:
        raise Problem("load", "", f"there is no request “{verb}”")
    return []


def die_with(parent):
    """What ends the other process ends this one."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    except (ImportError, OSError, AttributeError):
        pass  # the socket's end remains
    if os.getppid() != parent:
        os._exit(0)


def begin(control):
    """The first request: load, with all that this process needs to know."""
    request = receive(control)
    if request is None:
        os._exit(0)
    _, path, role, api, secret_words, parent, deadline = request
    die_with(int(parent))
    if sys.version_info < (3, 10):
        raise Problem("load", "", f"Python {sys.version.split()[0]} is too "
                                  "old: 3.10 or later is needed")
    start(True, api, secret_words)
    memory = mmap.mmap(MEMORY, 0)
    os.close(MEMORY)
    instance = Instance(memory)
    instance.load(path, role)
    instance.thread = threading.Thread(
        target=serve_blocks,
        args=(instance, int(deadline)),
        name="nda-py-blocks",
        daemon=True,
    )
    instance.thread.start()
    return instance


def serve():
    """The main thread."""
    control = socket.socket(fileno=CONTROL)
    try:
        instance = begin(control)
    except Problem as problem:
        send(control, "problem", *problem.args)
        return
    send(control, "ok")
    while (request := receive(control)) is not None:
        send(control, "ok", *answer(instance, request[0], request[1:]))
        if request[0] == "shut-down":
            return
    os._exit(0)


sys.argv = [""]
if sys.path[:1] == [""]:
    del sys.path[0]
for descriptor in (CONTROL, MEMORY, REQUEST, REPLY):
    os.set_inheritable(descriptor, False)
serve()
