"""One-file HTML reports: style and figures inside, nothing fetched, fit for print and offline."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqsim.errors import BadInput
from sqsim.report.brackets import tolerance_figure
from sqsim.report.figures import save, separation_figure, svg
from sqsim.report.files import write_atomically
from sqsim.report.reading import (
    Outcome,
    Results,
    all_queries,
    certified,
    listed,
    name,
    number,
    ordered,
    outcome,
    positive,
    require,
    seconds,
    zero_ratio,
)
from sqsim.report.sweeps import table_figure
from sqsim.report.words import bracket_words, headline, separation_words, table_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_separation_report(results: Mapping[str, Any], directory: Path) -> Path:
    """Write report.html, and the figures as SVG and PNG beside it; the path of the report."""
    require(results, "sqsim.separation/1")
    pictures = {"separation": (separation_figure(results), _separation_alt(results))}
    if results.get("smallest_tolerance"):
        pictures["tolerance"] = (tolerance_figure(results), _tolerance_alt(results))
    context = {
        "title": "Statistical queries against correlational queries",
        "lead": headline(results),
        "passages": separation_words(results),
        "rows": [_row(run, results) for run in ordered(results)],
        "brackets": [
            {"name": name(row), "row": row} for row in results.get("smallest_tolerance") or ()
        ],
        "facts": _facts(results, ("instance", "oracle")),
    }
    return write_page("separation.html", results, pictures, context, directory)


def write_table_report(table_results: Mapping[str, Any], directory: Path) -> Path:
    """Write report.html, and the figure as SVG and PNG beside it; the path of the report."""
    require(table_results, "sqsim.run/1")
    pictures = {}
    if table_results.get("sweep"):
        pictures["tolerance"] = (table_figure(table_results), _table_alt(table_results))
    table = table_results["table"]
    passages = table_words(table_results)
    context = {
        "title": f"{table_results['algorithm']} on {Path(table['path']).name}",
        "lead": next(one.text for one in passages if one.heading == "What was learned"),
        "passages": [one for one in passages if one.heading != "What was learned"],
        "facts": _facts(table_results, ("table", "whitening", "oracle", "hypothesis")),
        "weights": (table_results["hypothesis"] or {}).get("weights") or {},
    }
    return write_page("table.html", table_results, pictures, context, directory)


def write_page(
    template: str,
    results: Results,
    pictures: Mapping[str, tuple[Figure, str]],
    context: Mapping[str, Any],
    directory: Path,
) -> Path:
    """Fill in a template and write it with its pictures, named by their stems."""
    drawn = {stem: inline(svg(figure), alt, stem) for stem, (figure, alt) in pictures.items()}
    page = filled(template, {"results": results, "pictures": drawn, **context})
    target = directory / "report.html"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for stem, (figure, _) in pictures.items():
            save(figure, directory / stem)
        write_atomically(target, page.encode())
    except OSError as error:
        raise BadInput(f"cannot write to {directory}: {error}; choose another folder") from error
    return target


def filled(template: str, context: Mapping[str, Any]) -> str:
    """A template of the package with these values; every string in them is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("sqsim.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "seconds": seconds, "unbroken": _unbroken}
    return environment.get_template(template).render(context)


def inline(text: str, alt: str, prefix: str) -> Any:
    """Our own SVG as part of a page: named, without a prolog, its ids made unlike the others'."""
    from markupsafe import Markup, escape

    body = text[text.index("<svg") :]
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r' xmlns(:xlink)?="[^"]*"', "", body).replace("xlink:href", "href")
    body = re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{prefix}-", body)
    opening = f'<svg role="img" aria-label="{escape(alt)}"'
    return Markup(body.replace("<svg", opening, 1))


def _unbroken(text: str) -> Any:
    """Escaped text whose numbers are never broken at a minus."""
    from markupsafe import Markup, escape

    number_like = r"(\d[\d.]*e-\d+)"
    return Markup(re.sub(number_like, r'<span class="whole">\1</span>', str(escape(text))))


def _row(run: Results, results: Results) -> dict[str, Any]:
    """What the table of runs shows of one run."""
    how, zero = outcome(run, results), zero_ratio(results)
    ratio = run["loss_ratio"]
    signs = {Outcome.LEARNED: "✓", Outcome.BETWEEN: "~", Outcome.ZERO: "✗", Outcome.UNFINISHED: "?"}
    return {
        "run": run,
        "name": name(run),
        "outcome": how.value,
        "sign": signs[how],
        "kind": how.name.lower(),
        "share": None if ratio is None or zero is None else ratio / zero,
        "queries": all_queries(run),
        "hypothesis": run["hypothesis"] or {"norm": None, "bias": None},
    }


def _facts(results: Results, parts: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The scalars of these parts, with spaces in their names."""
    found = {
        part: {
            key.replace("_", " "): value
            for key, value in (results.get(part) or {}).items()
            if value is None or isinstance(value, str | int | float)
        }
        for part in parts
    }
    return {part: pairs for part, pairs in found.items() if pairs}


def _separation_alt(results: Results) -> str:
    ends = listed(
        f"{name(run)} ends at {number(run['loss_ratio'])} after {number(all_queries(run))} queries"
        if run["loss_ratio"] is not None
        else f"{name(run)} did not finish"
        for run in ordered(results)
    )
    return (
        "Loss divided by the upper bound on OPT against scalar queries, both on log scales. The "
        f"zero hypothesis stands at {number(zero_ratio(results))}, OPT at 1. {ends}."
        f"{_bound(results)}"
    )


def _bound(results: Results) -> str:
    bound = certified(results)
    if bound is None or not 1 < bound < math.inf:
        return ""
    needed = number(float(f"{bound:.2e}"))
    return f" A vertical line at {needed} queries: fewer are proved too few for correlational ones."


def _tolerance_alt(results: Results) -> str:
    rows = (f"{name(row)}: {bracket_words(row)}" for row in results["smallest_tolerance"])
    return f"Tolerance at which each learner first learned, on a log scale. {'; '.join(rows)}."


def _table_alt(results: Results) -> str:
    zero = results["loss"]["train"]["zero"]
    unit = zero if positive(zero) else 1.0
    points = listed(
        f"{number(None if point['loss'] is None else point['loss'] / unit)} at tolerance "
        f"{number(point['tolerance'])}"
        for point in results.get("sweep") or ()
    )
    return f"Loss as a share of that of predicting zero, against tolerance. {points}."
