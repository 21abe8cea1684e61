import { assetPath } from '../assets.ts'

/** The icons of pages, by their names in Tabler's set. A test makes `assets/icons.svg` of them. */
export const iconNames = [
  'calendar-event',
  'camera',
  'database',
  'folders',
  'git-branch',
  'hand-stop',
  'layout-dashboard',
  'list-check',
  'refresh',
  'server',
  'settings',
  'stack-2',
] as const

/** The name of an icon of pages. */
export type IconName = (typeof iconNames)[number]

/** An icon that repeats what the word next to it says. */
export const Icon = ({ name }: { name: IconName }) => (
  <svg class="netbox-pbs-icon" viewBox="0 0 24 24" aria-hidden="true">
    <use href={`${assetPath('icons.svg')}#${name}`} />
  </svg>
)
