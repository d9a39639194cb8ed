import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packBits } from '../../support/bytes.ts'
import { call, input, output } from './call.ts'
import { forAll, integers, rowsOf } from './values.ts'

const UNITS = ['year', 'quarter', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const
const floor = (a: bigint, b: bigint) => (a - (((a % b) + b) % b)) / b

/** The calendar repeats after 400 years, a whole number of weeks; in between, the platform's own dates will do. */
const CYCLE = 146_097n

interface Day {
  date: Date
  /** Cycles between that date and the one meant. */
  cycles: bigint
}

function dayOf(days: bigint): Day {
  const cycles = floor(days, CYCLE)
  return { date: new Date(Number(days - cycles * CYCLE) * 86_400_000), cycles }
}

const daysFrom = (year: number, month: number, day: number) => BigInt(Date.UTC(year, month, day) / 86_400_000)

/** Days from 1970 on to the start of a unit of at least a day. */
function startOf(unit: number, days: bigint): bigint {
  const { date, cycles } = dayOf(days)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  const start = [
    () => daysFrom(year, 0, 1),
    () => daysFrom(year, month - (month % 3), 1),
    () => daysFrom(year, month, 1),
    () => daysFrom(year, month, day - ((date.getUTCDay() + 6) % 7)),
    () => daysFrom(year, month, day),
  ][unit]!()
  return start + cycles * CYCLE
}

function partOf(part: number, ticks: bigint, perDay: bigint): bigint {
  const days = floor(ticks, perDay)
  const { date, cycles } = dayOf(days)
  const seconds = ((ticks - days * perDay) * 86_400n) / perDay
  switch (part) {
    case 0:
      return BigInt(date.getUTCFullYear()) + 400n * cycles
    case 1:
      return BigInt(Math.floor(date.getUTCMonth() / 3) + 1)
    case 2:
      return BigInt(date.getUTCMonth() + 1)
    case 3: {
      // ISO 8601: the first week is the one of January 4th.
      const thursday = startOf(3, days) + 3n
      return (thursday - startOf(0, thursday)) / 7n + 1n
    }
    case 4:
      return BigInt(date.getUTCDate())
    case 5:
      return seconds / 3600n
    case 6:
      return (seconds / 60n) % 60n
    case 7:
      return seconds % 60n
    case 8:
      return BigInt(date.getUTCDay())
    default:
      return days - startOf(0, days) + 1n
  }
}

/** Ticks of a resolution, near one another or not. */
const columns = fc
  .constantFrom(1n, 86_400n, 86_400_000n, 86_400_000_000n, 86_400_000_000_000n)
  .chain(perDay => {
    const any = integers(perDay === 1n ? 32 : 64)
    const day = fc.bigInt({ min: -200_000n, max: 100_000n })
    const near = fc
      .tuple(day, fc.bigInt({ min: -2n, max: perDay }))
      .map(([day, rest]) => BigInt.asIntN(64, day * perDay + rest))
    const follow = fc
      .tuple(near, fc.array(fc.bigInt({ min: 0n, max: perDay / 3n + 1n }), { maxLength: 70, size: 'max' }))
      .map(([first, steps]) => {
        let ticks = first
        return steps.map(step => (ticks = BigInt.asIntN(64, ticks + step)))
      })
    return fc.record({ perDay: fc.constant(perDay), ticks: fc.oneof(rowsOf(any), rowsOf(near), follow) })
  })

const source = (ticks: readonly bigint[]) => input(BigInt64Array.from(ticks))

test('datePart agrees with the calendar of the platform', () => {
  forAll(
    fc.tuple(columns, fc.nat(9)),
    ([{ perDay, ticks }, part]) => {
      if (perDay === 1n && part >= 5 && part <= 7) return
      const out = output(8 * ticks.length)
      call('datePart', part, source(ticks), ticks.length, perDay, out)
      assert.deepEqual(
        out.as(BigInt64Array),
        ticks.map(time => partOf(part, time, perDay)),
      )
    },
    400,
  )
})

for (const [unit, name] of UNITS.entries()) {
  test(`truncateTime finds the start of the ${name}, up to the first valid row that has none`, () => {
    const rows = columns.chain(column =>
      fc.record({
        column: fc.constant(column),
        valid: fc.array(fc.boolean(), { minLength: column.ticks.length, maxLength: column.ticks.length }),
        nullable: fc.boolean(),
      }),
    )
    forAll(rows, ({ column: { perDay, ticks }, valid, nullable }) => {
      const starts = ticks.map(time => {
        if (unit <= 4) return startOf(unit, floor(time, perDay)) * perDay
        const tick = perDay / [24n, 1440n, 86_400n][unit - 5]!
        return tick <= 1n ? time : floor(time, tick) * tick
      })
      const isValid = (i: number) => !nullable || valid[i]!
      const fails = starts.findIndex((start, i) => isValid(i) && BigInt.asIntN(64, start) !== start)
      const out = output(8 * ticks.length)
      const bits = nullable ? input(packBits(valid)) : 0
      assert.equal(call('truncateTime', unit, source(ticks), ticks.length, perDay, bits, out), fails)
      const got = out.as(BigInt64Array, fails < 0 ? ticks.length : fails)
      got.forEach((start, i) => {
        if (isValid(i)) assert.equal(start, starts[i])
      })
    })
  })
}

test('splitTime gives days and what is left of the day', () => {
  forAll(columns, ({ perDay, ticks }) => {
    const [days, rest] = [output(8 * ticks.length), output(8 * ticks.length)]
    call('splitTime', source(ticks), ticks.length, perDay, days, rest)
    const whole = ticks.map(time => floor(time, perDay))
    assert.deepEqual(days.as(Float64Array), whole.map(Number))
    assert.deepEqual(
      rest.as(Float64Array),
      ticks.map((time, i) => Number(time - whole[i]! * perDay)),
    )
  })
})
