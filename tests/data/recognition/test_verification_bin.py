"""Verification sets in .bin files (pickles): valid, malicious and damaged."""

import os
import pickle
import pickletools
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clmle import InputError
from clmle.data.recognition.plain_pickle import RefusedError, read_plain_pickle
from clmle.data.recognition.verification_bin import load_bin, read_bin

from .writers import jpeg

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
SAME = [True, True, False, True, False, False, True, False, True, False, True, False]


@pytest.fixture
def faces():
    return [jpeg(10 * i) for i in range(2 * len(SAME))]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [tuple, list])
def test_images_and_flags_are_read_from_every_protocol(tmp_path, faces, protocol, kind):
    file = tmp_path / "lfw.bin"
    file.write_bytes(pickle.dumps(kind((faces, SAME)), protocol))
    images, same = read_bin(file)
    assert images == faces
    assert same.tolist() == SAME
    found = load_bin(file, image_size=16)
    assert found.name == "lfw"
    assert found.images.shape == (24, 16, 16, 3)
    level = found.images[:, 8, 8, 0].astype(int)
    np.testing.assert_allclose(level[found.pairs.first], 20 * np.arange(12), atol=2)
    np.testing.assert_allclose(level[found.pairs.second], 20 * np.arange(12) + 10, atol=2)
    # Ten consecutive folds, the first ones longer, as in scikit-learn's KFold.
    assert found.pairs.fold.tolist() == [0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numpy_arrays_in_place_of_bytes_and_flags_are_read(tmp_path, faces, protocol):
    arrays = [np.frombuffer(f, np.uint8) for f in faces]
    for same in (np.array(SAME), [np.bool_(s) for s in SAME], np.array(SAME, dtype=np.int64)):
        (tmp_path / "a.bin").write_bytes(pickle.dumps((arrays, same), protocol))
        images, flags = read_bin(tmp_path / "a.bin")
        assert [bytes(i) for i in images] == faces
        assert flags.tolist() == SAME


def test_byte_strings_of_python_2_are_read(tmp_path):
    # As Python 2 writes str: BINSTRING (protocol 1, 2), STRING in quotes (protocol 0).
    a, b = b"\xff\xd8'\n\\ image", b'"\x00\x80'
    two = b"".join(b"T" + struct.pack("<i", len(x)) + x + b"q\x01" for x in (a, b))
    (tmp_path / "2.bin").write_bytes(b"\x80\x02]q\x00(" + two + b"e](\x88e\x86.")
    assert read_bin(tmp_path / "2.bin")[0] == [a, b]
    zero = (
        b"((lp0\nS" + repr(a)[1:].encode() + b"\np1\naS" + repr(b)[1:].encode() + b"\na(lI01\nat."
    )
    (tmp_path / "0.bin").write_bytes(zero)
    images, same = read_bin(tmp_path / "0.bin")
    assert images == [a, b]
    assert same.tolist() == [True]


class Hostile:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("place", ["images", "flags", "all"])
def test_a_malicious_pickle_is_refused_and_not_executed(tmp_path, faces, protocol, place):
    mark = tmp_path / "was here"
    evil = Hostile(os.system, f"touch '{mark}'")
    value = {"images": ([*faces, evil], SAME), "flags": (faces, [evil]), "all": evil}[place]
    (tmp_path / "evil.bin").write_bytes(pickle.dumps(value, protocol))
    with pytest.raises(InputError, match=r"it calls '(posix|nt)\.system'"):
        load_bin(tmp_path / "evil.bin")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ((eval, "1"), r"calls '(builtins|__builtin__)\.eval'"),
        ((getattr, 1, "real"), "getattr"),
        ((bytearray, 10**12), "makes bytes of something that holds none"),
        ((np.zeros, 10**12), "calls 'numpy"),
    ],
)
def test_other_calls_are_refused_by_name(call, sentence):
    with pytest.raises(RefusedError, match=sentence):
        read_plain_pickle(pickle.dumps(Hostile(*call), 2))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_dictionary_of_arrays_and_lists_is_read(protocol):
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    for array in (pixels, np.asfortranarray(pixels), pixels[0]):
        batch = {b"data": array, "labels": [3, 1], b"empty": {}, b"name": b"batch 1"}
        read = read_plain_pickle(pickle.dumps(batch, protocol))
        np.testing.assert_array_equal(read.pop(b"data").value, array)
        assert read == {"labels": [3, 1], b"empty": {}, b"name": b"batch 1"}


