"""A one-cycle schedule that ends when the time is up."""

import math
import time


def one_cycle(progress: float, warm_up: float) -> tuple[float, float]:
    """Learning rate, relative to its peak, and AdamW's first beta at `progress` 0 to 1 (Smith, "Super-convergence",
    2018): cosines from 1/100 up to the peak and down to 1/10000, the beta from 0.95 down to 0.85 and back."""
    rising = progress < warm_up
    part = progress / warm_up if rising else (progress - warm_up) / max(1e-9, 1 - warm_up)
    falling = (1 + math.cos(math.pi * min(1.0, part))) / 2  # 1 to 0
    if rising:
        return 1 + (0.01 - 1) * falling, 0.85 + 0.1 * falling
    return 1e-4 + (1 - 1e-4) * falling, 0.95 - 0.1 * falling


class Clock:
    """Progress of a training, from 0 to 1 after `steps` steps or when `seconds` have passed, whichever it is told.

    With seconds, each window of steps is timed, and the rest of the schedule is spread over the steps that the rest of
    the time is good for. The first windows, in which compilers run, count for the time but not for the step's time.
    """

    def __init__(self, seconds: float | None = None, steps: int | None = None, window: int = 20, now=time.monotonic):
        self.seconds, self.steps, self.window, self.now = seconds, steps, window, now
        self.progress, self.step, self.step_seconds = 0.0, 0, None
        self.start = self.window_start = now()

    def tick(self) -> float:
        """Call after each step, at a window's end with the device idle; returns the new progress."""
        self.step += 1
        if self.steps is not None:
            self.progress = self.step / self.steps
            return self.progress
        if self.step % self.window == 0:
            now = self.now()
            if self.step > self.window:
                self.step_seconds = (now - self.window_start) / self.window
            self.window_start = now
        if self.step_seconds:
            left = self.seconds - (self.now() - self.start)
            self.progress += (1 - self.progress) / max(1.0, left / self.step_seconds)
        return self.progress

    def done(self) -> bool:
        return self.progress >= 1 - 1e-9 or (self.steps is None and self.now() - self.start >= self.seconds)
