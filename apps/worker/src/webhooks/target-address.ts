import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/** The host of a webhook, or each of its addresses, is in a network to which nothing is sent. */
export class TargetRefused extends Error {
  constructor(address: string) {
    super(
      `${address} is a private or special address: name its network in the setting webhook_allowed_networks, if webhooks may be sent there.`,
    )
  }
}

/**
 * IPv4 addresses that are not public: private, shared, loopback, link-local with the metadata
 * services of clouds, multicast and reserved (IANA's registry of special-purpose addresses), and Azure's own.
 */
const special4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]

/**
 * IPv6 addresses outside of global unicast (2000::/3): loopback, unique local, link-local, multicast,
 * and IPv4 inside IPv6; and what is special within it.
 */
const special6 = ['::/3', '4000::/2', '8000::/1', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** Networks by family: one list of both would take an IPv4 address for its form inside IPv6. */
type Networks = Readonly<Record<'ipv4' | 'ipv6', BlockList>>

const special = networksOf([...special4, ...special6])

function networksOf(cidrs: ReadonlyArray<string>): Networks {
  const networks = { ipv4: new BlockList(), ipv6: new BlockList() }
  for (const cidr of cidrs) {
    const [address = '', prefix] = cidr.split('/')
    const family = familyOf(address)
    networks[family].addSubnet(address, Number(prefix), family)
  }
  return networks
}

/** Judges addresses: public ones pass, and those of the networks that are allowed (CIDRs). */
export function addressRule(allowedNetworks: ReadonlyArray<string>): (address: string) => boolean {
  const allowed = networksOf(allowedNetworks)
  return (address) => {
    const family = familyOf(address)
    return allowed[family].check(address, family) || !special[family].check(address, family)
  }
}

/**
 * The look-up of one connection: it gives only addresses that pass, so that the address which is
 * judged is the one that is connected to. A host without one fails with `TargetRefused`.
 */
export const guardedLookup =
  (isAllowed: (address: string) => boolean): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, [])
      const allowed = addresses.filter(({ address }) => isAllowed(address))
      const [first] = allowed
      if (first === undefined) return callback(new TargetRefused(hostname), [])
      return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family)
    })
  }

/** The address in the host of a URL; null: it is a name, which the look-up judges. */
export function literalAddress(url: URL): string | null {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  return isIP(host) === 0 ? null : host
}
