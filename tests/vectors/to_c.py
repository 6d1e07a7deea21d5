# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""to_c.py RFC9605.json NDA-WIRE.json OUTPUT.h: the vectors as tables in C."""

import json
import sys


def text(value):
    return json.dumps(value)


def number(value):
    """An integer, or the hex string that the file has for a large one."""
    return f"0x{int(value, 16) if isinstance(value, str) else value:x}"


def as_list(value):
    return "{ " + ", ".join(value) + " }"


def table(name, kinds, rows):
    """A table of structures with the fields of `kinds`: field to text or
    number."""
    yield "static const struct {"
    for field, kind in kinds.items():
        yield (
            f"  const char *{field};"
            if kind is text
            else f"  unsigned long long {field};"
        )
    yield f"}} {name}[] = {{"
    for row in rows:
        values = (kind(row[field]) for field, kind in kinds.items())
        yield "  { " + ", ".join(values) + " },"
    yield "};"
    yield ""


def fields(names, kind):
    return dict.fromkeys(names.split(), kind)


def sequences(rows):
    """Each as strings of equal length: arrivals, and their outcomes."""
    for row in rows:
        yield {
            "name": row["name"],
            "window": row["window"],
            "arrivals": " ".join(map(str, row["arrivals"])),
            "outcomes": " ".join(row["outcomes"]),
        }


def tables(rfc, wire):
    yield from table(
        "rfc_headers",
        fields("kid ctr", number) | fields("encoded", text),
        rfc["header"],
    )
    yield from table(
        "rfc_ctr_hmac",
        fields("cipher_suite", number) | fields("key nonce aad pt ct", text),
        rfc["aes_ctr_hmac"],
    )
    yield from table(
        "rfc_sframe",
        fields("cipher_suite kid ctr", number)
        | fields("base_key sframe_secret sframe_key sframe_salt", text)
        | fields("metadata nonce aad pt ct", text),
        rfc["sframe"],
    )
    yield from table(
        "key_schedules",
        fields("suite kid", number)
        | fields("master_key context prk fingerprint base_key", text)
        | fields("sframe_secret sframe_key sframe_salt", text),
        wire["key_schedule"],
    )
    yield from table(
        "passphrases",
        fields("passphrase salt master_key fingerprint", text),
        wire["passphrase"],
    )
    yield from table(
        "records",
        fields("suite kid ctr type format channels rate", number)
        | fields("frames position", number)
        | fields("name master_key context header plaintext record", text),
        wire["records"],
    )
    yield from table(
        "bad_records",
        fields("name record result", text),
        wire["bad_records"]["records"],
    )
    yield from table(
        "streams",
        fields("suite", number)
        | fields("name master_key context bytes pcm result", text),
        wire["streams"],
    )
    yield from table(
        "sequences",
        fields("window", number) | fields("name arrivals outcomes", text),
        sequences(wire["sequences"]["list"]),
    )


def main():
    rfc, wire = (
        json.load(open(path, encoding="utf-8")) for path in sys.argv[1:3]
    )
    with open(sys.argv[3], "w", encoding="utf-8") as out:
        out.write("\n".join(tables(rfc, wire)))


main()
