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
import type { PageBranch, Viewer } from './viewer.ts'

interface MenuItem {
  readonly href: string
  readonly label: string
  /** Of an inventory list; its link stays in the branch of the page. */
  readonly model?: ModelName
}

const menu: ReadonlyArray<{ readonly heading: string; readonly items: ReadonlyArray<MenuItem> }> = [
  {
    heading: 'Inventory',
    items: modelNames.map((model) => ({ model, href: listPage(model), label: registry[model].labelPlural })),
  },
  {
    heading: 'Operations',
    items: [
      { href: runsPage, label: 'Sync runs' },
      { href: heldPage, label: 'Held deletions' },
      { href: branchesPage, label: 'Branches' },
      { href: settingsPage, label: 'Settings' },
    ],
  },
]

const Item = ({ href, label, active }: { href: string; label: string; active: boolean }) => (
  <li class={active ? 'nav-item active' : 'nav-item'}>
    <a class="nav-link" href={href} aria-current={active ? 'page' : undefined}>
      <span class="nav-link-title">{label}</span>
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
            <Item href={home} label="Overview" active={path === home} />
          </ul>
          {menu.map(({ heading, items }) => (
            <>
              <div class="subheader netbox-pbs-heading">{heading}</div>
              <ul class="navbar-nav">
                {items.map(({ href, label, model }) => (
                  <Item
                    href={model === undefined ? href : listPage(model, branch)}
                    label={label}
                    active={path.startsWith(href)}
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
