"""The guide to a study: its file is found in the catalog and defines valid trials."""

import re
from pathlib import Path

from clmle.studies import catalog
from clmle.studies.trials import study_trials
from clmle.studies.validation import check_trials

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "own-study.md"


def test_a_new_file_of_the_catalog_adds_its_study(tmp_path, monkeypatch):
    code = re.search(r"^```python\n(.*?)^```$", GUIDE.read_text("utf-8"), re.S | re.M).group(1)
    (tmp_path / "scale_of_the_guide.py").write_text(code)
    monkeypatch.setattr(catalog, "__path__", [*catalog.__path__, str(tmp_path)])
    found = catalog.find_studies()
    assert list(found)[:-1] == list(catalog.STUDIES)
    trials = study_trials(found["scale"], preset="quick")
    assert len(trials) == 6
    check_trials(trials)
