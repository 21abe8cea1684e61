import { BlockList, isIP } from 'node:net'

/** Bits of an address of each family. */
const bits = { 4: 32, 6: 128 } as const

/** A network in CIDR form from an address with or without a prefix length; null: it is neither. */
export function readNetwork(text: string): string | null {
  const [address = '', prefix, ...more] = text.trim().toLowerCase().split('/')
  const family = isIP(address)
  if ((family !== 4 && family !== 6) || more.length > 0 || address.includes('%')) return null
  const length = prefix === undefined ? bits[family] : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN
  return length <= bits[family] ? `${address}/${length}` : null
}

/** Whether an address is in one of these networks, or there are none. An address that is not known is in none. */
export function isAllowed(networks: ReadonlyArray<string>, address: string | null): boolean {
  if (networks.length === 0) return true
  // A socket for both families writes IPv4 addresses as IPv6.
  const plain = address?.replace(/^::ffff:(?=\d+\.)/i, '') ?? ''
  const family = isIP(plain)
  if (family === 0) return false
  const list = new BlockList()
  for (const network of networks) {
    const [start = '', length] = network.split('/')
    // The list would find every IPv4 address in an IPv6 network that holds the mapped ones.
    if (isIP(start) === family) list.addSubnet(start, Number(length), family === 6 ? 'ipv6' : 'ipv4')
  }
  return list.check(plain, family === 6 ? 'ipv6' : 'ipv4')
}
