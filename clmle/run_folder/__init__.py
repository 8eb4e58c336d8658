"""The run folder, through which command line, app and notebooks share a run.

``config.json``              the configuration, written first
``data.json``                class names and fingerprints of the data, written at the first start
``status.json``              state, step, time left; replaced during the run
``metrics.jsonl``            one JSON object per line, appended
``checkpoint.safetensors``   the complete state, for an exact resume
``model.safetensors``        the best weights on validation data
``embeddings/round_00.npz``  features of the same sample of images after every round
``clusters.npz``             the clusters of the classifier
``result.json``              test metrics; exists once the run is done
``log.json``                 the trackers to which the run is logged, if any
``tensorboard/``             event files, with ``--log tensorboard``
``job``                      the torchrun job that trains it, if any
``stop``                     its existence asks the run to stop
``annotation.json``          name, tags and note that its reader gave it; optional
"""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.run_folder.annotation import Annotation
    from clmle.run_folder.creation import create_run
    from clmle.run_folder.folder import ACTIVE, STATES, ReadOnlyRunFolder, RunFolder
    from clmle.run_folder.listing import list_runs, old_runs_sentence, open_run
    from clmle.run_folder.summary import run_summary

load_lazily(__name__)
