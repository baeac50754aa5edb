// Draws a figure with plotly.js. When another figure comes, the chart that is there is changed (`Plotly.react`) and not
// made anew: it keeps what the person has zoomed, turned and hidden, and follows a slider without a flicker.
const HEIGHT = 450; // plotly's own, where a figure does not say
const UNUSED = ["select2d", "lasso2d", "autoScale2d", "tableRotation", "resetCameraLastSave3d"];
const CORNERS = {
  width: 24, height: 24, path: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
};
const reader = new TextDecoder();
let fetching = null;

export default async function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".chart");
  root.press = (point) => setTriggerValue("press", point);
  const text = reader.decode(data);
  const style = styleOf(root);
  const wanted = text + JSON.stringify(style);
  if (root.wanted !== wanted) {
    root.wanted = wanted;
    await show(root, JSON.parse(text), style, () => root.wanted === wanted);
  }
  return () => {
    root.observer?.disconnect();
    window.Plotly?.purge(root);
  };
}

async function show(root, { figure, name, library, words, tools, still, press }, style, isLatest) {
  const layout = figure.layout;
  root.setAttribute("aria-label", name);
  root.style.minHeight = `${layout.height ?? HEIGHT}px`; // nothing below it moves when the chart comes
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
  root.height = layout.height;
  if (document.fullscreenElement === root) layout.height = window.innerHeight;
  const said = JSON.stringify(words);
  if (root.said !== said) { // another language: plotly makes the chart anew for other options
    root.said = said;
    root.options = options(plotly, root, words, tools, still);
  }
  if (!root.observer) {
    root.textContent = "";
    follow(plotly, root);
  }
  await plotly.react(root, { ...figure, config: root.options });
  if (press) hear(root);
}

// The library lies beside this file, and is fetched once for all charts of a tab.
function fetched(name) {
  return new Promise((done, failed) => {
    const element = document.createElement("script");
    element.src = new URL(name, import.meta.url);
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

function follow(plotly, root) {
  let width = root.clientWidth;
  root.observer = new ResizeObserver(() => {
    if (!root.clientWidth || root.clientWidth === width || !root.layout) return;
    width = root.clientWidth;
    plotly.Plots.resize(root);
  });
  root.observer.observe(root);
  root.addEventListener("fullscreenchange", () => {
    const full = document.fullscreenElement === root;
    plotly.relayout(root, { height: full ? window.innerHeight : root.height });
  });
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
