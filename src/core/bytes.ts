import { SluiceError } from './errors.ts'

const UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

/**
 * A number of bytes from a number or from text such as `512MiB` (1024²) or `128MB` (1000²). Fractions of a byte
 * are cut off.
 *
 * @param option The option's name, for the error.
 */
export function parseBytes(size: number | string, option: string): number {
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(String(size)) ?? []
  const factor = UNITS[unit?.toLowerCase() ?? '?']
  const bytes = factor === undefined ? Number.NaN : Math.floor(Number(digits) * factor)
  if (!Number.isSafeInteger(bytes)) {
    throw new SluiceError('invalid-argument', `'${size}' is not a number of bytes`, {
      option,
      hint: 'Write a number and a unit: 512MiB, 128MB, 1.5GiB.',
    })
  }
  return bytes
}

/** Bytes for people: `512 MiB`, `1.5 KiB`, `999 B`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let power = 0
  // What rounds to 1024.0 of a unit is 1 of the next.
  while (power < units.length - 1 && bytes / 1024 ** power >= 1023.95) power++
  return `${Number((bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1))} ${units[power]}`
}
