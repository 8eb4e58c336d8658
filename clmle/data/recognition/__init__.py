"""Faces to recognize, in the files that people have: training identities, pairs, features."""

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

__all__ = [
    "ImageList",
    "OpenSetData",
    "Pairs",
    "Templates",
    "align",
    "detector",
    "find_landmarks",
    "is_recordio",
    "load_bin",
    "load_identities",
    "load_lfw",
    "load_recordio",
    "load_youtube_faces",
    "looks_like_identities",
    "read_features",
    "read_landmarks",
    "read_list",
    "read_matrix",
    "read_noisy",
    "read_pairs",
    "read_templates",
    "reference_points",
    "similarity_transform",
    "without_noisy",
    "write_matrix",
]
