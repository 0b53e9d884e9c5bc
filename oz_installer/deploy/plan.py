"""A plan: the ordered changes from the actual to the desired state."""

from __future__ import annotations

from oz_installer.deploy.change import Change, ChangeKind
from oz_installer.frozen import dataclass
from oz_installer.render.data_locations import StorageMove


@dataclass(frozen=True, kw_only=True)
class TargetPlan:
    """The changes of one target, in order. ``moves`` are warnings, not changes."""

    target: str
    changes: tuple[Change, ...] = ()
    moves: tuple[StorageMove, ...] = ()

    def of_kind(self, kind: ChangeKind) -> tuple[Change, ...]:
        """Return the changes of one kind, in order."""
        return tuple(change for change in self.changes if change.kind == kind)

    @property
    def files(self) -> tuple[Change, ...]:
        """Changes of files."""
        return self.of_kind("file")

    @property
    def services(self) -> tuple[Change, ...]:
        """Changes of services: start, recreate, restart, remove or wait."""
        return self.of_kind("service")

    @property
    def jobs(self) -> tuple[str, ...]:
        """Names of the jobs that run."""
        return tuple(change.name for change in self.of_kind("job"))

    @property
    def images(self) -> tuple[str, ...]:
        """Images that are pulled."""
        return tuple(change.name for change in self.of_kind("image"))

    @property
    def needs_verification(self) -> bool:
        """Whether only the verification of an earlier run is missing."""
        return bool(self.of_kind("verification"))

    @property
    def nothing_to_do(self) -> bool:
        """Whether the target is up to date and verified. Missing images alone are no change."""
        return all(change.kind == "image" for change in self.changes)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The changes of all targets, in the operator's order."""

    targets: tuple[TargetPlan, ...]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change, target by target."""
        return tuple(change for plan in self.targets for change in plan.changes)

    @property
    def nothing_to_do(self) -> bool:
        """Whether every target is up to date."""
        return all(plan.nothing_to_do for plan in self.targets)

    @property
    def changing(self) -> tuple[str, ...]:
        """Targets on which something changes."""
        return tuple(plan.target for plan in self.targets if not plan.nothing_to_do)

    def of(self, target: str) -> TargetPlan:
        """Return the plan of a target. Raises KeyError when there is none."""
        for plan in self.targets:
            if plan.target == target:
                return plan
        raise KeyError(target)
