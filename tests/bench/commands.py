# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs: run to their end, or in parallel; what fails ends the benchmark with what it said."""
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
MIB = 1 << 20


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def fail(command, code, output):
    sys.exit(f"bench: {' '.join(map(str, command))}: exit code {code}\n{output}")


def run(*command, **more):
    """Runs a command silently and returns its stdout."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        fail(command, done.returncode, done.stdout + done.stderr)
    return done.stdout


def run_all(commands):
    """Runs commands side by side until all have ended."""
    started = []
    try:
        for command in commands:
            words = list(map(str, command))
            started.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
        for process in started:
            _, said = process.communicate()
            if process.returncode != 0:
                fail(process.args, process.returncode, said)
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()


def dd(source, target, block="1M", *more):
    return ["dd", f"if={source}", f"of={target}", f"bs={block}", *more]
