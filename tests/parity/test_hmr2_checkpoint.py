"""Official weights by name: taken whole, or refused with a list of what does not fit."""

import json
from pathlib import Path

import pytest
import torch
from standin_hmr2 import official_state
from torch import Tensor

from pose_service.core.errors import EngineError
from pose_service.hmr2.checkpoint import load_file, load_network, official_shapes
from pose_service.hmr2.config import FULL, TINY, Hmr2Config
from pose_service.hmr2.network import Hmr2

DATA = Path(__file__).resolve().parents[1] / "data" / "hmr2"
CPU = torch.device("cpu")
REMEDY = "Run fetch-weights."
QKV = "backbone.blocks.0.attn.qkv.weight"
LAYERS = "smpl_head.transformer.transformer.layers"


@pytest.fixture
def official() -> dict[str, Tensor]:
    return official_state(TINY)


def manifest(name: str) -> dict[str, tuple[tuple[int, ...], str, str]]:
    """Official name to shape, type and role of everything in a checkpoint."""
    entries = json.loads((DATA / f"manifest_{name}.json").read_text(encoding="utf-8"))
    return {name: (tuple(shape), dtype, role) for name, (shape, dtype, role) in entries.items()}


def answer(network: Hmr2) -> Tensor:
    """All numbers that the network says of two invented squares, in one row."""
    squares = torch.linspace(-2, 2, 2 * 3 * 256 * 256).reshape(2, 3, 256, 256).sin()
    with torch.inference_mode():
        return torch.cat([part.flatten() for part in network(squares)])


@pytest.mark.parametrize(("name", "config", "count"), [("full", FULL, 503), ("tiny", TINY, 87)])
def test_names_and_shapes_are_those_of_the_official_manifest(
    name: str, config: Hmr2Config, count: int
) -> None:
    wanted = {name: shape for name, (shape, _, role) in manifest(name).items() if role == "load"}
    assert len(wanted) == count
    assert official_shapes(config) == wanted


def test_what_is_not_of_the_network_is_passed_over(official: dict[str, Tensor]) -> None:
    plain = answer(load_network(official, TINY))
    others = {
        name: torch.full(shape, 7, dtype=getattr(torch, dtype))
        for name, (shape, dtype, role) in manifest("tiny").items()
        if role != "load"
    }
    assert len(others) == 62 + 1 + 10
    assert torch.equal(answer(load_network({**official, **others}, TINY)), plain)


def test_every_official_tensor_reaches_the_answer_but_the_one_that_cannot(
    official: dict[str, Tensor],
) -> None:
    plain = answer(load_network(official, TINY))
    random = torch.Generator().manual_seed(3)
    deaf = [
        name
        for name, value in official.items()
        if torch.equal(
            answer(
                load_network(
                    {**official, name: value + torch.rand(value.shape, generator=random)}, TINY
                )
            ),
            plain,
        )
    ]
    # its input is always 0
    assert deaf == ["smpl_head.transformer.to_token_embedding.weight"]


def test_queries_and_keys_of_a_token_alone_do_not_matter(official: dict[str, Tensor]) -> None:
    plain = answer(load_network(official, TINY))
    for layer in range(2):
        official[f"{LAYERS}.{layer}.0.fn.to_qkv.weight"][: 2 * 48] = 5.0
    assert torch.equal(answer(load_network(official, TINY)), plain)


def test_weights_are_shared_not_copied(official: dict[str, Tensor]) -> None:
    network = load_network(official, TINY)
    held = network.state_dict()["backbone.blocks.0.attention.qkv.weight"]
    assert held.data_ptr() == official[QKV].data_ptr()
    assert not any(weight.requires_grad for weight in network.parameters())
    assert not network.training


def test_weights_in_a_half_type_are_widened(official: dict[str, Tensor]) -> None:
    halved = {name: value.half() for name, value in official.items()}
    network = load_network(halved, TINY)
    assert {weight.dtype for weight in network.state_dict().values()} == {torch.float32}


def checkpoint(path: Path, official: dict[str, Tensor]) -> Path:
    """A file as PyTorch Lightning writes it."""
    torch.save({"state_dict": official, "hyper_parameters": {"lr": 1e-5}}, path)
    return path


def test_a_file_gives_the_network_of_its_weights(
    tmp_path: Path, official: dict[str, Tensor]
) -> None:
    path = checkpoint(tmp_path / "epoch=35-step=1000000.ckpt", official)
    network = load_file(path, TINY, device=CPU, half=None, remedy=REMEDY)
    assert torch.equal(answer(network), answer(load_network(official, TINY)))


