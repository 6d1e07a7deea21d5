# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/command.md, written from the help texts of the verbs.

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

The command `nda` is the same in a checkout of the sources and installed. In a
checkout it is the file `./nda`, which brings the build up to date before it
uses the build. `nda help` lists the verbs, `nda VERB --help` the arguments of
one verb, and `nda --version` prints the version.
"""
TAIL = """\
## In a checkout

**Packages.** The first run installs the missing Debian packages, as root or
through sudo. It first lists the packages and their size. On a terminal it
asks. The option `--yes`, the environment variable `CI`, or a standard input
that is not a terminal mean yes. The run removes no package, and does not touch
software that you installed yourself.

**The build** is in `build/`, and the output of each step in `build/nda-logs/`.
If two runs start at once, the second one waits until the first one has built,
and says so. `nda` begins a new build if the old one came from another folder
or system, or is broken. `build`, `test`, `bench` and `soak` also begin a new
one if the values of `CC`, `CFLAGS`, `CPPFLAGS`, `LDFLAGS` or `PKG_CONFIG_PATH`
have changed. `nda` never removes a build while another run uses it, inside
`nda shell`, or if you configured it with `meson setup`: then the command
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
