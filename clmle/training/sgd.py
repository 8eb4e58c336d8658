"""SGD with momentum: that of PyTorch, whose class imports the compiler (1 to 4 s a process)."""

from collections.abc import Iterable, Mapping

import torch


class SGD:
    """Updates parameters exactly as :class:`torch.optim.SGD` does.

    ``momentum_buffers`` are by number of the parameter, which has none before its first gradient.
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter],
        learning_rate: float,
        momentum: float,
        weight_decay: float,
    ) -> None:
        self.parameters = list(parameters)
        self.learning_rate, self.momentum = learning_rate, momentum
        self.weight_decay = weight_decay
        self.momentum_buffers: dict[int, torch.Tensor] = {}

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        gradients = {i: p.grad for i, p in enumerate(self.parameters) if p.grad is not None}
        if not gradients:
            return
        weights: list[torch.Tensor] = [self.parameters[i] for i in gradients]
        steps = tuple(gradients.values())
        if self.weight_decay:
            steps = tuple(torch._foreach_add(steps, weights, alpha=self.weight_decay))
        if self.momentum:
            buffers = self.momentum_buffers
            # Parameters may get their first gradient in different steps.
            old = {i: step for i, step in zip(gradients, steps, strict=True) if i in buffers}
            new = {
                i: step.clone() for i, step in zip(gradients, steps, strict=True) if i not in old
            }
            if old:
                torch._foreach_mul_([buffers[i] for i in old], self.momentum)
                torch._foreach_add_([buffers[i] for i in old], tuple(old.values()))
            buffers.update(new)
            steps = tuple(buffers[i] for i in gradients)
        torch._foreach_add_(weights, steps, alpha=-self.learning_rate)

    def restore(self, buffers: Mapping[int, torch.Tensor]) -> None:
        """Take copies of ``buffers``, in the memory format of their parameters."""
        self.momentum_buffers = {
            i: torch.empty_like(self.parameters[i]).copy_(buffer) for i, buffer in buffers.items()
        }
