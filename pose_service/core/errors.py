"""What can go wrong, in words that say what was wanted, what came and what to do.

Every error that a caller may see is a `PoseError`: the web room turns `status`, `code`, the
message and `hint` into the JSON body, the command line prints them.
"""


class PoseError(Exception):
    """An error with an HTTP status, a stable code and a hint for the caller.

    `str(error)` is the message; `hint` says what to do about it and may be empty.
    """

    status = 500
    code = "INTERNAL"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        if code is not None:
            self.code = code


class BadRequestError(PoseError):
    """The request itself is wrong: a field is missing, of the wrong type or out of range."""

    status = 400
    code = "BAD_REQUEST"


class BadImageError(BadRequestError):
    """The bytes sent are not a picture that can be read whole."""

    code = "BAD_IMAGE"


class BadVideoError(BadRequestError):
    """The file is not a clip: no video stream, nothing decodable."""

    code = "BAD_VIDEO"


class BadPathError(BadRequestError):
    """A path that does not exist, is a folder, or may not be read by this service."""

    code = "BAD_PATH"


class NotFoundError(PoseError):
    """No job, frame or route of this name."""

    status = 404
    code = "NOT_FOUND"


class ConflictError(PoseError):
    """What is asked for does not go with what is there."""

    status = 409
    code = "CONFLICT"


class GoneError(PoseError):
    """What was asked for existed once and is kept no longer."""

    status = 410
    code = "GONE"


class TooLargeError(PoseError):
    """The body, the picture or the clip is over a stated limit."""

    status = 413
    code = "TOO_LARGE"


class UnsupportedTypeError(PoseError):
    """The content type of the body is none that this route reads."""

    status = 415
    code = "UNSUPPORTED_MEDIA_TYPE"


class UnavailableError(PoseError):
    """Not now: loading, queue full, stopping. `retry_after_s` says when to try again."""

    status = 503
    code = "NOT_READY"

    def __init__(
        self, message: str, *, hint: str = "", code: str | None = None, retry_after_s: float = 5.0
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.retry_after_s = retry_after_s


class TooManyError(UnavailableError):
    """Not now, because of this caller's own earlier requests."""

    status = 429
    code = "TOO_MANY"


class EngineError(PoseError):
    """An engine cannot be built: a file or package is missing or damaged."""

    status = 503
    code = "ENGINE_UNAVAILABLE"
