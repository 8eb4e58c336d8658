"""The page What imbalance does: links restore it, frames can be played, lessons are checked."""

from pathlib import Path

from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from tests.app.forms import settled
from tests.app.test_browser import no_traceback, pytestmark  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
# In the page, since the animation does not wait for a test.
PLAY_ONE_FRAME = """button => new Promise(paused => {
  const where = document.getElementById("where");
  new MutationObserver((_, observer) => {
    observer.disconnect(); button.click(); paused();
  }).observe(where, {childList: true});
  button.click();
})"""
MARK = """body => {
  window.mark = 1;
  new MutationObserver(() => { window.played = timer !== null; })
    .observe(body, {attributeFilter: ["data-of"]});
}"""


def page(**address):
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app = app.switch_page("views/imbalance.py")
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def sliders_of(app):
    return {slider.label: slider.value for slider in app.select_slider}


def test_a_link_restores_sliders_and_methods():
    app = page(
        ratio="40", modes="5", noise="0.2", clusters="4", classifier="linear",
        method=["softmax", "lmle"],
    )  # fmt: skip
    assert not app.exception
    assert not app.error
    assert sliders_of(app) == {
        "Ratio": 40, "Noise": 0.2, "Modes of each class": 5, "Clusters of each class": 4,
    }  # fmt: skip
    assert app.selectbox[0].value == "linear"
    assert app.multiselect[0].value == ["softmax", "lmle"]


def test_the_address_follows_the_sliders():
    app = page()
    app.select_slider[0].set_value(10).run()
    assert app.query_params["ratio"] == "10"
    assert app.query_params["method"][0] == "softmax"


def test_a_value_in_a_link_that_no_slider_has_is_named():
    app = page(ratio="17")
    assert "ratio '17'" in app.error[0].value
    assert not app.exception


def test_a_lesson_sets_its_sliders():
    app = page(lesson="controls", noise="0.5", clusters="4")
    assert sliders_of(app)["Noise"] == 0.5
    next(b for b in app.button if b.label.startswith("Start")).click().run()
    assert sliders_of(app)["Noise"] == 0.3
    assert sliders_of(app)["Clusters of each class"] == 12
    assert app.multiselect[0].value == ["clmle", "clmle, untrained"]
    assert not app.exception


def played(frame):
    """Waits until training has been played from the random network to its end."""
    expect(frame.locator("#where")).to_have_text("step 200 of 200")
    frame.locator("body").evaluate(
        "() => new Promise(drawn => { const look = () => "
        "drawing || timer ? requestAnimationFrame(look) : drawn(); look(); })"
    )


def softmax_played(server, browser):
    """The page and its viewer, in which the training of softmax has been played."""
    tab = browser.new_page(viewport={"width": 1440, "height": 900})
    tab.goto(f"{server}/imbalance?ratio=1&modes=1&method=softmax&train=on")
    frame = tab.frame_locator("iframe").first
    frame.locator("body[data-ready=yes]").wait_for(state="attached")
    played(frame)
    return tab, frame


def test_train_play_select_and_complete_a_lesson_step(server, browser):
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    tab.goto(f"{server}/imbalance?ratio=1&modes=1&method=softmax&method=clmle&lesson=break-softmax")
    settled(tab)
    tab.get_by_role("button", name="Train").click()
    frame = tab.frame_locator("iframe").first
    frame.locator("body[data-ready=yes]").wait_for(state="attached")
    assert "CLMLE" in frame.locator("#status").inner_text()
    played(frame)
    frame.get_by_role("button", name="One frame back").click()
    assert frame.locator("#where").inner_text() == "step 195 of 200"
    frame.locator("#scrub").fill("3")
    assert frame.locator("#where").inner_text() == "step 15 of 200"
    frame.get_by_role("button", name="Play").evaluate(PLAY_ONE_FRAME)
    expect(frame.get_by_role("button", name="Play")).to_be_visible()
    assert frame.locator("#where").inner_text() == "step 20 of 200"
    frame.locator("#scrub").fill("5")
    tab.wait_for_url("**frame=5**")  # a link restores what is seen
    with tab.expect_download() as saved:
        frame.get_by_role("button", name="Frame as PNG").click()
    assert saved.value.path().read_bytes().startswith(b"\x89PNG")
    tab.get_by_text("On balanced data softmax treats both classes alike.", exact=True).wait_for()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert frame.locator("html").evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    # The frame stays: another value of a slider only passes it other trajectories.
    assert tab.locator("iframe").evaluate("e => getComputedStyle(e).colorScheme") == "normal"
    frame.locator("body").evaluate(MARK)
    before = frame.locator("body").get_attribute("data-of")
    tab.get_by_role("slider", name="Ratio").focus()
    tab.keyboard.press("ArrowRight")
    other = frame.locator(f"body[data-ready=yes]:not([data-of='{before}'])")
    other.wait_for(state="attached")
    assert other.evaluate("() => [window.mark, window.played]") == [1, True]
    assert "minority recall" in frame.locator(".annotation-text").first.text_content()
    assert tab.locator("iframe").bounding_box()["height"] > 400
    assert "frame=" not in tab.url  # it belongs to other trajectories
    tab.goto(f"{tab.url}&frame=7&point=2")
    frame.locator("body[data-ready=yes]").wait_for(state="attached")
    assert frame.locator("#where").inner_text() == "step 35 of 200"
    assert frame.locator("#status").inner_text().startswith("Point 2 ")
    no_traceback(tab)


