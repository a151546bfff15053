"""`sqsim algorithms`: every strategy with its access, cost, source and guarantee."""

from __future__ import annotations

import sys

from sqsim.cli.options import Json, Quiet, check_copy, console


def algorithms(json_path: Json = None, quiet: Quiet = False) -> None:
    """Every strategy: name, access, rounds, queries as a formula, source, guarantee."""
    from sqsim.report.algorithms import algorithms_report, algorithms_table, letters_table
    from sqsim.report.files import write_json
    from sqsim.studies.named import algorithms as registered
    from sqsim.studies.named import problem_names

    check_copy(json_path)
    found, (problems, clashing) = registered(), problem_names()
    report = algorithms_report(found, problems, clashing)
    if json_path is not None:
        write_json(json_path, report)
    if not quiet:
        printer = console(False)
        printer.print(algorithms_table(report))
        printer.print(letters_table(report))
        printer.print("problems: " + ", ".join(problems), soft_wrap=True)
    for one in report["left_out"]:
        words = f"{one['name']} of {one['package']} is left out: {one['reason']}"
        print(f"sqsim: {words}", file=sys.stderr)
