"""A plan and a summary as plain data for --json."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from oz_installer.console.output.json_lines import mask_strings
from oz_installer.deploy.plan import Plan, TargetPlan
from oz_installer.formatting.plan import total_text
from oz_installer.secret import Masker
from oz_installer.topology.summary import HEALTHY_STATES, Summary


def plan_json(plan: Plan, masker: Masker | None = None) -> dict[str, Any]:
    """Return a plan as plain data, secrets masked."""
    nodes = [_target_json(one) for one in plan.targets]
    document = {"nothing_to_do": plan.nothing_to_do, "total": total_text(plan), "nodes": nodes}
    return {"event": "Plan", **mask_strings(document, masker or Masker())}


def _target_json(plan: TargetPlan) -> dict[str, Any]:
    """Return the changes of a target by kind, under the public names of --json."""
    return {
        "node": plan.target,
        "files": [{"path": one.name, "kind": one.action, "diff": one.diff} for one in plan.files],
        "services": [{"name": one.name, "action": one.action, "reason": one.reason} for one in plan.services],
        "jobs": list(plan.jobs),
        "images": list(plan.images),
        "unverified": plan.needs_verification,
        "moves": [asdict(move) for move in plan.moves],
        "nothing_to_do": plan.nothing_to_do,
    }


def summary_json(summary: Summary) -> dict[str, Any]:
    """Return a summary as plain data."""
    return {
        "event": "Summary",
        "ready": summary.is_healthy,
        "total": {
            "services": len(summary.rows),
            "well": sum(row.state in HEALTHY_STATES for row in summary.rows),
        },
        "services": [asdict(row) for row in summary.rows],
        "troubles": [{"node": node, "message": text} for node, text in summary.troubles],
        "not_installed": list(summary.not_installed),
        "urls": [{"label": label, "url": url} for label, url in summary.urls],
        "secrets_file": str(summary.secrets_file) if summary.secrets_file else None,
        "admin_email": summary.admin_email,
        "notes": list(summary.notes),
        "report": str(summary.report) if summary.report else None,
    }
