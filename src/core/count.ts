import { SluiceError } from './errors.ts'

/** Refuses what is no whole number above 0. */
export function assertCount(option: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0) return
  throw new SluiceError('invalid-argument', `must be a whole number above 0, not ${String(value)}`, {
    option,
  })
}