@pytest.mark.parametrize("half", [torch.bfloat16, torch.float16])
def test_a_file_is_halved_on_its_way_as_the_network_would_be_afterwards(
    tmp_path: Path, official: dict[str, Tensor], half: torch.dtype
) -> None:
    path = checkpoint(tmp_path / "epoch=35-step=1000000.ckpt", official)
    network = load_file(path, TINY, device=CPU, half=half, remedy=REMEDY)
    afterwards = load_network(official, TINY)
    afterwards.multiply_in(half)
    for name, weight in afterwards.state_dict().items():
        assert network.state_dict()[name].dtype == weight.dtype
        assert torch.equal(network.state_dict()[name], weight)


def test_halved_weights_share_nothing_with_the_file(official: dict[str, Tensor]) -> None:
    network = load_network(official, TINY, half=torch.bfloat16)
    theirs = {value.untyped_storage().data_ptr() for value in official.values()}
    ours = {weight.untyped_storage().data_ptr() for weight in network.state_dict().values()}
    assert not theirs & ours


def test_a_file_of_another_model_is_named_with_its_remedy(
    tmp_path: Path, official: dict[str, Tensor]
) -> None:
    del official[QKV]
    path = checkpoint(tmp_path / "other.ckpt", official)
    with pytest.raises(EngineError, match=rf"other\.ckpt: .*missing: {QKV}$") as caught:
        load_file(path, TINY, device=CPU, half=None, remedy=REMEDY)
    assert caught.value.hint == REMEDY


def test_a_truncated_checkpoint_is_named_and_not_loaded(
    tmp_path: Path, official: dict[str, Tensor]
) -> None:
    path = checkpoint(tmp_path / "short.ckpt", official)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(EngineError, match=r"short\.ckpt .* ends early") as caught:
        load_file(path, TINY, device=CPU, half=None, remedy=REMEDY)
    assert caught.value.hint == REMEDY


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("half", [None, torch.float16])
def test_a_weight_that_is_no_number_is_named(
    official: dict[str, Tensor], value: float, half: torch.dtype | None
) -> None:
    official[QKV][3, 5] = value
    with pytest.raises(EngineError, match=r"NaN or infinity in backbone\..*qkv\.weight$"):
        load_network(official, TINY, half=half)


def test_a_weight_beyond_the_half_type_is_named(official: dict[str, Tensor]) -> None:
    official[QKV][3, 5] = 1e5
    load_network(official, TINY, half=torch.bfloat16)
    with pytest.raises(EngineError, match=r"qkv\.weight"):
        load_network(official, TINY, half=torch.float16)


def test_missing_tensor_is_named(official: dict[str, Tensor]) -> None:
    del official[QKV]
    with pytest.raises(EngineError, match=f"missing: {QKV}$") as caught:
        load_network(official, TINY)
    assert "HMR2.0b" in caught.value.hint


def test_unknown_tensor_is_named(official: dict[str, Tensor]) -> None:
    official["backbone.cls_token"] = torch.zeros(1, 1, 64)
    with pytest.raises(EngineError, match=r"not known: backbone\.cls_token$"):
        load_network(official, TINY)


def test_misshapen_tensor_is_named_with_both_shapes(official: dict[str, Tensor]) -> None:
    official[QKV] = official[QKV].T
    with pytest.raises(EngineError, match=r"qkv.weight \(expected \(192, 64\) float, got \(64, 19"):
        load_network(official, TINY)


def test_tensor_of_whole_numbers_is_named(official: dict[str, Tensor]) -> None:
    official[QKV] = official[QKV].long()
    with pytest.raises(EngineError, match=r"of another .* kind: .*got \(192, 64\) torch\.int64"):
        load_network(official, TINY)


def test_squeezed_mean_parameters_are_refused(official: dict[str, Tensor]) -> None:
    official["smpl_head.init_betas"] = official["smpl_head.init_betas"][0]
    with pytest.raises(EngineError, match=r"init_betas \(expected \(1, 10\) float, got \(10,\)"):
        load_network(official, TINY)


def test_checkpoint_of_another_model_is_refused_in_few_words() -> None:
    other = {f"model.layer{index}.weight": torch.zeros(3) for index in range(500)}
    with pytest.raises(EngineError, match=r"missing: .* and 79 more; not known: .* and 492 more"):
        load_network(other, TINY)


def test_weights_of_the_small_network_do_not_pass_for_the_full_one(
    official: dict[str, Tensor],
) -> None:
    with pytest.raises(EngineError, match=r"missing: backbone\.blocks\.10\."):
        load_network(official, FULL)
