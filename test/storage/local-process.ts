/** What `local-processes.test.ts` runs in processes of their own: a task and a store's path as arguments. */
import { setTimeout } from 'node:timers/promises'
import { isSluiceError } from '../../src/core/errors.ts'
import { openStore } from '../../src/index.ts'
import { readText } from '../../src/storage/read.ts'

const [task, path] = process.argv.slice(2)
const store = await openStore(path!, { durability: 'none' })
const bytes = (text: string) => new TextEncoder().encode(text)

/** Whether it succeeded; false where another one was first. */
async function won(promise: Promise<unknown>): Promise<boolean> {
  try {
    await promise
    return true
  } catch (error) {
    if (isSluiceError(error) && ['already-exists', 'precondition'].includes(error.code)) return false
    throw error
  }
}

switch (task) {
  /** Takes numbers nobody else has, and counts them in one object. */
  case 'race': {
    const mine: number[] = []
    for (let number = 0; number < 60; number++) {
      const body = bytes(String(process.pid))
      if (await won(store.put(`commits/${number}`, body, { mode: 'create' }))) mine.push(number)
    }
    for (let i = 0; i < 15; ) {
      const { etag } = await store.head('counter')
      const count = Number(await readText(store, 'counter', { ifMatch: etag }).catch(() => Number.NaN))
      if (Number.isNaN(count)) continue
      if (await won(store.put('counter', bytes(String(count + 1)), { mode: { ifMatch: etag } }))) i++
    }
    console.log(JSON.stringify(mine))
    break
  }
  /** Stages, one upload sealed and one not, tells of the sealed one, and waits for its end. */
  case 'stage': {
    const [sealed, open] = await Promise.all([store.stage('a/sealed'), store.stage('a/open')])
    await sealed.write(bytes('staged'))
    await open.write(bytes('half'))
    console.log(JSON.stringify(await sealed.seal()))
    await setTimeout(2 ** 30)
    break
  }
}