def test_a_slider_that_is_touched_stops_the_animation(server, browser):
    tab, frame = softmax_played(server, browser)
    # As while it plays, but without an end.
    frame.locator("body").evaluate(
        "() => { timer = setTimeout(() => {}, 1e9); $('play').textContent = 'Pause'; }"
    )
    tab.get_by_role("heading", name="What imbalance does").click()
    tab.keyboard.press("Shift")
    assert frame.locator("#play").inner_text() == "Pause"
    tab.get_by_role("slider", name="Ratio").focus()
    tab.keyboard.press("Shift")
    assert frame.locator("#play").inner_text() == "Play"
    no_traceback(tab)


def test_a_drawing_that_never_ends_does_not_hold_up_later_trajectories(server, browser):
    tab, frame = softmax_played(server, browser)
    before = frame.locator("body").get_attribute("data-of")
    frame.locator("body").evaluate(
        "() => { const animate = Plotly.animate; Plotly.animate = () => {"
        " Plotly.animate = animate; return new Promise(() => {}); }; show(2); }"
    )
    tab.get_by_role("slider", name="Ratio").focus()
    tab.keyboard.press("ArrowRight")
    other = f"body[data-ready=yes]:not([data-of='{before}'])"
    frame.locator(other).wait_for(state="attached")
    played(frame)
    shown, last = frame.locator("body").evaluate(
        "() => [plot.layout, frames[last].layout].map(of => of.annotations[0].text)"
    )
    assert shown == last
    no_traceback(tab)


def test_on_a_phone_the_sliders_stay_above_the_panels(server, browser):
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    tab.goto(f"{server}/imbalance?ratio=1&modes=1&method=softmax&lesson=break-softmax&train=on")
    frame = tab.frame_locator("iframe").first
    frame.locator("body[data-ready=yes]").wait_for(state="attached", timeout=600_000)
    step = tab.locator(".st-key-playground-step")
    step.get_by_text("Step 2 of 3").wait_for(timeout=600_000)
    settled(tab)
    tab.get_by_role("heading", name="What imbalance does").scroll_into_view_if_needed()
    tab.locator("iframe").evaluate("frame => frame.scrollIntoView({block: 'end'})")
    slider, panels = tab.get_by_role("slider", name="Ratio"), tab.locator("iframe")
    top, low = step.bounding_box()["y"], slider.bounding_box()["y"]
    assert 0 <= top < low < 400
    assert panels.bounding_box()["y"] + panels.bounding_box()["height"] <= 850  # its end is seen


def test_all_chosen_methods_are_visible(server, browser):
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    tab.goto(f"{server}/imbalance")
    chosen = tab.get_by_test_id("stMultiSelectTagsContainer")
    chosen.locator("[data-tag]").nth(4).wait_for()
    settled(tab)
    assert chosen.evaluate("box => box.scrollWidth - box.clientWidth") <= 0


def test_neighbors_in_the_browser_match_the_package(server, browser):
    from clmle.playground import PlaygroundProblem, train_trajectory

    problem = PlaygroundProblem(ratio=40, modes=2, noise=0.3)
    trajectory = train_trajectory(problem, "softmax")
    tab = browser.new_page(viewport={"width": 1440, "height": 900})
    tab.goto(f"{server}/imbalance?ratio=40&modes=2&noise=0.3&method=softmax&train=on")
    frame = tab.frame_locator("iframe").first
    frame.locator("body[data-ready=yes]").wait_for(state="attached")
    played(frame)
    drawn = frame.locator("body").evaluate(
        "() => [plot.data, frames[last].data].map(d => d.map(t => array(t.x).length))"
    )
    assert drawn[0][: len(drawn[1]) - 1] == drawn[1][:-1]  # the last frame is drawn
    for row in (3, 485):
        shown = frame.locator("body").evaluate(
            f"() => {{select({row}); return neighborsOf(7,0,{row})}}"
        )
        assert shown == trajectory.frames[7].neighbors[row].tolist()
        other = trajectory.labels[shown] != trajectory.labels[row]
        lines = frame.locator("body").evaluate(
            "() => [0,1].map(j => traceOf(7,0,meta.lines+j).x.length / 3)"
        )
        assert lines == [other.sum(), (~other).sum()]
    no_traceback(tab)


def test_clusters_can_be_chosen_where_a_method_uses_them():
    def clusters(app):
        (found,) = [s for s in app.select_slider if s.label == "Clusters of each class"]
        return found

    assert clusters(page(method=["softmax", "clmle, one cluster"])).disabled
    assert not clusters(page(method=["softmax", "clmle"])).disabled
