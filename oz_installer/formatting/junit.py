"""Findings as JUnit XML for pipelines: one suite per node, one test case per finding."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from xml.etree import ElementTree

from oz_installer.checks.context import Finding
from oz_installer.errors import AnswersError, OzError
from oz_installer.formatting.findings import HERE, finding_fields
from oz_installer.secret import Masker
from oz_installer.text import single_line


def junit_report(found: Sequence[Finding], accepted: Collection[str]) -> str:
    """Report failures as failures and warnings that are not accepted as skipped cases."""
    root = ElementTree.Element("testsuites", name="oz-install check")
    for node in dict.fromkeys(one.node or HERE for one in found):
        mine = [one for one in found if (one.node or HERE) == node]
        failed = sum(one.level == "failure" for one in mine)
        skipped = sum(_is_open(one, accepted) for one in mine)
        counts = {"tests": str(len(mine)), "failures": str(failed), "skipped": str(skipped), "errors": "0"}
        suite = ElementTree.SubElement(root, "testsuite", {"name": node, **counts})
        for one in mine:
            name = single_line(f"{one.subject} [{one.id}]")
            case = ElementTree.SubElement(suite, "testcase", name=name, classname=f"{one.check}.{node}")
            if one.level == "failure":
                failure = ElementTree.SubElement(
                    case, "failure", message=single_line(one.seen), type=single_line(one.id)
                )
                failure.text = _body(one)
            elif _is_open(one, accepted):
                ElementTree.SubElement(case, "skipped", message=f"warning: {single_line(one.seen)}")
            ElementTree.SubElement(case, "system-out").text = _body(one)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def junit_error_report(error: OzError, masker: Masker) -> str:
    """Report a check that failed before it had any findings: one case with the error."""
    root = ElementTree.Element("testsuites", name="oz-install check")
    counts = {"tests": "1", "failures": "0", "skipped": "0", "errors": "1"}
    suite = ElementTree.SubElement(root, "testsuite", {"name": HERE, **counts})
    case = ElementTree.SubElement(suite, "testcase", name="Check did not run", classname=f"check.{HERE}")
    problems = error.problems if isinstance(error, AnswersError) else ()
    kind = f"exit code {error.exit_code}"
    element = ElementTree.SubElement(case, "error", message=single_line(masker(str(error))), type=kind)
    lines = (str(error), *map(str, problems), error.hint)
    element.text = "\n".join(single_line(masker(line)) for line in lines if line)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _is_open(one: Finding, accepted: Collection[str]) -> bool:
    return one.level == "warning" and not one.is_accepted(accepted)


def _body(one: Finding) -> str:
    return "\n".join(f"{name}: {text}" for name, text in finding_fields(one))
