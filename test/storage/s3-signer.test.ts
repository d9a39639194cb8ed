import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { S3, type S3ClientConfig } from '@aws-sdk/client-s3'
import fc from 'fast-check'
import {
  EMPTY_PAYLOAD,
  encodePath,
  encodeQuery,
  type SignableRequest,
  Signer,
} from '../../src/storage/s3/signer.ts'

const published = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}
const scope = { region: 'us-east-1', service: 's3' }
const host = 'examplebucket.s3.amazonaws.com'

test("signatures are those of the service's own examples", () => {
  const time = new Date('2013-05-24T00:00:00Z')
  const empty = { host, payload: EMPTY_PAYLOAD, path: '/', query: '', method: 'GET', headers: { host } }
  const welcome = createHash('sha256').update('Welcome to Amazon S3.').digest('hex')
  const examples: [SignableRequest, string][] = [
    [
      { ...empty, path: '/test.txt', headers: { host, range: 'bytes=0-9' } },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      {
        ...empty,
        method: 'PUT',
        path: `/${encodePath('test$file.text')}`,
        headers: {
          host,
          date: 'Fri, 24 May 2013 00:00:00 GMT',
          'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        },
        payload: welcome,
      },
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
    [
      { ...empty, query: encodeQuery({ lifecycle: '' }) },
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    ],
    [
      { ...empty, query: encodeQuery({ prefix: 'J', 'max-keys': '2' }) },
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ]
  const signer = new Signer()
  for (const [request, signature] of examples) {
    const { authorization } = signer.sign(request, published, scope, time)
    assert.ok(authorization!.endsWith(`Signature=${signature}`), `${request.path} ${authorization}`)
  }
})

interface Sent {
  method: string
  path: string
  query: Record<string, string>
  headers: Record<string, string>
}

/** Signs by the SDK, and sends nothing. */
function recorder(credentials: S3ClientConfig['credentials']): { s3: S3; sent: Sent[] } {
  const sent: Sent[] = []
  const requestHandler = {
    handle: async (request: object) => {
      sent.push(request as Sent)
      return { response: { statusCode: 200, headers: {}, body: Buffer.from('<ListBucketResult/>') } }
    },
  }
  const s3 = new S3({ region: 'eu-west-9', credentials: credentials!, requestHandler, maxAttempts: 1 })
  return { s3, sent }
}

test('signatures are those of the SDK, whatever keys, parameters, metadata and tokens there are', async () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter(text => !/\p{Surrogate}/u.test(text))
  const odd = fc.string({ unit: fc.constantFrom(..." !'()*+%~-_./=&#?;:@$,ab é日😀"), minLength: 1 })
  const key = fc.oneof(text, odd).map(key => `a${key}b`)
  const value = fc.string({ unit: fc.constantFrom(...'ab  \t;:,é'), maxLength: 12 }).map(text => `x${text}y`)
  const signer = new Signer()
  await fc.assert(
    fc.asyncProperty(
      key,
      key,
      value,
      fc.option(fc.base64String({ minLength: 4 })),
      async (a, b, v, token) => {
        const credentials = { ...published, ...(token === null ? {} : { sessionToken: token }) }
        const { s3, sent } = recorder(credentials)
        await s3.headObject({ Bucket: 'bucket', Key: a, Range: 'bytes=0-9', IfMatch: `"${a.length}"` })
        await s3.listObjectsV2({ Bucket: 'bucket', Prefix: a, StartAfter: b, Delimiter: '/' })
        await s3.putObject({ Bucket: 'bucket', Key: b, Metadata: { v }, Body: v })
        assert.equal(sent.length, 3)
        for (const [i, { method, path, query, headers }] of sent.entries()) {
          const wanted = headers['authorization'] ?? ''
          const signed = /SignedHeaders=([^,]+)/.exec(wanted)![1]!.split(';')
          const ownPath = i === 1 ? '/' : `/${encodePath(i === 0 ? a : b)}`
          assert.equal(path, ownPath)
          const stamp = headers['x-amz-date']!
          const time = stamp.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z')
          const own = signer.sign(
            {
              method,
              path: ownPath,
              query: encodeQuery(query),
              headers: Object.fromEntries(
                signed.filter(name => !OURS.has(name)).map(name => [name, headers[name]!]),
              ),
              payload: headers['x-amz-content-sha256']!,
            },
            credentials,
            { region: 'eu-west-9', service: 's3' },
            new Date(time),
          )
          assert.equal(own['authorization'], wanted)
          for (const name of OURS) assert.equal(own[name], headers[name], name)
        }
      },
    ),
    { numRuns: 60 },
  )
})

/** Those that a signer adds. */
const OURS = new Set(['x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token'])
