import { SluiceError } from './errors.ts'

const UNITS: Record<string, number> = { ms: 1, s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8 }

/**
 * Milliseconds from a number of them or from text such as `90s`, `12h` or `7d`.
 *
 * @param option The option's name, for the error.
 */
export function parseDuration(duration: number | string, option: string): number {
  const [, digits, unit = 'ms'] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)?\s*$/i.exec(String(duration)) ?? []
  const bare = typeof duration === 'string' && /^\s*[\d.]+\s*$/.test(duration) && Number(duration) > 0
  const ms = bare ? Number.NaN : Number(digits) * (UNITS[unit.toLowerCase()] ?? Number.NaN)
  if (!Number.isFinite(ms)) {
    throw new SluiceError('invalid-argument', `'${duration}' is no length of time`, {
      option,
      hint: 'Write a number and a unit (ms, s, m, h, d or w): 30m, 12h, 7d.',
    })
  }
  return ms
}
