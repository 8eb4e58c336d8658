"""A pretend GPU: CPU tensors marked as lying on ``cuda:0``, which may not be mixed with others.

Inside :func:`pretend_gpu` torch reports one GPU. Every call of torch's Python interface passes
through :class:`PretendGPU`. A tensor that was created on, or moved to, "cuda" carries a mark.
Mixing marked and unmarked tensors, handing a marked one to numpy, or drawing numbers on the GPU
with a generator of the CPU raises :class:`MixedDevices`, as on a real GPU. Operations that make
the host wait for a real GPU are counted in ``waits`` by their name and the line of the package
that called them. Those that add up floating-point numbers in an order that differs from run to run
are counted in ``unordered``. All values are computed on the CPU and are right, those in bfloat16
included.

``pretend_gpu("mps")`` is a GPU of Apple instead, which has no numbers of 64 bits.

Calls that C++ code makes of its own are not seen: the backward pass, the inside of a composite
operation.
"""

from __future__ import annotations

import functools
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._pytree import tree_leaves, tree_map

import clmle

CPU = torch.device("cpu")
NAME = "a pretend GPU"
PACKAGE = f"{Path(clmle.__file__).parent}/"
MARK, PINNED = "_on_pretend_gpu", "_in_pretend_pinned_memory"

# The host waits: for a number, for a shape that depends on numbers, for a list.
WAITS = {
    "item", "tolist", "__bool__", "__int__", "__float__", "__index__", "__contains__", "nonzero",
    "argwhere", "masked_select", "unique", "unique_consecutive", "bincount", "equal", "allclose",
    "is_nonzero", "repeat_interleave", "histc", "__format__", "__repr__", "isin",
    "combinations",
}  # fmt: skip
TO_NUMPY = {"numpy", "__array__", "__reduce_ex__", "storage", "untyped_storage", "data_ptr"}
# These add up floating-point numbers on a real GPU in the order in which its threads come.
UNORDERED = {
    "index_add", "index_add_", "scatter_add", "scatter_add_", "scatter_reduce", "scatter_reduce_",
    "index_reduce", "index_reduce_", "put", "put_", "bincount", "histc", "cumsum", "cumsum_",
}  # fmt: skip
INDEXING = {"__getitem__", "__setitem__", "index_put_", "index_put"}
MOVING = {"to", "cuda", "cpu", "type"}
FROM_VALUES = {"tensor", "as_tensor", "asarray"}
# Functions that do not depend on where their tensors lie.
ANYWHERE = {
    "is_pinned", "pin_memory", "set_", "__hash__", "__eq__", "is_floating_point", "clone", "dim",
    "size", "stride", "__len__", "numel", "element_size", "is_contiguous", "backward",
    "result_type", "can_cast", "register_hook", "retain_grad", "requires_grad_", "detach",
    "is_complex", "__deepcopy__", "storage_offset", "is_same_size", "is_inference", "is_signed",
    "swap_tensors", "_is_view", "_make_subclass", "_use_count", "_has_compatible_shallow_copy_type",
}  # fmt: skip


class MixedDevices(RuntimeError):
    """An operation that a real GPU would refuse."""


def on_gpu(x: Any) -> bool:
    """Whether ``x`` is a tensor on the pretend GPU."""
    return isinstance(x, torch.Tensor) and x.__dict__.get(MARK, False)


def _mark(x: Any) -> Any:
    if isinstance(x, torch.Tensor):
        x.__dict__[MARK] = True
    return x


def _unmark(x: Any) -> Any:
    if isinstance(x, torch.Tensor):
        x.__dict__.pop(MARK, None)
    return x


def _names_gpu(device: Any) -> bool:
    """Whether ``device``, as a user may write it, is a GPU."""
    if isinstance(device, torch.device):
        return device.type != "cpu"
    if isinstance(device, str):
        return device.startswith(("cuda", "mps"))
    return isinstance(device, int) and not isinstance(device, bool)


