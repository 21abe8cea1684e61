import { type ModelName, modelNames, registry } from '@netbox-pbs/core'
import {
  branchesPage,
  heldPage,
  home,
  listPage,
  referencePage,
  runsPage,
  settingsPage,
  signOutPage,
} from '../../rest/page-paths.ts'
import { formatCount } from './format.ts'
import { Icon, type IconName } from './icon.tsx'
import type { MenuBadge, PageBranch, Viewer } from './viewer.ts'

interface MenuItem {
  readonly href: string
  readonly label: string
  readonly icon: IconName
  /** The key that goes there after `g`. */
  readonly key: string
  /** Of an inventory list; its link stays in the branch of the page. */
  readonly model?: ModelName
}

const ofModels: Readonly<Record<ModelName, Pick<MenuItem, 'icon' | 'key'>>> = {
  server: { icon: 'server', key: 's' },
  datastore: { icon: 'database', key: 'd' },
  namespace: { icon: 'folders', key: 'n' },
  group: { icon: 'stack-2', key: 'g' },
  snapshot: { icon: 'camera', key: 'p' },
  job: { icon: 'calendar-event', key: 'j' },
  task: { icon: 'list-check', key: 't' },
}

const overview: MenuItem = { href: home, label: 'Overview', icon: 'layout-dashboard', key: 'o' }

const menu: ReadonlyArray<{ readonly heading: string; readonly items: ReadonlyArray<MenuItem> }> = [
  {
    heading: 'Inventory',
    items: modelNames.map((model) => ({
      model,
      href: listPage(model),
      label: registry[model].labelPlural,
      ...ofModels[model],
    })),
  },
  {
    heading: 'Operations',
    items: [
      { href: runsPage, label: 'Sync runs', icon: 'refresh', key: 'r' },
      { href: heldPage, label: 'Held deletions', icon: 'hand-stop', key: 'h' },
      { href: branchesPage, label: 'Branches', icon: 'git-branch', key: 'b' },
      { href: settingsPage, label: 'Settings', icon: 'settings', key: ',' },
    ],
  },
]

/** The pages that keys lead to, with the letter after `g`. */
export const goKeys: ReadonlyArray<Pick<MenuItem, 'key' | 'label'>> = [overview, ...menu.flatMap(({ items }) => items)]

const Item = ({
  href,
  label,
  icon,
  goKey,
  active,
  badge,
}: {
  href: string
  label: string
  icon: IconName
  goKey: string
  active: boolean
  badge: MenuBadge | undefined
}) => (
  <li class={active ? 'nav-item active' : 'nav-item'}>
    <a class="nav-link" href={href} data-go={goKey} aria-current={active ? 'page' : undefined}>
      <Icon name={icon} />
      <span class="nav-link-title">{label}</span>
      {badge === undefined ? null : (
        <span class={`badge netbox-pbs-badge netbox-pbs-${badge.color} ms-auto`} title={badge.title}>
          {formatCount(badge.count)}
          <span class="visually-hidden"> {badge.title}</span>
        </span>
      )}
    </a>
  </li>
)

/** The menu. On narrow screens a check box opens it, so that it needs no script. */
export const Sidebar = ({ path, viewer, branch }: { path: string; viewer: Viewer; branch: PageBranch }) => (
  <aside class="navbar navbar-vertical navbar-expand-lg netbox-pbs-sidebar" aria-label="Menu">
    <div class="container-fluid">
      <input type="checkbox" class="visually-hidden" id="menu-open" aria-label="Show the menu" />
      <div class="netbox-pbs-brand">
        <a class="navbar-brand" href={home}>
          netbox-pbs
        </a>
        <label class="btn btn-sm d-lg-none" for="menu-open" aria-hidden="true">
          Menu
        </label>
      </div>
      <div class="netbox-pbs-menu">
        <nav aria-label="Pages">
          <ul class="navbar-nav">
            <Item {...overview} goKey={overview.key} active={path === home} badge={viewer.badges?.get(home)} />
          </ul>
          {menu.map(({ heading, items }) => (
            <>
              <div class="subheader netbox-pbs-heading">{heading}</div>
              <ul class="navbar-nav">
                {items.map(({ href, label, icon, key, model }) => (
                  <Item
                    href={model === undefined ? href : listPage(model, branch)}
                    label={label}
                    icon={icon}
                    goKey={key}
                    active={path.startsWith(href)}
                    badge={viewer.badges?.get(href)}
                  />
                ))}
              </ul>
            </>
          ))}
        </nav>
        <div class="netbox-pbs-account">
          <div class="text-secondary mb-2 netbox-pbs-break">
            {viewer.username}
            {viewer.operates ? '' : ' (read only)'}
          </div>
          <a class="d-block mb-2" href={referencePage}>
            REST API
          </a>
          <form class="btn-list" method="post" action={signOutPage}>
            <input type="hidden" name="form_token" value={viewer.formToken} />
            <button class="btn btn-sm" type="submit">
              Sign out
            </button>
            <button class="btn btn-sm" type="button" data-color-mode hidden>
              Light or dark
            </button>
          </form>
        </div>
      </div>
    </div>
  </aside>
)
