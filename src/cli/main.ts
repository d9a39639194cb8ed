import { inspect } from 'node:util'
import { isSluiceError, SluiceError } from '../core/errors.ts'
import { nearestName } from '../core/expressions/nearest.ts'
import { type Command, helpOf, parseCall } from './command.ts'
import { abort } from './commands/abort.ts'
import { cat } from './commands/cat.ts'
import { compact } from './commands/compact.ts'
import { copy } from './commands/copy.ts'
import { du } from './commands/du.ts'
import { explain } from './commands/explain.ts'
import { jobs } from './commands/jobs.ts'
import { ls } from './commands/ls.ts'
import { rewrite } from './commands/rewrite.ts'
import { rm } from './commands/rm.ts'
import { schema } from './commands/schema.ts'
import { stores } from './commands/stores.ts'
import { vacuum } from './commands/vacuum.ts'
import { LOCATIONS } from './location.ts'
import { OUTPUT_CLOSED, Output } from './output.ts'

const COMMANDS: readonly Command[] = [
  ls,
  du,
  schema,
  cat,
  copy,
  rm,
  rewrite,
  compact,
  explain,
  jobs,
  abort,
  vacuum,
  stores,
]

/** Exit codes. 1 is for a job that fails, 2 for options and expressions that don't parse. */
const FAILED = 1
const WRONG_USAGE = 2

/** Signals that end a run, with the exit code that a shell gives each. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const

/** The command `sluice`: runs one command line and sets the process's exit code. */
export async function main(args: readonly string[]): Promise<void> {
  const abort = new AbortController()
  let interrupted: number | undefined
  for (const [signal, code] of Object.entries(SIGNALS)) {
    process.on(signal, () => {
      if (interrupted !== undefined) process.exit(code)
      interrupted = code
      process.stderr.write('\nsluice: stopping; once more to stop at once\n')
      abort.abort(new DOMException('interrupted', 'AbortError'))
    })
  }
  process.stdout.on('error', error => {
    abort.abort((error as NodeJS.ErrnoException).code === 'EPIPE' ? OUTPUT_CLOSED : error)
  })
  try {
    await run(args, new Output(process.stdout, abort.signal), abort.signal)
  } catch (error) {
    // Without waiting for output that nobody may ever read.
    if (interrupted !== undefined) process.exit(interrupted)
    if (abort.signal.reason === OUTPUT_CLOSED) return
    process.stderr.write(`sluice: ${args.includes('--verbose') ? inspect(error) : messageOf(error)}\n`)
    process.exitCode = isSluiceError(error) && error.code === 'invalid-argument' ? WRONG_USAGE : FAILED
  }
}

async function run(args: readonly string[], output: Output, signal: AbortSignal): Promise<void> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    if (name !== undefined) return output.write(overview())
    throw new SluiceError('invalid-argument', 'a command is missing', { hint: overview() })
  }
  const command = COMMANDS.find(known => known.name === name)
  if (command === undefined) {
    const nearest = nearestName(
      name,
      COMMANDS.map(known => known.name),
    )
    throw new SluiceError('invalid-argument', `there is no command '${name}'`, {
      hint: nearest === undefined ? "'sluice --help' lists the commands." : `Did you mean '${nearest}'?`,
    })
  }
  const call = parseCall(command, rest)
  if (call === undefined) return output.write(helpOf(command))
  await command.run({ ...call, output, signal })
}

function overview(): string {
  const lines = COMMANDS.map(({ name, arguments: places, summary }) => {
    return `  ${[name, ...places].join(' ').padEnd(20)}${summary}`
  })
  return `Usage: sluice COMMAND ARGUMENTS [options]\n\n${lines.join('\n')}\n\n${LOCATIONS}\nMore: sluice COMMAND --help\n`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
