/**
 * Keeps a mirror of a folder that files come to, are replaced in and go from: each run moves what has changed.
 *
 *     npx tsx recipes/incremental-sync.ts            # two folders here
 *     npx tsx recipes/incremental-sync.ts incoming s3://bucket/mirror
 */
import { openStore, TransferError, transfer } from 'sluice'

const [source = 'incoming', mirror = 'mirror'] = process.argv.slice(2)
const from = await openStore(source)
const to = await openStore(mirror)
const put = (key: string, text: string) => from.put(key, new TextEncoder().encode(text))

async function sync(when: string): Promise<void> {
  try {
    const { copied, skipped, deleted } = await transfer(from, to, { select: '**/*.csv', delete: true })
    console.log(
      `${when}: ${copied.objects} copied, ${skipped.objects} there already, ${deleted.objects} deleted`,
    )
  } catch (error) {
    if (!(error instanceof TransferError)) throw error
    // The others have been copied; the next run tries these again.
    for (const { key, error: why } of error.report.failed) console.error(`${key}: ${why.message}`)
    process.exitCode = 1
  }
}

for (let day = 1; day <= 3; day++) await put(`day=${day}/trips.csv`, `day,fare\n${day},10\n`)
await put('day=1/notes.txt', 'is not selected')
await sync('first')
await sync('nothing new')

await put('day=4/trips.csv', 'day,fare\n4,10\n')
await put('day=2/trips.csv', 'day,fare\n2,10\n2,corrected\n')
await from.delete('day=1/trips.csv')
await sync('a day later')

for await (const { key, size } of to.list()) console.log(`${key}  ${size} bytes`)
