// Draws a figure with plotly.js. When another figure comes, the chart that is there is changed (`Plotly.react`) and not
// made anew: it keeps what the person has zoomed, turned and hidden, and follows a slider without a flicker.
import { keepDrawn } from "./line.js";

const HEIGHT = 450; // plotly's own, where a figure does not say
const FILM_HEIGHT = 48; // of what plays it, as in chart.css
const FRAME_MS = 90;
const UNUSED = ["select2d", "lasso2d", "autoScale2d", "tableRotation", "resetCameraLastSave3d"];
const CORNERS = {
  width: 24, height: 24, path: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
};
let fetching = null;

export default async function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".chart");
  root.press = (point) => setTriggerValue("press", point);
  const leave = await keepDrawn(root, data, (text) => {
    const style = styleOf(root);
    const wanted = text + JSON.stringify(style);
    if (root.wanted === wanted) return;
    root.wanted = wanted;
    return show(root, JSON.parse(text), style, () => root.wanted === wanted);
  });
  return () => {
    leave();
    root.film?.pause();
    root.observer?.disconnect();
    window.Plotly?.purge(root);
  };
}

async function show(root, { figure, name, library, words, tools, still, press }, style, isLatest) {
  const layout = figure.layout;
  root.setAttribute("aria-label", name);
  const names = layout.meta?.frames;
  root.style.minHeight = `${(layout.height ?? HEIGHT) + (names ? FILM_HEIGHT : 0)}px`; // nothing below it moves when the chart comes
  let plotly;
  try {
    plotly = await (fetching ??= fetched(library));
  } catch {
    fetching = null; // the next figure tries again
    root.wanted = "";
    root.textContent = words.missing;
    return;
  }
  if (!isLatest()) return;
  layout.template = template(style);
  layout.uirevision ??= "kept";
  root.height = layout.height ?? HEIGHT;
  root.below = names ? FILM_HEIGHT : 0;
  if (document.fullscreenElement === root) layout.height = window.innerHeight - root.below;
  const said = JSON.stringify(words);
  if (root.said !== said) { // another language: plotly makes the chart anew for other options
    root.said = said;
    root.options = options(plotly, root, words, tools, still);
  }
  if (!root.observer) {
    root.textContent = "";
    follow(plotly, root);
  }
  root.film?.pause();
  await plotly.react(root, { ...figure, config: root.options });
  if (names) (root.film ??= player(plotly, root)).begin(names, words);
  else if (root.film) root.film = root.film.end();
  if (press) hear(root);
}

// The library is fetched once for all charts of a tab.
function fetched(name) {
  return new Promise((done, failed) => {
    const element = document.createElement("script");
    element.src = new URL(`../${name}`, import.meta.url);
    element.onload = () => done(window.Plotly);
    element.onerror = failed;
    document.head.append(element);
  });
}

function options(plotly, root, words, tools, still) {
  const full = {
    name: "full", title: words.full, icon: CORNERS,
    click: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()),
  };
  plotly.register({ moduleType: "locale", name: "atlas", dictionary: words, format: {} });
  return {
    locale: "atlas", displaylogo: false, staticPlot: still, displayModeBar: tools ? "hover" : false,
    modeBarButtonsToRemove: UNUSED, modeBarButtonsToAdd: document.fullscreenEnabled ? [full] : [],
  };
}

// The chart is as wide as its place and as high as it says, and on the whole screen as large as that.
function follow(plotly, root) {
  let width = root.clientWidth;
  const fit = () => {
    if (!root.clientWidth || !root.layout) return; // hidden, or not drawn yet
    width = root.clientWidth;
    const full = document.fullscreenElement === root;
    plotly.relayout(root, { width, height: full ? window.innerHeight - root.below : root.height });
  };
  root.observer = new ResizeObserver(() => root.clientWidth !== width && fit());
  root.observer.observe(root);
  root.addEventListener("fullscreenchange", fit);
}

