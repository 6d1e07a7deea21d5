# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write a text file as a C string: embed.py INPUT OUTPUT NAME"""

import sys

source, target, name = sys.argv[1:]
with open(source, encoding="utf-8") as lines, open(target, "w") as out:
    out.write(f"static const char {name}[] =\n")
    for line in lines:
        text = line.rstrip("\n").replace("\\", "\\\\").replace('"', '\\"')
        out.write(f'  "{text}\\n"\n')
    out.write("  ;\n")
