"""Illustrated faces: reproducible, correct rates, disjoint identities, resumable rendering."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from clmle import InputError
from clmle.config import DataConfig
from clmle.data import pixel_cache, pixel_writing
from clmle.data.registry import DATASETS, dataset_info, load_dataset
from clmle.data.toonfaces import build, specs
from clmle.data.toonfaces.render import render
from clmle.data.toonfaces.specs import RATES
from clmle.data.toonfaces.styles import STYLES, style_named
from clmle.studies.hidden_subpopulations import hidden_styles
from clmle.training import load_data
from clmle.training.prepare import make_task

TINY = (300, 80, 120)


@pytest.fixture
def tiny(monkeypatch):
    monkeypatch.setitem(build.SIZES, "quick", TINY)
    monkeypatch.setattr(build, "_workers", here)


@contextmanager
def here(*_):
    """An executor that runs its work immediately: no worker processes for a tiny set."""
    yield Here()


class Here:
    map = staticmethod(map)

    def submit(self, work, *arguments):
        future = Future()
        future.set_result(work(*arguments))
        return future


def load_tiny():
    return build.load_toonfaces("quick", image_size=24)


def test_equal_seeds_give_equal_bytes_and_identities_are_disjoint(tiny, tmp_path, monkeypatch):
    a = load_tiny()
    monkeypatch.setenv("CLMLE_CACHE", str(tmp_path / "b"))
    b = load_tiny()
    assert (a.images == b.images).all()
    assert all((a.attributes[k] == b.attributes[k]).all() for k in RATES)
    people = [set(a.metadata["identity"][a.split == s]) for s in range(3)]
    assert not people[0] & people[1]
    assert not (people[0] | people[1]) & people[2]
    assert [int((a.split == s).sum()) for s in range(3)] == list(TINY)


def test_the_split_seed_selects_the_faces(monkeypatch):
    info = dataset_info("toonfaces")
    monkeypatch.setitem(
        DATASETS, "toonfaces", replace(info, load=lambda size, image_size, seed, progress: seed)
    )
    drawn = [load_data(DataConfig(split=split), seed=7) for split in (0, 3, -1)]
    assert drawn == [0, 3, 7]  # -1: the seed of the run


def test_a_damaged_set_is_rendered_again(tiny):
    whole = load_tiny().images.copy()
    file = build._target(build.Plan.of("quick", 24, 0)) / "images.npy"
    file.write_bytes(file.read_bytes()[:1000])
    again = load_tiny()
    assert (again.images == whole).all()


def test_unknown_labels_follow_from_the_drawn_parts(tiny):
    a = load_tiny()
    style = a.metadata["style"]
    for name, values in a.attributes.items():
        for s in STYLES:
            if name not in s.shows:
                assert (values[style == s.name] == -1).all()
    hat, bald = a.attributes["Wearing_Hat"] == 1, a.attributes["Bald"] == 1
    for color in ("Black_Hair", "Brown_Hair", "Blond_Hair", "Gray_Hair"):
        assert (a.attributes[color][hat | bald] == -1).all()
    shown = np.stack([a.attributes[c] == 1 for c in ("Black_Hair", "Brown_Hair", "Blond_Hair")])
    assert shown.sum(axis=0).max() <= 1


def test_rates_match_celeba_and_identities_have_a_long_tail():
    rng = np.random.default_rng(0)
    sizes = specs.identity_sizes(20_000, rng)
    assert sizes.sum() == 20_000
    assert (sizes < 0.47 * sizes.mean()).mean() == pytest.approx(0.39, abs=0.05)
    people = specs.draw_identities(sizes, rng)
    rows = [
        specs.draw_image(spec, style_named(spec["style"]), np.random.default_rng([1, i]))[1]
        for i, spec in enumerate(np.repeat(np.array(people, dtype=object), sizes)[::4])
    ]
    for name, rate in RATES.items():
        values = np.array([r[name] for r in rows])
        assert (values == 1).sum() / (values >= 0).sum() == pytest.approx(rate, rel=0.3), name


def test_eyeglasses_are_drawn():
    """The same face with and without glasses differs, and only around the eyes."""
    rng = np.random.default_rng(3)
    for spec in specs.draw_identities(np.full(40, 5), rng)[:15]:
        style = style_named(spec["style"])
        image, _ = specs.draw_image(spec, style, np.random.default_rng(0))
        image |= {"blur": 0.0, "noise": 0.0, "occluded": False, "turn": 0.0, "hat": ""}
        bare = render(spec, image | {"glasses": ""}, 64).astype(int)
        worn = render(spec, image | {"glasses": style.glasses[1][0]}, 64).astype(int)
        changed = np.abs(bare - worn).max(axis=2) > 40
        assert changed.sum() > 15, spec["style"]
        rows = np.flatnonzero(changed.any(axis=1))
        assert rows.max() - rows.min() < 40


def test_a_kill_while_rendering_loses_only_unfinished_chunks():
    """kill -9 of the whole process group; the next call resumes and gives equal bytes."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_group_then_build)
    process.start()
    plan = build.Plan.of("quick", 16, 0)
    target = build._target(plan)
    deadline = time.time() + 600
    while build.render_state(plan).done < 3 * CHUNK and time.time() < deadline:
        time.sleep(0.1)
    assert build.render_state(plan).running
    os.killpg(process.pid, signal.SIGKILL)
    process.join()
    state = build.render_state(plan)
    assert not state.running
    assert 3 * CHUNK <= state.done < plan.total
    assert not target.exists()
    asked = []
    images, _ = pixel_cache.cached_pixels(
        target,
        f"toonfaces {build.VERSION}",
        plan.total,
        (16, 16, 3),
        lambda i: asked.append(i) or 0,
    )
    assert len(asked) == plan.total - state.done
    cast = plan.face_specs()
    for row in sorted(set(range(plan.total)) - set(asked))[::70]:
        spec = cast[row][2]
        rng = np.random.default_rng([0, 2, row])
        image, _ = specs.draw_image(spec, style_named(spec["style"]), rng)
        assert (images[row] == render(spec, image, 16)).all()


