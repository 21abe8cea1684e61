import { modelNames, registry } from '@netbox-pbs/core'
import { heldPage, home, listPage, runsPage, signOutPage } from '../paths.ts'
import type { Viewer } from './viewer.ts'

interface MenuItem {
  readonly href: string
  readonly label: string
}

const menu: ReadonlyArray<{ readonly heading: string; readonly items: ReadonlyArray<MenuItem> }> = [
  {
    heading: 'Inventory',
    items: modelNames.map((model) => ({ href: listPage(model), label: registry[model].labelPlural })),
  },
  {
    heading: 'Operations',
    items: [
      { href: runsPage, label: 'Sync runs' },
      { href: heldPage, label: 'Held back' },
    ],
  },
]

const Item = ({ href, label, active }: MenuItem & { active: boolean }) => (
  <li class={active ? 'nav-item active' : 'nav-item'}>
    <a class="nav-link" href={href} aria-current={active ? 'page' : undefined}>
      <span class="nav-link-title">{label}</span>
    </a>
  </li>
)

/** The menu. On narrow screens a check box opens it, so that it needs no script. */
export const Sidebar = ({ path, viewer }: { path: string; viewer: Viewer }) => (
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
            <Item href={home} label="Overview" active={path === home} />
          </ul>
          {menu.map(({ heading, items }) => (
            <>
              <div class="subheader netbox-pbs-heading">{heading}</div>
              <ul class="navbar-nav">
                {items.map((item) => (
                  <Item {...item} active={path.startsWith(item.href)} />
                ))}
              </ul>
            </>
          ))}
        </nav>
        <div class="netbox-pbs-account">
          <div class="text-secondary mb-2 netbox-pbs-break">
            {viewer.username}
            {viewer.writes ? '' : ' (read only)'}
          </div>
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
