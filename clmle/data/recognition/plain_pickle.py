"""Lists, dictionaries and arrays from a pickle, without executing anything in it.

A pickle is a program for a stack machine that may call any function. :mod:`pickletools` divides it
into instructions. This reader executes only those that build lists, tuples, dictionaries, numbers
and strings. The functions with which Python and NumPy store byte strings are replaced by functions
of this file; every other name is refused. The memory is bounded by a small multiple of the size of
the file.
"""

import codecs
import io
import math
import pickletools
from collections.abc import Callable
from typing import IO, Any

import numpy as np

BYTES_PER_STEP = 10  # a pickle of images has far more bytes for each instruction
STEPS = 100_000  # allowed in any case
KINDS = ("b1", "u1", "i1", "i2", "i4", "i8", "u2", "u4", "u8")

MARK = object()


class RefusedError(ValueError):
    """Why a pickle is not read, as the end of a sentence."""


class Array:
    """A NumPy array, whose content may follow later."""

    def __init__(self, value: np.ndarray | None = None) -> None:
        self.value = value


def read_plain_pickle(data: bytes) -> Any:
    """Lists, tuples, dictionaries, numbers, strings and :class:`Array`, or a RefusedError."""
    machine = _Machine(data)
    try:
        return machine.run()
    except RefusedError:
        raise
    except (EOFError, LookupError, TypeError, ValueError, OverflowError, SyntaxError,
            RecursionError, AttributeError, MemoryError) as error:  # fmt: skip
        at = machine.file.tell()
        raise RefusedError(f"it is cut off or damaged near byte {at:,}") from error


