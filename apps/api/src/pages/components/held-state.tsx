import type { HeldState } from '@netbox-pbs/core'
import { Badge } from './badge.tsx'

const colors: Readonly<Record<HeldState, string>> = { waiting: 'orange', confirmed: 'blue', dismissed: 'secondary' }
const words: Readonly<Record<HeldState, string>> = { waiting: 'waiting', confirmed: 'confirmed', dismissed: 'kept' }

/** The state of held deletions as a coloured badge. */
export const HeldStateBadge = ({ state }: { state: HeldState }) => <Badge color={colors[state]} label={words[state]} />
