# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What went wrong, as text; a part of ndapyembed.py."""


def _one_line(error):
    return " ".join(str(error).split())


def _place(error):
    """The line of the plugin that the error came through, if any."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename != __file__
    ]
    own = [place for place in places if place[0] in _plugin_files]
    return next(iter(own[-1:] + places[-1:]), None)


def describe(error):
    """One line for the person, then the traceback for the developer."""
    place = _place(error)
    if isinstance(error, PluginError):
        return _one_line(error)
    if isinstance(error, SyntaxError):
        reason = f"{type(error).__name__}: {_one_line(error.msg)}"
    else:
        reason = f"{type(error).__name__}: {_one_line(error)}"
    if place:
        reason += f" ({place[0]}, line {place[1]})"
    return reason + "\n" + "".join(traceback.format_exception(error))


def problem(error):
    """What went wrong with a plugin: kind, name, text."""
    if isinstance(error, Problem):
        return error.args
    return "load", "", describe(error)
