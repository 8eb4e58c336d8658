"""Data sets by name that are not here: one sentence says what to do."""

import pytest

from clmle import InputError
from clmle.data import dataset_info, load_dataset


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "lfw", "olivetti"])
def test_without_files_and_network_one_sentence_says_what_to_do(tmp_path, monkeypatch, name):
    import urllib.request

    def offline(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    for module in ("sklearn.datasets._base", "sklearn.datasets._lfw"):
        monkeypatch.setattr(f"{module}.urlretrieve", offline, raising=False)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "sk"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert dataset_info(name).needs_download
    assert not dataset_info(name).is_ready("quick", 32)
    with pytest.raises(InputError, match=f"(?i){name} is not (in|on)") as error:
        load_dataset(name)
    assert "\n" not in str(error.value)
