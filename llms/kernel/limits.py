"""How long we wait and how much we take."""

from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The `limits` of llms.json; a missing key has the value below. Times are seconds, sizes bytes."""

    client_timeout: Seconds = 120.0  # one whole answer; streamed: the longest silence between two reads
    connect_timeout: Seconds = 10.0  # to reach a provider
    first_byte_timeout: Seconds = 0.0  # until a provider begins to answer; absent means client_timeout
    client_max_size: Count = 20 * 1024 * 1024  # largest HTTP request body
    retries: Count = 3  # rounds over all candidates
    max_iterations: Count = 10  # provider calls in one tool loop
    stream_checkpoint_interval: Seconds = 0.25  # how often a growing answer is saved
    keep_alive_interval: Seconds = 15.0  # silence on a stream before our client gets a comment
    shutdown_timeout: Seconds = 30.0  # how long open streams may go on after SIGTERM
    hook_timeout: Seconds = 30.0  # one handler of an extension

    def __post_init__(self) -> None:
        if not self.first_byte_timeout:
            msgspec.structs.force_setattr(self, "first_byte_timeout", self.client_timeout)
