import type { HeadBucketCommand, S3 } from '@aws-sdk/client-s3'
import type { SignableRequest, SigningScope } from './signer.ts'

/** Where requests about a bucket go, by the SDK's rules for endpoints. */
export interface Endpoint {
  /** Keys are joined to its path. */
  url: URL
  /** What signatures hold for; undefined where another scheme than version 4 is asked for, which the SDK knows. */
  scope: SigningScope | undefined
}

/** Command of a request about a bucket as a whole: a shell for what is done to it before it would be sent. */
export type BucketCommand = typeof HeadBucketCommand

/** Asks the SDK where a bucket is: region, endpoint, profile, path style, FIPS, dual stack, access points. */
export async function locate(s3: S3, Command: BucketCommand, bucket: string): Promise<Endpoint> {
  const command = new Command({ Bucket: bucket })
  let endpoint: Endpoint | undefined
  command.middlewareStack.add(
    (_next, context) => async () => {
      // It has come to be since the chain was built.
      const { endpointV2 } = context
      if (endpointV2 === undefined) throw new Error('The SDK knows no endpoint of the bucket')
      endpoint = { url: endpointV2.url, scope: scopeOf(endpointV2.properties) }
      return NOT_SENT
    },
    // After the endpoint is known, before the SDK begins a session or looks for credentials.
    { step: 'serialize', priority: 'low', name: 'sluiceLocate' },
  )
  await s3.send(command)
  return endpoint!
}

/** Signs a request as the SDK does: for what is not plain version 4, such as directory buckets and version 4a. */
export async function signBySdk(
  s3: S3,
  Command: BucketCommand,
  bucket: string,
  { method, path, query, headers, payload }: SignableRequest,
): Promise<Record<string, string>> {
  const command = new Command({ Bucket: bucket })
  let signed: Record<string, string> = {}
  command.middlewareStack.add(
    next => args => {
      const request = requestOf(args)
      request.method = method
      request.path = path
      request.query = Object.fromEntries(new URLSearchParams(query))
      Object.assign(request.headers, headers, { 'x-amz-content-sha256': payload })
      return next(args)
    },
    { step: 'build', priority: 'high', name: 'sluiceRequest' },
  )
  command.middlewareStack.add(
    () => async args => {
      signed = { ...requestOf(args).headers }
      return NOT_SENT
    },
    { step: 'finalizeRequest', priority: 'low', name: 'sluiceSigned' },
  )
  await s3.send(command)
  return signed
}

const NOT_SENT = { response: {}, output: { $metadata: {} } }

interface SdkRequest {
  method: string
  path: string
  query: Record<string, string>
  headers: Record<string, string>
}

function requestOf(args: { request?: unknown }): SdkRequest {
  return args.request as SdkRequest
}

/** Of the schemes that an endpoint takes, version 4 if it is among them. */
function scopeOf(properties: Record<string, unknown> | undefined): SigningScope | undefined {
  const schemes = (properties?.['authSchemes'] ?? []) as {
    name: string
    signingName?: string
    signingRegion?: string
  }[]
  const { signingRegion: region, signingName: service } = schemes.find(({ name }) => name === 'sigv4') ?? {}
  return region === undefined || service === undefined ? undefined : { region, service }
}
