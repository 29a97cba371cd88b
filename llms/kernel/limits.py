"""How long we wait and how much we take."""

from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The `limits` of llms.json; a missing key has the value below. Times are seconds, sizes bytes."""

    client_timeout: Seconds = 120.0  # the longest silence between two reads of an answer
    connect_timeout: Seconds = 10.0  # to reach a provider
    first_byte_timeout: Seconds | None = None  # until a provider begins to answer; see first_byte
    client_max_size: Count = 20 * 1024 * 1024  # largest HTTP request body
    retries: Count = 3  # rounds over all candidates
    max_iterations: Count = 10  # provider calls in one tool loop
    stream_checkpoint_interval: Seconds = 0.25  # how often a growing answer is saved
    keep_alive_interval: Seconds = 15.0  # silence on a stream before our client gets a comment
    shutdown_timeout: Seconds = 30.0  # how long open streams may go on after SIGTERM
    hook_timeout: Seconds = 30.0  # one handler of an extension
    tool_timeout: Seconds = 120.0  # one call of a tool
    install_timeout: Seconds = 60.0  # an extension's import, and each of its hooks at start
    block_timeout: Seconds = 5.0  # how long an extension may keep the event loop from everybody else

    @property
    def first_byte(self) -> Seconds:
        """How long a provider may take to begin its answer: as long as it may be silent, unless told otherwise."""
        return self.first_byte_timeout or self.client_timeout
