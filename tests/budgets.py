# SPDX-License-Identifier: BSD-2-Clause
"""What a stage of the tests took, beside what it may take (budgets.csv)."""

import csv
import os
import sys

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "budgets.csv")


def budgets():
    with open(TABLE, encoding="utf-8", newline="") as source:
        rows = csv.DictReader(x for x in source if not x.startswith("#"))
        return {row["stage"]: float(row["seconds"]) for row in rows}


def line(stage, seconds):
    """One line; a stage without a budget says so."""
    budget = budgets().get(stage)
    if budget is None:
        return f"time   {stage}: {seconds:.0f} s, no budget in tests/budgets.csv"
    late = "" if seconds <= budget else "  OVER BUDGET"
    return f"time   {stage}: {seconds:.0f} s of {budget:.0f} s{late}"


def show(stage, seconds):
    print(line(stage, seconds), flush=True)


if __name__ == "__main__":
    show(sys.argv[1], float(sys.argv[2]))
