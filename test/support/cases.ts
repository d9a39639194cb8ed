/**
 * The share of the random cases, and of the rows of large data, that a run of the tests goes through: `.ci/run` goes
 * through all of them on one version of Node, and through a part of the same on the others.
 */
const share = Number(process.env['SLUICE_TEST_CASES'] ?? 1)
if (!(share > 0 && share <= 1))
  throw new Error(`SLUICE_TEST_CASES must be above 0 and at most 1, not ${share}`)

/** Whether this is a run of everything. */
export const allCases: boolean = share === 1

/** For `test(name, { skip: onOneNode }, …)`: of what is not about Sluice's own process, or repeats what is tested on all. */
export const onOneNode: string | false = !allCases && 'tested on one version of Node'

/** How many of so many; 1 at least. */
export function cases(all: number): number {
  return Math.ceil(all * share)
}
