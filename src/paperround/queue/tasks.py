"""What the names of jobs mean in this process."""

from collections.abc import Callable, Mapping

from paperround.domain.errors import NotFound
from paperround.domain.work import Job

Task = Callable[[Mapping[str, str | int]], None]


class Tasks:
    """Tasks by name."""

    def __init__(self) -> None:
        self._by_name: dict[str, Task] = {}

    def register(self, task: str, run: Task) -> None:
        """Say what `task` means; raises ValueError when the name is taken."""
        if task in self._by_name:
            raise ValueError(f"the task {task!r} is registered already")
        self._by_name[task] = run

    @property
    def names(self) -> list[str]:
        """The tasks whose meaning somebody said."""
        return sorted(self._by_name)

    def require(self, job: Job) -> None:
        """Raise NotFound when nobody said what the job's task means."""
        if job.task not in self._by_name:
            known = ", ".join(self.names) or "none"
            raise NotFound(f"no task is called {job.task!r}; there are: {known}")

    def run(self, job: Job) -> None:
        """Run the job here and now."""
        self._by_name[job.task](job.arguments)
