"""The conformance suite: every rule that the benchmark relies on, checked on toy data sets of several shapes."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from textedit_bench.editor import Editor
from textedit_bench.errors import UserError
from textedit_bench.files import HOME
from textedit_bench.testing.checks import batch, device, facts, keeping, shape, strength, surroundings
from textedit_bench.testing.checks.check import Check
from textedit_bench.testing.geometry import TOYS, Geometry
from textedit_bench.testing.miniature import miniature_settings
from textedit_bench.testing.result import ConformanceError, Result
from textedit_bench.testing.subject import Subject
from textedit_bench.testing.toy import write_toy_dataset

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

CHECKS: tuple[Check, ...] = (
    *facts.CHECKS,
    *shape.CHECKS,
    *strength.CHECKS,
    *batch.CHECKS,
    *surroundings.CHECKS,
    *keeping.CHECKS,
    *device.CHECKS,
)
"""All checks, in the order in which they run on every data set."""

_SERVES = (
    "edits the data set or says why not",
    "on a data set that it was not written for, a method edits or generates, or raises a UserError of one line that "
    "says why not",
    "`make bench` without names tries every method on every data set; a crash there looks like a bug of the benchmark",
)
_SOMEWHERE = (
    "edits at least one data set",
    "at least one data set, toy or installed, is edited; a method that trains names settings for a training of seconds "
    "in its card's `trial`, or has weights for an installed data set's mini tier",
    "nothing else can be checked",
)


def check_editor(
    method: type[Editor],
    *,
    datasets: Sequence[str] = (),
    geometries: Sequence[Geometry] = TOYS,
    settings: Mapping[str, Any] | None = None,
    report: Callable[[Result], None] | None = None,
    raises: bool = True,
) -> list[Result]:
    """Run every conformance check on a method, like scikit-learn's ``check_estimator``.

    The method is constructed on small data sets with random weights, one for each geometry, with the settings of its
    card's ``trial``. One that trains is trained there with these; without a ``trial`` it is checked on the first
    installed data set whose mini tier it has weights for. Nothing outside a temporary folder is written.

    Args:
        method: the editor class.
        datasets: installed data sets to check on as well, in their mini tiers.
        geometries: of the toy data sets.
        settings: on top of the card's ``trial``.
        report: called with every result.
        raises: whether failures raise; otherwise they are only returned.

    Returns:
        One result per check and data set.

    Raises:
        ConformanceError: a check failed; the message says of each what was found, what is expected, and why.

    Example:
        >>> from textedit_bench import load_method
        >>> from textedit_bench.testing import TOYS, check_editor
        >>> results = check_editor(load_method("no-edit"), geometries=TOYS[:1])
        >>> {result.state for result in results} <= {"passed", "not applicable"}
        True
    """
    problem = facts.card_problem(method)
    if problem:
        # Without a card there is nothing to construct.
        first = facts.card
        results = [Result(first.name, "failed", first.expected, first.why, problem)]
        return _end(method, results, report, raises)
    with tempfile.TemporaryDirectory() as temporary, patch.dict(os.environ, {HOME: temporary}):
        results = list(_Run(method, Path(temporary), dict(settings or {}), report).run(geometries, datasets))
    return _end(method, results, None, raises)


def _end(
    method: type[Editor], results: list[Result], report: Callable[[Result], None] | None, raises: bool
) -> list[Result]:
    for result in results if report else ():
        report(result)  # type: ignore[misc]
    if raises and any(result.state == "failed" for result in results):
        raise ConformanceError(getattr(getattr(method, "info", None), "name", method.__name__), results)
    return results


class _Run:
    """One run of the suite."""

    def __init__(
        self, method: type[Editor], folder: Path, settings: dict[str, Any], report: Callable[[Result], None] | None
    ) -> None:
        self.method, self.info = method, method.info
        self.folder, self.settings, self.report = folder, {**method.info.trial, **settings}, report
        self.trainable = method.info.trains == "none" or bool(self.settings)
        self.results: list[Result] = []
        self.served = 0

    def run(self, geometries: Sequence[Geometry], datasets: Sequence[str]) -> list[Result]:
        """Run on toy data sets, then on the named ones, then, if nothing worked yet, on installed ones."""
        from textedit_bench.domain import load_domain
        from textedit_bench.registry import list_datasets

        for geometry in geometries:
            self._on(load_domain(str(write_toy_dataset(self.folder / geometry.name, geometry))))
        for name in datasets:
            self._on(load_domain(name, "mini"), installed=True)
        if not self.served:
            for card in list_datasets():
                if "mini" in card.tiers and self._has_weights(card.name):
                    self._on(load_domain(card.name, "mini"), installed=True)
                    break
        if not self.served:
            name, expected, why = _SOMEWHERE
            self._add(Result(name, "failed", expected, why, "every data set was refused; see above for the reasons"))
        return self.results

    def _has_weights(self, dataset: str) -> bool:
        from textedit_bench.domain import load_domain

        try:
            if self.info.datasets and dataset not in self.info.datasets:
                return False
            path = self.method(load_domain(dataset, "mini")).weights_path()
        except UserError:
            return False
        return self.info.trains == "none" or (path is not None and path.is_file())

    def _on(self, domain: Domain, installed: bool = False) -> None:
        folder = self.folder / f"work-{domain.name}"
        folder.mkdir(parents=True, exist_ok=True)
        # Installed weights were made with the card's own settings.
        settings = (
            {}
            if installed and self.info.trains != "none"
            else {**miniature_settings(self.info, domain, folder), **self.settings}
        )
        train = self.trainable and not installed
        subject = Subject(self.method, domain, folder, settings, train)
        name, expected, why = _SERVES
        try:
            with _quiet():
                subject.usual_edit  # noqa: B018
        except UserError as error:
            lines = len(str(error).splitlines())
            state = "not applicable" if lines <= 1 else "failed"
            self._add(Result(name, state, expected, why, f"it says: {error}", domain.name))  # type: ignore[arg-type]
            return
        except Exception as error:  # a third-party method may raise anything
            found = f"{type(error).__name__}: {error}"
            self._add(Result(name, "failed", expected, why, found, domain.name))
            return
        self.served += 1
        self._add(Result(name, "passed", expected, why, where=domain.name))
        for check in CHECKS:
            with _quiet():
                result = check.run(subject)
            self._add(result)

    def _add(self, result: Result) -> None:
        self.results.append(result)
        if self.report:
            self.report(result)


class _quiet:
    """Suppress log messages of trainings and edits in the report."""

    def __enter__(self) -> None:
        self._before = logging.root.manager.disable
        logging.disable(logging.WARNING)

    def __exit__(self, *_: object) -> None:
        logging.disable(self._before)
