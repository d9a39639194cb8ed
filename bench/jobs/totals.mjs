import { aggregate, count, max, min, sum } from '../../dist/index.js'

/** What the jobs that aggregate are to give. */
export function totals(by) {
  return aggregate({ by: [by], n: count(), total: sum('amount'), least: min('amount'), most: max('amount') })
}
