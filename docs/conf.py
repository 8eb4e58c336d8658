"""Configuration of the site: make docs."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

import clmle  # noqa: E402

project = "clmle"
author = "the authors of clmle"
release = clmle.__version__
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "autogen",
    "references",
]
exclude_patterns = ["_theme", "_ext", "_includes", "lessons/index.md"]

# Links to headings as GitHub makes them: page.md#heading-in-lower-case.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
smartquotes = False
suppress_warnings = ["myst.header"]  # generated pages may skip a level of headings

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 88
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_use_ivar = True

# Every reference must lead somewhere. Types of other packages have no page here.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(argparse|collections|numpy|os|pandas|pathlib|plotly|subprocess|torch|typing)\..*"),
    ("py:class", r"clmle\..*\.[A-Z]"),
]

html_theme = "furo"
html_title = "clmle"
html_static_path = ["_theme"]
html_extra_path = ["playground.html"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_theme_options = {"navigation_with_keys": True}
# Prompts and output are not copied.
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
