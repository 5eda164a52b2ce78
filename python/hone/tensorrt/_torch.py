"""torch without a GPU, for scripts that put their tensors on "cuda": that device means host memory then.

Only `python -m hone.tensorrt` uses this, when torch finds no GPU. torch.cuda.is_available() still says False.
"""

import contextlib
import sys
import threading
import time
from types import ModuleType
from typing import Any


class Stream:
    """All work is done when a call returns."""

    cuda_stream = 0
    device = "cpu"

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def synchronize(self) -> None:
        pass

    wait_stream = wait_event = record_event = lambda self, *_: None

    def query(self) -> bool:
        return True

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Event:
    """A moment: record() takes it."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self._time = 0.0

    def record(self, stream: Any = None) -> None:
        self._time = time.perf_counter()

    def synchronize(self) -> None:
        pass

    wait = lambda self, *_: None  # noqa: E731

    def query(self) -> bool:
        return True

    def elapsed_time(self, end_event: "Event") -> float:
        """Milliseconds."""
        return (end_event._time - self._time) * 1e3


def _nothing(*_: Any, **__: Any) -> None:
    pass


def host_for_cuda(torch: ModuleType) -> None:
    """Makes "cuda" mean the host, in the thread that calls this and in later ones, if torch has no GPU."""
    if torch.cuda.is_available():
        return
    told = []

    def moved(value: Any) -> Any:
        """The host for a CUDA device, anything else as it is."""
        is_name = type(value) is str and value.startswith("cuda")
        if not is_name and not (isinstance(value, torch.device) and value.type == "cuda"):
            return value
        if not told:
            told.append(True)
            print("hone.tensorrt: torch has no GPU, its device 'cuda' means host memory", file=sys.stderr)
        return torch.device("cpu")

    class HostForCuda(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
            if function is torch.Tensor.cuda or function is torch.Tensor.pin_memory:
                moved("cuda")
                return args[0]
            named = {name: moved(value) for name, value in (kwargs or {}).items() if name != "pin_memory"}
            return function(*map(moved, args), **named)

    load = torch.load

    def load_to_host(f: Any, map_location: Any = "cpu", *args: Any, **kwargs: Any) -> Any:
        return load(f, "cpu" if map_location is None else moved(map_location), *args, **kwargs)

    HostForCuda().__enter__()
    _enter_in_new_threads(HostForCuda)
    torch.load = load_to_host
    _replace_streams(torch.cuda)


def _enter_in_new_threads(mode: type) -> None:
    """Modes belong to one thread."""
    start = threading.Thread.start

    def start_in_mode(thread: threading.Thread) -> None:
        run = thread.run

        def run_in_mode() -> None:
            with mode():
                run()

        thread.run = run_in_mode
        start(thread)

    threading.Thread.start = start_in_mode


def _replace_streams(cuda: ModuleType) -> None:
    cuda.Stream = cuda.ExternalStream = cuda.current_stream = cuda.default_stream = Stream
    cuda.Event = Event
    cuda.stream = contextlib.nullcontext
    cuda.current_device = lambda: 0
    for name in ("synchronize", "set_device", "init", "empty_cache", "set_stream"):
        setattr(cuda, name, _nothing)
