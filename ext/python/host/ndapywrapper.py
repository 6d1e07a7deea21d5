# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wraps a plugin of API 2, so that the host can call it like one of API 1; a
part of ndapyembed.py.

The rule numbers are those of API 2. A function is called through an object
with the same attributes as an instance of a class. A class has one instance,
or one for each channel (2.3).
"""

FORMAT = ("rate", "frames", "channels")
WATCHED = ("latency", *FORMAT)  # as process_call () has it
EACH = -1  # as nda has it
MAX_FRAMES = 96000
METHODS = (*CALLS, "start", "stop", "reset", "on_change", "get_reading")
MAX_DELAY = 10**8


class _Answer:
    """The result of get_info ()."""

    def __init__(self, name, role):
        self.name, self.api_version = name, 1
        self.type = types.SimpleNamespace(value=role)


class Wrapper:
    """Translates the host's calls for a plugin of API 2."""

    def __init__(self, module, named, role):
        name, self._entry = named
        self.path = module.__file__
        self.is_class = isinstance(self._entry, type)
        self.call_name = call_name_of(name, self._entry, role)
        self.name = os.path.splitext(os.path.basename(self.path))[0]
        self.entry_name = name
        self.display_name = self._shown(
            getattr(module, "DISPLAY_NAME", self.name)
        )
        self.description = self._first_line(module)
        self.parameters = self._find_parameters()
        self._check_names()
        self._check_making()
        self._instances = [self._make()]
        self._told = {}  # what it was told of the format, by its id
        self._declared = {}  # what the first instance says of it itself
        self._n_channels = 0
        self._rate = RATE
        self._latency = 0
        self._known = []  # what a processor's format was when it was read
        self._is_running = False
        self._gatherer = self._generator = None
        self._check_call()

    # --- loading -----------------------------------------------------------

    def _first_line(self, module):
        own = self._entry.__doc__ if self.is_class else None
        texts = own, module.__doc__
        text = next((t for t in texts if isinstance(t, str) and t.strip()), "")
        return self._shown(text.strip().partition("\n")[0].strip())

    @staticmethod
    def _shown(text):
        return _printable(str(text), LONGEST_REASON)

    def _find_parameters(self):
        if self.is_class:
            return class_parameters(self._entry, self._line_of)
        with placed_at(self._where()):
            return function_parameters(self._entry)

    def _where(self):
        """Return where the block call is, as “ (line 5)”; or ""."""
        if self.is_class:
            return line_of(getattr(self._entry, self.call_name))
        return line_of(self._entry)

    def _check_names(self):
        for name in self.parameters if self.is_class else ():
            if name in METHODS:
                raise PluginError(
                    f"its parameter “{name}”{self._line_of(name)} has the name"
                    " of a method; give it another one"
                )
        for name in FORMAT + ("latency", "budget"):
            kind = getattr(self.parameters.get(name), "type", "int")
            if self.is_class and kind != "int":
                raise PluginError(
                    f"its parameter “{name}”{self._line_of(name)} is a {kind},"
                    " but the format has whole numbers"
                )

    def _check_making(self):
        """Check that a class can be made without arguments."""
        if self.is_class:
            self._check_methods()
        needed = needed_by(self._entry) if self.is_class else ""
        if needed:
            raise PluginError(
                f"its {self._entry.__name__} () takes {needed}, but the host "
                "gives it no arguments; let each have a default"
                f"{line_of(self._entry.__init__)}"
            )

    def _check_methods(self):
        """Check that the class has its methods, and that they are methods."""
        call, name = self.call_name, self._entry.__name__
        if call in getattr(self._entry, "__abstractmethods__", ()):
            raise PluginError(
                f"its {name} has no method {call} (){self._line_of(name)}"
            )
        for method in (call, *METHODS[len(CALLS) :]):
            value = getattr(self._entry, method, None)
            if not callable(value):
                raise PluginError(
                    f"its {method} is {value!r:.40}, which is no method"
                    f"{self._line_of(method)}"
                )

    def _make(self):
        if not self.is_class:
            return FunctionPlugin(
                self._entry, self.call_name, self.parameters
            )
        calling(f"{self._entry.__name__} ()")
        instance = self._entry()
        if _role_of(type(instance)) is None:
            raise PluginError(f"its {self._entry.__name__} () is no plugin")
        return instance

    def _line_of(self, what, **where):
        if not self.is_class:
            return ""
        return declared_at(self.path, self._entry.__name__, what, **where)

    def _check_call(self):
        call = getattr(self._instances[0], self.call_name)
        n_blocks = int(self.call_name != "read" or takes_block(call))
        with placed_at(self._where()):
            check_arguments(call, n_blocks, self.call_name)

    # --- what the host calls of any plugin ---------------------------------

    def initialize(self):
        return True

    def shutdown(self):
        self._instances = []
        self._generator = self._gatherer = None
        self.process_audio = self.read_audio = self.write_audio = None

    def get_info(self):
        return _Answer(self.display_name, CALLS[self.call_name][0])

    def get_available_space(self):
        return FRAMES  # write () waits, or returns False

    def set_parameter(self, name, text):
        parameter = self.parameters.get(name)
        if parameter is None:
            names = ", ".join(self.parameters) or "none"
            raise PluginError(f"there is no such parameter, but {names}")
        try:
            value = parameter.parse(text)
        except ValueError as error:
            raise PluginError(_one_line(error)) from None
        for instance in self._instances:
            self._set(instance, name, value)
        for instance in self._instances if self._is_running else ():
            at_once(instance.on_change(name), "on_change")
        self._accept_latency()

    def _accept_latency(self):
        """Take the latency that on_change () may have set, if it makes sense.
        """
        with contextlib.suppress(PluginError):
            self._check("latency", 0, MAX_DELAY)
            if self._known:
                self._known[0] = self._instances[0].latency

    def get_parameter(self, name):
        """A parameter; or a reading, or public attribute, such as a counter;
        as text."""
        first = self._instances[0]
        parameter = self.parameters.get(name)
        if parameter is not None:
            return parameter.format(self._get(first, name))
        value = at_once(first.get_reading(name), "get_reading")
        if value is None and name[:1] != "_":
            value = getattr(first, name, None)
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, (int, float, str)) else ""

    def is_secret(self, name):
        parameter = self.parameters.get(name)
        return parameter is not None and parameter.type == "secret"

    def reset(self):
        for instance in self._instances:
            at_once(instance.reset(), "reset")

    def stop(self):
        """Stop all instances, even if one of them raises."""
        self._is_running = False
        problems = []
        calls = [self._gatherer.drain] if self._gatherer else []
        calls += [instance.stop for instance in self._instances]
        for call in calls + [self._close_generator]:
            try:
                at_once(call(), "stop")
            except BaseException as error:
                problems.append(error)
        if problems:
            raise problems[0]

    def _close_generator(self):
        """Close the generator, unless the block thread is in it, which then
        ends it."""
        generator, self._generator = self._generator, None
        with contextlib.suppress(ValueError, AttributeError):
            generator.close()

    # --- values ------------------------------------------------------------

    def _set(self, instance, name, value):
        if self.is_class:
            self._put(instance, name, value)
        else:
            instance.values[name] = value

    @staticmethod
    def _put(instance, name, value):
        """Set an attribute, of a frozen dataclass too."""
        try:
            setattr(instance, name, value)
        except AttributeError:
            object.__setattr__(instance, name, value)

    def _get(self, instance, name):
        if self.is_class:
            return getattr(instance, name)
        return instance.values[name]

    def _get_instance(self, number):
        """Return an instance, or make another one with the same values."""
        if number == len(self._instances):
            instance = self._make()
            for name in self.parameters:
                value = self._get(self._instances[0], name)
                self._set(instance, name, value)
            self._instances.append(instance)
        return self._instances[number]

    # --- the format --------------------------------------------------------

    def _read_declared(self, instance):
        """Read the format that an instance declares, but not the one that it
        was told."""
        told = self._told.get(id(instance), {})
        said = {}
        for key in FORMAT:
            said[key] = getattr(instance, key, None)
            if key in told and said[key] is told[key]:
                said[key] = getattr(type(instance), key, None)
        return said

    def _tell(self, instance, n_channels):
        """Tell an instance the format before it starts (2.2)."""
        said = self._read_declared(instance)
        usual = {"rate": RATE, "frames": FRAMES, "channels": n_channels}
        told = {key: usual[key] for key in FORMAT if said[key] is None}
        if said["channels"] == EACH:
            told["channels"] = 1
        for key, value in told.items():
            self._put(instance, key, value)
        self._told[id(instance)] = told

    def _check(self, what, low, high, **where):
        """Check what the first instance declares, after its start."""
        value = getattr(self._instances[0], what, 0)
        try:
            return whole(value, what, low, high)
        except PluginError as error:
            line = self._line_of(what, **where)
            raise PlacedError(f"{error}{line}") from None

    def _check_rate(self):
        low, high = RATES[0], RATES[-1]
        return self._check("rate", low, high)

    def _check_channels(self, n_channels):
        if self._is_each:
            return n_channels
        own = self._check("channels", 1, MAX_CHANNELS)
        if self.call_name in ("process", "analyse"):
            fits = own in (1, n_channels) or (own, n_channels) == (2, 1)
            if not fits:
                raise PluginError(
                    f"it takes {own} channels{self._line_of('channels')}, but "
                    f"the stream has {n_channels}: only 1 and EACH go with any"
                )
        return own

    @property
    def _is_each(self):
        return self._declared.get("channels") == EACH

    def _default_channels(self, n_channels):
        """Return the channels of a plugin that does not declare any: the
        stream's; for a source its first array decides."""
        return None if self.call_name == "read" else n_channels or 2

    # --- starting ----------------------------------------------------------

    def begin(self, n_channels):
        """Start, on a stream of so many channels. Return the plugin's format:
        rate, channels, frames of a call."""
        n_channels = self._default_channels(n_channels)
        first = self._instances[0]
        self._declared = self._read_declared(first)
        if self._is_each and self.call_name in ("read", "write"):
            raise PluginError(
                "its channels are EACH, which only processors and analysers "
                f"can have{self._line_of('channels')}"
            )
        del self._instances[n_channels if self._is_each else 1 :]
        self._start_all(n_channels)
        try:
            return self._settle_format(n_channels)
        except BaseException:
            with contextlib.suppress(BaseException):
                self.stop()
            raise

    def _start_all(self, n_channels):
        started = []
        try:
            while len(started) < (n_channels if self._is_each else 1):
                instance = self._get_instance(len(started))
                self._tell(instance, n_channels)
                started.append(instance)
                self._start_one(instance)
                if len(started) == 1:
                    self._declared = self._read_declared(instance)
                if instance.channels == EACH:  # as its start () says
                    self._told[id(instance)]["channels"] = 1
                    self._put(instance, "channels", 1)
        except BaseException as error:
            for instance in started[:-1]:
                with contextlib.suppress(BaseException):
                    instance.stop()
            raise Problem("failed", "start", describe(error)) from None

    @staticmethod
    def _start_one(instance):
        calling("start ()")
        if at_once(instance.start(), "start") is False:
            raise PluginError("it returned False; it raises to say why")

    def _settle_format(self, n_channels):
        """Read the format after the start, and prepare the calls."""
        first = self._instances[0]
        self._rate = self._check_rate()
        n_frames = self._check("frames", 1, MAX_FRAMES)
        self._latency = self._check("latency", 0, MAX_DELAY)
        if self.call_name == "read":
            n_frames = self._bind_source(first, n_frames)
        else:
            self._n_channels = self._check_channels(n_channels)
            n_frames = self._bind(first, n_frames)
        self._is_running = True
        return self._rate, self._n_channels, n_frames

    def _bind(self, first, n_frames):
        """Prepare the call, and return how many frames it has."""
        call = getattr(first, self.call_name)
        if self.call_name == "write":
            return self._bind_sink(call, n_frames)
        instances = self._instances if self._is_each else [first]
        if self.call_name == "analyse":
            calls = [analyse_call(i.analyse) for i in instances]
        else:
            self._known = [getattr(first, key) for key in WATCHED]
            calls = [
                process_call(i.process, first, self._known, self._find_change)
                for i in instances
            ]
        make = each_call if self._is_each else on_buffer
        calls = calls if self._is_each else calls[0]
        self.process_audio = make(calls, self._where())
        return n_frames

    def _find_change(self):
        """Raise, once, if the format is not the one that was read."""
        first, before = self._instances[0], self._known[:]
        self._known[:] = [getattr(first, key) for key in WATCHED]
        for key, old, new in zip(WATCHED, before, self._known):
            if old == new:
                continue
            if key == "latency":
                self._check(key, 0, MAX_DELAY, is_running=True)
                allowed = "start () and on_change ()"
            else:
                allowed = "__init__ () and start ()"
            raise PlacedError(
                f"its {key} became {new!r:.40} after it was {old!r:.40}; only "
                f"{allowed} may change it"
                f"{self._line_of(key, is_running=True) or self._where()}"
            )

    def _bind_sink(self, call, n_frames):
        write = write_call(call)
        self._gatherer = None
        if n_frames > FRAMES:
            self._gatherer = Gatherer(write, self._n_channels, n_frames)
            write = self._gatherer.put
        self.write_audio = on_buffer(write, self._where())
        return min(n_frames, FRAMES)

    def _bind_source(self, first, n_frames):
        call = first.read
        own = self._declared["channels"]
        if own is not None:
            own = self._check("channels", 1, MAX_CHANNELS)
        if takes_block(call) and n_frames <= FRAMES:
            self._n_channels = own or 1
            self.read_audio = on_buffer(read_call(call), self._where())
        else:
            if takes_block(call):
                own = own or 1
                pull = pull_blocks(read_call(call), own, n_frames)
            else:
                pull = self._pull_arrays(call)
            cutter = Cutter(pull, own)
            cutter.look()
            self._n_channels = cutter.n_channels
            self.read_audio = on_buffer(cutter.fill, "")
        self._put(first, "channels", self._n_channels)
        self._told[id(first)]["channels"] = self._n_channels
        return min(n_frames, FRAMES)

    def _pull_arrays(self, call):
        """Return a function that gives the next array: of an iterator, or of a
        new call each time."""
        answer = call()
        if isinstance(answer, collections.abc.Iterator):
            self._generator = answer
            return answer.__next__
        answers = itertools.chain([answer], iter(call, self))
        return lambda: at_once(next(answers), "read")

    # --- telling -----------------------------------------------------------

    def get_facts(self):
        """Return the facts, as facts () does. A latency that makes no sense
        changes nothing."""
        with contextlib.suppress(PluginError):
            self._latency = self._check("latency", 0, MAX_DELAY)
        if CALLS[self.call_name][0] == "Processor":
            is_analyser = self.call_name == "analyse"
            frames = 0 if is_analyser else self._latency
            return frames * 10**9 // self._rate, 0, frames, int(is_analyser)
        said = self._read_declared(self._instances[0])["channels"]
        n_channels = self._n_channels if self._is_running else said
        is_number = isinstance(n_channels, int) and n_channels > 0
        return 0, min(n_channels, MAX_CHANNELS) if is_number else 0, 0, 0

    def declarations(self):
        """Return the group “plugin” of the plugin's description."""
        first = self._instances[0]
        said = self._declared or self._read_declared(first)
        return {
            "name": self.name,
            "role": CALLS[self.call_name][1],
            "entry": self.entry_name,
            "description": self.description,
            "rate": whole_or_0(said["rate"], RATES[-1]),
            "frames": whole_or_0(said["frames"], MAX_FRAMES),
            "channels": whole_or_0(said["channels"], MAX_CHANNELS, EACH),
            "latency": whole_or_0(getattr(first, "latency", 0), MAX_DELAY),
            "path": self.path,
        }


def start_wrapped(wrapper, path, n_channels):
    """Does what start_plugin () does, for a plugin of API 2."""
    try:
        return wrapper.begin(n_channels)
    except Problem:
        raise
    except BaseException as error:
        raise Problem("configure", "", describe(error)) from None
