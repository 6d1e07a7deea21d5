# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes texts of faults; a part of ndapyembed.py.

An exception comes from the plugin: its text may have any length, contain
characters that cannot be encoded, or raise when it is asked for. None of this
may become another fault.
"""

LONGEST_TEXT = 8192  # bytes, of what is told of an exception
LONGEST_REASON = 2048  # of its first line
LONGEST_VALUE = 512 * 1024  # of a parameter
LONGEST_PRINTED = 400  # bytes of a plugin's output in an error
LAST_LINES = 3
MOST_ERRORS = 10  # that led to each other, and are told

_printed = threading.local()  # .lines: the last ones of this thread, or None
_is_heard = False  # whether what plugins print passes by here


def hear():
    """From now on keep_printed () gets what plugins print."""
    global _is_heard
    _is_heard = True


def log_printed(is_error, line):
    """A line that a plugin has printed."""
    log(is_error, line)


def keep_printed(line):
    """Remember the last lines of a thread, for an error that has no reason."""
    if not line.strip():
        return
    lines = getattr(_printed, "lines", None)
    if lines is None:
        lines = _printed.lines = collections.deque(maxlen=LAST_LINES)
    lines.append(line[:LONGEST_PRINTED])


def take_printed():
    """What this thread printed last in the plugin, as part of a sentence."""
    lines, _printed.lines = getattr(_printed, "lines", None), None
    if lines:
        text = " / ".join(" ".join(line.split()) for line in lines)
        return f"it printed: {_printable(text, LONGEST_PRINTED)}"
    if _is_heard:
        return ""
    return "it may have printed why, where this program prints"


def suggest_number(text):
    """What to write instead of a number with a comma, as part of a sentence;
    ndapydeclaration.c says it of API 2."""
    number = text.replace(",", ".")
    try:
        float(number)
    except ValueError:
        return ""
    return f"; write it with a point: {number}" if number != text else ""


def refused_parameter(plugin, key, is_secret):
    """Why set_parameter () returned False, as far as that is known."""
    names = _parameter_names(plugin)
    if names and key not in names:
        return f"it has no such parameter, but these: {', '.join(names)}"
    printed = "" if is_secret else take_printed()
    return "it returned False" + (f"; {printed}" if printed else "")


def _parameter_names(plugin):
    """Those of an API 1 plugin that lists them."""
    try:
        listed = plugin.get_parameters()
        return [_printable(str(name), LONGEST_PRINTED) for name in listed]
    except BaseException:  # most have no such method
        return []


def _printable(text, most):
    """Return text that can be sent and shown, of so many bytes at most: a
    longer text loses its middle."""
    if len(text) > 2 * most:
        text = text[:most] + text[-most:]
    data = text.encode("utf-8", "backslashreplace").replace(b"\0", b"\\0")
    if len(data) > most:
        half = (most - 5) // 2
        data = data[:half] + b" ... " + data[-half:]
    return data.decode("utf-8", "ignore")


def _type_name(error):
    # even if a metaclass says otherwise
    return type.__dict__["__name__"].__get__(type(error))


def _one_line(error):
    try:
        text = str(error)
    except BaseException:
        text = "its text cannot be had"
    return _printable(" ".join(text.split()), LONGEST_REASON)


def _reason(error):
    """Return the first line of an error's text."""
    if isinstance(error, SyntaxError):
        text = _one_line(error.msg)
    else:
        text = _one_line(error)
    return _printable(f"{_type_name(error)}: {text}", LONGEST_REASON)


def _place(error):
    """Return the line of the plugin where the error was raised, if any."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename != __file__
    ]
    own = [place for place in places if place[0] in _plugin_files]
    return next(iter(own[-1:] + places[-1:]), None)


def _led_to(error):
    """Return an error and those that led to it, as many as are told. Cut off
    the others."""
    told, ids, waiting = [], {id(None)}, [error]
    while waiting and len(told) < MOST_ERRORS:
        each = waiting.pop(0)
        if id(each) not in ids:
            told.append(each)
            ids.add(id(each))
            waiting += [each.__cause__, each.__context__]
    for each in told:
        if id(each.__cause__) not in ids:
            each.__cause__ = None
        if id(each.__context__) not in ids:
            each.__context__ = None
    return told


def _describe(error):
    if isinstance(error, PluginError):
        return _one_line(error)
    reason, place = _reason(error), _place(error)
    if place:
        reason += f" ({place[0]}, line {place[1]})"
    try:
        details = "".join(traceback.format_exception(error))
    except BaseException:
        details = "There is no traceback of it."
    return _printable(f"{reason}\n{details}", LONGEST_TEXT)


def describe(error):
    """Return one line for the user, then the traceback for the developer.

    A plugin may keep an error, and raise it again for each block, or others
    from it. Python makes the traceback or the chain longer each time. So what
    was told is taken from the error, and each text takes as long as the first.
    """
    try:
        told = _led_to(error)
        text = _describe(error)
        for each in told:
            BaseException.with_traceback(each, None)
        return text
    except BaseException:  # such as a SyntaxError that is none
        return f"{_type_name(error)}\nIt cannot be described."


def problem(error):
    """Return a plugin's fault: kind, name, text."""
    if isinstance(error, Problem):
        return error.args
    return "load", "", describe(error)


def _tell(error):
    """The traceback of an error that ends nothing: to the log, or where the
    errors of an application go that is itself Python."""
    try:
        if _is_heard:
            log(True, describe(error))
        else:
            print(describe(error), file=sys.stderr)
    except BaseException:  # sys.stderr may be anything
        pass
