"""The collection facial_expressions: expressions and identities of its file names."""

from PIL import Image

from clmle.data import dataset_info, load_dataset
from tests.data.made_images import pictures


def test_facial_expressions_have_expressions_and_identities_of_the_file_names(tmp_path):
    """Some rows of the published legend are separated by tabs, some expressions are adjectives."""
    rows = []
    (tmp_path / "images").mkdir()
    (tmp_path / "data").mkdir()
    people = ("Aaron_Guiel_", "Bob_", "Ann-Lee_Van_der_", "Trump", "Obama", "Zoe_", "Kim", "Max_")
    for i, name in enumerate(people):
        for k in range(1, 6):
            file = f"{name}{k:04d}.jpg"
            Image.fromarray(pictures(1, 20, seed=10 * i + k)[0]).save(tmp_path / "images" / file)
            word = ("neutral", "HAPPINESS", "angry")[k % 3]
            rows.append(("\t" if i > 3 else ",").join(["302", file, word]))
    text = "user.id,image,emotion\n" + "\n".join([*rows, "1,missing_0001.jpg,fear"]) + "\n"
    (tmp_path / "data" / "legend.csv").write_text(text)
    assert dataset_info(str(tmp_path)).name == "facial_expressions"
    dataset = load_dataset(str(tmp_path))
    assert dataset.class_names["expression"] == ("anger", "happiness", "neutral")
    assert dataset.class_names["identity"] == (
        "Aaron_Guiel", "Ann-Lee_Van_der", "Bob", "Kim", "Max", "Obama", "Trump", "Zoe",
    )  # fmt: skip
    for c in range(8):
        assert len(set(dataset.split[dataset.labels["identity"] == c])) == 1
    assert any("1 of the 41" in text for text in dataset.warnings)
    known = load_dataset(str(tmp_path), identities=True)
    assert (known.task("identity").class_counts() >= 3).all()
