# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Encrypted audio as its users meet it: files, datagrams, errors, and no key
in anything that can be seen."""

import base64
import hashlib
import hmac
import os
import re
import subprocess

import numpy as np
import pytest

from processes import error_without_threads

CONTEXT = b"alice"


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "studio.key"
    path.write_bytes(os.urandom(32))
    path.chmod(0o600)
    return path


def run(gst, text, timeout=20, setup=None):
    """Runs a pipeline to its end; its error, or None."""
    pipeline = gst.parse_launch(text)
    if setup:
        setup(pipeline)
    pipeline.set_state(gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        timeout * gst.SECOND, gst.MessageType.EOS | gst.MessageType.ERROR
    )
    pipeline.set_state(gst.State.NULL)
    assert message, "neither end nor error"
    if message.type == gst.MessageType.ERROR:
        return message.parse_error()[0]
    return None


SOURCE = (
    "audiotestsrc wave=white-noise num-buffers=40 samplesperbuffer=700 ! "
    "audio/x-raw,format=S16LE,rate=48000,channels=2 ! "
)


@pytest.fixture
def talk(gst, key, tmp_path):
    """A recording: the encrypted file, and what was said."""
    error = run(
        gst,
        f"{SOURCE} tee name=t ! queue ! filesink location={tmp_path}/talk.raw "
        f"t. ! queue ! ndaencrypt key-file={key} context=alice ! "
        f"filesink location={tmp_path}/talk.nda",
    )
    assert error is None
    return tmp_path / "talk.nda", (tmp_path / "talk.raw").read_bytes()


# --- files -------------------------------------------------------------------


def test_a_file_is_played_as_it_was_said(gst, key, talk, tmp_path):
    file, said = talk
    out = tmp_path / "out.raw"

    error = run(
        gst,
        f"filesrc location={file} ! ndadecrypt key-file={key} context=alice ! "
        f"filesink location={out}",
    )

    assert error is None
    assert out.read_bytes() == said
    assert said[:4096] not in file.read_bytes()


def set_decrypt(pipeline, settings):
    """Sets up the ndadecrypt that decodebin will find."""

    def added(bin, parent, element):
        if element.get_factory().get_name() == "ndadecrypt":
            for name, value in settings.items():
                element.set_property(name, value)

    pipeline.connect("deep-element-added", added)


@pytest.mark.parametrize("source", ["decodebin", "ndasrc"])
def test_encrypted_files_find_their_way(gst, key, talk, tmp_path, source):
    file, said = talk
    out = tmp_path / "out.raw"
    before = {
        "decodebin": f"filesrc location={file} ! decodebin",
        "ndasrc": f"ndasrc uri={file.as_uri()}",
    }[source]

    error = run(
        gst,
        f"{before} ! audioconvert dithering=none ! "
        f"audio/x-raw,format=S16LE ! filesink location={out}",
        setup=lambda pipeline: set_decrypt(
            pipeline, {"key-file": str(key), "context": "alice"}
        ),
    )

    assert error is None
    assert out.read_bytes() == said


def test_a_passphrase_opens_what_it_closed(gst, tmp_path):
    phrase = tmp_path / "phrase"
    phrase.write_text("correct horse battery staple\n")
    phrase.chmod(0o600)
    file, out = tmp_path / "a.nda", tmp_path / "out.raw"
    keys = f"passphrase-file={phrase} passphrase-salt=room-1234"

    assert not run(
        gst, f"{SOURCE} ndaencrypt {keys} ! filesink location={file}"
    )
    assert not run(
        gst,
        f"filesrc location={file} ! ndadecrypt {keys} ! "
        f"filesink location={out}",
    )
    assert len(out.read_bytes()) == 40 * 700 * 4


def test_a_key_through_a_pipe(gst, key, talk, tmp_path):
    file, said = talk
    out = tmp_path / "out.raw"
    reader, writer = os.pipe()
    os.write(writer, key.read_bytes())
    os.close(writer)

    error = run(
        gst,
        f"filesrc location={file} ! ndadecrypt key-fd={reader} "
        f"context=alice ! filesink location={out}",
    )

    os.close(reader)
    assert error is None
    assert out.read_bytes() == said


# --- datagrams ---------------------------------------------------------------


def test_real_datagrams(gst, key):
    """Over the loopback, with a limit on their age."""
    receiver = gst.parse_launch(
        'udpsrc name=src port=0 caps="application/x-nda-sframe,version=1,'
        'framing=packet,suite=5" ! '
        f"ndadecrypt name=dec key-file={key} context=alice max-age=30 ! "
        "appsink name=sink sync=false"
    )
    receiver.set_state(gst.State.PLAYING)
    port = receiver.get_by_name("src").get_property("port")
    error = run(
        gst,
        "audiotestsrc num-buffers=50 samplesperbuffer=512 ! "
        "audio/x-raw,format=S16LE,channels=1,rate=48000 ! "
        f"ndaencrypt key-file={key} context=alice framing=packet ! "
        f"udpsink sync=false host=127.0.0.1 port={port}",
    )
    end = receiver.get_bus().timed_pop_filtered(
        20 * gst.SECOND, gst.MessageType.ELEMENT | gst.MessageType.ERROR
    )
    stats = receiver.get_by_name("dec").get_property("stats").to_string()
    samples = [
        receiver.get_by_name("sink").emit("try-pull-sample", gst.SECOND)
        for _ in range(50)
    ]
    receiver.set_state(gst.State.NULL)

    assert error is None
    assert 'outcome=(string)end' in end.get_structure().to_string()
    assert "num-records=(guint64)51" in stats
    heard = b"".join(
        s.get_buffer().extract_dup(0, s.get_buffer().get_size())
        for s in samples
    )
    assert len(heard) == 50 * 1024
    assert np.abs(np.frombuffer(heard, "<i2")).max() > 20000


# --- errors ------------------------------------------------------------------


def spoil_missing(path):
    path.unlink()


def spoil_mode(path):
    path.chmod(0o644)


def spoil_short(path):
    path.write_bytes(os.urandom(30) + b"\0")


def spoil_zero(path):
    path.write_bytes(bytes(32))


def spoil_text(path):
    path.write_text("the key is under the mat, next to the door\n")


@pytest.mark.parametrize(
    "spoil, domain, code, words",
    [
        (spoil_missing, "resource", "NOT_FOUND", "There is no key file"),
        (spoil_mode, "resource", "OPEN_READ", "chmod 600"),
        (spoil_short, "resource", "SETTINGS", "holds 31 bytes"),
        (spoil_zero, "resource", "SETTINGS", "all zero"),
        (spoil_text, "resource", "SETTINGS", "Line 1"),
    ],
)
@pytest.mark.parametrize("element", ["ndaencrypt", "ndadecrypt"])
def test_key_files_that_are_refused(
    gst, key, element, spoil, domain, code, words
):
    spoil(key)
    pipeline = gst.parse_launch(f"{element} key-file={key} name=e")

    change = pipeline.set_state(gst.State.PAUSED)
    bus = gst.Bus()
    pipeline.set_state(gst.State.NULL)
    pipeline.set_bus(bus)
    pipeline.set_state(gst.State.READY)
    message = bus.pop_filtered(gst.MessageType.ERROR)
    pipeline.set_state(gst.State.NULL)

    assert change == gst.StateChangeReturn.FAILURE
    error, debug = message.parse_error()
    assert error.domain == f"gst-{domain}-error-quark"
    assert error.code == int(getattr(gst.ResourceError, code))
    assert words in error.message
    assert "studio.key" in error.message
    assert debug


def test_a_context_that_is_too_long(gst, key):
    error = run(
        gst,
        f"{SOURCE} ndaencrypt key-file={key} context={'x' * 256} ! fakesink",
    )
    assert "at most 255 bytes" in error.message


def test_a_passphrase_without_salt(gst, key):
    error = run(gst, f"{SOURCE} ndaencrypt passphrase-file={key} ! fakesink")
    assert "passphrase-salt" in error.message


def test_a_passphrase_without_a_thread(tmp_path):
    phrase = tmp_path / "phrase"
    phrase.write_text("correct horse battery staple")
    phrase.chmod(0o600)

    error = error_without_threads(
        f"ndaencrypt passphrase-file={phrase} passphrase-salt=room-1234"
    )

    assert "gives no thread" in error


def records(stream):
    """The preamble of a stored stream, and each record with its length."""
    parts, at = [stream[:16]], 16
    while at < len(stream):
        n = 2 + int.from_bytes(stream[at : at + 2], "big")
        parts.append(stream[at : at + n])
        at += n
    return parts


def swap(stream):
    parts = records(stream)
    parts[5], parts[6] = parts[6], parts[5]
    return b"".join(parts)


def repeat(stream):
    parts = records(stream)
    return b"".join(parts[:6] + parts[5:])


def leave_out(stream):
    parts = records(stream)
    return b"".join(parts[:5] + parts[6:])


@pytest.mark.parametrize(
    "spoil, words",
    [
        (swap, "Records are missing"),
        (repeat, "arrived a second time"),
        (leave_out, "Records are missing"),
        (lambda b: b + records(b)[1], "after the end of the stream"),
        (lambda b: b + b, "after the end of the stream"),
        (lambda b: b[:-40], "The end of the stream is missing"),
        (lambda b: b + b"more", "after the end of the stream"),
        (lambda b: b[:5000] + b"\0" + b[5001:], "altered or forged"),
        (lambda b: b"RIFF" + b[4:], "does not begin like a stream"),
        (lambda b: b"", "The end of the stream is missing"),
    ],
)
def test_files_that_are_not_whole(gst, key, talk, tmp_path, spoil, words):
    file, said = talk
    bad, out = tmp_path / "bad.nda", tmp_path / "out.raw"
    bad.write_bytes(spoil(file.read_bytes()))

    error = run(
        gst,
        f"filesrc location={bad} ! ndadecrypt key-file={key} context=alice ! "
        f"filesink location={out}",
    )

    assert words in error.message
    # what came before is valid, and nothing else came
    assert said.startswith(out.read_bytes())


@pytest.mark.parametrize(
    "change, words",
    [
        ({"context": "bob"}, "same key, “context” and “suite”"),
        ({"key-file": None}, "no key to decrypt with"),
        ({"suite": 4}, "Set “suite” to 5"),
        ({"key-file": "other"}, "wrong key or damaged"),
    ],
)
@pytest.mark.parametrize("source", ["filesrc", "ndasrc"])
def test_a_wrong_key_lets_nothing_out(
    gst, key, talk, tmp_path, source, change, words
):
    other = tmp_path / "other"
    other.touch(0o600)
    other.write_bytes(os.urandom(32))
    settings = {"key-file": str(key), "context": "alice"} | change
    if settings["key-file"] == "other":
        settings["key-file"] = str(other)
    out = tmp_path / "out.raw"
    before = {
        "filesrc": f"filesrc location={talk[0]} ! decodebin",
        "ndasrc": f"ndasrc uri={talk[0].as_uri()}",
    }[source]

    error = run(
        gst,
        f"{before} ! filesink location={out}",
        setup=lambda pipeline: set_decrypt(pipeline, settings),
    )

    assert error.domain == "gst-stream-error-quark"
    assert error.code == int(gst.StreamError.DECRYPT_NOKEY)
    assert words in error.message
    assert not out.exists() or out.read_bytes() == b""


# --- no key in anything that can be seen -------------------------------------


def expand(hash_name, prk, info, n):
    out, block = b"", b""
    while len(out) < n:
        info_n = info + bytes([len(out) // len(block or b"-" * 64) + 1])
        block = hmac.new(prk, block + info_n, hash_name).digest()
        out += block
    return out[:n]


def secrets(master, kid):
    """The stages from a master key to a cipher, by another implementation."""
    prk = hmac.new(b"nda-sframe/1", master, "sha512").digest()
    suite = b"\0\5"
    base = expand(
        "sha512", prk, b"nda-sframe/1 base " + suite + kid + CONTEXT, 32
    )
    secret = hmac.new(b"", base, "sha512").digest()
    info = kid + suite
    return [
        master,
        prk,
        base,
        secret,
        expand("sha512", secret, b"SFrame 1.0 Secret key " + info, 32),
        expand("sha512", secret, b"SFrame 1.0 Secret salt " + info, 12),
    ]


def test_the_other_implementation_is_right():
    kid = bytes.fromhex("8f1e2d3c4b5a6978")
    stages = secrets(bytes(range(32)), kid)

    assert stages[2].hex().startswith("d05e23281a79e7e6")
    assert stages[4].hex().startswith("b24215edd2647687")
    assert stages[5].hex() == "88f2359d0c73ec53a0a87478"


def forms(secret):
    """Ways to write eight bytes of a secret."""
    for at in range(0, len(secret) - 7, 4):
        part = secret[at : at + 8]
        yield part
        yield part.hex().encode()
    yield base64.b64encode(secret)[:12]


def squeeze(text):
    """Without what stands between the bytes of a dump."""
    return text.lower().translate(None, b" \t\r\n:,").replace(b"0x", b"")


def shows(text, secret, squeezed=None):
    squeezed = squeezed or squeeze(text)
    return any(
        form in text or form.lower() in squeezed for form in forms(secret)
    )


def test_nothing_shows_a_key(gst, key, tmp_path):
    file = tmp_path / "a.nda"
    environment = dict(
        os.environ,
        GST_DEBUG="*:9",
        GST_DEBUG_NO_COLOR="1",
        GST_DEBUG_DUMP_DOT_DIR=str(tmp_path),
        GST_DEBUG_FILE=str(tmp_path / "log"),
    )
    said = subprocess.run(
        f"gst-launch-1.0 -v audiotestsrc num-buffers=9 ! ndaencrypt "
        f"key-file={key} context=alice ! tee name=t ! queue ! "
        f"filesink location={file} t. ! queue ! "
        f"ndadecrypt key-file={key} context=alice ! fakesink "
        "silent=false".split(),
        env=environment,
        capture_output=True,
        check=True,
    )
    seen = said.stdout + said.stderr + (tmp_path / "log").read_bytes()
    dots = list(tmp_path.glob("*.dot"))
    seen += b"".join(path.read_bytes() for path in dots)
    kid = file.read_bytes()[19:27]

    assert dots
    assert len(seen) > 100_000
    assert kid.hex().encode() in seen  # which may be shown
    squeezed = squeeze(seen)
    for secret in secrets(key.read_bytes(), kid):
        assert not shows(seen, secret, squeezed)
    # and it would be found
    assert shows(key.read_bytes().hex(" ").encode(), key.read_bytes())


@pytest.mark.parametrize("name", ["ndaencrypt", "ndadecrypt"])
def test_no_property_gives_a_key_back(gst, key, name):
    element = gst.ElementFactory.make(name)
    element.set_property("key-file", str(key))
    element.set_state(gst.State.READY)
    values = " ".join(
        f"{spec.name}={element.get_property(spec.name)}"
        for spec in element.list_properties()
        if spec.flags & 1
    )
    element.set_state(gst.State.NULL)

    assert "key-file=" in values
    assert not shows(values.encode(), key.read_bytes())
    assert not [
        spec.name
        for spec in element.list_properties()
        if re.search("key|phrase|secret", spec.name)
        and spec.name
        not in ("key-file", "key-fd", "passphrase-file", "passphrase-salt")
    ]


def test_keygen_and_keyinfo_show_the_fingerprint_only(tmp_path):
    tool = os.environ.get("NDA_KEY")
    if not tool:
        pytest.skip("the tool was not built")
    path = tmp_path / "new.key"
    made = subprocess.run(
        [tool, "gen", path], capture_output=True, check=True
    ).stdout
    info = subprocess.run(
        [tool, "info", path], capture_output=True, check=True
    ).stdout
    master = path.read_bytes()
    prk = hmac.new(b"nda-sframe/1", master, hashlib.sha512).digest()
    fingerprint = expand("sha512", prk, b"nda-sframe/1 fingerprint", 8)

    assert made == info
    assert fingerprint.hex().encode() in info
    assert not shows(info, master)
    assert path.stat().st_mode & 0o7777 == 0o600
    again = subprocess.run([tool, "gen", path], capture_output=True)
    assert again.returncode == 1
    assert path.read_bytes() == master
