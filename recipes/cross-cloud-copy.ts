/**
 * Copies a folder from store to store. A place is a URL, whatever is behind it; credentials and endpoints are those that
 * each cloud's own tools find in the environment.
 *
 *     npx tsx recipes/cross-cloud-copy.ts s3://bucket/data gs://bucket/data az://container/data ./data
 */
import { openStore, transfer } from 'sluice'

const [first, ...places] = process.argv.slice(2)
if (first === undefined || places.length === 0) throw new Error('name at least two places')

let from = await openStore(first)
for (const place of places) {
  const to = await openStore(place)
  // Run again, it goes on where it was stopped. Each object is read back and compared.
  const { copied, skipped, deleted } = await transfer(from, to, {
    delete: true,
    verify: 'checksum',
    progress: true,
  })
  console.log(
    `${from.url} to ${to.url}: ${copied.objects} copied, ${skipped.objects} there already, ${deleted.objects} deleted`,
  )
  from = to
}