class _Machine:
    """The file, the stack and the memo."""

    def __init__(self, data: bytes) -> None:
        self.file = io.BytesIO(data)
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.bytes_left = len(data)

    def run(self) -> Any:
        """Execute all instructions; the value on top of the stack after the last."""
        for _ in range(STEPS + self.bytes_left // BYTES_PER_STEP):
            code = self.file.read(1)
            if code == b".":
                return self.pop()
            if not code:
                raise EOFError
            name, read = _INSTRUCTIONS[code]
            if name in _VALUES:
                self.stack.append(_VALUES[name](self, read(self.file)))
            elif name in _ACTIONS:
                _ACTIONS[name](self, read(self.file))
            else:
                raise RefusedError(f"it has more than lists, numbers and strings ({code!r})")
        raise RefusedError("it has far too many small parts")

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is MARK:
            raise ValueError("nothing follows a mark")
        return value

    def pop_tuple(self, n: int) -> tuple[Any, ...]:
        return tuple(self.pop() for _ in range(n))[::-1]

    def pop_mark(self) -> list[Any]:
        items = []
        while (value := self.stack.pop()) is not MARK:
            items.append(value)
        return items[::-1]

    def add(self, items: list[Any], kind: type[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, kind):
            raise RefusedError(f"it appends to something that is not a {kind.__name__}")
        if isinstance(target, list):
            target.extend(items)
        else:
            target.update(_dictionary(items))

    def put(self, key: int) -> None:
        self.memo[key] = self.stack[-1]

    def build(self) -> None:
        """Set the content of a NumPy array, or the byte order of a NumPy type."""
        state, target = self.pop(), self.stack[-1]
        if isinstance(target, np.dtype):
            if state[1] not in ("|", "<", "=", b"|", b"<", b"="):
                raise RefusedError("it holds numpy numbers of another byte order")
        elif isinstance(target, Array):
            _, shape, kind, by_column, raw = state
            target.value = _array(raw, kind, shape, "F" if by_column else "C")
        else:
            raise RefusedError("it sets the state of an object")

    def make_bytes(self, value: Any = b"", encoding: str = "latin1") -> bytes:
        """Bytes of a call; their number is bounded by the size of the file."""
        if isinstance(value, str) and encoding in ("latin1", "latin-1"):
            value = value.encode("latin-1")
        if not isinstance(value, bytes):
            raise RefusedError("it makes bytes of something that holds none")
        self.bytes_left -= len(value)
        if self.bytes_left < 0:
            raise RefusedError("it makes more bytes than it holds")
        return value


def _name(module: str, name: str) -> str:
    """The name of a function, which is never imported."""
    if not (isinstance(module, str) and isinstance(name, str)):  # printing others may never end
        raise RefusedError("it calls something without a name")
    full = f"{module}.{name}"
    if full not in _CALLS and full != "numpy.ndarray":
        raise RefusedError(f"it calls {full[:80]!r}")
    return full


def _reduce(m: _Machine) -> Any:
    function, arguments = m.pop_tuple(2)
    if not isinstance(function, str):  # the hash of a tuple in a tuple in ... may never end
        raise RefusedError("it calls something that is no function")
    return _CALLS[function](m, *arguments)


def _dictionary(items: list[Any]) -> dict[str | bytes, Any]:
    # The hash of a tuple in a tuple in ... overflows the stack.
    if not all(isinstance(key, str | bytes) for key in items[::2]):
        raise RefusedError("it has a dictionary with keys that are not strings")
    return dict(zip(items[::2], items[1::2], strict=True))


def _quoted(file: IO[bytes]) -> str:
    return codecs.escape_decode(pickletools.read_stringnl(file, decode=False))[0].decode("latin-1")


def _small(value: int) -> int:
    if abs(value) >= 2**64:
        raise RefusedError("it holds a number that is too large")
    return value


def _dtype(m: _Machine, kind: str | bytes, *_: Any) -> np.dtype:
    kind = kind.decode("ascii") if isinstance(kind, bytes) else kind
    if not isinstance(kind, str) or kind not in KINDS:
        shown = kind[:20] if isinstance(kind, str) else type(kind).__name__
        raise RefusedError(f"it holds numpy values of the kind {shown!r}")
    return np.dtype(kind)


def _array(raw: Any, kind: Any, shape: Any, order: Any = "C") -> np.ndarray:
    """An array over ``raw`` bytes, whose number must match ``shape``."""
    if not (isinstance(raw, bytes) and isinstance(kind, np.dtype) and isinstance(shape, tuple)):
        raise RefusedError("it holds a numpy array of another kind")
    whole = len(shape) <= 3 and all(type(n) is int and 0 <= n <= len(raw) for n in shape)
    if not whole or math.prod(shape) * kind.itemsize != len(raw):
        raise RefusedError("it holds a numpy array whose size and content disagree")
    return np.frombuffer(raw, kind).reshape(shape, order=order)


_CALLS: dict[Any, Callable[..., Any]] = {
    "_codecs.encode": _Machine.make_bytes,
    "numpy.dtype": _dtype,
}
for _core in ("numpy.core", "numpy._core"):
    _CALLS[f"{_core}.multiarray._reconstruct"] = lambda m, *_: Array()
    _CALLS[f"{_core}.multiarray.scalar"] = lambda m, kind, raw: _array(raw, kind, ())[()].item()
    _CALLS[f"{_core}.numeric._frombuffer"] = lambda m, *array: Array(_array(*array))
for _builtins in ("builtins", "__builtin__"):
    _CALLS |= dict.fromkeys((f"{_builtins}.bytes", f"{_builtins}.bytearray"), _Machine.make_bytes)

# Name, and reader of the argument, of each instruction.
_INSTRUCTIONS: dict[bytes, tuple[str, Callable[[Any], Any]]] = {
    op.code.encode("latin-1"): (op.name, op.arg.reader if op.arg else lambda file: None)
    for op in pickletools.opcodes
}
_INSTRUCTIONS[b"S"] = ("STRING", _quoted)  # of Python 2; pickletools accepts only ASCII there

# Instructions that push a value, by their names in pickletools.
_VALUES: dict[str, Callable[[_Machine, Any], Any]] = {
    "MARK": lambda m, _: MARK,
    "NONE": lambda m, _: None,
    "NEWTRUE": lambda m, _: True,
    "NEWFALSE": lambda m, _: False,
    "EMPTY_LIST": lambda m, _: [],
    "EMPTY_DICT": lambda m, _: {},
    "LIST": lambda m, _: m.pop_mark(),
    "DICT": lambda m, _: _dictionary(m.pop_mark()),
    "TUPLE": lambda m, _: tuple(m.pop_mark()),
    "EMPTY_TUPLE": lambda m, _: (),
    "TUPLE1": lambda m, _: m.pop_tuple(1),
    "TUPLE2": lambda m, _: m.pop_tuple(2),
    "TUPLE3": lambda m, _: m.pop_tuple(3),
    "BYTEARRAY8": lambda m, value: bytes(value),
    "GLOBAL": lambda m, names: _name(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: _name(*m.pop_tuple(2)),
    "REDUCE": lambda m, _: _reduce(m),
}
for _names, _value in {
    "INT LONG LONG1 BININT BININT1 BININT2": lambda m, value: _small(value),
    "STRING BINSTRING SHORT_BINSTRING": lambda m, text: text.encode("latin-1"),
    "BINBYTES SHORT_BINBYTES BINBYTES8": lambda m, value: value,
    "UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8": lambda m, text: text,
    "GET BINGET LONG_BINGET": lambda m, key: m.memo[key],
}.items():
    _VALUES |= dict.fromkeys(_names.split(), _value)

_ACTIONS: dict[str, Callable[[_Machine, Any], Any]] = {
    **dict.fromkeys(("PROTO", "FRAME", "READONLY_BUFFER"), lambda m, _: None),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.put),
    "MEMOIZE": lambda m, _: m.put(len(m.memo)),
    "APPEND": lambda m, _: m.add([m.pop()], list),
    "APPENDS": lambda m, _: m.add(m.pop_mark(), list),
    "SETITEM": lambda m, _: m.add(list(m.pop_tuple(2)), dict),
    "SETITEMS": lambda m, _: m.add(m.pop_mark(), dict),
    "BUILD": lambda m, _: m.build(),
    "POP": lambda m, _: m.pop(),
}
