import { accepted, type Checked, rejected } from './checked.ts'

const maxInt32 = 2 ** 31 - 1
const maxInt64 = 2n ** 63n - 1n

/** Whole numbers, also as text. What NetBox could store but a JSON number cannot hold exactly is refused with our own limit. */
export function checkInteger({ min, max }: { readonly min: number; readonly max: number }, input: unknown): Checked {
  const whole = wholeNumber(input)
  if (whole === null) return rejected(`A valid ${max > maxInt32 ? 'biginteger' : 'integer'} is required.`)
  if (whole < BigInt(min)) return rejected(`Ensure this value is greater than or equal to ${min}.`)
  if (whole > BigInt(max)) {
    const limit = max === Number.MAX_SAFE_INTEGER && whole > maxInt64 ? maxInt64 : max
    return rejected(`Ensure this value is less than or equal to ${limit}.`)
  }
  return accepted(Number(whole))
}

function wholeNumber(input: unknown): bigint | null {
  if (typeof input === 'number') return Number.isInteger(input) ? BigInt(input) : null
  const digits = typeof input === 'string' ? /^\s*([+-]?)(\d{1,1000})(?:\.0*)?\s*$/.exec(input) : null
  return digits === null ? null : BigInt(`${digits[2]}`) * (digits[1] === '-' ? -1n : 1n)
}
