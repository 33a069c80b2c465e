/** Plots as SVG: a figure over message sizes, both axes logarithmic, one line for each peer. */
import { format } from './report.mjs'

const WIDTH = 860
const HEIGHT = 460
const LEFT = 70
const RIGHT = 190
const TOP = 40
const BOTTOM = 50
const COLORS = [
  '#d62728',
  '#ff9896',
  '#1f77b4',
  '#2ca02c',
  '#7f7f7f',
  '#9467bd',
  '#bcbd22',
  '#8c564b',
  '#17becf',
  '#e377c2',
]

const escaped = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;')

const text = (x, y, content, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(content)}</text>`

/** Maps values from lowest to highest onto from..to, in decades. */
function scale(lowest, highest, from, to) {
  const span = Math.log10(highest) - Math.log10(lowest) || 1
  return (value) => from + ((Math.log10(value) - Math.log10(lowest)) / span) * (to - from)
}

function decades(lowest, highest) {
  const values = []
  for (let value = 10 ** Math.floor(Math.log10(lowest)); value <= highest * 1.001; value *= 10) values.push(value)
  return values.filter((value) => value >= lowest * 0.999)
}

function curve({ name, points }, number, x, y) {
  const color = COLORS[number % COLORS.length]
  const places = points.map(({ bytes, value }) => [x(bytes), y(value)])
  const path = places.map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`).join(' ')
  const dots = places.map(([px, py]) => `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3" fill="${color}"/>`)
  const legendY = TOP + 14 + 18 * number
  return [
    `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>`,
    ...dots,
    `<rect x="${WIDTH - RIGHT + 16}" y="${legendY - 9}" width="12" height="12" fill="${color}"/>`,
    text(WIDTH - RIGHT + 34, legendY + 1, name),
  ]
}

/**
 * @param sizes  [{ bytes, size }] of the horizontal axis
 * @param series [{ name, points: [{ bytes, value }] }]
 */
export function plot(title, sizes, series) {
  const values = series.flatMap(({ points }) => points.map(({ value }) => value))
  const lowest = 10 ** Math.floor(Math.log10(Math.min(...values)))
  const highest = 10 ** Math.ceil(Math.log10(Math.max(...values)) + 1e-9)
  const x = scale(sizes[0].bytes, sizes[sizes.length - 1].bytes, LEFT, WIDTH - RIGHT)
  const y = scale(lowest, highest, HEIGHT - BOTTOM, TOP)
  const grid = decades(lowest, highest).flatMap((value) => [
    `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}" stroke="#ddd"/>`,
    text(LEFT - 8, y(value) + 4, format(value).replace(/\.0+(?= |$)/, ''), 'text-anchor="end"'),
  ])
  const labels = sizes.map(({ bytes, size }) => text(x(bytes), HEIGHT - BOTTOM + 20, size, 'text-anchor="middle"'))
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(LEFT, 24, title, 'font-size="15" font-weight="bold"'),
    ...grid,
    ...labels,
    ...series.flatMap((each, number) => curve(each, number, x, y)),
    '</svg>',
    '',
  ].join('\n')
}
