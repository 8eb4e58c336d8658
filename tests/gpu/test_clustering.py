"""Clustering on a GPU: exact sizes, equal results in every run, few waits of the host."""

import numpy as np
import pytest
import torch

from clmle import CLMLELoss, _balance, balanced_spherical_kmeans, cluster_index, clustering
from clmle.cluster_index import ClusterIndex
from clmle.run_folder import create_run
from clmle.training import trainer
from clmle.training.distributed import World
from tests.gpu.pretend import PretendGPU, pretend_gpu
from tests.gpu.test_gpu_path import digits, stacked_heads

# Waits of one clustering for its input and result, of one search from starting centroids, and of
# one pass of repairs, improvement or exchange. A number may only fall.
FIXED, OF_A_SEARCH, OF_A_PASS = 3, 3, 4
PASSES = {
    _balance: ("_cheapest_move", "_matched_pairs", "_promising_moves"),
    clustering: ("nearest_by_graph",),
}


@pytest.fixture(autouse=True)
def one_thread():
    """The pretend GPU adds up in one order with one thread only."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def rows(n, d=16, seed=0):
    """Random rows around thirty directions."""
    generator = torch.Generator().manual_seed(seed)
    centers = torch.randn(30, d, generator=generator)
    drawn = torch.randint(30, (n,), generator=generator)
    return centers[drawn] + 0.8 * torch.randn(n, d, generator=generator)


def counted(monkeypatch, where, name):
    """Calls of a function, as a list of its first arguments."""
    calls, whole = [], getattr(where, name)
    monkeypatch.setattr(where, name, lambda *a, **o: calls.append(a[0]) or whole(*a, **o))
    return calls


def waits_of(gpu, n, k):
    """What a clustering of exact sizes waits for."""
    x = rows(n).to("cuda")
    before = gpu.waits.copy()
    found = balanced_spherical_kmeans(x, n_clusters=k)
    waits = gpu.waits - before
    assert sorted(set(found.sizes.tolist())) in ([n // k], [n // k, n // k + 1])
    assert torch.bincount(found.labels, minlength=k).equal(found.sizes)
    return waits


@pytest.mark.parametrize(("n", "k"), [(800, 8), (6400, 8), (800, 32), (6400, 32), (3000, 70)])
def test_the_waits_of_a_pass_do_not_grow_with_rows_or_clusters(n, k, gpu, monkeypatch):
    passes = [counted(monkeypatch, w, name) for w, names in PASSES.items() for name in names]
    searches = [counted(monkeypatch, clustering, name) for name in ("_flat", "_refine")]
    monkeypatch.setattr(_balance, "BLOCK", 1 << 14)  # many blocks of rows and of clusters
    waits = waits_of(gpu, n, k)
    n_passes, n_searches = sum(map(len, passes)), sum(map(len, searches))
    assert n_searches == (1 if k <= 40 else 5)
    assert sum(waits.values()) <= FIXED + OF_A_SEARCH * n_searches + OF_A_PASS * n_passes, waits


@pytest.mark.parametrize(("k", "limit"), [(8, 37), (32, 36), (96, 346)])
def test_a_clustering_waits_little(k, limit):
    with pretend_gpu() as gpu:
        waits = waits_of(gpu, 100 * k, k)
    assert sum(waits.values()) <= limit, waits


def test_iterations_at_few_clusters_never_wait(gpu):
    x = rows(900).to("cuda")
    sizes = torch.full((9,), 100, device="cuda")
    generator = torch.Generator().manual_seed(0)
    centroids = clustering._seeds(x, sizes, generator)
    prices = torch.zeros(9, device="cuda")
    before = gpu.waits.copy()
    for _ in range(5):
        prices = _balance.update_prices(x @ centroids.T, prices, sizes / 900)
        labels = _balance.best_priced(x, centroids, prices)
        centroids = clustering.unit_means(x, labels, 9)
    assert not gpu.waits - before


@pytest.mark.parametrize("k", [8, 70])  # at once, and in two levels
def test_a_gpu_gives_the_same_clusters_every_time(k, gpu):
    x = rows(7000, 64)
    first, again = (balanced_spherical_kmeans(x.to("cuda"), n_clusters=k) for _ in range(2))
    assert first.labels.device.type == "cuda"
    assert first.labels.equal(again.labels)
    assert first.centroids.equal(again.centroids)
    cpu = balanced_spherical_kmeans(x, n_clusters=k)
    assert first.objective == pytest.approx(cpu.objective, rel=0.01)
    assert first.sizes.tolist() == cpu.sizes.tolist()


def test_autocast_does_not_lower_the_precision_of_a_clustering(gpu):
    x = rows(2000).to("cuda")
    want = balanced_spherical_kmeans(x, n_clusters=10)
    with torch.autocast("cuda", torch.bfloat16):
        found = balanced_spherical_kmeans(x, n_clusters=10)
    assert found.labels.equal(want.labels)
    assert found.centroids.equal(want.centroids)


@pytest.mark.parametrize("k", [8, 70])
def test_no_sum_of_a_clustering_depends_on_the_order_of_threads(k):
    x = rows(2000)
    want = balanced_spherical_kmeans(x, n_clusters=k)
    with pretend_gpu() as gpu:
        for start in (None, want.centroids):
            found = balanced_spherical_kmeans(x.to("cuda"), n_clusters=k, init=start)
            if start is None:
                assert found.labels.tolist() == want.labels.tolist()
                assert found.centroids.tolist() == want.centroids.tolist()
        unit = x.to("cuda")
        cluster_index.interpolated_means(found.centroids, found.labels, unit, 0.9)
        assert not gpu.unordered


def devices_of(monkeypatch):
    """Where classes are clustered from now on, as a set that grows."""
    found, whole = set(), cluster_index.balanced_spherical_kmeans

    def cluster(features, **options):
        found.add(features.device.type if isinstance(features, torch.Tensor) else "cpu")
        return whole(features, **options)

    monkeypatch.setattr(cluster_index, "balanced_spherical_kmeans", cluster)
    return found


def test_an_index_is_clustered_on_a_gpu_as_on_a_cpu(monkeypatch):
    x = torch.nn.functional.normalize(rows(700), dim=1).numpy()
    labels = np.repeat(np.arange(4), [400, 200, 90, 10])
    alone, there = (ClusterIndex.empty(labels, 16, 20) for _ in range(2))
    devices = devices_of(monkeypatch)
    for warm in (False, True):
        alone.refresh(x, seed=1, warm=warm)
    assert devices == {"cpu"}
    with pretend_gpu() as gpu:
        for warm in (False, True):
            there.refresh(x, seed=1, warm=warm, device=torch.device("cuda"))
    assert devices == {"cpu", "cuda"}
    assert not gpu.unordered
    np.testing.assert_array_equal(there.assignment, alone.assignment)
    np.testing.assert_array_equal(there.centroids, alone.centroids)
    assert there.sizes[there.classes < 3].tolist() == [20] * 30 + [23, 23, 22, 22]


def test_a_training_run_clusters_on_its_gpu_the_same_every_time(gpu, tmp_path, monkeypatch):
    devices, indexes = devices_of(monkeypatch), []
    for name in ("first", "again"):
        run = trainer.Trainer(create_run(tmp_path / name, digits("clmle").to_dict()), None, World())
        run.set_up()
        run.refresh()
        run.one_step(run.method, "round 1 of 1")
        run.refresh()
        indexes.append(run.method.index)
    assert devices == {"cuda"}
    first, again = indexes
    np.testing.assert_array_equal(first.assignment, again.assignment)
    np.testing.assert_array_equal(first.centroids, again.centroids)
    for members, low, high in first.parts():
        assert np.ptp(first.sizes[low:high]) <= 1
        assert first.sizes[low:high].sum() == len(members)


def test_every_head_of_a_stack_is_clustered_on_the_gpu(gpu, monkeypatch):
    here, _ = stacked_heads()
    devices = devices_of(monkeypatch)
    there, _ = stacked_heads("cuda")
    assert devices == {"cuda"}
    for a, b in zip(here.heads, there.heads, strict=True):
        assert all(np.ptp(b.index.sizes[low:high]) <= 1 for _, low, high in b.index.parts())
        if isinstance(gpu, PretendGPU):
            np.testing.assert_array_equal(a.index.assignment, b.index.assignment)


def test_the_loss_clusters_where_its_embeddings_lie(gpu, monkeypatch):
    labels = np.repeat([0, 1], [60, 30])
    loss = CLMLELoss(labels, dim=16, cluster_size=10)
    devices = devices_of(monkeypatch)
    loss.to("cuda")(rows(90).to("cuda"), indices=torch.arange(90))
    assert devices == {"cuda"}
    loss.refresh(rows(90))
    assert devices == {"cuda", "cpu"}


def test_a_gpu_without_float64_leaves_the_clusters_to_the_cpu(tmp_path, monkeypatch):
    devices = devices_of(monkeypatch)
    with pretend_gpu("mps"):
        run = trainer.Trainer(create_run(tmp_path, digits("clmle", "mps").to_dict()), None, World())
        run.set_up()
        run.refresh()
    assert devices == {"cpu"}


@pytest.mark.parametrize("given", [False, True])
def test_a_tensor_on_a_device_without_float64_has_clusters_there(given):
    cpu = rows(300)
    options = {"init": cpu[::60]} if given else {"n_clusters": 5}
    with pretend_gpu("mps"):
        options = {name: v.to("mps") if given else v for name, v in options.items()}
        if given:
            options["n_clusters"] = 5
        found = balanced_spherical_kmeans(cpu.to("mps"), **options)
        assert {t.device.type for t in (found.labels, found.centroids, found.sizes)} == {"mps"}
        labels = found.labels.cpu()
    assert torch.bincount(labels).tolist() == [60] * 5
