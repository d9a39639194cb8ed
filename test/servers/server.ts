import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../support/root.ts'

const folder = process.env['SLUICE_SERVERS'] ?? join(root, 'node_modules/.cache/servers')

/** Where `test/servers/install.sh` puts a program. */
export function serverProgram(name: string): string {
  return join(folder, name)
}

/** For `test(name, { skip }, …)`: why tests against the program cannot run. In CI they run, and fail. */
export function missingServer(program: string): string | false {
  return (
    !process.env['CI'] &&
    !existsSync(program) &&
    `no ${program} (run test/servers/install.sh, or set SLUICE_SERVERS)`
  )
}

export interface RunningServer {
  /** Idempotent. */
  stop: () => Promise<void>
}

/** Starts a server and waits until `isReady`. Whoever starts it stops it; it also ends with this process. */
export async function startServer(
  program: string,
  args: readonly string[],
  { env = {}, isReady }: { env?: Record<string, string>; isReady: () => Promise<boolean> },
): Promise<RunningServer> {
  const child: ChildProcess = spawn(program, args, {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', text => (said += text))
  const ended = once(child, 'exit')
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`${program} ended:\n${said}`)
    await sleep(20)
  }
  return {
    stop: async () => {
      process.off('exit', kill)
      kill()
      await ended
    },
  }
}

/** Whether a server answers there, whatever it says; with `ok`, whether it says that all is well. */
export async function answers(url: string, { ok = false }: { ok?: boolean } = {}): Promise<boolean> {
  try {
    const response = await fetch(url)
    await response.body?.cancel()
    return !ok || response.ok
  } catch {
    return false
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
