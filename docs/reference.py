#!/usr/bin/python3
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the reference at the end of each element's page.

    ./nda shell docs/reference.py            # write
    ./nda shell docs/reference.py --check    # say which page is old

Properties, signals and actions come from the element as GStreamer finds it.
Messages and statistics come from the comment at the head of its source, since
no element can be asked for their meaning. A statistic that the comment or the
blurb of `stats` leaves out, or one that the element does not have, is an
error.
"""

import re
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GObject, Gst  # noqa: E402

TOP = Path(__file__).resolve().parent.parent
BEGIN = "<!-- The rest is written by docs/reference.py. -->\n"

SOURCES = {
    "ndasrc": "gst/ndaio/ndasrc.c",
    "ndasink": "gst/ndaio/ndasink.c",
    "ndaresample": "gst/resample/ndaresample.c",
    "ndaencrypt": "ext/openssl/ndaencrypt.c",
    "ndadecrypt": "ext/openssl/ndadecrypt.c",
    "ndapybridge": "ext/python/elements/ndapybridge.c",
    "ndapysrc": "ext/python/elements/ndapysrc.c",
    "ndapysink": "ext/python/elements/ndapysink.c",
}

# Properties that GStreamer's own base classes document
BASE = ("GstObject", "GstElement", "GstBaseSrc", "GstBaseSink", "GstBin")


class Wrong(Exception):
    """What the page or the source has to say otherwise."""


# --- the comment at the head of a source


def comment(source):
    text = (TOP / source).read_text()
    body = text[text.index("/**") : text.index(" */", text.index("/**"))]
    return re.sub(r"^ \* ?", "", body, flags=re.MULTILINE)


def section(name, title):
    """The text of one section of an element's comment, or None."""
    found = re.search(
        rf"^## {title}\n\n(.*?)(?=^## |^Since:)",
        comment(SOURCES[name]),
        re.MULTILINE | re.DOTALL,
    )
    return found and as_markdown(found.group(1), name)


def as_markdown(text, name):
    """Mentions such as #ndasrc:uri and #NdaEncrypt::rekey, for this page."""
    text = re.sub(rf"#{name}::?([\w-]+)", r"`\1`", text, flags=re.IGNORECASE)
    text = re.sub(r"#(\w+)::?([\w-]+)", r"`\2` of [\1](\1.md)", text)
    text = re.sub(r"#(\w+)", r"\1", text)
    return text.strip() + "\n"


def expand(names):
    """Of “avg-”, “p50-”, “max-call-time” all three whole names."""
    rest = names[-1].split("-", 1)[-1]
    return [name + rest if name.endswith("-") else name for name in names]


def documented(text):
    """The names that the items of a list are about."""
    names = []
    for item in re.findall(r"^\* ((?:.|\n  )*)", text, re.MULTILINE):
        head = re.match(r"(?:`[\w-]+`(?: \(\w+\))?[,\s]*)+", item)
        if head:
            names += expand(re.findall(r"`([\w-]+)`", head.group()))
    return set(names)


# --- the element


def cell(text):
    return " ".join(str(text).split()).replace("|", "\\|")


def enum_values(element, spec):
    """By number. A value has the class with them, a default not always."""
    return type(element.get_property(spec.name)).__enum_values__


def type_name(element, spec):
    names = {
        "gchararray": "string",
        "gboolean": "boolean",
        "GstStructure": "structure",
    }
    name = spec.value_type.name
    if spec.value_type.is_a(GObject.TYPE_ENUM):
        values = enum_values(element, spec).values()
        return ", ".join(f"`{value.value_nick}`" for value in values)
    return names.get(name, name.removeprefix("g"))


def value_range(spec):
    if not hasattr(spec, "minimum") or isinstance(
        spec, GObject.ParamSpecBoolean
    ):
        return ""
    most = {2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1}
    if spec.maximum in most:
        return f", from {spec.minimum}"
    return f", {spec.minimum} to {spec.maximum}"


