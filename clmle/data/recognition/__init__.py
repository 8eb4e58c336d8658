"""Faces to recognize, in the files that people have: training identities, pairs, features."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.data.recognition.align import align, reference_points, similarity_transform
    from clmle.data.recognition.identities import load_identities, looks_like_identities
    from clmle.data.recognition.ijb import Templates, read_templates
    from clmle.data.recognition.insightface import is_recordio, load_recordio
    from clmle.data.recognition.landmarks import detector, find_landmarks, read_landmarks
    from clmle.data.recognition.megaface import (
        ImageList,
        read_features,
        read_list,
        read_matrix,
        read_noisy,
        without_noisy,
        write_matrix,
    )
    from clmle.data.recognition.pairs import OpenSetData, Pairs, load_lfw, read_pairs
    from clmle.data.recognition.verification_bin import load_bin
    from clmle.data.recognition.youtube import load_youtube_faces

load_lazily(__name__)
