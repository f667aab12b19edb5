# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows by name, in the order of their definition."""

ROWS = {}  # name: function of a Bench that returns a list of Result; its docstring says what it measures


def row(name):
    def register(function):
        ROWS[name] = function
        return function

    return register
