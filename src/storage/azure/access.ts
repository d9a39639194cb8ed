import { maskedUrl } from '../options.ts'
import { type AzureStoreOptions, type AzureTokenCredential, invalid } from './options.ts'
import { type AzureLocation, accountOf } from './url.ts'

/** What requests are allowed by; without a credential whatever `@azure/identity` finds. */
export type Authority = { key: string } | { sas: string } | { credential: AzureTokenCredential | undefined }

/** Where requests go, and what they are allowed by. */
export interface AzureAccess {
  /** URL of the service, without a slash at its end. */
  endpoint: string
  account: string | undefined
  authority: Authority
}

/** What options or the environment tell of it. */
type Told = { [name in keyof AzureAccess]?: AzureAccess[name] | undefined }

/** The account and key that every emulator has. */
const EMULATOR = {
  endpoint: 'http://127.0.0.1:10000/devstoreaccount1',
  account: 'devstoreaccount1',
  key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
}

/** Finds out from the options, the URL and, for what they leave open, the environment. */
export function accessOf(options: AzureStoreOptions, location: AzureLocation): AzureAccess {
  const given = toldByOptions(options)
  const named = location.endpoint && accountOf(location.endpoint)
  if (named !== undefined && given.account !== undefined && given.account !== named) {
    const option = options.account === undefined ? 'connectionString' : 'account'
    throw invalid(option, `names the account '${given.account}' and the URL '${named}'`)
  }
  const endpoint = given.endpoint ?? location.endpoint
  const account = given.account ?? (endpoint === undefined ? undefined : accountOf(endpoint))
  const configured = toldByEnvironment()
  // The environment may be about another account than the one that is asked for.
  const usual =
    account === undefined || configured.account === undefined || configured.account === account
      ? configured
      : {}
  const name = account ?? usual.account
  const service = endpoint ?? usual.endpoint ?? (name && `https://${name}.blob.core.windows.net`)
  if (service === undefined) {
    throw invalid('account', 'the account is not known', 'Set it, or AZURE_STORAGE_ACCOUNT, to its name.')
  }
  const authority = given.authority ?? usual.authority ?? { credential: undefined }
  if ('key' in authority && name === undefined) {
    throw invalid('account', 'the account of the key is not known', 'Set it, or AZURE_STORAGE_ACCOUNT.')
  }
  if ('credential' in authority && service.startsWith('http:')) {
    const hint = "Give an 'accountKey' or 'sasToken', or an endpoint that begins with 'https:'."
    throw invalid('endpoint', 'is not secure, and tokens are not sent in the clear', hint)
  }
  return { endpoint: service.replace(/\/+$/, ''), account: name, authority }
}

function toldByOptions(options: AzureStoreOptions): Told {
  const { account, endpoint, accountKey, sasToken, credential, connectionString } = options
  const told: Told =
    connectionString === undefined ? {} : toldBy(connectionString, "the option 'connectionString'")
  if (accountKey !== undefined) told.authority = { key: accountKey }
  if (sasToken !== undefined) told.authority = { sas: sasToken.replace(/^\?/, '') }
  if (credential !== undefined) told.authority = { credential }
  if (account !== undefined) told.account = account
  if (endpoint !== undefined) told.endpoint = checkedEndpoint(endpoint)
  return told
}

function toldByEnvironment(): Told {
  const { env } = process
  const connection = env['AZURE_STORAGE_CONNECTION_STRING']
  if (connection) return toldBy(connection, 'AZURE_STORAGE_CONNECTION_STRING')
  const key = env['AZURE_STORAGE_KEY'] || env['AZURE_STORAGE_ACCOUNT_KEY']
  const sas = env['AZURE_STORAGE_SAS_TOKEN']
  return {
    account: env['AZURE_STORAGE_ACCOUNT'] || env['AZURE_STORAGE_ACCOUNT_NAME'] || undefined,
    authority: key ? { key } : sas ? { sas: sas.replace(/^\?/, '') } : undefined,
  }
}

/** Reads a connection string: settings `Name=value`, separated by semicolons. */
function toldBy(connection: string, source: string): Told {
  const settings = new Map<string, string>()
  for (const setting of connection.split(';')) {
    const [, name = '', value = ''] = /^\s*([A-Za-z]+)=(.*?)\s*$/.exec(setting) ?? []
    settings.set(name.toLowerCase(), value)
  }
  if (settings.get('usedevelopmentstorage')?.toLowerCase() === 'true') {
    const { endpoint, account, key } = EMULATOR
    return { endpoint, account, authority: { key } }
  }
  const account = settings.get('accountname')
  const key = settings.get('accountkey')
  const sas = settings.get('sharedaccesssignature')?.replace(/^\?/, '')
  const protocol = settings.get('defaultendpointsprotocol') ?? 'https'
  const suffix = settings.get('endpointsuffix') ?? 'core.windows.net'
  const endpoint = settings.get('blobendpoint') ?? (account && `${protocol}://${account}.blob.${suffix}`)
  const authority = key ? { key } : sas ? { sas } : undefined
  if (endpoint === undefined || authority === undefined) {
    // What it holds instead may be secret.
    throw invalid(
      'connectionString',
      `${source} does not name an account and a key or signature`,
      'Copy it whole, as the portal shows it.',
    )
  }
  return { endpoint: checkedEndpoint(endpoint), account: account ?? accountOf(endpoint), authority }
}

function checkedEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.hash !== '') {
    throw invalid(
      'endpoint',
      `${JSON.stringify(maskedUrl(text))} is no URL of a service`,
      "Write 'https://host'.",
    )
  }
  // What was wrong is not repeated: it holds a password or a signature.
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    const hint = "Give them with the option 'accountKey' or 'sasToken'."
    throw invalid('endpoint', 'must not hold credentials', hint)
  }
  return text
}