class PretendGPU(TorchFunctionMode):
    """Checks and counts the calls of torch, in ``waits`` and ``unordered``.

    Both are by (operation, "file:line").
    """

    def __init__(self, kind: str = "cuda") -> None:
        super().__init__()
        self.device = torch.device(kind, 0)
        self.waits: Counter[tuple[str, str]] = Counter()
        self.unordered: Counter[tuple[str, str]] = Counter()

    def wait(self, operation: str) -> None:
        self.waits[operation, _caller()] += 1

    def refuse(self, sentence: str) -> None:
        raise MixedDevices(f"{_caller()}: {sentence}")

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        out = self._call(func, args, dict(kwargs or {}))
        if self.device.type == "mps" and any(
            on_gpu(x) and x.dtype == torch.float64 for x in tree_leaves(out)
        ):
            self.refuse(f"{func.__name__}() makes float64 numbers, which the GPU does not have")
        return out

    def _call(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name = getattr(func, "__name__", "?")
        if name in ("__get__", "__set__", "__delete__"):
            return self._attribute(func, name, args, kwargs)
        if name in MOVING:
            return self._move(func, name, args, kwargs)
        if name == "copy_":
            return self._copy(func, args, kwargs)
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        any_on_gpu = any(map(on_gpu, tensors))
        if any_on_gpu:
            self._check(name, args, kwargs, tensors)
        if kwargs.get("device") is not None:
            return self._create(func, name, args, kwargs, any_on_gpu)
        out = func(*args, **kwargs)
        return tree_map(_mark, out) if any_on_gpu and name != "pin_memory" else out

    def _check(
        self, name: str, args: Any, kwargs: dict[str, Any], tensors: list[torch.Tensor]
    ) -> None:
        """Refuse or count a call with at least one tensor on the GPU."""
        if name in TO_NUMPY:
            self.refuse(f"{name}() of a tensor on the GPU")
        if name in WAITS:
            self.wait(name)
        texts = {x for x in (*args, *kwargs.values()) if isinstance(x, str)}
        is_sum = name in UNORDERED and not texts & {"amax", "amin"}
        if is_sum and any(x.is_floating_point() for x in tensors):
            self.unordered[name, _caller()] += 1
        if isinstance(kwargs.get("generator"), torch.Generator):
            self.refuse(f"{name}() of a tensor on the GPU with a generator of the CPU")
        if name in INDEXING:
            self._check_index(name, args, tensors)
        elif name not in ANYWHERE and name not in FROM_VALUES:
            self._check_same_device(name, tensors)

    def _check_same_device(self, name: str, tensors: list[torch.Tensor]) -> None:
        for x in tensors:  # a number on the CPU may be mixed with any device
            if not on_gpu(x) and x.dim() and x.numel():
                self.refuse(f"{name}() of tensors on the GPU and on the CPU {tuple(x.shape)}")

    def _check_index(self, name: str, args: Any, tensors: list[torch.Tensor]) -> None:
        """An index may lie on the CPU; masks, and indices from the CPU, make the host wait."""
        index = [x for x in tree_leaves(args[1:2]) if isinstance(x, torch.Tensor)]
        if not on_gpu(args[0]):
            self.refuse(f"{name}() of a CPU tensor with an index or values on the GPU")
        self._check_same_device(name, [x for x in tensors if not any(x is one for one in index)])
        for x in index:
            if x.dim() and x.dtype in (torch.bool, torch.uint8):
                self.wait("boolean mask")
            elif x.dim() and not on_gpu(x):
                self.wait("index from the CPU")
            elif not x.dim() and on_gpu(x):
                self.wait("number as index")

    def _create(
        self, func: Any, name: str, args: Any, kwargs: dict[str, Any], any_on_gpu: bool
    ) -> Any:
        """A call with ``device``: a new tensor, or a copy on that device."""
        to_gpu = _names_gpu(kwargs["device"])
        if to_gpu:
            kwargs["device"] = CPU
            if kwargs.get("generator") is not None:
                self.refuse(f"{name}() on the GPU with a generator of the CPU")
        out = func(*args, **kwargs)
        if to_gpu:
            if name in FROM_VALUES and not any_on_gpu:
                self.wait("blocking copy to the GPU")
                out = out.clone()  # as_tensor shares the memory of an array, a GPU does not
            return tree_map(_mark, out)
        if any_on_gpu and name in FROM_VALUES:
            self.wait("copy to the CPU")
            out = out.clone()
        return tree_map(_unmark, out)

    def _copy(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        target, source = args[0], args[1]
        non_blocking = kwargs.get("non_blocking", False) or any(a is True for a in args[2:])
        if isinstance(source, torch.Tensor) and on_gpu(target) != on_gpu(source):
            self._count_copy(source, on_gpu(target), non_blocking)
        return func(*args, **kwargs)

    def _count_copy(self, source: torch.Tensor, to_gpu: bool, non_blocking: bool) -> None:
        if not to_gpu:
            self.wait("copy to the CPU")
        elif not non_blocking:
            self.wait("blocking copy to the GPU")
        elif not source.__dict__.get(PINNED):
            self.wait("copy of pageable memory to the GPU")

    def _move(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """``to``, ``cpu``, ``cuda`` and ``type``: convert on the CPU, then mark."""
        x, kept = args[0], dict(kwargs)
        source = wanted = on_gpu(x)
        non_blocking = bool(kept.pop("non_blocking", False)) or any(a is True for a in args[1:])
        if name in ("cuda", "cpu"):
            wanted, kept = name == "cuda", {}
        for a in args[1:]:
            if isinstance(a, torch.Tensor):
                wanted = on_gpu(a)
                kept.setdefault("dtype", a.dtype)
            elif isinstance(a, torch.dtype):
                kept["dtype"] = a
            elif isinstance(a, str | torch.device | int) and not isinstance(a, bool):
                wanted = _names_gpu(a)
        if kept.get("device") is not None:
            wanted = _names_gpu(kept["device"])
        kept.pop("device", None)
        out = func(x, *args[1:]) if name == "type" else x.to(**kept) if kept else x
        if wanted != source:
            self._count_copy(x, wanted, non_blocking)
            if out is x:  # a real move never shares memory
                out = x.clone(memory_format=kept.get("memory_format", torch.preserve_format))
        return (_mark if wanted else _unmark)(out)

    def _attribute(self, func: Any, name: str, args: tuple[Any, ...], kwargs: Any) -> Any:
        """Access to an attribute such as ``x.device``, ``x.grad`` or ``x.data``."""
        x, field = args[0], (resolve_name(func) or "..").rsplit(".", 2)[-2]
        if name == "__get__" and on_gpu(x):
            is_cuda = self.device.type == "cuda"
            known = {
                "device": self.device, "is_cuda": is_cuda, "is_mps": not is_cuda, "is_cpu": False,
            }  # fmt: skip
            return known[field] if field in known else _mark(func(*args, **kwargs))
        out = func(*args, **kwargs)
        if name == "__set__" and field == "data":
            (_mark if on_gpu(args[1]) else _unmark)(x)
        return out


def _caller() -> str:
    """ "file:line" of the innermost caller in the package, else outside torch."""
    frame, outside = sys._getframe(2), "?"
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(PACKAGE):
            return f"{file.removeprefix(PACKAGE)}:{frame.f_lineno}"
        if outside == "?" and file != __file__ and "/torch/" not in file:
            outside = f"{file.rsplit('/', 1)[-1]}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return outside


@contextmanager
def pretend_gpu(kind: str = "cuda") -> Iterator[PretendGPU]:
    """A context in which torch has one GPU, the pretend one; ``kind`` is "cuda" or "mps"."""
    mode = PretendGPU(kind)
    real_autocast, real_array = torch.autocast, torch.Tensor.__array__
    real_submit = ThreadPoolExecutor.submit

    class Autocast(real_autocast):  # type: ignore[valid-type, misc]
        def __init__(self, device_type: str, *args: Any, **kwargs: Any) -> None:
            super().__init__("cpu", *args, **kwargs)

    def pin_memory(tensor: torch.Tensor, *_: Any) -> torch.Tensor:
        if on_gpu(tensor):
            mode.refuse("pin_memory() of a tensor on the GPU")
        out = tensor.clone()
        out.__dict__[PINNED] = True
        return out

    def array(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        if on_gpu(tensor):
            mode.refuse("numpy of a tensor on the GPU")
        return real_array(tensor, *args, **kwargs)

    def submit(pool: Any, work: Any, *args: Any, **kwargs: Any) -> Any:
        def inside() -> Any:  # a mode holds for one thread
            with mode:
                return work(*args, **kwargs)

        return real_submit(pool, inside)

    replaced: list[tuple[Any, str, Any]] = [
        (ThreadPoolExecutor, "submit", submit),
        (torch, "autocast", Autocast),
        (torch.Tensor, "pin_memory", pin_memory),
        (torch.Tensor, "__array__", functools.partialmethod(array)),
        (torch.cuda, "is_available", lambda: kind == "cuda"),
        (torch.cuda, "device_count", lambda: 1),
        (torch.cuda, "mem_get_info", lambda *_: (70 << 30, 80 << 30)),
        (torch.cuda, "get_device_name", lambda *_: NAME),
        (torch.cuda, "synchronize", lambda *_: mode.wait("synchronize")),
        (torch.cuda, "set_device", lambda *_: None),
        (torch.cuda, "current_device", lambda: 0),
        (torch.cuda, "empty_cache", lambda: None),
    ]
    with ExitStack() as stack:
        for where, attribute, value in replaced:
            stack.enter_context(mock.patch.object(where, attribute, value))
        stack.enter_context(mode)
        yield mode
