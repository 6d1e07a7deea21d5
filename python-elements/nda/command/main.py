# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the command line, and runs the verb it names."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

import nda

from . import verbs
from .place import Failure, Place


class Parser(argparse.ArgumentParser):
    """Takes no abbreviations, and names the help."""

    def __init__(self, **settings) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str):
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {message}; see “{self.prog} --help”.\n")


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Add --yes, which each verb has that updates a build."""
    parser.add_argument(
        "--yes",
        action="store_true",
        help="in a checkout: install missing Debian packages without asking",
    )


def version_text() -> str:
    return f"nda {nda.__version__}"


def make_verb_parser(verb: verbs.Verb, command: str = "nda") -> Parser:
    parser = Parser(
        prog=f"{command} {verb.name}",
        description=f"{verb.summary[0].upper()}{verb.summary[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module = verb.load()
    parser.epilog = getattr(module, "EPILOG", None)
    if verb.needs != verbs.NOTHING:
        add_yes(parser)
    module.add_arguments(parser)
    return parser


def help_text(place: Place) -> str:
    """Return all verbs, one a line."""
    width = max(len(verb.name) for verb in verbs.VERBS) + 2
    is_checkout = bool(place.top)
    there = [v for v in verbs.present()
             if is_checkout or v.needs != verbs.CHECKOUT]
    others = [v.name for v in verbs.present() if v not in there]
    lines = [
        f"  {place.name} {verb.name:{width}}{verb.summary}" for verb in there
    ]
    if others:
        lines += ["", f"In a checkout of nda's sources: {', '.join(others)}."]
    return "\n".join([
        f"usage: {place.name} VERB [ARGUMENT...]",
        "",
        *lines,
        "",
        f"“{place.name} VERB --help” shows the arguments of a verb, "
        f"“{place.name} --version” the version.",
    ])


def prepare(verb: verbs.Verb, args: argparse.Namespace) -> None:
    """Prepare what the verb needs."""
    top = args.place.top
    if verb.needs == verbs.CHECKOUT and not top:
        raise Failure(
            f"“nda {verb.name}” works in a checkout of nda's sources only: "
            f"run “./nda {verb.name}” there."
        )
    if verb.needs == verbs.ELEMENTS and top:
        from .checkout.ready import enter_build

        enter_build(top, args)


def parse(parser: Parser, words: list[str]) -> argparse.Namespace:
    """Read the arguments of a verb; options may stand anywhere, unless the
    rest of the line is a command."""
    if any(a.nargs == argparse.REMAINDER for a in parser._actions):
        return parser.parse_args(words)
    return parser.parse_intermixed_args(words)


def run_verb(verb: verbs.Verb, words: list[str], place: Place) -> int:
    args = parse(make_verb_parser(verb, place.name), words)
    args.place, args.verb = place, verb.name
    prepare(verb, args)
    return verb.load().run(args)


def dispatch(words: list[str], place: Place) -> int:
    name, *rest = words or ["help"]
    if name in ("--help", "-h"):
        name = "help"
    if name == "--version":
        print(version_text())
        return 0
    if name == "--yes" and rest:  # it may stand before the verb as well
        return dispatch([rest[0], "--yes", *rest[1:]], place)
    verb = verbs.find(name)
    if verb:
        return run_verb(verb, rest, place)
    print(help_text(place), file=sys.stderr)
    print(
        f"nda: there is no verb “{name}”; those above are all there are.",
        file=sys.stderr,
    )
    return 2


def main(words: list[str] | None = None, place: Place = Place()) -> int:
    """Run the command; return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            # Until now the signal had to end an import without a traceback.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return dispatch(sys.argv[1:] if words is None else words, place)
    except Failure as failure:
        sys.stdout.flush()
        print(f"nda: {failure}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        sys.stdout.flush()
        print("nda: interrupted.", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:  # of “nda ... | head”
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


def main_of_checkout(top: str) -> int:
    """The file `nda` of a checkout calls this."""
    return main(place=Place(top=Path(top)))


def main_of_installed(program: str) -> int:
    """The program `nda` of an installed nda calls this."""
    return main(place=Place(tools=Path(program).resolve().parent))