def default_value(element, spec):
    if not spec.flags & GObject.ParamFlags.WRITABLE:
        return ""
    value = getattr(spec, "default_value", None)  # an object has none
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if spec.value_type.is_a(GObject.TYPE_ENUM):
        value = enum_values(element, spec)[int(value)].value_nick
    return f"`{value}`"


def flags(spec):
    if not spec.flags & GObject.ParamFlags.WRITABLE:
        return "read only"
    if not spec.flags & GObject.ParamFlags.READABLE:
        return "write only"
    return ""


def own_properties(element):
    for spec in sorted(element.list_properties(), key=lambda s: s.name):
        if spec.owner_type.name not in BASE:
            yield spec


def properties(element):
    lines = ["| property | type | default | what it is |", "| - | - | - | - |"]
    for spec in own_properties(element):
        kind = type_name(element, spec) + value_range(spec)
        kind = ", ".join(part for part in (kind, flags(spec)) if part)
        lines.append(
            f"| `{spec.name}` | {kind} | {default_value(element, spec)} "
            f"| {cell(spec.blurb)} |"
        )
    return "\n".join(lines) + "\n"


def signature(query):
    names = ", ".join(kind.name for kind in query.param_types)
    return f"`{query.signal_name}` ({names}) → {query.return_type.name}"


def signals(element):
    """Signals, and actions, of its own type and of ours above it."""
    lines = []
    kind = element.__gtype__
    while kind.name not in BASE:
        for identity in GObject.signal_list_ids(kind):
            query = GObject.signal_query(identity)
            what = (
                "action"
                if query.signal_flags & GObject.SignalFlags.ACTION
                else "signal"
            )
            lines.append(f"* {what} {signature(query)}")
        kind = kind.parent
    return "\n".join(lines) + "\n" if lines else None


# --- the page


def check_statistics(name, element, text):
    stats = element.get_property("stats")
    fields = {stats.nth_field_name(i) for i in range(stats.n_fields())}
    told = documented(text)
    if "(ndapybridge.md)" in text:
        told |= documented(section("ndapybridge", "Statistics"))
        told -= set(re.findall(r"(?:but|except) `([\w-]+)`", text))
    blurb = element.find_property("stats").blurb
    blurb_names = re.sub(r"([\w-]+-)( and|,) ", r"\1 ", blurb)
    for field in sorted(fields):
        if field not in told:
            raise Wrong(f"{SOURCES[name]}: “{field}” is not documented")
        if field not in blurb and field.split("-", 1)[1] not in blurb_names:
            raise Wrong(f"{name}: the blurb of stats lacks “{field}”")
    for field in sorted(told - fields):
        raise Wrong(f"{SOURCES[name]}: there is no statistic “{field}”")


def reference(name):
    element = Gst.ElementFactory.make(name)
    if element is None:
        raise Wrong(f"GStreamer does not find {name}: run this in ./nda shell")
    statistics = section(name, "Statistics")
    check_statistics(name, element, statistics)
    parts = [("Properties", properties(element))]
    parts.append(("Signals and actions", signals(element)))
    parts.append(("Messages", section(name, "Messages")))
    parts.append(("Statistics", statistics))
    return BEGIN + "".join(
        f"\n## {title}\n\n{text}" for title, text in parts if text
    )


def page(name):
    return TOP / "docs" / f"{name}.md"


def whole(name):
    """What the page has to be."""
    text = page(name).read_text()
    written = text.split(BEGIN)[0].rstrip("\n")
    return f"{written}\n\n{reference(name)}"


def main(arguments):
    Gst.init(None)
    old = []
    for name in SOURCES:
        text = whole(name)
        if text == page(name).read_text():
            continue
        if arguments == ["--check"]:
            old.append(name)
        else:
            page(name).write_text(text)
    for name in old:
        print(f"docs/{name}.md is old: run ./nda shell docs/reference.py")
    return 1 if old else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Wrong as wrong:
        sys.exit(f"docs/reference.py: {wrong}")
