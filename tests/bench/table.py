# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as Markdown tables."""
import statistics


def rate(result, seconds):
    return f"{result.amount / seconds:,.0f} {result.unit}/s" if result.amount and seconds else ""


def print_ways(result):
    print("| way                              |  wall s |       from .. to |             rate |  CPU s | daemon |")
    print("|----------------------------------|--------:|-----------------:|-----------------:|-------:|-------:|")
    for way, samples in result.ways.items():
        walls = [sample.wall for sample in samples]
        middle = statistics.median(walls)
        cpu, daemon = (statistics.median(getattr(s, name) for s in samples) for name in ("cpu", "daemon"))
        print(
            f"| {way:32} | {middle:7.3f} | {min(walls):7.3f}..{max(walls):7.3f} "
            f"| {rate(result, middle):>16} | {cpu:6.2f} | {daemon:6.2f} |"
        )
    for way, reason in result.absent.items():
        print(f"| {way:32} | not measured: {reason}")
    print()


def print_verdicts(result):
    if not result.verdicts:
        return
    print(f"| {'figure':70} |        value |         aim |              |")
    print(f"|{'-' * 72}|-------------:|------------:|--------------|")
    for verdict in result.verdicts:
        value = "" if verdict.value is None else f"{verdict.value:,.2f} {verdict.unit}"
        aim = "" if verdict.aim is None else f"{verdict.bound} {verdict.aim:g} {verdict.unit}"
        print(f"| {verdict.text:70} | {value:>12} | {aim:>11} | {verdict.outcome:12} |")
    print()


def print_result(name, result):
    print(f"\n## {name}: {result.title}\n")
    if result.ways or result.absent:
        print_ways(result)
    print_verdicts(result)


def print_summary(results):
    """All verdicts with an aim, by outcome; then those that are not met, by name."""
    judged = [(name, verdict) for name, result in results for verdict in result.verdicts if verdict.aim is not None]
    counts = {outcome: sum(v.outcome == outcome for _, v in judged) for outcome in ("met", "MISSED", "not measured")}
    print("\n" + ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count))
    for name, verdict in judged:
        if verdict.outcome == "MISSED":
            print(f"  {name}: {verdict.text}: {verdict.value:.2f}, aim {verdict.bound} {verdict.aim:g} {verdict.unit}")
        elif verdict.outcome == "not measured":
            print(f"  {name}: {verdict.text}: not measured: {verdict.reason}")
