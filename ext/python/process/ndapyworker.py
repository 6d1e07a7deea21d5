# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The process of one plugin: the other side of ndapyworker.c.

An interpreter gets this program on its standard input, after ndapyembed.py,
whose functions it uses. Any CPython from 3.10 on with NumPy will do. The
program is not part of __main__, which has no file: otherwise a process that
multiprocessing makes would look for that file.

THREADS. The main thread answers requests on the control socket: load,
parameters, stop, shut down. The block thread starts the plugin and makes its
block calls, one for each ring of the bell. stop () may be called during a
block call, which is how some plugins are unblocked (9.2). When the other
process ends, this one ends: the kernel kills it, and the socket ends.
"""

import mmap
import resource
import signal
import socket
import struct

__file__ = "<nda>"  # whose frames describe () leaves out

# This was set for the start of this interpreter only, not for processes that a
# plugin starts
if os.environ.get("PYTHONSAFEPATH") == "nda":  # noqa: F821
    del os.environ["PYTHONSAFEPATH"]  # noqa: F821

CONTROL, MEMORY, BELL, REPLY_BELL = 3, 4, 5, 6  # descriptors

FULL = 2**64 - 2  # of a doorbell
# The head of a question and of its answer: the length of the texts in bytes,
# the number of the question
HEAD = struct.Struct("=2I")
# The shared memory begins with numbers of 32 bits. First the request:
NUMBER, OP, N, IS_GATED = range(4)  # N: channels or frames
# Then its result (the frames also of a source's last call; text in bytes):
REPLY_NUMBER, RESULT, ITS_RATE, ITS_CHANNELS, ITS_FRAMES, TEXT_BYTES = range(
    8, 14
)
# Between request and result: whether a parameter is being set. After the
# result: text, then audio
SETTING_AT, TEXT_AT, AUDIO_AT = 16, 64, 32768  # bytes

OP_START, OP_CALL, OP_RESET = 1, 2, 3
OP_END = 4  # of a thread of a group; comes from no other process
OK, REFUSED, FAILED, NO_SPACE, ENDED, NOTHING = range(6)

PRIORITY = 10  # of the block thread, where real-time scheduling is allowed


def log_printed(is_error, line):  # noqa: F811
    """Send a line to the GStreamer log of the other process, if it reads."""
    try:
        os.write(2 if is_error else 1, line.encode("utf-8", "replace") + b"\n")
    except OSError:
        pass  # it does not read at present, and must not be waited for (10.1)


def log(is_error, text):  # noqa: F811
    """The same of what no plugin has printed: ndapyoutput.c sees the mark."""
    for line in text.split("\n"):
        log_printed(is_error, "\x1e" + line)


def calling(method):  # noqa: F811
    """The block thread is about to call this method of the plugin."""


class Instance:
    """The plugin, and its place in the shared memory."""

    def __init__(self, memory, *bells):
        self.memory = memory
        self.bells = bells  # for a request, and for its answer
        self.numbers = memoryview(memory)[:TEXT_AT].cast("I")
        self.path = self.role = self.module = self.plugin = None
        self.call = None  # makes one block call; returns its result
        self.thread = None
        self.data = self.buffer = None

    def load(self, path, role, entry):
        if _owns_gc:
            gc.disable()  # settle () collects once, when all is imported
        try:
            self.module, self.plugin = open_plugin(path, role, entry)
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
        self.buffer, self.data = make_buffer(
            n_channels, n_frames, self.memory, AUDIO_AT
        )

    def start(self, n_channels):
        """Start the plugin. Return the format that it takes: rate, channels,
        frames of a call."""
        taken = start_plugin(self.plugin, self.path, self.role, n_channels)
        try:
            self.make_buffer(*taken[1:])
        except BaseException as error:
            reason = describe(error)
            self.stop()
            raise Problem("configure", "", reason) from None
        (
            self.numbers[ITS_RATE],
            self.numbers[ITS_CHANNELS],
            self.numbers[ITS_FRAMES],
        ) = taken

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

    def refuse(self, answer):
        self.put_text(take_printed())
        return NOTHING if answer is None else REFUSED

    def process(self, n_frames, is_gated):
        buffer, data = self.buffer, self.data
        try:
            answer = self.plugin.process_audio(buffer)
            if answer is not True and not truth(answer, "process_audio"):
                return self.refuse(answer)
            if buffer.data is not data:
                adopt(data, buffer.data)
            return OK
        finally:
            buffer.data = data

    def read(self, n_frames, is_gated):
        buffer, data = self.buffer, self.data
        data.fill(0)
        try:
            answer = self.plugin.read_audio(buffer)
            if isinstance(answer, Ended):
                self.numbers[ITS_FRAMES] = int(answer)
                return ENDED
            if answer is not True and not truth(answer, "read_audio"):
                return self.refuse(answer)
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

    def write(self, n_frames, is_gated):
        if is_gated and not self.has_space(n_frames):
            return NO_SPACE
        if n_frames != self.data.shape[1]:
            self.make_buffer(self.data.shape[0], n_frames)
        buffer, data = self.buffer, self.data
        try:
            answer = self.plugin.write_audio(buffer)
            if not truth(answer, "write_audio"):
                return self.refuse(answer)
            return OK
        finally:
            buffer.data = data

    def set(self, key, value):
        """Set a parameter and return an error text. The shared memory tells
        that a setter runs, in case it never returns."""
        self.memory[SETTING_AT] = 1
        try:
            return set_parameter(self.plugin, key, value) or ""
        finally:
            self.memory[SETTING_AT] = 0

    def shut_down(self):
        if self.plugin is not None:
            shut_down(self.module, self.plugin)
        self.module = self.plugin = None

    def put_text(self, text):
        """Put a text into the shared memory, for an answer."""
        data = text.encode("utf-8", "replace")[: AUDIO_AT - TEXT_AT]
        data = data.decode("utf-8", "ignore").encode()  # no half of a letter
        self.memory[TEXT_AT : TEXT_AT + len(data)] = data
        self.numbers[TEXT_BYTES] = len(data)


def set_scheduler(policy, priority):
    """Set the scheduler of this thread, and not of threads that it starts, if
    that is allowed."""
    try:
        os.sched_setscheduler(
            0, policy | os.SCHED_RESET_ON_FORK, os.sched_param(priority)
        )
    except OSError:
        pass


def become_real_time(deadline):
    """Take real-time priority, limited to the time that a call may take."""
    if not deadline:
        return
    limit = deadline // 1000 + 100_000
    try:
        # First SIGXCPU, which tells the other side the reason; then SIGKILL
        resource.setrlimit(resource.RLIMIT_RTTIME, (limit, limit + 100_000))
    except (OSError, ValueError):
        return
    set_scheduler(os.SCHED_FIFO, PRIORITY)


def answer_between(instance):
    """Answer a start or a reset, between two block calls."""
    try:
        if instance.numbers[OP] == OP_RESET:
            reset_plugin(instance.plugin)
        else:
            instance.start(instance.numbers[N])
        return OK
    except Problem as problem:
        instance.put_text("\0".join(problem.args))
    except BaseException as error:
        instance.put_text(describe(error))
    return FAILED


def answer_call(instance):
    numbers = instance.numbers
    try:
        return instance.call(numbers[N], numbers[IS_GATED])
    except BaseException as error:
        instance.put_text(describe(error))
    return FAILED


def make_calls(instance, deadline):
    """Make block calls. Real-time priority begins after the first call: that
    call may compile, as start () may, for longer than the system allows a
    real-time thread.

    As few lines as possible stand between a ring and its answer. Their data
    has left the processor's caches since the last block: a line that takes 0.1
    us in a loop takes 1 to 3 us here.
    """
    ring, numbers, is_quick = os.eventfd_write, instance.numbers, False
    bell, reply_bell = instance.bells
    while True:
        ring(bell, FULL)  # waits until it has been emptied: ndapybell.h
        if numbers[OP] == OP_CALL:
            numbers[RESULT] = answer_call(instance)
            numbers[REPLY_NUMBER] = numbers[NUMBER]
            ring(reply_bell, 1)
            if not is_quick:
                become_real_time(deadline)
                is_quick = True
        elif numbers[OP] == OP_END:
            return
        else:
            if is_quick and numbers[OP] == OP_START:
                set_scheduler(os.SCHED_OTHER, 0)
                is_quick = False
            numbers[RESULT] = answer_between(instance)
            numbers[REPLY_NUMBER] = numbers[NUMBER]
            ring(reply_bell, 1)
        collect()


def serve_blocks(instance, deadline):
    """Run the block thread. The process ends with it, since nothing else can
    answer."""
    try:
        make_calls(instance, deadline)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def receive(control):
    """Return the next request: number, and texts; None: the other side has
    ended."""
    head = control.recv(HEAD.size, socket.MSG_WAITALL)
    if len(head) < HEAD.size:
        return None
    n_bytes, number = HEAD.unpack(head)
    data = control.recv(n_bytes, socket.MSG_WAITALL) if n_bytes else b""
    if len(data) < n_bytes:
        return None
    return number, [os.fsdecode(text) for text in data.split(b"\0")]


def send(control, number, *texts):
    data = b"\0".join(
        text.replace("\0", "").encode("utf-8", "surrogateescape")
        for text in texts
    )
    control.sendall(HEAD.pack(len(data), number) + data)


def answer(instance, verb, arguments):
    """Handle a request and return its answer, as texts."""
    if verb == "set":
        return [instance.set(*arguments)]
    if verb == "get":
        return [get_parameter(instance.plugin, *arguments)]
    if verb == "facts":
        return [str(fact) for fact in facts(instance.plugin, instance.role)]
    if verb == "describe":
        return [describe_plugin(instance.plugin) or ""]
    if verb == "stop":
        instance.stop()
    elif verb == "interrupt":
        instance.interrupt()
    elif verb == "shut-down":
        instance.shut_down()
    else:
        raise Problem("load", "", f"there is no request “{verb}”")
    return []


def die_with_parent(control, name):
    """Have the kernel kill this process when the other one ends. `name` is
    what ps shows."""
    try:
        import ctypes

        libc = ctypes.CDLL(None)
        libc.prctl(15, name)  # PR_SET_NAME
        libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    except (ImportError, OSError, AttributeError):
        pass  # the socket's end remains
    try:
        is_over = not control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        is_over = False
    if is_over:  # it had ended before
        os._exit(0)


def start_serving(instance, deadline):
    instance.thread = threading.Thread(
        target=serve_blocks,
        args=(instance, int(deadline)),
        name="nda-py-blocks",
        daemon=True,
    )
    instance.thread.start()


def begin_process(api, secret_words, is_caged, folder):
    """Prepare the process once, before any code of a plugin runs."""
    start(True, api, secret_words)
    if is_caged == "yes":
        enter_sandbox(folder)


def begin(what):
    """Handle the first request: load, with all settings of this process."""
    _, path, role, entry, api, secret_words, deadline, is_caged, folder = what
    memory = mmap.mmap(MEMORY, 0)
    os.close(MEMORY)
    begin_process(api, secret_words, is_caged, folder)
    instance = Instance(memory, BELL, REPLY_BELL)
    instance.load(path, role, entry)
    start_serving(instance, deadline)
    return instance


def serve_questions(control, instance):
    """Answer questions. Return whether the plugin was shut down; if not, the
    other side has ended."""
    while (request := receive(control)) is not None:
        number, (verb, *arguments) = request
        send(control, number, "ok", *answer(instance, verb, arguments))
        if verb == "shut-down":
            return True
    return False


def serve():
    for descriptor in (CONTROL, MEMORY, BELL, REPLY_BELL):
        os.set_inheritable(descriptor, False)
    control = socket.socket(fileno=CONTROL)
    die_with_parent(control, b"nda-py-worker")
    request = receive(control)
    if request is None:
        os._exit(0)
    number, what = request
    is_group = what[0] == "group"
    try:
        instance = begin_group(what) if is_group else begin(what)
    except Problem as problem:
        send(control, number, "problem", *problem.args)
        return
    send(control, number, "ok")
    if is_group:
        take_in_members(control)
    elif not serve_questions(control, instance):
        os._exit(0)
