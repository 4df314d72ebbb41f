"""What the names of jobs mean in this process."""

import logging
from collections.abc import Callable, Mapping

from paperround.domain.errors import NotFound, PaperroundError

Arguments = Mapping[str, str | int]
Task = Callable[[Arguments], None]

_log = logging.getLogger(__name__)


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
        """The tasks that are registered."""
        return sorted(self._by_name)

    def require(self, task: str) -> None:
        """Raise NotFound when the task is not registered."""
        if task not in self._by_name:
            known = ", ".join(self.names) or "none"
            raise NotFound(f"no task is called {task!r}; there are: {known}")

    def run(self, task: str, arguments: Arguments) -> bool:
        """Run a task here and now. Return whether it succeeded; the log says why it did not, with
        a traceback where nobody foresaw the error."""
        try:
            self._by_name[task](arguments)
        except PaperroundError as error:
            _log.error("job %s failed: %s", task, error)
        except Exception as error:  # the job edge: one failure never stops the others
            _log.error("job %s failed: %s", task, type(error).__name__, exc_info=error)
        else:
            return True
        return False