// Below a film: play and pause, one back, one on, and a slider; `frames` are what its pictures are called.
function player(plotly, root) {
  const bar = document.createElement("div");
  bar.className = "film";
  const buttons = [1, 2, 3].map(() => bar.appendChild(document.createElement("button")));
  const [play, back, on] = buttons;
  const place = bar.appendChild(document.createElement("input"));
  const told = bar.appendChild(document.createElement("output"));
  for (const button of buttons) button.type = "button";
  place.type = "range";
  root.append(bar);
  let frames = [], words = {}, timer = null;

  const show = (k) => {
    place.value = k;
    told.textContent = frames[k];
    place.setAttribute("aria-valuetext", frames[k]);
    const atOnce = { mode: "immediate", frame: { duration: 0, redraw: true }, transition: { duration: 0 } };
    return plotly.animate(root, [String(k)], atOnce).catch(() => {}); // another picture was asked for meanwhile
  };
  const say = () => {
    play.textContent = timer === null ? "▶" : "❚❚";
    play.title = play.ariaLabel = timer === null ? words.play : words.pause;
  };
  const pause = () => {
    clearTimeout(timer);
    timer = null;
    say();
  };
  const next = async () => {
    const mine = timer, due = performance.now() + FRAME_MS;
    await show(Number(place.value) + 1);
    if (timer !== mine) return; // paused meanwhile, and perhaps played again
    if (Number(place.value) >= frames.length - 1) return pause();
    timer = setTimeout(next, Math.max(0, due - performance.now()));
  };
  const again = async () => {
    const mine = timer;
    await show(0);
    if (timer === mine) timer = setTimeout(next, FRAME_MS);
  };
  const step = (by) => {
    pause();
    show(Math.min(Math.max(Number(place.value) + by, 0), frames.length - 1));
  };
  play.onclick = () => {
    if (timer !== null) return pause();
    const ended = Number(place.value) >= frames.length - 1;
    timer = setTimeout(ended ? again : next);
    say();
  };
  back.onclick = () => step(-1);
  on.onclick = () => step(1);
  place.oninput = () => step(0);

  const begin = (names, said) => {
    frames = names;
    words = said;
    place.min = 0;
    place.max = frames.length - 1;
    place.value = 0;
    told.textContent = frames[0];
    told.style.minWidth = `${Math.max(...frames.map((name) => name.length))}ch`; // the slider keeps its length
    place.ariaLabel = words.frame;
    place.setAttribute("aria-valuetext", frames[0]);
    [back.textContent, on.textContent] = ["◂", "▸"];
    back.title = back.ariaLabel = words.back;
    on.title = on.ariaLabel = words.on;
    pause();
  };
  return { begin, pause, end: () => bar.remove() };
}

// A press in the first panel is told by where the pointer is; whatever lies there only has to be a trace.
function hear(root) {
  root.removeAllListeners("plotly_click");
  root.on("plotly_click", ({ points: [{ xaxis, yaxis }], event }) => {
    if (xaxis?._id !== "x") return;
    const panel = root.querySelector(".nsewdrag[data-subplot=xy]").getBoundingClientRect();
    const { clientX, clientY } = event.changedTouches?.[0] ?? event;
    root.press({ x: xaxis.p2d(clientX - panel.left), y: yaxis.p2d(clientY - panel.top) });
  });
}

// What Streamlit's theme says, light or dark.
function styleOf(root) {
  const computed = getComputedStyle(root);
  const of = (name) => computed.getPropertyValue(`--st-${name}`).trim();
  return {
    font: of("font"), text: of("text-color"), heading: of("heading-color"), ground: of("background-color"),
    line: of("border-color"), faint: of("border-color-light"),
    colours: of("chart-categorical-colors").split(","), scale: of("chart-sequential-colors").split(","),
  };
}

function template({ font, text, heading, ground, line, faint, colours, scale }) {
  const small = { color: text, size: 12 };
  const axis = {
    automargin: true, gridcolor: faint, zerolinecolor: faint, tickcolor: faint, tickfont: small,
    title: { font: { color: text, size: 14 }, standoff: 16 },
  };
  const sides = { gridcolor: line, zerolinecolor: line, color: text };
  return {
    data: { scatter: [{ marker: { line: { width: 0 } } }] },
    layout: {
      font: { family: font, ...small }, colorway: colours, paper_bgcolor: ground, plot_bgcolor: ground,
      colorscale: { sequential: scale.map((colour, place) => [place / (scale.length - 1), colour]) },
      title: { x: 0, xanchor: "left", font: { color: heading, size: 16, weight: 600 } },
      legend: { borderwidth: 0, font: small, title: { font: small, side: "top" } },
      margin: { l: 0, r: 0, pad: 8 },
      hoverlabel: { bgcolor: ground, bordercolor: line, font: { family: font, ...small } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: faint, activecolor: text },
      xaxis: { ...axis, showgrid: false, zeroline: false },
      yaxis: { ...axis, ticklabelposition: "outside" },
      scene: { xaxis: sides, yaxis: sides, zaxis: sides },
      coloraxis: { colorbar: { thickness: 16, outlinewidth: 0, len: 0.75, tickfont: small } },
    },
  };
}
