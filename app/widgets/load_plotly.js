// The server sets no cache time, so that every frame would fetch plotly again. The page around the
// frames keeps it and passes it to the next frame.
{
const address = "ADDRESS", home = window.parent;
document.write('<script src="' + (home.keptPlotly || address) + '"></' + 'script>');
if (!home.keptPlotly && address.startsWith("/")) window.addEventListener("load", () =>
  home.fetch(address, {cache: "force-cache"}).then(answer => answer.blob()).then(blob => {
    home.keptPlotly ||= home.URL.createObjectURL(blob);}).catch(() => {}));
}
