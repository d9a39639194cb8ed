/**
 * A process of a test: copies from one place to another, and ends itself by SIGKILL right behind the request with the
 * given ordinal, if there are as many. Prints the report.
 *
 *     killed.ts FROM TO OPTIONS-OF-TO ORDINAL
 */
import { openStore, transfer, withObserver } from '../../../src/index.ts'

const [from = '', to = '', options = '{}', ordinal = ''] = process.argv.slice(2)
let requests = 0
const count = () => {
  if (++requests === Number(ordinal)) process.kill(process.pid, 'SIGKILL')
}
const source = withObserver(await openStore(from), count)
const destination = withObserver(await openStore(to, JSON.parse(options)), count)
const report = await transfer(source, destination.child('copy'), { concurrency: 3, delete: true })
console.log(JSON.stringify({ ...report, requests }))
