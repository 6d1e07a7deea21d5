# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/command.md, out of what the verbs say of themselves.

    nda help --page > docs/command.md
"""

from __future__ import annotations

import argparse
import textwrap

from . import verbs
from .main import make_verb_parser

WIDTH = 88
HEAD = """\
<!-- Written by “./nda help --page”. Do not edit: change the verbs. -->
# The command nda

    nda VERB [ARGUMENT...]

`nda` is one command, the same in a checkout of the sources and installed. In a
checkout it is the file `./nda`; it brings the build up to date before it uses
it. `nda help` lists the verbs, `nda VERB --help` the arguments of one, `nda
--version` the version.
"""
TAIL = """\
## In a checkout

**Packages.** The first run installs the Debian packages that are missing, as
root or through sudo. Before it does, it says which, and how large they are. On
a terminal it asks; `--yes`, the environment variable `CI` and a standard input
that is no terminal mean yes. What is installed by hand is not touched, and no
package is removed.

**The build** is in `build/`; what each step printed is in `build/nda-logs/`.
Two runs at once do not get into each other's way: the second one waits until
the first one has built, and says so. A build is started afresh if it came from
another folder or system, if `build`, `test`, `bench` or `soak` meet other
values of `CC`, `CFLAGS`, `CPPFLAGS`, `LDFLAGS` or `PKG_CONFIG_PATH`, or if it
is broken. It is never removed while another run uses it, from inside `nda
shell`, or if it was configured by hand with `meson setup`: then the command
stops, and says what to do.

**Python** is the system's, `/usr/bin/python3`, whatever comes first on `PATH`.
"""


def usage_of(action: argparse.Action) -> str:
    """How one argument stands in the usage."""
    name = metavar_of(action)
    if action.option_strings:
        text = action.option_strings[-1] + (f" {name}" if name else "")
        return f"[{text}]"
    if action.nargs == "*" or action.nargs == argparse.REMAINDER:
        return f"[{name}...]"
    if action.nargs == "+":
        return f"{name}..."
    return f"[{name}]" if action.nargs == "?" else name


def metavar_of(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.choices:
        return "|".join(action.choices)
    return str(action.metavar or action.dest.upper())


def term_of(action: argparse.Action) -> str:
    """How an argument stands in the table."""
    name = metavar_of(action)
    if not action.option_strings:
        return f"`{name}`"
    return ", ".join(
        f"`{option}{' ' + name if name else ''}`"
        for option in action.option_strings
    ).replace("|", "\\|")


def actions_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [
        action
        for action in parser._actions
        if action.dest != "help" and action.help != argparse.SUPPRESS
    ]


def section(verb: verbs.Verb) -> str:
    parser = make_verb_parser(verb)
    actions = actions_of(parser)
    options = [action for action in actions if action.option_strings]
    others = [action for action in actions if not action.option_strings]
    words = ["nda", verb.name, *map(usage_of, options + others)]
    usage = textwrap.fill(
        " ".join(word.replace(" ", "\0") for word in words),
        WIDTH,
        initial_indent=" " * 4,
        subsequent_indent=" " * 8,
        break_long_words=False,
        break_on_hyphens=False,
    ).replace("\0", " ")
    lines = [f"## nda {verb.name}", "", usage, "",
             textwrap.fill(f"{verb.summary[0].upper()}{verb.summary[1:]}."
                           + checkout_text(verb), WIDTH), ""]
    if actions:
        lines += ["| argument | what |", "| --- | --- |"]
        lines += [
            f"| {term_of(action)} | {help_of(action)} |"
            for action in others + options
        ]
        lines.append("")
    if parser.epilog:
        lines += [parser.epilog.rstrip(), ""]
    return "\n".join(lines)


def help_of(action: argparse.Action) -> str:
    text = action.help or ""
    return (text % vars(action)).replace("|", "\\|")


def checkout_text(verb: verbs.Verb) -> str:
    if verb.needs != verbs.CHECKOUT:
        return ""
    return " In a checkout only."


def page() -> str:
    sections = [section(verb) for verb in verbs.present()]
    return "\n".join([HEAD, *sections, TAIL])
