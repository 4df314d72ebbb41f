"""A relay that does something at a step."""

from collections.abc import Callable, Sequence

from tests.faults import Action, SmtpSink


class MindfulSink(SmtpSink):
    """Does something when a stage is reached for the first time, or `after` that many times."""

    def __init__(
        self,
        stage: str,
        do: Callable[[], object],
        after: int = 0,
        **answers: Sequence[Action | None],
    ) -> None:
        super().__init__(answers)
        self._after = after
        self._stage = stage
        self._do: Callable[[], object] | None = do

    def next_action(self, stage: str) -> Action | None:
        if stage == self._stage and self._do is not None:
            self._after -= 1
            if self._after < 0:
                do, self._do = self._do, None
                do()
        return super().next_action(stage)
