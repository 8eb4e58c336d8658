"""The studies of this project, by name.

Every module of this package has a tuple ``STUDIES``; a new file with one adds its studies to the
command line, the app and the results pages.
"""

from importlib import import_module
from pkgutil import iter_modules

from clmle.errors import InputError
from clmle.studies.spec import Study

ORDER = ("comparisons", "preregistered", "tuning", "ablations", "sweeps")  # then by name


def find_studies() -> dict[str, Study]:
    """The studies of every module of this package, by name."""
    names = sorted(m.name for m in iter_modules(__path__))
    names.sort(key=lambda n: ORDER.index(n) if n in ORDER else len(ORDER))
    modules = (import_module(f"{__name__}.{name}") for name in names)
    return {study.name: study for module in modules for study in module.STUDIES}


STUDIES: dict[str, Study] = find_studies()


def get_study(name: str) -> Study:
    """Return a study by its name."""
    if name not in STUDIES:
        raise InputError(f"There is no study {name!r}; choose one of: {', '.join(STUDIES)}.")
    return STUDIES[name]
