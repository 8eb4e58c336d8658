"""The page Data: ready data first, folders with progress, links."""

from PIL import Image

from tests.app.pages import linked, page


def test_data_page_opens_with_data_that_need_no_preparation(tmp_path, monkeypatch):
    monkeypatch.setenv("CLMLE_CACHE", str(tmp_path))  # nothing has been rendered
    app = page("data").run()
    assert not app.exception
    assert app.selectbox[0].value == "digits"
    assert any(s.value == "Class counts" for s in app.subheader)


def test_data_page_names_a_wrong_folder():
    app = page("data").run()
    app.selectbox[0].set_value("my own data").run()
    app.text_input[0].set_value("/no/such/place").run()
    assert "/no/such/place" in app.error[0].value
    assert not app.exception


def test_data_page_reads_celeba_with_progress_and_its_link_restores_it(tmp_path, monkeypatch):
    monkeypatch.setenv("CLMLE_CACHE", str(tmp_path / "cache"))
    home = tmp_path / "CelebA"
    (home / "img_align_celeba").mkdir(parents=True)
    names = [f"{i + 1:06d}.jpg" for i in range(30)]
    for i, name in enumerate(names):
        Image.new("RGB", (178, 218), (8 * i, 0, 0)).save(home / "img_align_celeba" / name)
    rows = [f"{name} {1 if i % 3 else -1}" for i, name in enumerate(names)]
    (home / "list_attr_celeba.txt").write_text("\n".join(["30", "Bald", *rows]) + "\n")
    parts = [f"{name} {0 if i < 20 else 2}" for i, name in enumerate(names)]
    (home / "list_eval_partition.txt").write_text("\n".join(parts) + "\n")
    reported = []
    monkeypatch.setattr("streamlit.progress", lambda v, text: reported.append((v, text)))
    app = page("data").run()
    reported.clear()  # of the data that the page opens with
    app.selectbox[0].set_value("my own data").run()
    app.text_input[0].set_value(str(home)).run()
    assert not app.exception
    assert not app.error
    assert [text for _, text in reported[:2]] == ["Starting: images read", "0 of 30 images read"]
    assert reported[-1][0] == 1.0
    again = page("data")
    again.query_params["folder"] = str(home)
    again.run()
    assert not again.exception
    assert again.text_input[0].value == str(home)
    # The server holds the data: a reload shows them again, without a question and without reading.
    assert any("Bald" in box.options for box in again.selectbox)
    # Read again, the decoded images come from the cache.
    next(b for b in again.button if b.label == "Read again").click().run()
    assert not again.exception
    assert not again.error
    assert reported[-1][1] == "Starting: images read"


def test_a_link_restores_the_page_data():
    app = linked("data", {"set": "digits", "split": "test", "imbalance": "step", "ratio": "50"})
    assert [s.value for s in app.selectbox][:2] == ["digits", "label"]
    assert next(s for s in app.selectbox if s.label == "Split").value == "test"
    assert app.select_slider[0].value == 50
    assert not app.select_slider[0].disabled
    next(b for b in app.button_group if b.label == "Thin the classes").set_value("none").run()
    assert app.select_slider[0].disabled  # it would have no effect
