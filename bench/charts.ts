/** Charts as SVG text. Colours are the page's: `who` is the class of a bar or a line. */

export interface Bar {
  label: string
  value: number
  /** What is written at its end. */
  text: string
  who: string
}

export interface Line {
  label: string
  points: [x: number, y: number][]
  who: string
}

/** A line across a chart, at a value. */
export interface Reference {
  value: number
  label: string
}

const WIDTH = 640
const LEFT = 150
const RIGHT = 100
const TOP = 18
const STEP = 22

/** Horizontal bars from 0 on. */
export function barChart(title: string, bars: readonly Bar[], references: readonly Reference[] = []): string {
  const most = Math.max(...bars.map(({ value }) => value), ...references.map(({ value }) => value)) || 1
  const x = (value: number) => LEFT + (value / most) * (WIDTH - LEFT - RIGHT)
  const bottom = TOP + bars.length * STEP
  const rows = bars.map(({ label, value, text, who }, i) => {
    const y = TOP + i * STEP
    return `<g><title>${escaped(`${label}: ${text}`)}</title>
      <text x="${LEFT - 8}" y="${y + 15}" text-anchor="end">${escaped(label)}</text>
      <rect class="${who}" x="${LEFT}" y="${y + 4}" width="${round(Math.max(1, x(value) - LEFT))}" height="${STEP - 8}" rx="2"/>
      <text class="value" x="${round(x(value) + 6)}" y="${y + 15}">${escaped(text)}</text></g>`
  })
  const lines = references.map(
    ({
      value,
      label,
    }) => `<line class="reference" x1="${round(x(value))}" x2="${round(x(value))}" y1="${TOP}" y2="${bottom}"/>
      <text class="reference" x="${round(x(value))}" y="${TOP - 5}" text-anchor="middle">${escaped(label)}</text>`,
  )
  return svg(title, bottom + 4, [...lines, ...rows])
}

/** A line of dots for each row, from 0 on. */
export function dotChart(
  title: string,
  rows: readonly { label: string; dots: readonly { value: number; text: string; who: string }[] }[],
  axis: (value: number) => string,
  references: readonly Reference[] = [],
): string {
  const values = rows.flatMap(({ dots }) => dots.map(({ value }) => value))
  const most = Math.max(...values, ...references.map(({ value }) => value)) || 1
  const right = WIDTH - 24
  const x = (value: number) => round(LEFT + (value / most) * (right - LEFT))
  const bottom = TOP + rows.length * STEP
  const grid = ticks(0, most).map(
    value => `<line class="grid" x1="${x(value)}" x2="${x(value)}" y1="${TOP}" y2="${bottom}"/>
      <text class="tick" x="${x(value)}" y="${bottom + 16}" text-anchor="middle">${escaped(axis(value))}</text>`,
  )
  const across = references.map(
    ({
      value,
      label,
    }) => `<line class="reference" x1="${x(value)}" x2="${x(value)}" y1="${TOP}" y2="${bottom}"/>
      <text class="reference" x="${x(value)}" y="${TOP - 5}" text-anchor="middle">${escaped(label)}</text>`,
  )
  const lines = rows.map(({ label, dots }, i) => {
    const y = TOP + i * STEP + STEP / 2
    const marks = dots.map(
      ({ value, text, who }) =>
        `<circle class="${who}" cx="${x(value)}" cy="${y}" r="4.5"><title>${escaped(`${label}: ${text}`)}</title></circle>`,
    )
    return `<line class="grid" x1="${LEFT}" x2="${right}" y1="${y}" y2="${y}"/>
      <text x="${LEFT - 8}" y="${y + 4}" text-anchor="end">${escaped(label)}</text>${marks.join('')}`
  })
  return svg(title, bottom + 24, [...grid, ...lines, ...across])
}

/** Lines over a common pair of axes, both from 0 on (or the least x, if that is lower). */
export function lineChart(
  title: string,
  lines: readonly Line[],
  axes: { x: (value: number) => string; y: (value: number) => string },
  references: readonly Reference[] = [],
): string {
  const height = 240
  const points = lines.flatMap(line => line.points)
  const [left, right, top, bottom] = [64, WIDTH - 110, TOP, height - 24]
  const leastX = Math.min(0, ...points.map(([x]) => x))
  const mostX = Math.max(...points.map(([x]) => x), leastX + 1e-9)
  const mostY = Math.max(...points.map(([, y]) => y), ...references.map(({ value }) => value), 1e-9) * 1.05
  const x = (value: number) => round(left + ((value - leastX) / (mostX - leastX)) * (right - left))
  const y = (value: number) => round(bottom - (value / mostY) * (bottom - top))
  const grid = ticks(0, mostY).map(
    value => `<line class="grid" x1="${left}" x2="${right}" y1="${y(value)}" y2="${y(value)}"/>
      <text class="tick" x="${left - 6}" y="${y(value) + 4}" text-anchor="end">${escaped(axes.y(value))}</text>`,
  )
  const below = ticks(leastX, mostX).map(
    value =>
      `<text class="tick" x="${x(value)}" y="${bottom + 16}" text-anchor="middle">${escaped(axes.x(value))}</text>`,
  )
  const across = references.map(
    ({
      value,
      label,
    }) => `<line class="reference" x1="${left}" x2="${right}" y1="${y(value)}" y2="${y(value)}"/>
      <text class="reference" x="${right + 6}" y="${y(value) + 4}">${escaped(label)}</text>`,
  )
  const paths = lines.map(({ label, points, who }) => {
    const path = points.map(([px, py]) => `${x(px)},${y(py)}`).join(' ')
    const dots =
      points.length > 12
        ? ''
        : points.map(([px, py]) => `<circle class="${who}" cx="${x(px)}" cy="${y(py)}" r="3"/>`).join('')
    return `<g><title>${escaped(label)}</title><polyline class="line ${who}" points="${path}"/>${dots}</g>`
  })
  return svg(title, height, [...grid, ...below, ...across, ...paths])
}

/** The names of a line chart's colours. */
export function legend(lines: readonly Pick<Line, 'label' | 'who'>[]): string {
  return `<p class="legend">${lines.map(({ label, who }) => `<span><i class="${who}"></i>${escaped(label)}</span>`).join(' ')}</p>`
}

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`)
}

/** Round numbers between two, about five of them. */
function ticks(least: number, most: number): number[] {
  const rough = (most - least) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= rough)!
  const first = Math.ceil(least / step)
  return Array.from({ length: Math.floor(most / step) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  )
}

function svg(title: string, height: number, content: readonly string[]): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">${content.join('\n')}</svg>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
