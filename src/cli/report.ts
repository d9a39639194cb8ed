import type { RunReport } from '../index.ts'
import type { Option, Options } from './command.ts'
import { locateFile } from './location.ts'

export const REPORT: Readonly<Record<string, Option>> = {
  report: { value: 'FILE.json', help: 'write there what the run did' },
}

/** Writes the report where `--report` asks for it. */
export async function saveReport(report: RunReport, options: Options): Promise<void> {
  const target = options.text('report')
  if (target === undefined) return
  const { store, key } = await locateFile(target)
  await store.put(key, new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`))
}
