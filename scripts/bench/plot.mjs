/** Plots as SVG: a figure over message sizes, both axes logarithmic, one line for each peer. They bring a background of
 * their own, so that they can be read on light pages and on dark ones. */
import { format } from './report.mjs'

const WIDTH = 900
const HEIGHT = 480
const LEFT = 86
const RIGHT = 190
const TOP = 44
const BOTTOM = 62

/** A peer looks the same in each plot; a library in C has the colour of its binding, and a dashed line. */
const STYLES = {
  'nanomsg-native': { color: '#d62728', width: 3 },
  'nanomsg-native-each': { color: '#ff7f6e', width: 2 },
  'nanomsg-native-c': { color: '#d62728', width: 2, isDashed: true },
  nanomsg: { color: '#1f77b4', width: 2 },
  'libnanomsg-c': { color: '#1f77b4', width: 2, isDashed: true },
  zeromq: { color: '#2ca02c', width: 2 },
  'libzmq-c': { color: '#2ca02c', width: 2, isDashed: true },
  net: { color: '#555555', width: 2 },
  'raw-c': { color: '#555555', width: 2, isDashed: true },
  'nng-c': { color: '#9467bd', width: 2, isDashed: true },
  ws: { color: '#e08a00', width: 2 },
  postmessage: { color: '#8c564b', width: 2 },
}
const OTHERS = ['#17a2b8', '#c2459b', '#8a8a00']

const escaped = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;')

const text = (x, y, content, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="#222" ${more}>${escaped(content)}</text>`

const line = (x1, y1, x2, y2, more) =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" ${more}/>`

/** Maps values from lowest to highest onto from..to, in decades. */
function scale(lowest, highest, from, to) {
  const span = Math.log10(highest) - Math.log10(lowest) || 1
  return (value) => from + ((Math.log10(value) - Math.log10(lowest)) / span) * (to - from)
}

/** 1, 2 and 5 of each decade between the bounds, which are such values themselves. */
function steps(lowest, highest) {
  const values = []
  for (let decade = Math.floor(Math.log10(lowest)); 10 ** decade <= highest; decade++)
    for (const step of [1, 2, 5]) values.push(step * 10 ** decade)
  return values.filter((value) => value >= lowest * 0.999 && value <= highest * 1.001)
}

/** The step at or next to a value, on its far side. */
function stepBelow(value) {
  const decade = 10 ** Math.floor(Math.log10(value))
  return decade * [5, 2, 1].find((step) => step * decade <= value * 1.001)
}
function stepAbove(value) {
  const decade = 10 ** Math.floor(Math.log10(value))
  return decade * [1, 2, 5, 10].find((step) => step * decade >= value * 0.999)
}

function styleOf(name, number) {
  return STYLES[name] ?? { color: OTHERS[number % OTHERS.length], width: 2 }
}

function curve({ name, points }, number, x, y) {
  const { color, width, isDashed } = styleOf(name, number)
  const stroke = `stroke="${color}" stroke-width="${width}"${isDashed ? ' stroke-dasharray="6 4"' : ''}`
  const places = points.map(({ bytes, value }) => [x(bytes).toFixed(1), y(value).toFixed(1)])
  const legendX = WIDTH - RIGHT + 16
  const legendY = TOP + 14 + 20 * number
  return [
    `<polyline points="${places.map((place) => place.join(',')).join(' ')}" fill="none" ${stroke}/>`,
    ...places.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="${width + 0.5}" fill="${color}"/>`),
    line(legendX, legendY - 4, legendX + 26, legendY - 4, stroke),
    text(legendX + 34, legendY, name),
  ]
}

function axes(sizes, unit, lowest, highest, x, y) {
  const right = WIDTH - RIGHT
  const bottom = HEIGHT - BOTTOM
  const values = steps(lowest, highest)
  // Where there are many decades, only these are labelled.
  const isCrowded = values.length > 14
  const isDecade = (value) => Math.abs(Math.log10(value) - Math.round(Math.log10(value))) < 1e-9
  const rows = values.flatMap((value) => {
    const at = y(value)
    const rule = line(LEFT, at, right, at, `stroke="${isDecade(value) ? '#bbb' : '#e6e6e6'}"`)
    if (isCrowded && !isDecade(value)) return [rule]
    return [rule, text(LEFT - 8, at + 4, format(value).replace(/\.0+(?= |$)/, ''), 'text-anchor="end"')]
  })
  const columns = sizes.flatMap(({ bytes, size }) => [
    line(x(bytes), TOP, x(bytes), bottom, 'stroke="#e6e6e6"'),
    text(x(bytes), bottom + 20, size, 'text-anchor="middle"'),
  ])
  const middle = (TOP + bottom) / 2
  return [
    ...rows,
    ...columns,
    `<rect x="${LEFT}" y="${TOP}" width="${right - LEFT}" height="${bottom - TOP}" fill="none" stroke="#888"/>`,
    text((LEFT + right) / 2, bottom + 44, 'length of a message', 'text-anchor="middle"'),
    text(20, middle, unit, `text-anchor="middle" transform="rotate(-90 20 ${middle})"`),
  ]
}

/**
 * @param unit   what the vertical axis counts
 * @param sizes  [{ bytes, size }] of the horizontal axis
 * @param series [{ name, points: [{ bytes, value }] }]
 */
export function plot(title, unit, sizes, series) {
  const values = series.flatMap(({ points }) => points.map(({ value }) => value))
  const lowest = stepBelow(Math.min(...values))
  const highest = Math.max(stepAbove(Math.max(...values)), lowest * 2)
  const x = scale(sizes[0].bytes, sizes[sizes.length - 1].bytes, LEFT + 20, WIDTH - RIGHT - 20)
  const y = scale(lowest, highest, HEIGHT - BOTTOM, TOP)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" rx="6" fill="white"/>`,
    text(LEFT, 26, title, 'font-size="15" font-weight="bold"'),
    ...axes(sizes, unit, lowest, highest, x, y),
    ...series.flatMap((each, number) => curve(each, number, x, y)),
    '</svg>',
    '',
  ].join('\n')
}
