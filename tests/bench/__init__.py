# SPDX-License-Identifier: GPL-3.0-or-later
"""What tools/bench consists of. README.md beside this file says which module is what."""
