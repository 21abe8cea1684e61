/** A name of the domain name system: labels of letters, digits, hyphens and underscores. */
const name = /^(?=.{1,253}\.?$)(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?$/

const rule = 'must be a host name or an address, without scheme, port or path'

/**
 * What is wrong with the host of a server; null: nothing. It is a name, an IPv4 or an IPv6 address, the last one also in brackets. Where an address was pasted whole, the sentence
 * names its parts.
 */
export function wrongHost(text: string): string | null {
  if (isHost(text)) return null
  const parts = partsOf(text)
  return parts === null ? rule : `${rule}: host ${parts.host}, port ${parts.port}`
}

function isHost(text: string): boolean {
  const bare = /^\[(.*)\]$/.exec(text)?.[1]
  if (bare !== undefined) return isIpv6(bare)
  // A name that ends in a number would be taken for an address in an old notation.
  return isIpv4(text) || isIpv6(text) || (name.test(text) && !/(?:^|\.)(?:\d+|0[xX][0-9A-Fa-f]*)\.?$/.test(text))
}

/** Four decimal numbers that the platform's parser of URLs does not write in another way. */
const isIpv4 = (text: string): boolean =>
  /^\d+(?:\.\d+){3}$/.test(text) && URL.canParse(`http://${text}`) && new URL(`http://${text}`).hostname === text

/** Without a zone, which is of one machine only. */
const isIpv6 = (text: string): boolean => /^[0-9A-Fa-f:.]+$/.test(text) && URL.canParse(`http://[${text}]`)

/** Host and port of `https://host:8007/`, `host:8007` or `[::1]:8007`; null when it is none of these. */
function partsOf(text: string): { readonly host: string; readonly port: string } | null {
  const authority = /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/)?([^/?#@\s]+)(?:[/?#].*)?$/.exec(text)?.[1]
  const split = authority === undefined ? null : /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(authority)
  const [host, port = '8007'] = split?.slice(1) ?? []
  return host !== undefined && isHost(host) ? { host, port } : null
}
