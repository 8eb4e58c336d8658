"""Data sets in forms that are not read: what was recognized, and how to convert it."""

import re
from dataclasses import dataclass
from pathlib import Path

from clmle.data.folder.scan import Scan

CLASSES = "put the images of each class into a separate sub-folder, or write a table of labels"
UNPACK = "unpack it and give the folder of the images"


@dataclass(frozen=True)
class Form:
    """A form by patterns of paths, all of which must be found; ``sure`` forms have no other use."""

    patterns: tuple[str, ...]
    title: str
    advice: str
    sure: bool = False


FORMS = (
    Form((r"(^|/)annotations/(instances|person_keypoints|captions|panoptic)\w*\.json$",),
         "COCO's annotations of objects, several in an image", CLASSES, True),
    Form((r"(^|/)annotations?/.*\.xml$", r"(^|/)jpegimages/"),
         "Pascal VOC's annotations of objects, several in an image", CLASSES, True),
    Form((r"(^|/)images/", r"(^|/)labels/.*\.txt$"),
         "YOLO's annotations of objects, several in an image", CLASSES, True),
    Form((r"(^|/)image_class_labels\.txt$", r"(^|/)images\.txt$"),
         "CUB-200-2011 with its lists", "give its folder images, which has a folder for each class",
         True),
    Form((r"(^|/)annotations/(list|trainval)\.txt$", r"(^|/)trimaps/"),
         "Oxford-IIIT Pets with classes in the names of the files",
         "write a table with the columns file and label from annotations/list.txt", True),
    Form((r"(^|/)bounding_box_train/", r"(^|/)query/"),
         "Market-1501 with identities in the names of the files",
         "put the images of each identity into a separate sub-folder", True),
    Form((r"(^|/)imagelabels\.mat$",), "Oxford Flowers-102 with labels for MATLAB",
         "read them with scipy.io.loadmat and write a table with the columns file and label", True),
    Form((r"(^|/)cars_(train_)?annos\.mat$",), "Stanford Cars with labels for MATLAB",
         "read them with scipy.io.loadmat and write a table with the columns file and label", True),
    Form((r"(^|/)(cat|dog)\.\d+\.jpg$",), "Dogs vs. Cats with classes in the names of the files",
         "move cat.*.jpg and dog.*.jpg into a folder for each class"),
    Form((r"(^|/)\d{1,3}_[01]_[0-4]_\d{8,17}\.jpg",),
         "UTKFace with age, gender and race in the names of the files",
         "write a table with the columns file, age, gender and race"),
    Form((r"idx[13]-ubyte",), "the IDX files of MNIST",
         "write its images to a folder for each class, with torchvision.datasets.MNIST"),
    Form((r"_32x32\.mat$",), "SVHN for MATLAB",
         "write its images to a folder for each class, with torchvision.datasets.SVHN"),
    Form((r"(fer2013|icml_face_data)\.csv$",), "FER2013 with pixels in a table",
         "write each row as a 48 x 48 image to a folder for each emotion"),
    Form((r"(^|/)img_align_celeba/",), "CelebA's photographs without list_attr_celeba.txt",
         "put that file into the folder"),
    Form((r"\.tfrecords?(-|$)",), "TensorFlow records", "write their images to a folder"),
    Form((r"(^|/)data\.mdb$",), "an LMDB database", "write its images to a folder"),
    Form((r"(^|/)data_batch_\d\.bin$",), "the binary version of CIFAR", "get its Python version"),
    Form((r"(^|/)train_x\.bin$",), "the binary files of STL-10",
         "write its images to a folder for each class, with torchvision.datasets.STL10"),
    Form((r"\.(pkl|pickle|pt|pth)$",), "pickled Python objects, which can execute code",
         "save images and labels as .npz (numpy.savez)"),
    Form((r"\.(h5|hdf5)$",), "an HDF5 file", "write its images to a folder"),
    Form((r"\.(dcm|dicom)$",), "DICOM images", f"convert them to 16-bit PNG and {CLASSES}"),
    Form((r"\.arrow$",), "a data set of the library datasets",
         "give it to clmle.data.from_huggingface(datasets.load_from_disk(...))"),
    Form((r"(^|/)data_batch_1$|(^|/)(train|test)$",), "CIFAR's batches", "give their folder"),
    Form((r"(^|/)[^/]*\d{3,}[^/]*\.tar$",), "WebDataset shards", "unpack them into a folder"),
    Form((r"\.(zip|tar|tgz|tar\.\w+|7z|rar)$",), "an archive", UNPACK),
    Form((r"\.(heic|heif|avif|jp2|j2k|jxl|nef|cr2|cr3|arw|dng)$",),
         "images of a format that is not decoded", "convert them to PNG or JPEG"),
    Form((r"\.(xlsx?|ods)$",), "a spreadsheet", "save it as CSV and name it with --labels"),
    Form((r"\.(csv|tsv)$",), "a table",
         "give the folder of the images, and the table with --labels (labels=)"),
    Form((r"\.mat$",), "files for MATLAB",
         "write the images to a folder for each class, or a table of labels"),
    Form((r"\.np[yz]$",), "NumPy arrays", "give the path of the .npz file itself"),
    Form((r"\.parquet$",), "Parquet files", "give the path of one, or a folder of nothing else"),
    Form((r"\.jsonl?$",), "labels in JSON", "write a table with the columns file and label"),
)  # fmt: skip


def recognized_form(found: Scan, sure: bool) -> str:
    """What a folder contains that is not read, and how to convert it; empty if unknown."""
    images = found.images
    if sure:  # patterns of sure forms name folders of images, which are few
        images = sorted({name[: name.rfind("/") + 1] for name in images})
    names = [n.lower() for files in (images, *found.skipped.values()) for n in files]
    for form in FORMS:
        if form.sure == sure and all(
            any(re.search(pattern, name) for name in names) for pattern in form.patterns
        ):
            return f"it looks like {form.title}, which is not read; {form.advice}"
    return ""


def form_of_file(file: Path) -> str:
    """The same for the path of a single file."""
    return recognized_form(Scan([], {"": [file.name]}), sure=False)
