// Small charts, drawn by uPlot (vendor/uplot.js) in the colours of the page. Each says in words what it shows, for those who cannot see it.
import uPlot from './vendor/uplot.js';
import { short } from './format.js';
import { html, useEffect, useRef } from './ui.js';

// A colour of the stylesheet as the canvas needs it: `light-dark()` is settled only on a property that is a colour.
function colour(name) {
  const probe = document.createElement('i');
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const settled = getComputedStyle(probe).color;
  probe.remove();
  return settled;
}

const soft = (rgb, part) => rgb.replace(/rgba?\(([^)]+)\)/, (_, of) => `rgba(${of.split(',').slice(0, 3).join(',')}, ${part})`);

const tick = (at, stretch) => new Intl.DateTimeFormat(navigator.language, stretch > 172_800 ? { month: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(at * 1000));

// `series`: [{ label, colour, bars }]; `data`: [seconds, ...values].
function options({ series, width, height, sums }) {
  const [line, text] = [colour('line'), colour('muted')];
  const font = '12px system-ui, sans-serif';
  const axis = { stroke: text, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  return {
    width, height, padding: [8, 8, 0, 0], legend: { show: true, live: true }, cursor: { y: false, points: { size: 6 } },
    scales: { x: { time: true }, y: { range: (_, least, most) => [0, Math.max(most * 1.1, sums ? 4 : 0.01)] } },
    axes: [{ ...axis, grid: { show: false }, space: 70, values: (plot, all) => all.map((at) => tick(at, plot.scales.x.max - plot.scales.x.min)) }, { ...axis, size: 44, values: sums ? (_, all) => all.map((one) => (Number.isInteger(one) ? one : '')) : undefined }],
    series: [{ label: 'From', value: (_, at) => (at ? short(at * 1000) : '–') }, ...series.map((one) => {
      const stroke = colour(one.colour);
      return { label: one.label, stroke, width: 2, fill: one.bars ? soft(stroke, 0.35) : soft(stroke, 0.1), points: { show: false }, paths: one.bars ? uPlot.paths.bars({ size: [0.8, 24] }) : undefined };
    })],
  };
}

export function Chart({ series, data, height = 170, label, sums = true }) {
  const box = useRef();
  const plot = useRef();
  useEffect(() => {
    const inside = box.current;
    const make = () => {
      plot.current?.destroy();
      plot.current = new uPlot(options({ series, sums, width: inside.clientWidth, height }), data, inside);
    };
    make();
    const watch = new ResizeObserver(() => plot.current?.setSize({ width: inside.clientWidth, height }));
    watch.observe(inside);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    addEventListener('signalbox-theme', make);
    dark.addEventListener('change', make);
    return () => { watch.disconnect(); removeEventListener('signalbox-theme', make); dark.removeEventListener('change', make); plot.current?.destroy(); plot.current = null; };
  }, [series.map((one) => one.label).join()]);
  useEffect(() => { plot.current?.setData(data); }, [data]);
  return html`<div class="chart" role="img" aria-label=${label} ref=${box}></div>`;
}

// How often what: a bar for each, the longest first. `meter` is what a screen reader knows.
export function Bars({ counts, name = (key) => key, href, most = 8, empty }) {
  const rows = Object.entries(counts ?? {}).sort((one, other) => other[1] - one[1]);
  const [top, rest] = [rows.slice(0, most), rows.slice(most)];
  if (rest.length) top.push([null, rest.reduce((sum, [, n]) => sum + n, 0)]);
  const largest = Math.max(1, ...top.map(([, n]) => n));
  if (!rows.length) return html`<p class="muted">${empty}</p>`;
  return html`<ul class="bars">${top.map(([key, n]) => html`<li><span>${key === null ? `${rest.length} others` : href ? html`<a href=${href(key)}>${name(key)}</a>` : name(key)}</span><meter min="0" max=${largest} value=${n} aria-label=${key === null ? 'others' : name(key)}>${n}</meter><span class="num">${n}</span></li>`)}</ul>`;
}
