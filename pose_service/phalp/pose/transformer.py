"""Transformer blocks over time in which few slots are seen, or one is asked for.

Slots that were not seen never answer a question (upstream gives them a score of -1000, whose
weight is 0 in float32). So instead of projecting every slot to queries, keys and values, the few
keys and values are turned into the tokens' own space: the same real numbers from a quarter of the
products. The same is done where one slot asks and all answer.
"""

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pose_service.phalp.pose.config import PredictorSizes

_NORM_EPS: Final = 1e-5


class Attention(nn.Module):
    """Multi-head attention; its norm is that of the tokens that go in."""

    def __init__(self, sizes: PredictorSizes) -> None:
        super().__init__()
        self.heads = sizes.heads, sizes.head_dim
        self.scale = sizes.head_dim**-0.5
        self.norm = nn.LayerNorm(sizes.width, eps=_NORM_EPS)
        self.qkv = nn.Linear(sizes.width, 3 * sizes.inner_dim, bias=False)
        self.out = nn.Linear(sizes.inner_dim, sizes.width)

    def forward(self, tokens: Tensor, rows: Tensor, seen: Tensor) -> Tensor:
        """(n, slots, width): what all `tokens` learn from the few that were seen.

        `rows`: (n, k, 1) slots of those few; `seen`: (n, k), whether each counts.
        """
        normed = self.norm(tokens)
        few = normed.gather(1, rows.expand(-1, -1, normed.shape[2]))
        for_query, for_key, for_value = self._maps()
        keys = torch.einsum("nkc,hdc->nhkd", few, for_key)
        values = torch.einsum("nkc,hdc->nhkd", few, for_value)
        questions = (keys @ for_query).flatten(1, 2)
        answers = (values @ self._map_out()).flatten(1, 2)
        scores = (normed @ questions.mT * self.scale).unflatten(2, (-1, seen.shape[1]))
        weights = scores.masked_fill(~seen[:, None, None], -torch.inf).softmax(-1)
        learned: Tensor = weights.flatten(2) @ answers + self.out.bias
        return learned

    def of_one(self, tokens: Tensor, one: Tensor) -> Tensor:
        """(n, width): what the slot `one` (n, 1, 1) learns from all `tokens` (n, slots, width)."""
        normed = self.norm(tokens)
        asking = normed.gather(1, one.expand(-1, -1, normed.shape[2]))[:, 0]
        for_query, for_key, for_value = self._maps()
        query = torch.einsum("nc,hdc->nhd", asking, for_query)
        questions = torch.einsum("nhd,hdc->nhc", query, for_key)
        answers = F.scaled_dot_product_attention(questions, normed, normed, scale=self.scale)
        branch: Tensor = self.out(torch.einsum("nhc,hdc->nhd", answers, for_value).flatten(1))
        return branch

    def _maps(self) -> tuple[Tensor, ...]:
        """(heads, head_dim, width) each: tokens to queries, keys and values."""
        return self.qkv.weight.view(3, *self.heads, -1).unbind(0)

    def _map_out(self) -> Tensor:
        """(heads, head_dim, width): values to what is added to a token."""
        return self.out.weight.T.view(*self.heads, -1)


class Mlp(nn.Module):
    """Two layers with an exact GELU between; (..., width) to (..., width)."""

    def __init__(self, sizes: PredictorSizes) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(sizes.width, eps=_NORM_EPS)
        self.widen = nn.Linear(sizes.width, sizes.mlp_dim)
        self.narrow = nn.Linear(sizes.mlp_dim, sizes.width)

    def forward(self, tokens: Tensor) -> Tensor:
        branch: Tensor = self.narrow(F.gelu(self.widen(self.norm(tokens))))
        return branch


class Block(nn.Module):
    """Attention, then two layers, each added to the tokens."""

    def __init__(self, sizes: PredictorSizes) -> None:
        super().__init__()
        self.attention = Attention(sizes)
        self.mlp = Mlp(sizes)

    def forward(self, tokens: Tensor, rows: Tensor, seen: Tensor) -> Tensor:
        """(n, slots, width): all tokens after the block; see `Attention.forward`."""
        tokens = tokens + self.attention(tokens, rows, seen)
        branch: Tensor = self.mlp(tokens)
        return tokens + branch

    def of_one(self, tokens: Tensor, one: Tensor) -> Tensor:
        """(n, width): one token after the block; see `Attention.of_one`."""
        own = tokens.gather(1, one.expand(-1, -1, tokens.shape[2]))[:, 0]
        own = own + self.attention.of_one(tokens, one)
        branch: Tensor = self.mlp(own)
        return own + branch
