import { maskedUrl } from '../options.ts'
import { invalid } from './options.ts'

/** What a URL names. */
export interface AzureLocation {
  /** What the URLs of the container's objects begin with, as it was written. */
  base: string
  container: string
  folder: string
  /** URL of the service, if the store's URL tells where that is. */
  endpoint: string | undefined
}

/** Hosts of the service, public and sovereign, and those of accounts in a zone. `dfs` is another way to the same. */
const SERVICE =
  /^([a-z0-9-]+)\.(?:blob|dfs)\.(core\.(?:windows\.net|chinacloudapi\.cn|usgovcloudapi\.net)|storage\.azure\.net)$|^([a-z0-9-]+\.z\d+)\.(?:blob|dfs)\.(storage\.azure\.net)$/i

const HINT =
  "Write 'az://container/folder', 'abfss://container@account.dfs.core.windows.net/folder' or " +
  "'https://account.blob.core.windows.net/container/folder', with '?', '#' and '%' percent-encoded."

/** Whether an `https:` URL is one of Azure Blob Storage, and not of any other server. */
export function isAzureUrl(url: string): boolean {
  const host = /^https:\/\/(?:[^/?#]*@)?([^/?#:]+)/i.exec(url)?.[1]
  return host !== undefined && SERVICE.test(host)
}

/** Container and folder of an `az:`, `abfss:` or `https:` URL, whose path is percent-encoded. */
export function parseAzureUrl(text: string): AzureLocation {
  const [, scheme = '', authority = '', path = '', rest = ''] =
    /^(az|abfss|https):\/\/([^/?#]*)\/?([^?#]*)(.*)$/i.exec(text) ?? []
  const at = authority.indexOf('@')
  const abfss = scheme.toLowerCase() === 'abfss'
  if (/[?&](?:sig|sv)=/i.test(rest) || (at >= 0 && (!abfss || authority.slice(0, at).includes(':')))) {
    throw invalid('url', 'must not hold credentials', "Give them with the option 'sasToken' or 'accountKey'.")
  }
  const fail = (reason: string) => invalid('url', `${JSON.stringify(maskedUrl(text))} ${reason}`, HINT)
  if (scheme === '') throw fail('names no container')
  if (rest !== '') throw fail("has a '?' or '#'")
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    throw fail('is not percent-encoded')
  }
  const web = scheme.toLowerCase() === 'https'
  const [first = '', ...folders] = decoded.split('/')
  const container = abfss ? authority.slice(0, Math.max(at, 0)) : web ? first : authority
  if (!/^(?:\$root|\$web|\$logs|(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*)$/.test(container)) {
    throw fail('names no container, which is 3 to 63 letters in lower case, digits and single hyphens')
  }
  return {
    base: `${scheme.toLowerCase()}://${authority}${web ? `/${container}` : ''}`,
    container,
    folder: web ? folders.join('/') : decoded,
    endpoint: abfss || web ? serviceOf(authority.slice(at + 1), fail) : undefined,
  }
}

/** The account that an endpoint is of: named by the end of its path or, on the service's own hosts, by the host. */
export function accountOf(endpoint: string): string | undefined {
  const { hostname, pathname } = new URL(endpoint)
  const path = pathname.split('/').filter(Boolean)
  return path.at(-1) ?? (SERVICE.test(hostname) ? hostname.split('.')[0] : undefined)
}

function serviceOf(host: string, fail: (reason: string) => Error): string {
  const [, account, cloud, zonal, zone] = SERVICE.exec(host) ?? []
  const [name, suffix] = [account ?? zonal, cloud ?? zone]
  if (name === undefined) throw fail('names no account')
  return `https://${name.toLowerCase()}.blob.${suffix?.toLowerCase()}`
}
