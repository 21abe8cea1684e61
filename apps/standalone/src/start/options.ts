import { z } from 'zod'
import { WrongUsage } from '../failures.ts'

const port = z.coerce.number().int().min(0).max(65535)

/** The flags of `start`, checked. Ports of 0 are chosen by the system. */
export const StartOptions = z.object({
  host: z.string().min(1),
  port,
  gatewayPort: port,
  dataDir: z.string().min(1).optional(),
  demo: z.boolean().default(false),
  demoServers: z.coerce.number().int().min(1).max(100),
  demoSnapshots: z.coerce.number().int().min(0).max(10_000_000),
  seed: z.coerce
    .number()
    .int()
    .min(0)
    .max(2 ** 31 - 1),
})
/** The flags of `start`. */
export type StartOptions = z.infer<typeof StartOptions>

/** Checks the flags; throws `WrongUsage` that names the first wrong one. */
export function parseStartOptions(flags: unknown): StartOptions {
  const parsed = StartOptions.safeParse(flags)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const name = String(issue?.path[0] ?? '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new WrongUsage({ message: `--${name}: ${issue?.message ?? 'not understood'}` })
}
