/** `npm run fuzz -- --seed N --cases N`: the fuzzer by hand. See CONTRIBUTING.md. */
import { parseArgs } from 'node:util'
import { type FuzzReport, fuzz } from './fuzz.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    from: { type: 'string', default: '0' },
    cases: { type: 'string' },
    minutes: { type: 'string' },
  },
})
const seed = numberOf('seed')!
const cases = numberOf('cases') ?? Number.POSITIVE_INFINITY
const minutes = numberOf('minutes') ?? Number.POSITIVE_INFINITY
const start = performance.now()
let shown = 0
let said = start

console.log(`seed ${seed}`)
const report = await fuzz({ seed, from: numberOf('from')!, cases, proceed })
print(report)
if (report.defects.length > 0) process.exitCode = 1

function proceed(report: FuzzReport): boolean {
  for (const { number, how, message } of report.defects.slice(shown)) {
    console.log(`\nDEFECT --seed ${seed} --from ${number} --cases 1 (${how})\n${message}`)
  }
  shown = report.defects.length
  if (performance.now() - said > 60_000) {
    said = performance.now()
    print(report)
  }
  return performance.now() - start < minutes * 60_000
}

function print({ cases, outcomes, defects }: FuzzReport): void {
  const seconds = Math.round((performance.now() - start) / 1000)
  console.log(`${cases} cases in ${seconds} s, ${defects.length} defects`, outcomes)
}

function numberOf(option: 'seed' | 'from' | 'cases' | 'minutes'): number | undefined {
  const text = values[option]
  if (text === undefined) return undefined
  const value = Number(text)
  if (!(value >= 0)) throw new RangeError(`--${option} has to be a number, not '${text}'`)
  return value
}
