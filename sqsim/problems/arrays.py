"""Arrays of other libraries as numpy arrays.  This file does not know what they hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from sqsim.errors import BadInput


def on_host(array: Any) -> Any:
    """A numpy array of these values: the same memory where that is possible, else a copy.

    Whatever follows the array API standard is taken: it is exchanged by DLPack, which copies
    nothing where it lives in the memory of this machine; from another device it is brought here
    first.  The functions of queries are numpy's, so that examples must come here chunk by chunk.
    """
    if isinstance(array, np.ndarray):
        return array
    if hasattr(array, "__dlpack__"):
        return _exchanged(array)
    try:
        return np.asarray(array)
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"{type(array).__name__} is not an array of numbers ({error}); wanted one of numpy or "
            "of another array library"
        ) from error


def _exchanged(array: Any) -> Any:
    # A tensor that records derivatives is not exchanged; its values are.
    detach = getattr(array, "detach", None)
    held = array if detach is None else detach()
    try:
        return np.from_dlpack(held)
    except (BufferError, RuntimeError, TypeError, ValueError):
        pass
    try:
        # The standard's way to ask for a copy in the memory of this machine (device type 1).
        return np.from_dlpack(held, device="cpu", copy=True)
    except (BufferError, RuntimeError, TypeError, ValueError, AttributeError):
        pass
    try:
        return np.asarray(held.cpu() if hasattr(held, "cpu") else held)
    except (TypeError, ValueError, RuntimeError) as error:
        raise BadInput(
            f"{type(array).__name__} cannot be brought to the memory of this machine ({error}); "
            "convert its chunks to numpy arrays"
        ) from error