CHUNK = 50


def _group_then_build():
    os.setsid()
    pixel_writing.CHUNK = CHUNK
    build.load_toonfaces("quick", image_size=16, n_workers=2)


@pytest.mark.parametrize("arguments", [{"size": "huge"}, {"image_size": 4}])
def test_an_error_names_invalid_arguments(arguments):
    with pytest.raises(InputError):
        build.load_toonfaces(**arguments)


def test_a_program_from_standard_input_raises_a_one_sentence_error():
    program = (
        "from clmle import InputError\nfrom clmle.data import load_toonfaces\n"
        "try: load_toonfaces('quick')\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-"], input=program, capture_output=True, text=True, check=False
    )
    assert "rendered faces are kept" in done.stdout


def test_faces_by_drawing_style_have_glasses_and_style_in_one_label(tiny):
    faces = load_tiny()
    styles = load_dataset("toonfaces-styles", size="quick", image_size=faces.images.shape[1])
    assert np.array_equal(styles.images, faces.images)
    names, label = styles.class_names["face"], styles.labels["face"]
    assert len(names) == len(set(names)) == 2 * len(STYLES)
    for value, style, glasses in zip(
        label, faces.metadata["style"], faces.attributes["Eyeglasses"], strict=True
    ):
        assert names[value] == f"{style} {'glasses' if glasses else 'bare'}"
    # Merged to two classes the styles are hidden.
    config = DataConfig(counts="micah glasses=1", imbalance="given", merge=hidden_styles()["merge"])
    task = make_task(styles, config)
    assert task.class_names == ("bare", "glasses")
    hidden, names = task.subpopulations
    rare = names.index("micah glasses")
    assert (hidden[task.train] == rare).sum() == 1
    assert set(task.labels[hidden == rare].tolist()) == {1}