def test_keys_of_dictionaries_are_strings():
    nested = ()
    for _ in range(50):
        nested = (nested,)
    for key in (nested, 1):
        with pytest.raises(RefusedError, match="keys that are not strings"):
            read_plain_pickle(pickle.dumps({key: 1}))


def refused(data):
    with pytest.raises(RefusedError) as error:
        read_plain_pickle(data)
    return str(error.value)


def test_announced_sizes_do_not_allocate_memory():
    text = "x" * 100_000
    again = b"\x80\x02(c_codecs\nencode\nq\x00X" + struct.pack("<I", len(text)) + text.encode()
    again += b"q\x01" + b"h\x00h\x01\x85R" * 100 + b"t."
    bombs = {
        "cut off": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"short",  # BINBYTES8
        "cut off or": b"T" + struct.pack("<i", -5),
        "more bytes than it holds": again,
        "far too many": b"(" + b"]" * 130_000 + b"t.",
        "damaged": b"K\x01r" + struct.pack("<I", 2**32 - 1) + b"j" + bytes(4),  # a memo far away
        "too large": b"\x8a\xff" + b"\xff" * 254 + b"\x01.",
        "not a list": b"K\x01(K\x01e.",
    }
    tracemalloc.start()
    for words, data in bombs.items():
        assert words in refused(data)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


def test_a_repeated_list_needs_no_memory(tmp_path):
    inner = b"](" + b"K\x01" * 1000 + b"eq\x00"
    data = b"\x80\x02" + inner + b"0](" + b"h\x00" * 1000 + b"e](" + b"\x88" * 500 + b"e\x86."
    (tmp_path / "a.bin").write_bytes(data)
    with pytest.raises(InputError, match="not an image file at index 0"):
        read_bin(tmp_path / "a.bin")


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_change_of_a_file_gives_lists_or_a_one_sentence_error(data):
    good = pickle.dumps(([b"aaa", b"bb"], [True]), data.draw(st.sampled_from(list(PROTOCOLS))))
    place = data.draw(st.integers(0, len(good) - 1))
    changed = good[:place] + data.draw(st.binary(max_size=3)) + good[place + 1 :]
    try:
        read_plain_pickle(changed)
    except RefusedError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_only_known_pickle_instructions_are_accepted():
    known = {op.name for op in pickletools.opcodes}
    from clmle.data.recognition import plain_pickle as p

    assert set(p._VALUES) | set(p._ACTIONS) <= known
    for code in b"\x81\x92io\x82QG":  # NEWOBJ, INST, OBJ, EXT1, BINPERSID, BINFLOAT
        assert "more than lists" in refused(b"K\x01K\x01" + bytes([code]))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (([b"a", b"b", b"c"], [True]), "3 images for 1 pairs"),
        (([], []), "0 images for 0 pairs"),
        (([b"a", b"b"], [2]), "has '2' for a pair"),
        (([b"a", "text"], [True]), "not an image file at index 1"),
        (([b"a", b"b"],), "two lists"),
        (({"a": 1}, []), "two lists"),
        (({1.5: 1}, []), "more than lists"),
        ((7, [True]), "two lists"),
    ],
)
def test_pickles_of_other_values_are_one_sentence_errors(tmp_path, value, sentence):
    (tmp_path / "a.bin").write_bytes(pickle.dumps(value))
    with pytest.raises(InputError, match=sentence):
        read_bin(tmp_path / "a.bin")


def test_truncated_files_are_refused(tmp_path, faces):
    data = pickle.dumps((faces[:2], [True]), 4)
    for end in range(0, len(data) - 1, 7):
        refused(data[:end])
    (tmp_path / "a.bin").write_bytes(data[:-20])
    with pytest.raises(InputError, match="not a plain list"):
        load_bin(tmp_path / "a.bin")
    with pytest.raises(InputError, match="cannot be used"):
        load_bin(tmp_path / "gone.bin")


def test_pairs_with_a_damaged_image_are_counted_and_left_out(tmp_path, faces):
    faces[5] = b"no image"
    (tmp_path / "a.bin").write_bytes(pickle.dumps((faces, SAME)))
    with pytest.warns(UserWarning, match=r"1 of 24 images .* image 5 is damaged \(not an image\)"):
        found = load_bin(tmp_path / "a.bin", image_size=16)
    assert found.pairs.first.tolist() == [0, 2, *range(6, 24, 2)]
    assert found.pairs.same.tolist() == SAME[:2] + SAME[3:]
    assert found.pairs.fold.tolist() == [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
