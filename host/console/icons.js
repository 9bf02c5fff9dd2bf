// Icons: paths of Lucide (https://lucide.dev, ISC licence, in vendor/lucide.LICENSE), drawn in the colour of the text around them.
import { html } from './ui.js';

const PATHS = {
  now: 'M22 12h-4l-3 9L9 3l-3 9H2',
  decisions: 'M7.9 20A9 9 0 1 0 4 16.1L2 22Z',
  chain: 'M6 3v12 M18 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z M6 21a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z M18 9a9 9 0 0 1-9 9',
  plugins: 'M21 8a2 2 0 0 0-1-1.73l-7-4a2 2 0 0 0-2 0l-7 4A2 2 0 0 0 3 8v8a2 2 0 0 0 1 1.73l7 4a2 2 0 0 0 2 0l7-4A2 2 0 0 0 21 16Z M3.3 7l8.7 5 8.7-5 M12 22V12',
  sources: 'M12 22v-5 M9 8V2 M15 8V2 M18 8v5a4 4 0 0 1-4 4h-4a4 4 0 0 1-4-4V8Z',
  people: 'M16 21v-2a4 4 0 0 0-4-4H6a4 4 0 0 0-4 4v2 M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z M22 21v-2a4 4 0 0 0-3-3.87 M16 3.13a4 4 0 0 1 0 7.75',
  waiting: 'M12 22a10 10 0 1 0 0-20 10 10 0 0 0 0 20Z M12 6v6l4 2',
  alerts: 'M6 8a6 6 0 0 1 12 0c0 7 3 9 3 9H3s3-2 3-9 M10.3 21a1.94 1.94 0 0 0 3.4 0',
  lookups: 'M3 5h18v14H3Z M3 10h18 M9 5v14',
  reports: 'M3 3v18h18 M18 17V9 M13 17V5 M8 17v-3',
  up: 'M5 12l7-7 7 7 M12 19V5', down: 'M12 5v14 M19 12l-7 7-7-7', plus: 'M5 12h14 M12 5v14', close: 'M18 6L6 18 M6 6l12 12',
  warn: 'M21.7 18l-8-14a2 2 0 0 0-3.5 0l-8 14A2 2 0 0 0 4 21h16a2 2 0 0 0 1.7-3Z M12 9v4 M12 17h.01',
  check: 'M20 6L9 17l-5-5', menu: 'M4 6h16 M4 12h16 M4 18h16', back: 'M19 12H5 M12 19l-7-7 7-7',
  theme: 'M12 3a6 6 0 0 0 9 9 9 9 0 1 1-9-9Z', grip: 'M9 5h.01 M9 12h.01 M9 19h.01 M15 5h.01 M15 12h.01 M15 19h.01',
  upload: 'M21 15v4a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2v-4 M17 8l-5-5-5 5 M12 3v12', help: 'M12 22a10 10 0 1 0 0-20 10 10 0 0 0 0 20Z M9.1 9a3 3 0 0 1 5.8 1c0 2-3 3-3 3 M12 17h.01',
  out: 'M9 21H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2h4 M16 17l5-5-5-5 M21 12H9',
};

export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`;
