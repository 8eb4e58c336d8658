"""What goes into the wheel besides the package; all else is in pyproject.toml.

The folder app/ becomes clmle/_app/app, and the stored results that its pages show stay at the same
place next to it.
"""

from setuptools import find_packages, setup

APP = "clmle._app.app"  # streamlit run app/main.py needs app/ at the top of the repository
RESULTS = "clmle._app.docs.results"

setup(
    packages=[*find_packages(include=["clmle", "clmle.*"]), APP, f"{APP}.widgets", RESULTS],
    package_dir={APP: "app", RESULTS: "docs/results"},
    package_data={
        "clmle": ["py.typed", "**/*.csv", "**/*.json", "**/*.toml", "playground/browser/*"],
        APP: ["*.html", "*.png", ".streamlit/*.toml", "views/*"],
        f"{APP}.widgets": ["*.css", "*.html", "*.js"],
        RESULTS: ["*.jsonl"],
    },
)
