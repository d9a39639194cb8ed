import { SluiceError } from '../../core/errors.ts'
import type { OptionKinds } from '../options.ts'
import type { UploadOptions } from '../remote/part-memory.ts'
import { type TimeoutOptions, validateTimeouts } from '../remote/timeouts.ts'

/** What gives tokens of Microsoft Entra, such as the credentials of `@azure/identity`. */
export interface AzureTokenCredential {
  getToken(
    scopes: string | string[],
    options?: object,
  ): Promise<{ token: string; expiresOnTimestamp: number } | null>
}

export interface AzureStoreOptions extends UploadOptions, TimeoutOptions {
  /** Name of the storage account. @default as the URL, `connectionString` or `AZURE_STORAGE_ACCOUNT` says */
  account?: string | undefined
  /**
   * URL of the service, below which the containers are: for Azurite (`http://127.0.0.1:10000/devstoreaccount1`) and
   * hosts of one's own. @default `https://ACCOUNT.blob.core.windows.net`
   */
  endpoint?: string | undefined
  /** A key to the account. @default `AZURE_STORAGE_KEY` or `AZURE_STORAGE_ACCOUNT_KEY` */
  accountKey?: string | undefined
  /** A shared access signature: what follows the `?` of a URL that has one. @default `AZURE_STORAGE_SAS_TOKEN` */
  sasToken?: string | undefined
  /** As the portal shows it: account, endpoint, and key or signature in one. @default `AZURE_STORAGE_CONNECTION_STRING` */
  connectionString?: string | undefined
  /** Gives tokens. @default `DefaultAzureCredential` of `@azure/identity`, where nothing else is given or configured */
  credential?: AzureTokenCredential | undefined
}

/** Kinds of the options. */
export const AZURE_OPTIONS: OptionKinds<AzureStoreOptions> = {
  account: 'text',
  endpoint: 'text',
  accountKey: 'secret',
  sasToken: 'secret',
  connectionString: 'secret',
  credential: 'code',
  uploadMemory: 'text',
  idleTimeoutMs: 'number',
  connectTimeoutMs: 'number',
}

/** Checks what can be checked before the first request. */
export function validateAzureOptions(options: AzureStoreOptions): void {
  const { account, accountKey, idleTimeoutMs, connectTimeoutMs } = options
  if (account !== undefined && !/^[a-z0-9-]+$/.test(account)) {
    throw invalid('account', `${JSON.stringify(account)} is no name of an account`)
  }
  if (accountKey !== undefined && !/^[A-Za-z0-9+/]+={0,2}$/.test(accountKey)) {
    throw invalid('accountKey', 'is not base64', 'Copy one of the two keys that the portal shows.')
  }
  const ways = ['accountKey', 'sasToken', 'connectionString', 'credential'] as const
  const [first, second] = ways.filter(name => options[name] !== undefined)
  if (second !== undefined) throw invalid(second, `cannot be given together with '${first}'`)
  validateTimeouts({ idleTimeoutMs, connectTimeoutMs })
}

export function invalid(option: string, reason: string, hint?: string): SluiceError {
  return new SluiceError('invalid-argument', reason, { option, ...(hint === undefined ? {} : { hint }) })
}
