"""Pages of the app without a browser, as a link opens them."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]


def page(name):
    """The app, opened at one of its pages."""
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    return app.switch_page(f"views/{name}.py")


def linked(name, query):
    """The page as a link with this query opens it."""
    app = page(name)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app
