"""Data sets, found by name or by the path of a file or folder."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.data.base import SPLITS, TEST, TRAIN, UNKNOWN, VALIDATION, Dataset, Task, describe
    from clmle.data.bridges import from_huggingface, from_torchvision
    from clmle.data.celeba import celeba_attributes, is_celeba, load_celeba
    from clmle.data.cifar import load_cifar
    from clmle.data.co_occurrence import co_occurrence
    from clmle.data.digits import load_digits
    from clmle.data.folder import load_folder
    from clmle.data.group_columns import group_column, group_names, table_group_names
    from clmle.data.imbalance import imbalance, imbalanced_counts
    from clmle.data.lfwa import is_lfwa, lfwa_attributes, load_lfwa
    from clmle.data.long_tail import index_checksum, long_tail_counts, long_tail_indices
    from clmle.data.multilabel import MultiTask, multi_task
    from clmle.data.npz import load_npz
    from clmle.data.parquet import load_parquet
    from clmle.data.pixels import read_pixels
    from clmle.data.recognition import (
        OpenSetData,
        is_recordio,
        load_bin,
        load_identities,
        load_recordio,
        looks_like_identities,
    )
    from clmle.data.recognition.open_set import load_open_set
    from clmle.data.registry import (
        DatasetInfo,
        RenderState,
        dataset_info,
        dataset_names,
        find_dataset,
        load_dataset,
        register_dataset,
        registered_datasets,
    )
    from clmle.data.solar_cells import load_solar_cells
    from clmle.data.toonfaces.build import load_toonfaces
    from clmle.data.toonfaces.identities import load_toonfaces_identities

load_lazily(__name__)
