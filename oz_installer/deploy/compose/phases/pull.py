"""Pull the images that nodes lack, before anything is switched."""

from __future__ import annotations

from oz_installer.deploy.compose import container_engine
from oz_installer.deploy.compose.run import NodesRun
from oz_installer.deploy.events import NodeProgress
from oz_installer.deploy.phase import Phase

PATIENCE_SECONDS = 5.0


class PullImages(Phase[NodesRun]):
    """Pulls missing images: one at a time per node, on all nodes in parallel."""

    title = "Pull images"

    def should_run(self, run: NodesRun) -> bool:
        """Return whether an image is missing."""
        return any(plan.images for plan in run.plan.targets)

    def run(self, run: NodesRun) -> None:
        """Pull the images. Raises DeployError naming the image that cannot be pulled."""
        nodes = tuple(plan.target for plan in run.plan.targets if plan.images)
        run.each(nodes, lambda node: self._pull(run, node), patience=PATIENCE_SECONDS)

    def _pull(self, run: NodesRun, node: str) -> None:
        images = run.plan.of(node).images
        for number, image in enumerate(images, 1):
            run.check_cancelled()
            text = f"pulling image {number} of {len(images)}: {image}"
            run.emit(NodeProgress(node=node, text=text, done=number - 1, total=len(images), unit="images"))
            container_engine.pull(run, node, image, text)
        run.emit(
            NodeProgress(
                node=node, text="all images are present", done=len(images), total=len(images), unit="images"
            )
        )
