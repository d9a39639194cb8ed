/** One line of columns of the given widths; those in `right` are aligned to the right. */
export function alignedLine(
  cells: readonly string[],
  widths: readonly number[],
  right: readonly boolean[],
): string {
  const padded = cells.map((cell, i) => (right[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
  return `${padded.join('  ').trimEnd()}\n`
}

/** Text that stays on its line: control characters are escaped. */
export function show(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, character => JSON.stringify(character).slice(1, -1))
}

/** Lines of cells, the first of them headings; columns in `right` are aligned to the right. */
export function textTable(lines: readonly (readonly string[])[], right: readonly boolean[] = []): string {
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map(cells => cells[i]!.length)))
  return lines.map(cells => alignedLine(cells, widths, right)).join('')
}
