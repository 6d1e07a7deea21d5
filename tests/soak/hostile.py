#!/usr/bin/python3 -SE
# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A plugin's process that behaves at random: it takes the place of `python=`.

It knows the protocol of ndapyworker.py, and follows it often enough to get
far. Otherwise it answers, rings, writes and ends at random, decided by
NDA_HOSTILE_SEED and the number of the process.
"""

import array
import mmap
import os
import random
import socket
import struct
import sys
import threading

CONTROL, MEMORY, BELL, REPLY_BELL = 3, 4, 5, 6
FULL = 2**64 - 2
HEAD = struct.Struct("=2I")
REPLY_AT, TEXT_AT, AUDIO_AT = 32, 64, 32768
KINDS = (b"load", b"failed", b"refused", b"info", b"role", b"configure", b"")
NUMBERS = (0, 1, 2, 3, 4, 5, 64, 65, 512, 513, 48000, 32704, 32705, 2**31,
           2**32 - 1)
VALUES = (b"18446744073709551615", b"-1", b"9" * 500, b"\xff\xfe", b"", b"2")

seed = int(os.environ.get("NDA_HOSTILE_SEED", "0"))
chance = random.Random(seed * 1000003 + os.getpid() % 97)
control = socket.socket(fileno=CONTROL)


def end_at_eof(data):
    if not data:
        os._exit(0)
    return data


def receive():
    head = b""
    while len(head) < HEAD.size:
        head += end_at_eof(control.recv(HEAD.size - len(head)))
    n_bytes, number = HEAD.unpack(head)
    while n_bytes:
        n_bytes -= len(end_at_eof(control.recv(n_bytes)))
    return number


def send(data):
    try:
        control.sendall(data)
    except OSError:
        os._exit(0)


def pack(number, *texts):
    data = b"\0".join(texts)
    return HEAD.pack(len(data), number) + data


def anything(number):
    """An answer to question `number`, most of them none."""
    text = chance.randbytes(chance.randrange(2000)).replace(b"\0", b".")
    return chance.choice((
        HEAD.pack(2**32 - 1, number),
        HEAD.pack(1 << 20, number) + chance.randbytes(1 << 20),
        HEAD.pack(1 << 20, number) + bytes(1 << 20),
        HEAD.pack((1 << 20) + 1, number) + b"x" * 100,
        HEAD.pack(0, number),
        HEAD.pack(10, number) + b"ok",
        chance.randbytes(3),
        pack(number, b"problem", chance.choice(KINDS), text, b"%n%s%99999d"),
        pack(number, *[b"problem"] * chance.randrange(1, 9)),
        pack(number, b"ok") * 50,
        pack(number + 1, b"ok"),
        pack(number, b"ok", chance.choice(VALUES), chance.choice(VALUES)),
        pack(number, b"ok", chance.choice(VALUES)),
        pack(number, b"ok", text * 50),
        pack(number, b"ok"),
    ))


def answer(number, share_of_sense):
    if chance.random() < share_of_sense:
        send(pack(number, *chance.choice((
            [b"ok"], [b"ok", b""], [b"ok", b"0", b"2"],
        ))))
    elif chance.random() < 0.1:
        fds = array.array("i", [0, 1, 2] * 20)
        control.sendmsg([pack(number, b"ok")],
                        [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    else:
        send(anything(number))
    if chance.random() < 0.1:
        os.write(chance.choice((1, 2)),
                 chance.randbytes(chance.randrange(100000)))


def scribble(memory):
    for _ in range(chance.randrange(3)):
        at = chance.choice((0, 4, 16, REPLY_AT, REPLY_AT + 4, REPLY_AT + 20,
                            4 * chance.randrange(AUDIO_AT // 4)))
        struct.pack_into("=I", memory, at, chance.choice(NUMBERS))


def ring():
    for _ in range(chance.choice((1, 1, 1, 1, 1, 1, 1, 1, 0, 2))):
        os.eventfd_write(REPLY_BELL, chance.choice((1, 1, 5, 2**62)))
    if chance.random() < 0.03:
        os.set_blocking(chance.choice((BELL, REPLY_BELL)), False)


def make_calls():
    memory = mmap.mmap(MEMORY, 0)
    n_samples = (len(memory) - AUDIO_AT) // 4
    memory[AUDIO_AT:] = struct.pack("=f", 0.5) * n_samples
    while True:
        os.eventfd_write(BELL, FULL)
        number, op, n, _ = struct.unpack_from("=4I", memory)
        reply = [number, 0, 48000, n if op == 1 else 2, 512, 0]
        if chance.random() < 0.1:
            reply[chance.randrange(6)] = chance.choice(NUMBERS)
        struct.pack_into("=6I", memory, REPLY_AT, *reply)
        if chance.random() < 0.1:
            scribble(memory)
        if chance.random() < 0.02:
            os._exit(chance.randrange(256))
        if chance.random() < 0.02:
            os.kill(os.getpid(), chance.choice((6, 9, 11, 19)))
        ring()


def make_calls_or_end():
    try:
        make_calls()
    except (OSError, ValueError):
        os._exit(1)


sys.excepthook = threading.excepthook = lambda *args: os._exit(1)
threading.Thread(target=make_calls_or_end, daemon=True).start()
answer(receive(), 0.9)
while True:
    answer(receive(), 0.8)
