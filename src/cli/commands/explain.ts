import { openStore, partitionedParquet } from '../../index.ts'
import type { Command } from '../command.ts'
import { DERIVATION, EXECUTION, LAYOUT, layout, openSource, SELECTION, select } from '../pipeline-options.ts'

export const explain: Command = {
  name: 'explain',
  summary: 'Say what a rewrite would read and do, and why, without doing it.',
  arguments: ['SRC'],
  options: { ...SELECTION, ...DERIVATION, ...LAYOUT, ...EXECUTION, json: { help: 'as JSON' } },
  async run({ arguments: [src], options, output, signal }) {
    const pipeline = (await openSource(src!, options)).pipe(...select(options), layout(options))
    // Where the rows would go makes no difference to what becomes of them.
    const sink = partitionedParquet(await openStore('memory:'))
    const plan = await pipeline.explain({ sink, signal })
    await output.write(`${options.flag('json') ? JSON.stringify(plan, null, 2) : plan}\n`)
  },
}
