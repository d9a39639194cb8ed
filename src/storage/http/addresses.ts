import { lookup as resolve } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import type { buildConnector } from 'undici'
import { SluiceError } from '../../core/errors.ts'

/** Addresses that are not of the public internet (IANA's special-purpose registries, and multicast). */
const IPV4: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]
const IPV6: readonly [string, number][] = [
  // Unspecified, loopback and the old "compatible" form of IPv4 addresses.
  ['::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001:db8::', 32],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]

/** IPv4-mapped addresses (`::ffff:10.0.0.1`) are checked by Node against the rules for IPv4. */
const PRIVATE = new BlockList()
for (const [net, bits] of IPV4) {
  PRIVATE.addSubnet(net, bits, 'ipv4')
  // What a gateway makes IPv4 of: NAT64 (RFC 6052) and 6to4 (RFC 3056).
  PRIVATE.addSubnet(`64:ff9b::${net}`, 96 + bits, 'ipv6')
  const [a = 0, b = 0, c = 0, d = 0] = net.split('.').map(Number)
  PRIVATE.addSubnet(`2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::`, 16 + bits, 'ipv6')
}
for (const [net, bits] of IPV6) PRIVATE.addSubnet(net, bits, 'ipv6')

/** Whether an address, as text, is one that only machines nearby, or this one, are reached by. */
export function isPrivate(address: string): boolean {
  const plain = address.replace(/%.*$/, '')
  return PRIVATE.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
}

/** Whether a host's name says itself that what it leads to is private. */
export function namesPrivate(hostname: string): boolean {
  const plain = hostname.replace(/^\[|\]$/g, '')
  return isIP(plain) === 0 ? /(^|\.)localhost$/.test(plain) : isPrivate(plain)
}

/**
 * Makes connections to public addresses only, but for hosts that are private by name and that the user has named. The
 * address is checked that is then connected to, so that no second answer of a name server can be another.
 */
export function guardedConnector(
  connect: buildConnector.connector,
  named: ReadonlySet<string>,
): buildConnector.connector {
  return (options, callback) => {
    const { hostname } = options
    if (isIP(hostname) === 0 || named.has(hostname) || !isPrivate(hostname)) connect(options, callback)
    else callback(refused(`'${hostname}' is a private address`), null)
  }
}

/** The system's resolver, without the addresses that are private. */
export function guardedLookup(named: ReadonlySet<string>): LookupFunction {
  return (hostname, options, callback) => {
    if (named.has(hostname)) return resolve(hostname, options, callback)
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '', 0)
      const open = found.filter(({ address }) => !isPrivate(address))
      const [first] = open
      if (first === undefined) return callback(refused(`'${hostname}' resolves to a private address`), '', 0)
      if (options.all) callback(null, open)
      else callback(null, first.address, first.family)
    })
  }
}

function refused(reason: string): SluiceError {
  return new SluiceError('permission', `${reason}, which the URL of the store has not named`, {
    hint: "If it is to be trusted, open the store with 'allowPrivate: true'.",
  })
}
