"""Where nets run and in which numbers, and what happens when memory is short."""

import gc
import weakref
from collections.abc import Callable, Sequence

import pytest
import torch

from pose_service.core.config import Settings
from pose_service.core.errors import EngineError, UnavailableError
from pose_service.runtime import device
from pose_service.runtime.memory import RETRY_LARGE_AFTER_S, MemoryGuard

CARD, CPU = torch.device("cuda:0"), torch.device("cpu")


class Machine:
    """A machine with cards, as torch and the driver would tell of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cards: int = 1) -> None:
        self._patch = monkeypatch
        monkeypatch.setattr(device, "nvidia_cards", lambda: cards)
        monkeypatch.setattr(torch.version, "cuda", "13.0")
        monkeypatch.setattr(torch.cuda, "init", lambda: None)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cards)
        monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_80"])
        ones = torch.ones
        monkeypatch.setattr(torch, "ones", lambda *size, device: ones(*size))
        self.capability(8, 0)

    def capability(self, major: int, minor: int) -> None:
        self._patch.setattr(torch.cuda, "get_device_capability", lambda _: (major, minor))

    def fails(self, owner: object, name: str, error: Exception) -> None:
        def fail(*args: object, **options: object) -> None:
            raise error

        self._patch.setattr(owner, name, fail)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


@pytest.mark.parametrize(
    ("capability", "precision", "words"),
    [
        ((8, 0), "auto", "cuda:0 in bfloat16"),
        ((12, 0), "auto", "cuda:0 in bfloat16"),
        ((7, 5), "auto", "cuda:0 in float16"),
        ((8, 0), "fp32", "cuda:0 in float32"),
        ((8, 0), "fp16", "cuda:0 in float16"),
        ((7, 5), "bf16", "cuda:0 in bfloat16"),
    ],
)
def test_a_card_computes_in_its_best_half_type_unless_told(
    machine: Machine, capability: tuple[int, int], precision: str, words: str
) -> None:
    machine.capability(*capability)
    assert str(device.choose(Settings(precision=precision))) == words


@pytest.mark.parametrize("wanted", ["auto", "cpu"])
@pytest.mark.parametrize(
    ("precision", "words"), [("auto", "cpu in float32"), ("bf16", "cpu in bfloat16")]
)
def test_the_cpu_computes_in_float32_unless_told(
    monkeypatch: pytest.MonkeyPatch, wanted: str, precision: str, words: str
) -> None:
    monkeypatch.setattr(device, "nvidia_cards", lambda: 0)
    assert str(device.choose(Settings(device=wanted, precision=precision))) == words


def test_the_cpu_is_taken_when_asked_for_though_there_is_a_card(machine: Machine) -> None:
    assert device.choose(Settings(device="cpu")).device == CPU


def test_a_card_is_taken_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, cards=2)
    assert device.choose(Settings(device="cuda:1")).device == torch.device("cuda:1")
    with pytest.raises(EngineError, match="cuda:2: there is no such card, the last one is cuda:1"):
        device.choose(Settings(device="cuda:2"))


def test_products_are_exact_once_a_device_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    device.choose(Settings(device="cpu"))
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_a_torch_without_cuda_is_told_apart_from_a_missing_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Machine(monkeypatch, cards=0)
    with pytest.raises(EngineError, match="no NVIDIA card can be seen") as caught:
        device.choose(Settings(device="cuda"))
    assert "nvidia-smi" in caught.value.hint
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(EngineError, match="is built without CUDA") as caught:
        device.choose(Settings(device="cuda"))
    assert "setup-4d-humans-wsl.sh" in caught.value.hint
    assert "POSE_DEVICE=cpu" in caught.value.hint


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_a_card_that_cannot_be_used_is_an_error_and_never_the_cpu_instead(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    too_old = RuntimeError("The NVIDIA driver on your system is too old (found version 11040).")
    machine.fails(torch.cuda, "init", too_old)
    with pytest.raises(EngineError, match="found version 11040") as caught:
        device.choose(Settings(device=wanted))
    assert "driver" in caught.value.hint
    monkeypatch.setattr(torch.cuda, "init", lambda: None)

    no_kernel = torch.AcceleratorError("no kernel image is available\nCUDA kernel errors might")
    machine.fails(torch, "ones", no_kernel)
    with pytest.raises(EngineError, match=r"no kernel image is available$") as caught:
        device.choose(Settings(device=wanted))
    assert "sm_75, sm_80" in caught.value.hint

    machine.fails(torch, "ones", torch.OutOfMemoryError("CUDA out of memory."))
    with pytest.raises(EngineError, match="memory is full before anything is loaded"):
        device.choose(Settings(device=wanted))


def test_without_a_driver_there_are_no_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_DRIVER_LIBRARY", "libnone-such.so.1")
    assert device.nvidia_cards() == 0


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Net(torch.nn.Module):
    """Remembers the devices that it was moved to; has no room on the card for `full` moves."""

    def __init__(self) -> None:
        super().__init__()
        self.moves: list[str] = []
        self.full = 0

    def to(self, where: object) -> "Net":  # type: ignore[override]
        self.moves.append(str(where))
        if str(where) == str(CARD) and self.full:
            self.full -= 1
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self


class Doubling:
    """Doubles numbers, `room` at a time; remembers the sizes that it was asked for."""

    def __init__(self, room: int, error: Callable[[], Exception] | None = None) -> None:
        self.room = room
        self.asked: list[int] = []
        self._error = error or (lambda: torch.OutOfMemoryError("CUDA out of memory.\nOf 8 GiB"))

    def __call__(self, part: Sequence[int]) -> list[int]:
        self.asked.append(len(part))
        if len(part) > self.room:
            raise self._error()
        return [2 * item for item in part]


def test_work_goes_in_batches_and_results_keep_their_order() -> None:
    work = Doubling(room=8)
    assert MemoryGuard(Net(), CARD, 8).run(range(20), work) == list(range(0, 40, 2))
    assert work.asked == [8, 8, 4]
    assert MemoryGuard(Net(), CARD, 8).run([], work) == []


def test_a_batch_that_does_not_fit_is_halved_and_the_size_remembered_for_a_while() -> None:
    clock, work = Clock(), Doubling(room=3)
    guard = MemoryGuard(Net(), CARD, 8, clock=clock)
    clock.now_s = 1000.0
    assert guard.run(range(5), work) == [0, 2, 4, 6, 8]
    assert work.asked == [5, 2, 2, 1]
    work.asked.clear()
    guard.run(range(4), work)
    assert work.asked == [2, 2]
    # the card is free again, and is asked for a large batch after a while
    work.asked.clear()
    work.room = 8
    clock.now_s += RETRY_LARGE_AFTER_S + 1
    guard.run(range(8), work)
    assert work.asked == [8]


def test_when_not_even_one_fits_it_is_unavailable_and_the_next_call_works() -> None:
    net, work = Net(), Doubling(room=0)
    guard = MemoryGuard(net, CARD, 4)
    with pytest.raises(UnavailableError, match="CUDA out of memory") as caught:
        guard.run(range(4), work)
    assert (caught.value.status, caught.value.code) == (503, "CUDA_OOM")
    assert "POSE_CPU_FALLBACK" in caught.value.hint
    assert work.asked == [4, 2, 1]
    assert net.moves == []
    work.room = 4
    assert guard.run(range(2), work) == [0, 2]


def test_what_does_not_fit_on_the_card_is_done_on_the_cpu_if_allowed() -> None:
    net = Net()

    def work(part: Sequence[int]) -> list[int]:
        if not net.moves or net.moves[-1] != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return list(part)

    guard = MemoryGuard(net, CARD, 2, cpu_fallback=True)
    assert guard.run([7, 8], work) == [7, 8]
    assert net.moves == ["cpu", "cuda:0"] * 2


def test_a_net_that_cannot_go_back_to_the_card_serves_on_the_cpu_until_it_can() -> None:
    net, work = Net(), Doubling(room=0)
    guard = MemoryGuard(net, CARD, 1, cpu_fallback=True)
    net.full = 2
    with pytest.raises(UnavailableError):
        guard.run([1], work)
    # it was moved to the CPU for the work, and again since the way back failed half-way
    assert net.moves == ["cpu", "cuda:0", "cpu"]
    work.room = 1
    assert guard.run([1], work) == [2]
    assert net.moves[3:] == ["cuda:0", "cpu"]
    assert guard.run([1], work) == [2]
    assert net.moves[5:] == ["cuda:0"]
    guard.run([1], work)
    assert len(net.moves) == 6


def _allocator_full() -> Exception:
    return RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate "
                        "memory: you tried to allocate 400000000000000 bytes.")  # fmt: skip


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError, "OUT_OF_MEMORY"),
        (_allocator_full, "OUT_OF_MEMORY"),
        (lambda: RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "CUDA_OOM"),
        (lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), "CUDA_OOM"),
    ],
)
def test_memory_that_is_short_has_many_names(error: Callable[[], Exception], code: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        MemoryGuard(Net(), CPU, 4).run([1], Doubling(0, error))
    assert caught.value.code == code
    assert MemoryGuard(Net(), CPU, 4).run([1, 2], Doubling(1, error)) == [2, 4]


def test_torchs_own_words_for_a_full_machine_are_known() -> None:
    def work(part: Sequence[int]) -> list[int]:
        torch.empty(10**17)
        return list(part)

    with pytest.raises(UnavailableError) as caught:
        MemoryGuard(Net(), CPU, 1).run([1], work)
    assert caught.value.code == "OUT_OF_MEMORY"


def test_other_errors_are_raised_as_they_are_and_at_once() -> None:
    work = Doubling(0, lambda: RuntimeError("shape mismatch"))
    with pytest.raises(RuntimeError, match="shape mismatch"):
        MemoryGuard(Net(), CARD, 4).run(range(4), work)
    assert work.asked == [4]


def test_tensors_of_a_failed_batch_are_free_before_the_next_is_tried() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def work(part: Sequence[int]) -> list[int]:
        assert all(tensor() is None for tensor in held)
        large = torch.zeros(4)
        held.append(weakref.ref(large))
        if len(part) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return list(part)

    gc.disable()
    try:
        assert MemoryGuard(Net(), CARD, 4).run(range(4), work) == [0, 1, 2, 3]
    finally:
        gc.enable()
    assert len(held) == 6


def test_the_fallback_is_for_cards_only() -> None:
    net = Net()
    with pytest.raises(UnavailableError):
        MemoryGuard(net, CPU, 1, cpu_fallback=True).run([1], Doubling(0, MemoryError))
    assert net.moves == []
