/** A SHA-256 fingerprint as PBS writes it (lower case hex joined with colons), or null when it is not one. */
export const normalizeFingerprint = (text: string): string | null => {
  const hex = text.trim().replaceAll(':', '').toLowerCase()
  return /^[0-9a-f]{64}$/.test(hex) ? (hex.match(/../g) ?? []).join(':') : null
}
