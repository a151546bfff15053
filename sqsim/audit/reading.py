"""A transcript opened, or a message that says why not.

This file does not know what is done with it.
"""

from __future__ import annotations

from pathlib import Path

from sqsim.errors import BadInput
from sqsim.transcript import Transcript


def read_transcript(path: str | Path) -> Transcript:
    """A transcript with a header, its checksums verified.

    Raises
    ------
    BadInput
        Where there is no such file, it is a folder, no transcript, changed or empty.
    """
    file = Path(path)
    if file.is_dir():
        raise BadInput(f"{path} is a folder; name one of the transcripts in it")
    if not file.exists():
        raise BadInput(f"there is no file {path}; name a transcript that a run has written")
    strange = BadInput(
        f"{path} is no transcript: its lines are not those that runs write; name a file that was "
        "recorded with run(..., log=path)"
    )
    try:
        with file.open("rb") as opened:
            if opened.read(1) not in (b"", b"{"):
                raise strange
        transcript = Transcript.read(file)
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError):
        raise strange from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from None
    if not transcript.header:
        raise BadInput(f"{path} is empty; name a transcript that holds a run")
    return transcript


def described(error: Exception) -> str:
    """What is wrong with a record, for a reader who does not know how it was read."""
    if isinstance(error, KeyError):
        return f"the field {error.args[0]!r} is missing"
    return f"{error!s:.120}"
