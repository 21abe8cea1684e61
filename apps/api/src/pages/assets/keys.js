// Keys of pages. Each does what a link or a field of the page does, so that nothing needs them.
let going = 0

const isTyping = ({ target }) =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches('input, select, textarea'))

/** The links that name rows, in their order. */
const rows = () => [...document.querySelectorAll('td.netbox-pbs-title a[href]')]

function step(by) {
  const links = rows()
  const at = links.findIndex((link) => link.closest('tr') === document.activeElement?.closest('tr'))
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1)
  links[next]?.focus()
}

function go(key) {
  document.querySelector(`[data-go="${CSS.escape(key)}"]`)?.click()
}

const actions = {
  '/': () => document.querySelector('#quick-search')?.focus(),
  j: () => step(1),
  k: () => step(-1),
  g: () => {
    going = performance.now()
  },
  '?': () => document.querySelector('#keys')?.showModal(),
}

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || isTyping(event)) return
  // The letter after `g` names a page, for two seconds.
  const isGoing = going > 0 && performance.now() - going < 2000
  going = 0
  if (isGoing) {
    event.preventDefault()
    go(event.key)
    return
  }
  const action = actions[event.key]
  if (action === undefined || (event.key !== '?' && document.querySelector('dialog[open]') !== null)) return
  event.preventDefault()
  action()
})

// The exact time in the zone of the reader, next to UTC.
const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
addEventListener('pointerover', ({ target }) => {
  const time = target instanceof Element ? target.closest('time[title$=" UTC"]') : null
  if (time !== null) time.title = `${format.format(new Date(time.dateTime))} ${timeZone} · ${time.title} `
})
