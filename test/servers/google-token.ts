import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import type { Cleanup } from '../support/duckdb.ts'
import { tempFolder } from '../support/temp.ts'

/** A file of credentials (workload identity federation) for which a server of the test's own gives this token. */
export async function tokenFile(t: Cleanup, token: string): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume().on('end', () => {
      outgoing.setHeader('content-type', 'application/json')
      const type = 'urn:ietf:params:oauth:token-type:access_token'
      outgoing.end(
        JSON.stringify({
          access_token: token,
          issued_token_type: type,
          token_type: 'Bearer',
          expires_in: 3600,
        }),
      )
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const folder = tempFolder(t)
  const subject = join(folder, 'subject')
  writeFileSync(subject, 'subject')
  const file = join(folder, 'credentials.json')
  writeFileSync(
    file,
    JSON.stringify({
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/token`,
      credential_source: { file: subject },
    }),
  )
  return file
}
