"""Stochastic gradient descent with momentum and weight decay."""

from collections.abc import Iterable

import torch


class SGD:
    """The updates of ``torch.optim.SGD``.

    That class imports PyTorch's compiler, which takes a second in each process that trains.
    """

    def __init__(
        self,
        parameters: Iterable[torch.Tensor],
        learning_rate: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        self.parameters = list(parameters)
        self.learning_rate, self.momentum = learning_rate, momentum
        self.weight_decay = weight_decay
        self.buffers: dict[int, torch.Tensor] = {}  # by number of the parameter

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters that have a gradient."""
        numbers = [i for i, p in enumerate(self.parameters) if p.grad is not None]
        used = [self.parameters[i] for i in numbers]
        if not used:
            return
        updates = [p.grad for p in used if p.grad is not None]
        if self.weight_decay:
            updates = list(torch._foreach_add(updates, used, alpha=self.weight_decay))
        if self.momentum:
            for i in numbers:
                if i not in self.buffers:
                    self.buffers[i] = torch.zeros_like(self.parameters[i])
            buffers = [self.buffers[i] for i in numbers]
            torch._foreach_mul_(buffers, self.momentum)
            torch._foreach_add_(buffers, updates)
            updates = buffers
        torch._foreach_add_(used, updates, alpha=-self.learning_rate)
