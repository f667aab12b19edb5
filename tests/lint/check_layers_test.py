#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves that tools/check-layers catches what it must and lets through what it should."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check-layers"

# A tree in order: one file per kind of permission.
GOOD = {
    "schema/schema.h": "",
    "common/base/err.h": "#include <errno.h>\n",
    "common/ext/json.h": '#include "common/base/err.h"\n',
    "common/ext/sql.c": '#include <sqlite3.h>\nconst char *s = "SELECT 1";\n',
    "common/store/reader.h": '#include "common/base/err.h"\n',
    "common/store/index.c": '#include <zstd.h>\n#include "schema/schema.h"\nchar *s = "DELETE FROM inode";\n',
    "common/cli/out.c": '#include "common/ext/json.h"\n',
    "fs/ops.c": '#include <fuse_lowlevel.h>\n#include "common/store/reader.h"\n',
    "exporter/main.c": '#include "exporter/cmd/cmd.h"\n',
    "exporter/cmd/cmd.h": '#include "exporter/drive/drive.h"\n',
    "exporter/block/target.h": '#include "common/base/err.h"\n',
    "exporter/plan/plan.h": '#include "common/store/reader.h"\n',
    "exporter/ntfs/image.c": '#include <ntfs-3g/volume.h>\n#include "exporter/block/target.h"\n',
    "exporter/shipping/job.c": 'const char *s = "  INSERT INTO jobs";\n#include "schema/schema.h"\n',
    "exporter/drive/drive.h": '#include "exporter/plan/plan.h"\n#include "exporter/block/target.h"\n',
    "exporter/azure/http.c": '#include <curl/curl.h>\nchar *verb = "DELETE", *say = "UPDATE";\n',
}

# path, content, line of the breach, part of the message.
BAD = [
    ("schema/x.c", '#include "common/base/err.h"\n', 1, "schema may include nothing"),
    ("common/base/x.c", '\n#include "common/ext/json.h"\n', 2, "common/base may include nothing"),
    ("common/base/x.c", "#include <zlib.h>\n", 1, "<zlib.h> belongs to common/ext"),
    ("common/ext/x.c", '#include "common/store/reader.h"\n', 1, "common/ext may include"),
    ("common/cli/x.c", '#include "common/store/reader.h"\n', 1, "common/cli may include"),
    ("common/cli/x.c", '#include "common/ext/sql.c"\n', 1, "common/cli may include"),
    ("common/store/x.c", '#include "fs/ops.c"\n', 1, "common/store may include"),
    ("common/store/x.c", "#include <sqlite3.h>\n", 1, "<sqlite3.h> belongs to common/ext/sql"),
    ("fs/x.c", '#include "exporter/block/target.h"\n', 1, "fs may include"),
    ("fs/x.c", '#include "ops.c"\n', 1, "write the path from the root"),
    ("fs/x.c", '#include "../fs/ops.c"\n', 1, "write the path from the root"),
    ("fs/x.c", 'int a; /* two\nlines */ char *s = "UPDATE inode SET mode = 1";\n', 2, "SQL text"),
    ("exporter/block/x.c", '#include "exporter/ntfs/image.c"\n', 1, "exporter/block may include"),
    ("exporter/plan/x.c", '#include "common/store/index.c"\n', 1, "exporter/plan may include"),
    ("exporter/ntfs/x.c", '#include "exporter/bitlocker/x.h"\n', 1, "is no file of the tree"),
    ("exporter/bitlocker/x.c", "  #  include <ntfs-3g/volume.h>\n", 1, "<ntfs-3g/volume.h> belongs to"),
    ("exporter/drive/x.c", '#include "exporter/cmd/cmd.h"\n', 1, "exporter/drive may include"),
    ("exporter/cmd/x.c", '#include "fs/ops.c"\n', 1, "exporter/cmd may include"),
    ("exporter/cmd/x.c", "#include <curl/curl.h>\n", 1, "<curl/curl.h> belongs to exporter/azure"),
    ("exporter/cmd/x.c", "#include <fuse3/fuse.h>\n", 1, "belongs to fs"),
    ("exporter/azure/x.c", 'char *s = "SELECT name FROM jobs";\n', 1, "SQL text"),
]

# Looks like a breach, is none.
HARMLESS = [
    ("common/base/x.c", '/* #include "common/ext/json.h"\n#include <zlib.h> */\n'),
    ("exporter/azure/x.c", '// "SELECT name FROM jobs"\nchar *s = "please SELECT one";\n'),
    ("exporter/azure/x.c", 'char *s = "http://x/*"; /* "PRAGMA x" */\n'),
]


class CheckLayers(unittest.TestCase):
    def run_on(self, files):
        with tempfile.TemporaryDirectory() as name:
            for path, content in files.items():
                file = pathlib.Path(name, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content, encoding="utf-8")
            done = subprocess.run(
                [sys.executable, TOOL, "--root", name], capture_output=True, text=True, check=False
            )
        return done.returncode, done.stdout.splitlines(), done.stderr

    def test_tree_in_order_passes(self):
        code, lines, _ = self.run_on(GOOD)
        self.assertEqual((code, lines), (0, []))

    def test_every_breach_is_named(self):
        for path, content, line, message in BAD:
            with self.subTest(path=path, content=content):
                code, lines, said = self.run_on({**GOOD, path: content})
                self.assertEqual(code, 1)
                self.assertEqual(len(lines), 1, lines)
                self.assertTrue(lines[0].startswith(f"{path}:{line}: "), lines)
                self.assertIn(message, lines[0])
                self.assertIn("1 breach of", said)

    def test_comments_and_plain_words_are_no_breach(self):
        for path, content in HARMLESS:
            with self.subTest(content=content):
                self.assertEqual(self.run_on({**GOOD, path: content})[0], 0)

    def test_unknown_folder_needs_a_row(self):
        code, lines, _ = self.run_on({**GOOD, "common/misc/x.c": "int x;\n"})
        self.assertEqual(code, 1)
        self.assertIn("no row", lines[0])

    def test_no_sources_is_no_success(self):
        self.assertEqual(self.run_on({})[0], 1)


if __name__ == "__main__":
    unittest.main()
