// Follows the mode that NetBox keeps, else the system's. Loaded before the page is drawn, so that it never flashes.
const key = 'netbox-color-mode'
const system = matchMedia('(prefers-color-scheme: dark)')

function kept() {
  try {
    return localStorage.getItem(key)
  } catch {
    return null
  }
}

function show() {
  const mode = kept() ?? (system.matches ? 'dark' : 'light')
  document.documentElement.setAttribute('data-bs-theme', mode === 'dark' ? 'dark' : 'light')
}

show()
system.addEventListener('change', show)
addEventListener('storage', show)
addEventListener('DOMContentLoaded', () => {
  for (const button of document.querySelectorAll('[data-color-mode]')) {
    button.hidden = false
    button.addEventListener('click', () => {
      const dark = document.documentElement.getAttribute('data-bs-theme') === 'dark'
      try {
        localStorage.setItem(key, dark ? 'light' : 'dark')
      } catch {}
      show()
    })
  }
})
