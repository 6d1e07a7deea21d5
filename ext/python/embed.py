# Copyright (C) 2026 the nda authors
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Write text files as one C string: embed.py INPUT... OUTPUT NAME"""

import sys

*sources, target, name = sys.argv[1:]
with open(target, "w", encoding="utf-8") as out:
    out.write(f"static const char {name}[] =\n")
    for source in sources:
        with open(source, encoding="utf-8") as lines:
            for line in lines:
                text = line.rstrip("\n").replace("\\", "\\\\")
                text = text.replace('"', '\\"')
                out.write(f'  "{text}\\n"\n')
    out.write("  ;\n")
