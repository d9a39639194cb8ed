import { describe } from 'node:test'
import { checkAborting, checkAbortingReads } from './conformance/aborting.ts'
import { type ConformanceOptions, checker, type MakeStore } from './conformance/context.ts'
import { checkListing } from './conformance/listing.ts'
import { checkObjects } from './conformance/objects.ts'
import { checkReading } from './conformance/reading.ts'
import { checkReadOnly, checkUnlisted } from './conformance/refusing.ts'
import { checkStaging } from './conformance/staging.ts'

/**
 * Registers, with `node:test`, the tests that every store passes: each sentence of the {@link Store} contract,
 * races and aborts included. For drivers and wrappers, ours and yours.
 *
 * @param make Called for each test. It may register clean-up with `t.after`.
 *
 * @example
 * ```ts
 * storeConformance('memory', async () => {
 *   const store = await openStore('memory:')
 *   return { store, reopen: async () => store }
 * })
 * ```
 */
export function storeConformance(name: string, make: MakeStore, options: ConformanceOptions = {}): void {
  describe(`store: ${name}`, { skip: options.skip ?? false }, () => {
    const check = checker(make)
    checkReading(check, options)
    checkAbortingReads(check, options)
    if (options.unlisted) checkUnlisted(check)
    else checkListing(check, options)
    if (options.readOnly) return checkReadOnly(check)
    checkObjects(check, options)
    checkStaging(check, options)
    checkAborting(check)
  })
}
