"""Lists of byte strings and truth values from a pickle, without executing anything in it.

A pickle is a program for a stack machine that may call any function. This reader supports only the
instructions that build lists, tuples, numbers and strings. The functions with which Python and
NumPy store byte strings are replaced by functions of this file; every other name is refused. The
memory is bounded by a small multiple of the size of the file.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

BYTES_PER_STEP = 10  # a pickle of images has far more bytes for each instruction
STEPS = 100_000  # allowed in any case
KINDS = ("b1", "u1", "i1", "i2", "i4", "i8", "u2", "u4", "u8")
NUMPY = ("numpy.core.multiarray.", "numpy._core.multiarray.")
NUMERIC = ("numpy.core.numeric.", "numpy._core.numeric.")

MARK = object()


class RefusedError(ValueError):
    """Why a pickle is not read, as the end of a sentence."""


class Name(str):
    """The name of a function, which is never imported."""


class Array:
    """A NumPy array, whose content may follow later."""

    def __init__(self, value: np.ndarray | None = None) -> None:
        self.value = value


def read_plain_pickle(data: bytes) -> Any:
    """Read lists, tuples, numbers, strings and :class:`Array` from the pickle ``data``.

    Byte strings of all protocols are bytes, including those of Python 2.
    """
    machine = _Machine(data)
    try:
        while machine.step():
            pass
        return machine.pop()
    except RefusedError:
        raise
    except (struct.error, IndexError, KeyError, TypeError, ValueError, OverflowError,
            UnicodeError, SyntaxError, RecursionError) as error:  # fmt: skip
        raise RefusedError(f"it is damaged near byte {machine.at:,}") from error


class _Machine:
    """Stack, memo and position in the data."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = memoryview(data), 0
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.steps = STEPS + len(data) // BYTES_PER_STEP
        self.bytes_left = len(data)

    # --- reading ------------------------------------------------------------------------

    def take(self, n: int) -> bytes:
        if n < 0 or n > len(self.data) - self.at:
            raise RefusedError(f"it is cut off: {n:,} bytes should follow byte {self.at:,}")
        self.at += n
        return bytes(self.data[self.at - n : self.at])

    def number(self, kind: str) -> int:
        value: int = struct.unpack("<" + kind, self.take(struct.calcsize("<" + kind)))[0]
        return value

    def line(self) -> bytes:
        # Most lines are short, so the search for their end begins with a small window.
        end, width = self.at, 256
        while end < len(self.data):
            found = bytes(self.data[end : end + width]).find(b"\n")
            if found >= 0:
                text = self.take(end + found - self.at)
                self.at += 1
                return text
            end, width = end + width, width * 2
        raise RefusedError("it is cut off within a line")

    def pop(self) -> Any:
        value = self.stack.pop()
        if value is MARK:
            raise RefusedError(f"it is damaged near byte {self.at:,}")
        return value

    def pop_mark(self) -> list[Any]:
        top = len(self.stack) - 1
        while self.stack[top] is not MARK:
            top -= 1
            if top < 0:
                raise RefusedError(f"it is damaged near byte {self.at:,}")
        items = self.stack[top + 1 :]
        del self.stack[top:]
        return items

    # --- instructions -------------------------------------------------------------------

    def step(self) -> bool:
        """Execute one instruction; False after the last."""
        self.steps -= 1
        if self.steps < 0:
            raise RefusedError("it has far too many small parts")
        code = self.take(1)
        if code == b".":
            return False
        if code in _VALUES:
            self.stack.append(_VALUES[code](self))
        elif code in _ACTIONS:
            _ACTIONS[code](self)
        else:
            raise RefusedError(f"it has more than lists, numbers and strings ({code!r})")
        return True

    def put(self, key: int) -> None:
        self.memo[key] = self.stack[-1]

    def append(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise RefusedError("it appends to something that is not a list")
        target.extend(items)

    def name(self, module: str, name: str) -> Name:
        full = f"{module}.{name}"
        if full not in _CALLS and full not in ("numpy.ndarray", "numpy.dtype"):
            raise RefusedError(f"it calls {full[:80]!r}")
        return Name(full)

    def reduce(self) -> Any:
        arguments, function = self.pop(), self.pop()
        if not isinstance(function, Name) or function not in _CALLS:
            raise RefusedError("it calls something that is not a function")
        if not isinstance(arguments, tuple):
            raise RefusedError(f"it is damaged near byte {self.at:,}")
        return _CALLS[function](self, *arguments)

    def build(self) -> None:
        """Set the content of a NumPy array, or the byte order of a NumPy type."""
        state, target = self.pop(), self.stack[-1]
        if isinstance(target, np.dtype):
            if state[1] not in ("|", "<", "=", b"|", b"<", b"="):
                raise RefusedError("it holds numpy numbers of another byte order")
        elif isinstance(target, Array):
            _, shape, kind, _, raw = state
            target.value = array_of(raw, kind, shape)
        else:
            raise RefusedError("it sets the state of an object")

    def spend(self, value: bytes) -> bytes:
        """Bound the bytes that calls create by the size of the file."""
        self.bytes_left -= len(value)
        if self.bytes_left < 0:
            raise RefusedError("it makes more bytes than it holds")
        return value


def _global(m: _Machine) -> Name:
    module, name = m.line().decode("ascii"), m.line().decode("ascii")
    return m.name(module, name)


def _stack_global(m: _Machine) -> Name:
    name, module = m.pop(), m.pop()
    if not (isinstance(name, str) and isinstance(module, str)):
        raise RefusedError(f"it is damaged near byte {m.at:,}")
    return m.name(module, name)


def _quoted(m: _Machine) -> bytes:
    """A byte string of Python 2 in quotes, with escapes."""
    line = m.line()
    if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:
        raise RefusedError(f"it is damaged near byte {m.at:,}")
    return codecs.escape_decode(line[1:-1])[0]


def _int_line(m: _Machine) -> int | bool:
    """An integer; 00 and 01 are false and true."""
    text = m.line()
    return text == b"01" if text in (b"00", b"01") else _small(int(text[:25]))


def _small(value: int) -> int:
    if abs(value) >= 2**64:
        raise RefusedError("it holds a number that is too large")
    return value


def _encode(m: _Machine, text: str, kind: str = "latin1") -> bytes:
    if kind not in ("latin1", "latin-1") or not isinstance(text, str):
        raise RefusedError("it encodes something that is not a byte string")
    return m.spend(text.encode("latin-1"))


def _make_bytes(m: _Machine, value: Any = b"", kind: str = "latin1") -> bytes:
    if isinstance(value, str):
        return _encode(m, value, kind)
    if not isinstance(value, bytes):
        raise RefusedError("it makes bytes of something that holds none")
    return m.spend(value)


def _dtype(m: _Machine, kind: str, *_: Any) -> np.dtype:
    kind = kind.decode("ascii") if isinstance(kind, bytes) else kind
    if kind not in KINDS:
        raise RefusedError(f"it holds numpy values of the kind {str(kind)[:20]!r}")
    return np.dtype(kind)


def _scalar(m: _Machine, kind: Any, raw: Any) -> Any:
    return array_of(raw, kind, ())[()].item()


def _from_buffer(m: _Machine, raw: Any, kind: Any, shape: Any, order: str = "C") -> Array:
    return Array(array_of(raw, kind, shape))


def array_of(raw: Any, kind: Any, shape: Any) -> np.ndarray:
    """An array over ``raw`` bytes, whose number must match ``shape``."""
    if not (isinstance(raw, bytes) and isinstance(kind, np.dtype) and isinstance(shape, tuple)):
        raise RefusedError("it holds a numpy array of another kind")
    if len(shape) > 3 or int(np.prod(shape, dtype=object)) * kind.itemsize != len(raw):
        raise RefusedError("it holds a numpy array whose size and content disagree")
    return np.frombuffer(raw, kind).reshape(shape)


_CALLS: dict[str, Callable[..., Any]] = {
    "_codecs.encode": _encode,
    **dict.fromkeys(("builtins.bytes", "__builtin__.bytes"), _make_bytes),
    **dict.fromkeys(("builtins.bytearray", "__builtin__.bytearray"), _make_bytes),
    "numpy.dtype": _dtype,
    **dict.fromkeys((n + "_reconstruct" for n in NUMPY), lambda m, *_: Array()),
    **dict.fromkeys((n + "scalar" for n in NUMPY), _scalar),
    **dict.fromkeys((n + "_frombuffer" for n in NUMERIC), _from_buffer),
}

# Instructions that push a value, by their code; comments are the names in pickletools.
_VALUES: dict[bytes, Callable[[_Machine], Any]] = {
    b"(": lambda m: MARK,
    b"]": lambda m: [],
    b"l": lambda m: m.pop_mark(),  # LIST
    b")": lambda m: (),
    b"t": lambda m: tuple(m.pop_mark()),
    b"\x85": lambda m: (m.pop(),),  # TUPLE1
    b"\x86": lambda m: (m.pop(), m.pop())[::-1],
    b"\x87": lambda m: (m.pop(), m.pop(), m.pop())[::-1],
    b"N": lambda m: None,
    b"\x88": lambda m: True,
    b"\x89": lambda m: False,
    b"I": _int_line,
    b"L": lambda m: _small(int(m.line()[:25].rstrip(b"L"))),
    b"J": lambda m: m.number("i"),  # BININT
    b"K": lambda m: m.number("B"),
    b"M": lambda m: m.number("H"),
    b"\x8a": lambda m: _small(int.from_bytes(m.take(m.number("B")), "little", signed=True)),
    b"S": _quoted,  # STRING: Python 2, protocol 0
    b"T": lambda m: m.take(m.number("i")),  # BINSTRING: Python 2
    b"U": lambda m: m.take(m.number("B")),
    b"B": lambda m: m.take(m.number("I")),  # BINBYTES
    b"C": lambda m: m.take(m.number("B")),
    b"\x8e": lambda m: m.take(m.number("Q")),
    b"\x96": lambda m: m.take(m.number("Q")),  # BYTEARRAY8
    b"V": lambda m: m.line().decode("raw-unicode-escape"),
    b"X": lambda m: m.take(m.number("I")).decode("utf-8", "surrogatepass"),
    b"\x8c": lambda m: m.take(m.number("B")).decode("utf-8", "surrogatepass"),
    b"\x8d": lambda m: m.take(m.number("Q")).decode("utf-8", "surrogatepass"),
    b"g": lambda m: m.memo[int(m.line()[:25])],
    b"h": lambda m: m.memo[m.number("B")],
    b"j": lambda m: m.memo[m.number("I")],
    b"c": _global,
    b"\x93": _stack_global,
    b"R": lambda m: m.reduce(),
}
_ACTIONS: dict[bytes, Callable[[_Machine], Any]] = {
    b"\x80": lambda m: m.number("B"),  # PROTO
    b"\x95": lambda m: m.number("Q"),  # FRAME
    b"p": lambda m: m.put(int(m.line()[:25])),
    b"q": lambda m: m.put(m.number("B")),
    b"r": lambda m: m.put(m.number("I")),
    b"\x94": lambda m: m.put(len(m.memo)),  # MEMOIZE
    b"a": lambda m: m.append([m.pop()]),
    b"e": lambda m: m.append(m.pop_mark()),
    b"b": lambda m: m.build(),
    b"0": lambda m: m.pop(),
    b"\x98": lambda m: None,  # READONLY_BUFFER
}
