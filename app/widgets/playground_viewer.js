// The frame stays on the page; every rerun passes it the trajectories to show.
export default function({parentElement, data}) {
  const frame = parentElement.querySelector("iframe");
  const pass = () => frame.contentWindow.take && frame.contentWindow.take(data);
  frame.onload = pass;
  pass();
}
