// The camera of plotly's toolbar reads its format when it is pressed, so both formats can be saved
// from the figure as it is shown, with zoom and hidden series.
export default function({parentElement, data}) {
  const status = parentElement.querySelector("span");
  parentElement.querySelectorAll("button").forEach(button => { button.onclick = () => {
    const plot = document.querySelector(".st-key-figure-" + data.name + " .js-plotly-plot");
    const camera = plot && plot.querySelector('[data-title^="Download plot"]');
    if (!camera) { status.textContent = "The figure is not drawn yet."; return; }
    const before = plot._context.toImageButtonOptions;
    plot._context.toImageButtonOptions =
      {...before, format: button.dataset.format, filename: data.name, scale: 2};
    camera.click();
    plot._context.toImageButtonOptions = before;
    status.textContent = "Saved as " + data.name + "." + button.dataset.format;
  };});
}
