import type { StoreDescription } from '../../index.ts'
import type { Command } from '../command.ts'
import { namedStores } from '../location.ts'
import { alignedLine, show } from '../text-table.ts'

export const stores: Command = {
  name: 'stores',
  summary: 'List the named stores and what they are opened with.',
  arguments: [],
  options: { json: { help: 'one JSON object a line' } },
  details:
    'Stores are named in sluice.config.ts, .js, .mjs or .json, here or in a folder above, and in the environment as\n' +
    'SLUICE_STORE_<NAME>_<OPTION>. Secrets are not shown.',
  async run({ options, output }) {
    const described = (await namedStores()).describe()
    if (options.flag('json')) {
      for (const store of described) await output.write(`${JSON.stringify(store)}\n`)
      return
    }
    const rows = described.map(store => [store.name, store.url, optionsIn(store)].map(show))
    const widths = [0, 1].map(column => Math.max(0, ...rows.map(row => row[column]!.length)))
    for (const row of rows) await output.write(alignedLine(row, [...widths, 0], []))
  },
}

function optionsIn({ options, variables }: StoreDescription): string {
  const given = Object.entries(options).map(([name, value]) => `${name}=${textOf(value)}`)
  return [...given, ...variables.map(name => `(${name})`)].join(' ')
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
