"""Heads: logits from features, by products or by cosines with the class weights.

Cosines do not depend on the lengths of features and class weights. Weight decay therefore cannot
shrink the gradient of a head that has not learned anything yet, and the softmax works on the
sphere of Eqs. 9 and 10.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Head(nn.Linear):
    """A linear or cosine head: features (B, d) to logits z.w_c + b_c or s cos(z, w_c) + b_c."""

    scale: Tensor

    def __init__(self, feature_dim: int, n_classes: int, cosine_scale: float | None = None) -> None:
        super().__init__(feature_dim, n_classes)
        self.on_cosines = cosine_scale is not None
        if cosine_scale is not None:
            self.register_buffer("scale", torch.tensor(float(cosine_scale)))

    def forward(self, features: Tensor) -> Tensor:
        if not self.on_cosines:
            return super().forward(features)
        cosines = F.linear(F.normalize(features, dim=1), F.normalize(self.weight, dim=1))
        return self.scale * cosines + self.bias


class Heads(nn.Module):
    """An embedding layer and head per attribute: features (B, A, d), logits (B, A, 2)."""

    scale: Tensor

    def __init__(
        self, n_heads: int, trunk_dim: int, feature_dim: int, cosine_scale: float | None = None
    ) -> None:
        super().__init__()
        self.embed = nn.Linear(trunk_dim, n_heads * feature_dim)
        self.weight = nn.Parameter(torch.empty(n_heads, feature_dim, 2))
        self.bias = nn.Parameter(torch.empty(n_heads, 2))
        reach = feature_dim**-0.5  # as in nn.Linear
        nn.init.uniform_(self.weight, -reach, reach)
        nn.init.uniform_(self.bias, -reach, reach)
        self.on_cosines = cosine_scale is not None
        if cosine_scale is not None:
            self.register_buffer("scale", torch.tensor(float(cosine_scale)))

    def forward(self, trunk: Tensor, detach: bool = False) -> tuple[Tensor, Tensor]:
        features = self.embed(trunk).unflatten(1, (len(self.weight), -1))
        given = features.detach() if detach else features
        weight = self.weight.to(features.dtype)
        if not self.on_cosines:
            return features, torch.einsum("bad,adc->bac", given, weight) + self.bias
        unit, weight = F.normalize(given, dim=2), F.normalize(weight, dim=1)
        return features, self.scale * torch.einsum("bad,adc->bac", unit, weight) + self.bias
