"""The same question of several callers at one time, asked as one: one round trip, and one commit when it writes.

Who finds no such question under way asks at once. Who comes while one is under way waits for its answer and then goes
together with all who waited, so the more callers there are, the less each of them costs; a lone one pays nothing.
Nobody gets an answer to what was sent before he asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from watchword.embedded import StoreUnavailable

T = TypeVar("T")
Values: TypeAlias = "Sequence[Any]"
_Question: TypeAlias = "tuple[Values, asyncio.Future[T]]"
_MOST = 100  # of one trip


class Together(Generic[T]):
    """Joins questions that are the same text with other values. Belongs to one event loop.

    Args:
        alone: asks one question: its text and its values.
        many: asks several in one round trip, all or nothing, and answers them in order.
    """

    def __init__(
        self,
        alone: Callable[[str, Values], Awaitable[T]],
        many: Callable[[str, Sequence[Values]], Awaitable[Sequence[T]]],
    ) -> None:
        self._alone, self._many = alone, many
        # By the text that is under way: who waits for it to come back.
        self._waiting: dict[str, list[_Question[T]]] = {}
        self._groups: set[asyncio.Task[None]] = set()

    async def ask(self, text: str, values: Values) -> T:
        """Return the answer to a question; raises what asking it alone raises.

        Trouble of the store is trouble of all who go together. Whatever else one question meets is its own: the others
        are then asked one by one.
        """
        waiting = self._waiting.get(text)
        if waiting is not None:
            answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            waiting.append((values, answer))
            return await answer
        self._waiting[text] = []
        try:
            return await self._alone(text, values)
        except StoreUnavailable as error:
            self._refuse_waiting(text, error)
            raise
        finally:
            self._go_on(text)

    def _go_on(self, text: str) -> None:
        """Send those who waited; after the last of them the next question is a lone one again."""
        waiting = [each for each in self._waiting[text] if not each[1].done()]
        if not waiting:
            del self._waiting[text]
            return
        self._waiting[text] = waiting[_MOST:]
        task = asyncio.get_running_loop().create_task(self._ask_together(text, waiting[:_MOST]))
        self._groups.add(task)
        task.add_done_callback(self._groups.discard)

    async def _ask_together(self, text: str, group: "Sequence[_Question[T]]") -> None:
        try:
            if len(group) == 1:
                await self._answer_alone(text, *group[0])
            else:
                await self._answer(text, group)
        finally:
            self._go_on(text)

    async def _answer(self, text: str, group: "Sequence[_Question[T]]") -> None:
        try:
            answers = await self._many(text, [values for values, _ in group])
        except StoreUnavailable as error:
            _refuse_all(group, error)
            self._refuse_waiting(text, error)
        except Exception:  # noqa: BLE001 - each meets its own when it is asked again
            await asyncio.gather(*(self._answer_alone(text, *each) for each in group))
        else:
            for (_, future), answer in zip(group, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    async def _answer_alone(self, text: str, values: Values, future: "asyncio.Future[T]") -> None:
        try:
            answer = await self._alone(text, values)
        except Exception as error:  # noqa: BLE001 - it is the caller's
            if isinstance(error, StoreUnavailable):
                self._refuse_waiting(text, error)
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(answer)

    def _refuse_waiting(self, text: str, error: StoreUnavailable) -> None:
        """Let nobody wait twice for a server that does not answer."""
        waiting, self._waiting[text] = self._waiting[text], []
        _refuse_all(waiting, error)


def _refuse_all(questions: "Sequence[_Question[Any]]", error: StoreUnavailable) -> None:
    for _, answer in questions:
        if not answer.done():
            answer.set_exception(StoreUnavailable(*error.args))
