"""`python scripts/setup/check_torch.py`: does torch work on POSE_DEVICE, as the nets will use it?

Says what there is. Exit code 1, with the reason and what to do, where torch does not work. A
torchvision that does not load is told and no more: the service has its own operations.
"""

import sys

from pose_service.core.config import read_settings
from pose_service.core.errors import EngineError, PoseError
from pose_service.runtime.device import Compute, choose

# a sum of so many ones is exact in every half type
SIDE = 256


def main() -> int:
    try:
        compute = choose(read_settings())
        expect_products(compute)
        print(described(compute))
    except PoseError as error:
        print(f"error: {error}\n{error.hint}", file=sys.stderr)
        return 1
    # torch is missing, or a library that it needs
    except (ImportError, OSError) as error:
        print(f"error: torch does not load: {error}", file=sys.stderr)
        return 1
    return 0


def expect_products(compute: Compute) -> None:
    """`EngineError` unless products come out right in the type that the nets will use."""
    import torch

    ones = torch.ones(SIDE, SIDE, dtype=compute.half or torch.float32, device=compute.device)
    try:
        right = bool((ones @ ones == SIDE).all())
    except RuntimeError as error:
        raise EngineError(f"{compute}: {error}", hint="Try POSE_PRECISION=fp32.") from error
    if not right:
        raise EngineError(f"{compute}: products come out wrong", hint="Look after the driver.")


def described(compute: Compute) -> str:
    import torch

    from pose_service.vitdet.ops import available_ops

    card = "" if compute.device.type == "cpu" else f" ({torch.cuda.get_device_name()})"
    _, operations = available_ops()
    return f"torch {torch.__version__} on {compute}{card}\n{operations}"


if __name__ == "__main__":
    sys.exit(main())
